"""Deduplication as a Beam transform: exact copies first, then near-duplicates among what is left.

Only names and edges are shuffled. Band entries, and the shingles of files that share a band with another one, are written
to files and only their places are shuffled, since some engines hold in memory all that they shuffle. The files belong to
the caller, which passes functions that read and write them.
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
from stackfim.transforms.record_batches import single_batch
from stackfim.transforms.shard_batch import ShardBatch

Keyed = tuple[int, pa.RecordBatch]
"""A batch and its shard or partition."""

Block = tuple[str, int, int]
"""Where a batch was written: a file's path, the first byte, and the number of bytes."""

_NAMED_MEMBERS = pa.schema([*FINGERPRINT, MEMBERS.field("component"), MEMBERS.field("has_reference")])


class ShardFiles(NamedTuple):
    """How to look up rows of a shard, given in ascending order, and how to store blocks. All functions can be pickled."""

    signatures: Callable[[int, pa.Array, list[str]], pa.RecordBatch]
    """(shard, rows, names) to a batch of these columns, which are among `language`, `shingles` and `signature`."""
    contents: Callable[[int, pa.Array], pa.Array]
    """(shard, rows) to the contents; never called for reference shards."""
    write_blocks: Callable[[str, int, list[pa.RecordBatch]], list[Block]]
    """(name, shard, batches of one schema) to the place of each batch; a second call with the name and shard replaces them."""
    read_block: Callable[[Block], pa.RecordBatch]
    """The batch that was written there."""


class SignRows(beam.PTransform):
    """Adds the columns of stackfim.schemas.fingerprint.SIGNATURE to every row, or nothing when `settings` is None."""

    def __init__(self, settings: DedupSettings | None) -> None:
        """`settings` are those of the signatures."""
        super().__init__()
        self._settings = settings

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """ShardBatch of source rows to the same with more columns."""
        if self._settings is None:
            return batches
        return batches | beam.Map(_signed, self._settings).with_output_types(ShardBatch)


class RemoveDuplicates(beam.PTransform):
    """From the fingerprints of each shard to the removals of each shard."""

    def __init__(self, settings: DedupSettings | None, files: ShardFiles, partitions: int) -> None:
        """`settings` None removes only exact copies. `partitions`: into how many parts shuffles are packed.

        No result depends on `partitions`.
        """
        super().__init__()
        self._settings = settings
        self._files = files
        self._partitions = partitions

    def expand(self, fingerprints: beam.PCollection) -> beam.PCollection:
        """(shard, FINGERPRINT), one for each shard, to (shard, LOCATED_REMOVAL), any number for each shard."""
        exact = fingerprints | "Exact copies" >> RemoveExactCopies()
        if self._settings is None:
            return exact
        left = (
            {"fingerprints": fingerprints, "exact": exact}
            | "Files and their exact copies" >> beam.CoGroupByKey()
            | "Files left" >> beam.FlatMapTuple(_without_copies).with_output_types(Keyed)
        )
        near = (
            left
            | "Components" >> _FindComponents(self._settings, self._files, self._partitions)
            | "Near-duplicates" >> _RemoveNearDuplicates(self._settings, self._files, self._partitions)
        )
        by_content = {
            "exact": exact
            | "Exact alone" >> beam.Values()
            | "Exact by content" >> beam.FlatMap(partition_by_content).with_output_types(Keyed),
            "near": near | "Near by content" >> beam.FlatMap(partition_by_content).with_output_types(Keyed),
        }
        return (
            by_content
            | "Exact and near" >> beam.CoGroupByKey()
            | "Follow kept" >> beam.FlatMapTuple(_all_removals).with_output_types(pa.RecordBatch)
            | "All by shard" >> beam.FlatMap(removals_by_shard).with_output_types(Keyed)
        )


class RemoveExactCopies(beam.PTransform):
    """From the fingerprints of each shard to the removals of each shard; the best copy of each content stays."""

    def expand(self, fingerprints: beam.PCollection) -> beam.PCollection:
        """(shard, FINGERPRINT) to (shard, LOCATED_REMOVAL)."""
        return (
            fingerprints
            | beam.Values()
            | "Partition" >> beam.FlatMap(partition_by_content).with_output_types(Keyed)
            | beam.GroupByKey()
            | "Decide" >> beam.MapTuple(lambda _, parts: exact_removals(list(parts))).with_output_types(pa.RecordBatch)
            | "By shard" >> beam.FlatMap(removals_by_shard).with_output_types(Keyed)
        )


