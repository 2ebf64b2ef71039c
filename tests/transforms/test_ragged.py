"""Lists in flat arrays."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stackfim.transforms.ragged import distinct, offsets_of, ranges, run_offsets

LISTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)))


@given(LISTS)
def test_ranges_are_those_of_python(pairs: list[tuple[int, int]]) -> None:
    starts, lengths = np.array(pairs, np.int64).reshape(-1, 2).T
    assert ranges(starts, lengths).tolist() == [n for start, length in pairs for n in range(start, start + length)]


@given(st.lists(st.integers(0, 5)).map(sorted))
def test_runs_of_an_ordered_array(values: list[int]) -> None:
    ordered = np.array(values, np.int64)
    assert distinct(ordered).tolist() == sorted(set(values))
    assert np.diff(run_offsets(ordered)).tolist() == [values.count(value) for value in sorted(set(values))]


def test_offsets_are_sums_from_zero() -> None:
    assert offsets_of(np.array([2, 0, 3])).tolist() == [0, 2, 2, 5]
    assert offsets_of(np.array([], np.int64)).tolist() == [0]
