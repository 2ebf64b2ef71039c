"""Invariants that a row shows by itself, without a parse. Each is a function of a row that gives what is wrong."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from schemas.example import CATEGORIES, EMPTY, MULTI_LINE, SINGLE_LINE
from transforms.verify.violation import Violation

Row = dict[str, Any]


@dataclass(frozen=True)
class Expected:
    """What the run promised beside the row itself."""

    max_lines: int | None = None
    """Most lines of a multi-line middle; None where it is not known."""
    max_chars: int | None = None
    allowed_licenses: frozenset[str] | None = None
    """In lower case; None where they are not known."""


KIND_CATEGORY = {
    "after_statement": EMPTY,
    "token_to_eol": SINGLE_LINE,
    "blank_line": SINGLE_LINE,
    "block_body": MULTI_LINE,
    "rest_of_block": MULTI_LINE,
    "siblings": MULTI_LINE,
}


def undone(row: Row) -> tuple[bytes, bytes, bytes]:
    """Prefix, middle and suffix in bytes, once the row's edits are undone, last to first.

    Raises ValueError where an edit does not fit the text.
    """
    sides = {"prefix": row["prefix"].encode(), "suffix": row["suffix"].encode()}
    for edit in reversed(row["edits"]):
        text, offset, inserted = sides[edit["side"]], edit["offset"], edit["inserted"].encode()
        if text[offset : offset + len(inserted)] != inserted:
            raise ValueError(f"edit {edit['kind']}: {edit['inserted']!r} is not at byte {offset} of the {edit['side']}")
        sides[edit["side"]] = text[:offset] + edit["removed"].encode() + text[offset + len(inserted) :]
    return sides["prefix"], row["middle"].encode(), sides["suffix"]


def git_blob_sha1(content: bytes) -> str:
    """The id that git gives to these bytes, 40 hex digits."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _undo(row: Row, _expected: Expected) -> Iterator[str]:
    try:
        prefix, middle, suffix = undone(row)
    except (ValueError, KeyError) as error:
        yield str(error)
        return
    start, end = row["start_byte"], row["end_byte"]
    context_start, context_end = row["context_start_byte"], row["context_end_byte"]
    if not 0 <= context_start <= start <= end <= context_end:
        yield f"offsets out of order: {context_start=}, {start=}, {end=}, {context_end=}"
    for name, text, length in (
        ("prefix", prefix, start - context_start),
        ("middle", middle, end - start),
        ("suffix", suffix, context_end - end),
    ):
        if len(text) != length:
            yield f"the {name} has {len(text)} bytes, its offsets say {length}"
    if not row["edits"] and (row["half_written"] or row["irreparable"] or row["open_ended"]):
        yield "half-written without an edit"


def _middle(row: Row, _expected: Expected) -> Iterator[str]:
    middle, category = row["middle"], row["category"]
    if category == EMPTY:
        if middle:
            yield f"an empty middle holds {middle[:40]!r}"
        return
    if not middle.strip():
        yield "the middle has no visible character"
        return
    body = middle
    if row["newline_owner"] == "middle":
        body = middle.removesuffix("\n").removesuffix("\r")
        if body == middle or category != MULTI_LINE:
            yield "newline_owner is middle, but the middle ends without a line break or is no multi-line one"
    if category in (SINGLE_LINE, MULTI_LINE) and body != body.strip():
        yield f"blanks at the edge of the middle: {body[:10]!r} ... {body[-10:]!r}"
    breaks = body.count("\n")
    if category == SINGLE_LINE and breaks:
        yield "a single-line middle has a line break"
    if category == MULTI_LINE and sum(1 for line in body.split("\n") if line.strip()) < 2:
        yield "a multi-line middle has one line"


def _newline_owner(row: Row, _expected: Expected) -> Iterator[str]:
    owner, suffix = row["newline_owner"], row["suffix"]
    rest = suffix.split("\n", 1)[0].strip(" \t\r\f\v")
    if owner == "suffix" and (rest or "\n" not in suffix) and not row["edits"]:
        yield f"the line break is said to be in the suffix, which goes on with {suffix[:20]!r}"
    if owner == "none" and suffix.strip(" \t\r\f\v") and not row["edits"]:
        yield f"no line break is said to follow, but the suffix is {suffix[:20]!r}"
    if owner not in ("suffix", "middle", "none"):
        yield f"newline_owner is {owner!r}"


