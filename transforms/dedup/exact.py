"""Exact copies: files with the same bytes, by their git blob SHA-1."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.schemas.removal import EXACT, REMOVAL
from stackfim.transforms.dedup.order import FINGERPRINT, REFERENCE_SHARD, best_first

LOCATED_REMOVAL = pa.schema([*REMOVAL, FINGERPRINT.field("shard"), FINGERPRINT.field("row")])
"""A removal with the shard and the row of the removed file."""

PARTITIONS = 64
"""Number of parts into which fingerprints are divided by content id; no result depends on it."""


def partition_by_content(fingerprints: pa.RecordBatch) -> list[tuple[int, pa.RecordBatch]]:
    """(partition, fingerprints) for each partition that has any; equal contents are always in the same one."""
    if not fingerprints.num_rows:
        return []
    prefixes = np.array([int(content_id[:4], 16) for content_id in fingerprints.column("content_id").to_pylist()])
    partitions = prefixes % PARTITIONS
    order = np.argsort(partitions, kind="stable")
    borders = np.flatnonzero(np.diff(partitions[order])) + 1
    return [(int(partitions[part[0]]), fingerprints.take(pa.array(part))) for part in np.split(order, borders)]


def exact_removals(fingerprints: list[pa.RecordBatch]) -> pa.RecordBatch:
    """LOCATED_REMOVAL of all but the best copy of each content, in order of content id, whatever the order of the input.

    Reference files remove others and are never removed.
    """
    table = best_first(pa.Table.from_batches(fingerprints, FINGERPRINT), ["content_id"]).combine_chunks()
    if not table.num_rows:
        return pa.RecordBatch.from_pylist([], schema=LOCATED_REMOVAL)
    ids = table.column("content_id").combine_chunks().dictionary_encode().indices.to_numpy()
    is_first = np.concatenate(([True], ids[1:] != ids[:-1]))
    kept_of = np.maximum.accumulate(np.where(is_first, np.arange(len(ids)), 0))
    is_copy = ~is_first & (table.column("shard").to_numpy() < REFERENCE_SHARD)
    removed, kept = (
        table.take(pa.array(rows)).combine_chunks().to_batches() for rows in (np.flatnonzero(is_copy), kept_of[is_copy])
    )
    if not removed:
        return pa.RecordBatch.from_pylist([], schema=LOCATED_REMOVAL)
    count = removed[0].num_rows
    return removal_batch(removed[0], kept[0], np.ones(count), [EXACT] * count)


def removal_batch(
    removed: pa.RecordBatch, kept: pa.RecordBatch, similarity: npt.NDArray[np.float64], method: list[str]
) -> pa.RecordBatch:
    """LOCATED_REMOVAL of files, and of the file that is kept for each; both have the columns of FINGERPRINT."""
    columns = {
        "content_id": removed.column("content_id"),
        "repository": removed.column("repository"),
        "path": removed.column("path"),
        "kept_content_id": kept.column("content_id"),
        "kept_repository": kept.column("repository"),
        "kept_path": kept.column("path"),
        "similarity": pa.array(similarity, pa.float64()),
        "cluster_id": kept.column("content_id"),
        "method": pa.array(method, pa.string()),
        "shard": removed.column("shard"),
        "row": removed.column("row"),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in LOCATED_REMOVAL.names], schema=LOCATED_REMOVAL)
