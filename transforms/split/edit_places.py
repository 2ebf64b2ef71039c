"""Where a context may be edited, and the lines, statements and blocks around a site that edit operations look for."""

from collections.abc import Iterator
from typing import NamedTuple

import tree_sitter

from stackfim.schemas.example import EMPTY, MULTI_LINE
from stackfim.transforms.draws import Draws
from stackfim.transforms.split.edit_script import Change, EditScript
from stackfim.transforms.split.site import Refused, Site
from stackfim.transforms.split.syntax import ParsedFile, Unit, Units, is_comment
from stackfim.transforms.split.worth import check_directives

TRIES = 6
"""Lines on which an operation looks for what it needs."""
LATER_SHARE = 0.6
"""Share of `in_progress` and `whitespace` that is after the cursor."""


class Place(NamedTuple):
    """A site in its context, and between which bytes it may be edited."""

    file: ParsedFile
    site: Site
    start: int
    """First byte of the context."""
    before: int
    """Edits above the cursor end at this byte or before it."""
    after: int
    """Edits below the cursor begin at this byte or after it."""
    end: int
    """Byte after the context."""
    script: EditScript

    def is_open(self, start: int, end: int) -> bool:
        """Whether [start, end) may be edited."""
        inside = self.start <= start <= end <= self.before or self.after <= start <= end <= self.end
        return inside and self.script.is_free(start, end)

    def later_rows(self) -> range:
        """Rows below the cursor that may be edited."""
        return self._rows(self.after, self.end)

    def earlier_rows(self) -> range:
        """Rows above the cursor that may be edited."""
        return self._rows(self.start, self.before)

    def _rows(self, start: int, end: int) -> range:
        lines = self.file.lines
        return range(lines.row_of(start), lines.row_of(end - 1) + 1) if start < end else range(0)


def open_bounds(file: ParsedFile, site: Site, start: int, end: int) -> tuple[int, int]:
    """Where edits above the cursor end and where those below it begin.

    The lines of the cursor and of the middle's end stay. Where the next logical line says that the middle ends there
    (`stop_reason`) or that nothing is to be written (EMPTY), everything up to its end stays too: leaving it out would turn
    a true `dedent` into `eof`, and silence into a wrong answer.
    """
    lines = file.lines
    last = max(site.end - 1, site.start)
    row = min(lines.row_of(min(last, len(file.content) - 1)), len(lines) - 1)
    if site.start == site.end:
        row = min(lines.row_of(site.end), len(lines) - 1)
    after = lines.next_start(row)
    if site.category in (EMPTY, MULTI_LINE):
        following = file.next_logical_row(row)
        # Lines that are none by the tree are no place to tell an end by: nothing below is edited.
        after = end if following is None else lines.next_start(following)
    return max(lines.starts[lines.row_of(site.start)], start), min(max(after, site.end), end)


def inside(site: Site) -> int:
    """A byte of the site: of the middle, else the one before the cursor."""
    return site.start if site.end > site.start else max(site.start - 1, 0)


def enclosing(place: Place) -> Iterator[Units]:
    """The units of each block around the site, innermost first."""
    path = place.file.path(inside(place.site))
    for index in place.file.blocks(path):
        yield place.file.units(path, index)


def some_rows(rows: range, draws: Draws) -> Iterator[int]:
    """A few of `rows`, drawn, the first ones, which are nearest to the cursor, more often; none of no rows."""
    for _ in range(TRIES if rows else 0):
        yield rows[int(len(rows) * draws.uniform() ** 2)]


def rows_on_a_side(place: Place, draws: Draws, gap: int) -> Iterator[int]:
    """A few rows of one side, drawn, then of the other; those above end `gap` lines before the cursor."""
    later, earlier = place.later_rows(), place.earlier_rows()
    earlier = earlier[: max(len(earlier) + 1 - gap, 0)][::-1]
    sides = (later, earlier) if draws.uniform() < LATER_SHARE else (earlier, later)
    for rows in sides:
        yield from some_rows(rows, draws)


def statement_on(file: ParsedFile, row: int) -> tuple[int, tree_sitter.Node] | None:
    """The child of a block, no comment, that begins a line, and how many nodes are around its block."""
    start = file.lines.first_visible(row)
    path = file.path(start) if start >= 0 else []
    for index in file.blocks(path):
        if index + 1 < len(path) and path[index + 1].start_byte == start:
            child = path[index + 1]
            return (index, child) if child.is_named and not is_comment(child) else None
    return None


def simple_statement(file: ParsedFile, row: int) -> tree_sitter.Node | None:
    """The statement that is all of a line, but for a separator after it."""
    found = statement_on(file, row)
    if found is None:
        return None
    end, last = file.visible_end(found[1]), file.lines.last_visible(row)
    return found[1] if end <= last and not file.content[end:last].strip(b" \t;,") else None


def lines_of(place: Place, first: Unit, last: Unit) -> Change | None:
    """The lines of a run of units, cut off at the context's end; where two gaps of blank lines would meet one goes too.

    None where the run shares its lines, may not be edited or holds half of a pair of directives.
    """
    lines, content = place.file.lines, place.file.content
    if lines.first_visible(first.start_row) != first.start or lines.last_visible(last.end_row) != last.end:
        return None
    above, below = first.start_row, last.end_row + 1
    least = place.after if first.start >= place.after else place.start
    if above and lines.first_visible(above - 1) < 0:
        following = below
        while following < len(lines) and lines.first_visible(following) < 0:
            following += 1
        if following < len(lines) and len(lines.indent(following)) >= len(lines.indent(above)):
            below = following
        else:
            # The end of a block has the gap that follows it, if any.
            while above and lines.starts[above - 1] >= least and lines.first_visible(above - 1) < 0:
                above -= 1
    start, end = lines.starts[above], lines.next_start(below - 1)
    end = min(end, place.end) if start >= place.after else end
    if end <= start or not place.is_open(start, end):
        return None
    if place.file.language.directives and end < place.end:
        try:
            check_directives(content[start:end])
        except Refused:
            return None
    return Change(start, end)
