"""Invariants that need the content and its tree: kinds, true ends, whole tokens, balance, and the names of the place."""

from collections.abc import Callable, Iterator
from typing import Any

import tree_sitter

from stackfim.schemas.example import EMPTY, MULTI_LINE, SINGLE_LINE
from stackfim.transforms.verify.declarations import declaration
from stackfim.transforms.verify.inner_line import before_closers, inner_node, mid_token, token_to_eol
from stackfim.transforms.verify.neutral_hole import neutral_hole
from stackfim.transforms.verify.original import BLANKS, Original
from stackfim.transforms.verify.silence import silence
from stackfim.transforms.verify.statements import (
    first_statement,
    first_visible,
    one_compound,
    run_of_statements,
    whole_line,
)
from stackfim.transforms.verify.violation import Violation

Row = dict[str, Any]

MAX_LINE_CHARS = 200
"""Longest line that a single-line middle may be part of."""
FRESH_LINE = ("blank_line", "block_body", "rest_of_block", "siblings", "compound")
"""Kinds whose cursor stands after line break and indent."""
INSIDE_LINE = ("before_closers", "inner_node")
"""Kinds whose middle ends inside its line."""
SINGLE_LINE_KINDS: dict[str, Callable[[Original, int, int], Iterator[str]]] = {
    "token_to_eol": token_to_eol,
    "mid_token": mid_token,
    "blank_line": whole_line,
    "before_closers": before_closers,
    "inner_node": inner_node,
}
"""What each kind of a single line promises."""


def _kind(row: Row, file: Original) -> Iterator[str]:
    """The middle is what its kind says."""
    start, kind = row["start_byte"], row["kind"]
    before = file.content[file.line_bounds(start)[0] : start]
    if kind in FRESH_LINE and before.strip(b" \t"):
        yield f"the cursor follows {before[-20:]!r}, expected line break and indent"
    if row["category"] == SINGLE_LINE:
        yield from _single_line(row, file)
    if kind in SINGLE_LINE_KINDS:
        yield from SINGLE_LINE_KINDS[kind](file, start, row["end_byte"])
    if row["category"] == MULTI_LINE:
        yield from _multi_line(row, file)


def _single_line(row: Row, file: Original) -> Iterator[str]:
    """The middle is part of a line that is not too long, and its end where the kind says so."""
    start, end = row["start_byte"], row["end_byte"]
    line_start, line_end = file.line_bounds(start)
    if row["kind"] not in INSIDE_LINE and file.content[start:line_end].rstrip(BLANKS) != file.content[start:end]:
        yield "the middle is not the rest of its line"
    chars = len(file.content[line_start:line_end].decode("utf-8", "replace"))
    if chars > MAX_LINE_CHARS:
        yield f"the line has {chars} characters, over the limit of {MAX_LINE_CHARS}"


def _multi_line(row: Row, file: Original) -> Iterator[str]:
    """The middle is whole statements up to the end of a line."""
    start, content = row["start_byte"], file.content
    body_end = start + len(content[start : row["end_byte"]].rstrip())
    if content[body_end : file.line_bounds(body_end - 1)[1]].strip():
        yield "the middle does not end with its line"
    yield from run_of_statements(row["kind"], file, first_statement(row, file), body_end)
    if row["kind"] in ("compound", "line_and_block"):
        yield from one_compound(row, file, start, body_end)


def _stop_reason(row: Row, file: Original) -> Iterator[str]:
    """The next logical line ends a multi-line middle as its `stop_reason` says."""
    if row["category"] != MULTI_LINE:
        return
    start, end = row["start_byte"], row["end_byte"]
    base = file.content[file.line_bounds(start)[0] : start]
    if row["kind"] == "line_and_block":
        # The first full line of the middle is the one after the cursor's.
        base = file.indent(first_visible(file, file.line_bounds(start)[1]))
    following = file.next_line(start + len(file.content[start:end].rstrip()) - 1)
    if following is None:
        wanted = "eof"
    elif not following.is_logical:
        wanted = "nothing: no logical line follows"
    elif following.indent == base:
        wanted = "newline"
    elif base.startswith(following.indent):
        wanted = "dedent"
    else:
        wanted = f"nothing: the next line is indented by {following.indent!r}, the middle by {base!r}"
    if row["stop_reason"] != wanted:
        yield f"stop_reason is {row['stop_reason']}, by the text it is {wanted}"


def _whole_tokens(row: Row, file: Original) -> Iterator[str]:
    """Neither cursor nor end is inside a token of several lines."""
    if row["kind"] in ("inside_text", "random_span"):
        return
    for name in ("start_byte", "end_byte"):
        around = file.token_around(row[name])
        if around is not None:
            yield f"{name} is inside a {around.type} of several lines"


def _balance(row: Row, file: Original) -> Iterator[str]:
    """The middle's brackets are as `bracket_delta` says, and balanced where the kind promises that."""
    delta, lowest = file.bracket_balance(row["start_byte"], row["end_byte"])
    if delta != row["bracket_delta"]:
        yield f"bracket_delta is {row['bracket_delta']}, by the middle it is {delta}"
    balanced = row["category"] in (EMPTY, MULTI_LINE) or row["kind"] in ("before_closers", "inner_node")
    if balanced and (delta or lowest):
        yield f"the middle opens {delta} brackets more than it closes, at least {lowest} on the way; expected 0 and 0"


def _names(row: Row, file: Original) -> Iterator[str]:
    """`node_type` and `scope` are those of the cursor's byte, or of the one before it where the middle is empty."""
    start, end = row["start_byte"], row["end_byte"]
    at = start if end > start else max(start - 1, 0)
    chain = file.ancestors(at, at + 1)
    block = file.block_around(start, start + len(file.content[start:end].rstrip()))
    inside = [] if block is None else [child for child in file.statements(block) if start <= child.start_byte < end]
    ending = file.statement_ending_at(start) if start == end else None
    if row["node_type"] not in {node.type for node in (*chain, *inside, ending) if node is not None}:
        yield f"node_type is {row['node_type']}, which is not at the cursor"
    names = [name for node in reversed(chain) if node.type in file.language.scopes if (name := _name(file, node))]
    if row["scope"] != ".".join(names):
        yield f"scope is {row['scope']!r}, the definitions around the cursor are {'.'.join(names)!r}"


def _name(file: Original, definition: tree_sitter.Node) -> str:
    """The name that a definition gives, inside C's declarators; empty for a pattern."""
    for field in ("name", "declarator", "type"):
        named = definition.child_by_field_name(field)
        if named is not None:
            while (inner := named.child_by_field_name("declarator")) is not None:
                named = inner
            pattern = named.type.endswith("_pattern")
            return "" if pattern else file.content[named.start_byte : named.end_byte].decode("utf-8", "replace")
    return ""


TREE_INVARIANTS: dict[str, Callable[[Row, Original], Iterator[str]]] = {
    "kind": _kind,
    "stop_reason": _stop_reason,
    "whole_tokens": _whole_tokens,
    "balance": _balance,
    "neutral_hole": neutral_hole,
    "silence": silence,
    "names": _names,
    "declaration": declaration,
}
"""The check of each invariant by its name; it yields a message for everything that is wrong."""


def check_tree(row: Row, file: Original) -> list[Violation]:
    """The invariants that a row breaks in the file that it was split from."""
    if file.content[row["start_byte"] : row["end_byte"]] != row["middle"].encode():
        return [Violation(row["example_id"], "undo", "the middle is not the original's text at its offsets")]
    return [
        Violation(row["example_id"], name, message)
        for name, check in TREE_INVARIANTS.items()
        for message in check(row, file)
    ]
