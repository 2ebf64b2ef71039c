"""Sites after a finished statement, where the right completion is nothing at all."""

import tree_sitter

from stackfim.schemas.example import EMPTY
from stackfim.transforms.draws import Draws
from stackfim.transforms.lines import Indent
from stackfim.transforms.split.single_line import IMPORT_SHARE
from stackfim.transforms.split.site import Refused, Site, newline_after
from stackfim.transforms.split.syntax import ParsedFile, Unit

AFTER_STATEMENT = "after_statement"
AFTER_ENTER = "after_enter"

SPACE_SHARE = 0.15
"""Share of `after_enter` in which a space was typed and not the enter key."""

# Words that are complete statements and yet are seldom all that a line has.
_MAY_GO_ON = (b"return", b"raise", b"yield")


def after_statement(file: ParsedFile, row: int, draws: Draws) -> Site:
    """The cursor after a complete statement that ends the line; the next logical line is not deeper.

    Raises Refused where `row` does not end a statement, or more of it could follow.
    """
    statement, _indent = _finished(file, row, draws)
    return _site(file, AFTER_STATEMENT, row, statement)


def after_enter(file: ParsedFile, row: int, draws: Draws) -> Site:
    """As `after_statement`, and then the line break and indent, or the space, that an editor would have put in.

    Only where the next logical line is shallower, a blank line follows, or the file ends: elsewhere a fresh line asks for a
    statement. Raises Refused.
    """
    statement, indent = _finished(file, row, draws)
    lines = file.lines
    blank_follows = row + 1 == len(lines) or lines.first_visible(row + 1) < 0
    if not blank_follows and indent is not Indent.SHALLOWER:
        raise Refused("more_follows")
    if draws.uniform() < SPACE_SHARE:
        typed = b" "
    else:
        typed = (lines.line_break(row) or lines.line_break(0) or b"\n") + lines.indent(statement.start_point.row)
    return _site(file, AFTER_ENTER, row, statement)._replace(typed=typed)


def check_complete(file: ParsedFile, unit: Unit, end: int) -> tree_sitter.Node:
    """The statement of a unit that ends at `end`; nothing more of it can follow. Raises Refused."""
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
    """The innermost unit that ends at byte `end`; `path` leads to the byte before. Raises Refused where none does."""
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


def check_next_indent(file: ParsedFile, row: int, base_row: int) -> Indent | None:
    """How the next logical line after `row` is indented beside `base_row`. Raises Refused where it is deeper or neither."""
    indent = file.next_indent(row, base_row)
    if indent is Indent.INCOMPARABLE:
        raise Refused("incomparable_indent")
    if indent is Indent.DEEPER:
        raise Refused("goes_on_deeper")
    return indent


def _finished(file: ParsedFile, row: int, draws: Draws) -> tuple[tree_sitter.Node, Indent | None]:
    """The complete statement that ends `row`, and how the next logical line is indented beside it. Raises Refused."""
    end = file.lines.last_visible(row)
    unit = unit_ending_at(file, file.path(end - 1), end)
    if unit.ends_in_extra or not unit.whole_lines:
        raise Refused("no_statement_end")
    statement = check_complete(file, unit, end)
    text = file.content[statement.start_byte : end]
    # Some grammars take the comment after a directive into it.
    if file.in_comment(end - 1) or (statement.type.startswith("preproc") and (b"//" in text or b"/*" in text)):
        raise Refused("no_statement_end")
    if statement.type in file.language.imports and draws.uniform() >= IMPORT_SHARE:
        raise Refused("import")
    return statement, check_next_indent(file, row, statement.start_point.row)


def _site(file: ParsedFile, kind: str, row: int, statement: tree_sitter.Node) -> Site:
    end = file.lines.last_visible(row)
    return Site(EMPTY, kind, end, end, node_type=statement.type, newline_owner=newline_after(file, row))
