"""Examples scored in batches: each row gets scores and a verdict, or becomes a rejection if its verdict drops it.

Rows are scored a fixed number at a time, in their order, so that the same rows have the same scores for any number of
workers. The shifted ends that the diagnostics need are scored apart from the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.layout import LAYOUTS
from stackfim.schemas.rejection import EXAMPLE as EXAMPLE_UNIT
from stackfim.schemas.rejection import FILE, REJECTION, rejections
from stackfim.schemas.scored import SCORE, SCORED, score_column
from stackfim.transforms.score.diagnostics import stop_tallies, tallies
from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.score.shifted import drawn_rows, shifted_end
from stackfim.transforms.score.verdict import UNSCORED, deciding_score, verdict

if TYPE_CHECKING:
    from stackfim.model.scorer import Score, ScoredRow, Scorer

STAGE = "score"
NO_EXAMPLE_LEFT = "no_example_left"

ROWS_AT_A_TIME = 256
"""Rows that the model is given at once: enough to pack well, with a bounded number of token ids."""

FILE_KEY = ("repository", "path", "content_id")


@dataclass(frozen=True)
class ScoredBatch:
    """The result of scoring a batch."""

    examples: pa.RecordBatch
    """The rows that stay, in order (stackfim.schemas.scored.SCORED)."""
    rejections: pa.RecordBatch
    """The rows that their verdict drops, in order (stackfim.schemas.rejection.REJECTION)."""
    counts: Counter[str]
    """Tallies of all rows for the diagnostics (stackfim.transforms.score.diagnostics)."""


def score_examples(rows: pa.RecordBatch, scorer: Scorer, settings: ScoreSettings) -> ScoredBatch:
    """The rows (stackfim.schemas.example.EXAMPLE; older scores are replaced) with scores and verdicts.

    `scorer` must score the layouts of `settings`.
    """
    rows = rows.select(EXAMPLE.names)
    counts: Counter[str] = Counter()
    scored: list[ScoredRow] = []
    for start in range(0, rows.num_rows, ROWS_AT_A_TIME):
        part = rows.slice(start, ROWS_AT_A_TIME)
        scored += scorer.score(_parts(part))
    table = _with_scores(rows, scored, settings)
    counts.update(tallies(table, settings.layouts))
    for start in range(0, rows.num_rows, ROWS_AT_A_TIME):
        counts.update(_stop_tallies(table.slice(start, ROWS_AT_A_TIME), scorer, settings))
    verdicts = table.column("verdict").to_pylist()
    drops = np.array([settings.drops(found) for found in verdicts], bool)
    gone = table.filter(pa.array(drops))
    reasons = gone.column("verdict").to_pylist()
    dropped = rejections(EXAMPLE_UNIT, STAGE, reasons, gone.select(list(FILE_KEY)), _details(gone, settings))
    return ScoredBatch(table.filter(pa.array(~drops)) if drops.any() else table, dropped, counts)


def emptied_files(before: pa.RecordBatch, after: pa.RecordBatch) -> pa.RecordBatch:
    """A rejection (stackfim.schemas.rejection.REJECTION) for each file with rows in `before` but none in `after`, in order.

    Both need the columns repository, path and content_id, and all rows of their files. A file that has lost all of its
    examples counts as rejected.
    """
    kept = set(_files(after))
    left = Counter(file for file in _files(before) if file not in kept)
    files = pa.RecordBatch.from_arrays(
        [pa.array([file[column] for file in left], pa.string()) for column in range(len(FILE_KEY))], names=FILE_KEY
    )
    details = [f"its verdicts drop {'all ' if count > 1 else ''}{count} of its examples" for count in left.values()]
    return rejections(FILE, STAGE, [NO_EXAMPLE_LEFT] * len(left), files, details).cast(REJECTION)


def _files(rows: pa.RecordBatch) -> list[tuple[str, ...]]:
    return list(zip(*(rows.column(name).to_pylist() for name in FILE_KEY), strict=True))


def _parts(rows: pa.RecordBatch) -> list[tuple[str, str, str]]:
    return list(zip(*(rows.column(name).to_pylist() for name in ("prefix", "middle", "suffix")), strict=True))


def _with_scores(rows: pa.RecordBatch, scored: Sequence[ScoredRow], settings: ScoreSettings) -> pa.RecordBatch:
    """The rows as SCORED. Verdicts are made from the scores as stored, so that a reader of these finds the same ones."""
    columns = {score_column(layout): _score_column(scored, layout) for layout in LAYOUTS}
    stored = {layout: columns[score_column(layout)].to_pylist() for layout in settings.layouts}
    labels = zip(rows.column("category").to_pylist(), rows.column("language").to_pylist(), strict=True)
    verdicts = []
    for number, (row, (category, language)) in enumerate(zip(scored, labels, strict=True)):
        if row.reason is not None:
            verdicts.append(f"{UNSCORED}:{row.reason}")
            continue
        scores = {layout: stored[layout][number] for layout in settings.layouts}
        verdicts.append(verdict(category, row.tokens, scores, settings.limits.of(category, language)))
    columns["tokens"] = pa.array([row.tokens for row in scored], pa.int32())
    columns["verdict"] = pa.array(verdicts, pa.string())
    return pa.RecordBatch.from_arrays(
        [columns[name] if name in columns else rows.column(name) for name in SCORED.names], schema=SCORED
    )


def _score_column(scored: Sequence[ScoredRow], layout: str) -> pa.Array:
    return pa.array([None if (score := row.scores.get(layout)) is None else _stored(score) for row in scored], SCORE)


def _stored(score: Score) -> dict[str, Any]:
    """The values of a score, kept within their ranges, which rounding may have left by the last digit."""
    values = asdict(score)
    for name in ("p_eot_end", "p_eot_start", "p_eot_early"):
        values[name] = None if values[name] is None else min(values[name], 1.0)
    for name in ("nll", "nll_sum"):
        values[name] = max(values[name], 0.0)
    return values


def _stop_tallies(rows: pa.RecordBatch, scorer: Scorer, settings: ScoreSettings) -> Counter[str]:
    """Tallies of the true and the shifted ends of a sample of rows."""
    drawn = [
        row for row in drawn_rows(rows, settings.seed) if not rows.column("verdict")[row].as_py().startswith(UNSCORED)
    ]
    sample = rows.take(pa.array(drawn, pa.int64())).to_pylist()
    shifted = [
        (row, parts)
        for row in sample
        if (parts := shifted_end(row["example_id"], (row["prefix"], row["middle"], row["suffix"]), settings.seed))
    ]
    if not shifted:
        return Counter()
    found = scorer.score([parts for _, parts in shifted])
    pairs = [
        (row["category"], layout, row[score_column(layout)]["p_eot_end"], score.p_eot_end)
        for (row, _), other in zip(shifted, found, strict=True)
        for layout in settings.layouts
        if (score := other.scores[layout]) is not None
    ]
    return stop_tallies(pairs)


def _details(rows: pa.RecordBatch, settings: ScoreSettings) -> list[str]:
    names = ["example_id", "category", "language", "tokens", "verdict", *map(score_column, LAYOUTS)]
    return [_detail(row, settings) for row in rows.select(names).to_pylist()]


def _detail(row: Mapping[str, Any], settings: ScoreSettings) -> str:
    """The values that a verdict was made from, in words."""
    begin = f"example {row['example_id']}: {row['tokens']} tokens"
    scores = {layout: row[score_column(layout)] for layout in LAYOUTS}
    if row["verdict"].startswith(UNSCORED):
        return f"{begin}, not scored"
    score = deciding_score(scores)
    early = "" if score["p_eot_early"] is None else f", at a line end before {score['p_eot_early']:.4f}"
    limits = settings.limits.of(row["category"], row["language"]).to_text(row["category"])
    return (
        f"{begin}, nll {score['nll']:.3f}, probability of the end {score['p_eot_end']:.4f}{early}; "
        f"limits of {row['category']} in {row['language']}: {limits}"
    )
