"""Sites whose middle is several lines and stops where a block or a run of statements stops."""

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
    Kind,
    Refused,
    Site,
    check_visible_edges,
    newline_after,
)
from stackfim.transforms.split.syntax import ParsedFile
from stackfim.transforms.split.units import Unit, Units
from stackfim.transforms.split.worth import check_worth

MAX_ROOT_LINES = 8
"""Most lines that `rest_of_block` takes outside any block: the rest of a file is no block."""
LOOSE_END_SHARE = 0.1
"""Share of draws in which `siblings` may end between two simple statements on neighbouring lines."""

# A block is over the cap without a look inside if it has more lines than the cap, its two delimiters' and these together.
_MAX_BLANK_EDGES = 8


class Run(NamedTuple):
    """Units `first` to `last` of a block."""

    block: tree_sitter.Node
    units: Units
    first: int
    last: int


def block_body(file: ParsedFile, line: int, draws: Draws, limits: MultiLineLimits) -> Site:
    """All of the innermost block around `line` that fits: from the fresh line after its opener to its end.

    Raises Refused where no block around the line consists of whole lines within the limits.
    """
    path = file.path(file.lines.first_visible(line))
    thin_imports = draws.uniform() >= IMPORT_SHARE
    reason = "no_block"
    for index in file.blocks(path):
        block = path[index]
        if index and _is_far(block, block.start_point.row, limits):
            raise Refused("over_the_cap")
        header = file.header_line(path, index)
        if header is None:
            continue
        units = file.units(path, index)
        if not units or units[0].start_line <= header:
            continue
        try:
            run = Run(block, units, 0, len(units) - 1)
            return run_site(file, BLOCK_BODY, run, thin_imports, draws, limits)
        except Refused as refused:
            reason = str(refused)
            if reason in ("over_the_cap", "syntax_error", "incomparable_indent"):
                break  # blocks further out hold this one
    raise Refused(reason)


def rest_of_block(file: ParsedFile, line: int, draws: Draws, limits: MultiLineLimits) -> Site:
    """From a statement that begins on `line`, not its block's first, to the block's end. Raises Refused."""
    path, index, position = statement_on(file, line, limits)
    units = file.units(path, index)
    if all(units[before].statement is None for before in range(position)):
        raise Refused("first_of_block")
    if not index and units[-1].end_line - line >= MAX_ROOT_LINES:
        raise Refused("rest_of_file")
    thin_imports = draws.uniform() >= IMPORT_SHARE
    run = Run(path[index], units, position, len(units) - 1)
    return run_site(file, REST_OF_BLOCK, run, thin_imports, draws, limits)


def siblings(file: ParsedFile, line: int, draws: Draws, limits: MultiLineLimits) -> Site:
    """The statement on `line` and the next ones, with more to follow; ends before a blank line are tried first.

    Raises Refused, also where a blank line follows a first statement of one line: everyone would stop there.
    """
    path, index, position = statement_on(file, line)
    units = file.units(path, index)
    thin_imports = draws.uniform() >= IMPORT_SHARE
    opening = units[position]
    if opening.end_line == opening.start_line and (
        position + 1 < len(units) and units[position + 1].start_line > opening.end_line + 1
    ):
        raise Refused("stops_at_once")
    # Those before a blank line come in order: from a random line to the next blank line it is a few lines in real code.
    ends, others = _ends_of_siblings(units, position, limits)
    # Between lines that follow one another only a whole compound statement ends where anyone would stop.
    if draws.uniform() >= LOOSE_END_SHARE:
        others = [last for last in others if last == position]
    while others:
        ends.append(others.pop(draws.below(min(len(others), 2))))
    reason = "no_more_siblings"
    for last in ends:
        try:
            return run_site(file, SIBLINGS, Run(path[index], units, position, last), thin_imports, draws, limits)
        except Refused as refused:
            reason = str(refused)
    raise Refused(reason)


def _ends_of_siblings(units: Units, position: int, limits: MultiLineLimits) -> tuple[list[int], list[int]]:
    """Positions where a run of several lines from `position` on may end, more statements following.

    Those with a blank line after them come first, then the others, each in order.
    """
    before_blank: list[int] = []
    others: list[int] = []
    opening = units[position]
    for last in range(position, _last_statement(units)):
        closing = units[last]
        if (
            closing.end_line - opening.start_line >= limits.max_lines
            or closing.end - opening.start > 4 * limits.max_chars
        ):
            break
        if closing.end_line > opening.start_line and closing.statement is not None:
            (before_blank if units[last + 1].start_line > closing.end_line + 1 else others).append(last)
    return before_blank, others


def _last_statement(units: Units) -> int:
    """Position of the last unit with a statement; -1 without one."""
    return next((position for position in range(len(units) - 1, -1, -1) if units[position].statement is not None), -1)


def _is_far(block: tree_sitter.Node, line: int, limits: MultiLineLimits) -> bool:
    """Whether a block ends so far below `line` that the lines between cannot be within the cap."""
    return block.end_point.row - line > limits.max_lines + 2 + _MAX_BLANK_EDGES


