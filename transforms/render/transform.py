"""The renderer as a Beam transform."""

import apache_beam as beam

from stackfim.transforms.render.batch import render_examples
from stackfim.transforms.render.render_settings import RenderSettings
from stackfim.transforms.shard_batch import MapRows


class RenderExamples(beam.PTransform):
    """Examples get a prompt and a completion; those that cannot be rendered become rejections of their batch."""

    def __init__(self, settings: RenderSettings) -> None:
        super().__init__()
        self._settings = settings

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """ShardBatch of examples to the same."""
        settings = self._settings
        return batches | MapRows(lambda rows: render_examples(rows, settings))
