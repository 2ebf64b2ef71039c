"""Deduplication as a Beam transform."""

from collections.abc import Iterator

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup.exact import exact_removals, partition_by_content
from transforms.shard_batch import RecordBatchCoder  # noqa: F401  registers the coder for record batches


class RemoveExactCopies(beam.PTransform):
    """Fingerprints in, (shard, removals of that shard) out; the best copy of each content stays."""

    def expand(self, fingerprints: beam.PCollection) -> beam.PCollection:
        """Record batches of transforms.dedup.order.FINGERPRINT to pairs of int and LOCATED_REMOVAL."""
        return (
            fingerprints
            | "Partition" >> beam.FlatMap(partition_by_content).with_output_types(tuple[int, pa.RecordBatch])
            | beam.GroupByKey()
            | "Decide"
            >> beam.MapTuple(lambda _partition, parts: exact_removals(list(parts))).with_output_types(pa.RecordBatch)
            | "By shard" >> beam.FlatMap(removals_by_shard).with_output_types(tuple[int, pa.RecordBatch])
        )


def removals_by_shard(removals: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The located removals of each shard that has any, in order of shards."""
    shards = removals.column("shard")
    for shard in sorted(pc.unique(shards).to_pylist()):
        yield shard, removals.filter(pc.equal(shards, shard))
