"""What `stackfim verify` checks of a folder as a whole: its files against their checksums, its counts against its rows."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.attribution import read_attribution, uses_of
from stackfim.pipeline.folder.counts import EXAMPLE_COUNTS, PARTITION, example_counts, rejected_counts
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.inspect.promises import recorded_key
from stackfim.schemas.derived import MixtureReport, RenderingReport, ScoringReport
from stackfim.schemas.manifest import Manifest
from stackfim.schemas.mixed import CHAT, FIM
from stackfim.schemas.record import Report

FOLDER_INVARIANTS = ("checksum", "run_key", "counts", "attribution")
UNREADABLE = (pa.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError)
"""Errors of reading a parquet file that was spoiled, lacks a column, or has values of other types."""
_BATCH_ROWS = 10_000
_FILE = ("repository", "path", "content_id")
_FOLDERS = (paths.DATA, paths.REJECTIONS, paths.REMOVALS, paths.FINGERPRINTS, paths.FILTER_SCORES)

Wrong = tuple[str, str, str]
"""Where, which invariant, and what is wrong."""


def folder_problems(storage: Storage, report: Report) -> Iterator[Wrong]:
    """Where a folder is not what its report says."""
    yield from _checksums(storage, report)
    key = recorded_key(report)
    if key is not None and key != report.run_key:
        yield report.run_key, "run_key", f"by input, settings and version that the folder records it is {key}"
    try:
        found = _recounted(storage, report)
    except UNREADABLE as error:
        yield paths.DATA, "counts", f"the rows cannot be counted: {error}"
        return
    stated = _stated(report)
    for name in sorted(set(found) | {name for name in stated if name.partition(":")[0] in _PREFIXES[type(report)]}):
        if found.get(name, 0) != stated.get(name, 0):
            yield name, "counts", f"the folder says {stated.get(name, 0)}, by its rows it is {found.get(name, 0)}"


def _checksums(storage: Storage, report: Report) -> Iterator[Wrong]:
    for file in report.files:
        if not storage.exists(file.path):
            yield file.path, "checksum", "the folder's report names this file, but it is not there"
        elif storage.sha256(file.path) != file.sha256:
            yield file.path, "checksum", f"the bytes are not those that were written ({file.sha256})"
    listed = {file.path for file in report.files}
    for path in (*storage.files(paths.ATTRIBUTION), *itertools.chain.from_iterable(map(storage.files, _FOLDERS))):
        if path not in listed and not paths.is_temporary(path):
            yield path, "checksum", "the folder's report does not name this file"


def attribution_problems(storage: Storage, shards: list[str]) -> Iterator[Wrong]:
    """Where ATTRIBUTION.parquet and the rows differ: one for each repository, revision and set of licenses."""
    if not storage.exists(paths.ATTRIBUTION):
        yield paths.ATTRIBUTION, "attribution", "the file is not there"
        return
    try:
        with TemporaryDirectory() as scratch:
            found = uses_of(storage, shards, Storage(scratch))
            both = heapq.merge(
                ((use, "the rows") for use in found),
                ((use, "the file") for use in read_attribution(storage)),
                key=lambda pair: pair[0].origin,
            )
            for origin, pairs in itertools.groupby(both, key=lambda pair: pair[0].origin):
                uses = list(pairs)
                if len(uses) != 2 or uses[0][0] != uses[1][0] or uses[0][1] == uses[1][1]:
                    counted = ", ".join(f"{where} {use.files} files and {use.rows} rows" for use, where in uses)
                    yield origin.repository, "attribution", f"revision {origin.revision or 'unknown'}: {counted}"
    except UNREADABLE as error:
        yield paths.ATTRIBUTION, "attribution", f"the file or the rows cannot be read: {error}"


_PREFIXES: Mapping[type[Report], tuple[str, ...]] = {
    Manifest: ("rejected", "removed", "category", "kind", "language", "stop_reason", "verdict", PARTITION),
    ScoringReport: ("verdict", "rejected", PARTITION),
    RenderingReport: ("layout", "rejected", PARTITION),
    MixtureReport: ("rejected",),
}
"""Beginnings of the counts that follow from the rows of a folder; others do not."""


def _stated(report: Report) -> dict[str, int]:
    """The counts of a report under the names of `_recounted`."""
    if isinstance(report, Manifest):
        rejected = {f"rejected:{name}": count for name, count in report.rejected.items()}
        removed = {f"removed:{name}": count for name, count in report.removed.items()}
        return report.counts | report.examples | rejected | removed
    if isinstance(report, MixtureReport):
        return report.counts | {f"tokens:{name}": count for name, count in report.train_tokens.items()}
    if isinstance(report, RenderingReport) and report.pack_tokens is not None:
        return {name: count for name, count in report.counts.items() if not name.startswith("layout:")}
    return dict(report.counts) if isinstance(report, RenderingReport | ScoringReport) else {}


def _recounted(storage: Storage, report: Report) -> Counter[str]:
    """The counts that follow from the rows."""
    if isinstance(report, Manifest):
        return _of_run(storage)
    if isinstance(report, ScoringReport):
        return _of_scoring(storage)
    if isinstance(report, RenderingReport):
        return _of_rendering(storage, report.pack_tokens, has_layouts=report.pack_tokens is None)
    return _of_mixture(storage)


def _of_run(storage: Storage) -> Counter[str]:
    counts = _examples(storage) + _rejected(storage)
    for path in storage.files(paths.REMOVALS):
        for batch in _batches(storage, path, ["method"]):
            counts["files_removed"] += batch.num_rows
            counts.update(f"removed:{method}" for method in batch.column("method").to_pylist())
    counts["files_rejected"] = sum(count for name, count in counts.items() if name.startswith("rejected:file:"))
    counts["examples_rejected"] = sum(count for name, count in counts.items() if name.startswith("rejected:example:"))
    counts["files_in"] = counts["files_rejected"] + counts["files_removed"] + counts["files_with_examples"]
    return counts


def _of_scoring(storage: Storage) -> Counter[str]:
    counts, rejected = _examples(storage), _rejected(storage)
    kept = ("examples", "files_with_examples", "verdict", PARTITION)
    counts = Counter({name: count for name, count in counts.items() if name.partition(":")[0] in kept})
    for name, count in rejected.items():
        _, unit, _, reason = name.split(":", 3)
        counts[f"rejected:example:{reason}" if unit == "example" else "files_rejected"] += count
    dropped = sum(count for name, count in counts.items() if name.startswith("rejected:example:"))
    counts["examples_in"] = counts["examples"] + dropped
    counts["files_in"] = counts["files_with_examples"] + counts["files_rejected"]
    return counts


def _of_rendering(storage: Storage, pack_tokens: int | None, *, has_layouts: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    for path in storage.files(paths.DATA):
        for batch in _batches(storage, path, ["layout"] if has_layouts else ["seq_lengths", "example_ids"]):
            counts.update({"rows": batch.num_rows, f"{PARTITION}:{paths.partition_of(path)}": batch.num_rows})
            if has_layouts:
                counts["examples"] += batch.num_rows
                counts.update(f"layout:{layout}" for layout in batch.column("layout").to_pylist())
            else:
                for lengths, examples in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    counts["examples"] += len(examples)
                    counts["padding_tokens"] -= sum(lengths[: len(examples)])
    if pack_tokens is not None:
        counts["tokens"] = counts["rows"] * pack_tokens
        counts["padding_tokens"] += counts["tokens"]
    reasons = _reasons(storage)
    counts["examples"] += reasons.total()
    return counts + Counter({f"rejected:{reason}": count for reason, count in reasons.items()})


def _of_mixture(storage: Storage) -> Counter[str]:
    counts: Counter[str] = Counter({f"rejected:{reason}": count for reason, count in _reasons(storage).items()})
    for path in storage.files(paths.DATA):
        for batch in _batches(storage, path, ["source", "tokens"]):
            if paths.partition_of(path) == paths.VALIDATION:
                counts["validation_rows"] += batch.num_rows
                continue
            for source, tokens in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                counts[f"tokens:{source}"] += tokens
                counts[{FIM: "fim_rows", CHAT: "chat_taken"}.get(source, f"rows of {source}")] += 1
    return counts


def _examples(storage: Storage) -> Counter[str]:
    """Examples and their files; all examples of a file are in one data file."""
    counts: Counter[str] = Counter()
    for path in storage.files(paths.DATA):
        files: set[tuple[str, ...]] = set()
        for batch in _batches(storage, path, (*EXAMPLE_COUNTS, *_FILE)):
            found = example_counts(batch)
            del found["files_with_examples"]  # their examples may lie in two batches
            counts.update(found)
            counts.update({"examples": batch.num_rows, f"{PARTITION}:{paths.partition_of(path)}": batch.num_rows})
            files.update(zip(*(batch.column(name).to_pylist() for name in _FILE), strict=True))
        counts["files_with_examples"] += len(files)
    return counts


def _rejected(storage: Storage) -> Counter[str]:
    counts: Counter[str] = Counter()
    for path in storage.files(paths.REJECTIONS):
        for batch in _batches(storage, path, ["unit", "stage", "reason"]):
            counts.update(rejected_counts(batch))
    return counts


def _reasons(storage: Storage) -> Counter[str]:
    """Rejections by reason alone."""
    counts: Counter[str] = Counter()
    for name, count in _rejected(storage).items():
        counts[name.split(":", 3)[3]] += count
    return counts


def _batches(storage: Storage, path: str, columns: Iterable[str]) -> Iterator[pa.RecordBatch]:
    """The columns of a file that it has, in batches."""
    with storage.open(path) as stream:
        file = pq.ParquetFile(stream)
        there = file.schema_arrow.names
        yield from file.iter_batches(_BATCH_ROWS, columns=[name for name in columns if name in there])
