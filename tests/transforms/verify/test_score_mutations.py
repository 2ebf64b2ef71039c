"""Scored rows with one thing changed are caught, each by the invariant that is listed for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stackfim.schemas.layout import LAYOUTS
from stackfim.schemas.scored import score_column
from stackfim.transforms.score.batch import score_examples
from stackfim.transforms.score.model_spec import ModelSpec
from stackfim.transforms.score.score_settings import DEFAULT_ACTIONS, LABEL, ScoreSettings
from stackfim.transforms.score.verdict_limits import LimitTable
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.split_settings import SplitSettings
from stackfim.transforms.verify.score_invariants import SCORE_INVARIANTS, ExpectedScores, check_scores
from tests.fixture_types import RowsOf, SourceFile

Row = dict[str, Any]

LIMITS = LimitTable().with_changes(
    {
        "single_line": {"max_nll": 8.6},
        "multi_line": {"max_nll": 8.55, "max_p_eot_early": 1.0, "min_p_eot_end": 0.0},
        "random_span": {"max_nll": 8.6},
        "empty": {"min_p_eot_start": 3e-4},
    }
)
SETTINGS = ScoreSettings(LAYOUTS, LIMITS, dict.fromkeys(DEFAULT_ACTIONS, LABEL) | {"trivial": "drop"})


@pytest.fixture(scope="module")
def scored_rows(rows_of: RowsOf, sources: tuple[SourceFile, ...], checkpoint: Path) -> list[Row]:
    """Real rows with the small network's scores, in both layouts."""
    files = [(file.language, file.content) for file in sources]
    rows = (
        Splitter(SplitSettings(max_slots=4, lines_per_slot=20, context_bytes=800), "0").split(rows_of(files)).examples
    )
    scorer = ModelSpec(str(checkpoint)).load_scorer(LAYOUTS, threads=1)
    scored: list[Row] = score_examples(rows, scorer, SETTINGS).examples.to_pylist()
    return scored


def in_score(layout: str, **values: Any) -> Callable[[Row], Row | None]:
    """Sets fields of a layout's score; None where it has none."""

    def mutate(row: Row) -> Row | None:
        score = row[score_column(layout)]
        return None if score is None else {**row, score_column(layout): {**score, **values}}

    return mutate


def times(name: str, factor: float) -> Callable[[Row], Row | None]:
    def mutate(row: Row) -> Row | None:
        score = row["score_psm"]
        return None if score is None else {**row, "score_psm": {**score, name: score[name] * factor}}

    return mutate


def without(layout: str) -> Callable[[Row], Row | None]:
    return lambda row: {**row, score_column(layout): None} if row[score_column(layout)] is not None else None


def verdict(value: str) -> Callable[[Row], Row | None]:
    """Another verdict of a row that has scores."""
    return lambda row: {**row, "verdict": value} if row["score_psm"] and row["verdict"] != value else None


def of_empty(mutate: Callable[[Row], Row | None]) -> Callable[[Row], Row | None]:
    return lambda row: mutate(row) if row["category"] == "empty" else None


def of_filled(mutate: Callable[[Row], Row | None]) -> Callable[[Row], Row | None]:
    """Of a row with a middle and scores."""
    return lambda row: mutate(row) if row["category"] != "empty" and row["score_psm"] else None


def surer_of_the_whole_than_of_its_end(row: Row) -> Row | None:
    """Sums made to fit: no sum of nll is less than that of one of its terms."""
    return in_score("psm", p_eot_end=0.1, nll=0.001, nll_sum=0.001 * (row["tokens"] + 1))(row)


def one_line_with_a_line_end(row: Row) -> Row | None:
    return in_score("psm", p_eot_early=0.001)(row) if row["category"] == "single_line" else None


def better_score_made_worse(row: Row) -> Row | None:
    """Both layouts far above the limit, sums made to fit: only the verdict is wrong."""
    if row["verdict"] != "accept" or row["category"] == "empty":
        return None
    changed = dict(row)
    for layout in LAYOUTS:
        score = {**row[score_column(layout)], "nll": 50.0, "nll_sum": 50.0 * (row["tokens"] + 1)}
        changed[score_column(layout)] = score
    return changed


