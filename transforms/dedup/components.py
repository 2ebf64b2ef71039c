"""Connected components of edges: which documents may be near-duplicates, directly or through others.

A component only says which documents have to be compared. It is the smallest unit that can be settled by itself, often a
chain of documents whose first and last have little in common; `stars` decides which document is a duplicate of which.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stackfim.transforms.dedup.bands import EDGE
from stackfim.transforms.ragged import offsets_of


@dataclass(frozen=True)
class Components:
    """Connected components of two or more documents.

    `documents`: uint64, shape (documents,): ids, ascending within a component, components in the order of their labels.
    `offsets`: int64, shape (components + 1,): component i has `documents[offsets[i]:offsets[i + 1]]`; its label is the
    first of these, the smallest.
    """

    documents: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Number of components."""
        return len(self.offsets) - 1

    @property
    def labels(self) -> npt.NDArray[np.uint64]:
        """The label of every component: its smallest id; uint64, shape (components,)."""
        return self.documents[self.offsets[:-1]]

    @property
    def document_labels(self) -> npt.NDArray[np.uint64]:
        """The label of every document's component: uint64, shape (documents,)."""
        return np.repeat(self.labels, np.diff(self.offsets))


def find_components(edges: npt.NDArray[np.void]) -> Components:
    """The components of an EDGE array, whose edges may come in any order and more than once."""
    from scipy.sparse import coo_array  # takes a third of a second, and only one process of a run comes here
    from scipy.sparse.csgraph import connected_components

    edges = edges[edges["document"] != edges["smallest"]]
    documents, ends = np.unique(np.concatenate((edges["document"], edges["smallest"])), return_inverse=True)
    if not len(documents):
        return Components(np.empty(0, np.uint64), np.zeros(1, np.int64))
    shape = (len(documents), len(documents))
    graph = coo_array((np.ones(len(edges), bool), (ends[: len(edges)], ends[len(edges) :])), shape)
    count, component = connected_components(graph, directed=False)
    first = np.full(count, len(documents), np.int64)
    np.minimum.at(first, component, np.arange(len(documents)))
    order = np.argsort(first[component], kind="stable")  # ids ascend, so the first of a component is its smallest
    sizes = np.bincount(component, minlength=count)[np.argsort(first)]
    return Components(documents[order].astype(np.uint64), offsets_of(sizes))


def spanning_forest(edges: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """The fewest edges with the same components: one from each document to its label, but none from a label to itself.

    EDGE array, ordered by smallest, then document. The forest of two forests together is the forest of all their edges,
    so edges can be reduced in any grouping, and memory stays in proportion to the documents that have an edge at all.
    """
    components = find_components(edges)
    forest = np.empty(len(components.documents), EDGE)
    forest["document"] = components.documents
    forest["smallest"] = components.document_labels
    within: npt.NDArray[np.void] = forest[forest["document"] != forest["smallest"]]
    return within
