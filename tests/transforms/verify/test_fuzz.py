"""Whatever stands in a column, the verifier gives violations and never an error."""

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackfim.schemas.example import CATEGORIES, EXAMPLE
from stackfim.schemas.layout import LAYOUTS
from stackfim.schemas.scored import SCORE, SCORED
from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.verify.row_checker import RowChecker
from stackfim.transforms.verify.row_invariants import KIND_CATEGORY, Expected
from stackfim.transforms.verify.score_invariants import ExpectedScores
from tests.transforms.verify.cases import EXPECTED, Case

NUMBERS = st.integers() | st.sampled_from([-1, 0, 1, 2**31, 2**63, -(2**63), 10**9])
FLOATS = st.floats(width=32) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1e30, 1e30])
WORDS = st.text() | st.sampled_from(
    [
        *CATEGORIES,
        *KIND_CATEGORY,
        "no_such_kind",
        "prefix",
        "suffix",
        "eof",
        "none",
        "Cobol",
        "C",
        "\ud800",
        "\0",
        "0" * 40,
    ]
)
EDITS = st.fixed_dictionaries(
    {"side": WORDS, "kind": WORDS, "offset": NUMBERS, "removed": WORDS, "inserted": WORDS}
) | st.dictionaries(WORDS, NUMBERS, max_size=2)
SCORE_VALUES = st.fixed_dictionaries(
    {field.name: FLOATS | st.none() | st.booleans() for field in SCORE}
) | st.dictionaries(WORDS, FLOATS, max_size=2)
ANYTHING = (
    st.none() | st.booleans() | NUMBERS | FLOATS | WORDS | st.binary(max_size=5) | EDITS | SCORE_VALUES
    | st.lists(st.none() | NUMBERS | WORDS | EDITS, max_size=3)
)  # fmt: skip
UNSCORED: dict[str, Any] = {"tokens": 3, "score_psm": None, "score_spm": None, "verdict": "accept"}
SCORED_VALUES = {"nll": 0.5, "nll_sum": 2.0, "p_eot_end": 0.5, "p_eot_start": 0.1, "p_eot_early": None}


def like(value: Any) -> st.SearchStrategy[Any]:
    """Values of the same type, more often than others."""
    for kind, same in ((bool, st.booleans()), (int, NUMBERS), (float, FLOATS), (str, WORDS)):
        if isinstance(value, kind):
            return same | ANYTHING
    if isinstance(value, dict):
        return SCORE_VALUES | ANYTHING
    return (st.lists(EDITS, max_size=3) | ANYTHING) if isinstance(value, list) else ANYTHING


@pytest.mark.parametrize("name", SCORED.names)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_of_any_column_is_checked(name: str, good: list[Case], data: st.DataObject) -> None:
    case = good[data.draw(st.integers(0, len(good) - 1), "row")]
    score = {**SCORED_VALUES, "greedy_match": False}
    row = {**case.row, **UNSCORED, "score_psm": data.draw(st.sampled_from([None, score]))}
    row[name] = data.draw(like(row[name]), name)
    scores = data.draw(st.sampled_from([ExpectedScores(), ExpectedScores(ScoreSettings(LAYOUTS))]))
    for contents in (None, {case.row["content_id"]: case.content}):
        for expected in (EXPECTED, Expected()):
            found, was_parsed = RowChecker(expected, scores, contents).check(row)
            assert all(violation.message for violation in found)
            assert was_parsed or found or contents is None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_row_at_all_is_checked(good: list[Case], data: st.DataObject) -> None:
    case = good[data.draw(st.integers(0, len(good) - 1), "row")]
    changed = data.draw(st.lists(st.sampled_from(SCORED.names), unique=True), "columns")
    row = {**case.row, **UNSCORED}
    row |= {name: data.draw(like(row[name]), name) for name in changed}
    left_out = data.draw(st.lists(st.sampled_from(SCORED.names), unique=True, max_size=2), "left out")
    row = {column: value for column, value in row.items() if column not in left_out}
    found, _ = RowChecker(EXPECTED, ExpectedScores(), {case.row["content_id"]: case.content}).check(row)
    assert found or not (changed or left_out) or all(row.get(name) == case.row.get(name) for name in EXAMPLE.names)


@pytest.mark.parametrize("name", EXAMPLE.names)
def test_a_value_of_another_type_or_none_is_a_violation_that_names_the_column(name: str, good: list[Case]) -> None:
    row = good[0].row
    others: tuple[Any, ...] = ({"a": 1}, b"bytes", 1.5, [1]) if name != "stop_reason" else (1, b"eof")
    for value in (*others, *(() if EXAMPLE.field(name).nullable else (None,))):
        found, _ = RowChecker(EXPECTED).check({**row, name: value})
        assert [violation.invariant for violation in found] == ["types"]
        assert found[0].message.startswith(f"{name} is ")
    missing, _ = RowChecker(EXPECTED).check({column: row[column] for column in row if column != name})
    assert missing[0].message == f"the column {name} is missing"


@pytest.mark.parametrize(
    ("name", "value", "invariant"),
    [
        ("category", "no_such", "labels"),
        ("kind", "no_such", "labels"),
        ("language", "Klingon", "origin"),
        ("start_byte", -(2**40), "undo"),
        ("newline_owner", "nobody", "newline_owner"),
        ("stop_reason", "tired", "labels"),
    ],
)
def test_a_value_that_does_not_exist_is_a_violation(name: str, value: Any, invariant: str, good: list[Case]) -> None:
    for case in good[::50]:
        found, was_parsed = RowChecker(EXPECTED).check({**case.row, name: value})
        assert invariant in {violation.invariant for violation in found}
        assert not was_parsed
