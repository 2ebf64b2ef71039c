"""The head of a file is its text: a byte order mark is no part of it, and hides nothing in any language."""

import pyarrow as pa
import pytest

from stackfim.transforms.file_head import head_of, without_mark
from stackfim.transforms.filters.actual_language import Evidence, evidence
from stackfim.transforms.filters.comment_lines import comment_lines
from stackfim.transforms.languages.file_names import SHEBANG_BYTES, language_of_shebang

MARK = "\ufeff".encode()


@pytest.mark.parametrize("size", [1, 3, 4, 100])
@pytest.mark.parametrize("text", [b"", b"a", b"abcdef" * 9, MARK[:2], MARK[1:]])
def test_a_head_has_as_many_bytes_with_a_mark_as_without(text: bytes, size: int) -> None:
    assert head_of(pa.py_buffer(MARK + text), size) == head_of(pa.py_buffer(text), size) == text[:size]
    assert without_mark(MARK + text) == text


def test_only_one_mark_at_the_very_beginning_goes() -> None:
    assert head_of(pa.py_buffer(MARK * 2 + b"a"), 9) == MARK + b"a"
    assert head_of(pa.py_buffer(b"a" + MARK), 9) == b"a" + MARK


@pytest.mark.parametrize(
    "line", [b"#!/usr/bin/env python3", b"#! /usr/bin/python", b"#!" + b" " * (SHEBANG_BYTES - 8) + b"python"]
)
def test_the_line_that_names_an_interpreter(line: bytes) -> None:
    assert language_of_shebang(MARK + line + b"\nprint(1)\n") == language_of_shebang(line + b"\n") == "Python"


@pytest.mark.parametrize(
    ("path", "content", "label", "shown"),
    [
        ("Panel.h", b"#import <UIKit/UIKit.h>\nUIView *make_panel(void);\n", "C", Evidence("Objective-C", "content")),
        ("Box.h", b"namespace a {\n}\n", "C", Evidence("C++", "content")),
        ("facts.pl", b":- module(facts, []).\n", "Perl", Evidence("Prolog", "content")),
        ("a.ts", b"<!DOCTYPE TS>\n<TS version='2.1'></TS>\n", "TypeScript", Evidence("XML", "content")),
        ("tool", b"#!/usr/bin/env python3\nprint(1)\n", "Shell", Evidence("Python", "shebang")),
        ("tool", b"# -*- python -*-\nprint(1)\n", "Shell", Evidence("Python", "modeline")),
    ],
)
def test_the_language_that_a_first_line_shows(path: str, content: bytes, label: str, shown: Evidence) -> None:
    assert evidence(path, pa.py_buffer(content), label) == shown
    assert evidence(path, pa.py_buffer(MARK + content), label) == shown


def test_the_first_line_is_a_comment_with_a_mark_too() -> None:
    lines = [b"# one", b"  # two", b"x = 1"]
    assert list(comment_lines([MARK + lines[0], *lines[1:]], "Python")) == list(comment_lines(lines, "Python"))
