"""Checks of settings: what passes, and messages that begin with the field and show the value."""

import math

import pytest

from stackfim.transforms.setting_checks import (
    expect_choice,
    expect_number,
    expect_weights,
    expect_whole,
    known_names,
    shown,
)


@pytest.mark.parametrize("value", [1, 64])
def test_whole_numbers_within_the_bounds_pass(value: int) -> None:
    expect_whole("ngram", value, 1, 64)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "ngram is a whole number from 1 to 64, got 0"),
        (65, "ngram is a whole number from 1 to 64, got 65"),
        (True, "ngram is a whole number from 1 to 64, got True"),
        (2.0, "ngram is a whole number from 1 to 64, got 2.0"),
        ("2", "ngram is a whole number from 1 to 64, got '2'"),
    ],
)
def test_other_values_are_no_whole_numbers(value: object, message: str) -> None:
    with pytest.raises(ValueError) as raised:
        expect_whole("ngram", value, 1, 64)
    assert str(raised.value) == message


def test_a_bound_of_64_bits_is_told_only_where_it_is_passed() -> None:
    with pytest.raises(ValueError, match=r"^limit is a whole number from 1, got 0$"):
        expect_whole("limit", 0, 1)
    with pytest.raises(ValueError, match=r"^limit is a whole number from 1 to 9223372036854775807, got 1000000"):
        expect_whole("limit", 10**30, 1)


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_numbers_within_the_bounds_pass(value: float) -> None:
    expect_number("share", value, 1.0)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, True, "0.5", None])
def test_other_values_are_no_shares(value: object) -> None:
    with pytest.raises(ValueError) as raised:
        expect_number("share", value, 1.0)
    assert str(raised.value) == f"share is a number, from 0 to 1, got {value!r}"


def test_0_can_be_left_out() -> None:
    with pytest.raises(ValueError, match=r"^threshold is a number, above 0 and at most 1, got 0$"):
        expect_number("threshold", 0, 1.0, above_0=True)
    with pytest.raises(ValueError, match=r"^mean is a number, above 0, got -1$"):
        expect_number("mean", -1, above_0=True)


@pytest.mark.parametrize("value", ["stick", 3, None, ["carrot"]])
def test_choices_are_told(value: object) -> None:
    expect_choice("reward", "carrot", ("carrot", "cash"))
    with pytest.raises(ValueError) as raised:
        expect_choice("reward", value, ("carrot", "cash"))
    assert str(raised.value) == f"reward is one of carrot, cash, got {value!r}"


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"emty": 1.0}, "weights.emty: no such category (did you mean empty?); expected one of empty, single"),
        ({"empty": -1.0}, "weights.empty is a number, 0 or more, got -1.0"),
        ({"empty": math.inf}, "weights.empty is a finite number, got inf"),
        ({"empty": 0.0, "single": 0.0}, "weights has at least one weight above 0, got {'empty': 0.0, 'single': 0.0}"),
        ({}, "weights has at least one weight above 0, got {}"),
    ],
)
def test_weights_have_known_names_and_are_not_all_0(weights: dict[str, float], message: str) -> None:
    expect_weights("weights", {"empty": 0.0, "single": 2.0}, ("empty", "single"), "category")
    with pytest.raises(ValueError) as raised:
        expect_weights("weights", weights, ("empty", "single"), "category")
    assert str(raised.value) == message


def test_a_name_far_from_all_is_answered_with_all() -> None:
    assert known_names("zebra", ("empty", "single")) == "; expected one of empty, single"


def test_long_values_are_cut() -> None:
    assert len(shown("x" * 10_000)) < 200
