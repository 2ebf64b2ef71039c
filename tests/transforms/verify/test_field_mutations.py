"""Rows with a wrong field, or text that is not the file's, are caught: each by the invariant that is listed for it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.transforms.verify.cases import Case, Checker

Row = dict[str, Any]


def put(**values: Any) -> Callable[[Row], Row | None]:
    """Sets fields; None where they have these values already."""
    return lambda row: {**row, **values} if row | values != row else None


def add(name: str, amount: int) -> Callable[[Row], Row]:
    return lambda row: {**row, name: row[name] + amount}


def flip_digit(name: str) -> Callable[[Row], Row]:
    """Another hexadecimal digit in front of an id."""
    return lambda row: {**row, name: ("1" if row[name][0] == "0" else "0") + row[name][1:]}


def flip_group(row: Row) -> Row:
    """A pair's second half that stands alone; any other row in a group that is not its own."""
    other = {**row, "group_id": row["example_id"]}
    return other if other != row else flip_digit("group_id")(row)


def shout(name: str) -> Callable[[Row], Row | None]:
    """The first letter of a text in the other case: the length is the same, so no offset shows it."""

    def mutate(row: Row) -> Row | None:
        text = row[name]
        at = next((index for index, letter in enumerate(text) if letter.isascii() and letter.isalpha()), None)
        return None if at is None else {**row, name: text[:at] + text[at].swapcase() + text[at + 1 :]}

    return mutate


def swap(one: str, other: str) -> Callable[[Row], Row | None]:
    return lambda row: {**row, one: row[other], other: row[one]} if row[one] != row[other] else None


def other_category(row: Row) -> Row:
    return {**row, "category": {"empty": "single_line", "single_line": "multi_line"}.get(row["category"], "empty")}


def other_owner(row: Row) -> Row:
    return {**row, "newline_owner": {"suffix": "middle", "middle": "none"}.get(row["newline_owner"], "suffix")}


def no_owner(row: Row) -> Row | None:
    return {**row, "newline_owner": "none"} if row["newline_owner"] == "suffix" else None


def other_stop(row: Row) -> Row | None:
    """Another stop reason for a multi-line row; a stop reason where there should be none."""
    following = {"dedent": "newline", "newline": "eof", "eof": "dedent"}
    return {**row, "stop_reason": following.get(row["stop_reason"], "newline")}


def no_stop(row: Row) -> Row | None:
    return {**row, "stop_reason": None} if row["stop_reason"] else None


def move_line_break_right(row: Row) -> Row | None:
    """The line break that the middle keeps goes to the suffix, and the offsets stay."""
    middle = row["middle"].rstrip("\r\n")
    if middle == row["middle"]:
        return None
    return {**row, "middle": middle, "suffix": row["middle"][len(middle) :] + row["suffix"]}


def edit(**values: Any) -> dict[str, Any]:
    return {"side": "suffix", "kind": "closer", "offset": 0, "removed": "", "inserted": "", **values}


def wrong_edit(row: Row) -> Row:
    """An edit whose inserted text is not there."""
    return {**row, "edits": [edit(inserted="\x00\x00")], "half_written": True, "open_ended": True}


def edit_too_many(row: Row) -> Row:
    """An edit that removed a text which the original never had."""
    return {**row, "edits": [edit(removed="}\n")], "half_written": True, "open_ended": True}


def edit_of_the_middle(row: Row) -> Row:
    return {**row, "edits": [edit(side="middle")], "half_written": True, "open_ended": True}


