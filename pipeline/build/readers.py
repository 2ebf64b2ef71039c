"""Shards into batches: source rows for pass A, survivors for pass B, fingerprints of what the run is compared with."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stackfim.pipeline.build.decisions import ShardDecision
from stackfim.pipeline.build.run_context import RunContext
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.fingerprints import ReferenceFile, write_reference
from stackfim.pipeline.local.tally import process_tally
from stackfim.pipeline.sources import Source, SourceBatch, SourceUnavailable
from stackfim.pipeline.sources.rows import READ, cut_points
from stackfim.schemas.rejection import FILE, no_rejections, rejections
from stackfim.schemas.source import ROW
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.shard_batch import ShardBatch

SPLIT_BYTES = 1 << 20
"""Content that is split at a time: a file may become eight examples with their contexts."""


@dataclass(frozen=True)
class ShardTask:
    """A shard to read."""

    shard: int
    locator: str
    """Where its rows are."""


class ReadShards(beam.DoFn):
    """Shard tasks to batches of source rows (ShardBatch)."""

    def __init__(self, source: Source, progress_folder: str | None, *, skips_bad: bool = False) -> None:
        """Reads from `source`; reports how far it is in `progress_folder`.

        With `skips_bad`, a shard that cannot be read to its end gives a rejection after the rows that could be read.
        """
        self._skips_bad = skips_bad
        self._source = source
        self._progress_folder = progress_folder

    def process(self, task: ShardTask) -> Iterator[ShardBatch]:
        """All batches of one shard, the last one marked."""
        tally = process_tally(self._progress_folder)
        held: ShardBatch | None = None
        for sequence, (rows, dropped) in enumerate(self._batches(task)):
            if held is not None:
                yield held
            tally.add({"rows_read": rows.num_rows + dropped.num_rows, "bytes_read": rows.column("content").nbytes})
            held = ShardBatch(task.shard, sequence, False, rows, dropped)
        last = held or ShardBatch(task.shard, 0, True, _no_rows(), no_rejections())
        yield ShardBatch(task.shard, last.sequence, True, last.rows, last.rejections)

    def _batches(self, task: ShardTask) -> Iterator[SourceBatch]:
        try:
            yield from self._source.read(task.locator)
        except SourceUnavailable as error:
            if not self._skips_bad:
                raise SourceUnavailable(
                    f"shard {task.shard}: {error}; repair or replace it, or leave it out with --on-bad-shard skip"
                ) from error
            yield SourceBatch(_no_rows(), unreadable_shard(task.shard, task.locator, error))


def unreadable_shard(shard: int, locator: str, error: SourceUnavailable) -> pa.RecordBatch:
    """The rejection that stands for the rows of a shard that could not be read."""
    place = json.loads(locator).get("file", "")
    whose = pa.RecordBatch.from_pydict(
        {"repository": [""], "path": [place if isinstance(place, str) else ""], "content_id": [""]}
    )
    return rejections(FILE, READ, ["shard_unreadable"], whose, [f"shard {shard}: {error}"])


class FingerprintReferences(beam.DoFn):
    """Reference shards to (shard, FINGERPRINT); makes the file of those that are still rows of a source."""

    def __init__(self, context: RunContext, sources: dict[str, Source]) -> None:
        """`sources` are those of the files that are to be made, by path."""
        self._context = context
        self._sources = sources

    def process(self, task: tuple[int, ReferenceFile]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """One shard. A file that is there was renamed when it was complete."""
        shard, file = task
        if file.locator is not None and not file.storage.exists(file.path):
            rows = [batch.rows for batch in self._sources[file.path].read(file.locator)]
            write_reference(file.storage, file.path, rows, self._context.dedup or DedupSettings())
        yield shard, self._context.fingerprints.named(shard)


class ReadSurvivors(beam.DoFn):
    """Decisions to batches of the rows that stay (ShardBatch)."""

    def __init__(self, context: RunContext) -> None:
        """For the run of `context`."""
        self._context = context

    def process(self, decision: ShardDecision) -> Iterator[ShardBatch]:
        """The batches of one shard; the first has the counts of its removals, the last is empty."""
        shard = decision.shard
        tally = process_tally(self._context.progress_folder)
        counts = _removal_counts(decision)
        sequence = 0
        for rows, rows_removed in self._row_groups(decision):
            tally.add({"rows_split": rows_removed})
            sizes = pc.binary_length(rows.column("content")).to_numpy(zero_copy_only=False)
            for start, end in pairwise(cut_points(sizes, max_bytes=SPLIT_BYTES)):
                yield ShardBatch(shard, sequence, False, rows.slice(start, end - start), no_rejections(), counts)
                counts, sequence = {}, sequence + 1
                tally.add({"rows_split": end - start})
        yield ShardBatch(shard, sequence, True, _no_rows(), no_rejections(), counts)

    def _row_groups(self, decision: ShardDecision) -> Iterator[tuple[pa.RecordBatch, int]]:
        """The rows of each row group that stay, and how many go."""
        removed, first_row = decision.removed_rows, 0
        with self._context.storage.open(paths.survivors(decision.shard)) as stream:
            file = pq.ParquetFile(stream)
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group).combine_chunks().to_batches()[0]
                keep = np.ones(rows.num_rows, bool)
                keep[removed[(removed >= first_row) & (removed < first_row + rows.num_rows)] - first_row] = False
                first_row += rows.num_rows
                yield rows.filter(pa.array(keep)), rows.num_rows - int(keep.sum())


def _removal_counts(decision: ShardDecision) -> dict[str, int]:
    methods = Counter(decision.removals.column("method").to_pylist())
    return {"removed": methods.total()} | {f"removed:{method}": count for method, count in sorted(methods.items())}


def _no_rows() -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=ROW)