MUTATIONS: list[tuple[str, Callable[[Row], Row | None], str]] = [
    ("psm score dropped", without("psm"), "score_presence"),
    ("spm score dropped", without("spm"), "score_presence"),
    ("scored, said not to be", verdict("unscored:not_finite"), "score_presence"),
    ("nll doubled", times("nll", 2.0), "score_sums"),
    ("nll_sum off by a hundredth", times("nll_sum", 1.01), "score_sums"),
    ("nll is not a number", in_score("psm", nll=float("nan")), "score_sums"),
    ("nll below zero", times("nll", -1.0), "score_sums"),
    ("a token more", of_filled(lambda row: {**row, "tokens": row["tokens"] + 1}), "score_sums"),
    ("no tokens in a text", of_filled(lambda row: {**row, "tokens": 0}), "score_sums"),
    ("tokens in no text", of_empty(lambda row: {**row, "tokens": 3}), "score_sums"),
    ("probability above one", in_score("psm", p_eot_end=1.0001), "score_probabilities"),
    ("probability below zero", in_score("spm", p_eot_start=-0.1), "score_probabilities"),
    ("early probability above one", of_filled(in_score("psm", p_eot_early=2.0)), "score_probabilities"),
    ("probability is not a number", in_score("psm", p_eot_end=float("nan")), "score_probabilities"),
    ("a line end inside one line", one_line_with_a_line_end, "score_probabilities"),
    ("an empty middle with two ends", of_empty(times("p_eot_end", 0.5)), "score_probabilities"),
    ("an empty middle of another nll", of_empty(in_score("psm", nll=0.1, nll_sum=0.1)), "score_probabilities"),
    ("an end less likely than the whole", of_filled(surer_of_the_whole_than_of_its_end), "score_probabilities"),
    ("greedy, yet it would stop at once", of_filled(in_score("psm", greedy_match=True, p_eot_start=0.9)), "score_greedy"),
    ("another verdict", verdict("never_stops"), "verdict"),
    ("a verdict that there is not", verdict("boring"), "verdict"),
    ("no reason for no score", verdict("unscored:bored"), "verdict"),
    ("accepted, whatever the scores", verdict("accept"), "verdict"),
    ("a verdict that is dropped", verdict("trivial"), "verdict"),
    ("scores that the limits doubt", better_score_made_worse, "verdict"),
]  # fmt: skip


def test_good_rows_break_nothing(scored_rows: list[Row]) -> None:
    assert len(scored_rows) > 100
    assert {row["verdict"] for row in scored_rows} >= {"accept", "unlikely", "broken_empty"}
    for row in scored_rows:
        assert check_scores(row, ExpectedScores(SETTINGS)) == []
        assert check_scores(row, ExpectedScores()) == []


@pytest.mark.parametrize(
    ("mutate", "invariant"), [found[1:] for found in MUTATIONS], ids=[found[0] for found in MUTATIONS]
)
def test_a_changed_row_is_caught(scored_rows: list[Row], mutate: Callable[[Row], Row | None], invariant: str) -> None:
    changed = [(row, other) for row in scored_rows if (other := mutate(row)) is not None]
    assert len(changed) >= 5
    for row, other in changed:
        found = {violation.invariant for violation in check_scores(other, ExpectedScores(SETTINGS))}
        assert invariant in found, (row["example_id"], row["verdict"], found)


def test_every_invariant_has_a_mutation() -> None:
    assert {invariant for _, _, invariant in MUTATIONS} == set(SCORE_INVARIANTS)


def test_one_layout_is_all_there_is_where_one_was_asked_for(scored_rows: list[Row]) -> None:
    only_psm = ExpectedScores(ScoreSettings(("psm",), LIMITS, SETTINGS.actions))
    told = [violation for row in scored_rows for violation in check_scores(row, only_psm)]
    assert {violation.invariant for violation in told} >= {"score_presence"}
    assert "expected psm" in told[0].message
