"""What a middle must hold to be worth learning: code that follows from its context, not remarks, data or boilerplate.

The rules come from reading examples of real files; each refuses what the grammar allows and a reviewer would not.
"""

import re

from stackfim.transforms.lines import BLANKS
from stackfim.transforms.split.site import Refused
from stackfim.transforms.split.syntax import ParsedFile, Unit, is_comment

MIN_CONTEXT_CHARS = 60
"""Visible bytes that prefix and suffix must have together."""
MAX_COMMENT_SHARE = 0.6
"""Of the rows of a multi-line middle, how many may be comments or documentation."""
MAX_LITERAL_SHARE = 0.5
"""Of the rows of a multi-line middle, how many may be literal data."""

_NEAR_BYTES = 2_048
_NEARER_BYTES = 256
_LICENSE = re.compile(
    rb"copyright|spdx-license|licensed (?:under|to)\b|licenses this file|all rights reserved|permission is hereby granted|"
    rb"redistribution and use|without warrant"
)
_LICENSE_WORDS = (b"copyright", b"licens", b"rights reserved", b"permission is", b"redistribution", b"without warrant")
# Comments, by how they look in most languages.
_REMARKS = re.compile(
    rb"/\*.*?(?:\*/|\Z)|<!--.*?(?:-->|\Z)|^[ \t]*(?://|--|;|%|#(?![ \t]*(?:include|define|if|pragma|import|undef)))[^\n]*",
    re.DOTALL | re.MULTILINE,
)
_DIRECTIVE = re.compile(rb"^[ \t]*#[ \t]*(if|ifdef|ifndef|region|elif|elifdef|else|endif|endregion)\b", re.MULTILINE)
_COMMENT_STARTS = b"/*#-\"'"
_LITERAL_STARTS = b"0123456789\"'-+[({"


def check_context(content: bytes, start: int, end: int) -> None:
    """Refuse a middle with nothing before it, or next to nothing around it: it could be anything (`no_context`).

    A license at the head of the file is nothing.
    """
    if start > _NEAR_BYTES and _visible_bytes(content[start - _NEARER_BYTES : start]) >= MIN_CONTEXT_CHARS:
        return
    near = content[max(start - _NEAR_BYTES, 0) : start]
    if start <= _NEAR_BYTES and is_license(near):
        near = _REMARKS.sub(b"", near)
    before = _visible_bytes(near)
    if before >= MIN_CONTEXT_CHARS:
        return
    if start > _NEAR_BYTES:
        before += _visible_bytes(content[: start - _NEAR_BYTES])
    after = _visible_bytes(content[end : end + _NEAR_BYTES])
    if not before or before + after < MIN_CONTEXT_CHARS:
        raise Refused("no_context")


def _visible_bytes(text: bytes) -> int:
    return len(text.translate(None, BLANKS))


def is_license(text: bytes) -> bool:
    """Whether a text speaks of copyright and license."""
    lowered = text.lower()
    # Looking for the words first takes a tenth of the time: most texts have none.
    return any(word in lowered for word in _LICENSE_WORDS) and _LICENSE.search(lowered) is not None


def check_directives(text: bytes) -> None:
    """Refuse a middle whose `#if` and `#region` lines do not close what they open, and no more (`directive_cut`)."""
    depth = 0
    for match in _DIRECTIVE.finditer(text):
        word = match[1]
        if word.startswith(b"end"):
            depth -= 1
        elif word.startswith(b"el"):
            if depth < 1:
                raise Refused("directive_cut")
        else:
            depth += 1
        if depth < 0:
            raise Refused("directive_cut")
    if depth:
        raise Refused("directive_cut")


def check_worth(file: ParsedFile, units: list[Unit]) -> None:
    """Refuse a run of statements that teaches little.

    Reasons: `directive_cut`, `license_text` (a license header), `mostly_comments` (more than MAX_COMMENT_SHARE of its
    rows, or fewer than two rows of code), `literal_data` (more than MAX_LITERAL_SHARE of its rows), `continued_line` (it
    ends in a backslash).
    """
    text = file.content[units[0].start : units[-1].end]
    if text.endswith(b"\\"):
        raise Refused("continued_line")
    if b"#" in text and file.language.directives:
        check_directives(text)
    if is_license(text):
        raise Refused("license_text")
    rows = [row for row in range(units[0].start_row, units[-1].end_row + 1) if file.lines.first_visible(row) >= 0]
    firsts = bytes(file.content[file.lines.first_visible(row)] for row in rows)
    # The first byte of each row tells whether a look at the tokens is needed.
    if any(first in _COMMENT_STARTS for first in firsts):
        _check_comments(file, units, len(rows))
    if 2 * sum(first in _LITERAL_STARTS for first in firsts) > len(rows):
        _check_literals(file, units, len(rows))


def _check_comments(file: ParsedFile, units: list[Unit], rows: int) -> None:
    code_rows: set[int] = set()
    documentation = [(unit.start, unit.end) for unit in units if unit.statement is not None and _is_text(unit)]
    for leaf in file.leaves(units[0].start, units[-1].end):
        in_text = any(start <= leaf.start_byte < end for start, end in documentation)
        if not in_text and not is_comment(leaf):
            code_rows.update(range(leaf.start_point.row, leaf.end_point.row + 1))
    if len(code_rows) < 2 or rows - len(code_rows) > MAX_COMMENT_SHARE * rows:
        raise Refused("mostly_comments")


def _is_text(unit: Unit) -> bool:
    """Whether a unit's statement is a string and nothing else, as Python's documentation is."""
    statement = unit.statement
    return (
        statement is not None
        and statement.type == "expression_statement"
        and statement.named_child_count == 1
        and statement.named_children[0].type == "string"
    )


def _check_literals(file: ParsedFile, units: list[Unit], rows: int) -> None:
    named: set[int] = set()
    literal: set[int] = set()
    for leaf in file.leaves(units[0].start, units[-1].end):
        row = leaf.start_point.row
        if leaf.is_named and ("identifier" in leaf.type or leaf.type in ("name", "constant")):
            named.add(row)
        elif leaf.is_named and not is_comment(leaf):
            literal.update(range(row, leaf.end_point.row + 1))
    if len(literal - named) > MAX_LITERAL_SHARE * rows:
        raise Refused("literal_data")
