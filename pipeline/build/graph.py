"""The Beam graph of a run: two passes over the shards, and between them the decision which copies go.

Content stays in the fused stages of the passes; what is shuffled are fingerprints and decisions.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackfim.pipeline.folder.fingerprints import ReferenceFile
from stackfim.pipeline.build.readers import FingerprintReferences, ReadShards, ReadSurvivors, ShardDecision, ShardTask
from stackfim.pipeline.build.shard_keys import HIGHEST_HASH, RunContext, repository_hash
from stackfim.pipeline.build.writers import WriteExamples, WriteScores, WriteSurvivors
from stackfim.pipeline.sources import Source
from stackfim.transforms.dedup.exact import LOCATED_REMOVAL
from stackfim.transforms.dedup.order import REFERENCE_SHARD
from stackfim.transforms.dedup.transform import RemoveDuplicates, SignRows
from stackfim.transforms.filters.chain import FilterSettings
from stackfim.transforms.filters.contamination import BenchmarkIndex
from stackfim.transforms.filters.transform import FilterRows, RedactRows
from stackfim.transforms.score.model_spec import ModelSpec
from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.shard_batch import ShardBatch, single_batch
from stackfim.transforms.split.split_settings import SplitSettings
from stackfim.transforms.split.transform import SplitFiles


@dataclass(frozen=True)
class ScorePlan:
    """How the examples are scored."""

    model: ModelSpec
    settings: ScoreSettings
    threads: int | None
    """Threads of a process on a CPU; None for PyTorch's choice."""
    hints: dict[str, str]
    """Beam resource hints; none for engines that know of none."""


@dataclass(frozen=True)
class Plan:
    """What the graph is built from."""

    source: Source
    context: RunContext
    to_filter: list[ShardTask]
    """Shards whose pass A is to be done, big ones first."""
    filtered: list[int]
    """Shards whose pass A is complete already."""
    filters: FilterSettings
    split: SplitSettings
    version: str
    against: dict[str, Source]
    """Sources of the reference files that are to be made, by path."""
    benchmarks: BenchmarkIndex | None
    pii: str
    score: ScorePlan | None = None


_REPOSITORY_HASHES = pa.schema([pa.field("repository_hash", pa.uint64(), nullable=False)])


def add_to(pipeline: beam.Pipeline, plan: Plan) -> None:
    """Adds the whole run to `pipeline`."""
    context = plan.context
    locators = {shard: locator for shard, _, locator in plan.to_filter}
    read = (
        pipeline
        | "Shards" >> beam.Create(plan.to_filter, reshuffle=False).with_output_types(ShardTask)
        | "Spread shards" >> beam.Reshuffle()
        | "Read" >> beam.ParDo(ReadShards(plan.source, context)).with_output_types(ShardBatch)
    )
    if context.filter_scores:
        read = read | "Write scores" >> beam.ParDo(WriteScores(context, plan.filters)).with_output_types(ShardBatch)
    fresh = (
        read
        | "Filter" >> FilterRows(plan.filters, plan.benchmarks)
        | "Sign" >> SignRows(context.dedup)
        | "Write survivors"
        >> beam.ParDo(WriteSurvivors(context, locators)).with_output_types(tuple[int, pa.RecordBatch])
    )
    known = (
        pipeline
        | "Filtered shards" >> beam.Create(plan.filtered, reshuffle=False).with_output_types(int)
        | "Read fingerprints"
        >> beam.Map(lambda shard: (shard, context.files.named(shard))).with_output_types(tuple[int, pa.RecordBatch])
    )
    fingerprints = (fresh, known) | "All fingerprints" >> beam.Flatten()
    reference = (
        pipeline
        | "Reference shards"
        >> beam.Create(
            [(REFERENCE_SHARD + index, file) for index, file in enumerate(context.files.references)], reshuffle=False
        ).with_output_types(tuple[int, ReferenceFile])
        | "Fingerprint references"
        >> beam.ParDo(FingerprintReferences(context, plan.against)).with_output_types(tuple[int, pa.RecordBatch])
    )
    removals = (
        (fingerprints, reference)
        | "Fingerprints and references" >> beam.Flatten()
        | "Deduplicate"
        >> RemoveDuplicates(
            context.dedup, context.files.for_deduplication(), partitions=max(4, min(1024, context.shards))
        )
    )
    hashes = fingerprints | "Repositories" >> beam.MapTuple(
        lambda shard, batch: (shard, _repository_hashes(batch))
    ).with_output_types(tuple[int, pa.RecordBatch])
    decisions = (
        {"hashes": hashes, "removals": removals}
        | "By shard" >> beam.CoGroupByKey()
        | "Decide" >> beam.MapTuple(_decision).with_output_types(ShardDecision)
    )
    lowest = beam.pvalue.AsSingleton(
        decisions
        | "Lowest of a shard" >> beam.Map(lambda decision: decision.lowest_repository_hash).with_output_types(int)
        | "Lowest" >> beam.CombineGlobally(_lowest).with_output_types(int)
    )
    # Engines keep in one stage only what has the same hints.
    hints = plan.score.hints if plan.score is not None else {}
    survivors = decisions | "Spread decisions" >> beam.Reshuffle()
    examples = (
        survivors
        | "Read survivors"
        >> beam.ParDo(ReadSurvivors(context), lowest).with_output_types(ShardBatch).with_resource_hints(**hints)
        | "Redact" >> RedactRows(plan.pii).with_resource_hints(**hints)
        | "Split" >> SplitFiles(plan.split, plan.version).with_resource_hints(**hints)
    )
    if plan.score is not None:
        from stackfim.transforms.score.transform import ScoreExamples  # Beam's inference is slow to import

        score = ScoreExamples(plan.score.model, plan.score.settings, plan.score.threads)
        examples |= "Score" >> score.with_resource_hints(**hints)
    writer = beam.ParDo(WriteExamples(context), lowest).with_output_types(int)
    _ = examples | "Write examples" >> writer.with_resource_hints(**hints)


def _lowest(hashes: Iterable[int]) -> int:
    return min(hashes, default=HIGHEST_HASH)


def _repository_hashes(fingerprints: pa.RecordBatch) -> pa.RecordBatch:
    """The hash of each row's repository."""
    repositories = fingerprints.column("repository").to_pylist()
    hashes = {repository: repository_hash(repository) for repository in dict.fromkeys(repositories)}
    return pa.RecordBatch.from_arrays(
        [pa.array([hashes[repository] for repository in repositories], pa.uint64())], schema=_REPOSITORY_HASHES
    )


def _decision(shard: int, joined: dict[str, Iterable[pa.RecordBatch]]) -> ShardDecision:
    """The removals of a shard in order of rows, and the lowest repository hash of the rows that stay."""
    parts = list(joined["removals"])
    removals = pa.Table.from_batches(parts, LOCATED_REMOVAL)
    removals = removals.take(pc.sort_indices(removals, sort_keys=[("row", "ascending")]))
    (hashes,) = joined["hashes"]
    stays = np.ones(hashes.num_rows, bool)
    located = single_batch(removals)
    stays[located.column("row").to_numpy()] = False
    left = hashes.column("repository_hash").to_numpy()[stays]
    return ShardDecision(shard, located, int(left.min()) if len(left) else HIGHEST_HASH)
