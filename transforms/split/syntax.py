"""A parsed file, asked about one place at a time.

Nothing here walks the whole tree: a place is looked up by descending from the root, so splitting costs a few dozen
descents a file whatever its size. Trees may be 100,000 nodes deep, so nothing recurses either.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

import tree_sitter

from stackfim.transforms.languages import BRACKETS, LANGUAGES, SupportedLanguage, kind_ids
from stackfim.transforms.lines import BLANKS, Indent, Lines, compare_indents

_CLOSERS = frozenset(BRACKETS.values())


class Unit(NamedTuple):
    """Consecutive children of a block that share lines or belong together: a statement with its comments and attributes."""

    start: int
    end: int
    start_row: int
    end_row: int
    statement: tree_sitter.Node | None
    """The last statement of it; None for comments that stand alone."""
    whole_lines: bool
    """Whether it begins with the first visible byte of its first line and ends with the last one of its last."""
    ends_in_extra: bool
    """Whether a comment, or what else the grammar allows anywhere, stands after the statement."""
    has_error: bool
    """Whether it holds a syntax error, a bracket without its partner, or errors elsewhere in the file may reach it."""


class Units(Sequence[Unit]):
    """The units of a block, each made when it is asked for: a module may have thousands and a site looks at a few."""

    def __init__(
        self, lines: Lines, language: SupportedLanguage, groups: list[list[tree_sitter.Node]], all_wrong: bool = False
    ) -> None:
        # No reference to the file: a cycle would leave its tree to the garbage collector, which frees a tree before
        # its nodes and crashes.
        self._lines = lines
        self._language = language
        self._all_wrong = all_wrong
        self._groups = groups
        self._made: dict[int, Unit] = {}
        self.starts = [group[0].start_byte for group in groups]
        """First byte of each unit."""

    def __len__(self) -> int:
        return len(self._groups)

    def first_rows(self, first: int, last: int) -> Iterator[int]:
        """The rows that begin with a statement, comment or attribute of the units `first` to `last`."""
        for group in self._groups[first : last + 1]:
            for child in group:
                row = child.start_point.row
                if child.is_named and self._lines.first_visible(row) == child.start_byte:
                    yield row

    @overload
    def __getitem__(self, position: int) -> Unit: ...

    @overload
    def __getitem__(self, position: slice) -> list[Unit]: ...

    def __getitem__(self, position: int | slice) -> Unit | list[Unit]:
        if isinstance(position, slice):
            return [self[index] for index in range(*position.indices(len(self)))]
        known = self._made.get(position)
        if known is not None:
            return known
        index = range(len(self))[position]
        unit = _unit(self._groups[index], self._lines, self._language)
        if self._all_wrong:
            unit = unit._replace(has_error=True)
        self._made[index] = unit
        return unit


class ParsedFile:
    """Content, lines and tree of a file, with lookups by byte."""

    def __init__(self, content: bytes, language: str, tree: tree_sitter.Tree, lines: Lines) -> None:
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
        # By node: a node that is looked up again is another object, with a list of children of its own, and an array has
        # tens of thousands.
        self._children: dict[int, list[tree_sitter.Node]] = {}
        self._brackets: dict[int, list[tree_sitter.Node]] = {}
        self._header_rows: dict[int, int | None] = {}

    def path(self, offset: int) -> list[tree_sitter.Node]:
        """The nodes that hold byte `offset`, from the root to a leaf. Not to be changed: later calls give the same list."""
        known = self._paths.get(offset)
        if known is not None:
            return known
        # From where the path looked up before parts from this one: most look-ups are near the last one.
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
        """The field of `parent` that a child, which is not empty, is in; None where it is in none."""
        self._cursor.reset(parent)
        self._cursor.goto_first_child_for_byte(child.start_byte)
        return self._cursor.field_name

    def in_multi_line_token(self, path: list[tree_sitter.Node], offset: int) -> bool:
        """Whether `offset` is inside a string, comment or other token that began on an earlier line or goes on on a later one."""
        row = self.lines.row_of(offset)
        opaque = self._ids.opaque
        for node in path:
            if node.kind_id in opaque and self._reaches_out(node, offset, row):
                return True
        leaf = path[-1]
        return leaf.child_count == 0 and self._reaches_out(leaf, offset, row)

    def visible_end(self, node: tree_sitter.Node) -> int:
        """Byte after the last visible one of a node."""
        return _visible_end(node.start_byte, node.end_byte, self.content)

    def in_comment(self, offset: int) -> bool:
        """Whether byte `offset` is part of a comment."""
        return any(node.kind_id in self._ids.comments for node in self.path(offset))

    def _reaches_out(self, node: tree_sitter.Node, offset: int, row: int) -> bool:
        """Whether `offset`, on `row`, is inside a node that is on other lines too."""
        return node.start_byte < offset and (node.start_point.row < row or last_row(node, self.lines) > row)

    def is_logical_line(self, row: int, path: list[tree_sitter.Node]) -> bool:
        """Whether a visible row starts a logical line; `path` leads to its first visible byte.

        Not so inside a multi-line token, nor inside a bracket that an earlier row of the same innermost statement
        opened. The delimiters of blocks are no such brackets.
        """
        offset = self.lines.first_visible(row)
        if self.in_multi_line_token(path, offset):
            return False
        for index in range(len(path) - 1, 0, -1):
            parent, child = path[index - 1], path[index]
            if parent.kind_id in self._ids.blocks:
                return True
            if child.kind_id in self._ids.labels:
                return True
            if self._inside_bracket(parent, child, row):
                return child.type in _CLOSERS and self._closes_block(parent)
        return True

    def _children_of(self, node: tree_sitter.Node) -> list[tree_sitter.Node]:
        """The children of a node. Not to be changed."""
        known = self._children.get(node.id)
        if known is None:
            known = self._children[node.id] = node.children
        return known

    def _inside_bracket(self, parent: tree_sitter.Node, child: tree_sitter.Node, row: int) -> bool:
        """Whether a bracket of `parent` that was opened before `row` is open at `child`."""
        brackets = self._brackets.get(parent.id)
        if brackets is None:
            brackets = self._brackets[parent.id] = [
                token for token in self._children_of(parent) if token.type in BRACKETS or token.type in _CLOSERS
            ]
        depth = 0
        for bracket in brackets:
            if bracket.start_byte >= child.start_byte:
                break
            if bracket.type in _CLOSERS:
                depth = max(depth - 1, 0)
            elif bracket.start_point.row < row:
                depth += 1
        return depth > 0

    def _closes_block(self, node: tree_sitter.Node) -> bool:
        """Whether a node's brackets are the delimiters of a block: itself one, or around one."""
        return any(child.type in self.language.blocks for child in node.named_children)

    def next_logical_row(self, row: int) -> int | None:
        """The first logical line after `row`; None where there is none."""
        later = self.lines.next_visible_row(row)
        while later is not None:
            if self.is_logical_line(later, self.path(self.lines.first_visible(later))):
                return later
            later = self.lines.next_visible_row(later)
        return None

    def next_indent(self, row: int, base_row: int) -> Indent | None:
        """How the next logical line after `row` is indented beside `base_row`; None where nothing visible follows."""
        later = self.next_logical_row(row)
        if later is None:
            return None if self.lines.next_visible_row(row) is None else Indent.INCOMPARABLE
        return compare_indents(self.lines.indent(later), self.lines.indent(base_row))

    def blocks(self, path: list[tree_sitter.Node]) -> list[int]:
        """Indices into `path` of the blocks on it, innermost first; a path through an error is cut there."""
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
                self._group(children),
                self.language.sound_trees_only and self._root.has_error,
            )
        return known

    def unit_at(self, path: list[tree_sitter.Node], index: int, offset: int) -> int | None:
        """Index of the unit of block `path[index]` that holds byte `offset`."""
        units = self.units(path, index)
        position = bisect_right(units.starts, offset) - 1
        return position if position >= 0 and offset < units[position].end else None

    def unit_starting_at(self, path: list[tree_sitter.Node], offset: int) -> tuple[int, int] | None:
        """Index into `path`, which leads to `offset`, of the block with a unit that begins there, and the unit's position."""
        for index in self.blocks(path):
            # What begins later on the path than the offset's own child of the block begins no unit of it.
            if index + 1 < len(path) and path[index + 1].start_byte == offset:
                starts = self.units(path, index).starts
                position = bisect_right(starts, offset) - 1
                if position >= 0 and starts[position] == offset:
                    return index, position
        return None

    def header_row(self, path: list[tree_sitter.Node], index: int) -> int | None:
        """The row of the last token before a block's first statement: what opens the block.

        None for a root, and for a block without a delimiter whose first statement begins on that row: `let a = 1`.
        """
        block_id = path[index].id
        if block_id not in self._header_rows:
            self._header_rows[block_id] = self._find_header_row(path, index)
        return self._header_rows[block_id]

    def _find_header_row(self, path: list[tree_sitter.Node], index: int) -> int | None:
        row = self._opener_row(path, index)
        block = path[index]
        if row is None or self._label_end(block) or _begins_with_bracket(block):
            return row
        # Some grammars let a block begin with the blanks before it.
        first_row = self.lines.row_of(block.start_byte)
        if self.lines.last_visible(first_row) <= block.start_byte:
            return row
        return None if first_row == row else row

    def _opener_row(self, path: list[tree_sitter.Node], index: int) -> int | None:
        """The row of the last token before a block's first statement; None for what no line opens, such as a root."""
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
            return last_row(opener, self.lines)
        if index == 1:
            return None  # such as Haskell's declarations: no line opens them
        # The block has no delimiter of its own: what stands before it in its parent opens it.
        before = [
            child
            for child in self._children_of(path[index - 1])
            if child.end_byte <= block.start_byte and not is_comment(child)
        ]
        return last_row(before[-1], self.lines) if before else None

    def scope(self, path: list[tree_sitter.Node]) -> str:
        """Names of the definitions on a path, outermost first, dotted."""
        names = [_name_of(node) for node in path if node.type in self.language.scopes]
        # Never Node.text: it crashes on a tree that was parsed through a read callable.
        return ".".join(
            self.content[name.start_byte : name.end_byte].decode("utf-8", "replace")
            for name in names
            if name and name.end_byte > name.start_byte  # a parser that recovers makes up names without a letter
        )

    def leaves(self, start: int, end: int) -> list[tree_sitter.Node]:
        """The tokens that begin in [start, end), in order; comments in one piece, though Rust's have parts."""
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
        """Brackets that the tokens of [start, end) open less those that they close."""
        return sum(map(bracket_step, self.leaves(start, end)))

    def _leading_comments(self, path: list[tree_sitter.Node], index: int) -> list[tree_sitter.Node]:
        """Comments between a block without delimiters and the line that opens it: the grammar puts them outside."""
        block = path[index]
        if index == 0 or _begins_with_bracket(block):
            return []
        before: list[tree_sitter.Node] = []
        for child in self._children_of(path[index - 1]):
            if child.start_byte >= block.start_byte:
                break
            before = [*before, child] if is_comment(child) else []
        header = self._opener_row(path, index)
        return [comment for comment in before if header is None or comment.start_point.row > header]

    def _label_end(self, block: tree_sitter.Node) -> str | None:
        """The token that ends a block's label or condition; None where the block has none: a lambda without parameters."""
        token = self.language.after_token.get(block.type)
        return token if token is not None and any(child.type == token for child in self._children_of(block)) else None

    def _statements(self, block: tree_sitter.Node) -> list[tree_sitter.Node]:
        """Children of a block without its delimiters, label and what stands before the statements."""
        all_children = children = self._children_of(block)
        token = self._label_end(block)
        first = next((position for position, child in enumerate(children) if child.type == token), -1)
        if token is not None:
            children = children[first + 1 :]
        elif children and children[0].type in BRACKETS:
            children = children[1:]
        opener_row = last_row(all_children[first], self.lines) if first >= 0 else block.start_point.row
        while (
            children
            and is_comment(children[0])
            and children[0].start_point.row == opener_row
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
            # To some grammars a line break is a token between statements.
            if child.end_byte > child.start_byte and child.type not in markers and child.type != "\n"
        ]

    def _group(self, children: list[tree_sitter.Node]) -> list[list[tree_sitter.Node]]:
        """Children that share a line, or are the head of the next one, together."""
        groups: list[list[tree_sitter.Node]] = []
        group: list[tree_sitter.Node] = []
        group_row = -1
        is_head = False
        for child in children:
            row = child.start_point.row
            joins = bool(group) and (row <= group_row or (is_head and row == group_row + 1))
            if not joins and group:
                groups.append(group)
                group = []
            same_row = bool(group) and row <= group_row
            group.append(child)
            group_row = max(group_row, last_row(child, self.lines)) if len(group) > 1 else last_row(child, self.lines)
            of_a_head = is_head and same_row and not child.is_named  # the colon of `private:`
            belongs_to_next = is_comment(child) or child.type in self.language.heads or of_a_head
            is_head = belongs_to_next and not (same_row and not is_head)
        if group:
            groups.append(group)
        return groups


