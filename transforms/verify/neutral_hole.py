"""The neutral hole: with the empty statement in place of the middle, the tree around it stays as it was."""

from collections.abc import Iterator
from typing import Any

import tree_sitter

from stackfim.schemas.example import MULTI_LINE
from stackfim.transforms.split.parser import ParseRefused
from stackfim.transforms.verify.original import Original
from stackfim.transforms.verify.statements import first_statement

Row = dict[str, Any]


def neutral_hole(row: Row, file: Original) -> Iterator[str]:
    """What changes in the tree around a middle of whole statements when it is left out; nothing for other rows."""
    if row["edits"] or (row["category"] != MULTI_LINE and row["kind"] != "blank_line"):
        return
    start, end = first_statement(row, file), row["end_byte"]
    body_end = start + len(file.content[start:end].rstrip())
    if row["kind"] == "blank_line":
        found = file.statement_at(start)
        if found is None or file.visible_end(found[0]) > body_end:
            return  # the opener of a block owns what follows
        block: tree_sitter.Node | None = found[1]
    else:
        block = file.block_around(start, body_end)
    if block is None:
        return  # the invariant `kind` says so
    if row["kind"] == "line_and_block":
        # Attributes above the line would be left without what they belong to.
        heads = [child for child in file.statements(block) if child.end_byte <= start]
        while heads and heads[-1].type in file.language.heads:
            start = heads.pop().start_byte
    yield from _changes(file, start, end, _empty_statement(file, block, start, end) + file.content[body_end:end])


def _changes(file: Original, start: int, end: int, empty: bytes) -> Iterator[str]:
    """Whether the tree changes outside [start, end) when `empty` takes its place."""
    changed = file.content[:start] + empty + file.content[end:]
    before = file.tree.copy()
    reach = start + len(empty)
    line, column = file.point(start)
    breaks = empty.count(b"\n")
    new_end = (line + breaks, len(empty) - empty.rfind(b"\n") - 1 if breaks else column + len(empty))
    before.edit(start, end, reach, (line, column), file.point(end), new_end)
    try:
        after = file.parser.parse(changed)
    except ParseRefused as refused:
        yield f"without the middle the text cannot be parsed: {refused}"
        return
    # The line break after the hole may belong to a directive that the middle held.
    reach += 2
    for change in before.changed_ranges(after):
        # Blanks are no part of the tree, though nodes of some grammars begin with them.
        blanks = changed[change.start_byte : start]
        first = change.start_byte + len(blanks) - len(blanks.lstrip())
        last = reach + len(changed[reach : change.end_byte].rstrip())
        if first < start or last > reach:
            yield f"without the middle the tree changes at bytes {first}-{last}, outside {start}-{reach}"
            return


def _empty_statement(file: Original, block: tree_sitter.Node, start: int, end: int) -> bytes:
    """The empty statement in place of the statements of [start, end): by the kind of the first one, else by the block's kind."""
    first = next(
        (child for child in file.statements(block) if start <= child.start_byte < end and not file.is_comment(child)),
        None,
    )
    by_block = file.language.neutral_in.get(block.type, file.language.neutral)
    return (by_block if first is None else file.language.neutral_for.get(first.type, by_block)).encode()
