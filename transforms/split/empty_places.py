"""Sites inside finished text and finished lists, and between finished definitions: nothing is to be written there."""

import re
from itertools import pairwise

import tree_sitter

from stackfim.schemas.example import EMPTY
from stackfim.transforms.draws import Draws
from stackfim.transforms.languages import BRACKETS
from stackfim.transforms.split.empty import check_complete, unit_ending_at
from stackfim.transforms.split.single_line import code_leaves
from stackfim.transforms.split.site import NO_NEWLINE, Refused, Site, newline_after
from stackfim.transforms.split.syntax import ParsedFile, Unit, is_comment, last_row
from stackfim.transforms.split.worth import is_license

INSIDE_TEXT = "inside_text"
CLOSED_PAIR = "closed_pair"
BETWEEN_DEFINITIONS = "between_definitions"

EMPTY_PAIR_SHARE = 0.5
"""Share of lines with both an empty pair and a complete list in which the cursor goes into the pair."""
COMMENT_END_SHARE = 0.3
"""Of the comment ends found, the share that is kept: files have far more of them than gaps between definitions."""
MIN_TEXT_BYTES = 4
"""Visible bytes of the text that stand on the cursor's line on either side of it."""

_MAX_GAPS = 3
# Between two words of a text: the cursor stands before the space.
_GAP = re.compile(rb"(?<=[0-9A-Za-z\x80-\xff,.;:!?)]) (?=[0-9A-Za-z\x80-\xff(])")
_TEXT_WORDS = ("comment", "string", "heredoc", "nowdoc", "jsx_text")
_TEXT_PARTS = ("content", "fragment", "doc_comment")
_CLOSING = frozenset(BRACKETS.values())
# Tokens without a name after which a list may end; others are operators, separators, openers and keywords.
_ENDS = _CLOSING | {";", '"', "'", "`", "++", "--", "?", "!", "..."}
_COMMENT_END = re.compile(rb"[0-9A-Za-z\x80-\xff.!?)\]}\"'`>/]$")
_MIN_COMMENT_LETTERS = 8
_MARK_BYTES = 2
_MAX_REMARK_ROWS = 40


def inside_text(file: ParsedFile, row: int, draws: Draws) -> Site:
    """Between two words of a comment or string that goes on right of the cursor; which gap is drawn.

    Raises Refused where `row` has no such text.
    """
    lines = file.lines
    start, end = lines.first_visible(row), lines.last_visible(row)
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
        return Site(EMPTY, INSIDE_TEXT, cursor, cursor, node_type=text.type, newline_owner=NO_NEWLINE)
    raise Refused("no_text")


def closed_pair(file: ParsedFile, row: int, draws: Draws) -> Site:
    """Inside a pair of brackets that is empty, or before a closer whose list is complete; which one is drawn.

    Raises Refused where `row` has neither.
    """
    empty: list[tuple[int, tree_sitter.Node]] = []
    complete: list[tuple[int, tree_sitter.Node]] = []
    for before, after in pairwise(code_leaves(file, row)):
        # Leaves do not tile the text: some grammars have no token for what a string holds.
        between = file.content[before.end_byte : max(after.start_byte, before.end_byte)]
        if after.is_named or after.type not in _CLOSING or between.strip():
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
    return Site(EMPTY, CLOSED_PAIR, cursor, cursor, node_type=path[-2].type, newline_owner=NO_NEWLINE)


def between_definitions(file: ParsedFile, row: int, draws: Draws) -> Site:
    """On a blank line between the definition that ends on `row` and the next one, after the comment that ends on it, or at
    the end of the file that it ends. Raises Refused where `row` ends none of these.
    """
    end = file.lines.last_visible(row)
    path = file.path(end - 1)
    comment = next((node for node in path if is_comment(node)), None)
    if comment is not None and file.visible_end(comment) == end:
        return _after_comment(file, row, comment, draws)
    if file.lines.next_visible_row(row) is None:
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
        # Grammars skip blanks that are none to an editor's indentation, such as U+3000.
        blank = [gap for gap in range(row + 1, following.start_row) if file.lines.first_visible(gap) < 0]
        if unit.has_error or following.has_error:
            raise Refused("syntax_error")
        if not blank or not unit.whole_lines or not _is_definition(file, following):
            break
        cursor_row = blank[draws.below(len(blank))]
        cursor = file.lines.end(cursor_row)
        node_type = file.path(cursor - 1)[-1].type
        owner = newline_after(file, cursor_row)
        return Site(EMPTY, BETWEEN_DEFINITIONS, cursor, cursor, node_type=node_type, newline_owner=owner)
    raise Refused("no_gap")


