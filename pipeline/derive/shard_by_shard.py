"""How one data set is made from another: each shard by a task of its own, by as many processes as there are workers.

A task writes its files under temporary names and renames them; then a marker says that they are complete. A command that
broke off goes on with the tasks that have no marker, and ends with the same bytes, for any number of workers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.lock import locked, refuse_used
from stackfim.pipeline.folder.markers import ShardMarker, complete
from stackfim.pipeline.folder.paths import Output
from stackfim.pipeline.folder.prepare import Request, begin, finished_report, refuse_overlap
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.local.pool import do_all
from stackfim.schemas.record import FileRecord, Report

R = TypeVar("R", bound=Report)
T = TypeVar("T")


@dataclass(frozen=True)
class Made:
    """What a task has made."""

    files: tuple[FileRecord, ...]
    """The files that it wrote."""
    counts: Mapping[str, int]
    """Rows by name."""


@dataclass(frozen=True)
class Derivation(Generic[R]):
    """A folder that is made from another."""

    folder: Storage
    """The folder that is read; it stays as it is."""
    out: Storage
    output: Output
    report_kind: type[R]
    request: Request

    def finished(self) -> R | None:
        """The report of a folder that is complete for this very request; None where there is work to do.

        Raises UsageError where `out` overlaps with the folder that is read, holds something else, or is written to.
        """
        refuse_overlap(self.folder, self.out)
        refuse_used(self.out)
        report = self._complete()
        if report is not None:
            self.out.remove(paths.WORK)
        return report

    def _complete(self) -> R | None:
        report = finished_report(self.out, self.output, self.report_kind, self.request)
        return None if report is None or self.out.missing(report.files) else report

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Gets `out` ready to be written, which inside the block no other process does.

        A finished folder of which files are missing is made again. Raises UsageError where another process writes there.
        """
        with locked(self.out):
            if self._complete() is not None:
                raise UsageError(f"--out {self.out.root}: another process has just made it; give the command again")
            begin(self.out, self.output, self.request)
            yield

    def marker(self, name: str) -> ShardMarker | None:
        """The marker of a task that is complete; None for one that is not."""
        return complete(self.out, paths.marker(name), ShardMarker, self.request.run_key)

    def run(self, make: Callable[[T], Made], tasks: Mapping[str, T], workers: int) -> list[ShardMarker]:
        """Does the tasks that are not complete yet; the markers of all of them, in the order of `tasks`.

        `make` writes the files of a task to `out`. It and the tasks travel to worker processes; with one worker, all is
        done in this process. The names of tasks are those of their markers.
        """
        jobs = [_Job(self.out, name, self.request.run_key, make, task) for name, task in tasks.items()]
        return list(do_all(_complete, jobs, workers))

    def close(self, report: R, card: str) -> R:
        """Writes the card, then the report, and removes the work files; returns the report."""
        self.out.write_bytes(paths.CARD, card.encode())
        self.out.write_record(self.output.report, report)
        self.out.remove(paths.WORK)
        return report


def total_counts(markers: Iterable[ShardMarker]) -> Counter[str]:
    """The sums of all counts, in order of names."""
    total: Counter[str] = Counter()
    for marker in markers:
        total.update(marker.counts)
    return Counter(dict(sorted(total.items())))


def all_files(markers: Iterable[ShardMarker]) -> tuple[FileRecord, ...]:
    """The files of all tasks but work files, in order of path."""
    files = (file for marker in markers for file in marker.files if not file.path.startswith(f"{paths.WORK}/"))
    return tuple(sorted(files, key=lambda file: file.path))


@dataclass(frozen=True)
class _Job(Generic[T]):
    """A task with all that is needed to do it once."""

    out: Storage
    name: str
    key: str
    make: Callable[[T], Made]
    task: T


def _complete(job: _Job[T]) -> ShardMarker:
    """Does the task unless it is complete; its marker."""
    path = paths.marker(job.name)
    known = complete(job.out, path, ShardMarker, job.key)
    if known is not None:
        return known
    made = job.make(job.task)
    marker = ShardMarker(key=job.key, files=made.files, counts=dict(sorted(made.counts.items())))
    job.out.write_record(path, marker)
    return marker
