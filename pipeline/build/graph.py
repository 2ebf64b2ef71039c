"""The Beam graph of a run: two passes over the shards, and between them the decision which copies go.

Content stays in the fused stages of the passes; what is shuffled are fingerprints and decisions.
"""

from __future__ import annotations

from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from stackfim.pipeline.build.decisions import ShardDecision, WriteDecisions, decide
from stackfim.pipeline.build.partition import ChoosePartitions, FileTally, Partitioning, file_hashes
from stackfim.pipeline.build.readers import FingerprintReferences, ReadShards, ReadSurvivors, ShardTask
from stackfim.pipeline.build.run_context import RunContext
from stackfim.pipeline.build.writers import WriteExamples, WriteScores, WriteSurvivors
from stackfim.pipeline.folder.fingerprints import ReferenceFile
from stackfim.pipeline.sources import Source
from stackfim.transforms.dedup.order import REFERENCE_SHARD
from stackfim.transforms.dedup.transform import RemoveDuplicates, SignRows
from stackfim.transforms.filters.filter_settings import FilterPlan
from stackfim.transforms.filters.transform import FilterAndScoreRows, FilterRows, RedactRows
from stackfim.transforms.score.model_spec import ModelSpec
from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.shard_batch import ShardBatch
from stackfim.transforms.split.split_settings import SplitSettings
from stackfim.transforms.split.transform import SplitFiles

Located = tuple[int, pa.RecordBatch]
"""A shard, and a batch of it."""


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
    filters: FilterPlan
    split: SplitSettings
    version: str
    against: dict[str, Source]
    """Sources of the reference files that are to be made, by path."""
    score: ScorePlan | None = None
    skips_bad_shards: bool = False
    """Whether a shard that cannot be read to its end is recorded and left, instead of ending the run."""


def add_to(pipeline: beam.Pipeline, plan: Plan) -> None:
    """Adds the whole run to `pipeline`."""
    fingerprints = pipeline | FilterShards(plan)
    decided = fingerprints | DecideDuplicates(plan)
    partitioning = beam.pvalue.AsSingleton(
        decided
        | "Tallies" >> beam.Map(lambda pair: pair[1]).with_output_types(FileTally)
        | "Choose partitions"
        >> beam.CombineGlobally(ChoosePartitions(plan.context.validation_share)).with_output_types(Partitioning)
    )
    _ = (
        decided
        | "Decisions" >> beam.Map(lambda pair: pair[0]).with_output_types(ShardDecision)
        | "Spread decisions" >> beam.Reshuffle()
        | SplitShards(plan, partitioning)
    )


class FilterShards(beam.PTransform):
    """Pass A: read, filter, sign and write; gives (shard, fingerprints) of the rows that stay, of every shard of the run."""

    def __init__(self, plan: Plan) -> None:
        """For the run of `plan`."""
        super().__init__()
        self._plan = plan

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """The start of a pipeline to pairs of int and FINGERPRINT."""
        plan, context = self._plan, self._plan.context
        read = (
            pipeline
            | "Shards" >> beam.Create(plan.to_filter, reshuffle=False).with_output_types(ShardTask)
            | "Spread shards" >> beam.Reshuffle()
            | "Read"
            >> beam.ParDo(
                ReadShards(plan.source, context.progress_folder, skips_bad=plan.skips_bad_shards)
            ).with_output_types(ShardBatch)
        )
        if context.filter_scores:
            scored = read | "Filter and score" >> FilterAndScoreRows(plan.filters)
            passed = scored | "Write scores" >> beam.ParDo(WriteScores(context)).with_output_types(ShardBatch)
        else:
            passed = read | "Filter" >> FilterRows(plan.filters)
        locators = {task.shard: task.locator for task in plan.to_filter}
        fresh = (
            passed
            | "Sign" >> SignRows(context.dedup)
            | "Write survivors" >> beam.ParDo(WriteSurvivors(context, locators)).with_output_types(Located)
        )
        known = (
            pipeline
            | "Filtered shards" >> beam.Create(plan.filtered, reshuffle=False).with_output_types(int)
            | "Read fingerprints"
            >> beam.Map(lambda shard: (shard, context.fingerprints.named(shard))).with_output_types(Located)
        )
        return (fresh, known) | "All fingerprints" >> beam.Flatten()


