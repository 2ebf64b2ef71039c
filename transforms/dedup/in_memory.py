"""Deduplication of rows that fit into memory: the steps of `transform.RemoveDuplicates`, one after another, without Beam."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackfim.transforms.dedup.components import spanning_forest
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.dedup.exact import LOCATED_REMOVAL, exact_removals
from stackfim.transforms.dedup.near import (
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
from stackfim.transforms.dedup.order import FINGERPRINT
from stackfim.transforms.record_batches import single_batch

_SHARD = 0


def find_removals(rows: pa.RecordBatch, settings: DedupSettings | None) -> pa.RecordBatch:
    """The duplicates among `rows` (schemas.source.ROW): LOCATED_REMOVAL, in order of rows, all in shard 0.

    They are the same that a run finds in a shard of these rows. `settings` None removes exact copies only.
    """
    fingerprints = _fingerprints(rows)
    exact = exact_removals([fingerprints])
    parts = [exact] if settings is None else _near_and_exact(rows, fingerprints, exact, settings)
    removals = pa.Table.from_batches(parts, LOCATED_REMOVAL)
    return single_batch(removals.take(pc.sort_indices(removals, sort_keys=[("row", "ascending")])))


def _fingerprints(rows: pa.RecordBatch) -> pa.RecordBatch:
    count = rows.num_rows
    places = {"shard": pa.array(np.full(count, _SHARD, np.int32)), "row": pa.array(np.arange(count))}
    arrays = [places[name] if name in places else rows.column(name) for name in FINGERPRINT.names]
    return pa.RecordBatch.from_arrays(arrays, schema=FINGERPRINT)


def _near_and_exact(
    rows: pa.RecordBatch, fingerprints: pa.RecordBatch, exact: pa.RecordBatch, settings: DedupSettings
) -> list[pa.RecordBatch]:
    """The removals of near-duplicates, and those of exact copies with what stays for them after that."""
    left = np.setdiff1d(np.arange(rows.num_rows), exact.column("row").to_numpy())
    content = rows.column("content").take(pa.array(left))
    signed = signature_batch(content, settings)
    named = pa.RecordBatch.from_arrays([pa.array(left), *signed.columns], names=["row", "shingles", "signature"])
    languages = rows.column("language").take(pa.array(left)).to_pylist()
    packed = pack_bands(_SHARD, named, languages, settings, partitions=1)
    edges = bucket_edges(block for _, block in packed)
    parts = []
    for _, members in members_by_shard(edge_batch(spanning_forest(edge_array(edges)))):
        # Members come in order of rows, and every one of them is among the rows that are left.
        places = pa.array(np.searchsorted(left, members.column("row").to_numpy()))
        shingles = signed.column("shingles").take(places).cast(pa.int64())
        totals = add_totals([pa.RecordBatch.from_arrays([members.column("component"), shingles], schema=TOTALS)])
        found = candidates(
            fingerprints.take(members.column("row")),
            members,
            signed.column("signature").take(places),
            content.take(places),
            oversized(totals, settings),
            settings,
        )
        parts.append(component_removals([found], settings))
    near = single_batch(pa.Table.from_batches(parts, LOCATED_REMOVAL))
    return [near, follow_kept(exact, near)]
