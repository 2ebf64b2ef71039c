"""Batches committed as files, shard by shard. A shard is complete when its marker is there, whose key says for what."""

from collections.abc import Iterator

import pyarrow as pa

from stackfim.pipeline.build.partition import Partitioning
from stackfim.pipeline.build.run_context import RunContext
from stackfim.pipeline.build.shard_keys import filtered_key, split_key
from stackfim.pipeline.build.shard_writer import ShardFile, ShardWriter
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.counts import example_counts, rejected_counts
from stackfim.pipeline.folder.markers import FilteredMarker, SplitMarker
from stackfim.pipeline.local.tally import process_tally
from stackfim.schemas.fingerprint import SIGNATURE
from stackfim.schemas.rejection import REJECTION
from stackfim.schemas.source import ROW
from stackfim.transforms.filters.filter_list import FILTER_SCORE
from stackfim.transforms.filters.language import UNSUPPORTED
from stackfim.transforms.shard_batch import ShardBatch


class WriteScores(ShardWriter):
    """Writes the scores of batches, and gives the batches on as they are."""

    def files_of(self, shard: int) -> dict[str, ShardFile]:
        """One file of scores."""
        return {"scores": ShardFile(paths.filter_scores(shard, self._context.shard_count), FILTER_SCORE)}

    def process(self, element: tuple[ShardBatch, pa.RecordBatch]) -> Iterator[ShardBatch]:
        """The shard's file is complete before its last batch goes on."""
        batch, scores = element
        self._receive(batch)
        self._files["scores"].add(scores)
        if batch.last:
            self._close()
        yield batch


class WriteSurvivors(ShardWriter):
    """Writes what passed the filters, with its signatures, and what did not.

    Gives (shard, fingerprints) when a shard is complete.
    """

    def __init__(self, context: RunContext, locators: dict[int, str]) -> None:
        """`locators` say where the rows of each shard are."""
        super().__init__(context)
        self._locators = locators

    def files_of(self, shard: int) -> dict[str, ShardFile]:
        """Rows, rejections and signatures."""
        return {
            "rows": ShardFile(paths.survivors(shard), ROW, group_by_batch=True, compression="lz4"),
            "signatures": ShardFile(paths.signatures(shard), SIGNATURE, compression="none"),
            "rejections": ShardFile(paths.rejections("filtered", shard, self._context.shard_count), REJECTION),
        }

    def process(self, batch: ShardBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Commits the shard with its last batch."""
        self._receive(batch)
        self._files["rows"].add(batch.rows.select(ROW.names))
        if self._context.dedup is not None:
            self._files["signatures"].add(batch.rows.select(SIGNATURE.names))
        self._files["rejections"].add(batch.rejections)
        survivors, rejected = batch.rows.num_rows, rejected_counts(batch.rejections)
        self._counts.update({"rows_in": survivors + batch.rejections.num_rows, "survivors": survivors} | rejected)
        self._counts.update(batch.counts)
        tally = process_tally(self._context.progress_folder)
        tally.add({"survivors": survivors} | rejected, flush=batch.last)
        if batch.last:
            self._close()
            self._commit(batch.shard)
            tally.add({"shards_filtered": 1}, flush=True)
            yield batch.shard, self._context.fingerprints.named(batch.shard)

    def _commit(self, shard: int) -> None:
        context = self._context
        files = [part.record for part in self._files.values()]
        if context.filter_scores:
            files.append(context.storage.record(paths.filter_scores(shard, context.shard_count)))
        counts = dict(sorted(self._counts.items()))
        unsupported = {name: count for name, count in counts.items() if name.startswith(UNSUPPORTED)}
        marker = FilteredMarker(
            key=filtered_key(context, self._locators[shard]),
            survivors=self._files["rows"].record.sha256,
            files=tuple(files),
            counts={name: count for name, count in counts.items() if name not in unsupported},
            unsupported_languages={name.removeprefix(UNSUPPORTED): count for name, count in unsupported.items()},
        )
        context.storage.write_record(paths.filtered_marker(shard), marker)


class WriteExamples(ShardWriter):
    """Writes a shard's examples, one file for each partition, and its rejections; gives the shard when it is complete."""

    def files_of(self, shard: int) -> dict[str, ShardFile]:
        """Examples by partition, and rejections."""
        count, schema = self._context.shard_count, self._context.example_schema
        return {
            partition: ShardFile(paths.data(partition, shard, count), schema, keep_empty=False)
            for partition in paths.PARTITIONS
        } | {"rejections": ShardFile(paths.rejections("split", shard, count), REJECTION)}

    def process(self, batch: ShardBatch, partitioning: Partitioning) -> Iterator[int]:
        """Commits the shard with its last batch. `partitioning` is that of the run."""
        self._receive(batch)
        is_validation = partitioning.in_validation(batch.rows)
        self._files[paths.VALIDATION].add(batch.rows.filter(pa.array(is_validation)))
        self._files[paths.TRAIN].add(batch.rows.filter(pa.array(~is_validation)))
        self._files["rejections"].add(batch.rejections)
        made = {"examples": batch.rows.num_rows} | rejected_counts(batch.rejections)
        for counts in (batch.counts, made, example_counts(batch.rows)):
            self._counts.update(counts)
        tally = process_tally(self._context.progress_folder)
        tally.add(made, flush=batch.last)
        if batch.last:
            self._close()
            self._commit(batch.shard, partitioning)
            tally.add({"shards_split": 1}, flush=True)
            yield batch.shard

    def _commit(self, shard: int, partitioning: Partitioning) -> None:
        context = self._context
        written_before = [paths.removals(shard, context.shard_count)]
        if context.dedup is not None:
            written_before.append(paths.fingerprints(shard, context.shard_count))
        files = [part.record for part in self._files.values() if not part.is_discarded]
        files += [context.storage.record(path) for path in written_before]
        marker = SplitMarker(
            key=split_key(context, shard, partitioning),
            files=tuple(files),
            rows={name: self._files[name].rows for name in paths.PARTITIONS},
            partitioned_by=partitioning.rule,
            counts=dict(sorted(self._counts.items())),
        )
        context.storage.write_record(paths.split_marker(shard), marker)
