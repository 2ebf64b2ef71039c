"""Comments and lines of logic, recognised by how lines begin: without a parser, all rows of a batch at once.

Rules: StarCoder (Li et al. 2023, section 3.1) drops files by their share of comments; OpenCoder (Huang et al. 2024) drops
those with too few lines of logic. A line is a comment when it begins with a comment marker or lies in a block comment that
began a line; code with a comment after it is code. Docstrings of Python are comments, as StarCoder counts them.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops, drop_over, drop_under, either
from stackfim.transforms.filters.filter import Bounds, Filter, Score
from stackfim.transforms.filters.line_table import LineTable, lines_of, starts_with
from stackfim.transforms.filters.quality_limits import QualityLimits
from stackfim.transforms.filters.text import Text, text_of
from stackfim.transforms.languages import KNOWN_LANGUAGES, Language, language_row
from stackfim.transforms.languages.comments import Comments

MIN_COMMENT_BYTES = 512
"""Fewer visible bytes are not judged: in a short file the share of comments says little."""


MARKERS: dict[str, Comments] = {
    name: language.comments for name, language in KNOWN_LANGUAGES.items() if language.comments is not None
}
"""Languages whose comments are told; files of others have neither share nor logic lines (-1)."""

# Logic begins with a word, a string or a sigil.
_BEGINS_LOGIC = np.zeros(256, bool)
_BEGINS_LOGIC[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$@'\"`:.&!~")] = True
_BEGINS_LOGIC[0x80:] = True


class CommentScores(NamedTuple):
    """How much of every row is comments and logic; -1 where the language's comments are not known."""

    share: npt.NDArray[np.float64]
    """Share of the visible bytes that are in comment lines; (rows,)."""
    logic_lines: npt.NDArray[np.int64]
    """Lines that are more than a comment, an import or punctuation; (rows,)."""
    visible_bytes: npt.NDArray[np.int64]
    """Bytes of all lines without the blanks at their edges; known for every language; (rows,)."""


class CommentLines(NamedTuple):
    """Which lines of a batch are comments and which have logic."""

    text: Text
    lines: LineTable
    comment: npt.NDArray[np.bool_]
    """Which lines are comments; none where the language's comments are not known; (lines,)."""
    logic: npt.NDArray[np.bool_]
    """Which lines have logic, likewise; (lines,)."""


def classified_lines(content: pa.BinaryArray, languages: list[str]) -> CommentLines:
    """The lines of every row, classified by the rules of its language."""
    text = text_of(content)
    lines = lines_of(text)
    filled = lines.filled
    row_language = _numbers(languages)
    language = row_language[lines.row] if len(languages) else np.zeros(0, np.int64)
    comment, logic = np.zeros(len(filled), bool), np.zeros(len(filled), bool)
    for number, (name, markers) in enumerate(MARKERS.items()):
        chosen = np.flatnonzero(language == number)
        if not len(chosen):
            continue
        part = LineTable(lines.row[chosen], lines.start[chosen], lines.visible[chosen], lines.end[chosen], lines.first)
        in_comment = _line_comments(text, part, markers)
        if markers.block:
            in_comment |= _block_comments(text, part, markers.block)
        if markers.docstrings:
            in_comment |= _docstrings(text, part)
        in_comment &= part.filled
        comment[chosen] = in_comment
        logic[chosen] = part.filled & ~in_comment & _begins_logic(text, part, language_row(name))
    return CommentLines(text, lines, comment, logic)


def comment_scores(content: pa.BinaryArray, languages: list[str]) -> CommentScores:
    """Comment share and logic lines of every row, by its language."""
    _, lines, comment, logic = classified_lines(content, languages)
    size = np.where(lines.filled, lines.end - lines.visible, 0)
    visible = lines.sum_by_row(size)
    share = lines.sum_by_row(size * comment) / np.maximum(visible, 1)
    known = _numbers(languages) >= 0
    return CommentScores(
        np.where(known, share, -1.0), np.where(known, lines.sum_by_row(logic.astype(np.int64)), -1), visible
    )


def _numbers(languages: list[str]) -> npt.NDArray[np.int64]:
    """Position of each row's language in MARKERS, -1 for a language that is not there; (rows,)."""
    places = {name: place for place, name in enumerate(MARKERS)}
    return np.array([places.get(name, -1) for name in languages], np.int64)


def _any_mark(text: Text, lines: LineTable, marks: tuple[bytes, ...]) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(lines.visible), bool)
    for mark in marks:
        found |= starts_with(text.data, lines.visible, mark)
    return found


def _line_comments(text: Text, lines: LineTable, markers: Comments) -> npt.NDArray[np.bool_]:
    found = _any_mark(text, lines, markers.line)
    return found & ~_any_mark(text, lines, markers.exceptions) if markers.exceptions else found


