"""Rows of examples: their parts make up the file, contexts are whole lines within the budget, ids are those of git."""

import gc
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.rejection import REJECTION
from stackfim.transforms.lines import Lines
from stackfim.transforms.split.empty import AFTER_STATEMENT
from stackfim.transforms.split.examples import Splitter, context_slice, example_id
from stackfim.transforms.split.site import Site
from stackfim.transforms.split.split_settings import SplitSettings
from stackfim.transforms.verify.row_invariants import undone
from tests.fixture_types import RowsOf, SourceFile

DENSE = SplitSettings(max_slots=30, lines_per_slot=5)


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
@pytest.mark.parametrize("context_bytes", [0, 600, 16_000])
def test_prefix_middle_and_suffix_are_a_slice_of_the_file(
    rows_of: RowsOf, each_source: SourceFile, line_break: str, context_bytes: int
) -> None:
    content = each_source.content.replace(b"\n", line_break.encode())
    result = Splitter(replace(DENSE, context_bytes=context_bytes), "0.1.0").split(
        rows_of([(each_source.language, content)])
    )
    assert result.examples.schema.equals(EXAMPLE)
    result.examples.validate(full=True)
    assert result.examples.num_rows > 3
    for row in result.examples.to_pylist():
        start, end = row["context_start_byte"], row["context_end_byte"]
        prefix, middle, suffix = undone(row)
        assert prefix + middle + suffix == content[start:end]
        assert len(prefix) == row["start_byte"] - start
        assert len(row["middle"].encode()) == row["end_byte"] - row["start_byte"]
        assert start == 0 or content[start - 1 : start] == b"\n"
        assert end == len(content) or content[end - 1 : end] == b"\n"
        if context_bytes == 0 or len(content) <= context_bytes:
            assert (start, end) == (0, len(content))


def test_a_row_says_where_it_comes_from(rows_of: RowsOf, each_source: SourceFile) -> None:
    rows = rows_of([(each_source.language, each_source.content)])
    source = rows.to_pylist()[0]
    blob = b"blob %d\0" % len(each_source.content) + each_source.content
    for row in Splitter(replace(DENSE, seed=5), "1.2.3").split(rows).examples.to_pylist():
        for name in ("repository", "path", "revision", "licenses", "source_id", "content_id"):
            assert row[name] == source[name]
        assert row["content_id"] == hashlib.sha1(blob).hexdigest()
        assert (row["language"], row["seed"], row["version"]) == (each_source.language, 5, "1.2.3")
        assert row["half_written"] == any(edit["kind"] != "after_enter" for edit in row["edits"])
        left_out = row["half_written"] and any(edit["removed"].strip() for edit in row["edits"])
        assert row["open_ended"] == (left_out and not row["irreparable"])
        assert row["chars"] == len(row["middle"])
        assert row["lines"] == sum(bool(line.strip()) for line in row["middle"].split("\n"))
        assert row["node_type"]


@pytest.mark.parametrize("blank", ["", "  ", "\u00a0", "\u3000", "\u2028"])
def test_lines_are_those_with_a_visible_character(rows_of: RowsOf, blank: str) -> None:
    """White space of any alphabet is not visible."""
    around = "const limits = { lines: 32, chars: 800, blocks: 12, bytes: 16000 };\n"
    content = f"{around}function f() {{\n  a();\n{blank}\n  b();\n}}\n".encode()
    settings = SplitSettings(category_weights={"multi_line": 1.0}, kind_weights={"block_body": 1.0})
    (row,) = Splitter(settings, "0").split(rows_of([("JavaScript", content)])).examples.to_pylist()
    assert row["middle"].rstrip() == f"a();\n{blank}\n  b();"
    assert row["lines"] == 2


def test_an_id_is_a_hash_of_what_makes_the_example() -> None:
    parts: tuple[str, int, int, int, int, str, list[dict[str, Any]]] = ("a" * 40, 10, 20, 0, 30, "siblings", [])
    key = " ".join(map(str, parts[:6]))
    assert example_id(*parts) == hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
    edit = {"side": "prefix", "kind": "closer", "offset": 1, "removed": "é", "inserted": ""}
    edited = f"{key} {json.dumps([edit], ensure_ascii=True, sort_keys=True)}"
    assert example_id(*parts[:6], [edit]) == hashlib.blake2b(edited.encode(), digest_size=8).hexdigest()
    others: list[tuple[str, int, int, int, int, str, list[dict[str, Any]]]] = [
        ("b" * 40, 10, 20, 0, 30, "siblings", []),
        ("a" * 40, 11, 20, 0, 30, "siblings", []),
        ("a" * 40, 10, 21, 0, 30, "siblings", []),
        ("a" * 40, 10, 20, 1, 30, "siblings", []),
        ("a" * 40, 10, 20, 0, 31, "siblings", []),
        ("a" * 40, 10, 20, 0, 30, "block_body", []),
        ("a" * 40, 10, 20, 0, 30, "siblings", [edit]),
        ("a" * 40, 10, 20, 0, 30, "siblings", [{**edit, "offset": 2}]),
    ]
    assert len({example_id(*parts), *(example_id(*other) for other in others)}) == len(others) + 1


