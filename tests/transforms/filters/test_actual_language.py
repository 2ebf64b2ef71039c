"""The language that a file shows: which rows are relabelled, which are rejected, and which stay as they are labelled."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from stackfim.schemas.source import ROW
from stackfim.transforms.filters.actual_language import HEAD_BYTES, Evidence, evidence, relabelled
from stackfim.transforms.filters.chain import filter_rows, relabel
from stackfim.transforms.filters.filter_settings import FilterPlan, FilterSettings

if TYPE_CHECKING:
    from tests.fixture_types import SourceFile

CLASS = "#ifndef A_H\n#define A_H\n\nclass Widget : public Base {\n public:\n  int x;\n};\n#endif\n"
GUARDED = (
    '#ifndef A_H\n#ifdef __cplusplus\nextern "C" {\n#endif\nint f(int x);\n#ifdef __cplusplus\n}\n'
    "template <typename T> class Holder { public: T value; };\n#endif\n#endif\n"
)
PROSE = "/*\n * The class of all things, and the template\nclass of others;\n */\nstruct s { int private; };\n// std::string here\n"

SHOWN = [
    # path, content, label of the row, evidence for another language
    ("a/w.h", CLASS, "C", Evidence("C++", "content")),
    ("w.h", "namespace a::b {\nint x;\n}\n", "C", Evidence("C++", "content")),
    ("w.h", "#include <vector>\nint f(void);\n", "C", Evidence("C++", "content")),
    ("w.h", "inline std::string f();\n", "C", Evidence("C++", "content")),
    ("w.h", "class QTimer;\n", "C", Evidence("C++", "content")),
    ("w.h", "class EXPORT_API Widget final\n{\n};\n", "C", Evidence("C++", "content")),
    ("w.h", "// -*- C++ -*-\n#pragma once\n", "C", Evidence("C++", "content")),
    ("w.h", CLASS, "C++", None),
    ("w.h", GUARDED, "C", None),
    ("w.h", PROSE, "C", None),
    ("w.h", "#include <string.h>\nint f(int class);\n", "C", None),
    ("w.h", "#import <Foundation/Foundation.h>\n@interface A : NSObject\n@end\n", "C", Evidence("Objective-C", "content")),
    ("w.h", "@class A;\nclass B;\n", "C++", Evidence("Objective-C", "content")),
    ("m.m", "#import \"a.h\"\n@implementation A\n@end\n", "MATLAB", Evidence("Objective-C", "content")),
    ("m.m", "function y = f(x)\n% doubles\ny = 2 * x;\n", "Objective-C", Evidence("MATLAB", "content")),
    ("m.m", "(* ::Package:: *)\nf[x_] := x\n", "Objective-C", Evidence("Mathematica", "content")),
    ("t.ts", "<?xml version=\"1.0\"?>\n<!DOCTYPE TS>\n<TS version=\"2.1\">\n</TS>\n", "TypeScript", Evidence("XML", "content")),
    ("t.ts", "G\0" + "x" * 186 + "G", "TypeScript", Evidence("MPEG", "content")),
    ("t.ts", "export const x: number = 1;\n", "TypeScript", None),
    ("p.pl", "#!/usr/bin/perl\nuse strict;\nmy $x = 1;\n", "Perl", None),
    ("p.pl", ":- module(list, [append/3]).\nappend([], L, L).\nmember(X, [X|_]) :- true.\n", "Perl", Evidence("Prolog", "content")),
    ("p.pl", "use v6;\nmy $x = 1;\n", "Perl", Evidence("Raku", "content")),
    ("p.pl", "1;\n", "Perl", None),
    ("t/a.t", "use Test::More tests => 1;\nok(1);\n", "Perl", None),
    ("t/a.t", "  $ hg init repo\n  $ cd repo\n  adding a\n", "Perl", Evidence("", "content")),
    ("t/a.t", "  $ cat a.pl\n  my $x = 1;\n  print \"x\";\n", "Perl", Evidence("", "content")),
    ("c.v", "Require Import List.\nLemma a : True.\nProof.\nQed.\n", "Verilog", Evidence("Coq", "content")),
    ("c.v", "module counter(input clk);\nalways @(posedge clk) x <= 1;\nendmodule\n", "Coq", Evidence("Verilog", "content")),
    ("q.sql", "CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ BEGIN END $$ LANGUAGE plpgsql;\n", "SQL", None),
    ("Main.java", "class Main {}\n", "Python", Evidence("Java", "extension")),
    ("a.jsx", "const x = 1;\n", "TypeScript", None),
    ("package.json", "{}\n", "JSON", None),
    ("Makefile.PL", "use ExtUtils::MakeMaker;\n", "Perl", None),
    ("a.py", "#!/bin/sh\nexec python\n", "Python", None),
    ("configure", "#!/usr/bin/env python3\nimport os\n", "Shell", Evidence("Python", "shebang")),
    ("tool", "#!/bin/bash\necho\n", "Shell", None),
    ("tool", "#!/bin/sh\n# -*- tcl -*-\nexec tclsh\n", "Shell", Evidence("Tcl", "modeline")),
    ("tool.in", "x = 1\n" * 300 + "# vim: set ft=python :\n", "Shell", Evidence("Python", "modeline")),
    ("tool", "# -*- coding: utf-8 -*-\n", "Python", None),
    ("notes", "plain\n", "Python", None),
]  # fmt: skip


@pytest.mark.parametrize(("path", "content", "label", "shown"), SHOWN)
def test_each_file_shows_its_language(path: str, content: str, label: str, shown: Evidence | None) -> None:
    assert evidence(path, pa.py_buffer(content.encode()), label) == shown


def rows_with_paths(rows_of: Callable[..., pa.RecordBatch], files: list[tuple[str, str, str]]) -> pa.RecordBatch:
    rows = rows_of((language, content.encode()) for _, language, content in files)
    place = ROW.get_field_index("path")
    rows = rows.set_column(place, ROW.field(place), pa.array([path for path, _, _ in files]))
    licenses = ROW.get_field_index("licenses")
    return rows.set_column(licenses, ROW.field(licenses), pa.array([["MIT"]] * len(files), ROW.field(licenses).type))


FILES = [
    ("w.h", "C", CLASS),
    ("w.h", "C", GUARDED),
    ("w.h", "C", "#import <A.h>\n"),
    ("Main.java", "Python", "class Main { int f() { return 1; } }\n"),
    ("a.t", "Perl", "  $ hg init repo\n"),
    ("main.py", "Python", "x = 1\n"),
]


def test_rows_get_the_language_that_their_content_shows(rows_of: Callable[..., pa.RecordBatch]) -> None:
    rows, counts = relabelled(rows_with_paths(rows_of, FILES))
    assert rows.schema.equals(ROW)
    assert rows.column("language").to_pylist() == ["C++", "C", "Objective-C", "Python", "Perl", "Python"]
    assert counts == {"C>C++": 1, "C>Objective-C": 1}
    again, none = relabelled(rows)
    assert none == {}
    assert again.equals(rows)


def test_what_cannot_be_relabelled_is_rejected_with_both_languages(rows_of: Callable[..., pa.RecordBatch]) -> None:
    kept, rejected = filter_rows(relabelled(rows_with_paths(rows_of, FILES))[0], FilterPlan())
    assert kept.column("path").to_pylist() == ["w.h", "w.h", "main.py"]
    found = {row["path"]: (row["stage"], row["reason"], row["detail"]) for row in rejected.to_pylist()}
    assert found["Main.java"][:2] == found["a.t"][:2] == ("file_language", "language_mismatch")
    assert found["Main.java"][2] == "the row says Python, the extension shows Java"
    assert found["w.h"][:2] == ("language", "language_unsupported")


UNKNOWN = [
    (
        "blur.rs",
        "Rust",
        "#pragma version(1)\n#pragma rs java_package_name(com.acme.blur)\nfloat radius;\n",
        "RenderScript",
    ),
    ("Account.cs", "C#", "!Account methodsFor: 'money'!\ndeposit: amount\n    balance := amount.! !\n", "Smalltalk"),
    ("greet.ex", "Elixir", "include std/io.e\nprocedure greet(sequence name)\nend procedure\n", "Euphoria"),
    ("a.php", "PHP", "<?hh\nfunction f(): void {}\n", "Hack"),
    ("a.r", "R", 'REBOL [Title: "a"]\nprint 1\n', "Rebol"),
]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_in_a_language_that_the_table_does_not_have_are_rejected(
    rows_of: Callable[..., pa.RecordBatch], mark: str
) -> None:
    files = [(path, label, mark + content) for path, label, content, _ in UNKNOWN]
    rows, counts = relabelled(rows_with_paths(rows_of, files))
    assert counts == {}
    kept, rejected = filter_rows(rows, FilterPlan())
    assert kept.num_rows == 0
    assert {row["path"]: (row["reason"], row["detail"]) for row in rejected.to_pylist()} == {
        path: ("language_mismatch", f"the row says {label}, the content shows {shown}")
        for path, label, _, shown in UNKNOWN
    }


def test_a_shared_extension_of_other_languages_than_the_label_is_a_mismatch_as_before() -> None:
    assert evidence("a.cs", pa.py_buffer(b"class A {}\n"), "Python") == Evidence("C#", "extension")
    assert evidence("a.cs", pa.py_buffer(b"class A {}\n"), "Smalltalk") is None
    assert evidence("a.cs", pa.py_buffer(b"using System;\n"), "Smalltalk") == Evidence("C#", "content")


def test_hand_written_and_installed_files_are_in_the_language_of_their_label(
    sources: tuple[SourceFile, ...], installed: tuple[SourceFile, ...]
) -> None:
    for file in (*sources, *installed):
        name = str(getattr(file, "path", getattr(file, "name", "")))
        found = evidence(name, pa.py_buffer(file.content), file.language)
        # A header of C++ that the table of extensions calls C.
        assert found is None or (file.language, found.language) == ("C", "C++"), name


@pytest.mark.parametrize(
    "piece",
    ["/*", "#ifdef __cplusplus\n", "class a", "\n", "class a\n", "namespace\n", "my\n", "-*- ", "vi: ", "(", "a("],
)
@pytest.mark.parametrize("path", ["a.h", "a.pl", "a.t", "a.m", "a.v", "a.ts", "a"])
def test_no_text_takes_more_than_linear_time(piece: str, path: str) -> None:
    content = pa.py_buffer((("class std:: public " + piece * HEAD_BYTES)[:HEAD_BYTES]).encode())
    started = time.process_time()
    evidence(path, content, "C")
    assert time.process_time() - started < 1


def test_where_the_filter_is_switched_off_no_row_is_relabelled_or_dropped_by_it(
    rows_of: Callable[..., pa.RecordBatch],
) -> None:
    rows, plan = rows_with_paths(rows_of, FILES), FilterPlan(FilterSettings(switched_off=("file_language",)))
    assert relabel(rows, FilterPlan())[1] == {"C>C++": 1, "C>Objective-C": 1}
    assert relabel(rows, plan) == (rows, {})
    kept, _ = filter_rows(rows.slice(3, 2), plan)
    assert kept.column("path").to_pylist() == ["Main.java", "a.t"]
