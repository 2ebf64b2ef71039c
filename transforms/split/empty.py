"""Sites where the right completion is nothing at all."""

from schemas.example import EMPTY
from transforms.split.draws import Draws
from transforms.split.lines import Indent
from transforms.split.single_line import IMPORT_SHARE
from transforms.split.site import Refused, Site, newline_after
from transforms.split.syntax import ParsedFile, Unit

AFTER_STATEMENT = "after_statement"


# Words that are complete statements and yet are seldom all that a line has.
_MAY_GO_ON = (b"return", b"raise", b"yield")


def after_statement(file: ParsedFile, row: int, draws: Draws) -> Site:
    """The cursor after a complete statement that ends the line; the next logical line is not deeper.

    Raises Refused where `row` does not end a statement, or more of it could follow.
    """
    end = file.lines.last_visible(row)
    path = file.path(end - 1)
    unit = _unit_ending_at(file, path, end)
    statement = unit.statement
    if statement is None or unit.ends_in_extra or not unit.whole_lines:
        raise Refused("no_statement_end")
    if unit.has_error:
        raise Refused("syntax_error")
    if file.in_multi_line_token(path, end):
        raise Refused("inside_multi_line_token")
    text = file.content[statement.start_byte : end]
    if text.endswith(b":") or text in _MAY_GO_ON:
        raise Refused("may_go_on")
    if statement.type in file.language.imports and draws.uniform() >= IMPORT_SHARE:
        raise Refused("import")
    indent = file.next_indent(row, statement.start_point.row)
    if indent is Indent.INCOMPARABLE:
        raise Refused("incomparable_indent")
    if indent is Indent.DEEPER:
        raise Refused("goes_on_deeper")
    return Site(
        EMPTY,
        AFTER_STATEMENT,
        end,
        end,
        node_type=statement.type,
        newline_owner=newline_after(file, row),
    )


def _unit_ending_at(file: ParsedFile, path: list, end: int) -> Unit:
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
