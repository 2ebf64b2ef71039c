"""Batches committed as files, shard by shard.

A shard's batches come in order, since reading and writing are one fused stage; a writer that sees another order fails
rather than write half a shard. A shard is complete when its marker is there, and the marker's key says for what.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import apache_beam as beam
import numpy as np
import pyarrow as pa

from stackfim.pipeline.build.shard_keys import RunContext, filtered_key, repository_hash, split_key
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.counts import example_counts, rejected_counts
from stackfim.pipeline.folder.markers import FilteredMarker, SplitMarker
from stackfim.pipeline.folder.parquet_shard import parquet_shard
from stackfim.pipeline.local.tally import process_tally
from stackfim.pipeline.local.workers import watch_launcher
from stackfim.schemas.fingerprint import SIGNATURE
from stackfim.schemas.rejection import REJECTION
from stackfim.schemas.source import ROW
from stackfim.transforms.filters.filter_list import FILTER_SCORE
from stackfim.transforms.shard_batch import ShardBatch


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
    """Writes the scores of batches, and gives the batches on as they are."""

    def process(self, element: tuple[ShardBatch, pa.RecordBatch]) -> Iterator[ShardBatch]:
        """The shard's file is complete before its last batch goes on."""
        batch, scores = element
        if self._expect(batch):
            self._stack = ExitStack()
            path = paths.filter_scores(batch.shard, self._context.shards)
            self._scores = self._stack.enter_context(parquet_shard(self._context.storage, path, FILTER_SCORE))
        self._scores.add(scores)
        if batch.last:
            self._stack.close()
        yield batch


class WriteSurvivors(_ShardWriter):
    """Writes what passed the filters, with its signatures, and what did not; gives (shard, fingerprints) when a shard is complete."""

    def __init__(self, context: RunContext, locators: dict[int, str]) -> None:
        super().__init__(context)
        self._locators = locators

    def process(self, batch: ShardBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Commits the shard with its last batch."""
        storage, shard = self._context.storage, batch.shard
        if self._expect(batch):
            self._stack = ExitStack()
            self._rows = self._stack.enter_context(
                parquet_shard(storage, paths.survivors(shard), ROW, group_by_batch=True, compression="lz4")
            )
            self._rejections = self._stack.enter_context(
                parquet_shard(storage, paths.rejections("filtered", shard, self._context.shards), REJECTION)
            )
            self._signatures = self._stack.enter_context(
                parquet_shard(storage, paths.signatures(shard), SIGNATURE, compression="none")
            )
            self._counts: Counter[str] = Counter()
            self._unsupported: Counter[str] = Counter()
        self._rows.add(batch.rows.select(ROW.names))
        if self._context.dedup is not None:
            self._signatures.add(batch.rows.select(SIGNATURE.names))
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
            files = [part.record for part in (self._rows, self._signatures, self._rejections)]
            if self._context.filter_scores:
                files.append(storage.record(paths.filter_scores(shard, self._context.shards)))
            marker = FilteredMarker(
                key=filtered_key(self._context, self._locators[shard]),
                survivors=self._rows.record.sha256,
                files=tuple(files),
                counts=dict(sorted(self._counts.items())),
                unsupported_languages=dict(sorted(self._unsupported.items())),
            )
            storage.write_record(paths.filtered_marker(shard), marker)
            process_tally(self._context.progress_folder).add({"shards_filtered": 1}, flush=True)
            yield shard, self._context.files.named(shard)


class WriteExamples(_ShardWriter):
    """Writes a shard's examples, one file for each partition, and its rejections; gives the shard's index when it is complete."""

    def process(self, batch: ShardBatch, lowest: int) -> Iterator[int]:
        """Commits the shard with its last batch."""
        context, shard = self._context, batch.shard
        storage = context.storage
        if self._expect(batch):
            self._stack = ExitStack()
            self._partitions = {
                partition: self._stack.enter_context(
                    parquet_shard(storage, paths.data(partition, shard, context.shards), context.example_schema)
                )
                for partition in paths.PARTITIONS
            }
            self._rejections = self._stack.enter_context(
                parquet_shard(storage, paths.rejections("split", shard, context.shards), REJECTION)
            )
            self._counts: Counter[str] = Counter()
        in_validation = _in_validation(batch.rows.column("repository").to_pylist(), context.validation_share, lowest)
        self._partitions[paths.VALIDATION].add(batch.rows.filter(in_validation))
        self._partitions[paths.TRAIN].add(batch.rows.filter(pa.array(~np.array(in_validation, bool))))
        self._rejections.add(batch.rejections)
        rejected = rejected_counts(batch.rejections)
        self._counts.update(batch.counts)
        self._counts.update({"examples": batch.rows.num_rows} | rejected)
        self._counts.update(example_counts(batch.rows))
        process_tally(context.progress_folder).add({"examples": batch.rows.num_rows} | rejected, flush=batch.last)
        if batch.last:
            self._stack.close()
            files = [part.record for part in (*self._partitions.values(), self._rejections)]
            before = [paths.removals(shard, context.shards)]
            before += [paths.fingerprints(shard, context.shards)] if context.dedup is not None else []
            files += [storage.record(path) for path in before]
            marker = SplitMarker(
                key=split_key(context, shard, lowest),
                files=tuple(files),
                rows={name: part.rows for name, part in self._partitions.items()},
                counts=dict(sorted(self._counts.items())),
            )
            storage.write_record(paths.split_marker(shard), marker)
            process_tally(context.progress_folder).add({"shards_split": 1}, flush=True)
            yield shard


def _in_validation(repositories: list[str], share: float, lowest: int) -> pa.BooleanArray:
    """Which rows are in the validation partition: by a hash of the repository alone, the lowest hash always among them."""
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
