"""Edits of the two sides of a cursor, recorded so that undoing them, last to first, gives the original byte for byte.

An edit's offset is a byte of its side as the side stands after the edit: `inserted` is there, and undoing puts `removed` in
its place. Which contexts can be repaired is told by text alone: see `is_irreparable`.
"""

from collections.abc import Iterable
from typing import NamedTuple

from stackfim.transforms.split.site import Refused

PREFIX = "prefix"
SUFFIX = "suffix"

# Bytes of a side that are compared before all of it is.
_FIRST_LOOK = 128


class Edit(NamedTuple):
    """One change of one side."""

    side: str
    """PREFIX or SUFFIX."""
    kind: str
    offset: int
    """Byte of the side, the same before and after the edit: what is left of it stays."""
    removed: bytes
    inserted: bytes

    def row(self) -> dict[str, str | int]:
        """The edit as stackfim.schemas.example.EDIT."""
        return {
            "side": self.side,
            "kind": self.kind,
            "offset": self.offset,
            "removed": self.removed.decode("utf-8"),
            "inserted": self.inserted.decode("utf-8"),
        }


class Change(NamedTuple):
    """What an edit does, in bytes of the content: [start, end) gives way to `inserted`."""

    start: int
    end: int
    inserted: bytes = b""


def applied(text: bytes, edits: Iterable[Edit]) -> bytes:
    """A side after edits of it, in order. Raises ValueError where one does not fit."""
    for edit in edits:
        text = _replaced(text, edit, edit.removed, edit.inserted)
    return text


def undone(text: bytes, edits: Iterable[Edit]) -> bytes:
    """A side before edits of it that `applied` made, in their order. Raises ValueError where one does not fit."""
    for edit in reversed(list(edits)):
        text = _replaced(text, edit, edit.inserted, edit.removed)
    return text


def _replaced(text: bytes, edit: Edit, old: bytes, new: bytes) -> bytes:
    end = edit.offset + len(old)
    if edit.offset < 0 or text[edit.offset : end] != old or end > len(text):
        raise ValueError(f"{edit.kind}: {old[:40]!r} is not at byte {edit.offset} of {len(text)} of the {edit.side}")
    return text[: edit.offset] + new + text[end:]


class EditScript:
    """Edits of the text around a middle, given in bytes of the content and kept in the order in which they were made."""

    def __init__(self, content: bytes, start: int, cursor: int, end_of_middle: int, end: int) -> None:
        self.prefix = content[start:cursor]
        self.suffix = content[end_of_middle:end]
        self.edits: list[Edit] = []
        self.changes: list[Change] = []
        """The same in bytes of the content; no two have a byte in common."""
        self._bounds = {PREFIX: (start, cursor), SUFFIX: (end_of_middle, end)}

    def is_free(self, start: int, end: int) -> bool:
        """Whether no change so far lies over [start, end); an insertion may not stand at another change's edge either."""
        return all(
            change.end < start
            or change.start > end
            or (start < end and change.start < change.end and (change.end == start or change.start == end))
            for change in self.changes
        )

    def add(self, kind: str, change: Change) -> None:
        """Make one change. Raises Refused (`edits_meet`) where an earlier one is at the same place.

        Raises ValueError for a change outside of both sides, of nothing, or over the middle.
        """
        side = PREFIX if change.end <= self._bounds[PREFIX][1] else SUFFIX
        first, last = self._bounds[side]
        if not first <= change.start <= change.end <= last or (change.start == change.end and not change.inserted):
            raise ValueError(f"{kind}: {change} is no edit of bytes {first} to {last}")
        if not self.is_free(change.start, change.end):
            raise Refused("edits_meet")
        offset = change.start - first
        for earlier in self.changes:
            if first <= earlier.start and earlier.end <= change.start:
                offset += len(earlier.inserted) - (earlier.end - earlier.start)
        text = self.prefix if side == PREFIX else self.suffix
        edit = Edit(side, kind, offset, text[offset : offset + change.end - change.start], change.inserted)
        text = _replaced(text, edit, edit.removed, edit.inserted)
        if side == PREFIX:
            self.prefix = text
        else:
            self.suffix = text
        self.edits.append(edit)
        self.changes.append(change)

    def is_irreparable(self, original: bytes) -> bool:
        """Whether no insertion between prefix and suffix gives the original back; see the function of this name."""
        if not any(edit.removed.strip() or edit.inserted.strip() for edit in self.edits):
            return False  # blanks do not count
        (start, cursor), (end_of_middle, end) = self._bounds[PREFIX], self._bounds[SUFFIX]
        first = min((change.start for change in self.changes if change.end <= cursor), default=cursor)
        last = max((change.end for change in self.changes if change.start >= end_of_middle), default=end_of_middle)
        return is_irreparable(original, self.prefix, self.suffix, first - start, end - last)

    def undo_last(self, count: int) -> None:
        """Take the last edits back, last to first."""
        for _ in range(count):
            edit = self.edits.pop()
            self.changes.pop()
            if edit.side == PREFIX:
                self.prefix = undone(self.prefix, [edit])
            else:
                self.suffix = undone(self.suffix, [edit])


def is_irreparable(original: bytes, prefix: bytes, suffix: bytes, same_start: int = 0, same_end: int = 0) -> bool:
    """Whether no single insertion between `prefix` and `suffix` gives `original` back, white space (`str.isspace`) aside.

    With w() removing white space: not (w(original) starts with w(prefix) and ends with w(suffix), and both fit into it).
    Bytes are UTF-8. The first `same_start` bytes of `original` and `prefix`, and the last `same_end` of `original` and
    `suffix`, are known to be the same whole characters: they are not looked at, and the answer does not depend on them.
    """
    rest = original[same_start : len(original) - same_end]
    before, after = prefix[same_start:], suffix[: len(suffix) - same_end]
    if not before and not after:
        return False
    if not (_may_start(rest, before) and _may_end(rest, after)):
        return True
    visible, head, tail = _visible(rest), _visible(before), _visible(after)
    return not (visible.startswith(head) and visible.endswith(tail) and len(head) + len(tail) <= len(visible))


def _visible(text: bytes) -> str:
    """A text without its white space: `str.split` and `str.isspace` agree on what that is. What is cut off a character goes."""
    return "".join(text.decode("utf-8", "ignore").split())


def _may_start(whole: bytes, part: bytes) -> bool:
    """False where a text does not start with another, white space aside, by a first look; most differ at once."""
    first, beginning = _visible(part[:_FIRST_LOOK]), _visible(whole[: 4 * _FIRST_LOOK])
    return beginning.startswith(first) or len(beginning) < len(first)


def _may_end(whole: bytes, part: bytes) -> bool:
    """The same at the end."""
    last, end = _visible(part[-_FIRST_LOOK:]), _visible(whole[-4 * _FIRST_LOOK :])
    return end.endswith(last) or len(end) < len(last)
