"""Invariants that need the content and its tree: kinds, true ends, whole tokens, balance, the neutral hole, the place's names."""

from collections.abc import Callable, Iterator
from typing import Any

import tree_sitter

from stackfim.schemas.example import EMPTY, MULTI_LINE, SINGLE_LINE
from stackfim.transforms.split.parser import ParseRefused
from stackfim.transforms.verify.declarations import declaration
from stackfim.transforms.verify.inner_line import before_closers, inner_node, is_text, mid_token
from stackfim.transforms.verify.original import BLANKS, Original
from stackfim.transforms.verify.silence import silence
from stackfim.transforms.verify.violation import Violation

Row = dict[str, Any]

MAX_LINE_CHARS = 200
"""Longest line that a single-line middle may be part of."""
FRESH_LINE = ("blank_line", "block_body", "rest_of_block", "siblings", "compound")
"""Kinds whose cursor stands after line break and indent."""
INSIDE_LINE: dict[str, Callable[[Original, int, int], Iterator[str]]] = {
    "mid_token": mid_token,
    "before_closers": before_closers,
    "inner_node": inner_node,
}
"""Kinds whose cursor or end is inside a line, and what they promise."""


def _kind(row: Row, file: Original) -> Iterator[str]:
    start, end, kind = row["start_byte"], row["end_byte"], row["kind"]
    content = file.content
    line_start, line_end = file.line_bounds(start)
    before = content[line_start:start]
    if kind in FRESH_LINE and before.strip(b" \t"):
        yield f"the cursor follows {before[-20:]!r}, expected line break and indent"
    if row["category"] == SINGLE_LINE:
        if (
            kind not in ("before_closers", "inner_node")
            and content[start:line_end].rstrip(BLANKS) != content[start:end]
        ):
            yield "the middle is not the line's rest"
        chars = len(content[line_start:line_end].decode("utf-8", "replace"))
        if chars > MAX_LINE_CHARS:
            yield f"the line has {chars} characters, over the limit of {MAX_LINE_CHARS}"
    if kind == "token_to_eol":
        if not before.strip():
            yield "the cursor is not inside the line"
        around = file.ancestors(start, start + 1)
        if not around or around[0].start_byte != start or any(map(file.is_comment, around)):
            yield "the cursor is not at the start of a token of code"
    if kind == "blank_line":
        yield from _whole_line(file, start, end)
    if kind in INSIDE_LINE:
        yield from INSIDE_LINE[kind](file, start, end)
    if row["category"] == MULTI_LINE:
        body_end = start + len(content[start:end].rstrip())
        if content[body_end : file.line_bounds(body_end - 1)[1]].strip():
            yield "the middle does not end with its line"
        yield from _children(row, file, _first_statement(row, file), body_end)
        if kind in ("compound", "line_and_block"):
            yield from _one_compound(row, file, start, body_end)


def _whole_line(file: Original, start: int, end: int) -> Iterator[str]:
    """Whether a line is a whole statement, or opens the block that the next line begins."""
    found = file.statement_at(start)
    if found is None:
        yield "no statement begins at the cursor"
        return
    statement, _block = found
    if statement.has_error:
        yield f"the {statement.type} of the line has a syntax error"
    if file.visible_end(statement) <= end:
        return
    following = file.opened_block(statement, end)
    if following is None:
        yield f"the {statement.type} goes on after the line, and the line opens no block"
        return
    base, indent = file.indent(start), file.indent(following)
    if indent == base or not indent.startswith(base):
        yield f"the block that the line opens is indented by {indent!r}, the line by {base!r}"


def _children(row: Row, file: Original, start: int, end: int) -> Iterator[str]:
    """Whether the middle is a run of whole children of one block, and the kind's end is the block's."""
    block = file.block_around(start, end)
    kind = row["kind"]
    if block is None:
        yield "no block holds the middle"
        return
    children = file.statements(block)
    for child in children:
        inside = child.start_byte >= start and file.visible_end(child) <= end
        outside = file.visible_end(child) <= start or child.start_byte >= end
        if not (inside or outside):
            yield f"the middle cuts a {child.type}"
        if inside and (child.has_error or child.is_error):
            yield f"the {child.type} in the middle has a syntax error"
    last = max((file.visible_end(child) for child in children if file.visible_end(child) <= end), default=start)
    beyond = file.content[max(last, start) : end].strip(b" \t;,")
    if beyond:
        yield f"after its last statement the middle goes on with {beyond[:40]!r}"
    yield from _heads(file, children, (end,) if kind == "line_and_block" else (start, end))
    yield from _same_indent(file, children, start, end)
    # Grammars put some comments at the head of a block outside of it.
    above = file.comment_above(start, beyond_blanks=kind == "block_body")
    if above is not None and kind != "line_and_block":
        yield f"the {above.type} right above the middle, at byte {above.start_byte}, is left out"
    real = [child for child in children if file.is_real(child)]
    earlier = any(child.start_byte < start for child in real)
    later = any(child.start_byte >= end for child in real)
    if not any(start <= child.start_byte < end for child in real):
        yield "the middle holds no statement"
    if kind == "block_body" and (earlier or later or block.parent is None):
        yield "block_body does not hold all statements of its block"
    if kind == "rest_of_block" and (later or not earlier):
        yield "rest_of_block is not the later part of its block"
    if kind == "siblings" and not later:
        yield "siblings has no statement after it in its block"
    ending = [child for child in children if start <= child.start_byte < end and _begins_line(file, child)][-1:]
    if kind == "siblings" and any(not file.is_real(child) for child in ending):
        yield f"siblings ends with a {ending[0].type}, no statement"


