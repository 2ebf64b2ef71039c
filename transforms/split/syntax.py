"""A parsed file that answers questions about one place at a time.

Nothing here walks the whole tree: a place is found by descending from the root, so splitting takes a few dozen descents per
file whatever its size. Trees may be 100,000 nodes deep, so nothing recurses either.
"""

from bisect import bisect_right

import tree_sitter

from stackfim.transforms.languages import BRACKETS, LANGUAGES, SupportedLanguage, kind_ids
from stackfim.transforms.lines import Indent, Lines, compare_indents
from stackfim.transforms.split.nodes import (
    CLOSING_BRACKETS,
    begins_with_bracket,
    bracket_step,
    is_comment,
    last_line,
    name_of,
    visible_end,
)
from stackfim.transforms.split.units import Units


class ParsedFile:
    """Content, lines and tree of a file, with look-ups by byte."""

    def __init__(self, content: bytes, language: str, tree: tree_sitter.Tree, lines: Lines) -> None:
        """A file in a supported language; `tree` and `lines` are those of `content`."""
        self.content = content
        self.language: SupportedLanguage = LANGUAGES[language]
        self.tree = tree
        self.lines = lines
        self._ids = kind_ids(language)
        self._cursor = tree.walk()
        self._units: dict[int, Units] = {}
        self._root = tree.root_node
        self._paths: dict[int, list[tree_sitter.Node]] = {}
        self._last_path = [self._root]
        self._last_starts = [self._root.start_byte]
        self._last_ends = [self._root.end_byte]
        # By node id: a node that is looked up again is another object with its own list of children, and an array may have tens
        # of thousands.
        self._children: dict[int, list[tree_sitter.Node]] = {}
        self._brackets: dict[int, list[tree_sitter.Node]] = {}
        self._header_lines: dict[int, int | None] = {}

    def path(self, offset: int) -> list[tree_sitter.Node]:
        """The nodes that hold byte `offset`, from the root to a leaf. Do not change the list: later calls return it again."""
        known = self._paths.get(offset)
        if known is not None:
            return known
        # Most look-ups are near the one before, so the descent begins where the two paths part.
        shared = 1
        starts, ends = self._last_starts, self._last_ends
        while shared < len(ends) and starts[shared] <= offset < ends[shared]:
            shared += 1
        nodes = self._last_path[:shared]
        del starts[shared:], ends[shared:]
        cursor = self._cursor
        cursor.reset(nodes[-1])
        while cursor.goto_first_child_for_byte(offset) is not None:
            node = cursor.node
            if node is None or node.start_byte > offset:
                break
            nodes.append(node)
            starts.append(node.start_byte)
            ends.append(node.end_byte)
        self._paths[offset] = self._last_path = nodes
        return nodes

    def field_of(self, parent: tree_sitter.Node, child: tree_sitter.Node) -> str | None:
        """The field of `parent` that holds a child of at least one byte; None where no field does."""
        self._cursor.reset(parent)
        self._cursor.goto_first_child_for_byte(child.start_byte)
        return self._cursor.field_name

    def in_multi_line_token(self, path: list[tree_sitter.Node], offset: int) -> bool:
        """Whether `offset` is inside a string, comment or other token that also has an earlier or a later line."""
        line = self.lines.line_of(offset)
        opaque = self._ids.opaque
        for node in path:
            if node.kind_id in opaque and self._reaches_out(node, offset, line):
                return True
        leaf = path[-1]
        return leaf.child_count == 0 and self._reaches_out(leaf, offset, line)

    def visible_end(self, node: tree_sitter.Node) -> int:
        """Byte after the last visible one of a node."""
        return visible_end(node.start_byte, node.end_byte, self.content)

    def in_comment(self, offset: int) -> bool:
        """Whether byte `offset` is part of a comment."""
        return any(node.kind_id in self._ids.comments for node in self.path(offset))

    def _reaches_out(self, node: tree_sitter.Node, offset: int, line: int) -> bool:
        """Whether `offset`, on `line`, is inside a node that has other lines too."""
        return node.start_byte < offset and (node.start_point.row < line or last_line(node, self.lines) > line)

    def is_logical_line(self, line: int, path: list[tree_sitter.Node]) -> bool:
        """Whether a visible line starts a logical line; `path` leads to its first visible byte.

        It does not inside a multi-line token, nor inside a bracket that an earlier line of the same innermost statement
        opened. The delimiters of blocks do not count as such brackets.
        """
        offset = self.lines.first_visible(line)
        if self.in_multi_line_token(path, offset):
            return False
        for index in range(len(path) - 1, 0, -1):
            parent, child = path[index - 1], path[index]
            if parent.kind_id in self._ids.blocks:
                return True
            if child.kind_id in self._ids.labels:
                return True
            if self._inside_bracket(parent, child, line):
                return child.type in CLOSING_BRACKETS and self._closes_block(parent)
        return True

    def _children_of(self, node: tree_sitter.Node) -> list[tree_sitter.Node]:
        """The children of a node. Do not change the list: later calls return it again."""
        known = self._children.get(node.id)
        if known is None:
            known = self._children[node.id] = node.children
        return known

    def _inside_bracket(self, parent: tree_sitter.Node, child: tree_sitter.Node, line: int) -> bool:
        """Whether a bracket of `parent` that was opened before `line` is open at `child`."""
        brackets = self._brackets.get(parent.id)
        if brackets is None:
            brackets = self._brackets[parent.id] = [
                token for token in self._children_of(parent) if token.type in BRACKETS or token.type in CLOSING_BRACKETS
            ]
        depth = 0
        for bracket in brackets:
            if bracket.start_byte >= child.start_byte:
                break
            if bracket.type in CLOSING_BRACKETS:
                depth = max(depth - 1, 0)
            elif bracket.start_point.row < line:
                depth += 1
        return depth > 0

    def _closes_block(self, node: tree_sitter.Node) -> bool:
        """Whether a node's brackets are the delimiters of a block that is one of its children."""
        return any(child.type in self.language.blocks for child in node.named_children)

    def next_logical_line(self, line: int) -> int | None:
        """The first logical line after `line`; None where there is none."""
        later = self.lines.next_visible_line(line)
        while later is not None:
            if self.is_logical_line(later, self.path(self.lines.first_visible(later))):
                return later
            later = self.lines.next_visible_line(later)
        return None

    def next_indent(self, line: int, base_line: int) -> Indent | None:
        """How the next logical line after `line` is indented beside `base_line`; None where nothing visible follows."""
        later = self.next_logical_line(line)
        if later is None:
            return None if self.lines.next_visible_line(line) is None else Indent.INCOMPARABLE
        return compare_indents(self.lines.indent(later), self.lines.indent(base_line))

    def blocks(self, path: list[tree_sitter.Node]) -> list[int]:
        """Indices into `path` of the blocks on it, innermost first; none where the path leads through an error."""
        found: list[int] = []
        for index in range(len(path) - 1, -1, -1):
            if path[index].is_error:
                return []
            if path[index].kind_id in self._ids.blocks:
                found.append(index)
        return found

    def units(self, path: list[tree_sitter.Node], index: int) -> Units:
        """The units of the block `path[index]`, in order."""
        block = path[index]
        known = self._units.get(block.id)
        if known is None:
            children = self._leading_comments(path, index) + self._statements(block)
            known = self._units[block.id] = Units(
                self.lines,
                self.language,
                children,
                self.language.sound_trees_only and self._root.has_error,
            )
        return known

    def unit_at(self, path: list[tree_sitter.Node], index: int, offset: int) -> int | None:
        """The position of the unit of block `path[index]` that holds byte `offset`; None where none does."""
        units = self.units(path, index)
        position = bisect_right(units.starts, offset) - 1
        return position if position >= 0 and offset < units[position].end else None

    def unit_starting_at(self, path: list[tree_sitter.Node], offset: int) -> tuple[int, int] | None:
        """The index into `path`, which leads to `offset`, of the block with a unit that begins there, and the unit's position."""
        for index in self.blocks(path):
            # A unit of the block can begin there only if the block's child on the path does.
            if index + 1 < len(path) and path[index + 1].start_byte == offset:
                starts = self.units(path, index).starts
                position = bisect_right(starts, offset) - 1
                if position >= 0 and starts[position] == offset:
                    return index, position
        return None

    def header_line(self, path: list[tree_sitter.Node], index: int) -> int | None:
        """The line that opens a block: that of the last token before its first statement.

        None for a root, and for a block without a delimiter whose first statement begins on that line: `let a = 1`.
        """
        block_id = path[index].id
        if block_id not in self._header_lines:
            self._header_lines[block_id] = self._find_header_line(path, index)
        return self._header_lines[block_id]

    def _find_header_line(self, path: list[tree_sitter.Node], index: int) -> int | None:
        line = self._opener_line(path, index)
        block = path[index]
        if line is None or self._label_end(block) or begins_with_bracket(block):
            return line
        # Some grammars let a block begin with the blanks before it.
        first_line = self.lines.line_of(block.start_byte)
        if self.lines.last_visible(first_line) <= block.start_byte:
            return line
        return None if first_line == line else line

    def _opener_line(self, path: list[tree_sitter.Node], index: int) -> int | None:
        """The line of the last token before a block's first statement; None for a block that no line opens, such as a root."""
        block = path[index]
        if index == 0:
            return None
        token = self._label_end(block)
        opener: tree_sitter.Node | None = None
        for child in self._children_of(block):
            if child.is_named and token is None:
                break
            opener = child
            if child.type == token:
                break
        if opener is not None and (opener.type == token or opener.type in BRACKETS):
            return last_line(opener, self.lines)
        if index == 1:
            return None  # such as Haskell's declarations: no line opens them
        # A block without a delimiter of its own is opened by what stands before it in its parent.
        before = [
            child
            for child in self._children_of(path[index - 1])
            if child.end_byte <= block.start_byte and not is_comment(child)
        ]
        return last_line(before[-1], self.lines) if before else None

    def scope(self, path: list[tree_sitter.Node]) -> str:
        """Names of the definitions on a path, outermost first, dotted."""
        names = [name_of(node) for node in path if node.type in self.language.scopes]
        # Never Node.text: it crashes on a tree that was parsed through a read callable.
        return ".".join(
            self.content[name.start_byte : name.end_byte].decode("utf-8", "replace")
            for name in names
            if name and name.end_byte > name.start_byte  # error recovery inserts names without a letter
        )

    def leaves(self, start: int, end: int) -> list[tree_sitter.Node]:
        """The tokens that begin in [start, end), in order. A comment is one token, although Rust's have parts."""
        cursor = self._cursor
        cursor.reset(self._root)
        comments = self._ids.comments
        while cursor.goto_first_child_for_byte(start) is not None:
            if cursor.node is not None and cursor.node.kind_id in comments:
                break
        found: list[tree_sitter.Node] = []
        while True:
            node = cursor.node
            if node is None or node.start_byte >= end:
                return found
            is_token = node.child_count == 0 or node.kind_id in comments
            if is_token and node.start_byte >= start and node.end_byte > node.start_byte:
                found.append(node)
            if not is_token and node.end_byte > start and cursor.goto_first_child():
                continue
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return found

    def bracket_delta(self, start: int, end: int) -> int:
        """How many brackets the tokens of [start, end) open, less those that they close."""
        return sum(map(bracket_step, self.leaves(start, end)))

    def _leading_comments(self, path: list[tree_sitter.Node], index: int) -> list[tree_sitter.Node]:
        """Comments between a block without delimiters and the line that opens it: the grammar puts them outside the block."""
        block = path[index]
        if index == 0 or begins_with_bracket(block):
            return []
        before: list[tree_sitter.Node] = []
        for child in self._children_of(path[index - 1]):
            if child.start_byte >= block.start_byte:
                break
            before = [*before, child] if is_comment(child) else []
        header = self._opener_line(path, index)
        return [comment for comment in before if header is None or comment.start_point.row > header]

    def _label_end(self, block: tree_sitter.Node) -> str | None:
        """The token that ends a block's label or condition; None for a block without, such as a lambda without parameters."""
        token = self.language.after_token.get(block.type)
        return token if token is not None and any(child.type == token for child in self._children_of(block)) else None

    def _statements(self, block: tree_sitter.Node) -> list[tree_sitter.Node]:
        """The children of a block from its first statement on, without delimiters and clauses of the statement around it."""
        all_children = children = self._children_of(block)
        token = self._label_end(block)
        first = next((position for position, child in enumerate(children) if child.type == token), -1)
        if token is not None:
            children = children[first + 1 :]
        elif children and children[0].type in BRACKETS:
            children = children[1:]
        opener_line = last_line(all_children[first], self.lines) if first >= 0 else block.start_point.row
        while (
            children
            and is_comment(children[0])
            and children[0].start_point.row == opener_line
            and len(children) < block.child_count
        ):
            children = children[1:]
        clause = next(
            (position for position, child in enumerate(children) if child.type in self.language.clauses), None
        )
        children = children[:clause]
        while children and not children[-1].is_named and children[-1].type not in (";", ","):
            children = children[:-1]
        markers = self.language.markers
        return [
            child
            for child in children
            # In some grammars a line break is a token between statements.
            if child.end_byte > child.start_byte and child.type not in markers and child.type != "\n"
        ]
