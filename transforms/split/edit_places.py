"""Where a context may be edited, and the lines, statements and blocks around a site that edit operations look for."""

from collections.abc import Iterator
from typing import NamedTuple

import tree_sitter

from stackfim.schemas.example import EMPTY, MULTI_LINE
from stackfim.transforms.draws import Draws
from stackfim.transforms.split.edit_script import Change, EditScript
from stackfim.transforms.split.nodes import is_comment
from stackfim.transforms.split.site import Refused, Site
from stackfim.transforms.split.syntax import ParsedFile
from stackfim.transforms.split.units import Unit, Units
from stackfim.transforms.split.worth import check_directives

TRIES = 6
"""Most lines on which an operation looks for what it needs."""
LATER_SHARE = 0.6
"""Share of `in_progress` and `whitespace` that look after the cursor first."""


class Place(NamedTuple):
    """A site in its context, and the bytes between which the context may be edited."""

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

    def later_lines(self) -> range:
        """Lines below the cursor that may be edited."""
        return self._lines(self.after, self.end)

    def earlier_lines(self) -> range:
        """Lines above the cursor that may be edited."""
        return self._lines(self.start, self.before)

    def _lines(self, start: int, end: int) -> range:
        lines = self.file.lines
        return range(lines.line_of(start), lines.line_of(end - 1) + 1) if start < end else range(0)


def open_bounds(file: ParsedFile, site: Site, start: int, end: int) -> tuple[int, int]:
    """Where edits above the cursor have to end, and where those below it may begin.

    The lines of the cursor and of the middle's end stay. Where the next logical line shows that the middle ends there
    (`stop_reason`) or that nothing is to be written (EMPTY), everything up to its end stays too: leaving it out would turn
    a true `dedent` into `eof`, and silence into a wrong answer.
    """
    lines = file.lines
    last = max(site.end - 1, site.start)
    line = min(lines.line_of(min(last, len(file.content) - 1)), len(lines) - 1)
    if site.start == site.end:
        line = min(lines.line_of(site.end), len(lines) - 1)
    after = lines.next_start(line)
    if site.kind.category in (EMPTY, MULTI_LINE):
        following = file.next_logical_line(line)
        # Without a logical line nothing below shows the end, so nothing below is edited.
        after = end if following is None else lines.next_start(following)
    return max(lines.starts[lines.line_of(site.start)], start), min(max(after, site.end), end)


def inside(site: Site) -> int:
    """A byte of the site: the middle's first, or the one before the cursor where the middle is empty."""
    return site.start if site.end > site.start else max(site.start - 1, 0)


def enclosing(place: Place) -> Iterator[Units]:
    """The units of each block around the site, innermost first."""
    path = place.file.path(inside(place.site))
    for index in place.file.blocks(path):
        yield place.file.units(path, index)


def some_lines(lines: range, draws: Draws) -> Iterator[int]:
    """A few lines drawn from `lines`, more often from the first ones, which are nearest to the cursor."""
    for _ in range(TRIES if lines else 0):
        yield lines[int(len(lines) * draws.uniform() ** 2)]


def lines_on_a_side(place: Place, draws: Draws, gap: int) -> Iterator[int]:
    """A few lines drawn from one side, then from the other; those above the cursor end `gap` lines before it."""
    later, earlier = place.later_lines(), place.earlier_lines()
    earlier = earlier[: max(len(earlier) + 1 - gap, 0)][::-1]
    sides = (later, earlier) if draws.uniform() < LATER_SHARE else (earlier, later)
    for lines in sides:
        yield from some_lines(lines, draws)


def statement_on(file: ParsedFile, line: int) -> tuple[int, tree_sitter.Node] | None:
    """The child of a block, not a comment, that begins a line, and how many nodes are around its block; None without one."""
    start = file.lines.first_visible(line)
    path = file.path(start) if start >= 0 else []
    for index in file.blocks(path):
        if index + 1 < len(path) and path[index + 1].start_byte == start:
            child = path[index + 1]
            return (index, child) if child.is_named and not is_comment(child) else None
    return None


def simple_statement(file: ParsedFile, line: int) -> tree_sitter.Node | None:
    """The statement that makes up a line, a separator after it aside; None where there is none."""
    found = statement_on(file, line)
    if found is None:
        return None
    end, last = file.visible_end(found[1]), file.lines.last_visible(line)
    return found[1] if end <= last and not file.content[end:last].strip(b" \t;,") else None


def removal_of(place: Place, first: Unit, last: Unit) -> Change | None:
    """The change that leaves out the lines of a run of units, up to the context's end.

    Where two gaps of blank lines would meet, one of them goes too. None where the run shares its lines, may not be edited or
    holds half of a pair of directives.
    """
    lines, content = place.file.lines, place.file.content
    if lines.first_visible(first.start_line) != first.start or lines.last_visible(last.end_line) != last.end:
        return None
    above, below = first.start_line, last.end_line + 1
    least = place.after if first.start >= place.after else place.start
    if above and lines.first_visible(above - 1) < 0:
        following = below
        while following < len(lines) and lines.first_visible(following) < 0:
            following += 1
        if following < len(lines) and len(lines.indent(following)) >= len(lines.indent(above)):
            below = following
        else:
            # At the end of a block the gap above the run goes.
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
