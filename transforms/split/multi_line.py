"""Sites whose middle is several lines and stops where a block or a run of statements does."""

from typing import NamedTuple

import tree_sitter

from stackfim.schemas.example import MULTI_LINE
from stackfim.transforms.draws import Draws
from stackfim.transforms.lines import Indent
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.single_line import IMPORT_SHARE
from stackfim.transforms.split.site import (
    CLOSERS,
    DEDENT,
    EOF,
    NEWLINE,
    NEWLINE_IN_MIDDLE,
    NEWLINE_IN_SUFFIX,
    Refused,
    Site,
    check_visible_edges,
    newline_after,
)
from stackfim.transforms.split.syntax import ParsedFile, Units
from stackfim.transforms.split.worth import check_worth

BLOCK_BODY = "block_body"
REST_OF_BLOCK = "rest_of_block"
SIBLINGS = "siblings"

MAX_ROOT_ROWS = 8
"""Rows to the end of the file that `rest_of_block` takes outside of any block: the rest of a file is no block."""
LOOSE_END_SHARE = 0.1
"""Share of draws of `siblings` in which it may end between two simple statements on neighbouring lines."""

# A block of more rows than the cap, its delimiters' two and some blank ones at its edges is over it without a look inside.
_MAX_BLANK_EDGES = 8


class Run(NamedTuple):
    """Units `first` to `last` of a block."""

    block: tree_sitter.Node
    units: Units
    first: int
    last: int


def block_body(file: ParsedFile, row: int, draws: Draws, limits: MultiLineLimits) -> Site:
    """All of the innermost block around `row` that fits: from the fresh line after its opener to its end.

    Raises Refused where no block around the row is made of whole lines within the limits.
    """
    path = file.path(file.lines.first_visible(row))
    thin_imports = draws.uniform() >= IMPORT_SHARE
    reason = "no_block"
    for index in file.blocks(path):
        block = path[index]
        if index and _is_far(block, block.start_point.row, limits):
            raise Refused("over_the_cap")
        header = file.header_row(path, index)
        if header is None:
            continue
        units = file.units(path, index)
        if not units or units[0].start_row <= header:
            continue
        try:
            run = Run(block, units, 0, len(units) - 1)
            return run_site(file, BLOCK_BODY, run, thin_imports, draws, limits)
        except Refused as refused:
            reason = str(refused)
            if reason in ("over_the_cap", "syntax_error", "incomparable_indent"):
                break  # blocks further out hold this one
    raise Refused(reason)


def rest_of_block(file: ParsedFile, row: int, draws: Draws, limits: MultiLineLimits) -> Site:
    """From a statement that begins on `row`, not its block's first, to the block's end. Raises Refused."""
    path, index, position = statement_on(file, row, limits)
    units = file.units(path, index)
    if all(units[before].statement is None for before in range(position)):
        raise Refused("first_of_block")
    if not index and units[-1].end_row - row >= MAX_ROOT_ROWS:
        raise Refused("rest_of_file")
    thin_imports = draws.uniform() >= IMPORT_SHARE
    run = Run(path[index], units, position, len(units) - 1)
    return run_site(file, REST_OF_BLOCK, run, thin_imports, draws, limits)


def siblings(file: ParsedFile, row: int, draws: Draws, limits: MultiLineLimits) -> Site:
    """The next k statements from the one on `row`, more following; ends before a blank line come first.

    Raises Refused, also where a blank line follows a first statement of one line: everyone would stop there.
    """
    path, index, position = statement_on(file, row)
    units = file.units(path, index)
    thin_imports = draws.uniform() >= IMPORT_SHARE
    before_blank: list[int] = []
    others: list[int] = []
    opening = units[position]
    if opening.end_row == opening.start_row and (
        position + 1 < len(units) and units[position + 1].start_row > opening.end_row + 1
    ):
        raise Refused("stops_at_once")
    for last in range(position, _last_statement(units)):
        closing = units[last]
        if (
            closing.end_row - opening.start_row >= limits.max_lines
            or closing.end - opening.start > 4 * limits.max_chars
        ):
            break
        if closing.end_row > opening.start_row and closing.statement is not None:
            (before_blank if units[last + 1].start_row > closing.end_row + 1 else others).append(last)
    # Between lines that follow one another only a whole compound statement ends where anyone would stop.
    if draws.uniform() >= LOOSE_END_SHARE:
        others = [last for last in others if last == position]
    reason = "no_more_siblings"
    # Short ones first: from a random line to the next blank line is a few lines in real code.
    ends = before_blank
    while others:
        ends.append(others.pop(draws.below(min(len(others), 2))))
    for last in ends:
        try:
            return run_site(file, SIBLINGS, Run(path[index], units, position, last), thin_imports, draws, limits)
        except Refused as refused:
            reason = str(refused)
    raise Refused(reason)


