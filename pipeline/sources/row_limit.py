"""Which rows a limit takes: the first ones, or some of shards that are drawn by a hash.

The first rows of a source are often all of one language, one letter or one project, so what is made of them says little about
the rest. A draw depends on the names of the files and on the seed alone.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from stackfim.transforms.draws import Draws

_SPREAD = 16
"""Over how many shards a draw is spread, where there are so many: each costs the reading of a footer."""


class Taken(NamedTuple):
    """Rows of one shard that a limit takes, from the shard's start."""

    file: int
    """Position of the file."""
    part: int
    """Which of the file's shards it is."""
    rows: int


def limited(
    names: Sequence[str], part_rows: Callable[[int], Sequence[int]], limit: int, seed: int | None = None
) -> list[Taken]:
    """The rows of a limit, in the order of files and shards, without empty shards.

    `part_rows` gives the rows of each shard of a file by its position; it is called only for files that are needed. Without a
    seed the rows are the first ones.
    """
    if seed is None:
        return _first(names, part_rows, limit)
    found: list[Taken] = []
    for file in drawn_order(names, seed):
        rows = part_rows(file)
        parts = drawn_order([f"{names[file]}\x1f{part}" for part in range(len(rows))], seed)
        for part in parts:
            if len(found) >= _SPREAD and sum(taken.rows for taken in found) >= limit:
                return _spread(found, limit)
            if rows[part]:
                found.append(Taken(file, part, rows[part]))
    return _spread(found, limit)


def drawn_order(names: Sequence[str], seed: int) -> list[int]:
    """The positions of the names in an order that depends on the names and the seed alone."""
    return sorted(range(len(names)), key=lambda index: (Draws("limit", names[index], seed).next(), names[index]))


def _first(names: Sequence[str], part_rows: Callable[[int], Sequence[int]], limit: int) -> list[Taken]:
    found: list[Taken] = []
    left = limit
    for file in range(len(names)):
        for part, rows in enumerate(part_rows(file)):
            if min(rows, left):
                found.append(Taken(file, part, min(rows, left)))
                left -= min(rows, left)
        if not left:
            break
    return found


def _spread(found: Sequence[Taken], limit: int) -> list[Taken]:
    """The same number of rows of each shard, as far as it has so many, and `limit` in all."""
    taken: list[Taken] = []
    left = limit
    by_rows = sorted(found, key=lambda each: (each.rows, each.file, each.part))
    for index, each in enumerate(by_rows):
        rows = min(each.rows, -(-left // (len(by_rows) - index)))
        left -= rows
        if rows:
            taken.append(each._replace(rows=rows))
    return sorted(taken)
