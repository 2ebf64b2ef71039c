"""Deduplication as a Beam transform: exact copies first, then near-duplicates among what is left.

What is shuffled are names and edges. Band entries, and the shingles of files that share a band with another one, are put
in files meanwhile and only where they are is shuffled: some engines hold all that they shuffle in memory. Files are the
caller's: it hands in functions that read and write them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackfim.schemas.fingerprint import SIGNATURE
from stackfim.transforms.dedup.components import spanning_forest
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.dedup.exact import LOCATED_REMOVAL, exact_removals, partition_by_content
from stackfim.transforms.dedup.near import (
    EDGES,
    MEMBERS,
    TOTALS,
    add_totals,
    bucket_edges,
    candidates,
    component_removals,
    edge_array,
    edge_batch,
    follow_kept,
    members_by_shard,
    oversized,
    pack_bands,
    signature_batch,
)
from stackfim.transforms.dedup.order import FINGERPRINT, REFERENCE_SHARD
from stackfim.transforms.shard_batch import ShardBatch, single_batch

Located = tuple[int, pa.RecordBatch]
"""A shard, or a partition, and a batch."""

Block = tuple[str, int, int]
"""Where a batch was put: a file's path, the first byte, and how many."""


class ShardFiles(NamedTuple):
    """How the files of a shard are looked up, by rows in ascending order, and blocks kept. All functions pickle."""

    fingerprints: Callable[[int, pa.Array, list[str]], pa.RecordBatch]
    """(shard, rows, names) to a batch with these columns, of `language`, `shingles` and `signature`."""
    contents: Callable[[int, pa.Array], pa.Array]
    """(shard, rows) to the contents; not asked for reference shards."""
    write_blocks: Callable[[str, int, list[pa.RecordBatch]], list[Block]]
    """(name, shard, batches of one schema) to where each batch was put; the same again replaces them."""
    read_block: Callable[[Block], pa.RecordBatch]
    """A batch that was put there."""


class SignRows(beam.PTransform):
    """Each row gets the columns of stackfim.schemas.fingerprint.SIGNATURE; with `settings` None it stays as it is."""

    def __init__(self, settings: DedupSettings | None) -> None:
        super().__init__()
        self._settings = settings

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """ShardBatch of source rows to the same with more columns."""
        if self._settings is None:
            return batches
        return batches | beam.Map(_signed, self._settings).with_output_types(ShardBatch)


def _signed(batch: ShardBatch, settings: DedupSettings) -> ShardBatch:
    rows = batch.rows
    signed = signature_batch(rows.column("content"), settings).cast(SIGNATURE)
    return replace(
        batch,
        rows=pa.RecordBatch.from_arrays([*rows.columns, *signed.columns], schema=pa.schema([*rows.schema, *SIGNATURE])),
    )


