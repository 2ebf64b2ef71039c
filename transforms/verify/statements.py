"""What the kinds promise whose middles are whole statements: a line, a run of statements, or one with its block."""

from collections.abc import Iterator
from typing import Any

import tree_sitter

from stackfim.transforms.verify.inner_line import begins_inside, is_text
from stackfim.transforms.verify.original import BLANKS, Original

Row = dict[str, Any]


def first_statement(row: Row, file: Original) -> int:
    """First byte of a middle's first statement, which begins before the middle in `line_and_block`."""
    start: int = row["start_byte"]
    return first_visible(file, file.line_bounds(start)[0]) if row["kind"] == "line_and_block" else start


def first_visible(file: Original, offset: int) -> int:
    """First visible byte at or after `offset`."""
    rest = file.content[offset:]
    return offset + len(rest) - len(rest.lstrip())


def whole_line(file: Original, start: int, end: int) -> Iterator[str]:
    """The line is a whole statement, or opens a block that begins on the next line."""
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


def run_of_statements(kind: str, file: Original, start: int, end: int) -> Iterator[str]:
    """[start, end) is a run of whole statements of one block, and ends where its kind says."""
    block = file.block_around(start, end)
    if block is None:
        yield "no block holds the middle"
        return
    children = file.statements(block)
    yield from _whole_children(file, children, start, end)
    yield from _parted_heads(file, children, (end,) if kind == "line_and_block" else (start, end))
    yield from _same_indent(file, children, start, end)
    # Grammars put some comments at the head of a block outside it.
    above = file.comment_above(start, beyond_blanks=kind == "block_body")
    if above is not None and kind != "line_and_block":
        yield f"the {above.type} right above the middle, at byte {above.start_byte}, is left out"
    yield from _part_of_block(kind, file, block, start, end)


def _whole_children(file: Original, children: list[tree_sitter.Node], start: int, end: int) -> Iterator[str]:
    """[start, end) holds each child of a block whole or not at all, without errors, and nothing after the last one."""
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


def _part_of_block(kind: str, file: Original, block: tree_sitter.Node, start: int, end: int) -> Iterator[str]:
    """[start, end) is the part of a block that its kind promises."""
    children = file.statements(block)
    real = [child for child in children if file.is_real(child)]
    earlier = any(child.start_byte < start for child in real)
    later = any(child.start_byte >= end for child in real)
    if not any(start <= child.start_byte < end for child in real):
        yield "the middle holds no statement"
    if kind == "block_body" and (earlier or later or block.parent is None):
        yield "block_body does not hold all statements of its block"
    if kind == "rest_of_block" and (later or not earlier):
        yield "rest_of_block is not the later part of its block"
    if kind == "siblings":
        if not later:
            yield "siblings has no statement after it in its block"
        ending = [child for child in children if start <= child.start_byte < end and _begins_line(file, child)][-1:]
        if any(not file.is_real(child) for child in ending):
            yield f"siblings ends with a {ending[0].type}, not with a statement"


def one_compound(row: Row, file: Original, start: int, end: int) -> Iterator[str]:
    """[start, end) is one statement that holds a block, or its rest from inside the line that opens the block."""
    first = first_statement(row, file)
    block = file.block_around(first, end)
    children = [] if block is None else file.statements(block)
    inside = [child for child in children if first <= child.start_byte < end and file.is_real(child)]
    beginning = [child for child in inside if _begins_line(file, child)]
    if len(beginning) != 1:
        yield f"the middle holds {len(beginning)} statements, expected one"
        return
    statement = beginning[0]
    first_line = file.line_of(file.line_bounds(statement.start_byte)[1])
    later_lines = range(first_line + 1, file.line_of(end - 1) + 1)
    firsts = [first_visible(file, file.line_starts[line]) for line in later_lines if file.lines[line].strip(BLANKS)]
    if row["kind"] == "compound":
        if not any(_blocks_within(file, statement, offset) for offset in firsts):
            yield f"the {statement.type} holds no block"
        return
    if statement.start_byte != first:
        yield f"the {statement.type} does not begin with the cursor's line"
    yield from begins_inside(file, start)
    if any(is_text(node, file) and node.start_byte < start for node in file.ancestors(start, start + 1)):
        yield "the cursor is inside a string or comment"
    opened = [] if not firsts else _blocks_within(file, statement, firsts[0])
    cursor_line = file.line_of(start)
    if not any(file.line_of(node.start_byte) == cursor_line or node.start_byte == firsts[0] for node in opened):
        yield f"the line of the {statement.type} opens no block"


def _blocks_within(file: Original, statement: tree_sitter.Node, offset: int) -> list[tree_sitter.Node]:
    """The blocks around byte `offset` that begin inside a statement."""
    around = file.ancestors(offset, offset + 1)
    return [node for node in around if node.type in file.language.blocks and node.start_byte > statement.start_byte]


def _same_indent(file: Original, children: list[tree_sitter.Node], start: int, end: int) -> Iterator[str]:
    """All parts of the middle are indented like its first line: one further left would be its end."""
    base = file.indent(start)
    for child in children:
        if start <= child.start_byte < end and _begins_line(file, child) and file.indent(child.start_byte) != base:
            yield f"the {child.type} at byte {child.start_byte} is not indented like the middle's first line, by {base!r}"
            return


def _begins_line(file: Original, child: tree_sitter.Node) -> bool:
    """Whether a node is the first visible one on its line."""
    return not file.content[file.line_bounds(child.start_byte)[0] : child.start_byte].strip(BLANKS)


def _parted_heads(file: Original, children: list[tree_sitter.Node], cuts: tuple[int, ...]) -> Iterator[str]:
    """None of the offsets `cuts` parts a comment or attribute from the statement right below, to which it belongs."""
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
