"""The splitter as a Beam transform."""

from collections.abc import Iterator

import apache_beam as beam

from stackfim.transforms.shard_batch import ShardBatch
from stackfim.transforms.split.process import SplitterProcess
from stackfim.transforms.split.split_settings import SplitSettings


class SplitFiles(beam.PTransform):
    """Files become examples, in a process that may crash; a file without an example becomes a rejection."""

    def __init__(self, settings: SplitSettings, version: str) -> None:
        """A transform whose examples say that `version` of stackfim made them."""
        super().__init__()
        self._settings = settings
        self._version = version

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """ShardBatch of source rows to ShardBatch of examples."""
        return batches | beam.ParDo(_Split(self._settings, self._version)).with_output_types(ShardBatch)


class _Split(beam.DoFn):
    def __init__(self, settings: SplitSettings, version: str) -> None:
        self._settings = settings
        self._version = version

    def setup(self) -> None:
        self._process = SplitterProcess(self._settings, self._version)

    def process(self, batch: ShardBatch) -> Iterator[ShardBatch]:
        result = self._process.split(batch.rows)
        refused = {f"refused:{reason}": count for reason, count in result.refusals.items()}
        yield batch.with_rows(result.examples, result.rejections, refused)

    def teardown(self) -> None:
        self._process.close()
