"""Stars: which documents of a component stay, and which one each of the others is removed for.

The best document that remains stays and takes every remaining document that reaches the threshold with it; then the
next best, until none remains. So every removal names a document that stays and their similarity, no two documents that
stay reach the threshold (when verified exactly), and the outcome depends on the documents' ranks, not on their order.
A document is never removed for being like one that is itself removed: chains do not carry away what is different.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.dedup.shingles import ShingleSets
from stackfim.transforms.dedup.similarity import ShingleIndex, SignatureIndex, SimilarityIndex
from stackfim.transforms.ragged import begins_run


@dataclass(frozen=True)
class Stars:
    """What became of the documents of a component, by index.

    `kept`: int64, shape (documents,): the document that stays for each; its own index where it stays itself.
    `similarity`: float64, shape (documents,): Jaccard similarity to that document; 1.0 where it stays itself.
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


def take_stars(
    index: SimilarityIndex, ranks: npt.NDArray[np.int64], reference: npt.NDArray[np.bool_] | None = None
) -> Stars:
    """The stars of the documents of `index`.

    `ranks`: shape (documents,): distinct integers, the least one is the best document. `reference`: shape (documents,):
    documents that stay whatever they are like, such as those of an earlier run: they come first, in the order of their
    ranks, and remove others.
    Raises ValueError for lengths that differ and ranks that repeat.
    """
    count = len(index)
    is_reference = np.zeros(count, bool) if reference is None else reference
    if ranks.shape != (count,) or is_reference.shape != (count,):
        raise ValueError(
            f"expected one rank and one reference mark for each document: {count=}, {ranks.shape=}, {is_reference.shape=}"
        )
    order = np.lexsort((ranks, ~is_reference))
    ordered = np.sort(ranks)
    repeated = ordered[~begins_run(ordered)]
    if len(repeated):
        raise ValueError(f"ranks are all different, got {int(repeated[0])} more than once")
    kept = np.arange(count)
    similarity = np.ones(count)
    open_ = ~is_reference
    for document in order.tolist():
        if not (open_[document] or is_reference[document]):
            continue
        open_[document] = False
        taken = index.similar(document, open_)
        kept[taken.documents] = document
        similarity[taken.documents] = taken.similarity
        open_[taken.documents] = False
    return Stars(kept, similarity, index.exact)


def settle(
    shingles: ShingleSets | None,
    signatures: npt.NDArray[np.uint32],
    ranks: npt.NDArray[np.int64],
    settings: DedupSettings,
    reference: npt.NDArray[np.bool_] | None = None,
) -> Stars:
    """The stars of one component: exact, or estimated when it is too large or `shingles` is None.

    Too large is more than `settings.exact_shingles` shingles, added up over its documents. `signatures`: uint32, shape
    (documents, permutations), looked at only for an estimate. `ranks` and `reference` as in `take_stars`. Raises
    ValueError for lengths that differ.
    """
    if shingles is None or len(shingles.values) > settings.exact_shingles:
        return take_stars(SignatureIndex(signatures, settings), ranks, reference)
    return take_stars(ShingleIndex(shingles, settings.threshold), ranks, reference)
