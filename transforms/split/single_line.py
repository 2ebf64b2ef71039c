"""Sites whose middle is the rest of a line, or a whole line."""

import re

import tree_sitter

from stackfim.schemas.example import SINGLE_LINE
from stackfim.transforms.draws import Draws
from stackfim.transforms.lines import Indent
from stackfim.transforms.split.site import CLOSERS, Refused, Site, check_visible_edges, newline_after
from stackfim.transforms.split.syntax import ParsedFile, is_comment
from stackfim.transforms.split.worth import check_directives

TOKEN_TO_EOL = "token_to_eol"
BLANK_LINE = "blank_line"

MAX_LINE_CHARS = 200
_REQUIRE = re.compile(r"\brequire\(['\"]|^export .*\bfrom ['\"]")
# Of the sites found, the share that is kept: middles of closers and punctuation stay under 2% of the mix, imports under 5%.
PUNCTUATION_SHARE = 0.08
IMPORT_SHARE = 0.25
COMMENT_SHARE = 0.1


def token_to_eol(file: ParsedFile, row: int, draws: Draws) -> Site:
    """From the start of a token inside the line to the line's last visible character; which token is drawn.

    Raises Refused for lines without a token inside, in data, in a text that goes on on the next line, or too long.
    """
    leaves = code_leaves(file, row)
    starts = [leaf for leaf in leaves[1:] if not is_comment(leaf)]
    if not starts:
        raise Refused("no_token_boundary")
    end = file.lines.last_visible(row)
    if file.in_multi_line_token(file.path(end - 1), end):
        raise Refused("inside_multi_line_token")
    if is_comment(leaves[-1]) and draws.uniform() >= COMMENT_SHARE:
        raise Refused("ends_in_comment")
    leaf = starts[draws.below(len(starts))]
    start = leaf.start_byte
    thin_out(file, file.content[start:end], file.path(start), draws)
    return Site(
        SINGLE_LINE,
        TOKEN_TO_EOL,
        start,
        end,
        node_type=statement_type(file, start),
        newline_owner=newline_after(file, row),
        bracket_delta=file.bracket_delta(start, end),
    )


def blank_line(file: ParsedFile, row: int, draws: Draws) -> Site:
    """After line break and indent: one whole logical line, a simple statement or the opener of a block.

    Raises Refused where the line is neither.
    """
    start, end = file.lines.first_visible(row), file.lines.last_visible(row)
    if file.content[start] in CLOSERS:
        raise Refused("no_statement_start")
    if file.lines.starts[row] + len(file.lines.indent(row)) != start:
        raise Refused("shares_a_line")
    code_leaves(file, row)
    path = file.path(start)
    if not file.is_logical_line(row, path):
        raise Refused("no_logical_line")
    for index in file.blocks(path):
        if index + 1 == len(path) or path[index + 1].start_byte != start:
            continue
        position = file.unit_at(path, index, start)
        if position is None:
            continue
        unit = file.units(path, index)[position]
        if unit.statement is None or unit.statement.start_byte != start:
            continue
        if unit.has_error:
            raise Refused("syntax_error")
        delta = 0
        if not (unit.end_row == row and unit.whole_lines):
            delta = _opens_block(file, unit.statement, row, end)
        thin_out(file, file.content[start:end], path, draws)
        return Site(
            SINGLE_LINE,
            BLANK_LINE,
            start,
            end,
            node_type=unit.statement.type,
            newline_owner=newline_after(file, row),
            bracket_delta=delta,
        )
    raise Refused("no_statement_start")


def _opens_block(file: ParsedFile, statement: tree_sitter.Node, row: int, end: int) -> int:
    """Bracket delta of a line that opens the first block of `statement` and holds all of its header.

    Raises Refused for other first lines of longer statements.
    """
    path = file.path(end - 1)
    below = file.lines.next_visible_row(row)
    if below is None:
        raise Refused("no_statement_start")
    inner = file.path(file.lines.first_visible(below))
    for index in file.blocks(inner):
        block = inner[index]
        if block.start_byte <= statement.start_byte:
            break
        if file.header_row(inner, index) == row and file.next_indent(row, row) is Indent.DEEPER:
            delta = file.bracket_delta(statement.start_byte, end)
            # A self type or parameters after the opener belong to the line, not to the block.
            has_statement = any(unit.statement is not None for unit in file.units(inner, index))
            if not has_statement or file.content.endswith(b"=>", 0, end):
                break
            if file.in_multi_line_token(path, end) or delta not in (0, 1):
                break
            return delta
    raise Refused("header_goes_on")


def code_leaves(file: ParsedFile, row: int) -> list[tree_sitter.Node]:
    """The tokens of a line that may be completed, comments among them.

    Raises Refused for long lines, data, syntax errors, and lines that start inside a token.
    """
    lines = file.lines
    if len(file.content[lines.starts[row] : lines.end(row)].decode("utf-8", "replace")) > MAX_LINE_CHARS:
        raise Refused("line_too_long")
    first = lines.first_visible(row)
    path = file.path(first)
    if file.in_multi_line_token(path, first):
        raise Refused("inside_multi_line_token")
    leaves = file.leaves(first, lines.last_visible(row))
    if any(leaf.is_error or leaf.is_missing for leaf in leaves) or any(node.is_error for node in path):
        raise Refused("syntax_error")
    in_collection = any(node.type in file.language.collections and node.start_point.row < row for node in path)
    if in_collection and not any(_names_something(leaf) for leaf in leaves):
        raise Refused("literal_data")
    return leaves


def _names_something(leaf: tree_sitter.Node) -> bool:
    """Whether a token is a name of code, not a literal, a property key or punctuation."""
    return (
        leaf.is_named
        and ("identifier" in leaf.type or leaf.type in ("name", "constant"))
        and leaf.type != "property_identifier"
    )


def thin_out(file: ParsedFile, middle: bytes, path: list[tree_sitter.Node], draws: Draws) -> None:
    """Refuse most middles of a sort that is common in files and teaches little."""
    text = middle.decode("utf-8", "replace")
    check_visible_edges(text)
    if text.endswith("\\"):
        raise Refused("continued_line")
    if text in ('"', "'", "`"):
        raise Refused("only_punctuation")
    if file.language.directives:
        check_directives(middle)
    if not any(character.isalnum() for character in text) and draws.uniform() >= PUNCTUATION_SHARE:
        raise Refused("only_punctuation")
    if _is_import(file, text, path) and draws.uniform() >= IMPORT_SHARE:
        raise Refused("import")


def _is_import(file: ParsedFile, text: str, path: list[tree_sitter.Node]) -> bool:
    if any(node.type in file.language.imports for node in path):
        return True
    return text.startswith(("require ", "require_relative ")) or _REQUIRE.search(text) is not None


def statement_type(file: ParsedFile, offset: int) -> str:
    """Type of the innermost statement that holds `offset`; of the root's child where no block does."""
    path = file.path(offset)
    for index in file.blocks(path):
        # The closer of a block is no statement of it.
        if index + 1 < len(path) and path[index + 1].is_named:
            return path[index + 1].type
    return path[min(1, len(path) - 1)].type
