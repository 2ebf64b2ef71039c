"""Limits from quantiles doubt the requested share of good rows."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from stackfim.schemas.scored import SCORES
from stackfim.transforms.score.batch import ScoredBatch
from stackfim.transforms.score.calibrate import Calibration
from stackfim.transforms.score.verdict import verdict
from stackfim.transforms.score.verdict_limits import LimitTable

COLUMNS = pa.schema([pa.field("category", pa.string()), pa.field("language", pa.string()), *SCORES[:3]])


def made(category: str, language: str, count: int, seed: int, layout: str = "psm") -> list[dict[str, Any]]:
    """Rows with scores that are distributed like a model's: log-normal nll, probabilities with normal logits."""
    draw = np.random.default_rng(seed)
    tokens = draw.integers(1, 60, count)
    # The mean over many tokens varies less.
    nll = draw.lognormal(0.0 if language == "Python" else 0.5, 0.1 + 0.8 / np.sqrt(tokens), count)
    ends, early = (1 / (1 + np.exp(-draw.normal(mean, 2.0, count))) for mean in (1.0, -4.0))
    rows = []
    for at in range(count):
        score = {"nll": nll[at], "nll_sum": nll[at] * 9, "p_eot_end": ends[at], "p_eot_start": ends[at]}
        score |= {"p_eot_early": early[at] if at % 2 else None, "greedy_match": False}
        columns = {"score_psm": None, "score_spm": None, f"score_{layout}": score}
        rows.append({"category": category, "language": language, "tokens": int(tokens[at]), **columns})
    return rows


def calibrated(rows: list[dict[str, Any]], share: float, min_rows: int, batch: int = 700) -> LimitTable:
    calibration = Calibration()
    for start in range(0, len(rows), batch):
        part = [{name: row[name] for name in COLUMNS.names} for row in rows[start : start + batch]]
        calibration.add(pa.RecordBatch.from_pylist(part, schema=COLUMNS))
    return LimitTable().with_changes(calibration.limits(share, min_rows))


def doubted(rows: list[dict[str, Any]], limits: LimitTable) -> float:
    found = [
        verdict(row["category"], row["tokens"], {"psm": row["score_psm"], "spm": row["score_spm"]},
                limits.of(row["category"], row["language"]))
        for row in rows
    ]  # fmt: skip
    return sum(name != "accept" for name in found) / len(rows)


@pytest.mark.parametrize("category", ["empty", "single_line", "multi_line", "random_span"])
@pytest.mark.parametrize("share", [0.02, 0.2])
def test_the_share_that_was_asked_for_is_doubted_and_no_more(category: str, share: float) -> None:
    rows = made(category, "Python", 6000, 1) + made(category, "Go", 6000, 2, "spm")
    limits = calibrated(rows, share, 2_000)
    assert doubted(rows, limits) <= share * 1.15
    assert doubted(rows, limits) >= share * 0.7
    fresh = made(category, "Python", 6000, 3)
    assert doubted(fresh, limits) == pytest.approx(share, rel=0.4)


def test_a_language_with_few_rows_has_the_limits_of_its_category() -> None:
    rows = made("multi_line", "Python", 3000, 1) + made("multi_line", "Lua", 30, 2)
    limits = calibrated(rows, 0.02, 1_000)
    assert limits.of("multi_line", "Lua") == limits.of("multi_line", "Haskell") == limits.categories["multi_line"]
    assert limits.of("multi_line", "Python") != limits.categories["multi_line"]
    assert limits.of("empty", "Python") == LimitTable().of("empty", "Python")


def test_long_middles_have_a_stricter_limit_of_their_own() -> None:
    limits = calibrated(made("single_line", "Python", 6000, 1), 0.02, 10**6).of("single_line", "Python")
    assert limits.max_nll_long < 0.6 * limits.max_nll
    assert limits.long_tokens == 16


def test_where_all_middles_are_long_the_one_limit_is_theirs() -> None:
    rows = [row for row in made("multi_line", "Python", 3000, 1) if row["tokens"] >= 16]
    limits = calibrated(rows, 0.02, 10**6).of("multi_line", "Python")
    assert limits.max_nll == limits.max_nll_long
    short = [row for row in made("multi_line", "Python", 3000, 1) if row["tokens"] < 16]
    assert calibrated(short, 0.02, 10**6).of("multi_line", "Python").max_nll_long == float("inf")


def test_a_single_line_has_no_limit_of_earlier_ends() -> None:
    calibration = Calibration()
    rows = [{**row, "category": "single_line"} for row in made("single_line", "Python", 100, 1)]
    calibration.add(pa.RecordBatch.from_pylist(rows, schema=COLUMNS))
    assert "max_p_eot_early" not in calibration.limits(0.02, 1)["single_line"]


def test_batches_do_not_matter() -> None:
    rows = made("single_line", "Python", 2000, 1) + made("single_line", "Go", 2000, 2)
    assert calibrated(rows, 0.05, 500, 97).to_json() == calibrated(rows[::-1], 0.05, 500, 4000).to_json()


def test_rows_of_a_real_model_keep_to_the_share(scored: ScoredBatch) -> None:
    rows = scored.examples.filter(
        pa.array([row is not None for row in scored.examples.column("score_psm").to_pylist()])
    )
    calibration = Calibration()
    calibration.add(rows)
    limits = LimitTable().with_changes(calibration.limits(0.1, 10**6))
    assert doubted(rows.to_pylist(), limits) <= 0.12
