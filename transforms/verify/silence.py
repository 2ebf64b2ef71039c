"""The category `empty`: nothing is to be written at the cursor, judged by the text and the tree around it.

A token dangles if more has to follow it: an operator, a separator, an opener, a keyword. A cursor stands after such a token
only inside a string or comment, or inside an empty pair.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import tree_sitter

from stackfim.transforms.verify.inner_line import is_text
from stackfim.transforms.verify.original import BLANKS, CLOSERS, OPENERS, Original

Row = dict[str, Any]

WANT_OPERANDS = (b"return", b"raise", b"yield")
"""Statements after which a value may follow on the same line."""
FINISHED_TOKENS = (*CLOSERS, ";", '"', "'", "`", "++", "--", "?", "!", "...")
"""Tokens without a name after which nothing has to follow."""
_PAIRS = dict(zip(OPENERS, CLOSERS, strict=True))
_TEXT_PART = re.compile("string|content|fragment|doc|text|body|comment")
_WORD_END = re.compile(rb"[0-9A-Za-z_\x80-\xff\"'`]$")


def silence(row: Row, file: Original) -> Iterator[str]:
    """What is wrong with the cursor of an empty middle; nothing for kinds with a middle."""
    check = _KINDS.get(row["kind"])
    if check is not None:
        yield from check(row, file)


def _after_statement(row: Row, file: Original) -> Iterator[str]:
    """A statement ends at the cursor, nothing of it follows, and the next logical line is not deeper."""
    start = row["start_byte"]
    if file.content[start : file.line_bounds(start)[1]].strip():
        yield "the rest of the line is not blank"
        return
    ending = file.statement_ending_at(start)
    if ending is None or any(map(file.is_comment, file.ancestors(start - 1, start))):
        yield "no complete statement ends at the cursor"
        return
    yield from _complete(file, ending, start)


def _complete(file: Original, ending: tree_sitter.Node, start: int) -> Iterator[str]:
    """The statement that ends at the cursor has no error, and neither it nor the next line asks for more."""
    if ending.has_error:
        yield f"the {ending.type} before the cursor has a syntax error"
    if file.content[start - 1 : start] == b":":
        yield f"the {ending.type} before the cursor ends with a colon, so its body has to follow"
    if file.content[ending.start_byte : start] in WANT_OPERANDS:
        yield f"the {ending.type} before the cursor is a keyword that may take an operand"
    following = file.next_line(start)
    base = file.indent(ending.start_byte)
    if following is not None and following.is_logical and not base.startswith(following.indent):
        yield f"the next line is indented by {following.indent!r}, the statement by {base!r}"


def _after_enter(row: Row, file: Original) -> Iterator[str]:
    """As after a statement; a blank line, a shallower one or nothing follows; and an editor would insert what was typed."""
    yield from _after_statement(row, file)
    start = row["start_byte"]
    ending = file.statement_ending_at(start)
    if ending is None:
        return
    base, following = file.indent(ending.start_byte), file.next_line(start)
    below = file.line_of(start) + 1
    blank_follows = below >= len(file.lines) or not file.lines[below].strip(BLANKS)
    if not blank_follows and following is not None and following.indent == base:
        yield "the next line is as deep as the statement"
    typed = row["edits"][-1]["inserted"].encode() if row["edits"] else b""
    line_break = file.content[file.line_bounds(start)[1] :][:2]
    line_break = line_break if line_break == b"\r\n" else line_break[:1].strip(b"\r")
    expected = [b" ", *(ending_break + base for ending_break in ([line_break] if line_break else [b"\n", b"\r\n"]))]
    if typed not in expected:
        yield f"{typed!r} was typed, expected what an editor inserts, {expected[-1]!r}"


def _inside_text(row: Row, file: Original) -> Iterator[str]:
    """Visible text of one comment or string stands on both sides of the cursor, on its line."""
    start = row["start_byte"]
    chain = file.ancestors(start, start + 1)
    texts = [node for node in chain if is_text(node, file) and node.start_byte < start < node.end_byte]
    if not texts or any(node.is_error for node in chain):
        yield "the cursor is not inside a string or comment"
        return
    inner = chain[: next(index for index, node in enumerate(chain) if node.id == texts[0].id)]
    if any(not _TEXT_PART.search(node.type) or not node.start_byte < start for node in inner):
        yield f"the cursor is in {inner[0].type}, code inside a string"
        return
    text = inner[0] if inner else texts[0]
    line_start, line_end = file.line_bounds(start)
    left = file.content[max(line_start, text.start_byte) : start].strip()
    right = file.content[start : min(line_end, text.end_byte)].strip()
    if not left or not right:
        yield "the text does not go on after the cursor" if left else "no text stands before the cursor"
    if file.content[start - 1 : start + 1].isalnum():
        yield "the cursor is inside a word"


def _closed_pair(row: Row, file: Original) -> Iterator[str]:
    """The next token closes a pair that is empty or ends in a finished token right before the cursor."""
    start = row["start_byte"]
    line_start, line_end = file.line_bounds(start)
    after = next(file.tokens(start, line_end), None)
    before = [leaf for leaf in file.tokens(line_start, start) if leaf.end_byte <= start][-1:]
    if after is None or after.type not in CLOSERS or file.content[start : after.start_byte].strip():
        yield "no closer follows the cursor"
        return
    if not before or before[0].end_byte != start:
        yield "the cursor is not right after a token of its line"
        return
    is_empty = not before[0].is_named and _PAIRS.get(before[0].type[-1:]) == after.type
    if not is_empty and not _is_finished(before[0], file):
        yield f"{before[0].type} before the cursor asks for more"
    yield from _no_error(file, start)


def _accept_then_stop(row: Row, file: Original) -> Iterator[str]:
    """A statement ends at the cursor; or a finished token does, and its line goes on or a closer begins the next one."""
    start = row["start_byte"]
    line_end = file.line_bounds(start)[1]
    yield from _no_error(file, start)
    ends_line = not file.content[start:line_end].strip()
    ending = file.statement_ending_at(start) or _before_comment(file, start)
    if ends_line and ending is not None:
        yield from _complete(file, ending, start)
        return
    before = file.ancestors(start - 1, start)[:1]
    finished = [leaf for leaf in before if is_text(leaf, file) or (leaf.end_byte == start and _is_finished(leaf, file))]
    if not finished:
        yield "the token before the cursor asks for more"
    if ends_line and file.content[line_end:].lstrip()[:1].decode("latin-1") not in CLOSERS:
        yield "no statement ends at the cursor, and no closer is next"


def _before_comment(file: Original, start: int) -> tree_sitter.Node | None:
    """The statement that ends before the comment at the cursor, on the comment's line; None without one."""
    comment = next((node for node in file.ancestors(start - 1, start) if file.is_comment(node)), None)
    if comment is None:
        return None
    line_start = file.line_bounds(comment.start_byte)[0]
    before = file.content[line_start : comment.start_byte].rstrip()
    return file.statement_ending_at(line_start + len(before)) if before.strip() else None


