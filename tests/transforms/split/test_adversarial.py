"""Files that break splitters: none raises an error, each gives valid examples or one rejection."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from stackfim.transforms.filters.chain import filter_rows
from stackfim.transforms.filters.filter_settings import FilterPlan
from stackfim.transforms.languages import GRAMMARS
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.split_settings import SplitSettings
from tests.fixture_types import RowsOf, SourceFile, ViolationsOf

DENSE = SplitSettings(max_slots=24, lines_per_slot=6)


def after_every(step: int, inserted: bytes) -> Callable[[bytes], bytes]:
    """Puts bytes before every `step`-th line."""

    def transform(content: bytes) -> bytes:
        lines = content.split(b"\n")
        return b"\n".join(inserted + line if number % step == step - 1 else line for number, line in enumerate(lines))

    return transform


def at_line_ends(step: int, inserted: bytes) -> Callable[[bytes], bytes]:
    """Puts bytes after every `step`-th line, before its line break."""

    def transform(content: bytes) -> bytes:
        lines = content.split(b"\n")
        return b"\n".join(line + inserted if number % step == step - 1 else line for number, line in enumerate(lines))

    return transform


def some_indents_by_tabs(content: bytes) -> bytes:
    lines = content.split(b"\n")
    return b"\n".join(line.replace(b"    ", b"\t", 1) if number % 3 else line for number, line in enumerate(lines))


WHOLE_FILES: dict[str, Callable[[bytes], bytes]] = {
    "crlf": lambda content: content.replace(b"\n", b"\r\n"),
    "lone_cr": lambda content: content.replace(b"\n", b"\r"),
    "mixed_line_breaks": lambda content: content.replace(b"\n", b"\r\n", content.count(b"\n") // 2),
    "bom": lambda content: b"\xef\xbb\xbf" + content,
    "no_final_line_break": lambda content: content.rstrip(b"\n"),
    "many_final_line_breaks": lambda content: content + b"\n \n\t\n\n",
    "tabs_for_indent": lambda content: content.replace(b"    ", b"\t"),
    "mixed_tabs_and_spaces": some_indents_by_tabs,
    # Not after a line continuation, which blanks would end.
    "trailing_blanks": lambda content: re.sub(rb"(?<!\\)\n", b" \t \n", content),
    "blank_lines_doubled": lambda content: content.replace(b"\n\n", b"\n   \n\n\t\n"),
    "line_continuations": at_line_ends(7, b" \\"),
    "emoji_with_joiners": lambda content: content.replace(b"name", "n👩‍👩‍👧‍👦me".encode()),
    "combining_marks": lambda content: content.replace(b"e", "e\u0301".encode(), 400),
    "every_letter_wide": lambda content: content.decode().replace("o", "ö").replace("a", "日").encode(),
    "sentinels": lambda content: content.replace(b'"', b'"<fim_middle><|endoftext|><fim_prefix>', 6),
    "first_half": lambda content: content[: len(content) // 2],
    "second_half": lambda content: content[len(content) // 2 :],
    "every_third_line_gone": lambda content: b"\n".join(
        line for number, line in enumerate(content.split(b"\n")) if number % 3
    ),
    "all_lines_twice": lambda content: b"\n".join(line + b"\n" + line for line in content.split(b"\n")),
    "all_of_it_three_times": lambda content: content * 3,
}

# Blanks beyond space and tab, at line ends and at line starts.
ODD_BLANKS = {
    "ascii": ["\x0c", "\x0b", "\r"],
    "wider": ["\u2028", "\u0085", "\u00a0", "\u3000"],
    "no_width": ["\u200b\ufeff"],
}

SMALL = {
    "empty": b"",
    "one_byte": b"x",
    "one_line_break": b"\n",
    "blanks_only": b" \n\t\n\r\n\x0c\n",
    "one_line_without_a_break": b"x = y",
    "bom_only": b"\xef\xbb\xbf",
    "long_line": b'x = "' + b"a" * (1 << 20) + b'";\n',
    "long_line_of_code": b"f(" + b"a, " * 8_000 + b"b);\n",
    "nested_brackets": b"(" * 5_000 + b")" * 5_000 + b"\n",
    "nested_brackets_in_lines": b"{\n" * 500 + b"}\n" * 500,
    "openers_only": b"([{" * 2_000,
    "closers_only": b"}])" * 2_000,
    "quotes_only": b"\"'`" * 1_000,
    "comment_openers": b"/* " * 1_000,
    "one_statement_of_many_lines": b"x = (1 +\n" + b"  2 +\n" * 600 + b"  3);\n",
    "many_equal_lines": b"f(x);\n" * 1_000,
    "line_breaks_only": b"\n" * 5_000,
    "markup": b"<html>\n<body>\n<p>a</p>\n</body>\n</html>\n" * 20,
    "data": b"1.0, 2.0, 3.0\n" * 500,
}


def split_and_verify(
    rows_of: RowsOf, violations_of: ViolationsOf, language: str, content: bytes, settings: SplitSettings = DENSE
) -> int:
    """How many examples the file gives; none breaks an invariant, and a file without any is one rejection."""
    result = Splitter(settings, "0").split(rows_of([(language, content)]))
    assert (result.examples.num_rows > 0) != (result.rejections.num_rows == 1)
    for row in result.examples.to_pylist():
        assert violations_of(row, content) == [], (row["kind"], row["prefix"][-40:], row["middle"], row["suffix"][:40])
    return int(result.examples.num_rows)


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_files_changed_as_a_whole_give_valid_examples(
    rows_of: RowsOf, violations_of: ViolationsOf, sources: tuple[SourceFile, ...], name: str
) -> None:
    changed = 0
    for file in sources:
        content = WHOLE_FILES[name](file.content)
        changed += content != file.content
        found = split_and_verify(rows_of, violations_of, file.language, content)
        # Changes that leave the code alone leave examples.
        if name in ("crlf", "no_final_line_break", "many_final_line_breaks", "trailing_blanks", "tabs_for_indent"):
            assert found > 1
    assert changed > len(sources) / 2


@pytest.mark.parametrize("name", ODD_BLANKS)
@pytest.mark.parametrize("put", [after_every, at_line_ends], ids=["line_start", "line_end"])
def test_odd_blanks_give_valid_examples(
    rows_of: RowsOf,
    violations_of: ViolationsOf,
    sources: tuple[SourceFile, ...],
    name: str,
    put: Callable[[int, bytes], Callable[[bytes], bytes]],
) -> None:
    for number, file in enumerate(sources):
        blank = ODD_BLANKS[name][number % len(ODD_BLANKS[name])].encode()
        for step in (1, 5):
            split_and_verify(rows_of, violations_of, file.language, put(step, blank)(file.content))


@pytest.mark.parametrize("name", SMALL)
def test_degenerate_files_give_valid_examples_or_a_rejection(
    rows_of: RowsOf, violations_of: ViolationsOf, each_language: str, name: str
) -> None:
    start = b"<?php\n" if each_language == "PHP" else b""
    content = (start if SMALL[name] else b"") + SMALL[name]
    for line_break in (b"\n", b"\r\n") if len(content) < 10_000 else (b"\n",):
        settings = replace(DENSE, max_slots=6)
        split_and_verify(rows_of, violations_of, each_language, content.replace(b"\n", line_break), settings)


def test_nul_and_invalid_utf8_never_reach_the_splitter(rows_of: RowsOf, sources: tuple[SourceFile, ...]) -> None:
    contents = []
    for file in sources:
        middle = len(file.content) // 2
        for broken in (b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80"):
            contents.append((file.language, file.content[:middle] + broken + b"\n" + file.content[middle:]))
    kept, rejected = filter_rows(rows_of(contents), FilterPlan(grammars=GRAMMARS))
    assert kept.num_rows == 0
    assert set(rejected.column("reason").to_pylist()) == {"nul_byte", "not_utf8"}
