"""Invariant of half-written contexts: no name of the middle lost its only declaration to the edits.

Decided by whole words and the nodes right around them. In doubt the row is good: an occurrence that went counts as a
declaration only if it plainly names a definition, one that stays counts unless it is plainly a use.
"""

import re
from collections.abc import Iterator
from typing import Any

import tree_sitter

from stackfim.transforms.verify.original import Original

Row = dict[str, Any]

_NAME = re.compile(rb"[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*")
_DEFINITIONS = ("_definition", "_declaration", "_item", "function_declarator")
# Parts of the kinds of nodes around a name that is used, not declared.
_USE = re.compile(
    "call|argument|access|member|selector|field_expression|navigation|return|binary|unary|subscript|operator|string"
)


def declaration(row: Row, file: Original) -> Iterator[str]:
    """A message for each name of the middle whose only definition in the row's context the edits removed."""
    removed = removed_ranges(row)
    if not row["middle"] or not any(stop > start for start, stop in removed):
        return
    content, start, end = file.content, row["start_byte"], row["end_byte"]
    gone = b"\n".join(content[first:last] for first, last in removed)
    names = {
        content[token.start_byte : token.end_byte]
        for token in file.code_tokens(start, end)
        if token.is_named and _NAME.fullmatch(content[token.start_byte : token.end_byte])
    }
    for name in sorted(names & set(_NAME.findall(gone))):
        places = list(_places(content, name, row["context_start_byte"], row["context_end_byte"]))
        lost = [place for place in places if any(first <= place < last for first, last in removed)]
        if any(_is_defined(file, place, len(name)) for place in lost) and not any(
            _may_declare(file, place, len(name)) for place in places if place not in lost
        ):
            yield f"the edits removed the only declaration of {name.decode('utf-8', 'replace')!r}"


def removed_ranges(row: Row) -> list[tuple[int, int]]:
    """Ranges of the content that the edits removed; the edits have to fit their sides."""
    ranges: list[tuple[int, int]] = []
    for side, first in (("prefix", row["context_start_byte"]), ("suffix", row["end_byte"])):
        stays = bytearray(b"\1") * len(row[side].encode())
        for edit in reversed(row["edits"]):
            if edit["side"] == side:
                end = edit["offset"] + len(edit["inserted"].encode())
                stays[edit["offset"] : end] = bytes(len(edit["removed"].encode()))
        ranges += [(first + gap.start(), first + gap.end()) for gap in re.finditer(rb"\0+", stays)]
    return ranges


def _places(content: bytes, name: bytes, start: int, end: int) -> Iterator[int]:
    """Offsets of a name as a whole word in [start, end)."""
    return (match.start() for match in _NAME.finditer(content, start, end) if match.group() == name)


def _is_defined(file: Original, offset: int, length: int) -> bool:
    """Whether the text at `offset` plainly names a definition."""
    chain = file.ancestors(offset, offset + length)
    if len(chain) < 2 or (chain[0].start_byte, chain[0].end_byte) != (offset, offset + length):
        return False
    # `Interface.name` defines what is used under the interface's name for it.
    qualified = file.content[offset - 1 : offset] == b"."
    if [node.type for node in chain[1:3]] == ["call_expression", "signature"]:
        return True  # Julia
    return not qualified and chain[1].type.endswith(_DEFINITIONS) and _names(chain[1], chain[0])


def _names(definition: tree_sitter.Node, child: tree_sitter.Node) -> bool:
    return any(
        named is not None and named.id == child.id
        for named in map(definition.child_by_field_name, ("name", "declarator"))
    )


def _may_declare(file: Original, offset: int, length: int) -> bool:
    """Whether the text at `offset` is code and not plainly a use."""
    chain = file.ancestors(offset, offset + length)
    if not chain or chain[0].child_count or any(map(file.is_comment, chain)) or not chain[0].is_named:
        return False
    if any(node.is_error or "pattern" in node.type for node in chain[1:4]):
        return True
    if len(chain) > 1 and chain[1].type.endswith(_DEFINITIONS) and _names(chain[1], chain[0]):
        return True  # a member of an enumeration, not an access to a member
    around = chain[1].type if len(chain) > 1 else ""
    if file.content[offset + length : offset + length + 1] == b"(" and around in ("attribute", "call_expression"):
        return False
    return _USE.search(around) is None
