"""Verdicts on either side of each limit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.schemas.example import CATEGORIES
from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.score.verdict import ACCEPT, REASONS, deciding_score, verdict
from stackfim.transforms.score.verdict_limits import DEFAULTS, Limits

LIMITS = Limits(max_nll=3.0, max_nll_long=2.5, trivial_nll=0.05, trivial_tokens=20, max_p_eot_early=0.9)


def score(**values: Any) -> dict[str, Any]:
    good = {"nll": 1.0, "nll_sum": 11.0, "p_eot_end": 0.6, "p_eot_start": 0.01, "p_eot_early": None}
    return good | {"greedy_match": False} | values


@pytest.mark.parametrize(
    ("category", "tokens", "values", "wanted"),
    [
        ("single_line", 10, {}, ACCEPT),
        ("single_line", 10, {"nll": 3.0}, ACCEPT),
        ("single_line", 10, {"nll": 3.001}, "unlikely"),
        ("single_line", 15, {"nll": 2.6}, ACCEPT),
        ("single_line", 16, {"nll": 2.6}, "unlikely"),
        ("single_line", 16, {"nll": 2.5}, ACCEPT),
        ("single_line", 20, {"nll": 0.049}, "trivial"),
        ("single_line", 20, {"nll": 0.05}, ACCEPT),
        ("single_line", 19, {"nll": 0.0}, ACCEPT),
        ("multi_line", 10, {"p_eot_early": 0.9}, ACCEPT),
        ("multi_line", 10, {"p_eot_early": 0.91}, "premature_stop"),
        ("multi_line", 10, {"p_eot_end": 0.001}, ACCEPT),
        ("multi_line", 10, {"p_eot_end": 0.0009}, "never_stops"),
        ("empty", 0, {"p_eot_start": 0.01}, ACCEPT),
        ("empty", 0, {"p_eot_start": 0.009}, "broken_empty"),
        # All scores of an empty middle are one number, so it cannot be unlikely as well.
        ("empty", 0, {"nll": 4.0, "p_eot_start": 0.018, "p_eot_end": 0.018}, ACCEPT),
        # Where a middle stops does not matter if it is unlikely as a whole.
        ("multi_line", 10, {"nll": 5.0, "p_eot_early": 0.99, "p_eot_end": 0.0}, "unlikely"),
    ],
)
def test_a_score_on_either_side_of_a_limit(category: str, tokens: int, values: dict[str, Any], wanted: str) -> None:
    assert verdict(category, tokens, {"psm": score(**values)}, LIMITS) == wanted


def test_the_end_of_a_random_span_is_asked_of_no_model() -> None:
    odd = score(p_eot_end=0.0, p_eot_early=1.0)
    assert verdict("random_span", 10, {"psm": odd}, DEFAULTS["random_span"]) == ACCEPT
    assert verdict("multi_line", 10, {"psm": odd}, DEFAULTS["multi_line"]) != ACCEPT


def test_the_better_layout_decides() -> None:
    good, bad = score(nll=1.0), score(nll=5.0, p_eot_end=0.0)
    assert verdict("single_line", 10, {"psm": bad, "spm": good}, LIMITS) == ACCEPT
    assert verdict("single_line", 10, {"psm": good, "spm": bad}, LIMITS) == ACCEPT
    assert verdict("single_line", 10, {"psm": bad, "spm": None}, LIMITS) == "unlikely"
    assert deciding_score({"psm": good, "spm": dict(good)}) is good
    with pytest.raises(ValueError, match="got none"):
        verdict("single_line", 10, {"psm": None}, LIMITS)


@given(
    category=st.sampled_from(CATEGORIES),
    tokens=st.integers(0, 400),
    nll=st.floats(0, 20),
    p_eot_end=st.floats(0, 1),
    p_eot_start=st.floats(0, 1),
    p_eot_early=st.none() | st.floats(0, 1),
)
def test_limits_that_no_score_breaks_accept_everything(category: str, tokens: int, **values: Any) -> None:
    off = Limits(max_nll=float("inf"), trivial_nll=0.0, max_p_eot_early=1.0, min_p_eot_end=0.0, min_p_eot_start=0.0)
    assert verdict(category, tokens, {"psm": score(**values)}, off) == ACCEPT
    assert verdict(category, tokens, {"psm": score(**values)}, LIMITS) in (ACCEPT, *REASONS)


def test_actions_say_what_is_dropped() -> None:
    settings = ScoreSettings(actions={"trivial": "label", "unscored": "drop"})
    assert [settings.drops(found) for found in (ACCEPT, "trivial", "unlikely", "unscored:middle_too_long")] == [
        *(False, False, True, True),
    ]
    assert not ScoreSettings().drops("unscored:not_finite")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"layouts": ()}, "got []"),
        ({"layouts": ("psm", "psm")}, "each once"),
        ({"layouts": ("xyz",)}, "xyz"),
        ({"actions": {"boring": "drop"}}, "actions.boring: no such reason; expected one of"),
        ({"actions": {"trivial": "shout"}}, "actions.trivial is one of drop, label, got 'shout'"),
    ],
)
def test_settings_that_cannot_be_are_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as raised:
        ScoreSettings(**values)
    assert message in str(raised.value)


def test_settings_come_back_from_their_json() -> None:
    settings = ScoreSettings(("spm", "psm"), seed=5, actions={"trivial": "label"})
    again = ScoreSettings.from_json(settings.to_json() | {"model": "other members are ignored"})
    assert again.to_json() == settings.to_json()
