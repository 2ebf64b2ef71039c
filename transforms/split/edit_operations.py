"""What a file lacks, or has too much of, while it is being written: the edit operations of half-written contexts.

Each operation draws a place around the cursor and gives the changes that leave a thing out there, or refuses. None of them
touches the middle, the cursor's line up to the middle, or what makes the middle's end true (see `edit_places.open_bounds`).
"""

from bisect import bisect_left
from collections.abc import Callable

import tree_sitter

from stackfim.schemas.example import EMPTY
from stackfim.transforms.draws import Draws
from stackfim.transforms.languages import BRACKETS, CLOSING_WORDS
from stackfim.transforms.split.edit_places import (
    TRIES,
    Place,
    enclosing,
    inside,
    lines_of,
    rows_on_a_side,
    simple_statement,
    some_rows,
    statement_on,
)
from stackfim.transforms.split.edit_script import Change
from stackfim.transforms.split.site import Refused
from stackfim.transforms.split.syntax import ParsedFile

LATER_SIBLINGS = "later_siblings"
CUT_TO_EOF = "cut_to_eof"
LATER_STATEMENTS = "later_statements"
CLOSER = "closer"
IN_PROGRESS = "in_progress"
EARLIER_DEFINITIONS = "earlier_definitions"
WHITESPACE = "whitespace"

MAX_STATEMENTS = 3
"""Most statements or definitions that one operation takes from here and there."""
ALL_SHARE = 0.6
"""Share of `later_siblings` that leaves none of them."""
NEXT_SHARE = 0.5
"""Share of `cut_to_eof` that cuts at the first boundary after the cursor: its author writes downwards."""

_CLOSERS = CLOSING_WORDS.union(BRACKETS.values())
# After these tokens a line is plainly unfinished.
_OPEN_TOKENS = frozenset((*"([=.,+-*/", ":=", "->", "::", "&&", "||", "and", "or", "==", "=>", "+="))
_TRAILING_BLANKS = (b" ", b"  ", b"    ", b"\t")


def later_siblings(place: Place, draws: Draws) -> list[Change]:
    """Leave out the statements after the cursor's, of the innermost block that has some: all, or all but the first k."""
    for units in enclosing(place):
        first = bisect_left(units.starts, place.after)
        last = bisect_left(units.starts, place.end) - 1
        if last < first:
            continue
        if last > first and draws.uniform() >= ALL_SHARE:
            first += 1 + draws.below(min(MAX_STATEMENTS, last - first))
        change = lines_of(place, units[first], units[last])
        if change is not None:
            return [change]
    raise Refused("nothing_later")


def cut_to_eof(place: Place, draws: Draws) -> list[Change]:
    """Leave out everything from a later statement on, the closers of what is open there too.

    Below an EMPTY site from a statement of the root on: closers that are missing may make an error of what the cursor ends.
    """
    rows, lines = place.later_rows(), place.file.lines
    for row in rows[: 2 * TRIES] if draws.uniform() < NEXT_SHARE else some_rows(rows, draws):
        if _is_boundary(place, row) and place.is_open(lines.starts[row], place.end):
            return [Change(lines.starts[row], place.end)]
    raise Refused("no_boundary")


def later_statements(place: Place, draws: Draws) -> list[Change]:
    """Leave out one to three later statements or definitions."""
    return _some_units(place, place.later_rows(), lambda _nodes: True, draws)


def closer(place: Place, draws: Draws) -> list[Change]:
    """Leave out the closer of one bracket or block that is open at the cursor: its line, or the token on a line of closers."""
    found: list[Change] = []
    lines, content = place.file.lines, place.file.content
    if place.site.category == EMPTY:
        raise Refused("silence")  # the error may reach what the cursor ends
    for node in reversed(place.file.path(inside(place.site))):
        if node.end_byte <= place.after:
            continue
        if node.end_byte > place.end:
            break
        token = node.child(node.child_count - 1) if node.child_count else None
        if token is None or token.type not in _CLOSERS or token.start_byte == token.end_byte:
            continue
        if not place.is_open(token.start_byte, token.end_byte):
            continue
        row = lines.row_of(token.start_byte)
        alone = lines.first_visible(row) == token.start_byte and lines.last_visible(row) == token.end_byte
        rest = content[token.end_byte : max(lines.end(row), token.end_byte)].strip(b" \t)]};,")
        if alone and place.is_open(lines.starts[row], lines.next_start(row)):
            change = Change(lines.starts[row], lines.next_start(row))
        elif rest:
            continue  # `} else {`: what goes on there is one statement with it
        else:
            change = Change(token.start_byte, token.end_byte)
        if change not in found:
            found.append(change)
    if not found:
        raise Refused("no_closer")
    return [found[draws.below(len(found))]]


def in_progress(place: Place, draws: Draws) -> list[Change]:
    """Leave another statement unfinished: inside a name, or after an opening bracket or an operator."""
    lines = place.file.lines
    if place.site.category == EMPTY:
        raise Refused("silence")  # the error may reach what the cursor ends
    for row in rows_on_a_side(place, draws, gap=2):
        statement = simple_statement(place.file, row)
        if statement is None or statement.has_error or not place.is_open(lines.starts[row], lines.end(row)):
            continue
        cut = _unfinished_at(place.file, row, draws)
        if cut is not None:
            return [Change(cut, lines.last_visible(row))]
    raise Refused("no_statement")


