"""Stars: which documents of a component stay, and for which of them each of the others is removed.

The best document stays and removes every document that reaches the threshold with it; then the best of those that
remain, until none remains. So every removal names a document that stays and their similarity, and no two documents that
stay reach the threshold (when it is verified exactly). A document is never removed for being like one that is itself
removed: at the end of a chain of similar documents, one that differs from the best stays.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.dedup.shingles import ShingleSets
from stackfim.transforms.dedup.similarity import ShingleIndex, SignatureIndex, SimilarityIndex


@dataclass(frozen=True)
class Stars:
    """What becomes of the documents of a component, by index.

    `kept`: int64, shape (documents,): the document that each is removed for, its own index where it stays.
    `similarity`: float64, shape (documents,): Jaccard similarity to that document, 1.0 where it stays.
    `exact`: whether similarities are exact; otherwise they are estimated from signatures.
    """

    kept: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float64]
    exact: bool

    def __len__(self) -> int:
        """Number of documents."""
        return len(self.kept)

    @property
    def removed(self) -> npt.NDArray[np.int64]:
        """Indices of the removed documents, ascending."""
        return np.flatnonzero(self.kept != np.arange(len(self.kept)))


def take_stars(index: SimilarityIndex) -> Stars:
    """The stars of the documents of `index`, which are in order, best first."""
    count = len(index)
    kept = np.arange(count)
    similarity = np.ones(count)
    remaining = np.ones(count, bool)
    for document in range(count):
        if not remaining[document]:
            continue
        remaining[document] = False
        taken = index.similar(document, remaining)
        kept[taken.documents] = document
        similarity[taken.documents] = taken.similarity
        remaining[taken.documents] = False
    return Stars(kept, similarity, index.exact)


def settle(shingles: ShingleSets | None, signatures: npt.NDArray[np.uint32], settings: DedupSettings) -> Stars:
    """The stars of one component, best document first: exact, or estimated when it is too large or `shingles` is None.

    It is too large when its documents have more than `settings.exact_shingles` shingles together. `signatures`: uint32,
    shape (documents, permutations), used only for an estimate.
    """
    if shingles is None or len(shingles.values) > settings.exact_shingles:
        return take_stars(SignatureIndex(signatures, settings))
    return take_stars(ShingleIndex(shingles, settings.threshold))
