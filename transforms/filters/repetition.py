"""Repetition inside a file: lines that come again and again, and an n-gram that covers most of it.

Rules: Gopher (Rae et al. 2021, table A1), as OpenCoder's code configuration has them (`frac_lines_dupe_lines` 0.7, top
n-grams). Lines without a word (closing braces) do not count, nor do files of few lines, since code repeats itself.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops, drop_over, either
from stackfim.transforms.filters.filter import Bounds, Filter, Score
from stackfim.transforms.filters.line_table import lines_of
from stackfim.transforms.filters.quality_limits import QualityLimits
from stackfim.transforms.filters.text import Text, text_of
from stackfim.transforms.filters.words import Words, ngrams, span_hashes, word_blocks
from stackfim.transforms.ragged import begins_run, run_offsets

NGRAM_WORDS = 5
MIN_LINES = 30
MIN_WORDS = 200
EXACT_FROM = 0.2
"""From this share on overlaps are taken into account; below it, the share is the upper bound that ignores them."""


class Repetition(NamedTuple):
    """How much of every row repeats; 0 for rows of fewer than 30 lines with words, or than 200 words."""

    duplicate_lines: npt.NDArray[np.float64]
    """Share of the lines with words whose words are those of an earlier line; (rows,)."""
    top_ngram: npt.NDArray[np.float64]
    """Share of the words that one 5-gram covers; (rows,)."""


def repetition(content: pa.BinaryArray) -> Repetition:
    """How much of every row repeats, counted in words: punctuation and blanks make no difference."""
    text = text_of(content)
    lines, top = np.zeros(len(content)), np.zeros(len(content))
    for words in word_blocks(text):
        lines[words.rows] = _duplicate_lines(words)
        top[words.rows] = _top_ngram(words)
    return Repetition(lines, top)


def _duplicate_lines(words: Words) -> npt.NDArray[np.float64]:
    rows = len(words.first) - 1
    lines = lines_of(Text(words.data, words.borders))
    first = np.searchsorted(words.starts, np.append(lines.start, len(words.data)))
    filled = first[1:] > first[:-1]
    hashes, row = span_hashes(words.hashes, first[:-1][filled], first[1:][filled]), lines.row[filled]
    total = np.bincount(row, minlength=rows)
    keys, shift = _sorted_keys(row, hashes, rows)
    distinct = np.bincount((keys[begins_run(keys)] >> shift).astype(np.int64), minlength=rows)
    return np.where(total >= MIN_LINES, (total - distinct) / np.maximum(total, 1), 0.0)


def _top_ngram(words: Words) -> npt.NDArray[np.float64]:
    rows = len(words.first) - 1
    count = np.diff(words.first)
    found = ngrams(words.hashes, words.first, NGRAM_WORDS)
    keys, shift = _sorted_keys(found.row, found.hashes, rows)
    runs = run_offsets(keys)
    bound = np.zeros(rows)
    if len(keys):
        row = (keys[runs[:-1]] >> shift).astype(np.int64)
        first = np.flatnonzero(begins_run(row))
        most = np.maximum.reduceat(np.diff(runs), first)
        bound[row[first]] = np.where(most > 1, most * NGRAM_WORDS, 0) / np.maximum(count[row[first]], 1)
    bound[count < MIN_WORDS] = 0.0
    for number in np.flatnonzero(bound >= EXACT_FROM).tolist():
        inside = slice(*np.searchsorted(found.row, [number, number + 1]).tolist())
        bound[number] = _covered(found.hashes[inside]) / count[number]
    return bound


def _covered(hashes: npt.NDArray[np.uint64]) -> int:
    """Number of words that the most widely spread n-gram covers; `hashes` are those of a row, in order of its words."""
    order = np.argsort(hashes, kind="stable")
    runs = run_offsets(hashes[order])
    # An occurrence covers its words up to the next one of the same n-gram.
    gaps = np.minimum(np.diff(order, append=0), NGRAM_WORDS)
    gaps[runs[1:] - 1] = NGRAM_WORDS
    return int(np.add.reduceat(gaps, runs[:-1]).max())


def _sorted_keys(
    row: npt.NDArray[np.int64], hashes: npt.NDArray[np.uint64], rows: int
) -> tuple[npt.NDArray[np.uint64], np.uint64]:
    """Row and hash in one number, so that one sort does for two, ascending; and by how many bits the row is shifted."""
    bits = max(rows - 1, 1).bit_length()
    shift = np.uint64(64 - bits)
    keys = row.astype(np.uint64) << shift | hashes >> np.uint64(bits)
    keys.sort()
    return keys, shift


def decide_repetition(scores: Repetition, limits: list[QualityLimits]) -> Drops:
    """Drops `duplicate_lines` and `repeated_ngram` rows."""
    return either(
        drop_over(
            scores.top_ngram,
            [limit.max_top_ngram_share for limit in limits],
            "repeated_ngram",
            f"one {NGRAM_WORDS}-gram covers {{value:.3f}} of the words, expected at most {{limit:g}}",
        ),
        drop_over(
            scores.duplicate_lines,
            [limit.max_duplicate_line_share for limit in limits],
            "duplicate_lines",
            "{value:.3f} of the lines repeat an earlier one, expected at most {limit:g}",
        ),
    )


REPETITION: Filter[Repetition] = Filter(
    stage="repetition",
    measure=lambda rows, plan: repetition(rows.column("content")),
    decide=lambda scores, languages, plan: decide_repetition(scores, plan.limits(languages)),
    scores=(
        Score(
            "duplicate_line_share",
            pa.float64(),
            lambda scores: scores.duplicate_lines,
            Bounds(maximum="max_duplicate_line_share"),
            "Lines whose words an earlier line has; 0 below 30 lines.",
        ),
        Score(
            "top_ngram_share",
            pa.float64(),
            lambda scores: scores.top_ngram,
            Bounds(maximum="max_top_ngram_share"),
            "Words that the most frequent 5-gram covers; 0 below 200 words.",
        ),
    ),
)
