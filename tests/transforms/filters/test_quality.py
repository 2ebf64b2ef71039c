"""Quality scores against slow and plain references, what each rule drops, and what it must not drop."""

from __future__ import annotations

import base64
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.transforms.filters.comments import MARKERS, comment_scores, decide_comments
from stackfim.transforms.filters.data_files import data_scores, decide_data_files
from stackfim.transforms.filters.encoded import decide_encoded, encoded_data
from stackfim.transforms.filters.filter_settings import FilterPlan
from stackfim.transforms.filters.line_table import lines_of
from stackfim.transforms.filters.markup import decide_markup, markup_scores
from stackfim.transforms.filters.number_tables import decide_numbers, number_shares
from stackfim.transforms.filters.quality_limits import LIMITS, QualityLimits, limits_by_row, limits_of
from stackfim.transforms.filters.redaction import find_all
from stackfim.transforms.filters.repetition import decide_repetition, repetition
from stackfim.transforms.filters.scores import score_rows
from stackfim.transforms.filters.text import text_of
from stackfim.transforms.filters.words import ngrams, span_hashes, word_blocks, words_of
from tests.transforms.plain_words import plain_words

if TYPE_CHECKING:
    from tests.fixture_types import SourceFile


def column(*contents: str | bytes) -> pa.BinaryArray:
    """The contents as a slice between two others, so that their bytes do not begin where the buffer does."""
    values = [content.encode() if isinstance(content, str) else content for content in contents]
    return pa.array([b"before\n\x00", *values, b"\nafter"], pa.binary()).slice(1, len(values))


DEFAULT = [QualityLimits()]


@given(st.data())
def test_lines_are_those_that_end_at_a_line_feed(
    text_columns: st.SearchStrategy[pa.Array], data: st.DataObject
) -> None:
    drawn = data.draw(text_columns)
    lines = lines_of(text_of(drawn))
    expected = []
    for row, value in enumerate(drawn.to_pylist()):
        pieces = value.split(b"\n")
        for piece in pieces if pieces[-1] else pieces[:-1]:
            expected.append((row, piece.rstrip(b" \t\r\n").lstrip(b" \t")))
    joined = text_of(drawn).data.tobytes()
    found = [
        (row, joined[visible:end])
        for row, visible, end in zip(lines.row.tolist(), lines.visible.tolist(), lines.end.tolist(), strict=True)
    ]
    assert found == expected
    assert lines.sum_by_row(np.ones(len(lines.row), np.int64)).tolist() == np.diff(lines.first).tolist()


@given(st.data())
def test_ngrams_are_equal_where_their_words_are(text_columns: st.SearchStrategy[pa.Array], data: st.DataObject) -> None:
    drawn = data.draw(text_columns)
    length = data.draw(st.integers(1, 4))
    words = [plain_words(value) for value in drawn.to_pylist()]
    expected = [
        (row, tuple(of[place : place + length]))
        for row, of in enumerate(words)
        for place in range(len(of) - length + 1)
    ]
    found: list[tuple[int, int]] = []
    for block in word_blocks(text_of(drawn)):
        grams = ngrams(block.hashes, block.first, length)
        found += zip((grams.row + block.rows.start).tolist(), grams.hashes.tolist(), strict=True)
        spans = span_hashes(block.hashes, grams.word, grams.word + length)
        assert spans.tolist() == grams.hashes.tolist()
    assert [row for row, _ in found] == [row for row, _ in expected]
    names: dict[int, tuple[bytes, ...]] = {}
    for (_, number), (_, gram) in zip(found, expected, strict=True):
        assert names.setdefault(number, gram) == gram
    assert len(set(names.values())) == len(names)


def test_words_in_lower_case_are_those_of_the_text_in_lower_case() -> None:
    mixed = column("Hello WORLD_9 ÉCOLE x")
    block = next(word_blocks(text_of(mixed), lower_case=True))
    assert block.lowered.tolist() == words_of("hello world_9 École x".encode()).tolist()
    assert block.hashes.tolist() == words_of("Hello WORLD_9 ÉCOLE x".encode()).tolist()


def reference_repetition(text: bytes) -> tuple[float, float]:
    lines = [tuple(plain_words(line)) for line in text.split(b"\n")]
    lines = [line for line in lines if line]
    duplicates = (len(lines) - len(set(lines))) / len(lines) if len(lines) >= 30 else 0.0
    words = [word for line in lines for word in line]
    if len(words) < 200:
        return duplicates, 0.0
    places: dict[tuple[bytes, ...], set[int]] = {}
    for place in range(len(words) - 4):
        places.setdefault(tuple(words[place : place + 5]), set()).update(range(place, place + 5))
    return duplicates, max(map(len, places.values())) / len(words)


