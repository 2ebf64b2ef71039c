"""Which sequences go together: for scoring without padding, and for rendered examples in packs of one length."""

from bisect import bisect_left, insort
from collections.abc import Sequence


def best_fit(lengths: Sequence[int], room: int) -> list[list[int]]:
    """The indices of `lengths` in groups of at most `room` in all, longest first, ties in the order of indices.

    Each goes into the group where it leaves the least room, or into a new one if none has enough (best-fit decreasing:
    Johnson 1973, "Near-optimal bin packing algorithms"). A length above `room` has a group of its own.
    """
    groups: list[list[int]] = []
    left: list[tuple[int, int]] = []  # (room left, group), ascending
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        place = bisect_left(left, (lengths[index], -1))
        if place < len(left):
            rest, group = left.pop(place)
            groups[group].append(index)
        else:
            rest, group = room, len(groups)
            groups.append([index])
        insort(left, (rest - lengths[index], group))
    return groups