def _between_definitions(row: Row, file: Original) -> Iterator[str]:
    """The cursor is at the end of a comment or of the file, or on a blank line between two definitions of several lines."""
    start, content = row["start_byte"], file.content
    line_start, line_end = file.line_bounds(start)
    if start == len(content) and content.endswith(b"\n"):
        if (
            file.statement_ending_at(len(content.rstrip())) is None
            and _before_comment(file, len(content.rstrip())) is None
        ):
            yield "the file does not end with a complete statement"
    elif content[line_start:line_end].strip(BLANKS):
        comment = next((node for node in file.ancestors(start - 1, start) if file.is_comment(node)), None)
        if comment is None or file.visible_end(comment) != start or content[start:line_end].strip():
            yield "the cursor is neither after a comment nor on a blank line"
            return
        alone = not content[file.line_bounds(comment.start_byte)[0] : comment.start_byte].strip()
        first = content[line_end:].lstrip(b"\r\n \t")[:1].decode("latin-1")
        at = len(content) - len(content[line_end:].lstrip())
        if alone and (not first or first in CLOSERS or any(map(file.is_comment, file.ancestors(at, at + 1)))):
            yield "the comment goes on, or is about nothing"
        if not alone and _before_comment(file, start) is None and file.statement_ending_at(start) is None:
            yield "no complete statement stands before the comment"
    elif start != line_end or not _parts_definitions(file, start):
        yield "the cursor is not between two definitions"


def _parts_definitions(file: Original, start: int) -> bool:
    """Whether a definition of several lines ends before the blank lines around `start`, and another of its block follows."""
    end = len(file.content[:start].rstrip())
    chain = file.ancestors(end - 1, end)
    for child, parent in itertools.pairwise(chain):
        if parent.type not in file.language.blocks:
            continue
        statements = [node for node in file.statements(parent) if file.is_real(node)]
        before = [node for node in statements if node.start_byte <= child.start_byte][-1:]
        after = [node for node in statements if node.start_byte >= start][:1]
        if len(before) == len(after) == 1 and all(_is_definition(file, node) for node in (*before, *after)):
            return file.visible_end(child) == end
    return False


def _is_definition(file: Original, node: tree_sitter.Node) -> bool:
    """Whether a node is or holds a definition and has several lines and no error."""
    scopes = file.language.scopes
    several = b"\n" in file.content[node.start_byte : file.visible_end(node)]
    return not node.has_error and several and any(part.type in scopes for part in (node, *node.named_children))


def _no_error(file: Original, start: int) -> Iterator[str]:
    """Neither an error node nor a statement with an error is around the cursor."""
    chain = file.ancestors(start - 1, start)
    if any(node.is_error for node in chain):
        yield "the cursor is in a syntax error"
        return
    for child, parent in itertools.pairwise(chain):
        if parent.type in file.language.blocks and child.is_named:
            if child.has_error:
                yield f"the {child.type} around the cursor has a syntax error"
            return


def _is_finished(leaf: tree_sitter.Node, file: Original) -> bool:
    """Whether nothing has to follow a token."""
    if not leaf.is_named:
        return leaf.type in FINISHED_TOKENS
    return "string" in leaf.type or _WORD_END.search(file.content[leaf.start_byte : leaf.end_byte]) is not None


_KINDS: dict[str, Callable[[Row, Original], Iterator[str]]] = {
    "after_statement": _after_statement,
    "after_enter": _after_enter,
    "inside_text": _inside_text,
    "closed_pair": _closed_pair,
    "accept_then_stop": _accept_then_stop,
    "between_definitions": _between_definitions,
}
