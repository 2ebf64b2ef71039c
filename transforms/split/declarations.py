"""Names that a middle uses must stay declared: no edit may take the only declaration away.

Decided by names and by the tree around each of their occurrences, without scopes. In doubt the edit is refused: an occurrence
that goes counts as a declaration unless it is plainly a use, one that stays only if it is plainly a declaration.
"""

import re
from collections.abc import Iterator
from enum import Enum

import tree_sitter

from stackfim.transforms.split.edit_script import Change
from stackfim.transforms.split.syntax import ParsedFile

MAX_LOOKS = 5
"""Occurrences of a name to look at in each stretch of text that stays; a declaration after them is not found."""
MAX_LOOKS_AT_USES = 3
"""Uses of a name to look at in what goes; an occurrence after them counts as a declaration."""

_WORD_BYTES = rb"A-Za-z0-9_\x80-\xff"
_NAME = re.compile(rb"[A-Za-z_\x80-\xff][" + _WORD_BYTES + rb"]*")
_WORD_TABLE = bytes(re.match(rb"[" + _WORD_BYTES + rb"]", bytes([byte])) is not None for byte in range(256))
# Words that no language of the table allows as a name, or that nobody declares.
_RESERVED = frozenset(
    b"and break case catch class const continue def do elif else except extends false finally for foreach function if"
    b" import instanceof interface new not null or private protected public return static struct super switch this throw"
    b" true try typeof using var void while with None True False int".split()
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Fields of a node that hold a value, a type or the target of a call: they declare no name.
_USE_FIELDS = _words(
    "value right arguments argument function object operand body condition consequence alternative return_type superclass"
    " superclasses receiver index subscript method type trait interfaces source default_value default initializer constructor"
    " result collection constraint iterable"
)
_DECLARING_FIELDS = _words("name declarator left pattern parameter parameters alias label")
# Parts of the names that grammars give to kinds of nodes.
_PLAIN_DECLARATIONS = ("_declaration", "_definition", "_declarator", "_item", "_spec", "_specifier")
_CALLS = _words("call invocation argument annotation goto break continue command attribute jsx tag")
_ACCESSES = _words("access member field_expression selector scoped qualified attribute generic")
_DECLARING_NODES = _words(
    "declaration declarator definition param _spec _item _element import class module method function enum struct trait"
    " interface object assign variable property const field label catch namespace for_ handler alias"
    " preproc_def preproc_function_def"
)
_BINDING_LISTS = _words("pattern_list tuple_pattern list_pattern array_pattern as_pattern_target identifier_list")
_PERHAPS = _words(
    "pattern binding catch with_ token_tree error let macro preproc pair declaration declarator definition _spec _item"
    " _element import"
)
_ASSIGNING = ("=", ":=", "<-", "<<-")
_MEMBERS = ("member", "selector", "field_expression", "field_access", "navigation")
_TEXTS = _words("string comment content fragment text escape number integer float")
# Bytes after a member that is called or read, as in `.name(`; a line that defines a method by such a name is an exception.
_AFTER_MEMBERS = frozenset(b"(.),;]}\r\n")
_DEFINING = re.compile(rb"\b(?:def|fun|func|function|sub|extension)\b")


class Role(Enum):
    """What an occurrence of a name is."""

    DECLARATION = "declaration"
    USE = "use"
    UNSURE = "unsure"


def names_in(text: bytes) -> frozenset[bytes]:
    """The words of a text that may be names, those in strings and comments included."""
    return frozenset(_NAME.findall(text)) - _RESERVED


def lost_declaration(
    file: ParsedFile,
    names: frozenset[bytes],
    middle: tuple[int, int],
    context: tuple[int, int],
    gone: list[Change],
    going: list[Change],
) -> bytes | None:
    """A name of `names` whose only declaration left in the context by the changes `gone` goes with the changes `going`.

    `middle` and `context` are byte ranges of the content; the context includes the middle. Of several names it is the first
    in order of bytes; None where there is none.
    """
    content = file.content
    removed = [_whole_words(content, change) for change in going if change.end > change.start]
    shared = {name for name in names if any(content.find(name, start, end) >= 0 for start, end in removed)}
    shared -= file.language.undeclared_names
    if not shared:
        return None
    cursor = file.tree.walk()
    missing = [*removed, *(_whole_words(content, change) for change in gone if change.end > change.start)]
    for name in sorted(shared):
        if _may_go(file, cursor, name, removed) and not _stays(file, cursor, name, middle, context, missing):
            return name
    return None


def role(file: ParsedFile, cursor: tree_sitter.TreeCursor, offset: int, name: bytes) -> Role:
    """What the occurrence of `name` at byte `offset` is, by the nodes around it; moves `cursor`, which walks the file's tree."""
    cursor.reset(file.tree.root_node)
    while cursor.goto_first_child_for_byte(offset) is not None:
        pass
    node = cursor.node
    assert node is not None
    kind = node.type
    if node.start_byte != offset or node.end_byte != offset + len(name):
        # Part of a string, or of a longer token such as Ruby's `:name` and `name?`.
        outside = node.start_byte > offset
        return Role.USE if outside or any(part in kind for part in _TEXTS) else Role.UNSURE
    if not node.is_named or any(part in kind for part in _TEXTS):
        return Role.USE
    if "pattern" in kind:
        return Role.DECLARATION
    return _role_in(file, cursor)


def _role_in(file: ParsedFile, cursor: tree_sitter.TreeCursor) -> Role:
    """The role of the token at the cursor, by the nearest node around it that decides."""
    is_token = True
    while True:
        field = cursor.field_name
        if field in _USE_FIELDS or not cursor.goto_parent():
            return Role.USE
        node = cursor.node
        assert node is not None
        known = _role_around(file, node, field, is_token)
        if known is not None:
            return known
        is_token = False


def _role_around(file: ParsedFile, node: tree_sitter.Node, field: str | None, is_token: bool) -> Role | None:
    """The role of what `field` of a node holds, the token itself or more around it; None where a node further out decides."""
    kind = node.type
    if kind in file.language.imports or "param" in kind:
        return Role.DECLARATION
    if is_token and not file.language.members_by_assignment and any(part in kind for part in _MEMBERS):
        return Role.USE
    if field in _DECLARING_FIELDS:
        return _role_by_field(node, kind, field)
    if kind in file.language.blocks:
        return Role.USE
    if field is None:
        return _role_without_field(kind, is_token)
    return Role.UNSURE if field == "key" else None


def _role_without_field(kind: str, is_token: bool) -> Role | None:
    """The role of what stands in no field of a node of a kind; None where a node further out decides."""
    if is_token and (kind in _BINDING_LISTS or kind.endswith(_PLAIN_DECLARATIONS)):
        return Role.DECLARATION
    return Role.UNSURE if kind.startswith("for") or any(part in kind.lower() for part in _PERHAPS) else None


def _role_by_field(node: tree_sitter.Node, kind: str, field: str) -> Role | None:
    """The role of what a declaring field of a node holds; None where a node further out decides."""
    if kind.endswith(_PLAIN_DECLARATIONS):
        # `struct name` without a body only names a type.
        is_named_only = kind.endswith("_specifier") and field == "name" and node.child_by_field_name("body") is None
        return Role.USE if is_named_only else Role.DECLARATION
    if any(part in kind for part in _CALLS) and kind != "attribute":
        return Role.USE
    if field == "name" and any(part in kind for part in _ACCESSES):
        return None  # the last part of `a.b`, which an assignment may declare
    if field == "left" and not any(part in kind for part in ("assign", "for", "declaration", "clause")):
        operator = node.child_by_field_name("operator")
        return Role.DECLARATION if operator is not None and operator.type in _ASSIGNING else Role.USE
    if kind.endswith("_expression") and field == "name" and "function" not in kind and "class" not in kind:
        return Role.UNSURE
    return Role.DECLARATION if any(part in kind for part in _DECLARING_NODES) else Role.UNSURE


def _is_member(file: ParsedFile, offset: int, end: int) -> bool:
    """Whether the text shows that a name is a member that is called or read; cheaper than a look at the tree."""
    content = file.content
    if offset == 0 or end >= len(content) or content[offset - 1] != 0x2E or content[end] not in _AFTER_MEMBERS:
        return False
    return _DEFINING.search(content, file.lines.starts[file.lines.line_of(offset)], offset) is None


def _may_go(file: ParsedFile, cursor: tree_sitter.TreeCursor, name: bytes, removed: list[tuple[int, int]]) -> bool:
    """Whether what goes may hold a declaration of a name."""
    looks = 0
    for start, end in removed:
        for offset in _occurrences(file.content, name, start, end):
            if _is_member(file, offset, offset + len(name)):
                continue
            looks += 1
            if looks > MAX_LOOKS_AT_USES or role(file, cursor, offset, name) is not Role.USE:
                return True
    return False


def _stays(
    file: ParsedFile,
    cursor: tree_sitter.TreeCursor,
    name: bytes,
    middle: tuple[int, int],
    context: tuple[int, int],
    removed: list[tuple[int, int]],
) -> bool:
    """Whether what stays is found to hold a declaration of a name."""
    content = file.content
    # A name's first occurrence is most often its declaration.
    for backwards, start, end in (
        (False, context[0], middle[0]),
        (True, context[0], middle[0]),
        (False, middle[1], context[1]),
        (False, *middle),
    ):
        looks = 0
        for offset in _occurrences(content, name, start, end, backwards=backwards):
            if any(first <= offset < last for first, last in removed):
                continue
            if _is_member(file, offset, offset + len(name)):
                continue
            if role(file, cursor, offset, name) is Role.DECLARATION:
                return True
            looks += 1
            if looks == MAX_LOOKS:
                break
    return False


def _occurrences(content: bytes, name: bytes, start: int, end: int, *, backwards: bool = False) -> Iterator[int]:
    """Offsets of a name as a whole word in [start, end)."""
    position = content.rfind(name, start, end) if backwards else content.find(name, start, end)
    while position >= 0:
        after = position + len(name)
        if _is_edge(content, position - 1) and _is_edge(content, after):
            yield position
        if backwards:
            position = content.rfind(name, start, after - 1)
        else:
            position = content.find(name, position + 1, end)


def _is_edge(content: bytes, offset: int) -> bool:
    return not 0 <= offset < len(content) or not _WORD_TABLE[content[offset]]


def _whole_words(content: bytes, change: Change) -> tuple[int, int]:
    """The range of a change, extended to the words that it cuts."""
    start, end = change.start, change.end
    while not _is_edge(content, start - 1) and not _is_edge(content, start):
        start -= 1
    while not _is_edge(content, end - 1) and not _is_edge(content, end):
        end += 1
    return start, end
