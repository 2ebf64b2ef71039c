"""Invariants that need no more than the row. Each is a function that yields what is wrong with a row."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from stackfim.schemas.example import CATEGORIES, EMPTY, EXAMPLE, MULTI_LINE, RANDOM_SPAN, SINGLE_LINE
from stackfim.schemas.source import git_blob_id
from stackfim.transforms.filters.license import LicensePolicy, license_problem_of_row
from stackfim.transforms.languages import LANGUAGES
from stackfim.transforms.verify.row_types import check_types
from stackfim.transforms.verify.violation import Violation

Row = dict[str, Any]


@dataclass(frozen=True)
class Expected:
    """What the run promised of its rows."""

    max_lines: int | None = None
    """Most lines of a multi-line middle; None where that is not known."""
    max_chars: int | None = None
    """Most characters of a multi-line middle; None where that is not known."""
    licenses: LicensePolicy | None = None
    """Which licenses a row may have; None where that is not known."""
    any_license: bool = False
    """Whether the run did not look at licenses, so that rows may have any or none."""


# Not the splitter's table of kinds: this one states which kinds there are to be.
KIND_CATEGORY = {
    "after_statement": EMPTY,
    "after_enter": EMPTY,
    "inside_text": EMPTY,
    "closed_pair": EMPTY,
    "accept_then_stop": EMPTY,
    "between_definitions": EMPTY,
    "token_to_eol": SINGLE_LINE,
    "mid_token": SINGLE_LINE,
    "blank_line": SINGLE_LINE,
    "before_closers": SINGLE_LINE,
    "inner_node": SINGLE_LINE,
    "block_body": MULTI_LINE,
    "rest_of_block": MULTI_LINE,
    "siblings": MULTI_LINE,
    "compound": MULTI_LINE,
    "line_and_block": MULTI_LINE,
    "random_span": RANDOM_SPAN,
}
ENDS_INSIDE_LINE = ("inside_text", "closed_pair", "accept_then_stop", "before_closers", "inner_node", "random_span")
"""Kinds whose middle may end where its line goes on: neither side holds a line break then."""
TYPED = "after_enter"
"""Kind of the edit that an editor makes at the cursor, and of the example with it; it makes no context half-written."""


def undone(row: Row) -> tuple[bytes, bytes, bytes]:
    """Prefix, middle and suffix in bytes, once the row's edits are undone, last to first.

    Raises ValueError where an edit does not fit the text.
    """
    sides = {"prefix": row["prefix"].encode(), "suffix": row["suffix"].encode()}
    for edit in reversed(row["edits"]):
        text, offset, inserted = sides[edit["side"]], edit["offset"], edit["inserted"].encode()
        if not 0 <= offset <= len(text):
            raise ValueError(f"edit {edit['kind']}: byte {offset} is outside the {edit['side']} of {len(text)} bytes")
        if text[offset : offset + len(inserted)] != inserted:
            raise ValueError(f"edit {edit['kind']}: {edit['inserted']!r} is not at byte {offset} of the {edit['side']}")
        sides[edit["side"]] = text[:offset] + edit["removed"].encode() + text[offset + len(inserted) :]
    return sides["prefix"], row["middle"].encode(), sides["suffix"]


def _undo(row: Row, _expected: Expected) -> Iterator[str]:
    """Undoing the edits gives texts of the lengths that the offsets say."""
    try:
        prefix, middle, suffix = undone(row)
    except (ValueError, KeyError) as error:
        yield str(error)
        return
    start, end = row["start_byte"], row["end_byte"]
    context_start, context_end = row["context_start_byte"], row["context_end_byte"]
    if not 0 <= context_start <= start <= end <= context_end:
        yield f"offsets are out of order: {context_start=}, {start=}, {end=}, {context_end=}"
    for name, text, length in (
        ("prefix", prefix, start - context_start),
        ("middle", middle, end - start),
        ("suffix", suffix, context_end - end),
    ):
        if len(text) != length:
            yield f"the {name} has {len(text)} bytes, by the offsets it has {length}"


def _half_written(row: Row, _expected: Expected) -> Iterator[str]:
    """The three flags follow from the edits; irreparable means that no insertion at the cursor restores the original."""
    edits = [edit for edit in row["edits"] if edit["kind"] != TYPED]
    if row["half_written"] != bool(edits):
        yield f"half_written is {row['half_written']}, the row has {len(edits)} edits that make a context half-written"
    try:
        original = _visible(b"".join(undone(row)).decode())
    except (ValueError, KeyError):
        return  # the invariant `undo` says so
    prefix, suffix = _visible(row["prefix"]), _visible(row["suffix"])
    fits = len(prefix) + len(suffix) <= len(original)
    irreparable = not (fits and original.startswith(prefix) and original.endswith(suffix))
    if row["irreparable"] != irreparable:
        yield f"irreparable is {row['irreparable']}, by prefix, suffix and original it is {irreparable}"
    left_out = sum(len(_visible(edit["removed"])) for edit in edits)
    if row["open_ended"] != (left_out > 0 and not row["irreparable"]):
        yield (
            f"open_ended is {row['open_ended']}, irreparable {row['irreparable']}, "
            f"edits left {left_out} visible characters out"
        )


def _visible(text: str) -> str:
    """A text without white space."""
    return "".join(text.split())


def _middle(row: Row, _expected: Expected) -> Iterator[str]:
    """The middle has the lines and edges of its category."""
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
        if category not in (MULTI_LINE, RANDOM_SPAN):
            yield f"newline_owner is middle in category {category}, expected {MULTI_LINE} or {RANDOM_SPAN}"
    if category in (SINGLE_LINE, MULTI_LINE) and body != body.strip():
        yield f"the middle has blanks at its edges: {body[:10]!r} ... {body[-10:]!r}"
    breaks = body.count("\n")
    if category == SINGLE_LINE and breaks:
        yield "a single-line middle has a line break"
    if category == MULTI_LINE and sum(1 for line in body.split("\n") if line.strip()) < 2:
        yield "a multi-line middle has fewer than two visible lines"


def _newline_owner(row: Row, _expected: Expected) -> Iterator[str]:
    """`newline_owner` is the side that holds the line break, judged by the suffix before any edit."""
    owner = row["newline_owner"]
    try:
        suffix = undone(row)[2].decode()
    except (ValueError, KeyError):
        return  # the invariant `undo` says so
    rest = suffix.split("\n", 1)[0].strip(" \t\r\f\v")
    if owner == "suffix" and (rest or "\n" not in suffix):
        yield f"newline_owner is suffix, which begins with {suffix[:20]!r}"
    goes_on = bool(rest) and row["kind"] in ENDS_INSIDE_LINE
    if owner == "none" and not goes_on and suffix.strip(" \t\r\f\v"):
        yield f"newline_owner is none, and the suffix begins with {suffix[:20]!r}"
    if (owner == "middle") != row["middle"].endswith("\n"):
        yield f"newline_owner is {owner}, and the middle ends with {row['middle'][-1:]!r}"
    if owner not in ("suffix", "middle", "none"):
        yield f"newline_owner is {owner!r}, expected suffix, middle or none"


def _labels(row: Row, expected: Expected) -> Iterator[str]:
    """Category, kind, stop reason and sizes agree with each other and with the caps."""
    category, kind = row["category"], row["kind"]
    if category not in CATEGORIES or KIND_CATEGORY.get(kind) != category:
        yield f"kind {kind!r} is not of category {category!r}"
    if row["stop_reason"] not in ((None,) if category != MULTI_LINE else ("eof", "dedent", "newline")):
        yield f"stop_reason is {row['stop_reason']!r} in category {category}"
    lines = sum(1 for line in row["middle"].split("\n") if line.strip())
    if (row["lines"], row["chars"]) != (lines, len(row["middle"])):
        yield f"lines and chars are {row['lines']}, {row['chars']}; the middle has {lines}, {len(row['middle'])}"
    if category in (MULTI_LINE, RANDOM_SPAN):
        height = row["middle"].rstrip("\r\n").count("\n") + 1
        if expected.max_lines is not None and height > expected.max_lines:
            yield f"{height} lines, over the cap of {expected.max_lines}"
        # The line break that a middle may keep does not count.
        if expected.max_chars is not None and len(row["middle"].rstrip("\r\n")) > expected.max_chars:
            yield f"{len(row['middle'])} characters, over the cap of {expected.max_chars}"


def _typed(row: Row, _expected: Expected) -> Iterator[str]:
    """What an editor inserted is blank, stands at the prefix's end, and was inserted after all other edits."""
    typed = [number for number, edit in enumerate(row["edits"]) if edit["kind"] == TYPED]
    if typed != ([len(row["edits"]) - 1] if row["kind"] == TYPED else []):
        yield f"kind {row['kind']}, and {len(typed)} edits of kind {TYPED}"
        return
    for edit in row["edits"][-1:] if typed else []:
        end = len(row["prefix"].encode()) - len(edit["inserted"].encode())
        if edit["side"] != "prefix" or edit["removed"] or edit["offset"] != end:
            yield f"an editor's insertion is at byte {edit['offset']} of the {edit['side']}, expected byte {end} of the prefix"
        if not re.fullmatch(r" |\r?\n[ \t]*", edit["inserted"]):
            yield f"an editor inserted {edit['inserted']!r}, expected a space, or line break and indent"


