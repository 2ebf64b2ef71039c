"""A file as it was before it was split: what the verifier reads off its content and tree about one place at a time.

It goes by node ranges and text alone, and finds lines and statements by other means than the splitter (transforms/lines.py,
transforms/split/syntax.py), whose mistakes it has to catch. A statement is a named child of a node of a block kind; the kinds
are those of the language table, which both share.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter

from stackfim.transforms.languages import LANGUAGES, SupportedLanguage
from stackfim.transforms.split.parser import BudgetedParser

OPENERS, CLOSERS = ("(", "[", "{"), (")", "]", "}")
BLANKS = b" \t\r\f\v"


@dataclass(frozen=True)
class LogicalLine:
    """The next line whose indent may show that a middle ends."""

    indent: bytes
    """Its leading spaces and tabs."""
    is_logical: bool
    """False where visible text follows, but no line of it is a logical one."""


class Original:
    """Content, lines and tree of a file."""

    def __init__(self, content: bytes, language: str, parser: BudgetedParser) -> None:
        """Parses a file in a supported language. Raises ParseRefused (transforms/split/parser.py)."""
        self.content = content
        self.language: SupportedLanguage = LANGUAGES[language]
        self.parser = parser
        self.tree = parser.parse(content)
        self.lines = content.split(b"\n")
        self.line_starts = [0]
        for line in self.lines[:-1]:
            self.line_starts.append(self.line_starts[-1] + len(line) + 1)

    def line_of(self, offset: int) -> int:
        """The line of a byte, counted from 0."""
        return self.content.count(b"\n", 0, offset)

    def point(self, offset: int) -> tuple[int, int]:
        """Line and column of a byte; columns are bytes."""
        return self.line_of(offset), offset - (self.content.rfind(b"\n", 0, offset) + 1)

    def line_bounds(self, offset: int) -> tuple[int, int]:
        """First byte of the line of `offset`, and the byte after the line, without its line break."""
        start = self.content.rfind(b"\n", 0, offset) + 1
        end = self.content.find(b"\n", offset)
        end = len(self.content) if end < 0 else end
        return start, end - 1 if end > start and self.content[end - 1 : end] == b"\r" else end

    def indent(self, offset: int) -> bytes:
        """The leading spaces and tabs of the line of `offset`."""
        start, end = self.line_bounds(offset)
        line = self.content[start:end]
        return line[: len(line) - len(line.lstrip(b" \t"))]

    def visible_end(self, node: tree_sitter.Node) -> int:
        """Byte after the last visible one of a node: some grammars let a node end after its line break."""
        return node.start_byte + len(self.content[node.start_byte : node.end_byte].rstrip())

    def is_comment(self, node: tree_sitter.Node) -> bool:
        """Whether a node is a comment."""
        return node.is_extra and "comment" in node.type

    def ancestors(self, start: int, end: int) -> list[tree_sitter.Node]:
        """The smallest node that holds [start, end) and its ancestors, smallest first."""
        target = self.tree.root_node.descendant_for_byte_range(start, max(end, start))
        chain: list[tree_sitter.Node] = []
        if target is None:
            return chain
        current: tree_sitter.Node | None = self.tree.root_node
        while current is not None and current.id != target.id:
            chain.append(current)
            current = current.child_with_descendant(target)
        chain.append(target)
        return chain[::-1]

    def tokens(self, start: int, end: int) -> Iterator[tree_sitter.Node]:
        """Leaves that begin in [start, end), in order; a comment is one token."""
        stack = self.ancestors(start, end)[:1]
        while stack:
            node = stack.pop()
            if node.end_byte <= start or node.start_byte >= end:
                continue
            if node.child_count and not self.is_comment(node):
                stack += reversed(node.children)
            elif node.start_byte >= start and node.end_byte > node.start_byte:  # a missing token has no width
                yield node

    def code_tokens(self, start: int, end: int) -> Iterator[tree_sitter.Node]:
        """The tokens of [start, end), without comments."""
        return (leaf for leaf in self.tokens(start, end) if not self.is_comment(leaf))

    def bracket_balance(self, start: int, end: int) -> tuple[int, int]:
        """How many brackets the tokens of [start, end) open, less those that they close; and the lowest such balance on the way."""
        delta = lowest = 0
        for leaf in self.tokens(start, end):
            # An opener may have a prefix, as in `${` and `#{`.
            delta += (not leaf.is_named and leaf.type[-1:] in OPENERS) - (leaf.type[:1] in CLOSERS)
            lowest = min(lowest, delta)
        return delta, lowest

    def token_around(self, offset: int) -> tree_sitter.Node | None:
        """The string, comment or other token of several lines around byte `offset`, begun before it; None without one."""
        for node in self.ancestors(offset, offset + 1):
            visible_end = self.visible_end(node)
            inside = node.start_byte < offset < visible_end
            if inside and self._is_text(node) and b"\n" in self.content[node.start_byte : visible_end]:
                return node
        return None

    def statements(self, block: tree_sitter.Node) -> list[tree_sitter.Node]:
        """The statements and comments of a block, without its label and clauses of the statement around it."""
        children = block.children
        label = self.language.after_token.get(block.type)
        positions = [position for position, child in enumerate(children) if child.type == label]
        children = children[positions[0] + 1 :] if positions else children
        found: list[tree_sitter.Node] = []
        for child in children:
            if child.type in self.language.clauses:
                break
            if child.is_named and child.end_byte > child.start_byte and child.type not in self.language.markers:
                found.append(child)
        return found

    def is_real(self, child: tree_sitter.Node) -> bool:
        """Whether a child of a block is a statement itself, not a comment or the head of the next statement."""
        return not self.is_comment(child) and child.type not in self.language.heads

    def block_around(self, start: int, end: int) -> tree_sitter.Node | None:
        """The smallest block that holds the statements of [start, end), with its delimiters and label outside; None without one.

        Comments before the first statement do not count: grammars put some of them outside the block.
        """
        first = next(self.code_tokens(start, end), None)
        for node in self.ancestors(start if first is None else first.start_byte, end):
            if node.type in self.language.blocks:
                own = node.child(0) if node.child_count else None
                if own is None or own.start_byte < start or any(own.id == child.id for child in self.statements(node)):
                    return node
        return None

    def statement_at(self, offset: int) -> tuple[tree_sitter.Node, tree_sitter.Node] | None:
        """The outermost statement that begins at byte `offset`, and its block; None without one."""
        for node in reversed(self.ancestors(offset, offset + 1)):
            if node.type in self.language.blocks and node.start_byte <= offset:
                for child in self.statements(node):
                    if child.start_byte == offset and not self.is_comment(child):
                        return child, node
        return None

    def statement_ending_at(self, offset: int) -> tree_sitter.Node | None:
        """The innermost statement that ends at byte `offset`, with a separator after it; None without one."""
        for child, parent in itertools.pairwise(self.ancestors(offset - 1, offset)):
            if parent.type not in self.language.blocks or self.visible_end(child) != offset:
                continue
            if child.is_named and not child.is_extra:
                return None if child.type in self.language.markers else child
            if child.type in (";", ","):
                before = [
                    other
                    for other in self.statements(parent)
                    if other.end_byte <= child.start_byte and not other.is_extra
                ]
                if before:
                    return before[-1]
        return None

    def opened_block(self, statement: tree_sitter.Node, line_end: int) -> int | None:
        """First byte of the block that a line of `statement`, which ends at byte `line_end`, opens; None where it opens none.

        That is a comment where the grammar puts it inside the block, else the block's first statement.
        """
        for line_number in range(self.line_of(line_end) + 1, self.line_of(statement.end_byte) + 1):
            line = self.lines[line_number]
            offset = self.line_starts[line_number] + len(line) - len(line.lstrip(BLANKS))
            if not line.strip(BLANKS):
                continue
            chain = self.ancestors(offset, offset + 1)
            for node in chain:
                if node.type in self.language.blocks and node.start_byte > statement.start_byte:
                    if offset in [child.start_byte for child in self.statements(node)[:1]]:
                        return offset
                    real = [child.start_byte for child in self.statements(node) if not self.is_comment(child)]
                    if offset in real[:1]:
                        return offset
            if not any(map(self.is_comment, chain)):
                return None
        return None

    def comment_above(self, offset: int, *, beyond_blanks: bool) -> tree_sitter.Node | None:
        """The comment alone on the line above that of `offset`, or above blank lines too with `beyond_blanks`; None without one."""
        line_number = self.line_of(offset) - 1
        while beyond_blanks and line_number > 0 and not self.lines[line_number].strip(BLANKS):
            line_number -= 1
        if line_number < 0 or not self.lines[line_number].strip(BLANKS):
            return None
        last = self.line_starts[line_number] + len(self.lines[line_number].rstrip(BLANKS)) - 1
        chain = self.ancestors(last, last + 1)
        comment = next((node for node in chain if self.is_comment(node)), None)
        if comment is None or self.content[self.line_bounds(comment.start_byte)[0] : comment.start_byte].strip():
            return None
        # Some grammars make a comment the end of the statement before it.
        of_another = any(node.start_byte < comment.start_byte and node.end_byte <= offset for node in chain)
        return None if of_another else comment

    def next_line(self, offset: int) -> LogicalLine | None:
        """The first logical line after the line of `offset`; None where nothing visible follows."""
        visible = False
        for line_number in range(self.line_of(offset) + 1, len(self.lines)):
            line = self.lines[line_number]
            rest = len(line.lstrip(BLANKS))
            if rest:
                visible = True
                if self._is_logical(self.line_starts[line_number] + len(line) - rest):
                    return LogicalLine(line[: len(line) - len(line.lstrip(b" \t"))], is_logical=True)
        return LogicalLine(b"", is_logical=False) if visible else None

    def _is_logical(self, offset: int) -> bool:
        """Whether a logical line begins at `offset`, the first visible byte of a line."""
        line_start = self.content.rfind(b"\n", 0, offset) + 1
        chain = self.ancestors(offset, offset + 1)
        if any(self._is_text(node) and node.start_byte < offset for node in chain):
            return False
        for child, parent in itertools.pairwise(chain):
            if parent.type in self.language.blocks or child.type in self.language.labels:
                return True
            opened = [part for part in parent.children if part.type in OPENERS and part.start_byte < line_start]
            closed = [part for part in parent.children if part.type in CLOSERS and part.end_byte <= offset]
            if len(opened) > len(closed):
                holds_block = any(part.type in self.language.blocks for part in parent.named_children)
                return child.type in CLOSERS and holds_block
        return True

    def _is_text(self, node: tree_sitter.Node) -> bool:
        """Whether a node is a token, or holds text instead of code."""
        return not node.child_count or node.type in self.language.opaque or self.is_comment(node)
