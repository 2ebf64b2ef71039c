"""Markers in `work/done/`: which parts of a folder are complete, what for, and what they count."""

from typing import TypeVar

from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.manifest import PartitionRule
from stackfim.schemas.record import Counts, FileRecord, Record, RecordMismatch


class ShardMarker(Record):
    """Says that the files of a shard are complete."""

    key: str
    """What they were made for: 64 hex digits of a hash."""
    files: tuple[FileRecord, ...]
    """The files."""
    counts: Counts
    """Rows by name."""


class FilteredMarker(ShardMarker):
    """Says that the first pass of a run is complete for a shard."""

    survivors: str
    """SHA-256 of the file of rows that passed the filters, 64 hex digits."""
    unsupported_languages: Counts
    """Files of languages without a grammar, by language."""


class SplitMarker(ShardMarker):
    """Says that the second pass of a run is complete for a shard."""

    rows: Counts
    """Examples by partition."""
    partitioned_by: PartitionRule
    """What is in one partition as a whole."""


M = TypeVar("M", bound=ShardMarker)


def complete(storage: Storage, path: str, kind: type[M], key: str) -> M | None:
    """The marker at `path`, if it was written for `key` and its files are there in full; None otherwise."""
    try:
        marker = storage.read_record(path, kind)
    except RecordMismatch:  # of another version, whose keys are others too
        return None
    if marker is None or marker.key != key or storage.missing(marker.files):
        return None
    return marker
