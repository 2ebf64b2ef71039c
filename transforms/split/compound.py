"""Sites whose middle is a whole statement with a block, or such a statement from inside its first line on."""

import tree_sitter

from stackfim.schemas.example import MULTI_LINE
from stackfim.transforms.draws import Draws
from stackfim.transforms.lines import Lines
from stackfim.transforms.split.multi_line import Run, ended, run_site, statement_on
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.nodes import bracket_step, is_comment
from stackfim.transforms.split.single_line import IMPORT_SHARE
from stackfim.transforms.split.site import Kind, Refused, Site, check_visible_edges
from stackfim.transforms.split.syntax import ParsedFile
from stackfim.transforms.split.worth import check_worth

_BRACE = ord("{")


def compound(file: ParsedFile, line: int, draws: Draws, limits: MultiLineLimits) -> Site:
    """The whole statement or definition that begins on `line` and holds a block, with comments and attributes right above it.

    Raises Refused where no such statement begins there.
    """
    path, index, position = statement_on(file, line)
    units = file.units(path, index)
    unit = units[position]
    if unit.end_line - line >= limits.max_lines:
        raise Refused("over_the_cap")
    if unit.statement is None or not _holds_block(file, unit.statement):
        raise Refused("no_block")
    thin_imports = draws.uniform() >= IMPORT_SHARE
    return run_site(file, COMPOUND, Run(path[index], units, position, position), thin_imports, draws, limits)


def line_and_block(file: ParsedFile, line: int, draws: Draws, limits: MultiLineLimits) -> Site:
    """From a token inside the line that opens a block to the end of its statement: the line's rest, the block, its closer.

    The middle is balanced, so it begins outside all brackets of the line. Its end is told by the indent of its first full
    line, the one after the cursor's. Raises Refused where `line` opens no block, or the statement shares its lines.
    """
    lines = file.lines
    below = lines.next_visible_line(line)
    if below is None or not _may_open_block(lines, line, below):
        raise Refused("no_block")
    last = file.path(lines.last_visible(line) - 1)
    index, position = _unit_around(file, last, lines.last_visible(line) - 1)
    units = file.units(last, index)
    unit = units[position]
    statement = unit.statement
    if statement is None or statement.start_point.row != line or unit.end_line == line:
        raise Refused("no_block")
    if unit.end_line - line >= limits.max_lines:
        raise Refused("over_the_cap")
    if not _opens_block(file, statement, line, below):
        raise Refused("no_block")
    if not unit.whole_lines or lines.first_visible(line) != statement.start_byte:
        raise Refused("shares_a_line")
    if unit.has_error:
        raise Refused("syntax_error")
    start = _cursor(file, statement, line, unit.end, draws)
    text = file.content[start : unit.end].decode("utf-8", "replace")
    if len(text) > limits.max_chars:
        raise Refused("over_the_cap")
    check_visible_edges(text)
    check_worth(file, [unit])
    return ended(
        file,
        Site(LINE_AND_BLOCK, start, unit.end, node_type=statement.type),
        Run(last[index], units, position, position),
        below,
        draws,
        limits,
    )


def _cursor(file: ParsedFile, statement: tree_sitter.Node, line: int, end: int, draws: Draws) -> int:
    """The start of a token of `line`, not the statement's first, outside all brackets and strings that the statement opened.

    Which token is drawn. Raises Refused.
    """
    depth = 0
    starts: list[int] = []
    for leaf in file.leaves(statement.start_byte, min(end, file.lines.last_visible(line))):
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
    """Index into `path` of the innermost block with a unit around byte `offset`, and the unit's position. Raises Refused."""
    for index in file.blocks(path):
        position = file.unit_at(path, index, offset)
        if position is not None:
            return index, position
    raise Refused("no_statement_start")


def _may_open_block(lines: Lines, line: int, below: int) -> bool:
    """Whether a line looks as if it opened a block: the next one is deeper, or a brace stands on it or begins the next.

    Looking at the text first spares most lines a look at the tree; it misses openers of unindented blocks without braces.
    """
    return (
        lines.indent_bytes(below) > lines.indent_bytes(line)
        or lines.content[lines.first_visible(below)] == _BRACE
        or lines.content.find(_BRACE, lines.first_visible(line), lines.last_visible(line)) >= 0
    )


def _opens_block(file: ParsedFile, statement: tree_sitter.Node, line: int, below: int) -> bool:
    """Whether `line` holds all of the statement's header: it opens a block, or the brace that begins the line `below` does."""
    path = file.path(file.lines.first_visible(below))
    for index in file.blocks(path):
        block = path[index]
        if block.start_byte <= statement.start_byte:
            return False
        header = file.header_line(path, index)
        if header == line or (header == below and block.start_byte == file.lines.first_visible(below)):
            return True
    return False


def _holds_block(file: ParsedFile, statement: tree_sitter.Node) -> bool:
    """Whether a line of a statement, after its first, begins inside a block of the statement."""
    lines = file.lines
    for line in range(statement.start_point.row + 1, lines.line_of(max(file.visible_end(statement) - 1, 0)) + 1):
        if lines.first_visible(line) >= 0:
            path = file.path(lines.first_visible(line))
            if any(path[index].start_byte > statement.start_byte for index in file.blocks(path)):
                return True
    return False


COMPOUND = Kind("compound", MULTI_LINE, weight=15.0, needs_statements=True, find=compound)
LINE_AND_BLOCK = Kind("line_and_block", MULTI_LINE, weight=15.0, needs_statements=True, find=line_and_block)