def bracket_step(leaf: tree_sitter.Node) -> int:
    """1 for a token that opens a bracket, -1 for one that closes one, else 0."""
    # An opener may have a prefix, as in `${` and `#{`.
    return (not leaf.is_named and leaf.type[-1:] in BRACKETS) - (leaf.type[:1] in _CLOSERS)


def is_comment(node: tree_sitter.Node) -> bool:
    """Whether a node is a comment: an extra of the grammar that says so in its name."""
    return node.is_extra and "comment" in node.type


def last_row(node: tree_sitter.Node, lines: Lines) -> int:
    """The row of a node's last visible byte: some grammars let a node end after its line break."""
    end = node.end_byte
    if end > node.start_byte and lines.content[end - 1] not in BLANKS:
        return node.end_point.row
    return lines.row_of(max(_visible_end(node.start_byte, node.end_byte, lines.content) - 1, node.start_byte))


def _visible_end(start: int, end: int, content: bytes) -> int:
    while end > start and content[end - 1] in BLANKS:
        end -= 1
    return end


def _unit(group: list[tree_sitter.Node], lines: Lines, language: SupportedLanguage) -> Unit:
    """The unit of a group of children of a block."""
    start = group[0].start_byte
    end = _visible_end(start, max(child.end_byte for child in group), lines.content)
    start_row, end_row = group[0].start_point.row, lines.row_of(max(end - 1, start))
    statements = [
        child for child in group if child.is_named and not child.is_extra and child.type not in language.heads
    ]
    return Unit(
        start=start,
        end=end,
        start_row=start_row,
        end_row=end_row,
        statement=statements[-1] if statements else None,
        # A separator alone on its line belongs to the statement before it; a `&` changes what the statement does.
        whole_lines=lines.first_visible(start_row) == start
        and lines.last_visible(end_row) == end
        and (group[-1].is_named or (len(group) > 1 and group[-1].type in (";", ","))),
        ends_in_extra=group[-1].is_extra,
        has_error=any(child.has_error or child.is_error or child.is_missing for child in group)
        or _has_lone_bracket(group, language.lone_brackets),
    )


def _has_lone_bracket(group: list[tree_sitter.Node], kinds: frozenset[str]) -> bool:
    """Whether nodes hold one of `kinds` with more brackets of one side than of the other."""
    stack = list(group) if kinds else []
    while stack:
        node = stack.pop()
        if node.type in kinds:
            tokens = [child.type for child in node.children if not child.is_named]
            if sum((token[-1:] in BRACKETS) - (token[:1] in _CLOSERS) for token in tokens):
                return True
        stack += node.named_children
    return False


def _begins_with_bracket(block: tree_sitter.Node) -> bool:
    first = block.child(0)
    return first is not None and first.type in BRACKETS


def _name_of(node: tree_sitter.Node) -> tree_sitter.Node | None:
    """The name that a definition gives, through C's declarators."""
    for name in ("name", "declarator", "type"):
        found = node.child_by_field_name(name)
        while found is not None and found.child_by_field_name("declarator") is not None:
            found = found.child_by_field_name("declarator")
        if found is not None:
            return None if found.type.endswith("_pattern") else found
    return None