def _cut(row: Row, _expected: Expected) -> Iterator[str]:
    """Neither cursor nor end parts CR and LF."""
    for left, right, where in (
        (row["prefix"], row["middle"] + row["suffix"], "cursor"),
        (row["prefix"] + row["middle"], row["suffix"], "end of the middle"),
    ):
        if left.endswith("\r") and right.startswith("\n"):
            yield f"the {where} is between CR and LF"


def _free_copy(row: Row, _expected: Expected) -> Iterator[str]:
    """The suffix does not give the middle away."""
    if row["category"] == EMPTY:
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
    """The row says where it comes from, by valid ids and allowed licenses."""
    for name in ("repository", "path", "language", "version"):
        if not row[name]:
            yield f"{name} is empty"
    if row["language"] and row["language"] not in LANGUAGES:
        yield f"language is {row['language']!r}, expected a language with a grammar"
    for name in ("source_id", "content_id"):
        if not _is_hex(row[name], 40):
            yield f"{name} is {row[name]!r}, expected a git blob id of 40 hex digits"
    if expected.any_license:
        return
    problem = license_problem_of_row(row["licenses"], expected.licenses) if expected.licenses is not None else None
    missing = not row["licenses"] and (expected.licenses is None or not expected.licenses.allow_missing)
    if missing or not all(name.strip() for name in row["licenses"]):
        yield f"licenses are {row['licenses']}, expected at least one and no empty name"
    elif problem is not None:
        yield f"{problem[0]}: {', '.join(problem[1])}"


