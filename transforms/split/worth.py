"""What makes a middle worth learning: it is code that follows from its context, not remarks, data or boilerplate.

The rules come from reading examples of real files; each refuses something that grammars allow and a reviewer would not.
"""

import re

from stackfim.transforms.lines import BLANKS
from stackfim.transforms.split.nodes import is_comment, is_name
from stackfim.transforms.split.site import Refused
from stackfim.transforms.split.syntax import ParsedFile
from stackfim.transforms.split.units import Unit

MIN_CONTEXT_BYTES = 60
"""Fewest visible bytes of prefix and suffix together."""
MAX_COMMENT_SHARE = 0.6
"""Largest share of the lines of a multi-line middle that may be comments or documentation."""
MAX_LITERAL_SHARE = 0.5
"""Largest share of the lines of a multi-line middle that may be literal data."""

_NEAR_BYTES = 2_048
_NEARER_BYTES = 256
_LICENSE = re.compile(
    rb"copyright|spdx-license|licensed (?:under|to)\b|licenses this file|all rights reserved|permission is hereby granted|"
    rb"redistribution and use|without warrant"
)
_LICENSE_WORDS = (b"copyright", b"licens", b"rights reserved", b"permission is", b"redistribution", b"without warrant")
# Comments as they look in most languages.
_REMARKS = re.compile(
    rb"/\*.*?(?:\*/|\Z)|<!--.*?(?:-->|\Z)|^[ \t]*(?://|--|;|%|#(?![ \t]*(?:include|define|if|pragma|import|undef)))[^\n]*",
    re.DOTALL | re.MULTILINE,
)
_DIRECTIVE = re.compile(rb"^[ \t]*#[ \t]*(if|ifdef|ifndef|region|elif|elifdef|else|endif|endregion)\b", re.MULTILINE)
_COMMENT_STARTS = b"/*#-\"'"
_LITERAL_STARTS = b"0123456789\"'-+[({"


def check_context(content: bytes, start: int, end: int) -> None:
    """Refuse a middle with nothing before it, or next to nothing around it: it could be anything (`no_context`).

    A license at the head of the file counts as nothing.
    """
    if start > _NEAR_BYTES and _visible_bytes(content[start - _NEARER_BYTES : start]) >= MIN_CONTEXT_BYTES:
        return
    near = content[max(start - _NEAR_BYTES, 0) : start]
    if start <= _NEAR_BYTES and is_license(near):
        near = _REMARKS.sub(b"", near)
    before = _visible_bytes(near)
    if before >= MIN_CONTEXT_BYTES:
        return
    if start > _NEAR_BYTES:
        before += _visible_bytes(content[: start - _NEAR_BYTES])
    after = _visible_bytes(content[end : end + _NEAR_BYTES])
    if not before or before + after < MIN_CONTEXT_BYTES:
        raise Refused("no_context")


def _visible_bytes(text: bytes) -> int:
    return len(text.translate(None, BLANKS))


def is_license(text: bytes) -> bool:
    """Whether a text states copyright or a license."""
    lowered = text.lower()
    # Looking for the words first takes a tenth of the time, as most texts have none.
    return any(word in lowered for word in _LICENSE_WORDS) and _LICENSE.search(lowered) is not None


def check_directives(text: bytes) -> None:
    """Refuse a middle whose `#if` and `#region` lines do not pair up within it (`directive_cut`)."""
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

    Reasons: `directive_cut`, `license_text` (a license header), `mostly_comments` (more than MAX_COMMENT_SHARE of its lines,
    or fewer than two lines of code), `literal_data` (more than MAX_LITERAL_SHARE of its lines), `continued_line` (it ends in
    a backslash).
    """
    text = file.content[units[0].start : units[-1].end]
    if text.endswith(b"\\"):
        raise Refused("continued_line")
    if b"#" in text and file.language.directives:
        check_directives(text)
    if is_license(text):
        raise Refused("license_text")
    visible = [file.lines.first_visible(line) for line in range(units[0].start_line, units[-1].end_line + 1)]
    firsts = bytes(file.content[offset] for offset in visible if offset >= 0)
    # The first byte of each line shows whether a look at the tokens is needed.
    if any(first in _COMMENT_STARTS for first in firsts):
        _check_comments(file, units, len(firsts))
    if 2 * sum(first in _LITERAL_STARTS for first in firsts) > len(firsts):
        _check_literals(file, units, len(firsts))


def _check_comments(file: ParsedFile, units: list[Unit], line_count: int) -> None:
    """Refuse units of `line_count` visible lines that are mostly comments or documentation."""
    code_lines: set[int] = set()
    documentation = [(unit.start, unit.end) for unit in units if unit.statement is not None and _is_text(unit)]
    for leaf in file.leaves(units[0].start, units[-1].end):
        in_text = any(start <= leaf.start_byte < end for start, end in documentation)
        if not in_text and not is_comment(leaf):
            code_lines.update(range(leaf.start_point.row, leaf.end_point.row + 1))
    if len(code_lines) < 2 or line_count - len(code_lines) > MAX_COMMENT_SHARE * line_count:
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


def _check_literals(file: ParsedFile, units: list[Unit], line_count: int) -> None:
    """Refuse units of `line_count` visible lines that are mostly literals and name nothing."""
    named: set[int] = set()
    literal: set[int] = set()
    for leaf in file.leaves(units[0].start, units[-1].end):
        line = leaf.start_point.row
        if is_name(leaf):
            named.add(line)
        elif leaf.is_named and not is_comment(leaf):
            literal.update(range(line, leaf.end_point.row + 1))
    if len(literal - named) > MAX_LITERAL_SHARE * line_count:
        raise Refused("literal_data")
