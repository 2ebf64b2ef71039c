"""A prompt's format as a sequence of segments: sentinels, fixed text between them, and the parts of an example.

One format works in both directions: filled with parts it gives a prompt, matched against a prompt it gives the parts.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache

PREFIX = "prefix"
MIDDLE = "middle"
SUFFIX = "suffix"
PATH = "path"
REPOSITORY = "repository"
SYSTEM = "system"
QUERY = "query"
RESPONSE = "response"
PARTS = (PREFIX, MIDDLE, SUFFIX, PATH, REPOSITORY, SYSTEM, QUERY, RESPONSE)

HEADER_PARTS = (PATH, REPOSITORY)
"""Parts that are a single line of text."""


class Kind(Enum):
    """What a segment is."""

    SENTINEL = "sentinel"
    LITERAL = "literal"
    """Fixed text that is not a sentinel, such as the blank after `▁<PRE>`."""
    PART = "part"
    """The name of a part, which its text replaces."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a format."""

    kind: Kind
    text: str


# Any sentinel of any family: `<fim_prefix>`, `<|endoftext|>`, `<[fim-suffix]>`, `</s>`, Code Llama's `▁<PRE>`, which holds a
# blank, and Mistral's `[SUFFIX]`.
_SENTINEL = re.compile(r"▁?<[^<>{}\s]+>|\[[A-Z]+\]")
_TOKEN = re.compile(rf"(?P<part>\{{(?:{'|'.join(PARTS)})\}})|(?P<sentinel>{_SENTINEL.pattern})")


@cache
def segments(template: str) -> tuple[Segment, ...]:
    """The segments of a format written as text with its parts in braces: `<fim_prefix>{prefix}<fim_suffix>...`."""
    found: list[Segment] = []
    position = 0
    for token in _TOKEN.finditer(template):
        if literal := template[position : token.start()]:
            found.append(Segment(Kind.LITERAL, literal))
        if token["part"]:
            found.append(Segment(Kind.PART, token["part"][1:-1]))
        else:
            found.append(Segment(Kind.SENTINEL, token["sentinel"]))
        position = token.end()
    if literal := template[position:]:
        found.append(Segment(Kind.LITERAL, literal))
    return tuple(found)


def sentinels(template: str) -> tuple[str, ...]:
    """The sentinels of a format, in order."""
    return tuple(segment.text for segment in segments(template) if segment.kind is Kind.SENTINEL)


def runs(format_: Sequence[Segment]) -> list[tuple[Segment, ...]]:
    """The format in runs that a tokenizer sees one by one: each sentinel by itself, and all text between two of them."""
    found: list[tuple[Segment, ...]] = []
    for segment in format_:
        is_text = segment.kind is not Kind.SENTINEL
        if is_text and found and found[-1][0].kind is not Kind.SENTINEL:
            found[-1] += (segment,)
        else:
            found.append((segment,))
    return found


def fill(format_: Sequence[Segment], parts: Mapping[str, str]) -> str:
    """The text of a format with `parts` in their places. Raises KeyError for a part that is missing."""
    return "".join(parts[segment.text] if segment.kind is Kind.PART else segment.text for segment in format_)


@cache
def _pattern(format_: tuple[Segment, ...]) -> re.Pattern[str]:
    def expression(segment: Segment) -> str:
        if segment.kind is not Kind.PART:
            return re.escape(segment.text)
        text = r"[^\n]*?" if segment.text in HEADER_PARTS else ".*"
        return f"(?P<{segment.text}>{text})"

    return re.compile("".join(map(expression, format_)), re.DOTALL)


def match(format_: tuple[Segment, ...], text: str) -> dict[str, str] | None:
    """The parts of a text in this format, None for a text in another: the inverse of `fill` for parts without a sentinel.

    Where a sentinel occurs twice, one of the parts that are returned holds it.
    """
    found = _pattern(format_).fullmatch(text)
    return found.groupdict() if found else None
