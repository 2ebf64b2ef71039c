"""The units of a block: statements together with the comments and attributes that belong to them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

import tree_sitter

from stackfim.transforms.languages import BRACKETS, SupportedLanguage
from stackfim.transforms.lines import Lines
from stackfim.transforms.split.nodes import CLOSING_BRACKETS, is_comment, last_line, visible_end


class Unit(NamedTuple):
    """Consecutive children of a block that share lines or belong together: a statement with its comments and attributes."""

    start: int
    end: int
    start_line: int
    end_line: int
    statement: tree_sitter.Node | None
    """The last statement of the unit; None where comments stand alone."""
    whole_lines: bool
    """Whether the unit begins with the first visible byte of its first line and ends with the last one of its last."""
    ends_in_extra: bool
    """Whether a comment, or something else that the grammar allows anywhere, follows the statement."""
    has_error: bool
    """Whether it holds a syntax error or a bracket without its partner, or errors elsewhere in the file may reach it."""


class Units(Sequence[Unit]):
    """The units of a block, each made when it is asked for: a module may have thousands, and a site looks at a few."""

    def __init__(
        self, lines: Lines, language: SupportedLanguage, children: list[tree_sitter.Node], all_wrong: bool = False
    ) -> None:
        """Groups the children of a block; with `all_wrong` every unit counts as one with an error."""
        # No reference to the file: in a cycle its tree would be left to the garbage collector, which frees a tree before its
        # nodes and crashes.
        self._lines = lines
        self._language = language
        self._all_wrong = all_wrong
        self._groups = _grouped(children, lines, language)
        self._made: dict[int, Unit] = {}
        self.starts = [group[0].start_byte for group in self._groups]
        """First byte of each unit."""

    def __len__(self) -> int:
        """Number of units."""
        return len(self._groups)

    def first_lines(self, first: int, last: int) -> Iterator[int]:
        """The lines that begin with a statement, comment or attribute of the units `first` to `last`."""
        for group in self._groups[first : last + 1]:
            for child in group:
                line = child.start_point.row
                if child.is_named and self._lines.first_visible(line) == child.start_byte:
                    yield line

    @overload
    def __getitem__(self, position: int) -> Unit: ...

    @overload
    def __getitem__(self, position: slice) -> list[Unit]: ...

    def __getitem__(self, position: int | slice) -> Unit | list[Unit]:
        """The unit at a position, or a list of those of a slice."""
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


def _grouped(
    children: list[tree_sitter.Node], lines: Lines, language: SupportedLanguage
) -> list[list[tree_sitter.Node]]:
    """Children that share a line, and heads with what they belong to on the next line, together."""
    groups: list[list[tree_sitter.Node]] = []
    group: list[tree_sitter.Node] = []
    group_line = -1
    is_head = False
    for child in children:
        line = child.start_point.row
        joins = bool(group) and (line <= group_line or (is_head and line == group_line + 1))
        if not joins and group:
            groups.append(group)
            group = []
        same_line = bool(group) and line <= group_line
        group.append(child)
        end_line = last_line(child, lines)
        group_line = max(group_line, end_line) if len(group) > 1 else end_line
        of_a_head = is_head and same_line and not child.is_named  # the colon of `private:`
        belongs_to_next = is_comment(child) or child.type in language.heads or of_a_head
        is_head = belongs_to_next and not (same_line and not is_head)
    if group:
        groups.append(group)
    return groups


def _unit(group: list[tree_sitter.Node], lines: Lines, language: SupportedLanguage) -> Unit:
    """The unit of a group of children of a block."""
    start = group[0].start_byte
    end = visible_end(start, max(child.end_byte for child in group), lines.content)
    start_line, end_line = group[0].start_point.row, lines.line_of(max(end - 1, start))
    statements = [
        child for child in group if child.is_named and not child.is_extra and child.type not in language.heads
    ]
    return Unit(
        start=start,
        end=end,
        start_line=start_line,
        end_line=end_line,
        statement=statements[-1] if statements else None,
        # A separator alone on its line belongs to the statement before it; a `&` changes what the statement does.
        whole_lines=lines.first_visible(start_line) == start
        and lines.last_visible(end_line) == end
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
            if sum((token[-1:] in BRACKETS) - (token[:1] in CLOSING_BRACKETS) for token in tokens):
                return True
        stack += node.named_children
    return False
