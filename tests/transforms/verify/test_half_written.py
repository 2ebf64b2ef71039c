"""Edited contexts: undoing the edits gives the file, and the flags say what can be repaired."""

import re
from typing import Any

import pytest

from stackfim.transforms.split.examples import example_id
from stackfim.transforms.split.parser import BudgetedParser
from stackfim.transforms.verify.declarations import declaration
from stackfim.transforms.verify.original import Original
from stackfim.transforms.verify.row_invariants import undone
from tests.transforms.verify.cases import Case, Checker

Row = dict[str, Any]


def without(row: Row, side: str, start: int, end: int) -> Row:
    """The row with characters [start, end) of a side deleted, and the edit recorded."""
    text = row[side]
    edit = {
        "side": side,
        "kind": "later_statements",
        "offset": len(text[:start].encode()),
        "removed": text[start:end],
        "inserted": "",
    }
    return edited({**row, side: text[:start] + text[end:], "edits": [*row["edits"], edit]})


def typed(row: Row, side: str, at: int, inserted: str) -> Row:
    """The row with a text inserted, and the edit recorded."""
    text = row[side]
    edit = {
        "side": side,
        "kind": "whitespace",
        "offset": len(text[:at].encode()),
        "removed": "",
        "inserted": inserted,
    }
    return edited({**row, side: text[:at] + inserted + text[at:], "edits": [*row["edits"], edit]})


def edited(row: Row) -> Row:
    """The row with the flags that the definition gives: whether one insertion at the cursor restores the original."""
    visible = ["".join(part.split()) for part in (b"".join(undone(row)).decode(), row["prefix"], row["suffix"])]
    whole, before, after = visible
    repairable = any(
        whole == before + inserted + after
        for inserted in [whole[len(before) : len(whole) - len(after)] if len(before) + len(after) <= len(whole) else ""]
    )
    names = ("content_id", "start_byte", "end_byte", "context_start_byte", "context_end_byte", "kind", "edits")
    identifier = example_id(*(row[name] for name in names))
    left_out = any(edit["removed"].strip() for edit in row["edits"])
    flags = {"half_written": True, "irreparable": not repairable, "open_ended": repairable and left_out}
    # The second half of a pair has the first one's group.
    group = row["group_id"] if row["kind"] == "accept_then_stop" else identifier
    return {**row, **flags, "example_id": identifier, "group_id": group}


@pytest.fixture(scope="module")
def half_written(good: list[Case], good_half_written: list[Case]) -> list[tuple[Row, bytes]]:
    """Contexts that the splitter edited, and some edited here in places that it would not choose.

    Of the latter, a part of the suffix, of the prefix or of both is not written yet, and one has stray blanks.
    """
    found = [(case.row, case.content) for case in good_half_written[::4] if case.row["half_written"]]
    for case in good[::4]:
        row = case.row
        if row["kind"] == "after_enter":
            continue  # what was typed at the cursor is its last edit
        prefix, suffix = row["prefix"], row["suffix"]
        lines = [index + 1 for index, letter in enumerate(suffix) if letter == "\n"]
        if len(lines) < 6 or prefix.count("\n") < 3:
            continue
        if row["middle"].strip() and "".join(row["middle"].split()) in "".join(suffix.split()):
            continue  # with less between them it would be a copy
        head = prefix.index("\n") + 1
        first = without(row, "suffix", lines[0], lines[2])
        found += [
            (without(row, "suffix", lines[3], len(suffix)), case.content),
            (without(row, "suffix", lines[1], lines[3]), case.content),
            (without(row, "prefix", 0, head), case.content),
            (without(first, "prefix", 0, head), case.content),
            (typed(first, "suffix", lines[0], "  \n\n"), case.content),
            (typed(row, "prefix", 0, "é\n"), case.content),
        ]
    assert len(found) > 60
    return found


def test_edits_that_are_on_record_break_no_invariant(
    half_written: list[tuple[Row, bytes]], good_half_written: list[Case], checker: Checker
) -> None:
    made = {case.row["example_id"] for case in good_half_written}
    for row, content in half_written:
        found = {violation.invariant for violation in checker.violations(row, content)}
        # Those edited here lose lines whatever these declare.
        assert found <= (set() if row["example_id"] in made else {"declaration"}), (found, row["edits"])