def _labels(row: Row, expected: Expected) -> Iterator[str]:
    category, kind = row["category"], row["kind"]
    if category not in CATEGORIES or KIND_CATEGORY.get(kind) != category:
        yield f"kind {kind!r} is not of category {category!r}"
    if (row["stop_reason"] is not None) != (category == MULTI_LINE):
        yield f"stop_reason is {row['stop_reason']!r} in category {category}"
    lines = sum(1 for line in row["middle"].split("\n") if line.strip())
    if (row["lines"], row["chars"]) != (lines, len(row["middle"])):
        yield f"lines and chars are {row['lines']}, {row['chars']}; the middle has {lines}, {len(row['middle'])}"
    if category == MULTI_LINE:
        height = row["middle"].rstrip("\r\n").count("\n") + 1
        if expected.max_lines is not None and height > expected.max_lines:
            yield f"{height} lines, over the cap of {expected.max_lines}"
        # The line break that a middle may keep does not count.
        if expected.max_chars is not None and len(row["middle"].rstrip("\r\n")) > expected.max_chars:
            yield f"{len(row['middle'])} characters, over the cap of {expected.max_chars}"


def _cut(row: Row, _expected: Expected) -> Iterator[str]:
    for left, right, where in (
        (row["prefix"], row["middle"] + row["suffix"], "cursor"),
        (row["prefix"] + row["middle"], row["suffix"], "end of the middle"),
    ):
        if left.endswith("\r") and right.startswith("\n"):
            yield f"the {where} is between CR and LF"


def _free_copy(row: Row, _expected: Expected) -> Iterator[str]:
    if row["category"] not in (SINGLE_LINE, MULTI_LINE):
        return
    middle_lines = [line.strip() for line in row["middle"].strip().split("\n")]
    near = [line.strip() for line in row["suffix"].split("\n")[:20]]
    first = next((line for line in near if line), None)
    if len(middle_lines[-1].strip(")]}; \t")) >= 8 and middle_lines[-1] == first:
        yield f"the middle's last line {first!r} is the suffix's first"
    whole = "\n".join(middle_lines)
    if len(row["middle"].strip()) >= 20 and whole in "\n".join(near):
        yield "the middle stands in the 20 nearest lines of the suffix"


def _origin(row: Row, expected: Expected) -> Iterator[str]:
    for name in ("repository", "path", "language"):
        if not row[name]:
            yield f"{name} is empty"
    for name in ("source_id", "content_id"):
        if len(row[name]) != 40 or set(row[name]) - set("0123456789abcdef"):
            yield f"{name} is {row[name]!r}, no git blob id"
    if not row["licenses"]:
        yield "no license"
    elif expected.allowed_licenses is not None:
        wrong = [name for name in row["licenses"] if name.lower() not in expected.allowed_licenses]
        if wrong:
            yield f"license not on the allow-list: {', '.join(wrong)}"


def _identity(row: Row, _expected: Expected) -> Iterator[str]:
    places = [row["start_byte"], row["end_byte"], row["context_start_byte"], row["context_end_byte"]]
    key = json.dumps([row["content_id"], *places, row["kind"], row["edits"]], ensure_ascii=True, sort_keys=True)
    wanted = hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
    if row["example_id"] != wanted:
        yield f"the id should be {wanted}"


ROW_INVARIANTS: dict[str, Callable[[Row, Expected], Iterator[str]]] = {
    "undo": _undo,
    "middle": _middle,
    "newline_owner": _newline_owner,
    "labels": _labels,
    "cut": _cut,
    "free_copy": _free_copy,
    "origin": _origin,
    "identity": _identity,
}
"""Name to check; a check yields a message for each thing that is wrong."""


def check_row(row: Row, expected: Expected) -> list[Violation]:
    """What a row breaks, by itself."""
    return [
        Violation(row["example_id"], name, message)
        for name, check in ROW_INVARIANTS.items()
        for message in check(row, expected)
    ]
