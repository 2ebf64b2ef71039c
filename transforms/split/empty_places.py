"""Sites where nothing is to be written: inside finished text, in finished lists, between finished definitions."""

import re
from itertools import pairwise

import tree_sitter

from stackfim.schemas.example import EMPTY
from stackfim.transforms.draws import Draws
from stackfim.transforms.languages import BRACKETS
from stackfim.transforms.split.empty import check_complete, unit_ending_at
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.nodes import CLOSING_BRACKETS, is_comment, last_line
from stackfim.transforms.split.single_line import code_leaves
from stackfim.transforms.split.site import NO_NEWLINE, Kind, Refused, Site, newline_after
from stackfim.transforms.split.syntax import ParsedFile
from stackfim.transforms.split.units import Unit
from stackfim.transforms.split.worth import is_license

EMPTY_PAIR_SHARE = 0.5
"""Share of lines with both an empty pair and a complete list in which the cursor goes into the pair."""
COMMENT_END_SHARE = 0.3
"""Share of the ends of comments found that is kept: files have far more of them than gaps between definitions."""
MIN_TEXT_BYTES = 4
"""Fewest visible bytes of the text on either side of the cursor, on its line."""

_MAX_GAPS = 3
# Between two words of a text; the cursor goes before the space.
_GAP = re.compile(rb"(?<=[0-9A-Za-z\x80-\xff,.;:!?)]) (?=[0-9A-Za-z\x80-\xff(])")
_TEXT_WORDS = ("comment", "string", "heredoc", "nowdoc", "jsx_text")
_TEXT_PARTS = ("content", "fragment", "doc_comment")
# Tokens without a name that may end a list; the others are operators, separators, openers and keywords.
_ENDS = CLOSING_BRACKETS | {";", '"', "'", "`", "++", "--", "?", "!", "..."}
_COMMENT_END = re.compile(rb"[0-9A-Za-z\x80-\xff.!?)\]}\"'`>/]$")
_MIN_COMMENT_LETTERS = 8
_MARK_BYTES = 2
_MAX_REMARK_LINES = 40


def inside_text(file: ParsedFile, line: int, draws: Draws, _limits: MultiLineLimits) -> Site:
    """Between two words of a comment or string that goes on after the cursor; which gap is drawn.

    Raises Refused where `line` has no such text.
    """
    lines = file.lines
    start, end = lines.first_visible(line), lines.last_visible(line)
    gaps = [match.start() for match in _GAP.finditer(file.content, start, end)]
    for _ in range(min(len(gaps), _MAX_GAPS)):
        cursor = gaps.pop(draws.below(len(gaps)))
        text = _text_around(file, cursor)
        if text is None:
            continue
        left = file.content[max(text.start_byte, start) : cursor].strip()
        right = file.content[cursor : min(text.end_byte, end)].strip()
        if min(len(left), len(right)) < MIN_TEXT_BYTES:
            continue
        if is_comment(text) and is_license(_remark(file, text)):
            raise Refused("license_text")
        return Site(INSIDE_TEXT, cursor, cursor, node_type=text.type, newline_owner=NO_NEWLINE)
    raise Refused("no_text")


def closed_pair(file: ParsedFile, line: int, draws: Draws, _limits: MultiLineLimits) -> Site:
    """Inside an empty pair of brackets, or before the closer of a complete list; which place is drawn.

    Raises Refused where `line` has neither.
    """
    empty: list[tuple[int, tree_sitter.Node]] = []
    complete: list[tuple[int, tree_sitter.Node]] = []
    for before, after in pairwise(code_leaves(file, line)):
        # Leaves do not tile the text: some grammars have no token for what a string holds.
        between = file.content[before.end_byte : max(after.start_byte, before.end_byte)]
        if after.is_named or after.type not in CLOSING_BRACKETS or between.strip():
            continue
        if BRACKETS.get(before.type[-1:]) == after.type and not before.is_named:
            empty.append((before.end_byte, after))
        elif is_finished(file, before):
            complete.append((before.end_byte, after))
    places = empty if not complete or (empty and draws.uniform() < EMPTY_PAIR_SHARE) else complete
    if not places:
        raise Refused("no_pair")
    cursor, closer = places[draws.below(len(places))]
    path = file.path(closer.start_byte)
    check_no_error(path, file)
    if file.in_multi_line_token(path, cursor):
        raise Refused("inside_multi_line_token")
    return Site(CLOSED_PAIR, cursor, cursor, node_type=path[-2].type, newline_owner=NO_NEWLINE)


def between_definitions(file: ParsedFile, line: int, draws: Draws, _limits: MultiLineLimits) -> Site:
    """After a comment that ends on `line`, at the end of the file, or on a blank line between two definitions.

    Raises Refused where `line` ends no comment, is not the file's last visible one, and ends no definition with blank lines
    and another definition after it.
    """
    end = file.lines.last_visible(line)
    path = file.path(end - 1)
    comment = next((node for node in path if is_comment(node)), None)
    if comment is not None and file.visible_end(comment) == end:
        return _after_comment(file, line, comment, draws)
    if file.lines.next_visible_line(line) is None:
        return _at_end_of_file(file, path, end)
    for index in file.blocks(path):
        position = file.unit_at(path, index, end - 1)
        if position is None:
            continue
        units = file.units(path, index)
        unit = units[position]
        if unit.end != end:
            break
        if position + 1 == len(units) or not _is_definition(file, unit):
            continue
        following = units[position + 1]
        # Grammars skip blanks that an editor does not count as indentation, such as U+3000.
        blank = [gap for gap in range(line + 1, following.start_line) if file.lines.first_visible(gap) < 0]
        if unit.has_error or following.has_error:
            raise Refused("syntax_error")
        if not blank or not unit.whole_lines or not _is_definition(file, following):
            break
        cursor_line = blank[draws.below(len(blank))]
        cursor = file.lines.end(cursor_line)
        node_type = file.path(cursor - 1)[-1].type
        owner = newline_after(file, cursor_line)
        return Site(BETWEEN_DEFINITIONS, cursor, cursor, node_type=node_type, newline_owner=owner)
    raise Refused("no_gap")


