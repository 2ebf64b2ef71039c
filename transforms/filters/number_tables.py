"""Digits and lines of number literals: tables, matrices and bitmaps that are written as source code.

Rule: OpenCoder's `frac_chars_digital` (Huang et al. 2024); that of the lines is our own, since a table of hex has few digits.
"""

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops, drop_over, either
from stackfim.transforms.filters.filter import Bounds, Filter, Score
from stackfim.transforms.filters.line_table import lines_of
from stackfim.transforms.filters.quality_limits import QualityLimits
from stackfim.transforms.filters.text import BLANKS, text_of

MIN_BYTES = 512
"""Shorter files are no tables: `version = (1, 2, 3)` is code."""

_DIGITS = bytes(range(0x30, 0x3A))
# What a line of number literals begins with, and all that it may hold: digits, hex digits, suffixes, punctuation.
_MAY_BEGIN = np.zeros(256, bool)
_MAY_BEGIN[list(b"0123456789-+.{[(")] = True
_NUMBERS = re.compile(rb"[-+.{\[(\s]*[0-9][0-9a-fA-FxXuUlL.,+\-{}\[\]()\s;]*(?://.*|/\*.*\*/|#.*)?", re.DOTALL)


class NumberShares(NamedTuple):
    """Shares of every row's visible bytes; 0 for rows that are too short to be a table."""

    digits: npt.NDArray[np.float64]
    """Share of ASCII digits; (rows,)."""
    number_lines: npt.NDArray[np.float64]
    """Share of lines that hold nothing but number literals; (rows,)."""


def number_shares(content: pa.BinaryArray) -> NumberShares:
    """Shares of digits and of lines of number literals in every row."""
    text = text_of(content)
    rows = len(content)
    visible, digits, in_lines = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    data = memoryview(text.data.data)
    borders = text.offsets.tolist()
    for row in np.flatnonzero(np.diff(text.offsets) >= MIN_BYTES).tolist():
        seen = bytes(data[borders[row] : borders[row + 1]]).translate(None, BLANKS)
        visible[row] = len(seen)
        digits[row] = len(seen) - len(seen.translate(None, _DIGITS))
    # Few rows have enough digits to be a table: only their lines are looked at.
    for row in np.flatnonzero(digits > 0.1 * visible).tolist():
        in_lines[row] = _bytes_in_number_lines(content.slice(row, 1))
    total = np.maximum(visible, 1)
    return NumberShares(digits / total, in_lines / total)


def _bytes_in_number_lines(row: pa.BinaryArray) -> int:
    text = text_of(row)
    lines = lines_of(text)
    data = text.data.tobytes()
    candidates = np.flatnonzero(lines.filled)
    candidates = candidates[_MAY_BEGIN[text.data[lines.visible[candidates]]]]
    total = 0
    for start, end in zip(lines.visible[candidates].tolist(), lines.end[candidates].tolist(), strict=True):
        line = data[start:end]
        if _NUMBERS.fullmatch(line):
            total += len(line.translate(None, BLANKS))
    return total


def decide_numbers(shares: NumberShares, limits: list[QualityLimits]) -> Drops:
    """Drops `too_many_digits` and `number_table` rows."""
    return either(
        drop_over(
            shares.digits,
            [limit.max_digit_share for limit in limits],
            "too_many_digits",
            "{value:.3f} of what is visible are digits, expected at most {limit:g}",
        ),
        drop_over(
            shares.number_lines,
            [limit.max_number_line_share for limit in limits],
            "number_table",
            "lines of number literals hold {value:.3f} of what is visible, expected at most {limit:g}",
        ),
    )


NUMBERS: Filter[NumberShares] = Filter(
    stage="numbers",
    measure=lambda rows, plan: number_shares(rows.column("content")),
    decide=lambda shares, languages, plan: decide_numbers(shares, plan.limits(languages)),
    scores=(
        Score(
            "digit_share",
            pa.float64(),
            lambda shares: shares.digits,
            Bounds(maximum="max_digit_share"),
            "ASCII digits, of the visible bytes; 0 below 512 bytes.",
        ),
        Score(
            "number_line_share",
            pa.float64(),
            lambda shares: shares.number_lines,
            Bounds(maximum="max_number_line_share"),
            "Lines of number literals, of the visible bytes; 0 below 512 bytes.",
        ),
    ),
)
