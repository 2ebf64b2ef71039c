"""What the kinds promise whose middles begin or end inside a line, judged by tokens and node ranges."""

from collections.abc import Iterator

import tree_sitter

from stackfim.transforms.verify.original import BLANKS, CLOSERS, Original

QUOTES = ("'", '"', "`", "string_end")


def is_text(node: tree_sitter.Node, file: Original) -> bool:
    """Whether a node is a comment, or a string or other token that holds text."""
    return file.is_comment(node) or node.type in file.language.opaque


def token_to_eol(file: Original, start: int, _end: int) -> Iterator[str]:
    """The cursor is at a token of code inside the line."""
    yield from begins_inside(file, start)


def mid_token(file: Original, start: int, _end: int) -> Iterator[str]:
    """The cursor is inside a word of code, not at its edge."""
    chain = file.ancestors(start, start + 1)
    if not chain or chain[0].child_count or not chain[0].start_byte < start < chain[0].end_byte:
        yield "the cursor is not inside a token"
        return
    word = file.content[chain[0].start_byte : chain[0].end_byte].decode("utf-8", "replace")
    if not all(character.isalnum() or character in "_$@." for character in word):
        yield f"the cursor is inside {word[:40]!r}, expected a word or number"
    if any(is_text(node, file) for node in chain[:-1]):
        yield "the cursor is inside a string or comment"


def before_closers(file: Original, start: int, end: int) -> Iterator[str]:
    """The middle begins at a token and ends before the line's last closers, whose openers stand before the middle."""
    yield from begins_inside(file, start)
    last = file.ancestors(end - 1, end)[:1]
    if last and file.visible_end(last[0]) != end:
        yield f"the middle cuts a {last[0].type}"
    tail = list(file.tokens(end, _visible_line_end(file, end)))
    closing = [leaf for leaf in tail if leaf.type in (*CLOSERS, *QUOTES)]
    wrong = [leaf for leaf in tail if leaf not in closing and leaf.type != ";"]
    text = file.content[end : _visible_line_end(file, end)]
    if wrong or text.strip(b")]};\"'` \t"):
        yield f"{text[:40]!r} follows the middle, expected closers alone"
    if not closing:
        yield "no closer follows the middle"
    around = [node for node in file.ancestors(start, start + 1) if is_text(node, file) and node.start_byte < start]
    if any(node.end_byte < end for node in around):
        yield "the middle closes a quote that it did not open"


def inner_node(file: Original, start: int, end: int) -> Iterator[str]:
    """The middle is one node of an expression, and code follows it on its line."""
    yield from begins_inside(file, start)
    nodes = [
        node
        for node in file.ancestors(start, end)
        if node.start_byte == start and file.visible_end(node) == end and node.is_named and not file.is_comment(node)
    ]
    if not nodes:
        yield "the middle is not a whole node"
    elif all(_is_statement(node, file) for node in nodes):
        yield f"the middle is a whole {nodes[0].type}, expected a part of a statement"
    if not any(True for _ in file.code_tokens(end, _visible_line_end(file, end))):
        yield "no code follows the middle on its line"


def _visible_line_end(file: Original, offset: int) -> int:
    """Byte after the last visible one on the line of `offset`."""
    return offset + len(file.content[offset : file.line_bounds(offset)[1]].rstrip(BLANKS))


def _is_statement(node: tree_sitter.Node, file: Original) -> bool:
    """Whether a node is a root or a statement of a block."""
    parent = node.parent
    if parent is None:
        return True
    return parent.type in file.language.blocks and any(node.id == child.id for child in file.statements(parent))


def begins_inside(file: Original, start: int) -> Iterator[str]:
    """The cursor is at the start of a token of code, and visible text stands before it on its line."""
    if not file.content[file.line_bounds(start)[0] : start].strip(BLANKS):
        yield "the cursor is not inside the line"
    chain = file.ancestors(start, start + 1)
    if not chain or chain[0].start_byte != start or any(map(file.is_comment, chain)):
        yield "the cursor is not at the start of a token of code"
