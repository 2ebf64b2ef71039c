"""The two passes at their edges: shards read into batches, batches committed as files.

A shard's batches come in order, since reading and writing are one fused stage; a writer that sees another order fails
rather than write half a shard. A shard is complete when its marker is there, and the marker's key says for what.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import layout
from pipeline.counts import example_counts, rejected_counts
from pipeline.fingerprints import FingerprintFiles, StandingFile, write_standing
from pipeline.parquet_shard import ParquetShard, parquet_shard
from pipeline.sources import Source
from pipeline.storage import FileRecord, Storage, complete
from pipeline.tally import process_tally
from pipeline.workers import watch_launcher
from schemas.example import EXAMPLE
from schemas.filter_score import FILTER_SCORE
from schemas.fingerprint import SIGNATURE, STANDING
from schemas.rejection import REJECTION, no_rejections
from schemas.removal import REMOVAL
from schemas.scored import SCORED
from schemas.source import ROW
from transforms.dedup.near import signature_batch
from transforms.dedup.settings import DedupSettings
from transforms.filters.chain import FilterSettings, relabel
from transforms.filters.scores import quality_scores
from transforms.shard_batch import ShardBatch

SPLIT_BYTES = 1 << 20
"""Content that is split at a time."""

ShardTask = tuple[int, int, str]
"""Index of a shard, number of shards, locator."""


@dataclass(frozen=True)
class RunContext:
    """What every worker needs to know of the run. Plain values: it travels in the graph."""

    storage: Storage
    fingerprint: str
    """Of input, configuration and version: what complete shards must have been made for."""
    shards: int
    validation_share: float
    progress_folder: str | None
    dedup: DedupSettings | None
    files: FingerprintFiles
    filter_scores: bool = False
    """Whether every file's filter scores are written."""
    scored: bool = False
    """Whether a model scores the examples."""

    @property
    def example_schema(self) -> pa.Schema:
        """Columns of the examples that the run writes."""
        return SCORED if self.scored else EXAMPLE


def filtered_key(context: RunContext, locator: str) -> str:
    """What a shard of pass A was made for."""
    return hashlib.sha256(json.dumps([context.fingerprint, locator]).encode()).hexdigest()


def split_key(context: RunContext, shard: int, lowest: int) -> str:
    """What a shard of pass B is made for: its survivors, its removals (written before) and what decides the splits."""
    storage = context.storage
    marker = storage.read_json(layout.filtered_marker(shard)) or {}
    removals = storage.sha256(layout.removals(shard, context.shards))
    parts = [marker.get("key"), marker.get("survivors"), context.shards, lowest, removals]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


HIGHEST_HASH = 2**63 - 1


def repository_hash(repository: str) -> int:
    """63 bits of a repository's name (what Beam's integers hold): they decide its split."""
    return int.from_bytes(hashlib.blake2b(repository.encode("utf-8"), digest_size=8).digest(), "big") >> 1


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


class _ShardWriter(beam.DoFn):
    """Collects the batches of one shard after another; subclasses say which files and what to give out."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._open: tuple[int, int] | None = None

    def setup(self) -> None:
        watch_launcher()

    def _expect(self, batch: ShardBatch) -> bool:
        """Whether `batch` is the first of its shard. Raises RuntimeError when batches are not in order."""
        expected = (batch.shard, 0) if self._open is None else self._open
        if (batch.shard, batch.sequence) != expected:
            raise RuntimeError(
                f"batch {batch.sequence} of shard {batch.shard} came where batch {expected[1]} of shard {expected[0]} "
                "was expected: "
                "the engine did not keep reading and writing in one stage"
            )
        self._open = None if batch.last else (batch.shard, batch.sequence + 1)
        return batch.sequence == 0

    def finish_bundle(self) -> None:
        """A bundle holds whole shards."""
        if self._open is not None:
            raise RuntimeError(f"the bundle ended before batch {self._open[1]} of shard {self._open[0]}")


class WriteScores(_ShardWriter):
    """Writes what the filters measure of every row, and gives the batches on as they are."""

    def __init__(self, context: RunContext, filters: FilterSettings) -> None:
        super().__init__(context)
        self._filters = filters

    def process(self, batch: ShardBatch) -> Iterator[ShardBatch]:
        """The shard's file is complete before its last batch goes on."""
        if self._expect(batch):
            self._stack = ExitStack()
            path = layout.filter_scores(batch.shard, self._context.shards)
            self._scores = self._stack.enter_context(parquet_shard(self._context.storage, path, FILTER_SCORE))
        self._scores.add(quality_scores(relabel(batch.rows, self._filters)[0]))
        if batch.last:
            self._stack.close()
        yield batch


