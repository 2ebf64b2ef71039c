"""Bands: from signatures to keys, packed entries for a shuffle, buckets and star edges.

Documents that agree on all rows of one band have the same key there and meet in a bucket. At Jaccard similarity s they do
so with a probability of 1 - (1 - s^rows)^bands (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, section 3.4.2).

A shuffle with one element for each document and band costs thirty times as much as one of packed entries, so entries
travel in blocks: a structured array for each partition of the keys. A bucket of n documents gives n - 1 edges, from each
member to the smallest: they are enough for its connected component, and all pairs would be n * (n - 1) / 2.

Documents are named by 64-bit ids that the caller chooses, such as shard * 2^32 + row in the shard.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stackfim.transforms.dedup.dedup_settings import MAX_BANDS
from stackfim.transforms.dedup.murmur import finalise_64, place_factors
from stackfim.transforms.ragged import begins_run, distinct, offsets_of, run_offsets

# A document in a band: the band's key and the document's id.
ENTRY = np.dtype([("key", "<u8"), ("document", "<u8")])
# Two documents that may be near-duplicates; document > smallest.
EDGE = np.dtype([("document", "<u8"), ("smallest", "<u8")])

_HASH_BITS = (
    55  # of a key; the 8 bits above hold the band, and the highest stays 0 for the signed integers of Arrow and Beam
)


@dataclass(frozen=True)
class Buckets:
    """Documents that share a band key, two or more in each bucket.

    `documents`: uint64, shape (members,): ids, distinct and ascending within a bucket, buckets in the order of their keys.
    `offsets`: int64, shape (buckets + 1,): bucket i has `documents[offsets[i]:offsets[i + 1]]`.
    """

    documents: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Number of buckets."""
        return len(self.offsets) - 1


def scope_hashes(names: Sequence[str]) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of every document's scope, such as its language: uint64, shape (documents,); the same on every machine."""
    of_name = {
        name: int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
        for name in dict.fromkeys(names)
    }
    return np.fromiter((of_name[name] for name in names), np.uint64, len(names))


def band_keys(
    signatures: npt.NDArray[np.uint32], bands: int, rows: int, scopes: npt.NDArray[np.uint64] | None = None
) -> npt.NDArray[np.uint64]:
    """The key of every document in every band: uint64 below 2^63, shape (documents, bands).

    Two documents have the same key in a band where they have the same scope and the same `rows` values (others coincide
    once in 2^55). Bits 55 to 62 are the band's index, so keys of different bands always differ. `scopes`, shape
    (documents,), keeps documents of different scopes apart; without it all may meet.

    Raises ValueError when the signatures are too short for the bands, or for a wrong number of scopes.
    """
    documents, permutations = signatures.shape
    if not 1 <= bands <= MAX_BANDS:
        raise ValueError(f"bands is from 1 to {MAX_BANDS}, got {bands}")
    if rows < 1 or bands * rows > permutations:
        raise ValueError(f"{bands} bands of {rows} rows need signatures of {bands * rows} values, got {permutations}")
    if scopes is not None and scopes.shape != (documents,):
        raise ValueError(f"expected one scope for each document, shape ({documents},), got {scopes.shape}")
    grouped = signatures[:, : bands * rows].reshape(documents, bands, rows)
    sums = np.zeros((documents, bands), np.uint64)
    if scopes is not None:
        sums += scopes[:, np.newaxis]
    for row, factor in enumerate(place_factors(rows)):
        sums += grouped[:, :, row] * factor
    hashes = finalise_64(sums) >> np.uint64(64 - _HASH_BITS)
    return hashes | np.arange(bands, dtype=np.uint64) << np.uint64(_HASH_BITS)


def pack(
    keys: npt.NDArray[np.uint64], documents: npt.NDArray[np.uint64], occupied: npt.NDArray[np.bool_], partitions: int
) -> list[tuple[int, npt.NDArray[np.void]]]:
    """Entries for a shuffle: (partition, ENTRY array) for each partition that has any, partitions ascending.

    `keys`: shape (documents, bands). `documents`: shape (documents,), the ids. `occupied`: shape (documents,), whether a
    document has shingles: those without would all be candidates of each other and are left out. An entry's partition is
    its key modulo `partitions`, so all entries of a bucket are in one partition.
    Raises ValueError for lengths that differ and for `partitions` outside 1 to 65536.
    """
    count, bands = keys.shape
    if documents.shape != (count,) or occupied.shape != (count,):
        raise ValueError(
            f"expected one id and one mark for each document: {keys.shape=}, {documents.shape=}, {occupied.shape=}"
        )
    if not 1 <= partitions <= 65_536:
        raise ValueError(f"partitions is from 1 to 65536, got {partitions}")
    entries = np.empty(int(np.count_nonzero(occupied)) * bands, ENTRY)
    entries["key"] = keys[occupied].ravel()
    entries["document"] = np.repeat(documents[occupied], bands)
    partition = (entries["key"] % np.uint64(partitions)).astype(np.uint16)
    entries = entries[np.argsort(partition, kind="stable")]
    sizes = np.bincount(partition, minlength=partitions)
    offsets = offsets_of(sizes)
    return [(index, entries[offsets[index] : offsets[index + 1]]) for index in np.flatnonzero(sizes).tolist()]


def find_buckets(blocks: Iterable[npt.NDArray[np.void]]) -> Buckets:
    """The buckets of two or more documents in the ENTRY blocks of one partition, whatever the blocks' order."""
    filled = [block for block in blocks if len(block)]
    if not filled:
        return Buckets(np.empty(0, np.uint64), np.zeros(1, np.int64))
    keys = np.concatenate([block["key"] for block in filled])
    documents = np.concatenate([block["document"] for block in filled])
    # Most keys occur once; sorting the keys alone removes those before the costlier sort by two columns.
    ordered = np.sort(keys)
    repeated = distinct(ordered[~begins_run(ordered)])
    if not len(repeated):
        return Buckets(np.empty(0, np.uint64), np.zeros(1, np.int64))
    place = np.minimum(np.searchsorted(repeated, keys), len(repeated) - 1)
    shared = repeated[place] == keys
    keys, documents = keys[shared], documents[shared]
    order = np.lexsort((documents, keys))
    keys, documents = keys[order], documents[order]
    # A block that came twice must not make a bucket of a document and itself.
    differs = begins_run(keys) | begins_run(documents)
    keys, documents = keys[differs], documents[differs]
    sizes = np.diff(run_offsets(keys))
    documents = documents[np.repeat(sizes > 1, sizes)]
    return Buckets(documents.astype(np.uint64), offsets_of(sizes[sizes > 1]))


def star_edges(buckets: Buckets) -> npt.NDArray[np.void]:
    """EDGE array from every bucket's members to its smallest one: distinct, ordered by smallest, then document."""
    sizes = np.diff(buckets.offsets)
    edges = np.empty(len(buckets.documents), EDGE)
    edges["document"] = buckets.documents
    edges["smallest"] = np.repeat(buckets.documents[buckets.offsets[:-1]], sizes)
    edges = edges[edges["document"] != edges["smallest"]]
    edges = edges[np.lexsort((edges["document"], edges["smallest"]))]
    different: npt.NDArray[np.void] = edges[begins_run(edges["document"]) | begins_run(edges["smallest"])]
    return different