def is_finished(file: ParsedFile, leaf: tree_sitter.Node) -> bool:
    """Whether nothing has to follow a token: it is a name, a literal or a closer, no operator, separator or keyword."""
    if not leaf.is_named:
        return leaf.type in _ENDS
    if is_comment(leaf):
        return False
    text = file.content[leaf.start_byte : leaf.end_byte]
    return text[-1:].isalnum() or text[-1:] in (b'"', b"'", b"`", b"_") or text[-1] >= 0x80 or "string" in leaf.type


def check_no_error(path: list[tree_sitter.Node], file: ParsedFile) -> None:
    """Refuse a place whose innermost statement has a syntax error (`syntax_error`); a path through an error has none."""
    if any(node.is_error for node in path):
        raise Refused("syntax_error")
    for index in file.blocks(path):
        if index + 1 < len(path) and path[index + 1].is_named:
            if path[index + 1].has_error:
                raise Refused("syntax_error")
            return


def _text_around(file: ParsedFile, cursor: int) -> tree_sitter.Node | None:
    """The piece of text that holds the cursor inside of it; None in code."""
    path = file.path(cursor)
    if any(node.is_error for node in path):
        return None
    leaf = path[-1]
    if not leaf.is_named or leaf.start_byte >= cursor or (leaf.child_count and not leaf.type.endswith(_TEXT_PARTS)):
        return None
    # Documentation in Rust is a part of its comment.
    text = path[-2] if leaf.type == "doc_comment" else leaf
    return text if any(word in text.type for word in _TEXT_WORDS) else None


def _remark(file: ParsedFile, comment: tree_sitter.Node) -> bytes:
    """A comment with those on the lines around it that begin as it does: a license is often a comment a line."""
    lines, content = file.lines, file.content
    mark = content[comment.start_byte : comment.start_byte + _MARK_BYTES]

    def goes_on(row: int) -> bool:
        return (
            0 <= row < len(lines)
            and lines.first_visible(row) >= 0
            and content.startswith(mark, lines.first_visible(row))
        )

    first, last = comment.start_point.row, last_row(comment, lines)
    while goes_on(first - 1) and last - first < _MAX_REMARK_ROWS:
        first -= 1
    while goes_on(last + 1) and last - first < _MAX_REMARK_ROWS:
        last += 1
    return content[lines.starts[first] : lines.end(last)]


def _after_comment(file: ParsedFile, row: int, comment: tree_sitter.Node, draws: Draws) -> Site:
    lines = file.lines
    end = lines.last_visible(row)
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
        if row + 1 == len(lines) or lines.first_visible(row + 1) < 0:
            raise Refused("nothing_commented")
        path = file.path(lines.first_visible(row + 1))
        leaf = path[-1]
        if any(is_comment(node) for node in path) or leaf.type in _CLOSING or any(node.is_error for node in path):
            raise Refused("nothing_commented")
        if lines.indent(row + 1) != lines.indent(comment.start_point.row):
            raise Refused("nothing_commented")
    return Site(EMPTY, BETWEEN_DEFINITIONS, end, end, node_type=comment.type, newline_owner=newline_after(file, row))


def _at_end_of_file(file: ParsedFile, path: list[tree_sitter.Node], end: int) -> Site:
    size = len(file.content)
    if not file.lines.line_break(len(file.lines) - 1):
        raise Refused("no_gap")
    check_complete(file, unit_ending_at(file, path, end), end)
    node_type = file.path(size - 1)[-1].type
    return Site(EMPTY, BETWEEN_DEFINITIONS, size, size, node_type=node_type, newline_owner=NO_NEWLINE)


def _is_definition(file: ParsedFile, unit: Unit) -> bool:
    """Whether a unit is a definition of several lines; an export or a template may stand around it."""
    statement = unit.statement
    if statement is None or last_row(statement, file.lines) == statement.start_point.row:
        return False
    scopes = file.language.scopes
    return statement.type in scopes or any(child.type in scopes for child in statement.named_children)
