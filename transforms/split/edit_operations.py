"""What a file lacks, or has too much of, while it is being written: the edit operations of half-written contexts.

Each operation draws a place around the cursor and gives the changes to make there, or refuses. None of them touches the
middle, the cursor's line up to the middle, or what makes the middle's end true (see `edit_places.open_bounds`).
"""

from bisect import bisect_left
from collections.abc import Callable
from typing import NamedTuple

import tree_sitter

from stackfim.schemas.example import EMPTY
from stackfim.transforms.draws import Draws
from stackfim.transforms.languages import BRACKETS, CLOSING_WORDS
from stackfim.transforms.split.edit_places import (
    TRIES,
    Place,
    enclosing,
    inside,
    lines_on_a_side,
    removal_of,
    simple_statement,
    some_lines,
    statement_on,
)
from stackfim.transforms.split.edit_script import Change
from stackfim.transforms.split.nodes import is_name
from stackfim.transforms.split.site import Refused
from stackfim.transforms.split.syntax import ParsedFile

MAX_STATEMENTS = 3
"""Most statements or definitions that one operation leaves out here and there."""
ALL_SHARE = 0.6
"""Share of `later_siblings` that leaves all of them out."""
NEXT_SHARE = 0.5
"""Share of `cut_to_eof` that cuts at the first boundary after the cursor, as for an author who writes downwards."""

_CLOSERS = CLOSING_WORDS.union(BRACKETS.values())
# After these tokens a line is plainly unfinished.
_OPEN_TOKENS = frozenset((*"([=.,+-*/", ":=", "->", "::", "&&", "||", "and", "or", "==", "=>", "+="))
_TRAILING_BLANKS = (b" ", b"  ", b"    ", b"\t")


def later_siblings(place: Place, draws: Draws) -> list[Change]:
    """Leave out the statements after the cursor's in the innermost block that has some: all, or all but the first few."""
    for units in enclosing(place):
        first = bisect_left(units.starts, place.after)
        last = bisect_left(units.starts, place.end) - 1
        if last < first:
            continue
        if last > first and draws.uniform() >= ALL_SHARE:
            first += 1 + draws.below(min(MAX_STATEMENTS, last - first))
        change = removal_of(place, units[first], units[last])
        if change is not None:
            return [change]
    raise Refused("nothing_later")


def cut_to_eof(place: Place, draws: Draws) -> list[Change]:
    """Leave out everything from a later statement on, with the closers of what is open there.

    Below an EMPTY site only from a statement of the root on: with closers missing, what the cursor ends may be an error.
    """
    later, lines = place.later_lines(), place.file.lines
    for line in later[: 2 * TRIES] if draws.uniform() < NEXT_SHARE else some_lines(later, draws):
        if _is_boundary(place, line) and place.is_open(lines.starts[line], place.end):
            return [Change(lines.starts[line], place.end)]
    raise Refused("no_boundary")


def later_statements(place: Place, draws: Draws) -> list[Change]:
    """Leave out one to three later statements or definitions."""
    return _some_units(place, place.later_lines(), lambda _nodes: True, draws)


def closer(place: Place, draws: Draws) -> list[Change]:
    """Leave out the closer of one bracket or block that is open at the cursor: its line, or its token among other closers."""
    if place.site.kind.category == EMPTY:
        raise Refused("silence")  # the error may reach what the cursor ends
    found: list[Change] = []
    for node in reversed(place.file.path(inside(place.site))):
        if node.end_byte <= place.after:
            continue
        if node.end_byte > place.end:
            break
        change = _closer_of(place, node)
        if change is not None and change not in found:
            found.append(change)
    if not found:
        raise Refused("no_closer")
    return [found[draws.below(len(found))]]


def _closer_of(place: Place, node: tree_sitter.Node) -> Change | None:
    """The change that leaves out a node's closer; None where it has none that may go."""
    lines, content = place.file.lines, place.file.content
    token = node.child(node.child_count - 1) if node.child_count else None
    if token is None or token.type not in _CLOSERS or token.start_byte == token.end_byte:
        return None
    if not place.is_open(token.start_byte, token.end_byte):
        return None
    line = lines.line_of(token.start_byte)
    alone = lines.first_visible(line) == token.start_byte and lines.last_visible(line) == token.end_byte
    if alone and place.is_open(lines.starts[line], lines.next_start(line)):
        return Change(lines.starts[line], lines.next_start(line))
    if content[token.end_byte : max(lines.end(line), token.end_byte)].strip(b" \t)]};,"):
        return None  # `} else {`: what follows there is one statement with it
    return Change(token.start_byte, token.end_byte)


def in_progress(place: Place, draws: Draws) -> list[Change]:
    """Leave another statement unfinished: inside a name, or after an opening bracket or an operator."""
    lines = place.file.lines
    if place.site.kind.category == EMPTY:
        raise Refused("silence")  # the error may reach what the cursor ends
    for line in lines_on_a_side(place, draws, gap=2):
        statement = simple_statement(place.file, line)
        if statement is None or statement.has_error or not place.is_open(lines.starts[line], lines.end(line)):
            continue
        cut = _unfinished_at(place.file, line, draws)
        if cut is not None:
            return [Change(cut, lines.last_visible(line))]
    raise Refused("no_statement")


