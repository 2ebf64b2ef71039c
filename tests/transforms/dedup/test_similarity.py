"""The exact index compared with Python sets, over documents that share little, much or everything."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.dedup.shingles import ShingleSets, shingle_sets
from stackfim.transforms.dedup.signatures import permutations, signatures
from stackfim.transforms.dedup.similarity import ShingleIndex, SignatureIndex, jaccard
from stackfim.transforms.ragged import offsets_of

SETS = st.lists(st.sets(st.integers(0, 25)), max_size=8)
THRESHOLDS = st.sampled_from([0.05, 0.3, 0.5, 2 / 3, 0.7, 0.85, 1.0])


def as_sets(documents: list[set[int]]) -> ShingleSets:
    values = np.array([value for document in documents for value in sorted(document)], np.uint32)
    return ShingleSets(values, offsets_of(np.array([len(document) for document in documents], np.int64)))


def plain_jaccard(left: set[int], right: set[int]) -> float:
    return len(left & right) / len(left | right) if left | right else 0.0


@given(SETS, THRESHOLDS, st.data())
def test_the_index_finds_exactly_the_remaining_documents_that_reach_the_threshold(
    documents: list[set[int]], threshold: float, data: st.DataObject
) -> None:
    index = ShingleIndex(as_sets(documents), threshold)
    assert len(index) == len(documents)
    for document, own in enumerate(documents):
        remaining = data.draw(st.lists(st.booleans(), min_size=len(documents), max_size=len(documents)))
        found = index.similar(document, np.array(remaining))
        values = {other: plain_jaccard(own, theirs) for other, theirs in enumerate(documents)}
        expected = [o for o in values if o != document and remaining[o] and values[o] >= threshold]
        assert found.documents.tolist() == expected
        assert found.similarity.tolist() == [values[other] for other in expected]


@given(SETS.filter(len), st.data())
def test_jaccard_of_pairs_is_that_of_python_sets(documents: list[set[int]], data: st.DataObject) -> None:
    indices = st.integers(0, len(documents) - 1)
    pairs = data.draw(st.lists(st.tuples(indices, indices)))
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    found = jaccard(as_sets(documents), left, right)
    assert found.tolist() == [plain_jaccard(documents[one], documents[other]) for one, other in pairs]


def test_jaccard_of_more_pairs_than_are_compared_at_once() -> None:
    documents = [{1, 2, 3}, {2, 3, 4}, set()]
    left = np.tile([0, 0, 2], 3_000)
    right = np.tile([1, 0, 2], 3_000)
    assert jaccard(as_sets(documents), left, right).tolist() == [0.5, 1.0, 0.0] * 3_000


def test_a_similarity_of_exactly_the_threshold_counts() -> None:
    """7 / 10 is the float 0.7, though 0.7 * 10 or 0.7 * 70 need not be whole numbers."""
    for scale in (1, 7, 10, 100, 999):
        documents = [set(range(10 * scale)), set(range(7 * scale))]
        found = ShingleIndex(as_sets(documents), 0.7).similar(0, np.ones(2, bool))
        assert found.similarity.tolist() == [0.7]


def test_real_files_agree_with_all_pairs(library_sources: list[bytes]) -> None:
    half = [source[: len(source) * 4 // 5] for source in library_sources[:40]]
    sets = shingle_sets(pa.array(library_sources[:40] + half))
    index = ShingleIndex(sets, 0.7)
    everything = np.arange(len(sets))
    remaining = np.ones(len(sets), bool)
    for document in range(len(sets)):
        values = jaccard(sets, np.full(len(sets), document), everything)
        found = index.similar(document, remaining)
        assert found.documents.tolist() == [o for o in everything.tolist() if o != document and values[o] >= 0.7]
        assert found.similarity.tolist() == values[found.documents].tolist()


@given(SETS)
@settings(deadline=None)
def test_the_signature_index_finds_remaining_documents_that_share_a_band_and_reach_the_threshold(
    documents: list[set[int]],
) -> None:
    chosen = DedupSettings(permutations=24, bands=8, rows=3, threshold=0.5)
    rows = signatures(as_sets(documents), permutations(24))
    index = SignatureIndex(rows, chosen)
    remaining = np.arange(len(documents)) % 3 != 1
    for document, own in enumerate(documents):
        found = index.similar(document, remaining)
        expected = {}
        for other, theirs in enumerate(documents):
            equal = rows[document] == rows[other]
            meets = equal.reshape(8, 3).all(axis=1).any() and bool(own) and bool(theirs)
            if other != document and remaining[other] and meets and equal.mean() >= 0.5:
                expected[other] = equal.mean()
        assert dict(zip(found.documents.tolist(), found.similarity.tolist(), strict=True)) == expected


def test_wrong_input_says_what_was_expected() -> None:
    for threshold in (0.0, 1.5, float("nan")):
        with pytest.raises(ValueError, match=f"above 0 and at most 1, got {threshold}"):
            ShingleIndex(as_sets([{1}]), threshold)
    with pytest.raises(ValueError, match="expected one right document for each left one"):
        jaccard(as_sets([{1}]), np.zeros(1, np.int64), np.zeros(2, np.int64))
    with pytest.raises(ValueError, match="36 bands of 7 rows need signatures of 252 values, got 10"):
        SignatureIndex(np.zeros((1, 10), np.uint32), DedupSettings())
