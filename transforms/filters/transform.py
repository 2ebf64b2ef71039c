"""The filters, and redaction, as Beam transforms."""

from collections import Counter

import apache_beam as beam

from stackfim.schemas.rejection import no_rejections
from stackfim.transforms.filters.chain import FilterSettings, filter_rows, relabel
from stackfim.transforms.filters.contamination import BenchmarkIndex
from stackfim.transforms.filters.redaction import redact
from stackfim.transforms.shard_batch import ShardBatch


class FilterRows(beam.PTransform):
    """Rows that pass all filters stay, in the language that they show; the others become rejections of their batch."""

    def __init__(self, settings: FilterSettings, benchmarks: BenchmarkIndex | None = None) -> None:
        super().__init__()
        self._settings = settings
        self._benchmarks = benchmarks

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """ShardBatch of source rows to the same."""
        return batches | beam.Map(_filtered, self._settings, self._benchmarks).with_output_types(ShardBatch)


def _filtered(batch: ShardBatch, settings: FilterSettings, benchmarks: BenchmarkIndex | None) -> ShardBatch:
    rows, changes = relabel(batch.rows, settings)
    counts = {f"relabelled:{change}": count for change, count in changes.items()}
    return batch.with_rows(*filter_rows(rows, settings, benchmarks), counts)


class RedactRows(beam.PTransform):
    """Secrets and personal data are replaced where `mode` is `redact`; what was replaced is counted by kind."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self._mode = mode

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """ShardBatch of source rows to the same."""
        return batches | beam.Map(_redacted, self._mode).with_output_types(ShardBatch)


def _redacted(batch: ShardBatch, mode: str) -> ShardBatch:
    redacted = redact(batch.rows, secrets=mode, personal_data=mode)
    counts: Counter[str] = Counter()
    for found in redacted.counts.values():
        counts.update({f"redacted:{kind}": count for kind, count in found.items()})
    return batch.with_rows(redacted.rows, no_rejections(), dict(sorted(counts.items())))
