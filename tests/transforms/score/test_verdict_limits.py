"""Limits by category and language: what wins, and what is refused."""

import json
from typing import Any

import pytest

from stackfim.schemas.example import CATEGORIES
from stackfim.transforms.score.verdict_limits import DEFAULTS, Limits, LimitTable

CHANGED = LimitTable().with_changes(
    {
        "single_line": {"max_nll": 4.0, "languages": {"Python": {"max_nll": 2.5}, "C++": {"min_p_eot_end": 0.1}}},
        "empty": {"min_p_eot_start": 0.2},
    }
)


def test_the_limit_of_refacts_authors_is_the_default() -> None:
    assert {LimitTable().of(category, "Python").max_nll for category in CATEGORIES} == {3.0}


def test_a_language_has_its_own_limit_or_its_categorys() -> None:
    assert CHANGED.of("single_line", "Python").max_nll == 2.5
    assert CHANGED.of("single_line", "Go").max_nll == 4.0
    cpp = CHANGED.of("single_line", "C++")
    assert (cpp.max_nll, cpp.min_p_eot_end) == (4.0, 0.1)
    assert CHANGED.of("multi_line", "Python") == DEFAULTS["multi_line"]
    assert CHANGED.of("empty", "Python").min_p_eot_start == 0.2


def test_what_comes_later_wins_for_a_category_and_its_languages() -> None:
    later = CHANGED.with_changes({"single_line": {"max_nll": 9.0}})
    assert later.of("single_line", "Python").max_nll == 9.0
    assert later.of("single_line", "C++").min_p_eot_end == 0.1
    only_python = CHANGED.with_changes({"single_line": {"languages": {"Python": {"max_nll": 1.0}}}})
    assert (only_python.of("single_line", "Python").max_nll, only_python.of("single_line", "Go").max_nll) == (1.0, 4.0)


def test_a_table_comes_back_from_its_json() -> None:
    endless = CHANGED.with_changes({"multi_line": {"max_nll": float("inf")}})
    for table in (LimitTable(), CHANGED, endless):
        values = json.loads(json.dumps(table.to_json(), allow_nan=False))
        assert LimitTable().with_changes(values).to_json() == table.to_json()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lines": {}}, "limits.lines: no such category; expected one of empty,"),
        ({"empty": {"max_loss": 1}}, "limits.empty.max_loss: no such limit (did you mean max_nll?); expected one of"),
        ({"empty": 3.0}, "limits.empty is a table of limits, got 3.0"),
        ({"empty": {"languages": {"Python": 1}}}, "limits.empty.languages.Python is a table of limits, got 1"),
        ({"single_line": {"max_nll": -1}}, "max_nll is a number, 0 or more, got -1"),
        ({"single_line": {"max_nll": "3"}}, "got '3'"),
        ({"single_line": {"max_nll": float("nan")}}, "got nan"),
        ({"single_line": {"max_nll": True}}, "got True"),
        ({"single_line": {"min_p_eot_end": 1.5}}, "from 0 to 1"),
        ({"single_line": {"trivial_tokens": 2.5}}, "whole number"),
        (
            {"single_line": {"languages": {"Go": {"max_p_eot_early": 2}}}},
            "limits.single_line.languages.Go.max_p_eot_early is",
        ),
    ],
)
def test_limits_that_cannot_be_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as raised:
        LimitTable().with_changes(changes)
    assert message in str(raised.value)


def test_a_table_needs_the_categories_and_knows_no_others() -> None:
    with pytest.raises(ValueError, match="categories are empty, expected empty, single_line"):
        LimitTable({"empty": Limits()})
    with pytest.raises(ValueError, match="limits.lines: no such category"):
        LimitTable(languages={"lines": {}})


def test_limits_are_told_in_words_those_that_the_category_uses() -> None:
    assert Limits().to_text("empty") == "min_p_eot_start 0.01"
    assert "max_nll 3" in Limits().to_text("multi_line")
