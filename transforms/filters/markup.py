"""Markup: XML under another language's name, and HTML with little visible text.

Rules: StarCoder (Li et al. 2023, section 3.1): a file with `<?xml version=` in its first 100 characters goes unless its
language is XML; HTML stays with at least 20% and 100 characters of visible text.
"""

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.file_head import head_of
from stackfim.transforms.filters.decision import Drops, drop_under, drop_where, either
from stackfim.transforms.filters.filter import Bounds, Filter, Score
from stackfim.transforms.filters.quality_limits import QualityLimits
from stackfim.transforms.languages import Content, language_row

XML_HEAD_BYTES = 100

_XML = re.compile(rb"\s*<\?xml version=")
_HIDDEN_ELEMENTS = (b"script", b"style")
_BLANKS = re.compile(rb"\s+")


class MarkupScores(NamedTuple):
    """Markup of every row."""

    xml: npt.NDArray[np.bool_]
    """Whether an XML declaration begins a file of another language; (rows,)."""
    text_chars: npt.NDArray[np.int64]
    """Characters of visible text, each run of blanks as one; -1 where the language is no markup; (rows,)."""
    text_share: npt.NDArray[np.float64]
    """Their share of all characters; -1 where the language is no markup; (rows,)."""


def markup_scores(content: pa.BinaryArray, languages: list[str]) -> MarkupScores:
    """XML declarations and visible text of every row of valid UTF-8."""
    rows = len(content)
    xml, chars, share = np.zeros(rows, bool), np.full(rows, -1, np.int64), np.full(rows, -1.0)
    for row, language in enumerate(languages):
        known = language_row(language)
        if not known.has_xml_declaration:
            xml[row] = bool(_XML.match(head_of(content[row].as_buffer(), XML_HEAD_BYTES)))
        elif known.content is Content.HTML:
            source = content[row].as_py()
            text = _BLANKS.sub(b" ", _visible(source)).strip()
            chars[row] = len(text.decode("utf-8", "replace"))
            share[row] = chars[row] / max(len(source.decode("utf-8", "replace")), 1)
    return MarkupScores(xml, chars, share)


def _visible(source: bytes) -> bytes:
    """The text outside of tags, comments, scripts and styles; one that never ends hides the rest, as in a browser."""
    lowered = source.lower()
    parts, position = [], 0
    while (tag := source.find(b"<", position)) >= 0:
        parts.append(source[position:tag])
        end = b">"
        if source.startswith(b"<!--", tag):
            end = b"-->"
        for element in _HIDDEN_ELEMENTS:
            if lowered.startswith(element, tag + 1):
                end = b"</" + element
        found = lowered.find(end, tag + 1)
        if found < 0:
            return b" ".join(parts)
        # The closing tag of a hidden element is skipped in the next round.
        position = found if end.startswith(b"</") else found + len(end)
    return b" ".join([*parts, source[position:]])


def decide_markup(scores: MarkupScores, limits: list[QualityLimits]) -> Drops:
    """Drops `xml_content` and `too_little_text` rows."""
    known = scores.text_chars >= 0
    short = drop_under(
        np.where(known, scores.text_chars, np.iinfo(np.int64).max),
        [limit.min_text_chars for limit in limits],
        "too_little_text",
        "{value} characters of visible text, expected at least {limit}",
    )
    thin = drop_under(
        np.where(known, scores.text_share, 2.0),
        [limit.min_text_share for limit in limits],
        "too_little_text",
        "{value:.3f} of the characters are visible text, expected at least {limit:g}",
    )
    return either(either(short, thin), drop_where(scores.xml, "xml_content", detail="begins with an XML declaration"))


MARKUP: Filter[MarkupScores] = Filter(
    stage="markup",
    measure=lambda rows, plan: markup_scores(rows.column("content"), rows.column("language").to_pylist()),
    decide=lambda scores, languages, plan: decide_markup(scores, plan.limits(languages)),
    scores=(
        Score(
            "xml_declaration",
            pa.bool_(),
            lambda scores: scores.xml,
            description="Whether an XML declaration begins a file of another language.",
        ),
        Score(
            "text_chars",
            pa.int64(),
            lambda scores: scores.text_chars,
            Bounds(minimum="min_text_chars"),
            "Characters of visible text; markup alone.",
        ),
        Score(
            "text_share",
            pa.float64(),
            lambda scores: scores.text_share,
            Bounds(minimum="min_text_share"),
            "Visible text, of all characters; markup alone.",
        ),
    ),
)
