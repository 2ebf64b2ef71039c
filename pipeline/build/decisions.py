"""What deduplication decides of each shard: put together, and written before the second pass reads the shard."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stackfim.pipeline.build.partition import FileTally, Partitioning, tally_files
from stackfim.pipeline.build.run_context import RunContext
from stackfim.pipeline.build.shard_keys import split_key
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.fingerprints import write_reference
from stackfim.pipeline.folder.markers import SplitMarker, complete
from stackfim.pipeline.folder.parquet_shard import parquet_shard
from stackfim.pipeline.local.tally import process_tally
from stackfim.schemas.fingerprint import REFERENCE, SIGNATURE
from stackfim.schemas.removal import REMOVAL
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.dedup.exact import LOCATED_REMOVAL
from stackfim.transforms.record_batches import single_batch


@dataclass(frozen=True)
class ShardDecision:
    """What deduplication says of a shard."""

    shard: int
    removals: pa.RecordBatch
    """stackfim.transforms.dedup.exact.LOCATED_REMOVAL, in order of rows."""

    @property
    def removed_rows(self) -> npt.NDArray[np.int64]:
        """Rows of the shard that go, ascending."""
        rows: npt.NDArray[np.int64] = self.removals.column("row").to_numpy()
        return rows


def decide(shard: int, joined: dict[str, Iterable[pa.RecordBatch]]) -> tuple[ShardDecision, FileTally]:
    """The decision on a shard from its `removals`, in any order, and the `hashes` of its rows; and the tally of what stays.

    The hashes are stackfim.pipeline.build.partition.GROUP_HASHES.
    """
    removals = pa.Table.from_batches(list(joined["removals"]), LOCATED_REMOVAL)
    located = single_batch(removals.take(pc.sort_indices(removals, sort_keys=[("row", "ascending")])))
    (hashes,) = joined["hashes"]
    stays = np.ones(hashes.num_rows, bool)
    stays[located.column("row").to_numpy()] = False
    return ShardDecision(shard, located), tally_files(hashes.filter(pa.array(stays)))


class WriteDecisions(beam.DoFn):
    """Writes the removals of a shard and the fingerprints of what stays; gives the decision on, unless all is done.

    A shard whose examples are complete for this very decision gives nothing.
    """

    def __init__(self, context: RunContext) -> None:
        """For the run of `context`."""
        self._context = context

    def process(self, decision: ShardDecision, partitioning: Partitioning) -> Iterator[ShardDecision]:
        """One shard. `partitioning` is that of the run."""
        context, shard = self._context, decision.shard
        with parquet_shard(context.storage, paths.removals(shard, context.shard_count), REMOVAL) as removals:
            removals.add(decision.removals.select(REMOVAL.names))
        key = split_key(context, shard, partitioning)
        marker = complete(context.storage, paths.split_marker(shard), SplitMarker, key)
        if marker is not None:
            report = {"shards_split": 1, "examples": marker.counts.get("examples", 0)}
            process_tally(context.progress_folder).add(report, flush=True)
            return
        if context.dedup is not None:
            self._write_fingerprints(decision, context.dedup)
        yield decision

    def _write_fingerprints(self, decision: ShardDecision, settings: DedupSettings) -> None:
        """Fingerprints of the files of a shard that stay, for later runs."""
        context, shard = self._context, decision.shard
        named = context.fingerprints.named(shard)
        stays = pa.array(np.setdiff1d(np.arange(named.num_rows), decision.removed_rows))
        rows = named.take(stays)
        found = context.fingerprints.signatures(shard, stays, ["language", *SIGNATURE.names])
        columns = [rows.column(name) if name in rows.schema.names else found.column(name) for name in REFERENCE.names]
        batch = pa.RecordBatch.from_arrays(columns, names=REFERENCE.names)
        write_reference(context.storage, paths.fingerprints(shard, context.shard_count), [batch], settings)
