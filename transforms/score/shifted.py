"""Middles that end one line too early or too late: what a model's sense of an end is measured against.

A model that knows where to stop gives end-of-text a higher probability at the true end than at a shifted one. Scoring
these costs as much as scoring rows, so a bounded sample is taken, by a draw of the row's own.
"""

from __future__ import annotations

import pyarrow as pa

from schemas.example import MULTI_LINE, SINGLE_LINE
from transforms.split.draws import Draws

SHARE = 1 / 32
"""Share of the rows that are drawn."""

MOST_ROWS = 16
"""Most rows of a batch."""

Parts = tuple[str, str, str]
"""Prefix, middle, suffix."""

_BLANKS = " \t\r\n\f\v"


def drawn_rows(rows: pa.RecordBatch, seed: int) -> list[int]:
    """Row numbers of the sample, ascending: single-line and multi-line middles that end where their line ends.

    The same rows whatever else is in the batch, up to `MOST_ROWS` of them.
    """
    columns = (rows.column(name).to_pylist() for name in ("example_id", "category", "newline_owner"))
    drawn: list[tuple[int, int]] = []
    for row, (example_id, category, owner) in enumerate(zip(*columns, strict=True)):
        if category in (SINGLE_LINE, MULTI_LINE) and owner != "none":
            draw = Draws("shifted end", example_id, seed).next()
            if draw < SHARE * 2.0**64:
                drawn.append((draw, row))
    return sorted(row for _, row in sorted(drawn)[:MOST_ROWS])


def shifted_end(example_id: str, parts: Parts, seed: int) -> Parts | None:
    """The row with its end one visible line earlier or later, as drawn, or the other way where there is no such line.

    None where neither is possible.
    """
    both = (earlier_end, later_end)
    first = Draws("shifted way", example_id, seed).below(2)
    return both[first](parts) or both[1 - first](parts)


def earlier_end(parts: Parts) -> Parts | None:
    """The last visible line goes to the suffix; None for a middle of one line."""
    prefix, middle, suffix = parts
    body = middle.rstrip(_BLANKS)
    kept = body[: body.rfind("\n") + 1].rstrip(_BLANKS)
    if not kept:
        return None
    end = len(kept)
    if middle.endswith("\n"):
        end = middle.index("\n", end) + 1
    return prefix, middle[:end], middle[end:] + suffix


def later_end(parts: Parts) -> Parts | None:
    """The suffix's next visible line goes to the middle; None where nothing visible follows."""
    prefix, middle, suffix = parts
    start = 0 if middle.endswith("\n") else suffix.find("\n") + 1
    # Without a line break the rest is the cursor's own line.
    if (start == 0 and not middle.endswith("\n")) or not suffix[start:].strip(_BLANKS):
        return None
    visible = len(suffix) - len(suffix[start:].lstrip(_BLANKS))
    line_break = suffix.find("\n", visible)
    end = len(suffix) if line_break < 0 else line_break
    if middle.endswith("\n"):
        end = min(end + 1, len(suffix))
    else:
        end = len(suffix[:end].rstrip(_BLANKS))
    return prefix, middle + suffix[:end], suffix[end:]