def test_some_contexts_can_be_repaired_and_some_cannot(half_written: list[tuple[Row, bytes]]) -> None:
    shares = [row["irreparable"] for row, _ in half_written]
    assert 0.1 < sum(shares) / len(shares) < 0.9


def test_an_enumeration_s_member_is_declared_where_it_stands() -> None:
    """What stays is a declaration, though the name of its node says "member"; what goes is another one of that name."""
    content = (
        b"enum First {\n    Default = 0,\n    Other = 1\n}\n\n"
        b"class Store {\n    First level = First.Default;\n    int b;\n}\n\n"
        b"enum Second {\n    Default = 2,\n    Last = 3\n}\n"
    )
    file = Original(content, "C#", BudgetedParser("C#"))
    start = content.index(b"First level")
    row: Row = {
        "middle": "First level = First.Default;",
        "prefix": content[:start].decode(),
        "suffix": content[start + 28 :].decode(),
        "context_start_byte": 0,
        "context_end_byte": len(content),
        "start_byte": start,
        "end_byte": start + 28,
    }
    second, first = content.index(b"enum Second"), content.index(b"    Default = 0")
    one = without(
        row | {"edits": [], "content_id": "0" * 40, "kind": "blank_line"},
        "suffix",
        second - start - 28,
        len(row["suffix"]),
    )
    assert not list(declaration(one, file))
    assert list(declaration(without(one, "prefix", first, first + 17), file))


@pytest.mark.parametrize("flag", ["half_written", "irreparable", "open_ended"])
def test_a_wrong_flag_is_caught(half_written: list[tuple[Row, bytes]], checker: Checker, flag: str) -> None:
    for row, content in half_written:
        found = checker.violations({**row, flag: not row[flag]}, content)
        assert {violation.invariant for violation in found} == {"half_written"}


@pytest.mark.parametrize("name", ["removed", "inserted", "offset", "side"])
def test_a_wrong_edit_is_caught(half_written: list[tuple[Row, bytes]], checker: Checker, name: str) -> None:
    for row, content in half_written:
        last = row["edits"][-1]
        wrong = {
            "removed": last["removed"] + "x",
            "inserted": last["inserted"] + "\x00",
            "offset": last["offset"] + len(row["prefix"] + row["suffix"]),
            "side": {"prefix": "suffix", "suffix": "prefix"}[last["side"]],
        }[name]
        mutant = {**row, "edits": [*row["edits"][:-1], {**last, name: wrong}]}
        assert "undo" in {violation.invariant for violation in checker.violations(mutant, content)}


def test_edits_out_of_order_are_caught(half_written: list[tuple[Row, bytes]], checker: Checker) -> None:
    """Where two edits are on one side, the second one's offset is one of the text as the first left it."""
    mutants = 0
    for row, content in half_written:
        sides = [edit["side"] for edit in row["edits"]]
        if len(sides) == 2 and sides[0] == sides[1]:
            mutant = {**row, "edits": row["edits"][::-1]}
            found = {violation.invariant for violation in checker.violations(mutant, content)}
            mutants += 1
            assert found & {"undo", "identity"}
    assert mutants > 5


DEFINITION = re.compile(r"^[ \t]*(?:def|function|func|fn|class|struct)\s+(\w+)\b.*\n", re.M)


def test_a_lost_declaration_is_caught(good: list[Case], checker: Checker) -> None:
    """The line that defines what the middle uses is deleted and recorded: nothing else is wrong with the row."""
    mutants, missed = 0, []
    for row, content in good:
        for side in ("prefix", "suffix"):
            for match in DEFINITION.finditer(row[side]):
                name, rest = match.group(1), row[side][: match.start()] + row[side][match.end() :]
                others = re.findall(rf"\b{name}\b", row[{"prefix": "suffix", "suffix": "prefix"}[side]] + rest)
                called = re.findall(rf"(?<!super\(\)\.)\b{name}\(", row["middle"])
                defined = re.search(rf"\b(?:def|function|func|fn) {name}\b", row["middle"])
                if not called or defined or others or row["kind"] == "random_span":
                    continue
                mutant = without(row, side, match.start(), match.end())
                mutants += 1
                found = {violation.invariant for violation in checker.violations(mutant, content)}
                missed += [(name, row["middle"])] if "declaration" not in found else []
    assert mutants > 20
    assert len(missed) < 0.1 * mutants, missed
