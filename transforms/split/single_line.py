"""Sites whose middle is the rest of a line, or a whole line."""

import re

import tree_sitter

from stackfim.schemas.example import SINGLE_LINE
from stackfim.transforms.draws import Draws
from stackfim.transforms.lines import Indent
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.nodes import is_comment, is_name
from stackfim.transforms.split.site import CLOSERS, Kind, Refused, Site, check_visible_edges, newline_after
from stackfim.transforms.split.syntax import ParsedFile
from stackfim.transforms.split.worth import check_directives

MAX_LINE_CHARS = 200
_REQUIRE = re.compile(r"\brequire\(['\"]|^export .*\bfrom ['\"]")
# Shares of the sites found that are kept: middles of punctuation stay under 2% of the mix, imports under 5%.
PUNCTUATION_SHARE = 0.08
IMPORT_SHARE = 0.25
COMMENT_SHARE = 0.1


def token_to_eol(file: ParsedFile, line: int, draws: Draws, _limits: MultiLineLimits) -> Site:
    """From the start of a token inside the line to the line's last visible character; which token is drawn.

    Raises Refused for lines that are too long, have no token inside, are in data, or end in a string that goes on below.
    """
    leaves = code_leaves(file, line)
    starts = [leaf for leaf in leaves[1:] if not is_comment(leaf)]
    if not starts:
        raise Refused("no_token_boundary")
    end = file.lines.last_visible(line)
    if file.in_multi_line_token(file.path(end - 1), end):
        raise Refused("inside_multi_line_token")
    if is_comment(leaves[-1]) and draws.uniform() >= COMMENT_SHARE:
        raise Refused("ends_in_comment")
    leaf = starts[draws.below(len(starts))]
    start = leaf.start_byte
    thin_out(file, file.content[start:end], file.path(start), draws)
    return Site(
        TOKEN_TO_EOL,
        start,
        end,
        node_type=statement_type(file, start),
        newline_owner=newline_after(file, line),
        bracket_delta=file.bracket_delta(start, end),
    )


def blank_line(file: ParsedFile, line: int, draws: Draws, _limits: MultiLineLimits) -> Site:
    """One whole logical line after line break and indent: a simple statement or the opener of a block.

    Raises Refused where the line is neither.
    """
    start, end = file.lines.first_visible(line), file.lines.last_visible(line)
    if file.content[start] in CLOSERS:
        raise Refused("no_statement_start")
    if file.lines.starts[line] + len(file.lines.indent(line)) != start:
        raise Refused("shares_a_line")
    code_leaves(file, line)
    path = file.path(start)
    if not file.is_logical_line(line, path):
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
        if not (unit.end_line == line and unit.whole_lines):
            delta = _opens_block(file, unit.statement, line, end)
        thin_out(file, file.content[start:end], path, draws)
        return Site(
            BLANK_LINE,
            start,
            end,
            node_type=unit.statement.type,
            newline_owner=newline_after(file, line),
            bracket_delta=delta,
        )
    raise Refused("no_statement_start")


def _opens_block(file: ParsedFile, statement: tree_sitter.Node, line: int, end: int) -> int:
    """The bracket delta of a line that holds the header of `statement` and opens its first block.

    Raises Refused for other first lines of longer statements.
    """
    path = file.path(end - 1)
    below = file.lines.next_visible_line(line)
    if below is None:
        raise Refused("no_statement_start")
    inner = file.path(file.lines.first_visible(below))
    for index in file.blocks(inner):
        block = inner[index]
        if block.start_byte <= statement.start_byte:
            break
        if file.header_line(inner, index) == line and file.next_indent(line, line) is Indent.DEEPER:
            delta = file.bracket_delta(statement.start_byte, end)
            # A self type or parameters after the opener belong to the line, not to the block.
            has_statement = any(unit.statement is not None for unit in file.units(inner, index))
            if not has_statement or file.content.endswith(b"=>", 0, end):
                break
            if file.in_multi_line_token(path, end) or delta not in (0, 1):
                break
            return delta
    raise Refused("header_goes_on")


def code_leaves(file: ParsedFile, line: int) -> list[tree_sitter.Node]:
    """The tokens of a line that may be completed, comments among them.

    Raises Refused for long lines, data, syntax errors, and lines that start inside a token.
    """
    lines = file.lines
    if len(file.content[lines.starts[line] : lines.end(line)].decode("utf-8", "replace")) > MAX_LINE_CHARS:
        raise Refused("line_too_long")
    first = lines.first_visible(line)
    path = file.path(first)
    if file.in_multi_line_token(path, first):
        raise Refused("inside_multi_line_token")
    leaves = file.leaves(first, lines.last_visible(line))
    if any(leaf.is_error or leaf.is_missing for leaf in leaves) or any(node.is_error for node in path):
        raise Refused("syntax_error")
    in_collection = any(node.type in file.language.collections and node.start_point.row < line for node in path)
    if in_collection and not any(_names_something(leaf) for leaf in leaves):
        raise Refused("literal_data")
    return leaves


def _names_something(leaf: tree_sitter.Node) -> bool:
    """Whether a token is a name of code, not a literal, a property key or punctuation."""
    return is_name(leaf) and leaf.type != "property_identifier"


def thin_out(file: ParsedFile, middle: bytes, path: list[tree_sitter.Node], draws: Draws) -> None:
    """Refuse most middles of sorts that are common in files and teach little."""
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
    """The type of the innermost statement that holds `offset`, or of the root's child where no block does."""
    path = file.path(offset)
    for index in file.blocks(path):
        # The closer of a block is not one of its statements.
        if index + 1 < len(path) and path[index + 1].is_named:
            return path[index + 1].type
    return path[min(1, len(path) - 1)].type


TOKEN_TO_EOL = Kind("token_to_eol", SINGLE_LINE, weight=40.0, needs_statements=False, find=token_to_eol)
BLANK_LINE = Kind("blank_line", SINGLE_LINE, weight=15.0, needs_statements=True, find=blank_line)
