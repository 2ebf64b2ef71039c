"""Components compared with a plain walk, and forests that can be joined in any grouping."""

import random

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from stackfim.transforms.dedup.bands import EDGE
from stackfim.transforms.dedup.components import Components, find_components, spanning_forest

EDGES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: (max(pair), min(pair))))


def as_edges(pairs: list[tuple[int, int]]) -> npt.NDArray[np.void]:
    return np.array(pairs, EDGE)


def plain_components(pairs: list[tuple[int, int]]) -> list[tuple[int, ...]]:
    members = {document: {document} for pair in pairs for document in pair}
    for left, right in pairs:
        if members[left] is not members[right]:
            members[left] |= members[right]
            for document in members[right]:
                members[document] = members[left]
    return sorted({tuple(sorted(group)) for group in members.values() if len(group) > 1})


def component_lists(components: Components) -> list[tuple[int, ...]]:
    return (
        [tuple(part.tolist()) for part in np.split(components.documents, components.offsets[1:-1])]
        if len(components)
        else []
    )


@given(EDGES, st.randoms(use_true_random=False))
def test_components_are_those_of_a_plain_walk_in_any_order_of_edges(
    pairs: list[tuple[int, int]], shuffler: random.Random
) -> None:
    expected = plain_components(pairs)
    shuffler.shuffle(pairs)
    components = find_components(as_edges(pairs))
    assert component_lists(components) == expected
    assert components.labels.tolist() == [group[0] for group in expected]
    assert components.document_labels.tolist() == [group[0] for group in expected for _ in group]


@given(st.lists(EDGES, max_size=4))
def test_forests_put_together_are_the_forest_of_all_edges(parts: list[list[tuple[int, int]]]) -> None:
    forest = as_edges([])
    for part in parts:
        forest = spanning_forest(np.concatenate((spanning_forest(as_edges(part)), forest)))
    whole = spanning_forest(as_edges([pair for part in parts for pair in part]))
    assert forest.tolist() == whole.tolist()
    components = find_components(whole)
    assert len(whole) == len(components.documents) - len(components)


def test_ids_of_63_bits_stay_what_they_are() -> None:
    top = 2**63 - 1
    assert component_lists(find_components(as_edges([(top, top - 1), (top - 1, 5)]))) == [(5, top - 1, top)]


def test_a_long_chain_is_one_component() -> None:
    documents = np.random.default_rng(3).permutation(20_000)
    pairs = np.sort(np.stack((documents[1:], documents[:-1]), axis=1), axis=1)
    edges = np.empty(len(pairs), EDGE)
    edges["document"], edges["smallest"] = pairs[:, 1], pairs[:, 0]
    components = find_components(edges)
    assert len(components) == 1
    assert components.documents.tolist() == list(range(20_000))


def test_no_edges_no_components() -> None:
    assert len(find_components(as_edges([]))) == 0
    assert len(find_components(as_edges([(4, 4)]))) == 0
    assert len(spanning_forest(as_edges([]))) == 0
