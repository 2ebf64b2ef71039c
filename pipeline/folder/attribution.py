"""ATTRIBUTION.parquet: the repositories that the examples of a folder were made from, added up from its shards.

Memory is bounded: the files of one shard and some hundred thousand repositories are held. When there are more, they are
sorted and put aside in a work folder, to be merged at the end.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.parquet_shard import parquet_shard
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.attribution import ATTRIBUTION
from stackfim.schemas.record import FileRecord

MAX_HELD = 200_000
"""Repositories that are held in memory."""
_BATCH_ROWS = 10_000
_COLUMNS = ["repository", "revision", "licenses", "path", "content_id"]


class Origin(NamedTuple):
    """A repository as rows name it; the file has them in this order."""

    repository: str
    revision: str
    licenses: tuple[str, ...]


class Use(NamedTuple):
    """How many files and rows were made from an origin."""

    origin: Origin
    files: int
    rows: int


def uses_of(storage: Storage, shards: Iterable[str], scratch: Storage, max_held: int = MAX_HELD) -> Iterator[Use]:
    """The uses of all origins of the example shards `shards`, in order; those beyond `max_held` are put aside in `scratch`."""
    files: Counter[Origin] = Counter()
    rows: Counter[Origin] = Counter()
    runs: list[str] = []
    for path in shards:
        seen: set[tuple[Origin, str, str]] = set()
        for origin, file_path, content_id in _sources(storage, path):
            rows[origin] += 1
            seen.add((origin, file_path, content_id))
        # All examples of a file are in one shard, so files of different shards are different files.
        files.update(origin for origin, _, _ in seen)
        if len(rows) > max_held:
            runs.append(f"{paths.WORK}/attribution/{len(runs):05d}.parquet")
            _write(scratch, runs[-1], _sorted_uses(files, rows), lambda _: None)
            files.clear()
            rows.clear()
    with ExitStack() as stack:
        stored = [_read(stack, scratch, run) for run in runs]
        merged = heapq.merge(*stored, _sorted_uses(files, rows), key=lambda use: use.origin)
        for origin, same in itertools.groupby(merged, key=lambda use: use.origin):
            parts = list(same)
            yield Use(origin, sum(part.files for part in parts), sum(part.rows for part in parts))


def write_attribution(
    storage: Storage, shards: Iterable[str], url_of: Callable[[str], str | None], max_held: int = MAX_HELD
) -> FileRecord:
    """Writes the file for the example shards `shards`; `url_of` knows the address of a repository, or None."""
    record = _write(storage, paths.ATTRIBUTION, uses_of(storage, shards, storage, max_held), url_of)
    storage.remove(f"{paths.WORK}/attribution")
    return record


def read_attribution(storage: Storage) -> Iterator[Use]:
    """The uses in the file, in order."""
    with ExitStack() as stack:
        yield from _read(stack, storage, paths.ATTRIBUTION)


def repository_urls(source: Mapping[str, Any], pattern: str | None) -> Callable[[str], str | None]:
    """The address of a repository of a source, or None where it is not known.

    `pattern` is an address with `{repository}` in it. Without one, those are known that the source has from the origins of
    git repositories, and those of The Stack: they are GitHub's.
    """
    known: Mapping[str, str] = source.get("repositories") or {}
    if pattern is None and str(source.get("dataset", "")).startswith("bigcode/the-stack"):
        pattern = "https://github.com/{repository}"
    return lambda repository: (
        pattern.replace("{repository}", repository) if pattern is not None else known.get(repository)
    )


def _sources(storage: Storage, path: str) -> Iterator[tuple[Origin, str, str]]:
    """Origin, path and content id of every example of a shard."""
    with storage.open(path) as stream:
        for batch in pq.ParquetFile(stream).iter_batches(_BATCH_ROWS, columns=_COLUMNS):
            columns = (batch.column(name).to_pylist() for name in _COLUMNS)
            for repository, revision, licenses, file_path, content_id in zip(*columns, strict=True):
                yield Origin(repository, revision, tuple(licenses)), file_path, content_id


def _sorted_uses(files: Counter[Origin], rows: Counter[Origin]) -> Iterator[Use]:
    return (Use(origin, files[origin], rows[origin]) for origin in sorted(rows))


def _write(storage: Storage, path: str, uses: Iterable[Use], url_of: Callable[[str], str | None]) -> FileRecord:
    with parquet_shard(storage, path, ATTRIBUTION) as shard:
        pending = iter(uses)
        while part := list(itertools.islice(pending, _BATCH_ROWS)):
            columns = [
                [use.origin.repository for use in part],
                [use.origin.revision for use in part],
                [url_of(use.origin.repository) for use in part],
                [list(use.origin.licenses) for use in part],
                [use.files for use in part],
                [use.rows for use in part],
            ]
            arrays = [pa.array(values, field.type) for values, field in zip(columns, ATTRIBUTION, strict=True)]
            shard.add(pa.RecordBatch.from_arrays(arrays, schema=ATTRIBUTION))
    return shard.record


def _read(stack: ExitStack, storage: Storage, path: str) -> Iterator[Use]:
    stream = stack.enter_context(storage.open(path))
    for batch in pq.ParquetFile(stream).iter_batches(_BATCH_ROWS):
        names = ("repository", "revision", "licenses", "files", "rows")
        for repository, revision, licenses, files, rows in zip(
            *(batch.column(name).to_pylist() for name in names), strict=True
        ):
            yield Use(Origin(repository, revision, tuple(licenses)), files, rows)
