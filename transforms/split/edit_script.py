"""Edits of the two sides of a cursor, recorded so that undoing them, last to first, restores the original byte for byte.

An edit's offset is a byte of its side as the side stands after the edit: `inserted` stands there, and undoing puts `removed`
in its place. Whether a context can be repaired is decided by its text alone: see `is_irreparable`.
"""

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
    """Byte of the side; the text before it is the same before and after the edit."""
    removed: bytes
    inserted: bytes

    def row(self) -> dict[str, str | int]:
        """The edit as a row of stackfim.schemas.example.EDIT."""
        return {
            "side": self.side,
            "kind": self.kind,
            "offset": self.offset,
            "removed": self.removed.decode("utf-8"),
            "inserted": self.inserted.decode("utf-8"),
        }


class Change(NamedTuple):
    """An edit in bytes of the content: `inserted` takes the place of [start, end)."""

    start: int
    end: int
    inserted: bytes = b""


class EditScript:
    """Edits of the text around a middle, given in bytes of the content and kept in the order in which they were made."""

    def __init__(self, content: bytes, start: int, cursor: int, end_of_middle: int, end: int) -> None:
        """A script without edits: the prefix is [start, cursor) of the content, the suffix [end_of_middle, end)."""
        self.prefix = content[start:cursor]
        self.suffix = content[end_of_middle:end]
        self.edits: list[Edit] = []
        self.changes: list[Change] = []
        """The edits in bytes of the content; no two share a byte."""
        self._bounds = {PREFIX: (start, cursor), SUFFIX: (end_of_middle, end)}

    def is_free(self, start: int, end: int) -> bool:
        """Whether no change so far overlaps [start, end); an insertion may not stand at the edge of another change either."""
        return all(
            change.end < start
            or change.start > end
            or (start < end and change.start < change.end and (change.end == start or change.start == end))
            for change in self.changes
        )

    def add(self, kind: str, change: Change) -> None:
        """Make one change. Raises Refused (`edits_meet`) where an earlier one is at the same place.

        Raises ValueError for a change that changes nothing, reaches into the middle or lies outside both sides.
        """
        side = PREFIX if change.end <= self._bounds[PREFIX][1] else SUFFIX
        first, last = self._bounds[side]
        if not first <= change.start <= change.end <= last or (change.start == change.end and not change.inserted):
            raise ValueError(f"{kind}: {change}, expected an edit within bytes {first} to {last}")
        if not self.is_free(change.start, change.end):
            raise Refused("edits_meet")
        offset = change.start - first
        for edit, earlier in zip(self.edits, self.changes, strict=True):
            # By side, not by place: without a middle an insertion at the cursor is the prefix's.
            if edit.side == side and earlier.end <= change.start:
                offset += len(earlier.inserted) - (earlier.end - earlier.start)
        text = self.prefix if side == PREFIX else self.suffix
        after = offset + change.end - change.start
        self._set(side, text[:offset] + change.inserted + text[after:])
        self.edits.append(Edit(side, kind, offset, text[offset:after], change.inserted))
        self.changes.append(change)

    def is_irreparable(self, original: bytes) -> bool:
        """Whether no insertion between prefix and suffix restores the original; see the function of this name."""
        if not any(edit.removed.strip() or edit.inserted.strip() for edit in self.edits):
            return False  # blanks do not count
        (start, cursor), (end_of_middle, end) = self._bounds[PREFIX], self._bounds[SUFFIX]
        first = min((change.start for change in self.changes if change.end <= cursor), default=cursor)
        last = max((change.end for change in self.changes if change.start >= end_of_middle), default=end_of_middle)
        return is_irreparable(original, self.prefix, self.suffix, first - start, end - last)

    def undo_last(self, count: int) -> None:
        """Undo the last `count` edits, last to first."""
        for _ in range(count):
            edit = self.edits.pop()
            self.changes.pop()
            text = self.prefix if edit.side == PREFIX else self.suffix
            after = edit.offset + len(edit.inserted)
            self._set(edit.side, text[: edit.offset] + edit.removed + text[after:])

    def _set(self, side: str, text: bytes) -> None:
        if side == PREFIX:
            self.prefix = text
        else:
            self.suffix = text


def is_irreparable(original: bytes, prefix: bytes, suffix: bytes, same_start: int = 0, same_end: int = 0) -> bool:
    """Whether no single insertion between `prefix` and `suffix` restores `original`, white space (`str.isspace`) aside.

    With w() removing white space: not (w(original) starts with w(prefix) and ends with w(suffix), and both fit into it).
    Bytes are UTF-8. The first `same_start` bytes of `original` and `prefix`, and the last `same_end` bytes of `original` and
    `suffix`, are known to be the same whole characters: they are skipped, and the answer does not depend on them.
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
    """A text without white space, on which `str.split` and `str.isspace` agree, and without parts of characters at its edges."""
    return "".join(text.decode("utf-8", "ignore").split())


def _may_start(whole: bytes, part: bytes) -> bool:
    """False where the first bytes show that `whole` does not start with `part`, white space aside: most differ at once."""
    first, beginning = _visible(part[:_FIRST_LOOK]), _visible(whole[: 4 * _FIRST_LOOK])
    return beginning.startswith(first) or len(beginning) < len(first)


def _may_end(whole: bytes, part: bytes) -> bool:
    """False where the last bytes show that `whole` does not end with `part`, white space aside."""
    last, end = _visible(part[-_FIRST_LOOK:]), _visible(whole[-4 * _FIRST_LOOK :])
    return end.endswith(last) or len(end) < len(last)
