"""The lines of all rows as arrays of where each begins and ends: rules about lines work on all of them at once."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stackfim.transforms.filters.text import Text
from stackfim.transforms.ragged import distinct

MAX_EDGE_BLANKS = 64
"""Blanks at either edge of a line that are looked through; after so many the line counts as if it began or ended there."""


class LineTable(NamedTuple):
    """The lines of a text, which end at LF or CRLF, those of one row after another."""

    row: npt.NDArray[np.int64]
    """Row of each line, ascending; (lines,)."""
    start: npt.NDArray[np.int64]
    """First byte in the text's data; (lines,)."""
    visible: npt.NDArray[np.int64]
    """First byte that is no space or tab, or the line's end where there is none; (lines,)."""
    end: npt.NDArray[np.int64]
    """Byte after the last one, without line break and blanks at the end; not before `visible`; (lines,)."""
    first: npt.NDArray[np.int64]
    """First line of each row, and after them the number of all lines; (rows + 1,)."""

    @property
    def filled(self) -> npt.NDArray[np.bool_]:
        """Which lines have a visible byte."""
        return self.end > self.visible

    def sum_by_row(self, values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The sum of each row's values, of which there is one for each line; (rows,)."""
        totals = np.concatenate(([0], np.cumsum(values)))
        return totals[self.first[1:]] - totals[self.first[:-1]]


def lines_of(text: Text) -> LineTable:
    """The lines of every row; an empty row has none, and a last line break begins no further line."""
    data, offsets = text
    breaks = np.flatnonzero(data == 0x0A) + 1
    starts = np.concatenate((breaks, offsets[:-1]))
    starts.sort(kind="stable")  # merges two ordered runs
    starts = distinct(starts)
    starts = starts[starts < len(data)]
    ends = np.append(starts[1:], len(data))[: len(starts)]
    row = np.searchsorted(offsets, starts, side="right") - 1
    # Rows follow each other without a gap, so a line that begins in a row ends in it.
    end = _without_trailing_blanks(data, starts, ends)
    visible = _after_leading_blanks(data, starts, end)
    return LineTable(row, starts, visible, end, np.searchsorted(starts, offsets))


def _is_blank(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    blank: npt.NDArray[np.bool_] = (values == 0x20) | (values == 0x09)
    return blank


def _after_leading_blanks(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The first byte of each line that is no blank; looks through the first bytes of all lines at once."""
    visible = starts.copy()
    active = np.flatnonzero(starts < ends)
    for _ in range(MAX_EDGE_BLANKS):
        active = active[_is_blank(data[visible[active]])]
        if not len(active):
            break
        visible[active] += 1
        active = active[visible[active] < ends[active]]
    return visible


def _without_trailing_blanks(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The end of each line without its line break and the blanks before that."""
    end = ends.copy()
    active = np.arange(len(starts))
    for _ in range(MAX_EDGE_BLANKS):
        active = active[end[active] > starts[active]]
        last = data[end[active] - 1]
        active = active[_is_blank(last) | (last == 0x0A) | (last == 0x0D)]
        if not len(active):
            break
        end[active] -= 1
    return end


def starts_with(data: npt.NDArray[np.uint8], at: npt.NDArray[np.int64], mark: bytes) -> npt.NDArray[np.bool_]:
    """At which positions the bytes of `mark` stand; (positions,)."""
    inside = at + len(mark) <= len(data)
    found = inside.copy()
    for place, byte in enumerate(mark):
        found[found] = data[at[found] + place] == byte
    return found
