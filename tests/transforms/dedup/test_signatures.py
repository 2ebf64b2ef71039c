"""Signatures compared with those of datasketch, bit for bit."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.transforms.dedup.shingles import ShingleSets, shingle_sets
from stackfim.transforms.dedup.signatures import EMPTY, permutations, signatures, similarity
from stackfim.transforms.ragged import offsets_of

SETS = st.lists(st.lists(st.integers(0, 2**32 - 1), unique=True, max_size=40).map(sorted), max_size=6)


def as_sets(lists: list[list[int]]) -> ShingleSets:
    values = np.array([value for values in lists for value in values], np.uint32)
    return ShingleSets(values, offsets_of(np.array([len(values) for values in lists], np.int64)))


def datasketch_row(shingles: Iterable[int], count: int, seed: int) -> list[int]:
    sketch = MinHash(num_perm=count, seed=seed, hashfunc=int, scheme="affine32")
    sketch.update_batch(shingles)
    values: list[int] = sketch.hashvalues.tolist()
    return values


@given(SETS, st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(1, 50))
@settings(deadline=None)
def test_every_value_is_that_of_datasketch_whatever_the_block(
    lists: list[list[int]], count: int, seed: int, block_shingles: int
) -> None:
    rows = signatures(as_sets(lists), permutations(count, seed), block_shingles=block_shingles)
    assert rows.dtype == np.uint32
    assert rows.shape == (len(lists), count)
    assert rows.tolist() == [datasketch_row(values, count, seed) for values in lists]


def test_real_files_have_the_signatures_of_datasketch(library_sources: list[bytes]) -> None:
    sets = shingle_sets(pa.array(library_sources[:60], pa.binary()))
    rows = signatures(sets, permutations(252))
    assert rows.tolist() == [datasketch_row(sets[document], 252, 1) for document in range(len(sets))]


@pytest.mark.parametrize("values", [[0], [2**32 - 1], [0, 2**32 - 1], list(range(1000)), [2**31, 2**31 + 1]])
def test_extreme_values(values: list[int]) -> None:
    rows = signatures(as_sets([[], values, []]), permutations(256, 7), block_shingles=3)
    assert rows[1].tolist() == datasketch_row(values, 256, 7)
    assert (rows[[0, 2]] == EMPTY).all()


def test_similarity_is_that_of_datasketch() -> None:
    lists = [[1, 2, 3, 4], [2, 3, 4, 5]]
    rows = signatures(as_sets(lists), permutations(64, 3))
    first, second = (MinHash(num_perm=64, seed=3, hashfunc=int, scheme="affine32") for _ in lists)
    first.update_batch(lists[0])
    second.update_batch(lists[1])
    assert similarity(rows[0], rows).tolist() == [1.0, first.jaccard(second)]


def test_similarity_estimates_the_exact_one() -> None:
    lists = [list(range(2000)), list(range(500, 2500)), list(range(5000, 6000))]
    rows = signatures(as_sets(lists), permutations(252))
    estimates = similarity(rows[0], rows)
    assert estimates[0] == 1.0
    assert abs(estimates[1] - 0.6) < 4 * np.sqrt(0.6 * 0.4 / 252)
    assert estimates[2] < 0.02


def test_wrong_input_says_what_was_expected() -> None:
    with pytest.raises(ValueError, match="from 1, got 0"):
        permutations(0)
    with pytest.raises(ValueError, match="from 1, got 0"):
        signatures(as_sets([[1]]), permutations(4), block_shingles=0)


def test_drawn_permutations_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        permutations(8).multipliers[0] = 1
