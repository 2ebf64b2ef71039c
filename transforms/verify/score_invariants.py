"""Invariants of scored rows: the columns agree with each other, and the verdict agrees with them and the run's limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stackfim.schemas.example import CATEGORIES
from stackfim.schemas.layout import LAYOUTS
from stackfim.schemas.scored import SCORED, score_column
from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.score.verdict import ACCEPT, REASONS, UNSCORED, verdict
from stackfim.transforms.verify.row_types import check_types
from stackfim.transforms.verify.violation import Violation

Row = Mapping[str, Any]

UNSCORED_REASONS = ("middle_too_long", "cursor_lines_too_long", "not_finite")
"""Why a row has no score (model.scorer.ScoredRow)."""

_PROBABILITIES = ("p_eot_end", "p_eot_start", "p_eot_early")
# Both are stored in 24 bits of precision.
_ROUNDING = 1e-6
# A smaller probability may be stored as 0.
_SMALLEST = 1e-37


@dataclass(frozen=True)
class ExpectedScores:
    """What the run promised of its scores; None where that is not known."""

    settings: ScoreSettings | None = None


def _presence(row: Row, expected: ExpectedScores) -> Iterator[str]:
    """A layout has a score if and only if the run requested it and the row could be scored."""
    unscored = row["verdict"].startswith(f"{UNSCORED}:")
    there = [layout for layout in LAYOUTS if row[score_column(layout)] is not None]
    requested = list(expected.settings.layouts) if expected.settings is not None else None
    wanted = [] if unscored else requested
    if wanted is not None and sorted(there) != sorted(wanted):
        yield f"scores of {', '.join(there) or 'no layout'}, expected {', '.join(wanted) or 'none'}; verdict {row['verdict']}"
    if not unscored and not there:
        yield f"the verdict is {row['verdict']}, and there is no score"


def _sums(row: Row, _expected: ExpectedScores) -> Iterator[str]:
    """`nll_sum` is `nll` times the number of tokens, end-of-text included."""
    if row["tokens"] < 0 or (row["tokens"] == 0) != (row["middle"] == ""):
        yield f"{row['tokens']} tokens in a middle of {len(row['middle'])} characters"
    for layout, score in _scores(row):
        wanted = score["nll"] * (row["tokens"] + 1)
        if not (score["nll"] >= 0 and math.isclose(score["nll_sum"], wanted, rel_tol=_ROUNDING, abs_tol=_ROUNDING)):
            yield f"{layout}: nll_sum is {score['nll_sum']}, expected nll times {row['tokens'] + 1}: {wanted}"


def _probabilities(row: Row, _expected: ExpectedScores) -> Iterator[str]:
    """Probabilities are between 0 and 1, and fit the middle."""
    for layout, score in _scores(row):
        for name in _PROBABILITIES:
            if score[name] is not None and not 0 <= score[name] <= 1:
                yield f"{layout}: {name} is {score[name]}, expected a probability"
        if row["tokens"] == 0:
            if score["p_eot_end"] != score["p_eot_start"]:
                yield f"{layout}: p_eot_end of an empty middle is {score['p_eot_end']}, p_eot_start {score['p_eot_start']}"
            # Probabilities near 0 and 1 lose digits that their logarithm keeps, and the other way round.
            if not math.isclose(score["p_eot_end"], _exp(-score["nll"]), rel_tol=1e-4, abs_tol=1e-6):
                yield f"{layout}: nll of an empty middle is {score['nll']}, p_eot_end {score['p_eot_end']}"
        elif score["p_eot_end"] > _SMALLEST and score["nll_sum"] < -math.log(score["p_eot_end"]) * (1 - 1e-4) - 1e-4:
            yield f"{layout}: nll_sum is {score['nll_sum']}, less than p_eot_end {score['p_eot_end']} allows"
        if score["p_eot_early"] is not None and b"\n" not in row["middle"].encode().strip():
            yield f"{layout}: p_eot_early is {score['p_eot_early']}, and the middle has one line"


def _greedy(row: Row, _expected: ExpectedScores) -> Iterator[str]:
    """Where greedy decoding gives the middle, end-of-text has a probability of at most a half everywhere in it."""
    for layout, score in _scores(row):
        if not score["greedy_match"] or row["tokens"] == 0:
            continue
        for name in ("p_eot_start", "p_eot_early"):
            if score[name] is not None and score[name] > 0.5 + _ROUNDING:
                yield f"{layout}: greedy_match is true, and {name} is {score[name]}"


def _verdict(row: Row, expected: ExpectedScores) -> Iterator[str]:
    """The verdict follows from scores and limits, and the run keeps rows with it."""
    found = row["verdict"]
    if found.startswith(f"{UNSCORED}:"):
        if found.partition(":")[2] not in UNSCORED_REASONS:
            yield f"verdict {found!r}, expected one of the reasons {', '.join(UNSCORED_REASONS)}"
    elif found not in (ACCEPT, *REASONS):
        yield f"verdict {found!r}, expected {ACCEPT} or one of {', '.join(REASONS)}"
    settings = expected.settings
    if settings is None:
        return
    if settings.drops(found):
        yield f"verdict {found!r}, which the run drops"
    scores = dict(_scores(row))
    if scores and not found.startswith(f"{UNSCORED}:") and row["category"] in CATEGORIES:
        wanted = verdict(row["category"], row["tokens"], scores, settings.limits.of(row["category"], row["language"]))
        if found != wanted:
            yield f"verdict {found!r}, by scores and limits it is {wanted!r}"


def _exp(exponent: float) -> float:
    """The exponential function; infinity beyond the numbers there are."""
    return math.exp(exponent) if exponent < 700 else math.inf


def _scores(row: Row) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for layout in LAYOUTS:
        if row[score_column(layout)] is not None:
            yield layout, row[score_column(layout)]


SCORE_INVARIANTS: dict[str, Callable[[Row, ExpectedScores], Iterator[str]]] = {
    "score_presence": _presence,
    "score_sums": _sums,
    "score_probabilities": _probabilities,
    "score_greedy": _greedy,
    "verdict": _verdict,
}
"""The check of each invariant by its name; it yields a message for everything that is wrong."""


_COLUMNS = tuple(SCORED)


def check_scores(row: Row, expected: ExpectedScores) -> list[Violation]:
    """The invariants that the score columns of a row break (stackfim.schemas.scored.SCORED).

    Where a value is of another type than its column's, or no finite number, that alone.
    """
    wrong = check_types(row, _COLUMNS) or [
        Violation(
            row["example_id"],
            "score_probabilities" if name in _PROBABILITIES else "score_sums",
            f"{layout}: {name} is {value}, expected a finite number",
        )
        for layout, score in _scores(row)
        for name, value in score.items()
        if value is not None and not math.isfinite(value)
    ]
    return wrong or [
        Violation(row["example_id"], name, message)
        for name, check in SCORE_INVARIANTS.items()
        for message in check(row, expected)
    ]
