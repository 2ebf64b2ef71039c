"""The lines of a text, in bytes, and how their indents compare.

A line ends at LF or CRLF and nowhere else (`str.splitlines` also breaks at form feeds, U+2028 and more). Indents are
compared without a tab width: a line is deeper than another only if its leading blanks begin with the other's.
"""

import re
from bisect import bisect_right
from enum import Enum

import numpy as np

BLANKS = b" \t\r\n\f\v"
"""Bytes that are not visible: what `bytes.split` takes for white space."""

_IS_VISIBLE = bytes(byte not in BLANKS for byte in range(256))
_TAB_COLUMNS = 8


class Indent(Enum):
    """How the indent of one line compares to another's."""

    SHALLOWER = "shallower"
    EQUAL = "equal"
    DEEPER = "deeper"
    INCOMPARABLE = "incomparable"


def compare_indents(indent: bytes, base: bytes) -> Indent:
    """How `indent` compares to `base`, both runs of spaces and tabs."""
    if indent == base:
        return Indent.EQUAL
    if base.startswith(indent):
        return Indent.SHALLOWER
    if indent.startswith(base):
        return Indent.DEEPER
    return Indent.INCOMPARABLE


class Lines:
    """The lines of `content`, numbered from 0 as tree-sitter numbers its rows: it breaks at LF too.

    A text that ends with a line break has no empty line after it.
    """

    __slots__ = ("_first_visible", "_last_visible", "content", "starts")

    def __init__(self, content: bytes) -> None:
        """Finds all lines of `content`, which need not be valid UTF-8."""
        breaks = np.flatnonzero(np.frombuffer(content, np.uint8) == 0x0A)
        count = len(breaks) + (not content or content[-1] != 0x0A)
        starts = np.zeros(count, np.int64)
        np.add(breaks[: count - 1], 1, out=starts[1:])
        self.content = content
        self.starts: list[int] = starts.tolist()
        """First byte of each line."""
        # For all lines at once: one by one takes longer from the first hundred lines on.
        visible = np.flatnonzero(np.frombuffer(content.translate(_IS_VISIBLE), np.bool_))
        bounds = np.empty(count + 1, np.int64)
        bounds[:-1] = visible.searchsorted(starts)
        bounds[-1] = len(visible)
        first, after = bounds[:-1], bounds[1:]
        filled = after > first
        first_visible, last_visible = np.full(count, -1), np.full(count, -1)
        first_visible[filled] = visible[first[filled]]
        last_visible[filled] = visible[after[filled] - 1] + 1
        self._first_visible: list[int] = first_visible.tolist()
        self._last_visible: list[int] = last_visible.tolist()

    def __len__(self) -> int:
        """Number of lines; at least 1."""
        return len(self.starts)

    def next_start(self, line: int) -> int:
        """Byte after a line and its line break."""
        return self.starts[line + 1] if line + 1 < len(self.starts) else len(self.content)

    def end(self, line: int) -> int:
        """Byte after a line, without its line break (LF or CRLF)."""
        start, end = self.starts[line], self.next_start(line)
        if end > start and self.content[end - 1] == 0x0A:
            end -= 1
            if end > start and self.content[end - 1] == 0x0D:
                end -= 1
        return end

    def first_visible(self, line: int) -> int:
        """First byte of a line that is no blank (space, tab, CR, form feed, vertical tab); -1 on a blank line."""
        return self._first_visible[line]

    def last_visible(self, line: int) -> int:
        """Byte after the last visible one of a line; -1 on a blank line."""
        return self._last_visible[line]

    def line_of(self, offset: int) -> int:
        """The line that holds byte `offset`; a line break belongs to the line that it ends."""
        return bisect_right(self.starts, offset) - 1

    def point(self, offset: int) -> tuple[int, int]:
        """Line and column in bytes of an offset, as tree-sitter counts: after a last line break a line begins there."""
        if offset == len(self.content) and self.content.endswith(b"\n"):
            return len(self.starts), 0
        line = self.line_of(offset)
        return line, offset - self.starts[line]

    def indent(self, line: int) -> bytes:
        """The leading spaces and tabs of a line."""
        text = self.content[self.starts[line] : self.end(line)]
        return text[: len(text) - len(text.lstrip(b" \t"))]

    def indent_bytes(self, line: int) -> int:
        """How many blanks stand before the first visible byte of a line that is not blank."""
        return self._first_visible[line] - self.starts[line]

    def next_visible_line(self, line: int) -> int | None:
        """The first line after `line` that is not blank; None when only blanks follow."""
        first_visible = self._first_visible
        later = line + 1
        while later < len(first_visible):
            if first_visible[later] >= 0:
                return later
            later += 1
        return None

    def line_break(self, line: int) -> bytes:
        """What ends a line: LF, CRLF, or nothing on a last line without a line break."""
        return self.content[self.end(line) : self.next_start(line)]

    def has_deep_indent(self, columns: int) -> bool:
        """Whether a line is indented by more than `columns`, as grammars' scanners count: a tab ends at the next 8th column."""
        least = columns // _TAB_COLUMNS + 1 if b"\t" in self.content else columns + 1
        # Looking for a run of blanks anywhere is ten times as fast as looking at the beginning of each line.
        if b" " * least not in self.content.replace(b"\t", b" "):
            return False
        wide = re.finditer(rb"^[ \t]{%d,}" % least, self.content, re.MULTILINE)
        return any(len(match[0].expandtabs(_TAB_COLUMNS)) > columns for match in wide)
