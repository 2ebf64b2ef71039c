"""The filters, and redaction, as Beam transforms."""

from collections import Counter

import apache_beam as beam
import pyarrow as pa

from stackfim.schemas.rejection import no_rejections
from stackfim.transforms.filters.chain import filter_rows, relabel
from stackfim.transforms.filters.filter_settings import FilterPlan
from stackfim.transforms.filters.language import unsupported_counts
from stackfim.transforms.filters.redaction import redact
from stackfim.transforms.filters.scores import score_rows
from stackfim.transforms.shard_batch import ShardBatch


class FilterRows(beam.PTransform):
    """Rows that pass all filters stay, labelled with the language that they show; the others become rejections."""

    def __init__(self, plan: FilterPlan) -> None:
        """What the filters go by."""
        super().__init__()
        self._plan = plan

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """ShardBatch of source rows to the same."""
        return batches | beam.Map(_filtered, self._plan).with_output_types(ShardBatch)


def _filtered(batch: ShardBatch, plan: FilterPlan) -> ShardBatch:
    rows, changes = relabel(batch.rows, plan)
    kept, rejected = filter_rows(rows, plan)
    return batch.with_rows(kept, rejected, _counts(changes, rejected))


class FilterAndScoreRows(beam.PTransform):
    """The same, with the scores of all rows, dropped ones included."""

    def __init__(self, plan: FilterPlan) -> None:
        """What the filters go by."""
        super().__init__()
        self._plan = plan

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """ShardBatch of source rows to pairs of the same and scores (stackfim.transforms.filters.filter_list.FILTER_SCORE)."""
        return batches | beam.Map(_filtered_and_scored, self._plan).with_output_types(tuple[ShardBatch, pa.RecordBatch])


def _filtered_and_scored(batch: ShardBatch, plan: FilterPlan) -> tuple[ShardBatch, pa.RecordBatch]:
    rows, changes = relabel(batch.rows, plan)
    scored = score_rows(rows, plan)
    kept, rejected = filter_rows(rows, plan, scored.decided)
    return batch.with_rows(kept, rejected, _counts(changes, rejected)), scored.scores


def _counts(changes: dict[str, int], rejected: pa.RecordBatch) -> dict[str, int]:
    return {f"relabelled:{change}": count for change, count in changes.items()} | unsupported_counts(rejected)


class RedactRows(beam.PTransform):
    """Secrets and personal data are replaced, each where its mode is `redact`; replacements are counted by kind."""

    def __init__(self, secrets: str, personal_data: str) -> None:
        """The modes of secrets and of personal data."""
        super().__init__()
        self._secrets = secrets
        self._personal_data = personal_data

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """ShardBatch of source rows to the same."""
        return batches | beam.Map(_redacted, self._secrets, self._personal_data).with_output_types(ShardBatch)


def _redacted(batch: ShardBatch, secrets: str, personal_data: str) -> ShardBatch:
    redacted = redact(batch.rows, secrets=secrets, personal_data=personal_data)
    counts: Counter[str] = Counter()
    for found in redacted.counts.values():
        counts.update({f"redacted:{kind}": count for kind, count in found.items()})
    return batch.with_rows(redacted.rows, no_rejections(), dict(sorted(counts.items())))
