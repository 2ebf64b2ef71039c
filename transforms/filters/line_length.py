"""Line lengths that separate written code from data and minified files.

Rule and thresholds: The Stack's preprocessing (Kocetkov et al. 2022; StarCoder, Li et al. 2023, section 3.1): longest
line at most 1,000 characters, mean at most 100. A file whose long lines hold less than half of it is code all the same: a
test with one long address, a parser with one long expression. Prose is often not wrapped, so its mean does not count.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops, drop_over, either
from stackfim.transforms.filters.filter import Bounds, Filter, Score
from stackfim.transforms.filters.text import continuation_bytes, text_of
from stackfim.transforms.languages import Content, language_row

LONG_CHARS = 1_000
MAX_LONG_SHARE = 0.5
"""Share of a file's characters that may be in long lines."""
ENDLESS_CHARS = 10_000
"""A line longer than this was written by a program."""
MAX_ENDLESS_SHARE = 0.1
"""Share of a file's characters that may be in long lines where one of them is that long."""


class LineLengths(NamedTuple):
    """Lengths of the lines of every row, in characters without line breaks."""

    longest: npt.NDArray[np.int64]
    """Characters of the longest line; (rows,)."""
    mean: npt.NDArray[np.float64]
    """Characters of a line on average; (rows,)."""
    long_share: npt.NDArray[np.float64]
    """Share of all characters that are in long lines; (rows,)."""


def line_lengths(content: pa.BinaryArray, long_chars: int = LONG_CHARS) -> LineLengths:
    """Lengths of the lines of valid UTF-8, 0 for empty rows. A line ends at LF or CRLF; a long one has over `long_chars`."""
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


LINE_LENGTH: Filter[LineLengths] = Filter(
    stage="line_length",
    measure=lambda rows, plan: line_lengths(rows.column("content"), plan.settings.max_line_chars),
    decide=lambda lengths, languages, plan: decide_line_lengths(
        lengths,
        plan.settings.max_line_chars,
        plan.settings.max_mean_line_chars,
        plan.settings.max_long_line_share,
        languages,
    ),
    scores=(
        Score(
            "max_line_chars",
            pa.int64(),
            lambda lengths: lengths.longest,
            Bounds(maximum="max_line_chars"),
            "Characters of the longest line.",
        ),
        Score(
            "mean_line_chars",
            pa.float64(),
            lambda lengths: lengths.mean,
            Bounds(maximum="max_mean_line_chars"),
            "Characters of a line on average.",
        ),
        Score(
            "long_line_share",
            pa.float64(),
            lambda lengths: lengths.long_share,
            Bounds(maximum="max_long_line_share"),
            "Characters in lines longer than `max_line_chars` (1,000 by default), of all characters.",
        ),
    ),
)