def _first_statement(row: Row, file: Original) -> int:
    """First byte of the statements that a middle is of: of its first line's, where it begins inside that."""
    start: int = row["start_byte"]
    return _first_visible(file, file.line_bounds(start)[0]) if row["kind"] == "line_and_block" else start


def _first_visible(file: Original, offset: int) -> int:
    """First visible byte at or after `offset`."""
    rest = file.content[offset:]
    return offset + len(rest) - len(rest.lstrip())


def _one_compound(row: Row, file: Original, start: int, end: int) -> Iterator[str]:
    """Whether the middle is one statement that holds a block, or the rest of it from inside the line that opens the block."""
    first = _first_statement(row, file)
    block = file.block_around(first, end)
    children = [] if block is None else file.statements(block)
    inside = [child for child in children if first <= child.start_byte < end and file.is_real(child)]
    beginning = [child for child in inside if _begins_line(file, child)]
    if len(beginning) != 1:
        yield f"the middle is of {len(beginning)} statements, not of one"
        return
    statement = beginning[0]
    line_end = file.line_bounds(statement.start_byte)[1]
    lines_inside = [
        row for row in range(file.line_of(line_end) + 1, file.line_of(end - 1) + 1) if file.lines[row].strip(BLANKS)
    ]
    firsts = [_first_visible(file, file.line_starts[row]) for row in lines_inside]
    if row["kind"] == "compound":
        if not any(_blocks_within(file, statement, offset) for offset in firsts):
            yield f"the {statement.type} holds no block"
        return
    if statement.start_byte != first:
        yield f"the {statement.type} does not begin with the cursor's line"
    if start <= first:
        yield "the cursor is not inside the line"
    around = file.ancestors(start, start + 1)
    if not around or around[0].start_byte != start or any(map(file.is_comment, around)):
        yield "the cursor is not at the start of a token of code"
    if any(is_text(node, file) and node.start_byte < start for node in around):
        yield "the cursor is inside a text"
    opened = [] if not firsts else _blocks_within(file, statement, firsts[0])
    cursor_line = file.line_of(start)
    if not any(file.line_of(node.start_byte) == cursor_line or node.start_byte == firsts[0] for node in opened):
        yield f"the line of the {statement.type} opens no block"


def _blocks_within(file: Original, statement: tree_sitter.Node, offset: int) -> list[tree_sitter.Node]:
    """The blocks around byte `offset` that begin inside of a statement."""
    around = file.ancestors(offset, offset + 1)
    return [node for node in around if node.type in file.language.blocks and node.start_byte > statement.start_byte]


def _same_indent(file: Original, children: list[tree_sitter.Node], start: int, end: int) -> Iterator[str]:
    """Whether all that the middle is made of is indented like its first line: one further left would be its end."""
    base = file.indent(start)
    for child in children:
        if start <= child.start_byte < end and _begins_line(file, child) and file.indent(child.start_byte) != base:
            yield f"the {child.type} at byte {child.start_byte} is not indented like the middle's first line, by {base!r}"
            return


def _begins_line(file: Original, child: tree_sitter.Node) -> bool:
    """Whether a node is the first that its line has to show."""
    return not file.content[file.line_bounds(child.start_byte)[0] : child.start_byte].strip(BLANKS)


def _heads(file: Original, children: list[tree_sitter.Node], cuts: tuple[int, ...]) -> Iterator[str]:
    """Whether a comment or attribute is parted from the statement right below, which it belongs to."""
    for cut in cuts:
        before = [child for child in children if child.start_byte < cut]
        after = next((child for child in children if child.start_byte >= cut), None)
        if not before or after is None or file.is_real(before[-1]):
            continue
        head = before[-1]
        first_line, last_line = file.line_bounds(head.start_byte), file.line_bounds(file.visible_end(head) - 1)
        around = file.content[first_line[0] : head.start_byte] + file.content[file.visible_end(head) : last_line[1]]
        if not around.strip() and file.line_of(last_line[0]) + 1 == file.line_of(after.start_byte):
            yield f"a {head.type} is parted from the {after.type} right below it"


def _stop_reason(row: Row, file: Original) -> Iterator[str]:
    if row["category"] != MULTI_LINE:
        return
    start, end = row["start_byte"], row["end_byte"]
    base = file.content[file.line_bounds(start)[0] : start]
    if row["kind"] == "line_and_block":
        # The first full line of the middle is the one after the cursor's.
        base = file.indent(_first_visible(file, file.line_bounds(start)[1]))
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
        yield f"stop_reason is {row['stop_reason']}, the text says {wanted}"


