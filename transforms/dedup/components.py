"""Connected components of edges: which documents may be near-duplicates, directly or through others.

A component only says which documents have to be compared. It is the smallest unit that can be settled by itself, and is
often a chain of documents of which the ends have little in common: what is a duplicate of what, `stars` decides.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stackfim.transforms.dedup.bands import EDGE
from stackfim.transforms.ragged import offsets_of


@dataclass(frozen=True)
class Components:
    """Connected components of two or more rows.

    `rows`: uint64, shape (rows,): document ids, ascending within a component, components in the order of their labels.
    `offsets`: int64, shape (components + 1,): component i has `rows[offsets[i]:offsets[i + 1]]`; its label is the first
    of these, the smallest.
    """

    rows: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Number of components."""
        return len(self.offsets) - 1

    @property
    def labels(self) -> npt.NDArray[np.uint64]:
        """The label of every component: its smallest id; uint64, shape (components,)."""
        return self.rows[self.offsets[:-1]]

    @property
    def row_labels(self) -> npt.NDArray[np.uint64]:
        """The label of every row's component: uint64, shape (rows,)."""
        return np.repeat(self.labels, np.diff(self.offsets))


def find_components(edges: npt.NDArray[np.void]) -> Components:
    """The components of an EDGE array in any order; it may repeat edges."""
    from scipy.sparse import coo_array  # a third of a second, and only one process of a run comes here
    from scipy.sparse.csgraph import connected_components

    edges = edges[edges["row"] != edges["smallest"]]
    rows, ends = np.unique(np.concatenate((edges["row"], edges["smallest"])), return_inverse=True)
    if not len(rows):
        return Components(np.empty(0, np.uint64), np.zeros(1, np.int64))
    graph = coo_array((np.ones(len(edges), bool), (ends[: len(edges)], ends[len(edges) :])), (len(rows), len(rows)))
    count, component = connected_components(graph, directed=False)
    first = np.full(count, len(rows), np.int64)
    np.minimum.at(first, component, np.arange(len(rows)))
    order = np.argsort(first[component], kind="stable")  # rows ascend, so the first of a component is its smallest
    sizes = np.bincount(component, minlength=count)[np.argsort(first)]
    return Components(rows[order].astype(np.uint64), offsets_of(sizes))


def spanning_forest(edges: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """The same components with the fewest edges, every row to its label: one edge less than rows a component.

    EDGE array, ordered by smallest, then row. The forest of two forests put together is the forest of all their edges,
    so edges can be reduced in any grouping: memory stays in proportion to the rows that have an edge at all.
    """
    components = find_components(edges)
    forest = np.empty(len(components.rows), EDGE)
    forest["row"] = components.rows
    forest["smallest"] = components.row_labels
    return forest[forest["row"] != forest["smallest"]]
