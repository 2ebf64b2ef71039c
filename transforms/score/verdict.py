"""A verdict from scores and limits: `accept`, or the first reason to doubt the row.

It is a pure function of plain values, so that a scored row can be judged again, also with other limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackfim.schemas.example import EMPTY
from stackfim.schemas.layout import LAYOUTS
from stackfim.transforms.score.verdict_limits import Limits

ACCEPT = "accept"
UNLIKELY = "unlikely"
TRIVIAL = "trivial"
PREMATURE_STOP = "premature_stop"
NEVER_STOPS = "never_stops"
BROKEN_EMPTY = "broken_empty"
REASONS = (UNLIKELY, TRIVIAL, PREMATURE_STOP, NEVER_STOPS, BROKEN_EMPTY)

UNSCORED = "unscored"
"""A verdict `unscored:REASON` says why a row has no score (model.scorer.ScoredRow)."""

Score = Mapping[str, Any]
"""A value of stackfim.schemas.scored.SCORE."""


def verdict(category: str, tokens: int, scores: Mapping[str, Score | None], limits: Limits) -> str:
    """`accept` or one of `REASONS` for a row with `scores` by layout, of which the better one decides.

    Raises ValueError where there is no score.
    """
    score = deciding_score(scores)
    if category == EMPTY:
        return BROKEN_EMPTY if score["p_eot_start"] < limits.min_p_eot_start else ACCEPT
    if score["nll"] > limits.max_nll or (tokens >= limits.long_tokens and score["nll"] > limits.max_nll_long):
        return UNLIKELY
    if score["p_eot_early"] is not None and score["p_eot_early"] > limits.max_p_eot_early:
        return PREMATURE_STOP
    if score["p_eot_end"] < limits.min_p_eot_end:
        return NEVER_STOPS
    if tokens >= limits.trivial_tokens and score["nll"] < limits.trivial_nll:
        return TRIVIAL
    return ACCEPT


def deciding_score(scores: Mapping[str, Score | None]) -> Score:
    """The score of the layout in which the middle is likeliest; of equal ones the first in `LAYOUTS`.

    A model that was trained on one layout need not know the other. Raises ValueError where there is no score.
    """
    found = [score for layout in LAYOUTS if (score := scores.get(layout)) is not None]
    if not found:
        raise ValueError(f"a verdict needs a score of {' or '.join(LAYOUTS)}, got none")
    return min(found, key=lambda score: score["nll"])


def action_key(verdict: str) -> str:
    """The key of a verdict among the configured actions: its reason, or `unscored` for any cause."""
    return verdict.partition(":")[0]
