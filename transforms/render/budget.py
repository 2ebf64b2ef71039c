"""How much of prefix and suffix a budget holds: whole lines nearest to the cursor, and always the lines at the cursor.

The line of the cursor and the first line of the suffix, with its line break, are never cut. Each side may have half of
the budget and what the other side leaves over. A line ends at LF or CRLF.

Sizes may be characters or tokens, of texts by themselves or within a prompt: `fit` knows them only through `Side`.
"""

from collections.abc import Callable
from typing import Protocol


class Side(Protocol):
    """The text on one side of the cursor, and how long parts of it are."""

    @property
    def text(self) -> str:
        """The whole text."""
        ...

    def total(self, most: int) -> int:
        """Size of the whole text; where that is above `most`, any number above `most`."""
        ...

    def reach(self, limit: int) -> int:
        """How many characters nearest to the cursor have a size of `limit`, as an estimate that `size` corrects."""
        ...

    def size(self, part: str) -> int:
        """Exact size of the text, or of the part of it that is nearest to the cursor."""
        ...


class Characters:
    """A side that is measured in characters (code points)."""

    def __init__(self, text: str) -> None:
        """Measure `text`."""
        self.text = text

    def total(self, most: int) -> int:
        """Characters of the whole text."""
        return len(self.text)

    def reach(self, limit: int) -> int:
        """As many characters as the limit."""
        return limit

    def size(self, part: str) -> int:
        """Characters of a part."""
        return len(part)


def lines_at_cursor(prefix: str, suffix: str) -> tuple[str, str]:
    """The cursor's line as far as it is in the prefix, and the first line of the suffix with its line break."""
    return last_lines(prefix, 0), first_lines(suffix, 0)


def last_lines(text: str, chars: int) -> str:
    """The last whole lines of `text` that have at most `chars` characters, but at least the last line."""
    if chars >= len(text):
        return text
    return text[text.find("\n", len(text) - chars - 1) + 1 or text.rfind("\n") + 1 :]


def first_lines(text: str, chars: int) -> str:
    """The first whole lines of `text` that have at most `chars` characters, but at least the first line."""
    if chars >= len(text):
        return text
    return text[: text.rfind("\n", 0, chars) + 1 or text.find("\n") + 1 or len(text)]


def fit(head: Side, tail: Side, room: int) -> tuple[str, str] | None:
    """As much of the prefix (`head`) and the suffix (`tail`) as has a size of at most `room` in all.

    None where not even the lines at the cursor fit.
    """
    cursor_line, first_line = lines_at_cursor(head.text, tail.text)
    least_head, least_tail = head.size(cursor_line), tail.size(first_line)
    if least_head + least_tail > room:
        return None
    half = room - room // 2
    share = max(room - tail.total(half), half, least_head)
    prefix, used = _kept(head, last_lines, min(share, room - least_tail))
    suffix, _ = _kept(tail, first_lines, room - used)
    return prefix, suffix


def _kept(side: Side, lines: Callable[[str, int], str], limit: int) -> tuple[str, int]:
    """The most lines of a side that `limit` holds, and their size."""
    part = lines(side.text, side.reach(limit))
    # A cut can cost a token that the whole text does not have.
    while (size := side.size(part)) > limit:
        part = lines(part, len(part) - 1)
    return part, size
