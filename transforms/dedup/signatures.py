"""MinHash signatures, equal bit for bit to those of datasketch.

Row i of the result is what `datasketch.MinHash(num_perm=K, seed=S, hashfunc=int, scheme="affine32")` holds after
`update_batch(shingles of document i)`: a shingle h is mixed once by MurmurHash3's 32-bit finaliser, permutation k maps it
to a_k * h + b_k modulo 2^32 with an odd a_k, and the signature holds the least of these values over the document. A
document without shingles has 2^32 - 1 in every place. The permutations are taken from datasketch itself.

Speed comes from the order of the work: a block of shingles that fits the cache goes through all permutations, each of
which is a multiplication, an addition and one minimum for each document over a single vector.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from stackfim.transforms.dedup.murmur import finalise_32
from stackfim.transforms.dedup.shingles import ShingleSets

SCHEME = "affine32"
EMPTY = np.uint32(0xFFFFFFFF)
BLOCK_SHINGLES = 64 * 1024


@dataclass(frozen=True)
class Permutations:
    """The permutations h -> multipliers * h + increments modulo 2^32 of datasketch for one `seed`.

    `multipliers` and `increments`: uint32, shape (permutations,), read-only; the multipliers are odd.
    """

    seed: int
    multipliers: npt.NDArray[np.uint32]
    increments: npt.NDArray[np.uint32]

    def __len__(self) -> int:
        """Number of permutations, which is the number of values in a signature."""
        return len(self.multipliers)


@lru_cache(maxsize=16)
def permutations(count: int, seed: int = 1) -> Permutations:
    """The permutations that datasketch draws for `num_perm=count, seed=seed`; raises ValueError for a count below 1."""
    if count < 1:
        raise ValueError(f"count is a number of permutations from 1, got {count}")
    from datasketch import MinHash  # imports most of scipy, so it is imported only where it is needed

    multipliers, increments = MinHash(num_perm=count, seed=seed, scheme=SCHEME).permutations
    if multipliers.dtype != np.uint32 or increments.dtype != np.uint32:
        raise TypeError(f"datasketch's {SCHEME} permutations are expected to be uint32, got {multipliers.dtype}")
    multipliers.flags.writeable = False
    increments.flags.writeable = False
    return Permutations(seed, multipliers, increments)


def signatures(
    shingles: ShingleSets, permutations: Permutations, *, block_shingles: int = BLOCK_SHINGLES
) -> npt.NDArray[np.uint32]:
    """The signature of every document: uint32, shape (documents, permutations).

    `block_shingles` is how many shingles are processed at a time; it affects speed, never the result.
    Raises ValueError when it is below 1.
    """
    if block_shingles < 1:
        raise ValueError(f"block_shingles is a number of shingles from 1, got {block_shingles}")
    count = len(permutations)
    result = np.full((len(shingles), count), EMPTY, np.uint32)
    documents = np.flatnonzero(shingles.sizes)
    starts = shingles.offsets[documents]
    factors = list(permutations.multipliers)
    terms = list(permutations.increments)
    scratch = np.empty(min(block_shingles, len(shingles.values)), np.uint32)
    for first in range(0, len(shingles.values), block_shingles):
        mixed = finalise_32(shingles.values[first : first + block_shingles])
        permuted = scratch[: len(mixed)]
        # The documents with a shingle in this block; the first may have begun in an earlier one, the last may end in a later.
        first_document = int(np.searchsorted(starts, first, side="right")) - 1
        last_document = int(np.searchsorted(starts, first + len(mixed)))
        segments = np.maximum(starts[first_document:last_document] - first, 0)
        least = np.empty((count, len(segments)), np.uint32)
        for index in range(count):
            np.multiply(mixed, factors[index], permuted)
            np.add(permuted, terms[index], permuted)
            np.minimum.reduceat(permuted, segments, out=least[index])
        rows = documents[first_document:last_document]
        result[rows] = np.minimum(result[rows], least.T)
    return result


def similarity(signature: npt.NDArray[np.uint32], others: npt.NDArray[np.uint32]) -> npt.NDArray[np.float64]:
    """Estimated Jaccard similarity of a document's signature to others, shapes (permutations,), (documents, permutations).

    float64, shape (documents,): the share of equal values, with a standard error of sqrt(j * (1 - j) / permutations).
    Broder 1997: On the resemblance and containment of documents.
    """
    share: npt.NDArray[np.float64] = np.count_nonzero(others == signature, axis=1) / signature.shape[0]
    return share
