"""Line lengths that separate written code from data and minified files.

Rule and thresholds: The Stack's preprocessing (Kocetkov et al. 2022; StarCoder, Li et al. 2023, section 3.1): longest
line at most 1,000 characters, mean at most 100. A file of which long lines are less than half is code all the same: a test
with one long address, a parser with one long expression. Prose is not wrapped: it has no mean.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops, drop_over, either
from stackfim.transforms.filters.text import continuation_bytes, text_of
from stackfim.transforms.languages import Content, language_row

LONG_CHARS = 1_000
MAX_LONG_SHARE = 0.5
"""Characters of long lines, of a file's, up to which it stays."""
ENDLESS_CHARS = 10_000
"""A line that is longer than this was written by a program,"""
MAX_ENDLESS_SHARE = 0.1
"""and a file may hold no more of such."""


class LineLengths(NamedTuple):
    """Longest and mean line of every row, in characters without line breaks."""

    longest: np.ndarray
    """int64, (rows,)."""
    mean: np.ndarray
    """float64, (rows,)."""
    long_share: np.ndarray
    """Characters of lines that are longer than asked for, of all lines'; float64, (rows,)."""


def line_lengths(content: pa.BinaryArray, long_chars: int = LONG_CHARS) -> LineLengths:
    """Lengths of the lines of valid UTF-8; 0 for empty rows. A line ends at LF or CRLF, a long one has over `long_chars`."""
    text = text_of(content)
    rows = len(content)
    if not len(text.data):
        return LineLengths(np.zeros(rows, np.int64), np.zeros(rows), np.zeros(rows))
    breaks = np.flatnonzero(text.data == 0x0A)
    # A line starts where a row does and after each line break inside a row.
    row_starts, row_ends = text.offsets[:-1], text.offsets[1:]
    filled = row_ends > row_starts
    after_breaks = breaks + 1
    where = np.searchsorted(after_breaks, row_starts[filled])
    starts = np.insert(after_breaks, where, row_starts[filled])
    starts = starts[np.append(True, starts[1:] != starts[:-1])] if len(starts) else starts
    starts = starts[starts < len(text.data)]
    ends = np.append(starts[1:], len(text.data))
    lengths = ends - starts
    last = text.data[ends - 1] == 0x0A
    lengths -= last
    lengths -= last & (ends - starts >= 2) & (text.data[np.maximum(ends - 2, 0)] == 0x0D)
    continuation = continuation_bytes(text)
    if len(continuation):
        lengths -= np.searchsorted(continuation, ends) - np.searchsorted(continuation, starts)
    first_line = np.searchsorted(starts, row_starts[filled])
    longest, mean, long_share = np.zeros(rows, np.int64), np.zeros(rows), np.zeros(rows)
    if len(first_line):
        counts = np.diff(np.append(first_line, len(starts)))
        longest[filled] = np.maximum.reduceat(lengths, first_line)
        total = np.add.reduceat(lengths, first_line)
        mean[filled] = total / counts
        in_long = np.add.reduceat(np.where(lengths > long_chars, lengths, 0), first_line)
        long_share[filled] = in_long / np.maximum(total, 1)
    return LineLengths(longest, mean, long_share)


def decide_line_lengths(
    lengths: LineLengths,
    max_chars: int,
    max_mean_chars: float,
    max_long_share: float = MAX_LONG_SHARE,
    languages: Sequence[str] = (),
) -> Drops:
    """Drops `line_too_long` and `lines_too_long_on_average` rows; the latter never for prose, where a paragraph may be one line."""
    is_prose = [language_row(language).content is Content.PROSE for language in languages]
    most = np.where(lengths.longest > ENDLESS_CHARS, min(MAX_ENDLESS_SHARE, max_long_share), max_long_share)
    too_long: Drops = {
        row: (
            "line_too_long",
            f"longest line has {lengths.longest[row]} characters and long lines hold {lengths.long_share[row]:.3f} of the file, "
            f"expected at most {max_chars} or {most[row]:g}",
        )
        for row in np.flatnonzero((lengths.longest > max_chars) & (lengths.long_share > most)).tolist()
    }
    on_average = drop_over(
        np.where(is_prose, 0.0, lengths.mean) if languages else lengths.mean,
        [max_mean_chars] * len(lengths.mean),
        "lines_too_long_on_average",
        "lines have {value:.1f} characters on average, expected at most {limit:g}",
    )
    return either(on_average, too_long)
