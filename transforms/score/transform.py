"""Scoring as a Beam transform: RunInference on whole batches, so that Beam's cost arises per batch, not per row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler, RunInference

from stackfim.schemas.rejection import concatenate
from stackfim.transforms.score.batch import emptied_files, score_examples
from stackfim.transforms.score.model_spec import ModelSpec
from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.shard_batch import ShardBatch

if TYPE_CHECKING:
    from stackfim.model.scorer import Scorer


class BatchScorer(ModelHandler[tuple[ShardBatch], ShardBatch, Any]):
    """The scorer as Beam sees it: loaded once in each process, shared by its threads, given one ShardBatch at a time."""

    def __init__(self, spec: ModelSpec, settings: ScoreSettings, threads: int | None) -> None:
        """`threads` as `ModelSpec.load_scorer` takes them."""
        super().__init__()
        self._spec = spec
        self._settings = settings
        self._threads = threads

    def load_model(self) -> Scorer:
        """The scorer of this process."""
        return self._spec.load_scorer(self._settings.layouts, self._threads, self._settings.context_tokens)

    def run_inference(
        self, batch: Sequence[ShardBatch], model: Scorer, inference_args: dict[str, Any] | None = None
    ) -> list[ShardBatch]:
        """Each ShardBatch with its rows scored; rows that their verdict drops are among its rejections."""
        return [score_shard_batch(part, model, self._settings) for part in batch]

    def get_num_bytes(self, batch: Sequence[ShardBatch]) -> int:
        """Bytes of the rows, which Beam itself would have to pickle to know."""
        return sum(part.rows.nbytes for part in batch)

    def should_skip_batching(self) -> bool:
        """True, since the element is a batch already."""
        return True


def score_shard_batch(batch: ShardBatch, scorer: Scorer, settings: ScoreSettings) -> ShardBatch:
    """A batch after scoring; it must hold all examples of each of its files."""
    found = score_examples(batch.rows, scorer, settings)
    dropped = concatenate([found.rejections, emptied_files(batch.rows, found.examples)])
    return batch.with_rows(found.examples, dropped, dict(found.counts))


class ScoreExamples(beam.PTransform):
    """Gives examples scores and a verdict; those that their verdict drops become rejections of their batch."""

    def __init__(self, spec: ModelSpec, settings: ScoreSettings, threads: int | None = None) -> None:
        """`threads` as `ModelSpec.load_scorer` takes them."""
        super().__init__()
        self._handler = BatchScorer(spec, settings, threads)

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """ShardBatch to ShardBatch, in order: nothing in between groups or shuffles."""
        return (
            batches
            | "One batch" >> beam.Map(lambda batch: (batch,)).with_output_types(tuple[ShardBatch])
            | "Infer" >> RunInference(self._handler, model_identifier="stackfim")
            | "Batches" >> beam.Map(lambda batch: batch).with_output_types(ShardBatch)
        )
