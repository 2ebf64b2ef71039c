"""Getting an output folder ready: what it holds decides whether a command begins, goes on, or has nothing to do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Self, TypeVar

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.paths import Output
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.manifest import OtherFormat
from stackfim.schemas.record import JsonObject, Record, RecordMismatch, Report

K = TypeVar("K", bound=Record)
R = TypeVar("R", bound=Report)

ANOTHER = "choose another --out"
_SHOWN = 5
_VALUE_CHARS = 60
_IN_WORDS = {
    "scoring": "another model, or other limits or actions of its verdicts",
    "source": "other shards",
    "versions": "other versions of libraries",
}
"""Differences that are clearer in words than as values."""
_CONTAINERS = ("configuration", "settings")
"""Members that are left out of the names of settings."""


class Request(Record):
    """What a folder is made for. It is in `work/run.json` from the start, so that a run that broke off can be recognised."""

    run_key: str
    """SHA-256 of all that the rows depend on, 64 hex digits."""
    resume_key: str = ""
    """SHA-256 of what has to be the same for unfinished work to be gone on with; empty where that is the run key."""
    settings: JsonObject
    """The part of it that can be told in words, as members of the report to come."""

    @property
    def continued_by(self) -> str:
        """The key of requests that go on with unfinished work of this one."""
        return self.resume_key or self.run_key

    @classmethod
    def of(cls, settings: dict[str, Any]) -> Self:
        """The request whose rows depend on `settings` alone."""
        return cls(run_key=hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest(), settings=settings)


def refuse_overlap(read: Storage, out: Storage) -> None:
    """Raises UsageError where `out` is the folder that is read, or where one of its shards would be written over or read."""
    shards = read.location(paths.DATA) if read.exists(paths.DATA) else read.location()
    target = out.location()
    if target == read.location():
        raise UsageError(f"--out {out.root}: is the folder that is read; {ANOTHER}")
    if f"{target}/".startswith(f"{shards}/") or f"{shards}/".startswith(f"{target}/"):
        raise UsageError(f"--out {out.root}: overlaps with {shards}, which is read; {ANOTHER}")


def finished_report(
    storage: Storage, output: Output, kind: type[R], request: Request, advice: str = ANOTHER
) -> R | None:
    """The report of a folder that was made for `request`; None where the work is to begin, or to go on after a break.

    Raises UsageError for a folder that holds anything else; the message ends with `advice`.
    """
    if storage.exists(paths.REMOVAL):
        _refuse_foreign(storage, output)
        return None
    report = _read(storage, output.report, kind, advice)
    begun = _read(storage, paths.REQUEST, Request, advice) if report is None else None
    if report is not None and report.run_key != request.run_key:
        difference = _difference(report.model_dump(), request.settings)
        raise UsageError(f"--out {storage.root}: holds a finished {output.kind} with {difference}; {advice}")
    if begun is not None and begun.continued_by != request.continued_by:
        difference = _difference(begun.settings, request.settings)
        raise UsageError(f"--out {storage.root}: holds an unfinished {output.kind} with {difference}; {advice}")
    if report is None and begun is None:
        _refuse_others(storage, output)
    return report


def begin(storage: Storage, output: Output, request: Request) -> None:
    """Writes down what the folder is made for and that it is not complete; removes what killed writers left.

    A removal that broke off is ended. The folder must be locked.
    """
    if storage.exists(paths.REMOVAL):
        _remove_all(storage, output)
    storage.remove_temporary()
    # In this order: at every moment something tells what the folder is.
    storage.write_record(paths.REQUEST, request)
    storage.remove(output.report)


def refuse_clearing(storage: Storage, output: Output, kind: type[R]) -> None:
    """Raises UsageError where there is anything but a finished output, also one of another format, or an unfinished one."""
    known = storage.exists(paths.REMOVAL) or _holds_report(storage, output, kind)
    if not known and _read(storage, paths.REQUEST, Request, ANOTHER) is None:
        _refuse_others(storage, output)
    _refuse_foreign(storage, output)


def clear(storage: Storage, output: Output, kind: type[R]) -> None:
    """Removes a finished or unfinished output. The folder must be locked.

    Raises UsageError, and removes nothing, where `refuse_clearing` does. If the removal breaks off, whatever writes to the
    folder next ends it first.
    """
    refuse_clearing(storage, output, kind)
    if any(path != paths.LOCK for path in storage.files()):
        storage.write_bytes(
            paths.REMOVAL, b"What is in this folder is being removed; the next run goes on with that.\n"
        )
        _remove_all(storage, output)


def _remove_all(storage: Storage, output: Output) -> None:
    _refuse_foreign(storage, output)
    # The report goes first, so that nobody takes what is left for complete, and the file that tells of the removal last.
    storage.remove(output.report)
    entries = {_entry(path) for path in storage.files()} - {paths.LOCK, paths.REMOVAL}
    for entry in (*sorted(entries), paths.REMOVAL):
        storage.remove(entry)


def _entry(path: str) -> str:
    """What is removed at once of which a file is part: all of a folder, but of `work/` each entry on its own."""
    parts = path.split("/")
    return "/".join(parts[: 2 if parts[0] == paths.WORK else 1])


def _refuse_foreign(storage: Storage, output: Output) -> None:
    if others := output.foreign(storage.files()):
        raise UsageError(
            f"--out {storage.root}: holds files that are not part of a {output.kind} ({_some(others)}), so nothing was "
            f"removed; move them elsewhere, or {ANOTHER}"
        )


def _holds_report(storage: Storage, output: Output, kind: type[R]) -> bool:
    try:
        return storage.read_record(output.report, kind) is not None
    except OtherFormat:
        return True
    except RecordMismatch as error:
        raise _unreadable(storage, output.report, error, ANOTHER) from error


def _read(storage: Storage, path: str, kind: type[K], advice: str) -> K | None:
    try:
        return storage.read_record(path, kind)
    except RecordMismatch as error:
        raise _unreadable(storage, path, error, advice) from error


def _unreadable(storage: Storage, path: str, error: RecordMismatch, advice: str) -> UsageError:
    return UsageError(f"--out {storage.root}: {path} cannot be read ({error}); {advice}")


def _refuse_others(storage: Storage, output: Output) -> None:
    files = [path for path in storage.files() if not paths.is_temporary(path) and path != paths.LOCK]
    if files:
        found = _some(output.foreign(files) or files)
        raise UsageError(f"--out {storage.root}: holds something other than a {output.kind} ({found}); {ANOTHER}")


def _some(found: list[str]) -> str:
    more = len(found) - _SHOWN
    return ", ".join(found[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _difference(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """In words, in what two requests differ; `theirs` may know less than `ours`."""
    found: list[str] = []
    for name, value in ours.items():
        if name in theirs and theirs[name] != value:
            found += [_IN_WORDS[name]] if name in _IN_WORDS else _changes(name, theirs[name], value)
    return _some(found) or "another input"


def _changes(name: str, theirs: object, ours: object) -> Iterator[str]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        prefix = "" if name in _CONTAINERS else f"{name}."
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            if theirs.get(key) != ours.get(key):
                yield from _changes(f"{prefix}{key}", theirs.get(key), ours.get(key))
    else:
        yield f"{name} = {_shown(theirs)} (now {_shown(ours)})"


def _shown(value: object) -> str:
    return json.dumps(value)[:_VALUE_CHARS]
