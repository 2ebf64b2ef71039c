"""Near-duplicates step by step, each step a function of record batches: what happens between the shuffles.

The id of a file has 64 bits: its shard in the upper half, its row in the lower. Reference files have shards from
REFERENCE_SHARD on: they remove others and are never removed, and have signatures but no shingles.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stackfim.schemas.removal import NEAR, NEAR_ESTIMATED
from stackfim.transforms.dedup.bands import EDGE, ENTRY, band_keys, find_buckets, pack, scope_hashes, star_edges
from stackfim.transforms.dedup.components import find_components
from stackfim.transforms.dedup.dedup_settings import LANGUAGE, DedupSettings
from stackfim.transforms.dedup.exact import LOCATED_REMOVAL, removal_batch
from stackfim.transforms.dedup.order import FINGERPRINT, REFERENCE_SHARD, best_first
from stackfim.transforms.dedup.shingles import ShingleSets, shingle_sets
from stackfim.transforms.dedup.signatures import permutations, signatures
from stackfim.transforms.dedup.similarity import SignatureIndex
from stackfim.transforms.dedup.stars import settle
from stackfim.transforms.languages import language_name
from stackfim.transforms.ragged import offsets_of, run_offsets

ENTRIES = pa.schema([pa.field(name, pa.uint64(), nullable=False) for name in ("key", "document")])
"""stackfim.transforms.dedup.bands.ENTRY as columns."""
EDGES = pa.schema([pa.field(name, pa.uint64(), nullable=False) for name in ("document", "smallest")])
"""stackfim.transforms.dedup.bands.EDGE as columns."""
MEMBERS = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("component", pa.uint64(), nullable=False),
        pa.field("has_reference", pa.bool_(), nullable=False),
    ]
)
"""Rows of a shard that are in a component, the component's smallest id, and whether reference files are in it."""
TOTALS = pa.schema(
    [pa.field("component", pa.uint64(), nullable=False), pa.field("shingles", pa.int64(), nullable=False)]
)
"""Number of shingles of each component, added up over its files."""

_NUMBERS = pa.list_(pa.field("element", pa.uint32(), nullable=False))
CANDIDATE = pa.schema(
    [
        *FINGERPRINT,
        pa.field("component", pa.uint64(), nullable=False),
        pa.field("signature", _NUMBERS),
        pa.field("shingles", _NUMBERS),
    ]
)
"""A file of a component with its shingles, with its signature where similarities are estimated, or with both."""


def signature_batch(content: pa.Array, settings: DedupSettings) -> pa.RecordBatch:
    """The columns of stackfim.schemas.fingerprint.SIGNATURE for each text: number of shingles and signature."""
    sets = shingle_sets(content, settings.ngram)
    values = signatures(sets, permutations(settings.permutations, settings.seed))
    counts = pa.array(sets.sizes.astype(np.int32))
    return pa.RecordBatch.from_arrays([counts, _lists(values)], names=["shingles", "signature"])


def _lists(matrix: npt.NDArray[np.uint32]) -> pa.ListArray:
    rows, width = matrix.shape
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * np.int32(width))
    return pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(matrix).ravel()), type=_NUMBERS)


def signature_matrix(column: pa.Array, count: int) -> npt.NDArray[np.uint32]:
    """A column of signatures as uint32, shape (files, `count`). Raises ValueError for signatures of another length."""
    values: npt.NDArray[np.uint32] = column.flatten().to_numpy()
    if len(values) != len(column) * count:
        raise ValueError(f"expected signatures of {count} values, got {len(values)} values for {len(column)} files")
    return values.reshape(len(column), count)