class DecideDuplicates(beam.PTransform):
    """Which copies go: gives a decision for each shard, and the tally of the files that stay."""

    def __init__(self, plan: Plan) -> None:
        """For the run of `plan`."""
        super().__init__()
        self._plan = plan

    def expand(self, fingerprints: beam.PCollection) -> beam.PCollection:
        """Pairs of int and FINGERPRINT to pairs of ShardDecision and FileTally."""
        context = self._plan.context
        files = [(REFERENCE_SHARD + index, file) for index, file in enumerate(context.fingerprints.references)]
        references = (
            fingerprints.pipeline
            | "Reference shards" >> beam.Create(files, reshuffle=False).with_output_types(tuple[int, ReferenceFile])
            | "Fingerprint references"
            >> beam.ParDo(FingerprintReferences(context, self._plan.against)).with_output_types(Located)
        )
        removals = (
            (fingerprints, references)
            | "Fingerprints and references" >> beam.Flatten()
            | "Deduplicate"
            >> RemoveDuplicates(
                context.dedup, context.fingerprints.for_deduplication(), shuffle_partitions(context.shard_count)
            )
        )
        # No filter changes a content: its id is still that of the bytes read.
        hashes = fingerprints | "Hashes" >> beam.MapTuple(
            lambda shard, batch: (shard, file_hashes(batch.column("repository"), batch.column("content_id")))
        ).with_output_types(Located)
        return (
            {"hashes": hashes, "removals": removals}
            | "By shard" >> beam.CoGroupByKey()
            | "Decide" >> beam.MapTuple(decide).with_output_types(tuple[ShardDecision, FileTally])
        )


class SplitShards(beam.PTransform):
    """Pass B: read what stays, redact, split, score and write; gives the shards that are complete then."""

    def __init__(self, plan: Plan, partitioning: beam.pvalue.AsSingleton) -> None:
        """For the run of `plan`; `partitioning` is that of the run."""
        super().__init__()
        self._plan = plan
        self._partitioning = partitioning

    def expand(self, decisions: beam.PCollection) -> beam.PCollection:
        """ShardDecision to int."""
        plan, context = self._plan, self._plan.context
        # Engines keep in one stage only what has the same hints.
        hints = plan.score.hints if plan.score is not None else {}
        writer = beam.ParDo(WriteExamples(context), self._partitioning).with_output_types(int)
        examples = (
            decisions
            | "Write decisions"
            >> beam.ParDo(WriteDecisions(context), self._partitioning)
            .with_output_types(ShardDecision)
            .with_resource_hints(**hints)
            | "Read survivors"
            >> beam.ParDo(ReadSurvivors(context)).with_output_types(ShardBatch).with_resource_hints(**hints)
            | "Redact" >> RedactRows(plan.filters.secrets, plan.filters.personal_data).with_resource_hints(**hints)
            | "Split" >> SplitFiles(plan.split, plan.version).with_resource_hints(**hints)
        )
        if plan.score is not None:
            from stackfim.transforms.score.transform import ScoreExamples  # Beam's inference is slow to import

            score = ScoreExamples(plan.score.model, plan.score.settings, plan.score.threads)
            examples |= "Score" >> score.with_resource_hints(**hints)
        return examples | "Write examples" >> writer.with_resource_hints(**hints)


def shuffle_partitions(shard_count: int) -> int:
    """Into how many parts the shuffles of deduplication are packed: enough to spread, few enough to stay packed."""
    return max(4, min(1024, shard_count))
