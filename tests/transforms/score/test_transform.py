"""The Beam stage gives what the pure function gives, in order."""

from itertools import pairwise
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from stackfim.model.scorer import Scorer
from stackfim.schemas.layout import LAYOUTS
from stackfim.schemas.rejection import no_rejections
from stackfim.transforms.score.model_spec import ModelSpec
from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.score.transform import ScoreExamples, score_shard_batch
from stackfim.transforms.shard_batch import ShardBatch

SETTINGS = ScoreSettings(LAYOUTS)


def test_batches_come_out_in_order_as_the_pure_function_makes_them(
    examples: pa.RecordBatch, scorer: Scorer, checkpoint: Path, tmp_path: Path
) -> None:
    cuts = [0, 15, 15, 31, 32]
    batches = [
        ShardBatch(4, number, number == len(cuts) - 2, examples.slice(start, stop - start), no_rejections(), {"x": 1})
        for number, (start, stop) in enumerate(pairwise(cuts))
    ]
    spec = ModelSpec(str(checkpoint))
    out = str(tmp_path / "seen.arrow")

    def write(batch: ShardBatch) -> None:
        with open(out, "ab") as stream:
            from stackfim.transforms.shard_batch import ShardBatchCoder

            encoded = ShardBatchCoder().encode(batch)
            stream.write(len(encoded).to_bytes(8, "little") + encoded)

    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        _ = (
            pipeline
            | beam.Create([0])
            | beam.FlatMap(lambda _: batches).with_output_types(ShardBatch)
            | ScoreExamples(spec, SETTINGS, threads=1)
            | beam.Map(write)
        )
    found = _read(Path(out).read_bytes())
    wanted = [score_shard_batch(batch, scorer, SETTINGS) for batch in batches]
    assert [(batch.shard, batch.sequence, batch.last) for batch in found] == [
        (batch.shard, batch.sequence, batch.last) for batch in wanted
    ]
    for one, other in zip(found, wanted, strict=True):
        assert one.rows.equals(other.rows)
        assert one.rejections.equals(other.rejections)
        assert one.counts == other.counts
    assert sum(batch.rows.num_rows for batch in found) + sum(
        batch.rejections.column("unit").to_pylist().count("example") for batch in found
    ) == 32  # fmt: skip


def _read(encoded: bytes) -> list[ShardBatch]:
    from stackfim.transforms.shard_batch import ShardBatchCoder

    batches, position = [], 0
    while position < len(encoded):
        length = int.from_bytes(encoded[position : position + 8], "little")
        batches.append(ShardBatchCoder().decode(encoded[position + 8 : position + 8 + length]))
        position += 8 + length
    return batches