def _last_statement(units: Units) -> int:
    """Position of the last unit with a statement; -1 without one."""
    return next((position for position in range(len(units) - 1, -1, -1) if units[position].statement is not None), -1)


def _is_far(block: tree_sitter.Node, row: int, limits: MultiLineLimits) -> bool:
    """Whether a block ends so far below `row` that what is between cannot be within the cap."""
    return block.end_point.row - row > limits.max_lines + 2 + _MAX_BLANK_EDGES


def statement_on(
    file: ParsedFile, row: int, to_the_end: MultiLineLimits | None = None
) -> tuple[list[tree_sitter.Node], int, int]:
    """Path, index of the block and position of the unit that begins on `row`; within limits to its end where they are given."""
    start = file.lines.first_visible(row)
    if file.content[start] in CLOSERS:
        raise Refused("no_statement_start")
    path = file.path(start)
    if to_the_end is not None:
        block = next((path[index - 1] for index in range(1, len(path)) if path[index].start_byte == start), path[0])
        if _is_far(block, row, to_the_end):
            raise Refused("over_the_cap")
    found = file.unit_starting_at(path, start)
    if found is None:
        raise Refused("no_statement_start")
    return path, *found


def run_site(file: ParsedFile, kind: str, run: Run, thin_imports: bool, draws: Draws, limits: MultiLineLimits) -> Site:
    """The site of a run, checked; one that begins with imports is refused where `thin_imports` says so. Raises Refused."""
    lines = file.lines
    opening, closing = run.units[run.first], run.units[run.last]
    start, end, start_row, end_row = opening.start, closing.end, opening.start_row, closing.end_row
    # What first and last unit tell comes first: a block may have thousands.
    if not (opening.whole_lines and closing.whole_lines):
        raise Refused("shares_a_line")
    if end_row - start_row >= limits.max_lines:
        raise Refused("over_the_cap")
    text = file.content[start:end].decode("utf-8", "replace")
    if len(text) > limits.max_chars:
        raise Refused("over_the_cap")
    check_visible_edges(text)
    if sum(1 for line in text.split("\n") if line.strip()) < 2:
        raise Refused("single_line")
    inside = run.units[run.first : run.last + 1]
    statement = next((unit.statement for unit in inside if unit.statement is not None), None)
    if statement is None:
        raise Refused("only_comments")
    if thin_imports and statement.type in file.language.imports:
        raise Refused("import")
    if any(unit.has_error for unit in inside):
        raise Refused("syntax_error")
    if lines.starts[start_row] + len(lines.indent(start_row)) != start:
        raise Refused("shares_a_line")
    base = lines.indent(start_row)
    if any(lines.indent(row) != base for row in run.units.first_rows(run.first, run.last)):
        raise Refused("uneven_indent")  # a label or a comment further left would end the middle in an editor
    if file.in_multi_line_token(file.path(start), start):
        raise Refused("inside_multi_line_token")
    check_worth(file, inside)
    return ended(file, Site(MULTI_LINE, kind, start, end, node_type=statement.type), run, start_row, draws, limits)


def ended(file: ParsedFile, site: Site, run: Run, base_row: int, draws: Draws, limits: MultiLineLimits) -> Site:
    """`site`, which ends with `run`, and why it does, beside the line `base_row`; a share takes the line break along.

    Raises Refused where the text after it does not bear the end out.
    """
    end_row = run.units[run.last].end_row
    stop_reason = _stop_reason(file, run, end_row, base_row)
    end, owner = site.end, newline_after(file, end_row)
    if (
        draws.uniform() < limits.newline_in_middle_share
        and owner == NEWLINE_IN_SUFFIX
        and stop_reason != EOF
        and file.lines.end(end_row) == end
    ):
        end, owner = file.lines.next_start(end_row), NEWLINE_IN_MIDDLE
    return site._replace(end=end, stop_reason=stop_reason, newline_owner=owner)


def _stop_reason(file: ParsedFile, run: Run, end_row: int, base_row: int) -> str:
    """What ends the middle, by the next logical line. Raises Refused where the text does not bear the kind out."""
    indent = file.next_indent(end_row, base_row)
    if indent is None:
        return EOF
    if indent is Indent.INCOMPARABLE:
        raise Refused("incomparable_indent")
    if indent is Indent.SHALLOWER:
        return DEDENT
    if indent is Indent.DEEPER:
        raise Refused("goes_on_deeper")
    if run.last == len(run.units) - 1:
        # The block is over but its lines seem to go on: only its own closer may stand there.
        following = file.lines.next_visible_row(end_row)
        assert following is not None
        if run.block.end_byte <= file.lines.first_visible(following) or not _starts_with_closer(file, following):
            raise Refused("no_dedent")
    return NEWLINE


def _starts_with_closer(file: ParsedFile, row: int) -> bool:
    leaf = file.path(file.lines.first_visible(row))[-1]
    return not leaf.is_named