def _is_hex(text: str, digits: int) -> bool:
    return len(text) == digits and not set(text) - set("0123456789abcdef")


def _identity(row: Row, _expected: Expected) -> Iterator[str]:
    """The ids are made of what makes the example."""
    places = [row["start_byte"], row["end_byte"], row["context_start_byte"], row["context_end_byte"]]
    key = " ".join(map(str, [row["content_id"], *places, row["kind"]]))
    if row["edits"]:
        key += " " + json.dumps(row["edits"], ensure_ascii=True, sort_keys=True)
    wanted = hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
    if row["example_id"] != wanted:
        yield f"example_id is {row['example_id']}, expected {wanted}"
    if not _is_hex(row["group_id"], 16):
        yield f"group_id is {row['group_id']!r}, expected an example's id of 16 hex digits"
    if (row["group_id"] != row["example_id"]) != (row["kind"] == "accept_then_stop"):
        yield f"kind {row['kind']}, and group_id is {row['group_id']!r}"


ROW_INVARIANTS: dict[str, Callable[[Row, Expected], Iterator[str]]] = {
    "undo": _undo,
    "half_written": _half_written,
    "middle": _middle,
    "newline_owner": _newline_owner,
    "labels": _labels,
    "typed": _typed,
    "cut": _cut,
    "free_copy": _free_copy,
    "origin": _origin,
    "identity": _identity,
}
"""The check of each invariant by its name; it yields a message for everything that is wrong."""


_COLUMNS = tuple(EXAMPLE)


def check_row(row: Row, expected: Expected) -> list[Violation]:
    """The invariants that a row breaks by itself; where a value is of another type than its column's, that alone."""
    return check_types(row, _COLUMNS) or [
        Violation(row["example_id"], name, message)
        for name, check in ROW_INVARIANTS.items()
        for message in check(row, expected)
    ]


def check_content(row: Row, content: bytes) -> list[Violation]:
    """What shows that a row was not split from `content`: its id, or the whole lines that it says it covers."""
    start, end = row["context_start_byte"], row["context_end_byte"]
    found: list[tuple[str, str]] = []
    if git_blob_id(content) != row["content_id"]:
        found.append(("content_id", f"content_id is {row['content_id']}, the content's id is {git_blob_id(content)}"))
    try:
        is_slice = 0 <= start <= end <= len(content) and b"".join(undone(row)) == content[start:end]
    except (ValueError, KeyError):
        is_slice = False
    if not is_slice:
        found.append(("undo", f"prefix, middle and suffix are not bytes {start}-{end} of the content"))
    elif (start and content[start - 1] != 0x0A) or (end < len(content) and content[end - 1] != 0x0A):
        found.append(("undo", f"the context, bytes {start}-{end}, does not consist of whole lines"))
    return [Violation(row["example_id"], name, message) for name, message in found]
