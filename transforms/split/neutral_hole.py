"""The neutral hole: with the empty statement in place of the middle, the tree around it stays as it was.

This is what makes a middle whole statements rather than some lines: a middle that holds half a construct changes the tree
elsewhere. Multi-line middles and whole simple lines have to pass; a line that opens a block owns what follows it.
"""

from typing import NamedTuple

import tree_sitter

from stackfim.schemas.example import MULTI_LINE
from stackfim.transforms.lines import Lines
from stackfim.transforms.split.compound import LINE_AND_BLOCK
from stackfim.transforms.split.parser import BudgetedParser, ParseRefused
from stackfim.transforms.split.single_line import BLANK_LINE
from stackfim.transforms.split.site import NEWLINE_IN_MIDDLE, Refused, Site
from stackfim.transforms.split.syntax import ParsedFile

NOT_NEUTRAL = "not_neutral"


class Hole(NamedTuple):
    """A middle, in bytes of the content, the text to put in its place, and the id of the block that it is in."""

    start: int
    end: int
    text: bytes
    block_id: int


def needs_neutral_hole(file: ParsedFile, site: Site) -> bool:
    """Whether a site has to pass the check: its kind promises a neutral hole, and the grammar alone does not guarantee it."""
    if file.language.neutral_by_grammar and not file.tree.root_node.has_error:
        return False
    return site.kind.category == MULTI_LINE or (site.kind == BLANK_LINE and not _opens_block(file, site))


def hole_of(file: ParsedFile, site: Site) -> Hole:
    """The hole of a site that needs one. Raises Refused where it begins no statement of a block."""
    path = file.path(site.start)
    for index in file.blocks(path):
        position = file.unit_at(path, index, site.start)
        if position is not None:
            line_break = file.content[_trimmed(file, site) : site.end]
            text = file.language.neutral_text(path[index].type, site.node_type).encode() + line_break
            # Where a middle begins inside its statement, the hole is that of the whole statement.
            start = file.units(path, index)[position].start if site.kind == LINE_AND_BLOCK else site.start
            return Hole(start, site.end, text, path[index].id)
    raise Refused(NOT_NEUTRAL)


def are_neutral(lines: Lines, tree: tree_sitter.Tree, parser: BudgetedParser, holes: list[Hole]) -> bool:
    """Whether putting the text of each hole in its place changes the tree of `lines.content` nowhere else.

    `holes` are in order and do not overlap; several cost one incremental parse, and pass only together.
    """
    content, edited = lines.content, tree.copy()
    parts: list[bytes] = []
    allowed: list[tuple[int, int]] = []
    position = length = 0
    for hole in holes:
        parts += [content[position : hole.start], hole.text]
        length += hole.start - position
        # The line break after a hole may belong to a directive that the middle held.
        allowed.append((length, length + len(hole.text) + (2 if content[hole.end : hole.end + 2] == b"\r\n" else 1)))
        length += len(hole.text)
        position = hole.end
    parts.append(content[position:])
    for hole in reversed(holes):  # last first, so that the offsets before stay true
        start = lines.point(hole.start)
        new_end = hole.start + len(hole.text)
        edited.edit(hole.start, hole.end, new_end, start, lines.point(hole.end), _point_after(hole.text, *start))
    try:
        new_tree = parser.parse(b"".join(parts), edited)
    except ParseRefused:
        return False
    changes = edited.changed_ranges(new_tree)
    return all(
        any(start <= change.start_byte and change.end_byte <= end for start, end in allowed) for change in changes
    )


def _point_after(text: bytes, line: int, column: int) -> tuple[int, int]:
    """Line and column of the end of a text that begins at a line and column."""
    breaks = text.count(b"\n")
    return (line + breaks, len(text) - text.rfind(b"\n") - 1) if breaks else (line, column + len(text))


def _opens_block(file: ParsedFile, site: Site) -> bool:
    """Whether the middle, a whole line, is only the beginning of its statement."""
    path = file.path(site.start)
    for index in file.blocks(path):
        position = file.unit_at(path, index, site.start)
        if position is not None:
            return file.units(path, index)[position].end > site.end
    return False


def _trimmed(file: ParsedFile, site: Site) -> int:
    """Where the middle ends without the line break that it may hold."""
    return file.lines.end(file.lines.line_of(site.end - 1)) if site.newline_owner == NEWLINE_IN_MIDDLE else site.end
