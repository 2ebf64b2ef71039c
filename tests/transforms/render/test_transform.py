"""The renderer in a Beam pipeline."""

from collections.abc import Callable

import apache_beam as beam
import pyarrow as pa
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that

from stackfim.schemas.rejection import no_rejections
from stackfim.transforms.render.batch import render_examples
from stackfim.transforms.render.render_settings import RenderSettings
from stackfim.transforms.render.transform import RenderExamples
from stackfim.transforms.shard_batch import ShardBatch


def test_batches_are_rendered_with_their_rejections(rows: pa.RecordBatch, definition: Callable[[str], str]) -> None:
    settings = RenderSettings(max_tokens=256, tokenizer_json=definition("gpt2"))
    rows = rows.slice(0, 40)
    expected, rejected = render_examples(rows, settings)

    def check(batches: list[ShardBatch]) -> None:
        (batch,) = batches
        assert batch.rows.equals(expected)
        assert batch.rejections.equals(rejected)

    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        batches = pipeline | beam.Create([ShardBatch(0, 0, True, rows, no_rejections())])
        assert_that(batches | RenderExamples(settings), check)
