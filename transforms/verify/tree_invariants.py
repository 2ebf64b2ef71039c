"""Invariants that need the content and its tree: kinds, true ends, whole tokens, balance, the neutral hole.

Built on node ranges and text alone. A statement is a named child of a block kind; everything else is read off here
again, by other ways than the splitter's.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import tree_sitter

from schemas.example import EMPTY, MULTI_LINE
from transforms.split.languages import LANGUAGES, Language
from transforms.split.parser import BudgetedParser, ParseRefused
from transforms.verify.violation import Violation

Row = dict[str, Any]
_OPEN, _CLOSE = "([{", ")]}"


class Original:
    """A file as it was before it was split: content, rows and tree."""

    def __init__(self, content: bytes, language: str, parser: BudgetedParser) -> None:
        self.content = content
        self.language: Language = LANGUAGES[language]
        self.parser = parser
        self.tree = parser.parse(content)
        self.lines = content.split(b"\n")
        self.line_starts = [0]
        for line in self.lines[:-1]:
            self.line_starts.append(self.line_starts[-1] + len(line) + 1)

    def row_of(self, offset: int) -> int:
        """Row of a byte."""
        return self.content.count(b"\n", 0, offset)

    def line_bounds(self, offset: int) -> tuple[int, int]:
        """First byte of the line of `offset`, and the byte after it without its line break."""
        start = self.content.rfind(b"\n", 0, offset) + 1
        end = self.content.find(b"\n", offset)
        end = len(self.content) if end < 0 else end
        return start, end - 1 if end > start and self.content[end - 1 : end] == b"\r" else end

    def ancestors(self, start: int, end: int) -> list[tree_sitter.Node]:
        """The smallest node that holds [start, end) and its ancestors, smallest first."""
        node = self.tree.root_node.descendant_for_byte_range(start, max(end, start))
        chain: list[tree_sitter.Node] = []
        target = node
        if target is None:
            return chain
        current: tree_sitter.Node | None = self.tree.root_node
        while current is not None and current.id != target.id:
            chain.append(current)
            current = current.child_with_descendant(target)
        chain.append(target)
        return chain[::-1]

    def is_comment(self, node: tree_sitter.Node) -> bool:
        """Whether a node is a comment."""
        return node.is_extra and "comment" in node.type

    def token_around(self, offset: int) -> tree_sitter.Node | None:
        """The string, comment or other token that byte `offset` is inside of: it began before, and spans lines."""
        for node in self.ancestors(offset, offset + 1):
            text_like = not node.child_count or node.type in self.language.opaque or self.is_comment(node)
            visible = self.content[node.start_byte : node.end_byte].rstrip()
            if text_like and node.start_byte < offset < node.start_byte + len(visible) and b"\n" in visible:
                return node
        return None

    def block_around(self, start: int, end: int) -> tree_sitter.Node | None:
        """The smallest block that holds the statements of [start, end): its delimiters and label stand outside.

        Comments before the first statement do not count: grammars put some of them outside of the block.
        """
        first = next((leaf for leaf in _tokens(self, start, end) if not self.is_comment(leaf)), None)
        for node in self.ancestors(start if first is None else first.start_byte, end):
            if node.type in self.language.blocks:
                own = node.child(0)
                if (
                    own is None
                    or own.start_byte < start
                    or any(own.id == child.id for child in _statements(self, node))
                ):
                    return node
        return None


def _next_line(file: Original, offset: int) -> tuple[bytes, bytes] | None:
    """Indent and text of the first logical line after the line of `offset`; None at the end. Empty text: none is logical."""
    row = file.row_of(offset) + 1
    visible = False
    while row < len(file.lines):
        line = file.lines[row]
        stripped = line.lstrip(b" \t\r\f\v")
        if stripped:
            visible = True
            if _is_logical(file, file.line_starts[row] + len(line) - len(stripped)):
                return line[: len(line) - len(line.lstrip(b" \t"))], stripped
        row += 1
    return (b"", b"") if visible else None


def _is_logical(file: Original, offset: int) -> bool:
    """Whether a line whose first visible byte is `offset` starts a logical line."""
    line_start = file.content.rfind(b"\n", 0, offset) + 1
    chain = file.ancestors(offset, offset + 1)
    for node in chain:
        text_like = not node.child_count or node.type in file.language.opaque or file.is_comment(node)
        if text_like and node.start_byte < line_start:
            return False
        if text_like and node.start_byte < offset:
            return False
    for child, parent in itertools.pairwise(chain):
        if parent.type in file.language.blocks:
            return True
        open_before = [part for part in parent.children if part.type in tuple(_OPEN) and part.start_byte < line_start]
        closed = [part for part in parent.children if part.type in tuple(_CLOSE) and part.end_byte <= offset]
        if len(open_before) > len(closed):
            holds_block = any(part.type in file.language.blocks for part in parent.named_children)
            return child.type in tuple(_CLOSE) and holds_block
    return True


def _kind(row: Row, file: Original) -> Iterator[str]:
    start, end, kind = row["start_byte"], row["end_byte"], row["kind"]
    content = file.content
    line_start, line_end = file.line_bounds(start)
    before = content[line_start:start]
    if kind in ("blank_line", "block_body", "rest_of_block", "siblings") and before.strip(b" \t"):
        yield f"the cursor follows {before[-20:]!r}, expected line break and indent"
    if kind in ("token_to_eol", "blank_line"):
        if content[start:line_end].rstrip(b" \t\r\f\v") != content[start:end]:
            yield "the middle is not the line's rest"
        if kind == "token_to_eol":
            if not before.strip():
                yield "the cursor is not inside the line"
            chain = file.ancestors(start, start + 1)
            if not chain or chain[0].start_byte != start:
                yield "the cursor is not at the start of a token"
    if row["category"] == MULTI_LINE:
        body_end = start + len(content[start:end].rstrip())
        if content[body_end : file.line_bounds(body_end - 1)[1]].strip():
            yield "the middle does not end with its line"
        yield from _children(row, file, start, body_end)


def _children(row: Row, file: Original, start: int, end: int) -> Iterator[str]:
    """Whether the middle is a run of whole children of one block, and the kind's end is the block's."""
    block = file.block_around(start, end)
    kind = row["kind"]
    if block is None:
        yield "no block holds the middle"
        return
    children = _statements(file, block)
    for child in children:
        child_end = child.start_byte + len(file.content[child.start_byte : child.end_byte].rstrip())
        inside = child.start_byte >= start and child_end <= end
        outside = child_end <= start or child.start_byte >= end
        if not (inside or outside):
            yield f"the middle cuts a {child.type}"
    real = [child for child in children if not file.is_comment(child) and child.type not in file.language.heads]
    earlier = any(child.start_byte < start for child in real)
    later = any(child.start_byte >= end for child in real)
    if not any(start <= child.start_byte < end for child in real):
        yield "the middle holds no statement"
    if kind == "block_body" and (earlier or later):
        yield "block_body does not hold all statements of its block"
    if kind == "rest_of_block" and (later or not earlier):
        yield "rest_of_block is not the later part of its block"
    if kind == "siblings" and not later:
        yield "siblings has no statement after it in its block"


def _statements(file: Original, block: tree_sitter.Node) -> list[tree_sitter.Node]:
    """Named children of a block that are statements or comments: not its label, not clauses that continue the outer statement."""
    children = block.children
    label = file.language.after_token.get(block.type)
    positions = [position for position, child in enumerate(children) if child.type == label]
    children = children[positions[0] + 1 :] if positions else children
    found: list[tree_sitter.Node] = []
    for child in children:
        if child.type in file.language.clauses:
            break
        if child.is_named and child.end_byte > child.start_byte:
            found.append(child)
    return found


def _stop_reason(row: Row, file: Original) -> Iterator[str]:
    if row["category"] != MULTI_LINE:
        return
    start, end = row["start_byte"], row["end_byte"]
    last = start + len(file.content[start:end].rstrip()) - 1
    line_start, _ = file.line_bounds(start)
    base = file.content[line_start:start]
    following = _next_line(file, last)
    if following is None:
        wanted = "eof"
    elif not following[1]:
        wanted = "nothing: no logical line follows"
    elif following[0] != base and base.startswith(following[0]):
        wanted = "dedent"
    elif following[0] == base:
        wanted = "newline"
    else:
        wanted = f"nothing: the next line is indented by {following[0]!r}, the middle by {base!r}"
    if row["stop_reason"] != wanted:
        yield f"stop_reason is {row['stop_reason']}, the text says {wanted}"


def _whole_tokens(row: Row, file: Original) -> Iterator[str]:
    for name in ("start_byte", "end_byte"):
        around = file.token_around(row[name])
        if around is not None:
            yield f"{name} is inside a {around.type} of several lines"


def _balance(row: Row, file: Original) -> Iterator[str]:
    delta, lowest = 0, 0
    for leaf in _tokens(file, row["start_byte"], row["end_byte"]):
        # An opener may have a prefix, as in `${` and `#{`.
        delta += (not leaf.is_named and leaf.type[-1:] in tuple(_OPEN)) - (leaf.type[:1] in tuple(_CLOSE))
        lowest = min(lowest, delta)
    if delta != row["bracket_delta"]:
        yield f"bracket_delta is {row['bracket_delta']}, the middle's is {delta}"
    if row["category"] in (EMPTY, MULTI_LINE) and (delta or lowest):
        yield f"the middle is not balanced: {delta}"


def _tokens(file: Original, start: int, end: int) -> Iterator[tree_sitter.Node]:
    """Leaves that begin in [start, end), in order of the text: from the smallest node around it, by an explicit stack."""
    around = file.ancestors(start, end)
    stack = around[:1]
    while stack:
        node = stack.pop()
        if node.end_byte <= start or node.start_byte >= end:
            continue
        if node.child_count:
            stack += reversed(node.children)
        elif node.start_byte >= start and node.end_byte > node.start_byte:  # a missing token has no width
            yield node


def _neutral_hole(row: Row, file: Original) -> Iterator[str]:
    whole_line = row["kind"] == "blank_line"
    if row["edits"] or (row["category"] != MULTI_LINE and not whole_line):
        return
    start, end = row["start_byte"], row["end_byte"]
    body_end = start + len(file.content[start:end].rstrip())
    block = file.block_around(start, body_end)
    if whole_line:
        holder = next(
            (
                node
                for node in file.ancestors(start, start + 1)
                if node.type in file.language.blocks and node.start_byte <= start
            ),
            None,
        )
        statement = (
            None
            if holder is None
            else next((child for child in _statements(file, holder) if child.start_byte == start), None)
        )
        if (
            holder is None
            or statement is None
            or statement.start_byte + len(file.content[statement.start_byte : statement.end_byte].rstrip()) > body_end
        ):
            return  # the opener of a block owns what follows
        block = holder
    if block is None:
        yield "no block holds the middle"
        return
    empty = file.language.neutral_in.get(block.type, file.language.neutral).encode() + file.content[body_end:end]
    changed = file.content[:start] + empty + file.content[end:]
    before = file.tree.copy()
    row_number = file.row_of(start)
    column = start - (file.content.rfind(b"\n", 0, start) + 1)
    before.edit(
        start,
        end,
        start + len(empty),
        (row_number, column),
        _point(file.content, end),
        _point(changed, start + len(empty)),
    )
    try:
        after = file.parser.parse(changed)
    except ParseRefused as refused:
        yield f"with the middle left out the text does not parse: {refused}"
        return
    reach = start + len(empty) + 2
    for change in before.changed_ranges(after):
        if change.start_byte < start or change.end_byte > reach:
            yield f"without the middle the tree changes at bytes {change.start_byte}-{change.end_byte}, outside {start}-{reach}"
            return


def _point(content: bytes, offset: int) -> tuple[int, int]:
    return content.count(b"\n", 0, offset), offset - (content.rfind(b"\n", 0, offset) + 1)


def _silence(row: Row, file: Original) -> Iterator[str]:
    """EMPTY after a statement: it ends here, nothing of it follows, and the next logical line is not deeper."""
    if row["kind"] != "after_statement":
        return
    start = row["start_byte"]
    _line_start, line_end = file.line_bounds(start)
    if file.content[start:line_end].strip():
        yield "the rest of the line is not blank"
        return
    ending = _statement_ending(file, start)
    if ending is None:
        yield "no complete statement ends at the cursor"
        return
    if ending.has_error:
        yield f"the {ending.type} before the cursor has a syntax error"
    following = _next_line(file, start)
    first_line_start, _ = file.line_bounds(ending.start_byte)
    first = file.content[first_line_start : ending.start_byte]
    base = first[: len(first) - len(first.lstrip(b" \t"))]
    if following is not None and following[1] and not base.startswith(following[0]):
        yield f"the next line is indented by {following[0]!r}, the statement by {base!r}"


def _statement_ending(file: Original, offset: int) -> tree_sitter.Node | None:
    """The innermost statement that ends at `offset`, a separator after it counted in."""
    chain = file.ancestors(offset - 1, offset)
    for child, parent in itertools.pairwise(chain):
        if parent.type not in file.language.blocks or child.end_byte < offset:
            continue
        if child.is_named and not child.is_extra:
            return child
        if child.type in (";", ","):
            before = [
                other
                for other in _statements(file, parent)
                if other.end_byte <= child.start_byte and not other.is_extra
            ]
            if before:
                return before[-1]
    return None


TREE_INVARIANTS: dict[str, Callable[[Row, Original], Iterator[str]]] = {
    "kind": _kind,
    "stop_reason": _stop_reason,
    "whole_tokens": _whole_tokens,
    "balance": _balance,
    "neutral_hole": _neutral_hole,
    "silence": _silence,
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
