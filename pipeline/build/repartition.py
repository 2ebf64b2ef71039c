"""Partitions anew, where all files that give examples fell into one partition: the same choice, among those files alone.

Which files give examples is known only once they have been split. With many files it makes no difference; with few, the one that
was chosen for validation may have given nothing. The choice is written down before the first shard is written again, so that a
run that breaks off in between makes the same one.
"""

import hashlib
import json
from contextlib import ExitStack

import pyarrow as pa
import pyarrow.parquet as pq

from stackfim.pipeline.build.partition import FileTally, Partitioning, added, choose, file_hashes, tally_files
from stackfim.pipeline.build.run_context import RunContext
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.counts import BrokenPromise
from stackfim.pipeline.folder.markers import SplitMarker
from stackfim.pipeline.folder.parquet_shard import ParquetShard, parquet_shard
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.record import FileRecord, Record

_BATCH_ROWS = 1_000
_FILE = ["repository", "path", "source_id"]


class _Choice(Record):
    """What the run chose when it partitioned anew."""

    key: str
    """Of the shards that it was chosen for."""
    partitioning: Partitioning


def fill_partitions(context: RunContext) -> None:
    """Partitions the examples of complete shards anew if one partition is empty; the markers say what came of it."""
    storage = context.storage
    markers = [_marker(storage, shard) for shard in range(context.shard_count)]
    key = hashlib.sha256(json.dumps([marker.key for marker in markers]).encode()).hexdigest()
    chosen = storage.read_record(paths.PARTITIONING, _Choice)
    if chosen is None or chosen.key != key:
        rows = [sum(marker.rows[name] for marker in markers) for name in paths.PARTITIONS]
        if context.validation_share <= 0 or all(rows) or not any(rows):
            return
        tally = added(_tally(storage, marker) for marker in markers)
        chosen = _Choice(key=key, partitioning=choose(tally, context.validation_share))
        storage.write_record(paths.PARTITIONING, chosen)
    for shard, marker in enumerate(markers):
        _partition(context, shard, marker, chosen.partitioning)


def _marker(storage: Storage, shard: int) -> SplitMarker:
    marker = storage.read_record(paths.split_marker(shard), SplitMarker)
    if marker is None:
        raise BrokenPromise(f"shard {shard} has no marker although the run ended")
    return marker


def _examples(marker: SplitMarker) -> list[FileRecord]:
    """The files of examples of a shard. Others may be there that a run left when it broke off."""
    return [file for file in marker.files if file.path.startswith(f"{paths.DATA}/")]


def _tally(storage: Storage, marker: SplitMarker) -> FileTally:
    """How many files of a shard gave examples."""
    files: dict[tuple[str, ...], None] = {}
    for record in _examples(marker):
        with storage.open(record.path) as stream:
            for batch in pq.ParquetFile(stream).iter_batches(_BATCH_ROWS, columns=_FILE):
                files.update(dict.fromkeys(zip(*(batch.column(name).to_pylist() for name in _FILE), strict=True)))
    repositories, source_ids = ([file[place] for file in files] for place in (0, 2))
    return tally_files(file_hashes(pa.array(repositories, pa.string()), pa.array(source_ids, pa.string())))


def _partition(context: RunContext, shard: int, marker: SplitMarker, partitioning: Partitioning) -> None:
    """Writes the examples of a shard again, each into its partition."""
    storage = context.storage
    with ExitStack() as stack:
        written: dict[str, ParquetShard] = {
            name: stack.enter_context(
                parquet_shard(
                    storage, paths.data(name, shard, context.shard_count), context.example_schema, keep_empty=False
                )
            )
            for name in paths.PARTITIONS
        }
        for record in _examples(marker):
            for batch in pq.ParquetFile(stack.enter_context(storage.open(record.path))).iter_batches(_BATCH_ROWS):
                batch = batch.cast(context.example_schema)
                is_validation = partitioning.in_validation(batch)
                written[paths.VALIDATION].add(batch.filter(pa.array(is_validation)))
                written[paths.TRAIN].add(batch.filter(pa.array(~is_validation)))
    others = [file for file in marker.files if file not in _examples(marker)]
    changed = {
        "files": (*(part.record for part in written.values() if not part.is_discarded), *others),
        "rows": {name: part.rows for name, part in written.items()},
        "partitioned_by": partitioning.rule,
    }
    storage.write_record(paths.split_marker(shard), SplitMarker(**(dict(marker) | changed)))