class _FindComponents(beam.PTransform):
    """The files that share a band with another one, directly or through others, with their components."""

    def __init__(self, settings: DedupSettings, files: ShardFiles, partitions: int) -> None:
        super().__init__()
        self._settings = settings
        self._files = files
        self._partitions = partitions

    def expand(self, fingerprints: beam.PCollection) -> beam.PCollection:
        """(shard, FINGERPRINT) to (shard, _NAMED_MEMBERS)."""
        files = self._files
        members = (
            fingerprints
            | "Pack bands"
            >> beam.FlatMap(_pack, files, self._settings, self._partitions).with_output_types(tuple[int, Block])
            | "Bands" >> beam.GroupByKey()
            | "Edges"
            >> beam.MapTuple(lambda _, blocks: bucket_edges(map(files.read_block, blocks))).with_output_types(
                pa.RecordBatch
            )
            | "Forest" >> beam.CombineGlobally(SpanningForest()).with_fanout(16)
            | "Members" >> beam.FlatMap(members_by_shard).with_output_types(Keyed)
        )
        return (
            {"fingerprints": fingerprints, "members": members}
            | "Members by shard" >> beam.CoGroupByKey()
            | "Name members" >> beam.FlatMapTuple(_name_members).with_output_types(Keyed)
        )


class _RemoveNearDuplicates(beam.PTransform):
    """The removals within each component: exact similarities, or estimates where a component is oversized."""

    def __init__(self, settings: DedupSettings, files: ShardFiles, partitions: int) -> None:
        super().__init__()
        self._settings = settings
        self._files = files
        self._partitions = partitions

    def expand(self, members: beam.PCollection) -> beam.PCollection:
        """(shard, _NAMED_MEMBERS) to LOCATED_REMOVAL."""
        settings, files = self._settings, self._files
        estimated = beam.pvalue.AsSingleton(
            members
            | "Count shingles" >> beam.Map(_count_shingles, files).with_output_types(pa.RecordBatch)
            | "Add up" >> beam.CombineGlobally(_add_totals)
            | "Oversized" >> beam.Map(oversized, settings).with_output_types(pa.RecordBatch)
        )
        return (
            members
            | "Shingle members"
            >> beam.FlatMap(_candidates, files, settings, self._partitions, estimated).with_output_types(
                tuple[int, Block]
            )
            | "Components" >> beam.GroupByKey()
            | "Stars"
            >> beam.MapTuple(
                lambda _, blocks: component_removals(map(files.read_block, blocks), settings)
            ).with_output_types(pa.RecordBatch)
        )


class SpanningForest(beam.CombineFn):
    """Edges to the forest that connects the same files: memory in proportion to the files that have an edge."""

    def create_accumulator(self) -> list[pa.RecordBatch]:
        """No edges."""
        return []

    def add_input(self, accumulator: list[pa.RecordBatch], edges: pa.RecordBatch) -> list[pa.RecordBatch]:
        """The accumulator with more edges, reduced whenever the new ones are more than those of the last forest."""
        accumulator.append(edges)
        if len(accumulator) > 1 and sum(part.num_rows for part in accumulator[1:]) > accumulator[0].num_rows:
            return [_reduced(accumulator)]
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[pa.RecordBatch]]) -> list[pa.RecordBatch]:
        """The forest of all edges."""
        return [_reduced([part for accumulator in accumulators for part in accumulator])]

    def extract_output(self, accumulator: list[pa.RecordBatch]) -> pa.RecordBatch:
        """The forest as EDGES."""
        return _reduced(accumulator)


def removals_by_shard(removals: pa.RecordBatch) -> Iterator[Keyed]:
    """(shard, LOCATED_REMOVAL) for each shard with removals, in order of shards."""
    shards = removals.column("shard")
    for shard in sorted(pc.unique(shards).to_pylist()):
        yield shard, removals.filter(pc.equal(shards, shard))


def _signed(batch: ShardBatch, settings: DedupSettings) -> ShardBatch:
    rows = batch.rows
    signed = signature_batch(rows.column("content"), settings).cast(SIGNATURE)
    schema = pa.schema([*rows.schema, *SIGNATURE])
    return replace(batch, rows=pa.RecordBatch.from_arrays([*rows.columns, *signed.columns], schema=schema))