class RemoveDuplicates(beam.PTransform):
    """(shard, fingerprints) in, (shard, removals of that shard) out; `settings` None removes exact copies only.

    `partitions`: into how many parts the shuffles are packed; no result depends on it.
    """

    def __init__(self, settings: DedupSettings | None, files: ShardFiles, partitions: int) -> None:
        super().__init__()
        self._settings = settings
        self._files = files
        self._partitions = partitions

    def expand(self, fingerprints: beam.PCollection) -> beam.PCollection:
        """Pairs of int and FINGERPRINT, one a shard, to pairs of int and LOCATED_REMOVAL."""
        exact = fingerprints | "Exact copies" >> RemoveExactCopies()
        if self._settings is None:
            return exact
        settings, files, partitions = self._settings, self._files, self._partitions
        left = (
            {"fingerprints": fingerprints, "exact": exact}
            | "Files and their exact copies" >> beam.CoGroupByKey()
            | "Files left" >> beam.FlatMapTuple(_left).with_output_types(Located)
        )
        members = (
            left
            | "Pack bands" >> beam.FlatMap(_pack, files, settings, partitions).with_output_types(tuple[int, Block])
            | "Bands" >> beam.GroupByKey()
            | "Edges"
            >> beam.MapTuple(lambda _, blocks: bucket_edges(map(files.read_block, blocks))).with_output_types(
                pa.RecordBatch
            )
            | "Forest" >> beam.CombineGlobally(SpanningForest()).with_fanout(16)
            | "Members" >> beam.FlatMap(members_by_shard).with_output_types(Located)
        )
        located = (
            {"left": left, "members": members}
            | "Members by shard" >> beam.CoGroupByKey()
            | "Name members" >> beam.FlatMapTuple(_named).with_output_types(Located)
        )
        estimated = beam.pvalue.AsSingleton(
            located
            | "Count shingles" >> beam.Map(_totals, files).with_output_types(pa.RecordBatch)
            | "Add up" >> beam.CombineGlobally(_add_totals)
            | "Oversized" >> beam.Map(oversized, settings).with_output_types(pa.RecordBatch)
        )
        near = (
            located
            | "Shingle members"
            >> beam.FlatMap(_candidates, files, settings, partitions, estimated).with_output_types(tuple[int, Block])
            | "Components" >> beam.GroupByKey()
            | "Stars"
            >> beam.MapTuple(
                lambda _, blocks: component_removals(map(files.read_block, blocks), settings)
            ).with_output_types(pa.RecordBatch)
        )
        by_content = {
            "exact": exact
            | "Exact alone" >> beam.Values()
            | "Exact by content" >> beam.FlatMap(partition_by_content).with_output_types(Located),
            "near": near | "Near by content" >> beam.FlatMap(partition_by_content).with_output_types(Located),
        }
        return (
            by_content
            | "Exact and near" >> beam.CoGroupByKey()
            | "Follow kept" >> beam.FlatMapTuple(_followed).with_output_types(pa.RecordBatch)
            | "All by shard" >> beam.FlatMap(removals_by_shard).with_output_types(Located)
        )


class RemoveExactCopies(beam.PTransform):
    """(shard, fingerprints) in, (shard, removals of that shard) out; the best copy of each content stays."""

    def expand(self, fingerprints: beam.PCollection) -> beam.PCollection:
        """Pairs of int and FINGERPRINT to pairs of int and LOCATED_REMOVAL."""
        return (
            fingerprints
            | beam.Values()
            | "Partition" >> beam.FlatMap(partition_by_content).with_output_types(Located)
            | beam.GroupByKey()
            | "Decide" >> beam.MapTuple(lambda _, parts: exact_removals(list(parts))).with_output_types(pa.RecordBatch)
            | "By shard" >> beam.FlatMap(removals_by_shard).with_output_types(Located)
        )


class SpanningForest(beam.CombineFn):
    """Edges to the forest that connects the same files: memory in proportion to the files that have an edge."""

    def create_accumulator(self) -> list[pa.RecordBatch]:
        """No edges."""
        return []

    def add_input(self, accumulator: list[pa.RecordBatch], edges: pa.RecordBatch) -> list[pa.RecordBatch]:
        """More edges, reduced once they are twice as many as before."""
        accumulator.append(edges)
        if len(accumulator) > 1 and sum(part.num_rows for part in accumulator[1:]) > accumulator[0].num_rows:
            return [_reduced(accumulator)]
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[pa.RecordBatch]]) -> list[pa.RecordBatch]:
        """All edges together."""
        return [_reduced([part for accumulator in accumulators for part in accumulator])]

    def extract_output(self, accumulator: list[pa.RecordBatch]) -> pa.RecordBatch:
        """The forest as EDGES."""
        return _reduced(accumulator)


def removals_by_shard(removals: pa.RecordBatch) -> Iterator[Located]:
    """The located removals of each shard that has any, in order of shards."""
    shards = removals.column("shard")
    for shard in sorted(pc.unique(shards).to_pylist()):
        yield shard, removals.filter(pc.equal(shards, shard))


