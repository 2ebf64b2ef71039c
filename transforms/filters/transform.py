"""The filters as a Beam transform."""

import apache_beam as beam

from transforms.filters.chain import FilterSettings, filter_rows
from transforms.shard_batch import MapRows


class FilterRows(beam.PTransform):
    """Rows that pass all filters stay; the others become rejections of their batch."""

    def __init__(self, settings: FilterSettings) -> None:
        super().__init__()
        self._settings = settings

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """ShardBatch of source rows to the same."""
        settings = self._settings
        return batches | MapRows(lambda rows: filter_rows(rows, settings))
