"""The lines of all rows as arrays: where each begins and ends, what it begins with. Line rules are written on these."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stackfim.transforms.filters.text import Text
from stackfim.transforms.ragged import distinct

LEADING_BLANKS_SEEN = 64
"""Blanks before a line's first visible byte that are looked through; a line with more counts as it stands there."""


class Lines(NamedTuple):
    """The lines of a text, which end at LF or CRLF, all rows one after another. All arrays int64."""

    row: npt.NDArray[np.int64]
    """Row of each line, ascending; (lines,)."""
    start: npt.NDArray[np.int64]
    """First byte in the text's data; (lines,)."""
    visible: npt.NDArray[np.int64]
    """First byte that is no space or tab; the line's end where there is none; (lines,)."""
    end: npt.NDArray[np.int64]
    """Byte after the last one, line break and blanks at the end apart; not before `visible`; (lines,)."""
    first: npt.NDArray[np.int64]
    """First line of each row, and the number of lines at the end; (rows + 1,)."""

    @property
    def filled(self) -> npt.NDArray[np.bool_]:
        """Which lines have a visible byte."""
        return self.end > self.visible

    def sum_by_row(self, values: npt.NDArray) -> npt.NDArray:
        """Sums, row by row, of a value a line."""
        totals = np.concatenate(([0], np.cumsum(values)))
        return totals[self.first[1:]] - totals[self.first[:-1]]


def lines_of(text: Text) -> Lines:
    """The lines of every row; an empty row has none, and nothing follows a last line break."""
    data, offsets = text
    breaks = np.flatnonzero(data == 0x0A) + 1
    starts = np.concatenate((breaks, offsets[:-1]))
    starts.sort(kind="stable")  # two ordered runs: a merge
    starts = distinct(starts)
    starts = starts[starts < len(data)]
    ends = np.append(starts[1:], len(data))[: len(starts)]
    row = np.searchsorted(offsets, starts, side="right") - 1
    # Rows follow each other without a gap, so a line that begins in a row ends in it.
    end = _without_blanks_behind(data, starts, ends)
    visible = _after_blanks(data, starts, end)
    return Lines(row, starts, visible, end, np.searchsorted(starts, offsets))


def _is_blank(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    return (values == 0x20) | (values == 0x09)


def _after_blanks(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The first byte of each line that is no blank, looking through the first bytes of all lines together."""
    visible = starts.copy()
    active = np.flatnonzero(starts < ends)
    for _ in range(LEADING_BLANKS_SEEN):
        active = active[_is_blank(data[visible[active]])]
        if not len(active):
            break
        visible[active] += 1
        active = active[visible[active] < ends[active]]
    return visible


def _without_blanks_behind(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The end of each line without its line break and up to some blanks before that."""
    end = ends.copy()
    active = np.arange(len(starts))
    for _ in range(LEADING_BLANKS_SEEN):
        active = active[end[active] > starts[active]]
        last = data[end[active] - 1]
        active = active[_is_blank(last) | (last == 0x0A) | (last == 0x0D)]
        if not len(active):
            break
        end[active] -= 1
    return end


def starts_with(data: npt.NDArray[np.uint8], at: npt.NDArray[np.int64], mark: bytes) -> npt.NDArray[np.bool_]:
    """Which positions have the bytes of `mark`."""
    inside = at + len(mark) <= len(data)
    found = inside.copy()
    for place, byte in enumerate(mark):
        found[found] = data[at[found] + place] == byte
    return found