def _reduced(parts: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    edges = [edge_array(part) for part in parts if part.num_rows]
    return edge_batch(spanning_forest(np.concatenate(edges))) if edges else pa.RecordBatch.from_pylist([], schema=EDGES)


def _add_totals(parts: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    return add_totals(parts)


def _joined(parts: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    return single_batch(pa.Table.from_batches(list(parts), schema))


def _left(shard: int, joined: dict[str, Iterable[pa.RecordBatch]]) -> Iterator[Located]:
    """The fingerprints of a shard without those of exact copies."""
    for fingerprints in joined["fingerprints"]:
        stays = np.ones(fingerprints.num_rows, bool)
        for removals in joined["exact"]:
            stays &= ~np.isin(fingerprints.column("row").to_numpy(), removals.column("row").to_numpy())
        if stays.any():
            yield shard, fingerprints.filter(pa.array(stays))


def _pack(located: Located, files: ShardFiles, settings: DedupSettings, partitions: int) -> list[tuple[int, Block]]:
    shard, left = located
    found = files.fingerprints(shard, left.column("row"), ["language", "shingles", "signature"])
    columns = [left.column("row"), found.column("shingles"), found.column("signature")]
    rows = pa.RecordBatch.from_arrays(columns, names=["row", "shingles", "signature"])
    packed = pack_bands(shard, rows, found.column("language").to_pylist(), settings, partitions)
    return _put(files, "bands", shard, packed)


def _put(files: ShardFiles, name: str, shard: int, parts: list[Located]) -> list[tuple[int, Block]]:
    """(partition, batch) to (partition, where the batch is)."""
    blocks = files.write_blocks(name, shard, [batch for _, batch in parts]) if parts else []
    return [(partition, block) for (partition, _), block in zip(parts, blocks, strict=True)]


def _named(shard: int, joined: dict[str, Iterable[pa.RecordBatch]]) -> Iterator[Located]:
    """The members of a shard, in order of rows, with their fingerprints beside them."""
    members = _joined(joined["members"], MEMBERS)
    if not members.num_rows:
        return
    members = members.take(pc.sort_indices(members, sort_keys=[("row", "ascending")]))
    left = _joined(joined["left"], FINGERPRINT)
    fingerprints = left.filter(pc.is_in(left.column("row"), members.column("row")))
    fingerprints = fingerprints.take(pc.sort_indices(fingerprints, sort_keys=[("row", "ascending")]))
    arrays = [*fingerprints.columns, members.column("component"), members.column("has_reference")]
    yield shard, pa.RecordBatch.from_arrays(arrays, schema=_NAMED)


_NAMED = pa.schema([*FINGERPRINT, MEMBERS.field("component"), MEMBERS.field("has_reference")])


def _totals(located: Located, files: ShardFiles) -> pa.RecordBatch:
    shard, named = located
    shingles = files.fingerprints(shard, named.column("row"), ["shingles"]).column("shingles").cast(pa.int64())
    return add_totals([pa.RecordBatch.from_arrays([named.column("component"), shingles], schema=TOTALS)])


def _candidates(
    located: Located, files: ShardFiles, settings: DedupSettings, partitions: int, estimated: pa.RecordBatch
) -> list[tuple[int, Block]]:
    """CANDIDATE of the members of a shard, by partition of their components."""
    shard, named = located
    rows = named.column("row")
    contents = files.contents(shard, rows) if shard < REFERENCE_SHARD else None
    found = candidates(
        named.select(FINGERPRINT.names),
        named.select(MEMBERS.names),
        files.fingerprints(shard, rows, ["signature"]).column("signature"),
        contents,
        estimated,
        settings,
    )
    # Components are named by their smallest id, so the rows below the shard's number spread them.
    partition = (found.column("component").to_numpy() & np.uint64(0xFFFFFFFF)) % np.uint64(partitions)
    parts = [(int(part), found.filter(pa.array(partition == part))) for part in np.unique(partition).tolist()]
    return _put(files, "candidates", shard, parts)


def _followed(_: int, joined: dict[str, Iterable[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
    """All removals of a partition of contents, none of which names a file as kept that goes itself."""
    near, exact = (_joined(joined[name], LOCATED_REMOVAL) for name in ("near", "exact"))
    # In one batch: its parts by shard are many and small as it is.
    yield _joined([near, follow_kept(exact, near)], LOCATED_REMOVAL)