class WriteSurvivors(_ShardWriter):
    """Writes what passed the filters and what did not; gives (shard, fingerprints) when a shard is complete."""

    def __init__(self, context: RunContext, locators: dict[int, str]) -> None:
        super().__init__(context)
        self._locators = locators

    def process(self, batch: ShardBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Commits the shard with its last batch."""
        storage, shard = self._context.storage, batch.shard
        if self._expect(batch):
            self._stack = ExitStack()
            self._rows = self._stack.enter_context(
                parquet_shard(storage, layout.survivors(shard), ROW, group_by_batch=True, compression="lz4")
            )
            self._rejections = self._stack.enter_context(
                parquet_shard(storage, layout.rejections("filtered", shard, self._context.shards), REJECTION)
            )
            self._signatures = self._stack.enter_context(
                parquet_shard(storage, layout.signatures(shard), SIGNATURE, compression="none")
            )
            self._counts: Counter[str] = Counter()
            self._unsupported: Counter[str] = Counter()
        self._rows.add(batch.rows)
        if self._context.dedup is not None:
            made = signature_batch(batch.rows.column("content"), self._context.dedup)
            self._signatures.add(made.select(SIGNATURE.names).cast(SIGNATURE))
        self._rejections.add(batch.rejections)
        rejected = rejected_counts(batch.rejections)
        self._counts.update(
            {"rows_in": batch.rows.num_rows + batch.rejections.num_rows, "survivors": batch.rows.num_rows} | rejected
        )
        self._counts.update(batch.counts)
        self._unsupported.update(_unsupported_languages(batch.rejections))
        process_tally(self._context.progress_folder).add(
            {"survivors": batch.rows.num_rows} | rejected, flush=batch.last
        )
        if batch.last:
            self._stack.close()
            files = [_record(part) for part in (self._rows, self._signatures, self._rejections)]
            if self._context.filter_scores:
                path = layout.filter_scores(shard, self._context.shards)
                files.append(FileRecord(path, storage.size(path) or 0, storage.sha256(path)))
            storage.write_json(
                layout.filtered_marker(shard),
                {
                    "key": filtered_key(self._context, self._locators[shard]),
                    "survivors": _record(self._rows).sha256,
                    "files": [file.as_dict() for file in files],
                    "counts": dict(sorted(self._counts.items())),
                    "unsupported_languages": dict(sorted(self._unsupported.items())),
                },
            )
            process_tally(self._context.progress_folder).add({"shards_filtered": 1}, flush=True)
            yield shard, self._context.files.named(shard)


class FingerprintStanding(beam.DoFn):
    """Standing shards to (shard, FINGERPRINT); makes the file of those that are rows still."""

    def __init__(self, context: RunContext, sources: dict[str, Source]) -> None:
        self._context = context
        self._sources = sources

    def process(self, task: tuple[int, StandingFile]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """One shard. A file that is there was renamed when it was complete."""
        shard, file = task
        if file.locator is not None and not file.storage.exists(file.path):
            rows = [batch.rows for batch in self._sources[file.path].read(file.locator)]
            write_standing(file.storage, file.path, rows, self._context.dedup or DedupSettings())
        yield shard, self._context.files.named(shard)


@dataclass(frozen=True)
class ShardDecision:
    """What deduplication says of a shard."""

    shard: int
    removals: pa.RecordBatch
    """transforms.dedup.exact.LOCATED_REMOVAL, in order of rows."""
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
        with parquet_shard(storage, layout.removals(shard, context.shards), REMOVAL) as removals:
            removals.add(decision.removals.select(REMOVAL.names))
        marker = complete(storage, layout.split_marker(shard), split_key(context, shard, lowest))
        if marker is not None:
            tally.add({"shards_split": 1, "examples": marker["counts"].get("examples", 0)}, flush=True)
            return
        if context.dedup is not None:
            self._write_fingerprints(shard, removed)
        methods = decision.removals.column("method").to_pylist()
        header = {"removed": len(removed)} | {
            f"removed:{method}": methods.count(method) for method in sorted(set(methods))
        }
        empty = pa.RecordBatch.from_pylist([], schema=ROW)
        with storage.open(layout.survivors(shard)) as stream:
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
        columns = [rows.column(name) if name in rows.schema.names else found.column(name) for name in STANDING.names]
        batch = pa.RecordBatch.from_arrays(columns, names=STANDING.names)
        write_standing(context.storage, layout.fingerprints(shard, context.shards), [batch], context.dedup)


def _small_parts(rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch in parts of about SPLIT_BYTES of content: a file may become eight examples with their contexts."""
    ends = np.cumsum(pc.binary_length(rows.column("content")).to_numpy(zero_copy_only=False))
    start = 0
    while start < rows.num_rows:
        limit = (ends[start - 1] if start else 0) + SPLIT_BYTES
        stop = max(int(np.searchsorted(ends, limit, "right")), start + 1)
        yield rows.slice(start, stop - start)
        start = stop


class WriteExamples(_ShardWriter):
    """Writes a shard's examples, one file a split, and its rejections; gives the shard's index when it is complete."""

    def process(self, batch: ShardBatch, lowest: int) -> Iterator[int]:
        """Commits the shard with its last batch."""
        context, shard = self._context, batch.shard
        storage = context.storage
        if self._expect(batch):
            self._stack = ExitStack()
            self._splits = {
                split: self._stack.enter_context(
                    parquet_shard(storage, layout.data(split, shard, context.shards), context.example_schema)
                )
                for split in layout.SPLITS
            }
            self._rejections = self._stack.enter_context(
                parquet_shard(storage, layout.rejections("split", shard, context.shards), REJECTION)
            )
            self._counts: Counter[str] = Counter()
        in_validation = _in_validation(batch.rows.column("repository").to_pylist(), context.validation_share, lowest)
        self._splits[layout.VALIDATION].add(batch.rows.filter(in_validation))
        self._splits[layout.TRAIN].add(batch.rows.filter(pa.array(~np.array(in_validation, bool))))
        self._rejections.add(batch.rejections)
        rejected = rejected_counts(batch.rejections)
        self._counts.update(batch.counts)
        self._counts.update({"examples": batch.rows.num_rows} | rejected)
        self._counts.update(example_counts(batch.rows))
        process_tally(context.progress_folder).add({"examples": batch.rows.num_rows} | rejected, flush=batch.last)
        if batch.last:
            self._stack.close()
            files = [_record(part) for part in (*self._splits.values(), self._rejections)]
            before = [layout.removals(shard, context.shards)]
            before += [layout.fingerprints(shard, context.shards)] if context.dedup is not None else []
            files += [FileRecord(path, storage.size(path) or 0, storage.sha256(path)) for path in before]
            storage.write_json(
                layout.split_marker(shard),
                {
                    "key": split_key(context, shard, lowest),
                    "files": [file.as_dict() for file in files],
                    "rows": {split: part.rows for split, part in self._splits.items()},
                    "counts": dict(sorted(self._counts.items())),
                },
            )
            process_tally(context.progress_folder).add({"shards_split": 1}, flush=True)
            yield shard


def _in_validation(repositories: list[str], share: float, lowest: int) -> pa.BooleanArray:
    """Which rows are in the validation split: by a hash of the repository alone, the lowest hash always among them."""
    hashes = {repository: repository_hash(repository) for repository in dict.fromkeys(repositories)}
    limit = share * 2.0**63
    return pa.array(
        [hashes[repository] < limit or (share > 0 and hashes[repository] == lowest) for repository in repositories],
        pa.bool_(),
    )


def _unsupported_languages(rejections: pa.RecordBatch) -> list[str]:
    """The language of each row that was dropped for want of a grammar."""
    pairs = zip(rejections.column("reason").to_pylist(), rejections.column("detail").to_pylist(), strict=True)
    return [detail.partition(":")[0] for reason, detail in pairs if reason == "language_unsupported"]


def _record(shard: ParquetShard) -> FileRecord:
    assert shard.record is not None
    return shard.record
