"""Shards into batches: source rows for pass A, survivors for pass B, fingerprints of what the run is compared with."""

from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stackfim.pipeline.build.shard_keys import RunContext, split_key
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.fingerprints import ReferenceFile, write_reference
from stackfim.pipeline.folder.markers import SplitMarker, complete
from stackfim.pipeline.folder.parquet_shard import parquet_shard
from stackfim.pipeline.local.tally import process_tally
from stackfim.pipeline.local.workers import watch_launcher
from stackfim.pipeline.sources import Source
from stackfim.schemas.fingerprint import REFERENCE, SIGNATURE
from stackfim.schemas.rejection import no_rejections
from stackfim.schemas.removal import REMOVAL
from stackfim.schemas.source import ROW
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.shard_batch import ShardBatch

SPLIT_BYTES = 1 << 20
"""Content that is split at a time."""

ShardTask = tuple[int, int, str]
"""Index of a shard, number of shards, locator."""


class ReadShards(beam.DoFn):
    """Shard tasks to batches of source rows (ShardBatch)."""

    def __init__(self, source: Source, context: RunContext) -> None:
        self._source = source
        self._context = context

    def setup(self) -> None:
        watch_launcher()

    def process(self, task: ShardTask) -> Iterator[ShardBatch]:
        """All batches of one shard, the last one marked."""
        shard, _, locator = task
        tally = process_tally(self._context.progress_folder)
        held: ShardBatch | None = None
        for sequence, (rows, rejections) in enumerate(self._source.read(locator)):
            if held is not None:
                yield held
            tally.add({"rows_read": rows.num_rows + rejections.num_rows, "bytes_read": rows.column("content").nbytes})
            held = ShardBatch(shard, sequence, False, rows, rejections)
        last = held or ShardBatch(shard, 0, True, pa.RecordBatch.from_pylist([], schema=ROW), no_rejections())
        yield ShardBatch(shard, last.sequence, True, last.rows, last.rejections)


class FingerprintReferences(beam.DoFn):
    """Reference shards to (shard, FINGERPRINT); makes the file of those that are rows still."""

    def __init__(self, context: RunContext, sources: dict[str, Source]) -> None:
        self._context = context
        self._sources = sources

    def process(self, task: tuple[int, ReferenceFile]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """One shard. A file that is there was renamed when it was complete."""
        shard, file = task
        if file.locator is not None and not file.storage.exists(file.path):
            rows = [batch.rows for batch in self._sources[file.path].read(file.locator)]
            write_reference(file.storage, file.path, rows, self._context.dedup or DedupSettings())
        yield shard, self._context.files.named(shard)


@dataclass(frozen=True)
class ShardDecision:
    """What deduplication says of a shard."""

    shard: int
    removals: pa.RecordBatch
    """stackfim.transforms.dedup.exact.LOCATED_REMOVAL, in order of rows."""
    lowest_repository_hash: int
    """Of the rows that stay; HIGHEST_HASH where none does."""


class ReadSurvivors(beam.DoFn):
    """Decisions to batches of the rows that stay (ShardBatch); a shard that is complete already gives nothing."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    def setup(self) -> None:
        watch_launcher()

    def process(self, decision: ShardDecision, lowest: int) -> Iterator[ShardBatch]:
        """The batches of one shard; writes its removals on the way."""
        context, shard = self._context, decision.shard
        storage = context.storage
        removed = decision.removals.column("row").to_numpy()
        tally = process_tally(context.progress_folder)
        with parquet_shard(storage, paths.removals(shard, context.shards), REMOVAL) as removals:
            removals.add(decision.removals.select(REMOVAL.names))
        marker = complete(storage, paths.split_marker(shard), SplitMarker, split_key(context, shard, lowest))
        if marker is not None:
            tally.add({"shards_split": 1, "examples": marker.counts.get("examples", 0)}, flush=True)
            return
        if context.dedup is not None:
            self._write_fingerprints(shard, removed)
        methods = decision.removals.column("method").to_pylist()
        header = {"removed": len(removed)} | {
            f"removed:{method}": methods.count(method) for method in sorted(set(methods))
        }
        empty = pa.RecordBatch.from_pylist([], schema=ROW)
        with storage.open(paths.survivors(shard)) as stream:
            file = pq.ParquetFile(stream)
            offset = sequence = 0
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group).combine_chunks().to_batches()[0]
                keep = np.ones(rows.num_rows, bool)
                keep[removed[(removed >= offset) & (removed < offset + rows.num_rows)] - offset] = False
                offset += rows.num_rows
                tally.add({"rows_split": rows.num_rows - int(keep.sum())})
                for part in _small_parts(rows.filter(pa.array(keep))):
                    yield ShardBatch(shard, sequence, False, part, no_rejections(), header)
                    header, sequence = {}, sequence + 1
                    tally.add({"rows_split": part.num_rows})
        yield ShardBatch(shard, sequence, True, empty, no_rejections(), header)

    def _write_fingerprints(self, shard: int, removed: np.ndarray) -> None:
        """Fingerprints of the files of a shard that stay, for later runs."""
        context = self._context
        assert context.dedup is not None
        named = context.files.named(shard)
        stays = pa.array(np.setdiff1d(np.arange(named.num_rows), removed))
        rows = named.take(stays)
        found = context.files.signatures(shard, stays, ["language", *SIGNATURE.names])
        columns = [rows.column(name) if name in rows.schema.names else found.column(name) for name in REFERENCE.names]
        batch = pa.RecordBatch.from_arrays(columns, names=REFERENCE.names)
        write_reference(context.storage, paths.fingerprints(shard, context.shards), [batch], context.dedup)


def _small_parts(rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch in parts of about SPLIT_BYTES of content: a file may become eight examples with their contexts."""
    ends = np.cumsum(pc.binary_length(rows.column("content")).to_numpy(zero_copy_only=False))
    start = 0
    while start < rows.num_rows:
        limit = (ends[start - 1] if start else 0) + SPLIT_BYTES
        stop = max(int(np.searchsorted(ends, limit, "right")), start + 1)
        yield rows.slice(start, stop - start)
        start = stop