# What is done to the row, and the invariants of which one has to catch it.
MUTATIONS: dict[str, tuple[Callable[[Row], Row | None], set[str]]] = {
    "letter_of_prefix": (shout("prefix"), {"undo"}),
    "letter_of_middle": (shout("middle"), {"undo"}),
    "letter_of_suffix": (shout("suffix"), {"undo"}),
    "prefix_and_suffix_swapped": (swap("prefix", "suffix"), {"undo"}),
    "middle_and_suffix_swapped": (swap("middle", "suffix"), {"undo"}),
    "prefix_and_middle_swapped": (swap("prefix", "middle"), {"undo"}),
    "head_of_prefix_lost": (
        lambda row: {**row, "prefix": row["prefix"].partition("\n")[2]} if "\n" in row["prefix"] else None,
        {"undo"},
    ),
    "tail_of_suffix_lost": (lambda row: {**row, "suffix": row["suffix"][:-1]} if row["suffix"] else None, {"undo"}),
    "suffix_lost": (lambda row: {**row, "suffix": ""} if row["suffix"] else None, {"undo"}),
    "middle_lost": (lambda row: {**row, "middle": ""} if row["middle"] else None, {"undo"}),
    "line_break_moved_to_suffix": (move_line_break_right, {"undo"}),
    "start_byte_later": (add("start_byte", 1), {"undo"}),
    "end_byte_later": (add("end_byte", 1), {"undo"}),
    "both_later": (lambda row: add("start_byte", 1)(add("end_byte", 1)(row)), {"undo"}),
    "context_later": (add("context_start_byte", 1), {"undo"}),
    "context_shorter": (add("context_end_byte", -1), {"undo"}),
    "all_offsets_later": (
        lambda row: {
            **row,
            **{name: row[name] + 1 for name in ("start_byte", "end_byte", "context_start_byte", "context_end_byte")},
        },
        {"undo", "identity"},
    ),
    "edit_that_does_not_fit": (wrong_edit, {"undo"}),
    "edit_too_many": (edit_too_many, {"undo"}),
    "edit_of_the_middle": (edit_of_the_middle, {"undo"}),
    "half_written_without_edits": (put(half_written=True), {"half_written"}),
    "irreparable_without_edits": (put(irreparable=True), {"half_written"}),
    "open_ended_without_edits": (put(open_ended=True), {"half_written"}),
    "another_category": (other_category, {"labels"}),
    "unknown_category": (put(category="whole_line"), {"labels"}),
    "unknown_kind": (put(kind="method_body"), {"labels"}),
    "another_stop_reason": (other_stop, {"labels", "stop_reason"}),
    "no_stop_reason": (no_stop, {"labels"}),
    "unknown_stop_reason": (put(stop_reason="dedented"), {"labels"}),
    "another_newline_owner": (other_owner, {"newline_owner", "middle"}),
    "no_newline_owner": (no_owner, {"newline_owner"}),
    "unknown_newline_owner": (put(newline_owner="prefix"), {"newline_owner"}),
    "more_lines": (add("lines", 1), {"labels"}),
    "fewer_chars": (add("chars", -1), {"labels"}),
    "bracket_delta": (add("bracket_delta", 1), {"balance"}),
    "another_node_type": (put(node_type="while_clause"), {"names"}),
    "another_scope": (lambda row: {**row, "scope": row["scope"] + ".other"}, {"names"}),
    "another_id": (flip_digit("example_id"), {"identity"}),
    "another_group": (flip_group, {"identity"}),
    "no_group": (put(group_id=""), {"identity"}),
    "another_content_id": (flip_digit("content_id"), {"content_id"}),
    "no_content_id": (put(content_id=""), {"origin"}),
    "short_source_id": (lambda row: {**row, "source_id": row["source_id"][:8]}, {"origin"}),
    "no_license": (put(licenses=[]), {"origin"}),
    "blank_license": (put(licenses=[" "]), {"origin"}),
    "license_not_allowed": (put(licenses=["MIT", "GPL-3.0-only"]), {"origin"}),
    "no_repository": (put(repository=""), {"origin"}),
    "no_path": (put(path=""), {"origin"}),
    "no_language": (put(language=""), {"origin"}),
    "no_version": (put(version=""), {"origin"}),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_row_with_a_wrong_field_is_caught(
    good: list[Case], good_half_written: list[Case], checker: Checker, name: str
) -> None:
    mutate, expected = MUTATIONS[name]
    mutants = 0
    # Neighbours come from one file, so a few of them are quick to check and of every sort.
    for case in good[::4] + good_half_written[::8]:
        row = mutate(case.row)
        if row is None:
            continue
        mutants += 1
        found = {violation.invariant for violation in checker.violations(row, case.content)}
        assert found & expected, (found, case.row["kind"], case.row["middle"])
    assert mutants > 5


def test_the_rows_before_their_mutation_are_of_every_sort(good: list[Case], checker: Checker) -> None:
    assert {case.row["category"] for case in good} == {"empty", "single_line", "multi_line", "random_span"}
    assert {case.row["stop_reason"] for case in good} == {None, "eof", "dedent", "newline"}
    assert {case.row["newline_owner"] for case in good} >= {"suffix", "middle"}
    assert len({case.row["language"] for case in good}) >= 12
    assert any(len(case.row["prefix"] + case.row["suffix"]) < len(case.content) / 2 for case in good)
    assert all(checker.violations(*case) == [] for case in good)