def statement_on(
    file: ParsedFile, line: int, to_the_end: MultiLineLimits | None = None
) -> tuple[list[tree_sitter.Node], int, int]:
    """The path to the first byte of `line`, the index of the block and the position of the unit that begins there.

    Raises Refused where none does, or where the block goes on beyond the limits `to_the_end`.
    """
    start = file.lines.first_visible(line)
    if file.content[start] in CLOSERS:
        raise Refused("no_statement_start")
    path = file.path(start)
    if to_the_end is not None:
        block = next((path[index - 1] for index in range(1, len(path)) if path[index].start_byte == start), path[0])
        if _is_far(block, line, to_the_end):
            raise Refused("over_the_cap")
    found = file.unit_starting_at(path, start)
    if found is None:
        raise Refused("no_statement_start")
    return path, *found


def run_site(file: ParsedFile, kind: Kind, run: Run, thin_imports: bool, draws: Draws, limits: MultiLineLimits) -> Site:
    """The site of a run. Raises Refused where a check fails, or where the run begins with an import and `thin_imports` is true."""
    opening, closing = run.units[run.first], run.units[run.last]
    # What the first and the last unit show comes first: a block may have thousands.
    _check_extent(file, opening, closing, limits)
    inside = run.units[run.first : run.last + 1]
    statement = next((unit.statement for unit in inside if unit.statement is not None), None)
    if statement is None:
        raise Refused("only_comments")
    if thin_imports and statement.type in file.language.imports:
        raise Refused("import")
    if any(unit.has_error for unit in inside):
        raise Refused("syntax_error")
    _check_indents(file, run, opening)
    check_worth(file, inside)
    site = Site(kind, opening.start, closing.end, node_type=statement.type)
    return ended(file, site, run, opening.start_line, draws, limits)


def _check_extent(file: ParsedFile, opening: Unit, closing: Unit, limits: MultiLineLimits) -> None:
    """Refuse a run from unit `opening` to unit `closing` that is not several whole lines within the limits."""
    if not (opening.whole_lines and closing.whole_lines):
        raise Refused("shares_a_line")
    if closing.end_line - opening.start_line >= limits.max_lines:
        raise Refused("over_the_cap")
    text = file.content[opening.start : closing.end].decode("utf-8", "replace")
    if len(text) > limits.max_chars:
        raise Refused("over_the_cap")
    check_visible_edges(text)
    if sum(1 for line in text.split("\n") if line.strip()) < 2:
        raise Refused("single_line")


def _check_indents(file: ParsedFile, run: Run, opening: Unit) -> None:
    """Refuse a run whose first unit stands after more than an indent, or whose parts are not all indented like that unit."""
    lines = file.lines
    base = lines.indent(opening.start_line)
    if lines.starts[opening.start_line] + len(base) != opening.start:
        raise Refused("shares_a_line")
    if any(lines.indent(line) != base for line in run.units.first_lines(run.first, run.last)):
        raise Refused("uneven_indent")  # a label or a comment further left would end the middle in an editor
    if file.in_multi_line_token(file.path(opening.start), opening.start):
        raise Refused("inside_multi_line_token")


def ended(file: ParsedFile, site: Site, run: Run, base_line: int, draws: Draws, limits: MultiLineLimits) -> Site:
    """`site`, which ends with `run`, with the reason why it stops; a share of sites takes the line break into the middle.

    Indents are compared with that of `base_line`. Raises Refused where the text after the run does not confirm the end.
    """
    end_line = run.units[run.last].end_line
    stop_reason = _stop_reason(file, run, end_line, base_line)
    end, owner = site.end, newline_after(file, end_line)
    if (
        draws.uniform() < limits.newline_in_middle_share
        and owner == NEWLINE_IN_SUFFIX
        and stop_reason != EOF
        and file.lines.end(end_line) == end
    ):
        end, owner = file.lines.next_start(end_line), NEWLINE_IN_MIDDLE
    return site._replace(end=end, stop_reason=stop_reason, newline_owner=owner)


def _stop_reason(file: ParsedFile, run: Run, end_line: int, base_line: int) -> str:
    """What ends the middle, judged by the next logical line. Raises Refused where that line shows no end."""
    indent = file.next_indent(end_line, base_line)
    if indent is None:
        return EOF
    if indent is Indent.INCOMPARABLE:
        raise Refused("incomparable_indent")
    if indent is Indent.SHALLOWER:
        return DEDENT
    if indent is Indent.DEEPER:
        raise Refused("goes_on_deeper")
    if run.last == len(run.units) - 1:
        # The block is over, but a line of the same indent follows: only the block's own closer may stand there.
        following = file.lines.next_visible_line(end_line)
        assert following is not None
        if run.block.end_byte <= file.lines.first_visible(following) or not _starts_with_closer(file, following):
            raise Refused("no_dedent")
    return NEWLINE


def _starts_with_closer(file: ParsedFile, line: int) -> bool:
    leaf = file.path(file.lines.first_visible(line))[-1]
    return not leaf.is_named


BLOCK_BODY = Kind("block_body", MULTI_LINE, weight=25.0, needs_statements=True, find=block_body)
REST_OF_BLOCK = Kind("rest_of_block", MULTI_LINE, weight=25.0, needs_statements=True, find=rest_of_block)
SIBLINGS = Kind("siblings", MULTI_LINE, weight=20.0, needs_statements=True, find=siblings)
