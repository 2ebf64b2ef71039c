"""Which documents are similar enough: exactly, by their shingle sets, or estimated, by their signatures.

Both are an index over some documents that finds, for one of them, which others reach the threshold and how similar they
are; `stars` looks up the best document first and then only those that remain.

The exact index finds every such document and compares few others, by prefix filtering (Chaudhuri, Ganti, Kaushik 2006;
Bayardo, Ma, Srikant 2007, "Scaling up all pairs similarity search"). With all shingles in one order, rarest first, a
document A of |A| shingles that reaches similarity t with B shares at least ceil(t * |A|) of them, so one of the shared
ones is among A's first |A| - ceil(t * |A|) + 1, and the same holds for B: only documents whose prefixes share a shingle
are compared. Text that many documents have, such as license headers, comes last and costs nothing.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from stackfim.transforms.dedup.bands import band_keys
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.dedup.shingles import ShingleSets
from stackfim.transforms.dedup.signatures import EMPTY, similarity
from stackfim.transforms.ragged import distinct, offsets_of, ranges, run_offsets

# A bound such as threshold * size may be rounded to a little above the exact whole number; this factor takes it below.
_ROUNDING = 1.0 - 1e-12
_PAIRS_AT_ONCE = 2_048
_SIGNATURES_AT_ONCE = 16_384


@dataclass(frozen=True)
class Similar:
    """Documents at or above the threshold: `documents`, int64 indices, ascending, and their `similarity`, float64."""

    documents: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float64]


class SimilarityIndex(Protocol):
    """What `stars` needs to know about some documents."""

    exact: bool
    """Whether similarities are exact; otherwise they are estimated."""

    def __len__(self) -> int:
        """Number of documents."""
        ...

    def similar(self, document: int, remaining: npt.NDArray[np.bool_]) -> Similar:
        """The documents with `remaining` set, other than itself, that reach the threshold with `document`."""
        ...


class ShingleIndex:
    """Exact Jaccard similarity of shingle sets, |A and B| / |A or B|; documents without shingles are similar to none.

    Memory: 11 bytes for each shingle, and 55 while the index is made.
    """

    exact = True

    def __init__(self, shingles: ShingleSets, threshold: float) -> None:
        """An index over the documents of `shingles`. Raises ValueError for a threshold outside 0 (excluded) to 1."""
        _expect_threshold(threshold)
        self._threshold = threshold
        self._sizes = shingles.sizes
        count = len(shingles)
        # Shingles that only one document has matter only for its size, which is known, so they are left out.
        order = np.argsort(shingles.values, kind="stable")  # merges the documents' ascending runs
        frequency = np.diff(run_offsets(shingles.values[order]))
        is_shared = frequency > 1
        entries = order[np.repeat(is_shared, frequency)]
        frequency = frequency[is_shared]
        rarity = np.empty(len(frequency), np.int64)  # 0 for the rarest
        rarity[np.argsort(frequency, kind="stable")] = np.arange(len(frequency))
        keys = np.repeat(np.arange(count), self._sizes)[entries] << 32 | np.repeat(rarity, frequency)
        keys.sort()
        document_of = keys >> 32
        shared_sizes = np.bincount(document_of, minlength=count)
        alone = self._sizes - shared_sizes
        # The shingles that document d shares with any, rarest first: _shared[_starts[d]:_starts[d] + _shared_sizes[d]].
        self._shared = keys & 0xFFFFFFFF
        self._shared_sizes = shared_sizes
        self._starts = np.cumsum(shared_sizes) - shared_sizes
        least_overlap = np.ceil(self._sizes * (threshold * _ROUNDING)).astype(np.int64)
        prefixes = self._sizes - np.maximum(least_overlap, 1) + 1
        self._prefixes = np.clip(prefixes - alone, 0, shared_sizes)
        # The documents with shingle s in their prefix: _postings[_posting_starts[s]:_posting_starts[s + 1]].
        places = ranges(self._starts, self._prefixes)
        in_prefix = self._shared[places]
        self._postings = document_of[places][np.argsort(in_prefix, kind="stable")]
        self._posting_starts = offsets_of(np.bincount(in_prefix, minlength=len(frequency)))
        self._marks = np.zeros(len(frequency), bool)

    def __len__(self) -> int:
        """Number of documents."""
        return len(self._sizes)

    def similar(self, document: int, remaining: npt.NDArray[np.bool_]) -> Similar:
        """The documents with `remaining` set, other than itself, of exact similarity at or above the threshold."""
        start, prefix = self._starts[document], self._prefixes[document]
        first = self._shared[start : start + prefix]
        lists = self._posting_starts[first]
        found = distinct(np.sort(self._postings[ranges(lists, self._posting_starts[first + 1] - lists)]))
        size = self._sizes[document]
        sizes = self._sizes[found]
        fits = remaining[found] & (found != document)
        # Similarity is at most the smaller size over the larger one, even if all of the smaller set is shared.
        fits &= np.minimum(sizes, size) >= np.maximum(sizes, size) * (self._threshold * _ROUNDING)
        found, sizes = found[fits], sizes[fits]
        if not len(found):
            return Similar(found, np.empty(0))
        own = self._shared[start : start + self._shared_sizes[document]]
        self._marks[own] = True
        lengths = self._shared_sizes[found]  # never 0: each document has the shingle by which it was found
        is_common = self._marks[self._shared[ranges(self._starts[found], lengths)]]
        common = np.add.reduceat(is_common, np.cumsum(lengths) - lengths, dtype=np.int64)
        self._marks[own] = False
        similarities = common / (sizes + size - common)
        reached = similarities >= self._threshold
        return Similar(found[reached], similarities[reached])


class SignatureIndex:
    """Estimated similarity of documents that share a band: the share of equal values in their signatures.

    For components that are too large for `ShingleIndex`, and for reference files, which have no shingles. With 252
    permutations, the default, the standard error is 0.03 at a similarity of 0.7. Memory: about 55 bytes for each document
    and band besides the signatures. Work: every document that stays is compared with the signatures in its buckets.
    """

    exact = False

    def __init__(self, signatures: npt.NDArray[np.uint32], settings: DedupSettings) -> None:
        """An index over documents by their signatures, shape (documents, permutations).

        Raises ValueError when the signatures are too short for the bands of `settings`.
        """
        self._threshold = settings.threshold
        self._signatures = signatures
        keys = band_keys(signatures, settings.bands, settings.rows)
        _, bucket_of = np.unique(keys, return_inverse=True)
        self._buckets = bucket_of.reshape(keys.shape)
        flat = self._buckets.ravel()
        self._members = np.argsort(flat, kind="stable") // settings.bands
        self._bucket_starts = offsets_of(np.bincount(flat))
        self._occupied = (signatures != EMPTY).any(axis=1)

    def __len__(self) -> int:
        """Number of documents."""
        return len(self._signatures)

    def similar(self, document: int, remaining: npt.NDArray[np.bool_]) -> Similar:
        """The documents with `remaining` set, other than itself, of estimated similarity at or above the threshold."""
        buckets = self._buckets[document]
        starts = self._bucket_starts[buckets]
        members = self._members[ranges(starts, self._bucket_starts[buckets + 1] - starts)]
        found = distinct(np.sort(members[remaining[members] & self._occupied[members]]))
        found = found[found != document]
        if not self._occupied[document]:
            found = found[:0]
        similarities = np.empty(len(found))
        for first in range(0, len(found), _SIGNATURES_AT_ONCE):
            part = slice(first, first + _SIGNATURES_AT_ONCE)
            similarities[part] = similarity(self._signatures[document], self._signatures[found[part]])
        reached = similarities >= self._threshold
        return Similar(found[reached], similarities[reached])


def jaccard(
    shingles: ShingleSets, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Exact Jaccard similarity of pairs of documents: float64, shape (pairs,); 0 where neither has a shingle.

    `left` and `right`: indices of documents, shape (pairs,). Raises ValueError when their lengths differ.
    """
    if left.shape != right.shape:
        raise ValueError(f"expected one right document for each left one: {left.shape=}, {right.shape=}")
    result = np.zeros(len(left))
    sizes = shingles.sizes
    for first in range(0, len(left), _PAIRS_AT_ONCE):
        part = slice(first, first + _PAIRS_AT_ONCE)
        pair_of = [np.repeat(np.arange(len(side), dtype=np.uint64), sizes[side]) for side in (left[part], right[part])]
        values = [shingles.take(side).values for side in (left[part], right[part])]
        keys = np.concatenate(pair_of) << np.uint64(32) | np.concatenate(values)
        keys.sort()
        both = keys[1:][keys[1:] == keys[:-1]] >> np.uint64(32)
        common = np.bincount(both.astype(np.int64), minlength=len(left[part]))
        union = sizes[left[part]] + sizes[right[part]] - common
        result[part] = common / np.maximum(union, 1)
    return result


def _expect_threshold(threshold: float) -> None:
    if math.isnan(threshold) or not 0.0 < threshold <= 1.0:
        raise ValueError(f"threshold is a Jaccard similarity above 0 and at most 1, got {threshold!r}")
