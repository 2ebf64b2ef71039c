"""Prefix and suffix cut to a budget: whole lines from the far ends, never the lines at the cursor.

Each side may have half of the room and what the other side leaves over (as in model.context). The line of the cursor
and the first line of the suffix, up to and with its line break, always stay. A line ends at LF or CRLF.
"""

from collections.abc import Callable
from typing import Protocol


class Measure(Protocol):
    """How long a text is, in characters or in tokens."""

    def pieces(self, text: str) -> list[str]:
        """The text in pieces whose sizes add up to that of the text; most hold one line."""
        ...

    def size(self, piece: str) -> int:
        """Size of a piece, or of a part of one."""
        ...

    def total(self, text: str) -> int:
        """Exact size of a text."""
        ...


class Characters:
    """Length in characters (code points)."""

    def pieces(self, text: str) -> list[str]:
        """The lines, each with its line break."""
        lines = text.split("\n")
        return [line + "\n" for line in lines[:-1]] + lines[-1:]

    def size(self, piece: str) -> int:
        """Characters."""
        return len(piece)

    def total(self, text: str) -> int:
        """Characters."""
        return len(text)


def lines_at_cursor(prefix: str, suffix: str) -> tuple[str, str]:
    """The line of the cursor as far as it is in the prefix, and the first line of the suffix with its line break."""
    return prefix[prefix.rfind("\n") + 1 :], suffix[: suffix.find("\n") + 1] or suffix


def fit(
    prefix: str, suffix: str, room: int, measure: Measure, total: Callable[[str, str], int] | None = None
) -> tuple[str, str] | None:
    """As much of prefix and suffix as `room` holds, nearest to the cursor; None where not even the lines there fit.

    `total` gives the exact size of a prefix and a suffix together, where it is not the sum of their own: fixed text may
    stand around them.
    """
    exact = total or (lambda head, tail: measure.total(head) + measure.total(tail))
    least = lines_at_cursor(prefix, suffix)
    heads, tails = measure.pieces(prefix), measure.pieces(suffix)
    wanted = room - max(0, exact(*least) - sum(map(measure.total, least)))
    while True:
        cut = _shared(heads, tails, wanted, least, measure)
        excess = exact(*cut) - room
        if excess <= 0:
            return cut
        if cut == least:
            return None
        # The pieces' sizes were too low by so much.
        wanted -= excess


def _shared(heads: list[str], tails: list[str], room: int, least: tuple[str, str], measure: Measure) -> tuple[str, str]:
    """What of both sides, given in pieces, has a size of at most `room` together, or `least`."""
    least_head, least_tail = (measure.total(text) for text in least)
    head, head_size = _nearest_of_prefix(heads, room - least_tail, measure) or (least[0], least_head)
    tail, tail_size = _nearest_of_suffix(tails, room - least_head, measure) or (least[1], least_tail)
    if head_size + tail_size > room:
        share = min(max(room - tail_size, room - room // 2, least_head), room - least_tail)
        head, head_size = _nearest_of_prefix(heads, share, measure) or (least[0], least_head)
        tail, tail_size = _nearest_of_suffix(tails, room - head_size, measure) or (least[1], least_tail)
    return head, tail


def _nearest_of_prefix(pieces: list[str], limit: int, measure: Measure) -> tuple[str, int] | None:
    """The longest end that begins with a line and has a size of at most `limit`, and its size; None if there is none."""
    held, index = 0, len(pieces)
    behind: list[int] = []
    while index and held + (size := measure.size(pieces[index - 1])) <= limit:
        behind.append(held)
        held += size
        index -= 1
    if not index:
        return "".join(pieces), held
    # The piece that did not fit may hold lines that do; else the next one is cut, or the one after it.
    behind.append(held)
    for place in range(index - 1, len(pieces)):
        after, piece = behind.pop(), pieces[place]

        def size_from(start: int, piece: str = piece) -> int:
            return measure.size(piece[start:])

        best = _last_fitting(_line_starts(piece)[::-1], limit - after, size_from)
        if best is not None:
            start, size = best
            return piece[start:] + "".join(pieces[place + 1 :]), size + after
    return None


def _nearest_of_suffix(pieces: list[str], limit: int, measure: Measure) -> tuple[str, int] | None:
    """The longest beginning that ends with a line and has a size of at most `limit`, and its size; None if there is none."""
    held, index = 0, 0
    before: list[int] = []
    while index < len(pieces) and held + (size := measure.size(pieces[index])) <= limit:
        before.append(held)
        held += size
        index += 1
    if index == len(pieces):
        return "".join(pieces), held
    before.append(held)
    for place in range(index, -1, -1):
        ahead, piece = before.pop(), pieces[place]

        def size_to(end: int, piece: str = piece) -> int:
            return measure.size(piece[:end])

        best = _last_fitting(_line_starts(piece), limit - ahead, size_to)
        if best is not None:
            end, size = best
            return "".join(pieces[:place]) + piece[:end], size + ahead
    return None


def _line_starts(piece: str) -> list[int]:
    """Where lines begin in a piece, its end included when a line ends there."""
    found = []
    position = piece.find("\n")
    while position >= 0:
        found.append(position + 1)
        position = piece.find("\n", position + 1)
    return found


def _last_fitting(places: list[int], limit: int, size: Callable[[int], int]) -> tuple[int, int] | None:
    """The last of `places` whose size is at most `limit`, with that size; sizes grow from place to place."""
    low, high = 0, len(places)
    best = None
    while low < high:
        middle = (low + high) // 2
        found = size(places[middle])
        if found <= limit:
            best, low = (places[middle], found), middle + 1
        else:
            high = middle
    return best