def test_repetition_of_real_files_is_that_of_the_reference(
    sources: tuple[SourceFile, ...], installed: tuple[SourceFile, ...]
) -> None:
    contents = [file.content for file in (*sources, *installed)]
    contents += [b"x = f(a, b, c)\n" * 60, b"0, 0, 0, 0, 0, 0, 0,\n" * 40, b"a b c d e f\n" * 40 + contents[0]]
    found = repetition(column(*contents))
    for row, content in enumerate(contents):
        lines, top = reference_repetition(content)
        assert found.duplicate_lines[row] == pytest.approx(lines)
        if top >= 0.2:
            assert found.top_ngram[row] == pytest.approx(top)
        else:
            assert found.top_ngram[row] < 0.9
    assert decide_repetition(found, DEFAULT * len(contents)).keys() == {len(contents) - 3, len(contents) - 2}


def test_files_of_few_lines_may_repeat_themselves() -> None:
    found = repetition(column("x = 1\n" * 29, "x = 1\n" * 30))
    assert found.duplicate_lines.tolist() == [0.0, pytest.approx(29 / 30)]


RANDOM_BYTES = random.Random(0).randbytes(3_000)
BASE64 = base64.b64encode(RANDOM_BYTES).decode()
CODE = "def add(first, second):\n    return first + second\n\n\n" * 12


@pytest.mark.parametrize(
    ("content", "share"),
    [
        (BASE64, 1.0),
        (BASE64 + "\n" + CODE, len(BASE64) / len(BASE64 + "\n" + CODE)),
        ("\n".join(BASE64[place : place + 76] for place in range(0, 3_800, 76)), 3_800 / 3_849),
        (RANDOM_BYTES[:500].hex(), 1.0),
        ('"' + "".join(f"\\x{byte:02x}" for byte in RANDOM_BYTES[:100]) + '"', 400 / 402),
        (BASE64[:63], 0.0),
        (BASE64[:64], 1.0),
        (CODE, 0.0),
        ("=" * 200, 0.0),
        ("a/very/long/path/of/folders/and/names/that/goes/on/and/on/without/any/end/in/sight/at/all", 0.0),
        ("AVeryLongNameOfAClassThatSomeoneInventedForNoReasonWhatsoeverButThatStillIsAName", 0.0),
        ("", 0.0),
    ],
)
def test_encoded_data_is_told_apart_from_long_words(content: str, share: float) -> None:
    found = encoded_data(column(CODE, content, CODE))
    assert found.share.tolist() == pytest.approx([0, share, 0])
    assert found.size_bytes[1] == round(share * len(content))


@given(st.integers(0, 70), st.integers(64, 300))
def test_a_run_is_found_wherever_it_begins(before: int, length: int) -> None:
    found = encoded_data(column(" " * before + BASE64[:length] + " x"))
    assert found.size_bytes.tolist() == [length]


def test_encoded_rows_go_by_share_or_by_size() -> None:
    large = encoded_data(column(BASE64 * 5 + CODE * 60, BASE64[:400] + CODE, BASE64))
    drops = decide_encoded(large, DEFAULT * 3)
    assert {row: reason for row, (reason, _) in drops.items()} == {0: "encoded_data", 2: "encoded_data"}


def test_tables_of_numbers_go_and_arithmetic_stays() -> None:
    table = "static const int table[] = {\n" + "    0x1f, 0xa2, 17, -4, 1.5e-3f, 12u,  // row\n" * 60 + "};\n"
    digits = "x = [" + ", ".join(str(number**5) for number in range(100, 250)) + "]\n"
    code = "for (i = 0; i < 10; i++) {\n    a[i] = b[i + 1] * 2 + 3;\n}\n" * 20
    short = "VERSION = (1, 2, 3)\n1, 2, 3, 4, 5\n"
    shares = number_shares(column(table, digits, code, short))
    assert shares.number_lines[0] > 0.9
    assert shares.digits[1] > 0.6
    assert shares.digits[2] < 0.2
    assert shares.number_lines[2:].tolist() == [0, 0]
    drops = decide_numbers(shares, DEFAULT * 4)
    assert {row: reason for row, (reason, _) in drops.items()} == {0: "number_table", 1: "too_many_digits"}


COMMENTED = {
    # For each language, lines of comments and the beginnings of lines with logic.
    "Python": (["# a comment", '"""A docstring', "of two lines.\"\"\"", "'''One.'''", "r'''Raw", "text'''"], ["x = 1", "@decorate", 'y = """', 'text"""', "(a, b) = c"]),
    "JavaScript": (["// a", "/* b", "c", "d */", "/** e */"], ["let x = 1 // y", "f(a) /* b */", "'a'.b()"]),
    "C": (["// a", "/* b", " * c", " */"], ["int x; /* y */", "#define A 1", "*p = 1;"]),
    "Ruby": (["# a", "=begin", "b", "=end"], ["x = 1", ":a.b", "@c = 2"]),
    "PHP": (["// a", "# b", "/* c */"], ["$x = 1;", "echo 'a';"]),
    "Haskell": (["-- a", "{- b", "c -}"], ["f x = x"]),
    "Lua": (["-- a"], ["local x = 1"]),
    "Rust": (["// a", "/// b", "//! c", "/* d */"], ["let x = 1;", "&x"]),
}  # fmt: skip
NO_LOGIC = {"C": ["*p = 1;"], "Python": ["(a, b) = c"]}