def earlier_definitions(place: Place, draws: Draws) -> list[Change]:
    """Leave out one to three definitions before the cursor's."""
    scopes = place.file.language.scopes
    # The definition itself, or what stands right inside an `export` or a decorated definition.
    return _some_units(
        place, place.earlier_lines()[::-1], lambda nodes: any(node.type in scopes for node in nodes[:2]), draws
    )


def whitespace(place: Place, draws: Draws) -> list[Change]:
    """Insert blanks at the end of a line, a second blank line, or one indent that is too deep."""
    noise = (_deeper_indent, _blank_line, _trailing_blanks)[draws.below(3)]
    for insertion in (noise, _trailing_blanks):
        for line in lines_on_a_side(place, draws, gap=1):
            change = insertion(place.file, line, draws)
            if change is not None and place.is_open(change.start, change.end):
                return [change]
    raise Refused("no_line")


class Operation(NamedTuple):
    """An edit operation: what it is called, how often it is drawn and what gives its changes."""

    name: str
    weight: float
    """How often it is drawn beside the others, unless a run says otherwise."""
    changes: Callable[[Place, Draws], list[Change]]
    """The changes that the operation makes around a site. Raises Refused where it finds nothing to do."""
    is_last_resort: bool = False
    """Whether it stands in for another operation only where no other is possible."""


OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        # Those that leave most out come first: the others edit what is left.
        Operation("cut_to_eof", 20.0, cut_to_eof),
        Operation("later_siblings", 20.0, later_siblings),
        Operation("later_statements", 15.0, later_statements),
        Operation("earlier_definitions", 10.0, earlier_definitions),
        Operation("closer", 10.0, closer),
        Operation("in_progress", 10.0, in_progress),
        # Blanks can be inserted nearly anywhere.
        Operation("whitespace", 8.0, whitespace, is_last_resort=True),
    )
}
"""The operations by name, in the order in which several of them are done."""


def _deeper_indent(file: ParsedFile, line: int, draws: Draws) -> Change | None:
    """A few more spaces before a simple statement of one line."""
    if simple_statement(file, line) is None:
        return None
    start = file.lines.first_visible(line)
    return Change(start, start, b" " * (1 + draws.below(4)))


def _blank_line(file: ParsedFile, line: int, _draws: Draws) -> Change | None:
    """One more blank line beside a blank one, unless that is part of a string or comment."""
    start, line_break = file.lines.starts[line], file.lines.line_break(line)
    if file.lines.first_visible(line) >= 0 or not line_break or file.in_multi_line_token(file.path(start), start):
        return None
    return Change(start, start, line_break)


def _trailing_blanks(file: ParsedFile, line: int, draws: Draws) -> Change | None:
    """Blanks at the end of a line of code, unless they would be text or part a backslash from its line break."""
    end = file.lines.last_visible(line)
    if end < 0 or file.content[end - 1 : end] == b"\\" or not file.lines.line_break(line):
        return None
    if file.in_multi_line_token(file.path(end - 1), end):
        return None
    return Change(end, end, _TRAILING_BLANKS[draws.below(len(_TRAILING_BLANKS))])


def _is_boundary(place: Place, line: int) -> bool:
    """Whether a half-written file may end before a line: a statement begins there, or a line of data."""
    file = place.file
    if file.language.blocks:
        found = statement_on(file, line)
        return found is not None and not (place.site.kind.category == EMPTY and found[0] > 0)
    first = file.lines.first_visible(line)
    return first >= 0 and place.site.kind.category != EMPTY and not file.in_multi_line_token(file.path(first), first)


def _some_units(
    place: Place, lines: range, wanted: Callable[[list[tree_sitter.Node]], bool], draws: Draws
) -> list[Change]:
    """Leave out one to three units, each the innermost wanted one around a line drawn from `lines`. Raises Refused.

    `wanted` gets the nodes that lead from a block's child to the line.
    """
    file = place.file
    count = 1 + draws.below(MAX_STATEMENTS)
    found: list[Change] = []
    for line in some_lines(lines, draws):
        offset = file.lines.first_visible(line)
        path = file.path(offset) if offset >= 0 else []
        for index in file.blocks(path):
            nodes = path[index + 1 :]
            if not nodes or not wanted(nodes):
                continue
            position = file.unit_at(path, index, offset)
            if position is None:
                continue
            unit = file.units(path, index)[position]
            change = removal_of(place, unit, unit)
            if change is not None and all(change.end <= other.start or other.end <= change.start for other in found):
                found.append(change)
            break
        if len(found) == count:
            break
    if not found:
        raise Refused("no_unit")
    return found


def _unfinished_at(file: ParsedFile, line: int, draws: Draws) -> int | None:
    """Where a line may break off: inside a name or after a token that wants more; None where it cannot."""
    start, end = file.lines.first_visible(line), file.lines.last_visible(line)
    places = [
        leaf
        for leaf in file.leaves(start, end)
        if (leaf.type in _OPEN_TOKENS and leaf.start_byte > start)
        or (is_name(leaf) and leaf.end_byte - leaf.start_byte > 2)
    ]
    if not places:
        return None
    leaf = places[draws.below(len(places))]
    cut = leaf.end_byte
    if leaf.is_named:
        name = file.content[leaf.start_byte : leaf.end_byte].decode("utf-8")
        cut = leaf.start_byte + len(name[: 1 + draws.below(max(len(name) - 1, 1))].encode())
    # What goes has to be more than the end of a statement.
    return cut if cut < end and file.content[cut:end].strip(b" \t;,") else None