def _block_comments(text: Text, lines: LineTable, marks: tuple[bytes, bytes]) -> npt.NDArray[np.bool_]:
    """Lines from one that begins with a block comment to the one where the comment ends.

    A closing mark ends whatever is open, so an opening one inside a comment changes nothing. No comment reaches into the
    next row.
    """
    opens = starts_with(text.data, lines.visible, marks[0])
    at = np.flatnonzero(_positions(text, marks[1]))
    line_of_close = np.searchsorted(lines.start, at, side="right") - 1
    # The lines are those of one language: a closing mark in a row of another one lies past the end of the line before it.
    valid = line_of_close >= 0
    valid[valid] = at[valid] < lines.end[line_of_close[valid]]
    closes = np.zeros(len(opens), bool)
    closes[line_of_close[valid]] = True
    index = np.arange(len(opens))
    new_row = np.ones(len(opens), bool)
    new_row[1:] = lines.row[1:] != lines.row[:-1]
    row_start = np.maximum.accumulate(np.where(new_row, index, 0))
    last_open = np.maximum.accumulate(np.where(opens, index, -1))
    closed_before = np.concatenate(([-1], np.maximum.accumulate(np.where(closes, index, -1))[:-1]))
    # A line is inside a comment when one was opened in its row after the last line before it that closes one.
    inside: npt.NDArray[np.bool_] = (last_open >= row_start) & (last_open > closed_before)
    return opens | inside


def _positions(text: Text, mark: bytes) -> npt.NDArray[np.bool_]:
    """At which bytes of the text the mark begins; (bytes,)."""
    data = text.data
    found = np.zeros(len(data), bool)
    length = len(data) - len(mark) + 1
    if length > 0:
        found[:length] = data[:length] == mark[0]
        for place in range(1, len(mark)):
            found[:length] &= data[place : place + length] == mark[place]
    return found


def _docstrings(text: Text, lines: LineTable) -> npt.NDArray[np.bool_]:
    """Lines of strings in triple quotes that stand where a statement begins; quotes are paired from the start of each row."""
    found = np.zeros(len(lines.row), bool)
    quotes = np.flatnonzero(_positions(text, b'"""') | _positions(text, b"'''"))
    if not len(quotes):
        return found
    line = np.searchsorted(lines.start, quotes, side="right") - 1
    inside = (line >= 0) & (quotes < lines.end[line])
    quotes, line = quotes[inside], line[inside]
    previous_row, open_at, kind, taken = -1, -1, 0, -1
    first_line = 0
    for at, of in zip(quotes.tolist(), line.tolist(), strict=True):
        row = int(lines.row[of])
        if row != previous_row:
            previous_row, open_at, taken = row, -1, -1
        if at < taken:
            continue
        if open_at < 0:
            open_at, kind, first_line = at, int(text.data[at]), of
        elif int(text.data[at]) == kind:
            if open_at - int(lines.visible[first_line]) <= 2 and _only_prefix(
                text, int(lines.visible[first_line]), open_at
            ):
                found[first_line : of + 1] = True
            open_at = -1
        else:
            continue
        taken = at + 3
    return found


def _only_prefix(text: Text, start: int, end: int) -> bool:
    return all(byte in b"rRuUbBfF" for byte in text.data[start:end].tolist())


def _begins_logic(text: Text, lines: LineTable, language: Language) -> npt.NDArray[np.bool_]:
    first = text.data[np.minimum(lines.visible, max(len(text.data) - 1, 0))]
    logic = _BEGINS_LOGIC[first] & ~_any_mark(text, lines, language.imports_begin)
    if language.definitions_begin:
        logic |= _any_mark(text, lines, language.definitions_begin)
    return logic


def decide_comments(scores: CommentScores, limits: list[QualityLimits]) -> Drops:
    """Drops `too_few_logic_lines` rows, and of those with 512 visible bytes or more `too_many_comments` and `too_few_comments`."""
    judged = (scores.share >= 0) & (scores.visible_bytes >= MIN_COMMENT_BYTES)
    many = drop_over(
        np.where(judged, scores.share, -1.0),
        [limit.max_comment_share for limit in limits],
        "too_many_comments",
        "{value:.3f} of what is visible are comments, expected at most {limit:g}",
    )
    few = drop_under(
        np.where(judged, scores.share, 2.0),
        [limit.min_comment_share for limit in limits],
        "too_few_comments",
        "{value:.3f} of what is visible are comments, expected at least {limit:g}",
    )
    no_logic = drop_under(
        np.where(scores.logic_lines >= 0, scores.logic_lines, np.iinfo(np.int64).max),
        [limit.min_logic_lines for limit in limits],
        "too_few_logic_lines",
        "{value} lines are more than comments, imports and punctuation, expected at least {limit}",
    )
    return either(either(many, few), no_logic)


COMMENTS: Filter[CommentScores] = Filter(
    stage="comments",
    measure=lambda rows, plan: comment_scores(rows.column("content"), rows.column("language").to_pylist()),
    decide=lambda scores, languages, plan: decide_comments(scores, plan.limits(languages)),
    scores=(
        Score(
            "comment_share",
            pa.float64(),
            lambda scores: scores.share,
            Bounds("min_comment_share", "max_comment_share"),
            "Comment lines, of the visible bytes; languages with known comments.",
        ),
        Score(
            "logic_lines",
            pa.int64(),
            lambda scores: scores.logic_lines,
            Bounds(minimum="min_logic_lines"),
            "Lines that are no comment, import or punctuation; the same languages.",
        ),
    ),
)
