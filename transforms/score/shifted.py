"""Middles that end one line too early or too late, to measure how well a model recognises a true end.

A model that knows where to stop gives end-of-text a higher probability at the true end than at a shifted one. Scoring a
shifted end costs as much as scoring a row, so it is done for a bounded sample, drawn for each row by itself.
"""

from __future__ import annotations

import pyarrow as pa

from stackfim.model.ends import Row, earlier_end, later_end
from stackfim.schemas.example import MULTI_LINE, SINGLE_LINE
from stackfim.transforms.draws import Draws

SHARE = 1 / 32
"""The share of rows that is drawn."""

MOST_ROWS = 16
"""The most rows that are drawn from one batch."""


def drawn_rows(rows: pa.RecordBatch, seed: int) -> list[int]:
    """The row numbers of the sample, ascending: rows with single-line or multi-line middles that end where their line ends.

    Up to `MOST_ROWS` of them, the choice does not depend on the other rows of the batch.
    """
    columns = (rows.column(name).to_pylist() for name in ("example_id", "category", "newline_owner"))
    drawn: list[tuple[int, int]] = []
    for row, (example_id, category, owner) in enumerate(zip(*columns, strict=True)):
        if category in (SINGLE_LINE, MULTI_LINE) and owner != "none":
            draw = Draws("shifted end", example_id, seed).next()
            if draw < SHARE * 2.0**64:
                drawn.append((draw, row))
    return sorted(row for _, row in sorted(drawn)[:MOST_ROWS])


def shifted_end(example_id: str, row: Row, seed: int) -> Row | None:
    """The row with its end one visible line earlier or later, as drawn, or else in the other direction.

    None where neither is possible.
    """
    both = (earlier_end, later_end)
    first = Draws("shifted way", example_id, seed).below(2)
    return both[first](row) or both[1 - first](row)
