"""The n-gram model: a probability after any context, the published formula on a case done by hand, and smoothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.model.training.ngram import KneserNey

sequences = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=12), min_size=1, max_size=30)


@settings(max_examples=80, deadline=None)
@given(sequences, st.lists(st.integers(0, 5), max_size=6), st.integers(1, 5))
def test_probabilities_after_any_context_sum_to_one(trained: list[list[int]], context: list[int], order: int) -> None:
    ngram = KneserNey(trained, 6, order)
    told = ngram.log_probabilities([[*context, token] for token in range(6)])
    assert sum(math.exp(of[-1]) for of in told) == pytest.approx(1.0)
    assert all(np.isfinite(of).all() and len(of) == len(context) + 1 for of in told)


def test_the_formula_by_hand() -> None:
    # Bigrams: ^a 3, ab 2, ac 1; one n1 (ac), one n2 (ab), one n3 (^a).
    ngram = KneserNey([[0, 1], [0, 1], [0, 2]], 3, order=2)
    rate = 1 / (1 + 2 * 1)
    one, two = 1 - 2 * rate * 1 / 1, 2 - 3 * rate * 1 / 1
    # Each of the three tokens has only one context, so all of them get an equal part of what discounting takes away.
    lower = 1 / 3
    expected = (2 - two) / 3 + (one + two) / 3 * lower
    assert math.exp(ngram.log_probabilities([[0, 1]])[0][1]) == pytest.approx(expected)


def test_what_was_seen_often_is_likelier_and_a_longer_context_tells_more() -> None:
    trained = [[first, 9, 9, first] for first in range(6) for _ in range(5)]
    by_order = [KneserNey(trained, 10, order).log_probabilities([[3, 9, 9, 3]])[0][-1] for order in (2, 4)]
    assert by_order[1] > by_order[0] + 1


def test_sequences_do_not_see_one_another() -> None:
    ngram = KneserNey([[1, 2], [3, 4]] * 9, 5, order=3)
    together, alone = ngram.log_probabilities([[1, 2], [3, 4]]), ngram.log_probabilities([[3, 4]])
    assert np.array_equal(together[1], alone[0])
    assert alone[0][0] > math.log(0.3)


def test_nothing_to_count_is_named() -> None:
    with pytest.raises(ValueError, match="0 sequences for order 5, expected tokens"):
        KneserNey([], 5)