def is_finished(file: ParsedFile, leaf: tree_sitter.Node) -> bool:
    """Whether nothing has to follow a token: it is a name, a literal or a closer, not an operator, separator or keyword."""
    if not leaf.is_named:
        return leaf.type in _ENDS
    if is_comment(leaf):
        return False
    text = file.content[leaf.start_byte : leaf.end_byte]
    return text[-1:].isalnum() or text[-1:] in (b'"', b"'", b"`", b"_") or text[-1] >= 0x80 or "string" in leaf.type


def check_no_error(path: list[tree_sitter.Node], file: ParsedFile) -> None:
    """Refuse a place on an error node, or whose innermost statement has a syntax error (`syntax_error`)."""
    if any(node.is_error for node in path):
        raise Refused("syntax_error")
    for index in file.blocks(path):
        if index + 1 < len(path) and path[index + 1].is_named:
            if path[index + 1].has_error:
                raise Refused("syntax_error")
            return


def _text_around(file: ParsedFile, cursor: int) -> tree_sitter.Node | None:
    """The piece of text around the cursor; None in code."""
    path = file.path(cursor)
    if any(node.is_error for node in path):
        return None
    leaf = path[-1]
    if not leaf.is_named or leaf.start_byte >= cursor or (leaf.child_count and not leaf.type.endswith(_TEXT_PARTS)):
        return None
    # In Rust documentation is a node inside its comment.
    text = path[-2] if leaf.type == "doc_comment" else leaf
    return text if any(word in text.type for word in _TEXT_WORDS) else None


def _remark(file: ParsedFile, comment: tree_sitter.Node) -> bytes:
    """A comment together with those on the lines around it that begin alike: a license often has one comment on each line."""
    lines, content = file.lines, file.content
    mark = content[comment.start_byte : comment.start_byte + _MARK_BYTES]

    def goes_on(line: int) -> bool:
        return (
            0 <= line < len(lines)
            and lines.first_visible(line) >= 0
            and content.startswith(mark, lines.first_visible(line))
        )

    first, last = comment.start_point.row, last_line(comment, lines)
    while goes_on(first - 1) and last - first < _MAX_REMARK_LINES:
        first -= 1
    while goes_on(last + 1) and last - first < _MAX_REMARK_LINES:
        last += 1
    return content[lines.starts[first] : lines.end(last)]


def _after_comment(file: ParsedFile, line: int, comment: tree_sitter.Node, draws: Draws) -> Site:
    lines = file.lines
    end = lines.last_visible(line)
    if draws.uniform() >= COMMENT_END_SHARE:
        raise Refused("comment")
    text = file.content[comment.start_byte : end]
    if not _COMMENT_END.search(text) or sum(map(str.isalpha, text.decode("utf-8", "replace"))) < _MIN_COMMENT_LETTERS:
        raise Refused("unfinished_comment")
    if is_license(_remark(file, comment)):
        raise Refused("license_text")
    if lines.first_visible(comment.start_point.row) != comment.start_byte:
        # Code stands before it: a statement that is complete.
        check_complete(file, unit_ending_at(file, file.path(end - 1), end), end)
    else:
        if line + 1 == len(lines) or lines.first_visible(line + 1) < 0:
            raise Refused("nothing_commented")
        path = file.path(lines.first_visible(line + 1))
        leaf = path[-1]
        if (
            any(is_comment(node) for node in path)
            or leaf.type in CLOSING_BRACKETS
            or any(node.is_error for node in path)
        ):
            raise Refused("nothing_commented")
        if lines.indent(line + 1) != lines.indent(comment.start_point.row):
            raise Refused("nothing_commented")
    return Site(BETWEEN_DEFINITIONS, end, end, node_type=comment.type, newline_owner=newline_after(file, line))


def _at_end_of_file(file: ParsedFile, path: list[tree_sitter.Node], end: int) -> Site:
    size = len(file.content)
    if not file.lines.line_break(len(file.lines) - 1):
        raise Refused("no_gap")
    check_complete(file, unit_ending_at(file, path, end), end)
    node_type = file.path(size - 1)[-1].type
    return Site(BETWEEN_DEFINITIONS, size, size, node_type=node_type, newline_owner=NO_NEWLINE)


def _is_definition(file: ParsedFile, unit: Unit) -> bool:
    """Whether a unit is a definition of several lines, perhaps inside an export or a template."""
    statement = unit.statement
    if statement is None or last_line(statement, file.lines) == statement.start_point.row:
        return False
    scopes = file.language.scopes
    return statement.type in scopes or any(child.type in scopes for child in statement.named_children)


INSIDE_TEXT = Kind("inside_text", EMPTY, weight=15.0, needs_statements=True, find=inside_text)
CLOSED_PAIR = Kind("closed_pair", EMPTY, weight=10.0, needs_statements=True, find=closed_pair)
BETWEEN_DEFINITIONS = Kind("between_definitions", EMPTY, weight=10.0, needs_statements=True, find=between_definitions)