def test_a_batch_leaves_nothing_for_the_garbage_collector(rows_of: RowsOf, sources: tuple[SourceFile, ...]) -> None:
    """The splitter runs without a garbage collector, and one may free a tree before its nodes: no cycle may hold a tree."""
    files = [(file.language, file.content) for file in sources]
    refused = [
        ("Python", b""),
        ("Forth", b"x"),
        ("Python", b"<!--" * 3_000),
        ("Go", b"// nothing\n"),
        ("C", b" " * 300),
    ]
    splitter = Splitter(DENSE, "0")
    rows = rows_of(files + refused)
    splitter.split(rows)  # what is made once and kept is not garbage
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        assert splitter.split(rows).rejections.num_rows == len(refused)
        gc.collect()
        held = [type(each).__name__ for each in gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not set(held) & {
        "ParsedFile",
        "Units",
        "Tree",
        "Node",
        "TreeCursor",
        "Lines",
        "ParseRefused",
        "traceback",
        "frame",
    }


def test_files_of_other_names_for_a_language_are_split_as_that_language(
    rows_of: RowsOf, sources: tuple[SourceFile, ...]
) -> None:
    file = next(file for file in sources if file.language == "C#")
    for name in ("c#", "CSharp", "c-sharp"):
        rows = Splitter(DENSE, "0").split(rows_of([(name, file.content)])).examples.to_pylist()
        assert {row["language"] for row in rows} == {"C#"}


def test_a_file_without_a_place_or_a_grammar_is_one_rejection_in_order(rows_of: RowsOf) -> None:
    statements = b"".join(b"name_%d = read(%d)\n" % (number, number) for number in range(6))
    files = [("Python", statements), ("Forth", b": f ;\n"), ("Go", b"// nothing\n"), ("Python", b"")]
    rows = rows_of([*files, ("Python", b" " * 300 + b"x\n")])
    result = Splitter(SplitSettings(), "0").split(rows)
    assert result.rejections.schema.equals(REJECTION)
    assert result.rejections.column("reason").to_pylist() == [
        *("language_unsupported", "no_site", "no_site", "indentation_too_deep")
    ]
    assert result.rejections.column("path").to_pylist() == ["1", "2", "3", "4"]
    assert set(result.examples.column("path").to_pylist()) == {"0"}


# Lines of several lengths and breaks, one of them giant.
CONTENTS = st.lists(
    st.tuples(st.sampled_from(["", "a", "  bc", "é" * 7, "x" * 60, "y" * 900]), st.sampled_from(["\n", "\r\n"])),
    min_size=1,
    max_size=40,
).flatmap(
    lambda lines: st.booleans().map(
        lambda closed: (
            "".join(text + line_break for text, line_break in lines) + ("" if closed else "end")
        )  # a last line without a break
    )
)


@given(CONTENTS, st.data(), st.integers(0, 500))
def test_a_context_is_whole_lines_within_its_budget(text: str, data: st.DataObject, budget: int) -> None:
    content = text.encode()
    borders = [index for index in range(len(content) + 1) if index == len(content) or content[index] & 0xC0 != 0x80]
    start = data.draw(st.sampled_from(borders))
    end = data.draw(st.sampled_from([border for border in borders if start <= border <= start + 80]))
    lines = Lines(content)
    first, last = context_slice(lines, Site(AFTER_STATEMENT, start, end, ""), budget)

    def row_bounds(offset: int) -> tuple[int, int]:
        """The line of a byte with its break; the last line for the end of the text."""
        row = min(lines.line_of(min(offset, len(content) - 1)), len(lines) - 1)
        return lines.starts[row], lines.next_start(row)

    assert 0 <= first <= start <= end <= last <= len(content)
    assert first in {0, *lines.starts}
    assert last in {len(content), *lines.starts}
    needed = max(row_bounds(end)[1], row_bounds(start)[1]) - row_bounds(start)[0]
    if budget == 0 or len(content) <= budget:
        assert (first, last) == (0, len(content))
    else:
        assert last - first <= max(budget, needed)
        # The rest of the budget has no room for the next line on either side.
        spare = budget - (last - first)
        if first > 0 and spare > 0:
            before = row_bounds(first - 1)
            assert before[1] - before[0] > spare or last < len(content)


def test_a_context_takes_half_before_and_half_after_the_cursor() -> None:
    content = b"".join(b"line %03d\n" % number for number in range(100))
    first, last = context_slice(Lines(content), Site(AFTER_STATEMENT, 450, 450, ""), 200)
    assert last - first <= 200
    assert abs((450 - first) - (last - 450)) <= 2 * len(b"line 000\n")


def test_what_one_side_does_not_need_goes_to_the_other() -> None:
    content = b"".join(b"line %03d\n" % number for number in range(100))
    assert context_slice(Lines(content), Site(AFTER_STATEMENT, 8, 8, ""), 200) == (0, 198)
    first, last = context_slice(Lines(content), Site(AFTER_STATEMENT, 890, 890, ""), 200)
    assert (first, last) == (900 - 198, 900)


def test_a_giant_line_at_the_cursor_stays_whole() -> None:
    content = b"a\n" * 50 + b"x" * 5_000 + b"\n" + b"b\n" * 50
    first, last = context_slice(Lines(content), Site(AFTER_STATEMENT, 200, 200, ""), 300)
    assert content[first:last] == b"x" * 5_000 + b"\n"


def test_a_giant_line_beside_the_cursor_is_left_out() -> None:
    content = b"x" * 5_000 + b"\n" + b"a\n" * 10 + b"y" * 5_000 + b"\n"
    first, last = context_slice(Lines(content), Site(AFTER_STATEMENT, 5_010, 5_010, ""), 300)
    assert content[first:last] == b"a\n" * 10