def _whole_tokens(row: Row, file: Original) -> Iterator[str]:
    if row["kind"] in ("inside_text", "random_span"):
        return
    for name in ("start_byte", "end_byte"):
        around = file.token_around(row[name])
        if around is not None:
            yield f"{name} is inside a {around.type} of several lines"


def _balance(row: Row, file: Original) -> Iterator[str]:
    delta, lowest = file.bracket_balance(row["start_byte"], row["end_byte"])
    if delta != row["bracket_delta"]:
        yield f"bracket_delta is {row['bracket_delta']}, the middle's is {delta}"
    balanced = row["category"] in (EMPTY, MULTI_LINE) or row["kind"] in ("before_closers", "inner_node")
    if balanced and (delta or lowest):
        yield f"the middle is not balanced: {delta}"


def _neutral_hole(row: Row, file: Original) -> Iterator[str]:
    if row["edits"] or (row["category"] != MULTI_LINE and row["kind"] != "blank_line"):
        return
    start, end = _first_statement(row, file), row["end_byte"]
    body_end = start + len(file.content[start:end].rstrip())
    if row["kind"] == "blank_line":
        found = file.statement_at(start)
        if found is None or file.visible_end(found[0]) > body_end:
            return  # the opener of a block owns what follows
        block: tree_sitter.Node | None = found[1]
    else:
        block = file.block_around(start, body_end)
    if block is None:
        return  # said under `kind`
    if row["kind"] == "line_and_block":
        # Attributes above the line would be left without what they belong to.
        heads = [child for child in file.statements(block) if child.end_byte <= start]
        while heads and heads[-1].type in file.language.heads:
            start = heads.pop().start_byte
    empty = _empty_statement(file, block, start, end) + file.content[body_end:end]
    changed = file.content[:start] + empty + file.content[end:]
    before = file.tree.copy()
    reach = start + len(empty)
    row_number, column = file.point(start)
    breaks = empty.count(b"\n")
    new_end = (row_number + breaks, len(empty) - empty.rfind(b"\n") - 1 if breaks else column + len(empty))
    before.edit(start, end, reach, (row_number, column), file.point(end), new_end)
    try:
        after = file.parser.parse(changed)
    except ParseRefused as refused:
        yield f"with the middle left out the text does not parse: {refused}"
        return
    # The line break after the hole may belong to a directive that the middle held.
    reach += 2
    for change in before.changed_ranges(after):
        # Blanks are no part of the tree, though nodes of some grammars begin with them.
        first = (
            change.start_byte
            + len(changed[change.start_byte : start])
            - len(changed[change.start_byte : start].lstrip())
        )
        last = reach + len(changed[reach : change.end_byte].rstrip())
        if first < start or last > reach:
            yield f"without the middle the tree changes at bytes {first}-{last}, outside {start}-{reach}"
            return


def _empty_statement(file: Original, block: tree_sitter.Node, start: int, end: int) -> bytes:
    """What stands for the statements of [start, end) in their block: by the kind of the first, else by the block's."""
    first = next(
        (child for child in file.statements(block) if start <= child.start_byte < end and not file.is_comment(child)),
        None,
    )
    by_block = file.language.neutral_in.get(block.type, file.language.neutral)
    return (by_block if first is None else file.language.neutral_for.get(first.type, by_block)).encode()


def _names(row: Row, file: Original) -> Iterator[str]:
    """Whether node_type and scope are of the place: of the cursor's byte, or the one before it where the middle is empty."""
    start, end = row["start_byte"], row["end_byte"]
    at = start if end > start else max(start - 1, 0)
    chain = file.ancestors(at, at + 1)
    block = file.block_around(start, start + len(file.content[start:end].rstrip()))
    inside = [] if block is None else [child for child in file.statements(block) if start <= child.start_byte < end]
    ending = file.statement_ending_at(start) if start == end else None
    if row["node_type"] not in {node.type for node in (*chain, *inside, ending) if node is not None}:
        yield f"no {row['node_type']} is at the cursor"
    names = [name for node in reversed(chain) if node.type in file.language.scopes if (name := _name(file, node))]
    if row["scope"] != ".".join(names):
        yield f"scope is {row['scope']!r}, the definitions around the cursor are {'.'.join(names)!r}"


def _name(file: Original, definition: tree_sitter.Node) -> str:
    """What a definition names, through C's declarators; empty for a pattern."""
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
    "neutral_hole": _neutral_hole,
    "silence": silence,
    "names": _names,
    "declaration": declaration,
}
"""Name to check; a check yields a message for each thing that is wrong."""


def check_tree(row: Row, file: Original) -> list[Violation]:
    """What a row breaks in the file that it was made from."""
    if file.content[row["start_byte"] : row["end_byte"]] != row["middle"].encode():
        return [Violation(row["example_id"], "undo", "the middle is not what stands at its offsets in the original")]
    return [
        Violation(row["example_id"], name, message)
        for name, check in TREE_INVARIANTS.items()
        for message in check(row, file)
    ]