def document_ids(shard: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """The ids of rows of a shard: uint64, same shape."""
    return np.uint64(shard) << np.uint64(32) | rows.astype(np.uint64)


def pack_bands(
    shard: int, rows: pa.RecordBatch, languages: Sequence[str], settings: DedupSettings, partitions: int
) -> list[tuple[int, pa.RecordBatch]]:
    """(partition, ENTRIES) for files of one shard; `rows` has the columns `row`, `shingles` and `signature`."""
    matrix = signature_matrix(rows.column("signature"), settings.permutations)
    scopes = _language_scopes(languages) if settings.scope == LANGUAGE else None
    keys = band_keys(matrix, settings.bands, settings.rows, scopes)
    occupied = rows.column("shingles").to_numpy() > 0
    blocks = pack(keys, document_ids(shard, rows.column("row").to_numpy()), occupied, partitions)
    return [(partition, _from_structured(block, ENTRIES)) for partition, block in blocks]


def _language_scopes(languages: Sequence[str]) -> npt.NDArray[np.uint64]:
    """A scope for each file's language, the same for all names of a language: sources write it differently."""
    names = {name: language_name(name) or name for name in dict.fromkeys(languages)}
    return scope_hashes([names[name] for name in languages])


def bucket_edges(blocks: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """EDGES of the buckets of one partition, given as ENTRIES blocks; buckets that hold only reference files have none."""
    edges = star_edges(find_buckets(_structured(block, ENTRY) for block in blocks))
    return _from_structured(edges[edges["smallest"] < np.uint64(REFERENCE_SHARD) << np.uint64(32)], EDGES)


def edge_array(edges: pa.RecordBatch) -> npt.NDArray[np.void]:
    """EDGES as an array of stackfim.transforms.dedup.bands.EDGE."""
    return _structured(edges, EDGE)


def edge_batch(edges: npt.NDArray[np.void]) -> pa.RecordBatch:
    """An array of stackfim.transforms.dedup.bands.EDGE as EDGES."""
    return _from_structured(edges, EDGES)


def members_by_shard(forest: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
    """(shard, MEMBERS) for each shard with files in components of the forest, in order of shards and rows."""
    components = find_components(edge_array(forest))
    shards = (components.documents >> np.uint64(32)).astype(np.int64)
    sizes = np.diff(components.offsets)
    reference = (
        np.add.reduceat(shards >= REFERENCE_SHARD, components.offsets[:-1]) > 0 if len(sizes) else np.zeros(0, bool)
    )
    columns = {
        "row": (components.documents & np.uint64(0xFFFFFFFF)).astype(np.int64),
        "component": components.document_labels,
        "has_reference": np.repeat(reference, sizes),
    }
    order = np.argsort(components.documents)
    offsets = run_offsets(shards[order])
    for first, last in pairwise(offsets):
        part = order[first:last]
        arrays = [pa.array(columns[field.name][part], field.type) for field in MEMBERS]
        yield int(shards[part[0]]), pa.RecordBatch.from_arrays(arrays, schema=MEMBERS)


def add_totals(parts: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """TOTALS of several batches added up by component, in order of components."""
    table = pa.Table.from_batches(list(parts), TOTALS)
    components, place = np.unique(table.column("component").to_numpy(), return_inverse=True)
    sums = np.zeros(len(components), np.int64)
    np.add.at(sums, place, table.column("shingles").to_numpy())
    return pa.RecordBatch.from_arrays([pa.array(components, pa.uint64()), pa.array(sums)], schema=TOTALS)


def oversized(totals: pa.RecordBatch, settings: DedupSettings) -> pa.RecordBatch:
    """The TOTALS of components that are too large to be verified by their shingles."""
    return totals.filter(pc.greater(totals.column("shingles"), settings.exact_shingles))


def candidates(
    fingerprints: pa.RecordBatch,
    members: pa.RecordBatch,
    signature: pa.Array,
    contents: pa.Array | None,
    estimated: pa.RecordBatch,
    settings: DedupSettings,
) -> pa.RecordBatch:
    """CANDIDATE of the files of one shard that are in components.

    `fingerprints` (FINGERPRINT), `members` (MEMBERS), `signature` and `contents` have a row for each of these files, in the
    same order; `contents` is None for reference files. `estimated` are the components (TOTALS) verified by signatures.
    """
    large = pc.is_in(members.column("component"), estimated.column("component"))
    wants_shingles = (
        pc.invert(large) if contents is not None else pa.array(np.zeros(members.num_rows, bool))
    ).to_numpy(zero_copy_only=False)
    wants_signature = pc.or_(large, members.column("has_reference"))
    shingles = pa.nulls(members.num_rows, _NUMBERS)
    if contents is not None:
        chosen = np.flatnonzero(wants_shingles)
        sets = shingle_sets(contents.take(pa.array(chosen)), settings.ngram)
        sizes = np.zeros(members.num_rows, np.int64)
        sizes[chosen] = sets.sizes
        shingles = pa.ListArray.from_arrays(
            pa.array(offsets_of(sizes).astype(np.int32)),
            pa.array(sets.values),
            type=_NUMBERS,
            mask=pa.array(~wants_shingles),
        )
    arrays = [
        *fingerprints.columns,
        members.column("component"),
        pc.if_else(wants_signature, signature, pa.nulls(members.num_rows, _NUMBERS)),
        shingles,
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=CANDIDATE)


def component_removals(blocks: Iterable[pa.RecordBatch], settings: DedupSettings) -> pa.RecordBatch:
    """LOCATED_REMOVAL of whole components, given as CANDIDATE blocks in any order."""
    table = best_first(pa.Table.from_batches(list(blocks), CANDIDATE), ["component"]).combine_chunks()
    if not table.num_rows:
        return pa.RecordBatch.from_pylist([], schema=LOCATED_REMOVAL)
    files = table.to_batches()[0]
    kept = np.arange(files.num_rows)
    similarity = np.ones(files.num_rows)
    method = np.full(files.num_rows, NEAR, object)
    offsets = run_offsets(files.column("component").to_numpy())
    for first, last in pairwise(offsets.tolist()):
        part = slice(first, last)
        kept[part], similarity[part], method[part] = _settled(files.slice(first, last - first), settings)
        kept[part] += first
    removed = np.flatnonzero(kept != np.arange(files.num_rows))
    return removal_batch(
        files.take(pa.array(removed)),
        files.take(pa.array(kept[removed])),
        similarity[removed],
        method[removed].tolist(),
    )


def _settled(
    files: pa.RecordBatch, settings: DedupSettings
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.object_]]:
    """For each file of one component, best first: the index of the file that it is removed for, similarity and method."""
    count = files.num_rows
    kept, similarity, method = np.arange(count), np.ones(count), np.full(count, NEAR, object)
    reference = files.column("shard").to_numpy() >= REFERENCE_SHARD
    left = ~reference
    if reference.any():
        index = SignatureIndex(signature_matrix(files.column("signature"), settings.permutations), settings)
        for document in np.flatnonzero(reference).tolist():
            taken = index.similar(document, left)
            kept[taken.documents], similarity[taken.documents] = document, taken.similarity
            method[taken.documents] = NEAR_ESTIMATED
            left[taken.documents] = False
    rest = np.flatnonzero(left)
    if len(rest) > 1:
        own = files.take(pa.array(rest))
        exact = not own.column("shingles").null_count
        sets = ShingleSets(*_ragged(own.column("shingles"))) if exact else None
        matrix = np.empty((len(rest), 0), np.uint32)
        if not exact:
            matrix = signature_matrix(own.column("signature"), settings.permutations)
        stars = settle(sets, matrix, settings)
        kept[rest], similarity[rest] = rest[stars.kept], stars.similarity
        method[rest] = NEAR if stars.exact else NEAR_ESTIMATED
    return kept, similarity, method


def follow_kept(exact: pa.RecordBatch, near: pa.RecordBatch) -> pa.RecordBatch:
    """The exact removals, none of which names a file as kept that is itself removed as a near-duplicate.

    Both are LOCATED_REMOVAL; `near` has each content at most once. Where the kept file is a near-duplicate, its copies name
    the file that it is removed for; since they have the same text, its similarity and method hold for them too.
    """
    of_content = {content: row for row, content in enumerate(near.column("content_id").to_pylist())}
    places = [of_content.get(content) for content in exact.column("kept_content_id").to_pylist()]
    if not any(place is not None for place in places):
        return exact
    moved = pa.array([place is not None for place in places])
    source = near.take(pa.array(places, pa.int64()))
    columns = [
        pc.if_else(moved, source.column(field.name), exact.column(field.name))
        if field.name in ("kept_content_id", "kept_repository", "kept_path", "similarity", "cluster_id", "method")
        else exact.column(field.name)
        for field in LOCATED_REMOVAL
    ]
    return pa.RecordBatch.from_arrays(columns, schema=LOCATED_REMOVAL)


def _ragged(column: pa.Array) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    sizes = pc.list_value_length(column).to_numpy(zero_copy_only=False).astype(np.int64)
    return column.flatten().to_numpy(), offsets_of(sizes)


def _structured(batch: pa.RecordBatch, dtype: np.dtype[np.void]) -> npt.NDArray[np.void]:
    array = np.empty(batch.num_rows, dtype)
    for name in dtype.names or ():
        array[name] = batch.column(name).to_numpy()
    return array


def _from_structured(array: npt.NDArray[np.void], schema: pa.Schema) -> pa.RecordBatch:
    arrays = [pa.array(np.ascontiguousarray(array[name])) for name in schema.names]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