@pytest.mark.parametrize("language", COMMENTED)
def test_comments_and_logic_are_recognised_by_language(language: str) -> None:
    comments, logic = COMMENTED[language]
    content = "\n".join([*logic, "", *comments, "  " + logic[0], "}", "})"]) + "\n"
    scores = comment_scores(column("x", content, "y"), ["C", language, "Python"])
    in_comments = sum(len(line.strip()) for line in comments)
    in_logic = sum(map(len, logic)) + len(logic[0]) + 3
    assert scores.share[1] == pytest.approx(in_comments / (in_comments + in_logic))
    assert scores.logic_lines[1] == len(logic) + 1 - len(NO_LOGIC.get(language, []))
    assert scores.visible_bytes[1] == in_comments + in_logic


def test_a_comment_ends_with_its_row() -> None:
    scores = comment_scores(column("/* never closed\n", "int x;\n", "*/ int y;\n"), ["C", "C", "C"])
    assert scores.share.tolist() == [1, 0, 0]
    python = comment_scores(column('"""never closed\n', "x = 1\n", '"""\n'), ["Python"] * 3)
    assert python.share.tolist() == [0, 0, 0]


def test_a_string_that_is_not_a_docstring_is_code() -> None:
    content = 'TEXT = """\n# not a comment?\n"""\n\n\ndef f():\n    """Says what it does."""\n    return TEXT\n'
    scores = comment_scores(column(content), ["Python"])
    assert scores.share[0] == pytest.approx((16 + 26) / 74, abs=0.03)


def test_files_of_nothing_but_comments_and_imports_go() -> None:
    license_text = "// Redistribution and use in source and binary forms are permitted under these terms.\n" * 12
    contents = {
        "package": (license_text + "package org.example;\n", "Java", "too_few_logic_lines"),
        "barrel": ("export * from './a';\nexport * from './b';\n", "TypeScript", "too_few_logic_lines"),
        "header": ("#ifndef A_H\n#include <a.h>\n#endif\n", "C", "too_few_logic_lines"),
        "init": ('"""The package."""\n\nfrom a import b\n', "Python", "too_few_logic_lines"),
        "essay": (license_text * 4 + "int x;\n", "Java", "too_many_comments"),
        "one line": ("x = 1\n", "Python", None),
        "documented": (license_text[:440] + "class A {\n  int size() {\n    return count - 1;\n  }\n}\n", "Java", None),
        "unknown": ("! comment\n", "Fortran", None),
        "short": ("// the answer\nint x = 42;\n", "C", None),
    }
    languages = [language for _, language, _ in contents.values()]
    scores = comment_scores(column(*(content for content, _, _ in contents.values())), languages)
    limits = limits_by_row(languages)
    drops = decide_comments(scores, limits)
    found = {name: drops.get(row, (None,))[0] for row, name in enumerate(contents)}
    assert found == {name: reason for name, (_, _, reason) in contents.items()}


def test_xml_under_another_name_and_thin_html_go() -> None:
    page = (
        "<html><head><script>"
        + "var a = 1; " * 99
        + "</script></head><body>"
        + "Words to read. " * 40
        + "</body></html>"
    )
    contents = [
        ('<?xml version="1.0"?>\n<TS></TS>', "TypeScript", "xml_content"),
        ('\n <?xml version="1.0"?>\n<a/>', "C#", "xml_content"),
        ('<?xml version="1.0"?>\n<a/>', "XML", None),
        ('const a = `<?xml version="1.0"?>`\n', "TypeScript", None),
        (page, "HTML", None),
        (page.replace("Words to read. " * 40, "Words to read. " * 8), "HTML", "too_little_text"),
        ("<p>Hi</p>", "HTML", "too_little_text"),
    ]
    languages = [language for _, language, _ in contents]
    scores = markup_scores(column(*(content for content, _, _ in contents)), languages)
    assert scores.text_chars[4] == len("Words to read. " * 40) - 1
    drops = decide_markup(scores, limits_by_row(languages))
    assert [drops.get(row, (None,))[0] for row in range(len(contents))] == [reason for _, _, reason in contents]


def notebook(source: str, output: str) -> str:
    return json.dumps(
        {"nbformat": 4, "cells": [{"cell_type": "code", "source": [source], "outputs": [{"text": output}]}]}
    )


