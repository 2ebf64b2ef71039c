"""Sites whose middle is a whole compound statement or definition, or the rest of its first line and all that follows."""

import tree_sitter

from stackfim.schemas.example import MULTI_LINE
from stackfim.transforms.draws import Draws
from stackfim.transforms.lines import Lines
from stackfim.transforms.split.multi_line import Run, ended, run_site, statement_on
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.single_line import IMPORT_SHARE
from stackfim.transforms.split.site import Refused, Site, check_visible_edges
from stackfim.transforms.split.syntax import ParsedFile, bracket_step, is_comment
from stackfim.transforms.split.worth import check_worth

COMPOUND = "compound"
LINE_AND_BLOCK = "line_and_block"

_BRACE = ord("{")


def compound(file: ParsedFile, row: int, draws: Draws, limits: MultiLineLimits) -> Site:
    """The whole statement or definition that begins on `row` and holds a block; comments and attributes right above it too.

    Raises Refused where none begins there.
    """
    path, index, position = statement_on(file, row)
    units = file.units(path, index)
    unit = units[position]
    if unit.end_row - row >= limits.max_lines:
        raise Refused("over_the_cap")
    if unit.statement is None or not _holds_block(file, unit.statement):
        raise Refused("no_block")
    thin_imports = draws.uniform() >= IMPORT_SHARE
    return run_site(file, COMPOUND, Run(path[index], units, position, position), thin_imports, draws, limits)


def line_and_block(file: ParsedFile, row: int, draws: Draws, limits: MultiLineLimits) -> Site:
    """From a token inside the line that opens a block to the end of its statement: the line's rest, the block, its closer.

    The middle is balanced, so it begins outside of the brackets of the line. The base line of its end is the middle's
    first full line, the one after the cursor's. Raises Refused where `row` opens no block, or shares its lines.
    """
    lines = file.lines
    below = lines.next_visible_row(row)
    if below is None or not _may_open_block(lines, row, below):
        raise Refused("no_block")
    last = file.path(lines.last_visible(row) - 1)
    index, position = _unit_around(file, last, lines.last_visible(row) - 1)
    units = file.units(last, index)
    unit = units[position]
    statement = unit.statement
    if statement is None or statement.start_point.row != row or unit.end_row == row:
        raise Refused("no_block")
    if unit.end_row - row >= limits.max_lines:
        raise Refused("over_the_cap")
    if not _opens_block(file, statement, row, below):
        raise Refused("no_block")
    if not unit.whole_lines or lines.first_visible(row) != statement.start_byte:
        raise Refused("shares_a_line")
    if unit.has_error:
        raise Refused("syntax_error")
    start = _cursor(file, statement, row, unit.end, draws)
    text = file.content[start : unit.end].decode("utf-8", "replace")
    if len(text) > limits.max_chars:
        raise Refused("over_the_cap")
    check_visible_edges(text)
    check_worth(file, [unit])
    return ended(
        file,
        Site(MULTI_LINE, LINE_AND_BLOCK, start, unit.end, node_type=statement.type),
        Run(last[index], units, position, position),
        below,
        draws,
        limits,
    )


def _cursor(file: ParsedFile, statement: tree_sitter.Node, row: int, end: int, draws: Draws) -> int:
    """A token of `row`, not the statement's first, outside of all brackets and texts that the statement opens before it."""
    depth = 0
    starts: list[int] = []
    for leaf in file.leaves(statement.start_byte, min(end, file.lines.last_visible(row))):
        closes = not leaf.is_named and leaf.type in (")", "]", "}")
        if depth == 0 and not closes and leaf.start_byte > statement.start_byte and not is_comment(leaf):
            starts.append(leaf.start_byte)
        depth += bracket_step(leaf)
    opaque = file.language.opaque
    while starts:
        start = starts.pop(draws.below(len(starts)))
        if not any(node.type in opaque and node.start_byte < start for node in file.path(start)):
            return start
    raise Refused("no_token_boundary")


def _unit_around(file: ParsedFile, path: list[tree_sitter.Node], offset: int) -> tuple[int, int]:
    """Index into `path` of the innermost block with a unit that begins before `offset`, on its row, and goes on; its position.

    Raises Refused.
    """
    for index in file.blocks(path):
        position = file.unit_at(path, index, offset)
        if position is not None:
            return index, position
    raise Refused("no_statement_start")


def _may_open_block(lines: Lines, row: int, below: int) -> bool:
    """Whether a line looks as if it opened a block: the next one is deeper, or a brace stands on it or begins the next.

    A look at the text spares most lines the one at the tree; openers of unindented blocks without braces are passed over.
    """
    return (
        lines.indent_bytes(below) > lines.indent_bytes(row)
        or lines.content[lines.first_visible(below)] == _BRACE
        or lines.content.find(_BRACE, lines.first_visible(row), lines.last_visible(row)) >= 0
    )


def _opens_block(file: ParsedFile, statement: tree_sitter.Node, row: int, below: int) -> bool:
    """Whether `row`, or the brace alone on the row `below`, opens a block of the statement: its header is on one line."""
    path = file.path(file.lines.first_visible(below))
    for index in file.blocks(path):
        block = path[index]
        if block.start_byte <= statement.start_byte:
            return False
        header = file.header_row(path, index)
        if header == row or (header == below and block.start_byte == file.lines.first_visible(below)):
            return True
    return False


def _holds_block(file: ParsedFile, statement: tree_sitter.Node) -> bool:
    """Whether a line of a statement, after its first, begins in a block of it."""
    lines = file.lines
    for row in range(statement.start_point.row + 1, lines.row_of(max(file.visible_end(statement) - 1, 0)) + 1):
        if lines.first_visible(row) >= 0:
            path = file.path(lines.first_visible(row))
            if any(path[index].start_byte > statement.start_byte for index in file.blocks(path)):
                return True
    return False
