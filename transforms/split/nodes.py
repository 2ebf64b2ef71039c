"""Questions about single nodes of a tree that do not depend on the language."""

import tree_sitter

from stackfim.transforms.languages import BRACKETS
from stackfim.transforms.lines import BLANKS, Lines

CLOSING_BRACKETS = frozenset(BRACKETS.values())


def is_comment(node: tree_sitter.Node) -> bool:
    """Whether a node is a comment: something that the grammar allows anywhere and calls a comment."""
    return node.is_extra and "comment" in node.type


def is_name(leaf: tree_sitter.Node) -> bool:
    """Whether a token is a name in code, as grammars call it."""
    return leaf.is_named and ("identifier" in leaf.type or leaf.type in ("name", "constant"))


def bracket_step(leaf: tree_sitter.Node) -> int:
    """1 for a token that opens a bracket, -1 for one that closes one, else 0."""
    # An opener may have a prefix, as in `${` and `#{`.
    return (not leaf.is_named and leaf.type[-1:] in BRACKETS) - (leaf.type[:1] in CLOSING_BRACKETS)


def begins_with_bracket(node: tree_sitter.Node) -> bool:
    """Whether the first child of a node opens a bracket."""
    first = node.child(0)
    return first is not None and first.type in BRACKETS


def visible_end(start: int, end: int, content: bytes) -> int:
    """Byte after the last visible one in [start, end); `start` where all are blank."""
    while end > start and content[end - 1] in BLANKS:
        end -= 1
    return end


def last_line(node: tree_sitter.Node, lines: Lines) -> int:
    """The line of a node's last visible byte: some grammars let a node end after its line break."""
    end = node.end_byte
    if end > node.start_byte and lines.content[end - 1] not in BLANKS:
        return node.end_point.row
    return lines.line_of(max(visible_end(node.start_byte, node.end_byte, lines.content) - 1, node.start_byte))


def name_of(definition: tree_sitter.Node) -> tree_sitter.Node | None:
    """The node of the name that a definition gives, inside C's declarators; None for a pattern or without a name."""
    for field in ("name", "declarator", "type"):
        found = definition.child_by_field_name(field)
        while found is not None and found.child_by_field_name("declarator") is not None:
            found = found.child_by_field_name("declarator")
        if found is not None:
            return None if found.type.endswith("_pattern") else found
    return None