def test_data_files_are_judged_by_size_letters_and_source() -> None:
    contents = [
        ('{"name": "value that is long enough to be one"}', "JSON", "data_file_size"),
        ('{"name": "' + "a text of letters " * 10 + '"}', "JSON", None),
        ('{"name": "' + "a text of letters " * 400 + '"}', "JSON", "data_file_size"),
        ("values: [" + "1, " * 60 + "]", "YAML", "too_few_letters"),
        ("имя: " + "слово " * 20, "YAML", None),
        (notebook("import numpy\n" * 20, "x"), "Jupyter Notebook", None),
        (notebook("import numpy\n", "9" * 5_000), "Jupyter Notebook", "generated_notebook"),
        (
            notebook("# This notebook was automatically generated\n" + "x = 1\n" * 99, ""),
            "Jupyter Notebook",
            "generated_notebook",
        ),
        ("not json", "Jupyter Notebook", "generated_notebook"),
        ("x = 1\n", "Python", None),
    ]
    languages = [language for _, language, _ in contents]
    scores = data_scores(column(*(content for content, _, _ in contents)), languages)
    limits = limits_by_row(languages)
    drops = decide_data_files(scores, limits)
    assert [drops.get(row, (None,))[0] for row in range(len(contents))] == [reason for _, _, reason in contents]


def test_limits_are_the_tables_then_those_for_all_then_those_of_the_language() -> None:
    overrides = {"*": {"max_digit_share": 0.9}, "SQL": {"max_digit_share": 0.1, "min_logic_lines": 5}}
    assert limits_of("SQL", overrides).max_digit_share == 0.1
    assert limits_of("HTML", overrides).min_text_chars == LIMITS["HTML"].min_text_chars
    assert limits_of("Go", overrides).max_digit_share == 0.9
    assert limits_of("Go") == QualityLimits()
    with pytest.raises(ValueError, match="max_digits: no such limit"):
        limits_of("C", {"C": {"max_digits": 1}})


@given(st.data())
def test_scores_do_not_depend_on_the_batch(
    rows_of: Callable[..., pa.RecordBatch], text_columns: st.SearchStrategy[pa.Array], data: st.DataObject
) -> None:
    languages = st.sampled_from([*MARKERS, "HTML", "JSON", "Jupyter Notebook", "Fortran", ""])
    pieces = st.sampled_from(
        ["/* ", " */\n", '"""', "# x\n", "// y\n", "x = 1\n" * 40, BASE64[:70], "1, 2,\n" * 99, "\n"]
    )
    files = []
    for content in data.draw(text_columns).to_pylist():
        extra = "".join(data.draw(st.lists(pieces, max_size=5))).encode()
        files.append((data.draw(languages), extra + content + extra))
    rows = rows_of(files)
    together = score_rows(rows, FilterPlan()).scores.to_pylist()
    alone = [score_rows(rows.slice(row, 1), FilterPlan()).scores.to_pylist()[0] for row in range(rows.num_rows)]
    assert together == alone


def test_code_that_was_written_passes_every_rule(
    rows_of: Callable[..., pa.RecordBatch], sources: tuple[SourceFile, ...], installed: tuple[SourceFile, ...]
) -> None:
    # HTML is judged by its visible text, and a template of forms has little of that.
    files = [(file.language, file.content) for file in (*sources, *installed) if file.language != "HTML"]
    rows = rows_of(files)
    content, languages = rows.column("content"), [language for language, _ in files]
    limits = limits_by_row(languages)
    comments = comment_scores(content, languages)
    for drops in (
        decide_encoded(encoded_data(content), limits),
        decide_numbers(number_shares(content), limits),
        decide_comments(comments, limits),
        decide_repetition(repetition(content), limits),
        decide_markup(markup_scores(content, languages), limits),
    ):
        assert drops == {}
    assert Counter(languages)["Python"] > 10


@pytest.mark.parametrize(
    "piece",
    ["<!--", "<script", '"""', "/*", "://a:", "://:b", "\\x4", "1.", "1,", "2001:", "eyJ-", "ecret", "a@", "a@b.", "# generated "]
    + ["-----BEGIN " + "PRIVATE KEY-----\n", "1.2.3.", "aws secret ", '{"cells":[', "A-"],
)  # fmt: skip
def test_no_text_takes_more_than_linear_time(piece: str, rows_of: Callable[..., pa.RecordBatch]) -> None:
    """256 KiB of the same beginning over and over: quadratic searching would take minutes."""
    content = (piece * (1 << 18))[: 1 << 18].encode()
    started = time.process_time()
    for language in ("Python", "C", "HTML", "Jupyter Notebook"):
        score_rows(rows_of([(language, content)]), FilterPlan())
    find_all(pa.array([content], pa.binary()))
    assert time.process_time() - started < 5