def _reduced(parts: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    edges = [edge_array(part) for part in parts if part.num_rows]
    return edge_batch(spanning_forest(np.concatenate(edges))) if edges else pa.RecordBatch.from_pylist([], schema=EDGES)


def _add_totals(parts: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    return add_totals(parts)


def _joined(parts: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    return single_batch(pa.Table.from_batches(list(parts), schema))


def _without_copies(shard: int, joined: dict[str, Iterable[pa.RecordBatch]]) -> Iterator[Keyed]:
    """The fingerprints of a shard without those of exact copies."""
    for fingerprints in joined["fingerprints"]:
        stays = np.ones(fingerprints.num_rows, bool)
        for removals in joined["exact"]:
            stays &= ~np.isin(fingerprints.column("row").to_numpy(), removals.column("row").to_numpy())
        if stays.any():
            yield shard, fingerprints.filter(pa.array(stays))


def _pack(keyed: Keyed, files: ShardFiles, settings: DedupSettings, partitions: int) -> list[tuple[int, Block]]:
    """Writes the band entries of a shard's files; (partition of the keys, place of the entries)."""
    shard, fingerprints = keyed
    found = files.signatures(shard, fingerprints.column("row"), ["language", "shingles", "signature"])
    columns = [fingerprints.column("row"), found.column("shingles"), found.column("signature")]
    rows = pa.RecordBatch.from_arrays(columns, names=["row", "shingles", "signature"])
    packed = pack_bands(shard, rows, found.column("language").to_pylist(), settings, partitions)
    return _write(files, "bands", shard, packed)


def _write(files: ShardFiles, name: str, shard: int, parts: list[Keyed]) -> list[tuple[int, Block]]:
    """(partition, batch) to (partition, place of the batch)."""
    blocks = files.write_blocks(name, shard, [batch for _, batch in parts]) if parts else []
    return [(partition, block) for (partition, _), block in zip(parts, blocks, strict=True)]


def _name_members(shard: int, joined: dict[str, Iterable[pa.RecordBatch]]) -> Iterator[Keyed]:
    """_NAMED_MEMBERS of a shard, in order of rows: the members of components with their fingerprints."""
    members = _joined(joined["members"], MEMBERS)
    if not members.num_rows:
        return
    members = members.take(pc.sort_indices(members, sort_keys=[("row", "ascending")]))
    fingerprints = _joined(joined["fingerprints"], FINGERPRINT)
    fingerprints = fingerprints.filter(pc.is_in(fingerprints.column("row"), members.column("row")))
    fingerprints = fingerprints.take(pc.sort_indices(fingerprints, sort_keys=[("row", "ascending")]))
    arrays = [*fingerprints.columns, members.column("component"), members.column("has_reference")]
    yield shard, pa.RecordBatch.from_arrays(arrays, schema=_NAMED_MEMBERS)


def _count_shingles(keyed: Keyed, files: ShardFiles) -> pa.RecordBatch:
    """TOTALS of the members of one shard."""
    shard, members = keyed
    shingles = files.signatures(shard, members.column("row"), ["shingles"]).column("shingles").cast(pa.int64())
    return add_totals([pa.RecordBatch.from_arrays([members.column("component"), shingles], schema=TOTALS)])


def _candidates(
    keyed: Keyed, files: ShardFiles, settings: DedupSettings, partitions: int, estimated: pa.RecordBatch
) -> list[tuple[int, Block]]:
    """Writes CANDIDATE of a shard's members; (partition of the components, place of the candidates)."""
    shard, members = keyed
    rows = members.column("row")
    contents = files.contents(shard, rows) if shard < REFERENCE_SHARD else None
    found = candidates(
        members.select(FINGERPRINT.names),
        members.select(MEMBERS.names),
        files.signatures(shard, rows, ["signature"]).column("signature"),
        contents,
        estimated,
        settings,
    )
    # Components are named by their smallest id, whose lower half is a row: that spreads them over the partitions.
    partition = (found.column("component").to_numpy() & np.uint64(0xFFFFFFFF)) % np.uint64(partitions)
    parts = [(int(part), found.filter(pa.array(partition == part))) for part in np.unique(partition).tolist()]
    return _write(files, "candidates", shard, parts)


def _all_removals(_: int, joined: dict[str, Iterable[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
    """All removals of a partition of contents, none of which names a file as kept that is removed itself."""
    near, exact = (_joined(joined[name], LOCATED_REMOVAL) for name in ("near", "exact"))
    # One batch, since splitting it by shard makes many small ones anyway.
    yield _joined([near, follow_kept(exact, near)], LOCATED_REMOVAL)
