"""A place in a file where an example is cut, and the checks on text alone that every cut must pass."""

from __future__ import annotations

from typing import NamedTuple

from stackfim.transforms.split.syntax import ParsedFile

NEWLINE_IN_SUFFIX = "suffix"
NEWLINE_IN_MIDDLE = "middle"
NO_NEWLINE = "none"

CLOSERS = b")]}"
"""What no statement begins with."""

EOF = "eof"
DEDENT = "dedent"
NEWLINE = "newline"


class Site(NamedTuple):
    """A cursor and an end, in bytes of the content, and what they are."""

    category: str
    kind: str
    start: int
    end: int
    node_type: str
    stop_reason: str | None = None
    newline_owner: str = NEWLINE_IN_SUFFIX
    bracket_delta: int = 0
    typed: bytes = b""
    """What an editor put in at the cursor, not in the content: recorded as an insertion at the prefix's end."""
    partner: Site | None = None
    """The site that this one was made from: both have one context and one group."""


class Refused(Exception):
    """A candidate is no site; the message is a fixed word for the reason, which runs count."""


def newline_after(file: ParsedFile, row: int) -> str:
    """Who holds the line break of `row` when the middle ends before it."""
    return NEWLINE_IN_SUFFIX if file.lines.line_break(row) else NO_NEWLINE


def check_visible_edges(text: str) -> None:
    """Refuse a middle that begins or ends with white space of any kind, or has nothing visible (`blank_edge`)."""
    if not text or text != text.strip():
        raise Refused("blank_edge")


def check_no_free_copy(middle: str, suffix: str) -> None:
    """Refuse a middle that the suffix gives away (`free_copy`).

    Its last line, of 8 characters or more without closers, is the first visible line of the suffix; or all of it, of 20
    characters or more, stands in the 20 nearest lines.
    """
    text = middle.strip()
    nearest = [line.strip() for line in suffix.split("\n", 21)[:20]]
    last = text.rpartition("\n")[2].strip()
    first = next((line for line in nearest if line), "")
    if len(last.strip(")]}; \t")) >= 8 and last == first:
        raise Refused("free_copy")
    if len(text) >= 20 and "\n".join(line.strip() for line in text.split("\n")) in "\n".join(nearest):
        raise Refused("free_copy")
