"""Limits from the scores of good rows: quantiles, so that no more than a chosen share of such rows is doubted.

The share is divided among the reasons, so that all of them together stay within it. Most goes to `unlikely`, the limit that
garbage exceeds first. Here short middles and longer ones have limits of their own: a mean over few tokens varies so much
that a limit which accepts short code also accepts long garbage. `trivial` does not depend on quantiles and keeps its limit.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.schemas.example import CATEGORIES, EMPTY, MULTI_LINE, RANDOM_SPAN, SINGLE_LINE
from stackfim.schemas.layout import LAYOUTS
from stackfim.schemas.scored import score_column
from stackfim.transforms.score.histogram import NLL, PROBABILITY, Integers, Scale, quantile
from stackfim.transforms.score.verdict_limits import LANGUAGES, Limits

COLUMNS = ("category", "language", "tokens", *map(score_column, LAYOUTS))
"""The columns that calibration reads."""

SHARES = {
    EMPTY: {"min_p_eot_start": 1.0},
    SINGLE_LINE: {"max_nll": 0.8, "max_nll_long": 0.8, "min_p_eot_end": 0.2},
    MULTI_LINE: {"max_nll": 0.7, "max_nll_long": 0.7, "min_p_eot_end": 0.2, "max_p_eot_early": 0.1},
    RANDOM_SPAN: {"max_nll": 1.0, "max_nll_long": 1.0},
}
"""The part of the doubted share that each limit may use, by category; a row is either short or long."""

_SCORES = {
    "max_nll": ("nll", NLL),
    "max_nll_long": ("nll", NLL),
    "max_p_eot_early": ("p_eot_early", PROBABILITY),
    "min_p_eot_end": ("p_eot_end", PROBABILITY),
    "min_p_eot_start": ("p_eot_start", PROBABILITY),
}


class Calibration:
    """Histograms of the scores by category and language, in memory that does not grow with the rows.

    `add` all rows, then ask for `limits`.
    """

    def __init__(self, long_tokens: int = Limits.long_tokens) -> None:
        """A middle of at least `long_tokens` tokens is a long one."""
        self._long_tokens = long_tokens
        self._counts: defaultdict[tuple[str, str], dict[str, Integers]] = defaultdict(
            lambda: {name: np.zeros(scale.bins, np.int64) for name, (_, scale) in _SCORES.items()}
        )

    def add(self, rows: pa.RecordBatch) -> None:
        """Count scored rows (the columns `COLUMNS` of stackfim.schemas.scored.SCORED)."""
        scores = _deciding(rows)
        is_long = rows.column("tokens").to_numpy() >= self._long_tokens
        of_limit = {"max_nll": ~is_long, "max_nll_long": is_long}
        scored = ~np.isnan(scores["nll"])
        pairs = zip(rows.column("category").to_pylist(), rows.column("language").to_pylist(), strict=True)
        labels = np.array([f"{category}\t{language}" for category, language in pairs], str)
        for label in sorted(set(labels[scored].tolist())):
            category, _, language = label.partition("\t")
            chosen = scored & (labels == label)
            counts = self._counts[category, language]
            for name in SHARES[category]:
                field, scale = _SCORES[name]
                values = scores[field][chosen & of_limit.get(name, True)]
                # A middle without a line end inside has no place where the model might stop early.
                counts[name] += scale.counts(np.nan_to_num(values, nan=0.0))

    def limits(self, share: float, min_rows: int) -> dict[str, Any]:
        """Limits that doubt a `share` of the rows, as `LimitTable.with_changes` takes them (verdict_limits.py).

        Each category that has rows has limits, and so has each of its languages with at least `min_rows`; other languages
        have those of the category.
        """
        found: dict[str, Any] = {}
        for category in CATEGORIES:
            languages = {language: counts for (name, language), counts in self._counts.items() if name == category}
            if not languages:
                continue
            whole = {name: np.sum([counts[name] for counts in languages.values()], axis=0) for name in SHARES[category]}
            found[category] = self._limits(category, whole, share)
            own = {
                language: self._limits(category, counts, share)
                for language, counts in sorted(languages.items())
                if _rows(counts) >= min_rows
            }
            if own:
                found[category][LANGUAGES] = own
        return found

    def _limits(self, category: str, counts: dict[str, Integers], share: float) -> dict[str, float]:
        found = {
            name: _limit(name, counts[name], share * part)
            for name, part in SHARES[category].items()
            if counts[name].any()
        }
        if "max_nll_long" in found:
            # The limit of all middles must accept the long ones too, even if there are no short ones or only likely ones.
            found["max_nll"] = max(found.get("max_nll", 0.0), found["max_nll_long"])
            found["long_tokens"] = self._long_tokens
        return found


def _rows(counts: dict[str, Integers]) -> int:
    """How many rows were counted: each has exactly one of these limits."""
    return int(sum(counts[name].sum() for name in ("max_nll", "max_nll_long", "min_p_eot_start")))


def _deciding(rows: pa.RecordBatch) -> dict[str, npt.NDArray[np.float64]]:
    """The fields of each row's deciding score, float64 (rows,) each; NaN where there is none."""
    layouts = []
    for layout in LAYOUTS:
        column = rows.column(score_column(layout))
        missing = ~column.is_valid().to_numpy(zero_copy_only=False)
        fields = {
            field: column.field(field).to_numpy(zero_copy_only=False).astype(np.float64)
            for field, _ in _SCORES.values()
        }
        for values in fields.values():
            values[missing] = np.nan
        layouts.append(fields)
    psm, spm = layouts
    takes_spm = np.isnan(psm["nll"]) | (spm["nll"] < psm["nll"])
    return {field: np.where(takes_spm, spm[field], psm[field]) for field in psm}


def _limit(name: str, counts: Integers, share: float) -> float:
    scale: Scale = _SCORES[name][1]
    return float(f"{quantile(scale, counts, share if name.startswith('min') else 1 - share):.4g}")
