"""Sites after a finished statement, where the right completion is nothing at all."""

import tree_sitter

from stackfim.schemas.example import EMPTY
from stackfim.transforms.draws import Draws
from stackfim.transforms.lines import Indent
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.single_line import IMPORT_SHARE
from stackfim.transforms.split.site import Kind, Refused, Site, newline_after
from stackfim.transforms.split.syntax import ParsedFile
from stackfim.transforms.split.units import Unit

SPACE_SHARE = 0.15
"""Share of `after_enter` in which a space was typed instead of the enter key."""

# Words that are complete statements, and yet a line seldom ends with them.
_MAY_GO_ON = (b"return", b"raise", b"yield")


def after_statement(file: ParsedFile, line: int, draws: Draws, _limits: MultiLineLimits) -> Site:
    """The cursor after a complete statement that ends the line; the next logical line is not deeper.

    Raises Refused where no statement ends on `line`, or more of it could follow.
    """
    statement, _indent = _finished(file, line, draws)
    return _site(file, AFTER_STATEMENT, line, statement)


def after_enter(file: ParsedFile, line: int, draws: Draws, _limits: MultiLineLimits) -> Site:
    """As `after_statement`, and then the line break and indent that an editor inserts, or a space.

    Only where the next logical line is shallower, a blank line follows, or the file ends: elsewhere a fresh line asks for a
    statement. Raises Refused.
    """
    statement, indent = _finished(file, line, draws)
    lines = file.lines
    blank_follows = line + 1 == len(lines) or lines.first_visible(line + 1) < 0
    if not blank_follows and indent is not Indent.SHALLOWER:
        raise Refused("more_follows")
    if draws.uniform() < SPACE_SHARE:
        typed = b" "
    else:
        typed = (lines.line_break(line) or lines.line_break(0) or b"\n") + lines.indent(statement.start_point.row)
    return _site(file, AFTER_ENTER, line, statement)._replace(typed=typed)


def check_complete(file: ParsedFile, unit: Unit, end: int) -> tree_sitter.Node:
    """The statement of a unit that ends at byte `end`. Raises Refused where more of it could follow."""
    statement = unit.statement
    if statement is None:
        raise Refused("no_statement_end")
    if unit.has_error:
        raise Refused("syntax_error")
    if file.in_multi_line_token(file.path(end - 1), end):
        raise Refused("inside_multi_line_token")
    text = file.content[statement.start_byte : end]
    if text.endswith(b":") or text in _MAY_GO_ON:
        raise Refused("may_go_on")
    return statement


def unit_ending_at(file: ParsedFile, path: list[tree_sitter.Node], end: int) -> Unit:
    """The innermost unit that ends at byte `end`; `path` leads to the byte before it. Raises Refused where none does."""
    for index in file.blocks(path):
        # The unit's last child is the one on the path: a cheap look before the block is grouped.
        if index + 1 == len(path) or file.visible_end(path[index + 1]) != end:
            continue
        position = file.unit_at(path, index, end - 1)
        if position is not None:
            unit = file.units(path, index)[position]
            if unit.end == end:
                return unit
    raise Refused("no_statement_end")


def check_next_indent(file: ParsedFile, line: int, base_line: int) -> Indent | None:
    """How the next logical line after `line` is indented beside `base_line`; None at the end of the file.

    Raises Refused where it is deeper or cannot be compared.
    """
    indent = file.next_indent(line, base_line)
    if indent is Indent.INCOMPARABLE:
        raise Refused("incomparable_indent")
    if indent is Indent.DEEPER:
        raise Refused("goes_on_deeper")
    return indent


def _finished(file: ParsedFile, line: int, draws: Draws) -> tuple[tree_sitter.Node, Indent | None]:
    """The complete statement that ends `line`, and how the next logical line is indented beside it. Raises Refused."""
    end = file.lines.last_visible(line)
    unit = unit_ending_at(file, file.path(end - 1), end)
    if unit.ends_in_extra or not unit.whole_lines:
        raise Refused("no_statement_end")
    statement = check_complete(file, unit, end)
    text = file.content[statement.start_byte : end]
    # Some grammars make the comment after a directive a part of it.
    if file.in_comment(end - 1) or (statement.type.startswith("preproc") and (b"//" in text or b"/*" in text)):
        raise Refused("no_statement_end")
    if statement.type in file.language.imports and draws.uniform() >= IMPORT_SHARE:
        raise Refused("import")
    return statement, check_next_indent(file, line, statement.start_point.row)


def _site(file: ParsedFile, kind: Kind, line: int, statement: tree_sitter.Node) -> Site:
    end = file.lines.last_visible(line)
    return Site(kind, end, end, node_type=statement.type, newline_owner=newline_after(file, line))


AFTER_STATEMENT = Kind("after_statement", EMPTY, weight=25.0, needs_statements=True, find=after_statement)
AFTER_ENTER = Kind("after_enter", EMPTY, weight=10.0, needs_statements=True, find=after_enter)
