"""Sites: places in a file that become examples, their kinds, and checks of their text that need no tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from stackfim.transforms.draws import Draws
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.syntax import ParsedFile

NEWLINE_IN_SUFFIX = "suffix"
NEWLINE_IN_MIDDLE = "middle"
NO_NEWLINE = "none"

CLOSERS = b")]}"
"""Bytes that no statement begins with."""

EOF = "eof"
DEDENT = "dedent"
NEWLINE = "newline"

Finder = Callable[[ParsedFile, int, Draws, MultiLineLimits], "Site"]
"""Finds a site on a visible line of a file, or raises Refused."""


class Kind(NamedTuple):
    """A kind of example: what it is called, how often it is drawn and what finds its sites."""

    name: str
    category: str
    weight: float
    """How often it is drawn beside the other kinds of its category, unless a run says otherwise."""
    needs_statements: bool
    """Whether only statements tell where its middle ends: the files of data and markup languages have no such sites."""
    find: Finder | None
    """None where the site follows from one of another kind (transforms/split/pair.py)."""


class Site(NamedTuple):
    """A cursor and the end of its middle, in bytes of the content, and what they are."""

    kind: Kind
    start: int
    end: int
    node_type: str
    stop_reason: str | None = None
    newline_owner: str = NEWLINE_IN_SUFFIX
    bracket_delta: int = 0
    typed: bytes = b""
    """What an editor inserted at the cursor; not in the content, so it is recorded as an insertion at the prefix's end."""
    partner: Site | None = None
    """The site that this one was made from: both have one context and one group."""


class Refused(Exception):
    """A candidate is no site; the message is a fixed word for the reason, which runs count."""


def newline_after(file: ParsedFile, line: int) -> str:
    """Which side holds the line break of `line` when the middle ends before it."""
    return NEWLINE_IN_SUFFIX if file.lines.line_break(line) else NO_NEWLINE


def check_visible_edges(text: str) -> None:
    """Refuse a middle that is empty, or begins or ends with white space of any kind (`blank_edge`)."""
    if not text or text != text.strip():
        raise Refused("blank_edge")


def check_no_free_copy(middle: str, suffix: str) -> None:
    """Refuse a middle that the suffix gives away (`free_copy`).

    It does when the middle's last line, of 8 characters or more without closers, is the first visible line of the suffix; or
    when the whole middle, of 20 characters or more, stands in the 20 nearest lines.
    """
    text = middle.strip()
    nearest = [line.strip() for line in suffix.split("\n", 21)[:20]]
    last = text.rpartition("\n")[2].strip()
    first = next((line for line in nearest if line), "")
    if len(last.strip(")]}; \t")) >= 8 and last == first:
        raise Refused("free_copy")
    if len(text) >= 20 and "\n".join(line.strip() for line in text.split("\n")) in "\n".join(nearest):
        raise Refused("free_copy")