def earlier_definitions(place: Place, draws: Draws) -> list[Change]:
    """Leave out one to three definitions that stand before the cursor's."""
    scopes = place.file.language.scopes
    # The definition itself, or what is right inside of an `export` or a decorated one.
    return _some_units(
        place, place.earlier_rows()[::-1], lambda nodes: any(node.type in scopes for node in nodes[:2]), draws
    )


def whitespace(place: Place, draws: Draws) -> list[Change]:
    """Put in blanks at the end of a line, a second blank line, or one indent that is too deep."""
    noise = (_deeper_indent, _blank_line, _trailing_blanks)[draws.below(3)]
    for insertion in (noise, _trailing_blanks):
        for row in rows_on_a_side(place, draws, gap=1):
            change = insertion(place.file, row, draws)
            if change is not None and place.is_open(change.start, change.end):
                return [change]
    raise Refused("no_line")


OPERATIONS: dict[str, Callable[[Place, Draws], list[Change]]] = {
    # Those that take most come first: what is left is for the others.
    CUT_TO_EOF: cut_to_eof,
    LATER_SIBLINGS: later_siblings,
    LATER_STATEMENTS: later_statements,
    EARLIER_DEFINITIONS: earlier_definitions,
    CLOSER: closer,
    IN_PROGRESS: in_progress,
    WHITESPACE: whitespace,
}
"""The operations by name, in the order in which several of them are done."""


def _deeper_indent(file: ParsedFile, row: int, draws: Draws) -> Change | None:
    """A few spaces more before a simple statement of one line."""
    if simple_statement(file, row) is None:
        return None
    start = file.lines.first_visible(row)
    return Change(start, start, b" " * (1 + draws.below(4)))


def _blank_line(file: ParsedFile, row: int, _draws: Draws) -> Change | None:
    """One more blank line at a blank one that is in no text."""
    start, line_break = file.lines.starts[row], file.lines.line_break(row)
    if file.lines.first_visible(row) >= 0 or not line_break or file.in_multi_line_token(file.path(start), start):
        return None
    return Change(start, start, line_break)


def _trailing_blanks(file: ParsedFile, row: int, draws: Draws) -> Change | None:
    """Blanks at the end of a line of code: not where they would be text, nor part a backslash from its line break."""
    end = file.lines.last_visible(row)
    if end < 0 or file.content[end - 1 : end] == b"\\" or not file.lines.line_break(row):
        return None
    if file.in_multi_line_token(file.path(end - 1), end):
        return None
    return Change(end, end, _TRAILING_BLANKS[draws.below(len(_TRAILING_BLANKS))])


def _is_boundary(place: Place, row: int) -> bool:
    """Whether a file may end before a line, as far as it is written: a statement begins there, or a line of data."""
    file = place.file
    if file.language.blocks:
        found = statement_on(file, row)
        return found is not None and not (place.site.category == EMPTY and found[0] > 0)
    first = file.lines.first_visible(row)
    return first >= 0 and place.site.category != EMPTY and not file.in_multi_line_token(file.path(first), first)


def _some_units(
    place: Place, rows: range, wanted: Callable[[list[tree_sitter.Node]], bool], draws: Draws
) -> list[Change]:
    """The lines of one to three units, each the innermost wanted one around a drawn row. Raises Refused where none is found.

    `wanted` is asked with the nodes that lead from a block's child to the row.
    """
    file = place.file
    count = 1 + draws.below(MAX_STATEMENTS)
    found: list[Change] = []
    for row in some_rows(rows, draws):
        offset = file.lines.first_visible(row)
        path = file.path(offset) if offset >= 0 else []
        for index in file.blocks(path):
            nodes = path[index + 1 :]
            if not nodes or not wanted(nodes):
                continue
            position = file.unit_at(path, index, offset)
            if position is None:
                continue
            unit = file.units(path, index)[position]
            change = lines_of(place, unit, unit)
            if change is not None and all(change.end <= other.start or other.end <= change.start for other in found):
                found.append(change)
            break
        if len(found) == count:
            break
    if not found:
        raise Refused("no_unit")
    return found


def _unfinished_at(file: ParsedFile, row: int, draws: Draws) -> int | None:
    """Where to break off a line: inside a name or after a token that wants more; None where nowhere."""
    start, end = file.lines.first_visible(row), file.lines.last_visible(row)
    places = [
        leaf
        for leaf in file.leaves(start, end)
        if (leaf.type in _OPEN_TOKENS and leaf.start_byte > start)
        or (_is_name(leaf) and leaf.end_byte - leaf.start_byte > 2)
    ]
    if not places:
        return None
    leaf = places[draws.below(len(places))]
    cut = leaf.end_byte
    if leaf.is_named:
        name = file.content[leaf.start_byte : leaf.end_byte].decode("utf-8")
        cut = leaf.start_byte + len(name[: 1 + draws.below(max(len(name) - 1, 1))].encode())
    # At least one visible character must go that is no mere end of a statement.
    return cut if cut < end and file.content[cut:end].strip(b" \t;,") else None


def _is_name(leaf: tree_sitter.Node) -> bool:
    return leaf.is_named and ("identifier" in leaf.type or leaf.type in ("name", "constant"))
