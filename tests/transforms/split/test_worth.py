"""Middles that grammars allow and that teach nothing are refused: remarks, data, boilerplate, half a directive.

Each rule is shown by a text that it refuses and the same text with a small change that it lets pass.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.site import Refused
from stackfim.transforms.split.split_settings import SplitSettings
from stackfim.transforms.split.worth import MAX_COMMENT_SHARE, MIN_CONTEXT_BYTES, check_context, check_directives
from tests.fixture_types import Parsed, RefusalsOn, RowsOf, SitesOn, SourceFile

# Head of a function, a line of remark, a line of code and tail; the numbers make lines differ.
REMARKS = {
    "Python": ("def f():\n", "    # note {}\n", "    call_{}()\n", ""),
    "JavaScript": ("function f() {{\n", "  // note {}\n", "  call_{}();\n", "}}\n"),
    "TypeScript": ("function f(): void {{\n", "  // note {}\n", "  call_{}();\n", "}}\n"),
    "TSX": ("const f = () => {{\n", "  /* note {} */\n", "  call_{}();\n", "}};\n"),
    "Java": ("class A {{\n", "  // note {}\n", "  int field_{};\n", "}}\n"),
    "Go": ("package p\n\nfunc f() {{\n", "\t// note {}\n", "\tcall_{}()\n", "}}\n"),
    "Rust": ("fn f() {{\n", "    /// note {}\n", "    call_{}();\n", "}}\n"),
    "C": ("void f(void)\n{{\n", "    /* note {} */\n", "    call_{}();\n", "}}\n"),
    "C++": ("void f() {{\n", "  // note {}\n", "  call_{}();\n", "}}\n"),
    "C#": ("class A\n{{\n", "    /// note {}\n", "    int Field{};\n", "}}\n"),
    "Ruby": ("def f\n", "  # note {}\n", "  call_{}()\n", "end\n"),
    "PHP": ("<?php\nfunction f()\n{{\n", "    # note {}\n", "    call_{}();\n", "}}\n"),
}

# The same with a line of literals and a line of names.
DATA = {
    "Python": ("def f():\n    return [\n", '        ({}, "a"),\n', "        ({}, name),\n", "    ]\n"),
    "JavaScript": ("function f() {{\n  return [\n", "    [{}, 'a'],\n", "    [{}, name],\n", "  ];\n}}\n"),
    "TypeScript": ("function f() {{\n  return [\n", "    [{}, 'a'],\n", "    [{}, name],\n", "  ];\n}}\n"),
    "TSX": ("const f = () => {{\n  return [\n", "    [{}, 'a'],\n", "    [{}, name],\n", "  ];\n}};\n"),
    "Java": (
        "class A {{\n  A() {{\n    int[][] rows = new int[][] {{\n",
        "      {{{}, 7}},\n",
        "      {{{}, name}},\n",
        "    }};\n  }}\n}}\n",
    ),
    "Go": (
        "package p\n\nfunc f() []T {{\n\treturn []T{{\n",
        '\t\t{{{}, "a"}},\n',
        "\t\t{{{}, name}},\n",
        "\t}}\n}}\n",
    ),
    "Rust": ("fn f() -> T {{\n    [\n", '        ({}, "a"),\n', "        ({}, name),\n", "    ]\n}}\n"),
    "C": (
        "void f(void) {{\n  static const T rows[] = {{\n",
        "    {{{}, 0x7f}},\n",
        "    {{{}, name}},\n",
        "  }};\n}}\n",
    ),
    "C++": ("void f() {{\n  static const T rows[] = {{\n", "    {{{}, 0x7f}},\n", "    {{{}, name}},\n", "  }};\n}}\n"),
    "C#": (
        "class A\n{{\n  A()\n  {{\n    rows = new[] {{\n",
        "      {}.5,\n",
        "      {}.5 + name,\n",
        "    }};\n  }}\n}}\n",
    ),
    "Ruby": ("def f\n  [\n", '    [{}, "a"],\n', "    [{}, name],\n", "  ]\nend\n"),
    "PHP": ("<?php\nfunction f()\n{{\n  return [\n", "    [{}, 'a'],\n", "    [{}, $name],\n", "  ];\n}}\n"),
}

LICENSES = [
    ("Python", "# Copyright 2019 The Example Authors.\n# {}\n", "import os\nimport sys\n\nprint(os.name)\n"),
    ("Go", "// {}\n// SPDX-License-Identifier: MIT\n", "var a = 1\nvar b = 2\n\nvar c = 3\n"),
    ("JavaScript", "/* {}\n * Licensed under the Apache License */\n", "f(1);\ng(2);\n\nh(3);\n"),
    ("C", "/* (c) Example. All rights reserved.\n * {} */\n", "int a(void);\nint b(void);\n\nint c(void);\n"),
    ("Java", "// {}\n// Permission is hereby granted, free of charge\n", "class A {\n}\n\nclass B {\n}\n"),
]


def filled(parts: tuple[str, str, str, str], first: int, second: int) -> tuple[str, int]:
    """A function with the given numbers of lines of the two sorts, and the number of the first line inside it."""
    head, one, other, tail = parts
    lines = [one.format(number) for number in range(first)] + [other.format(number) for number in range(second)]
    return head.format() + "".join(lines) + tail.format(), head.count("\n")


@pytest.mark.parametrize("remarks", range(8))
@pytest.mark.parametrize("code", [1, 2, 4])
@pytest.mark.parametrize("language", REMARKS)
def test_remarks_are_at_most_a_share_and_two_lines_are_code(
    parsed: Parsed, sites_on: SitesOn, refusals_on: RefusalsOn, language: str, remarks: int, code: int
) -> None:
    text, line = filled(REMARKS[language], remarks, code)
    file = parsed(language, text)
    assert not file.tree.root_node.has_error
    wanted = code >= 2 and remarks <= MAX_COMMENT_SHARE * (remarks + code)
    assert bool(sites_on(file, "block_body", line + remarks, draws=1)) == wanted
    if not wanted and remarks:
        assert refusals_on(file, "block_body", line + remarks) == {"mostly_comments"}


def test_documentation_of_python_is_a_remark_a_text_that_is_used_is_not(
    parsed: Parsed, sites_on: SitesOn, refusals_on: RefusalsOn
) -> None:
    body = '    {}"""Rows of a table.\n\n    One a line, the first\n    names the columns.\n    """\n    a = 1\n    return a\n'
    head = "def f():\n"
    assert refusals_on(parsed("Python", head + body.format("")), "block_body", 6) == {"mostly_comments"}
    assert sites_on(parsed("Python", head + body.format("text = ")), "block_body", 6)


@pytest.mark.parametrize(("literals", "names", "passes"), [(8, 0, False), (7, 1, False), (2, 6, True), (0, 8, True)])
@pytest.mark.parametrize("language", DATA)
def test_a_table_of_literals_is_data_one_of_names_is_code(
    parsed: Parsed, sites_on: SitesOn, refusals_on: RefusalsOn, language: str, literals: int, names: int, passes: bool
) -> None:
    text, line = filled(DATA[language], literals, names)
    file = parsed(language, text)
    assert not file.tree.root_node.has_error
    # The line above the first literal begins the statement.
    assert bool(sites_on(file, "block_body", line - 1, draws=1)) == passes
    assert refusals_on(file, "block_body", line - 1) == (set() if passes else {"literal_data"})


def test_half_of_the_lines_may_be_literals_and_no_more(
    parsed: Parsed, sites_on: SitesOn, refusals_on: RefusalsOn
) -> None:
    literals = [f"    {number}," for number in range(3)]
    names = ["    (name),"]
    for more, passes in ((0, True), (1, False)):
        text = "\n".join(["def f():", "    return (", *literals, *literals[:more], *names, "    )", ""])
        file = parsed("Python", text)
        # Three of six lines, then four of seven.
        assert bool(sites_on(file, "block_body", 1)) == passes
        assert refusals_on(file, "block_body", 1) == (set() if passes else {"literal_data"})


@pytest.mark.parametrize(("language", "header", "code"), LICENSES, ids=[case[0] for case in LICENSES])
def test_the_head_of_a_license_is_no_middle(
    parsed: Parsed, sites_on: SitesOn, refusals_on: RefusalsOn, language: str, header: str, code: str
) -> None:
    words = r"(Copyright|SPDX-License\S*|Licensed under|All rights reserved\.|Permission is hereby granted)"
    plain = re.sub(words, "Remarks", header)
    assert plain != header
    for line_break in ("\n", "\r\n"):
        licensed = parsed(language, (header.format("Some words") + code).replace("\n", line_break))
        assert sites_on(licensed, "siblings", 0) == set()
        assert "license_text" in refusals_on(licensed, "siblings", 0)
        assert sites_on(parsed(language, (plain.format("Some words") + code).replace("\n", line_break)), "siblings", 0)


REGIONS = """\
class Orders
{
    private int _count;

    #region Actions
    public void Open()
    {
        _count++;
    }

    public void Close()
    {
        _count--;
    }
    #endregion

    public int Count => _count;
    public int Twice => 2 * _count;
}
"""


@pytest.mark.parametrize(
    ("kind", "line", "first", "last"),
    [
        ("siblings", 4, "#region Actions", "Count => _count;"),
        ("rest_of_block", 4, "#region Actions", "Twice => 2 * _count;"),
        ("rest_of_block", 10, None, None),  # its end alone
        ("siblings", 5, "public void Open()", "}"),
    ],
)
def test_a_region_is_in_a_middle_whole_or_not_at_all(
    parsed: Parsed,
    sites_on: SitesOn,
    refusals_on: RefusalsOn,
    kind: str,
    line: int,
    first: str | None,
    last: str | None,
) -> None:
    file = parsed("C#", REGIONS)
    texts = [file.content[site.start : site.end].decode() for site in sites_on(file, kind, line)]
    if first is None:
        assert texts == []
        assert "directive_cut" in refusals_on(file, kind, line)
    else:
        (text,) = texts
        assert last is not None
        assert text.startswith(first)
        assert text.endswith(last)
        assert text.count("#region") == text.count("#endregion")


@pytest.mark.parametrize("opener", ["#if A", "#ifdef A", "# ifndef A", "  #region Some words"])
def test_a_line_that_opens_a_directive_is_no_whole_line(
    parsed: Parsed, sites_on: SitesOn, refusals_on: RefusalsOn, opener: str
) -> None:
    language = "C#" if "region" in opener else "C"
    closer = "#endregion" if language == "C#" else "#endif"
    # Indented like the body of a block.
    file = parsed(language, f"int a;\n{opener}\n    int b;\n    int c;\n{closer}\nint d;\n")
    for kind in ("blank_line", "token_to_eol"):
        assert not any(file.content[site.start :].startswith(b"#") for site in sites_on(file, kind, 1))
    assert sites_on(file, "blank_line", 1) == set()
    assert sites_on(file, "blank_line", 5)


OPENERS, BETWEEN, CLOSERS = (
    ("#if A", "#ifdef B", "  #ifndef C", "# region D"),
    ("#else", "#elif E", "#elifdef F"),
    (
        "#endif",
        "\t#endregion",
    ),
)
OTHERS = ("int a;", "#define IF 1", "#include <if.h>", "#ifx", 'puts("#if");', "#pragma once", "// #endif")


@given(st.lists(st.sampled_from([*OPENERS, *BETWEEN, *CLOSERS, *OTHERS]), max_size=10))
def test_directives_pair_up_inside_a_middle(lines: list[str]) -> None:
    """Another way to decide: pairs are removed from the inside out; in the end only other lines may be left."""
    signs = "".join(
        "(" if line in OPENERS else ")" if line in CLOSERS else "|" if line in BETWEEN else "" for line in lines
    )
    while (fewer := re.sub(r"\(\|*\)", "", signs)) != signs:
        signs = fewer
    text = "\n".join(lines).encode()
    if signs:
        with pytest.raises(Refused, match="directive_cut"):
            check_directives(text)
    else:
        check_directives(text)


@pytest.mark.parametrize("note", ["// in C:\\temp\\", "// line art: \\"])
def test_a_middle_that_ends_in_a_backslash_would_go_on(
    parsed: Parsed, sites_on: SitesOn, refusals_on: RefusalsOn, note: str
) -> None:
    text = "function f() {\n  a();\n  b(); %s\n}\n"
    cut = parsed("JavaScript", text % note)
    for kind, line in (("block_body", 1), ("token_to_eol", 2), ("blank_line", 2)):
        assert sites_on(cut, kind, line) == set()
        assert "continued_line" in refusals_on(cut, kind, line)
        assert sites_on(parsed("JavaScript", text % note.rstrip("\\")), kind, line)


@pytest.mark.parametrize(
    ("language", "text", "line"),
    [
        ("Python", "total = price + \\\n    tax\n", 0),
        ("C", "#define SWAP(a, b) \\\n  do { int c = a; a = b; b = c; } while (0)\n", 0),
        ("Ruby", "total = price + \\\n  tax\n", 0),
    ],
)
def test_a_line_that_goes_on_on_the_next_one_is_no_middle(
    parsed: Parsed, sites_on: SitesOn, language: str, text: str, line: int
) -> None:
    file = parsed(language, text)
    assert sites_on(file, "token_to_eol", line) | sites_on(file, "blank_line", line) == set()


BLANKS = st.text(" \n\t", max_size=40)
WORDS = st.text("ab({;", max_size=70)


@given(BLANKS, WORDS, BLANKS, BLANKS, WORDS)
def test_a_middle_has_something_before_it_and_enough_around_it(
    blank: str, before: str, gap: str, other: str, after: str
) -> None:
    head, tail = (blank + before + gap).encode(), (other + after).encode()
    content = head + b"middle" + tail
    enough = len(before) > 0 and len(before) + len(after) >= MIN_CONTEXT_BYTES
    if enough:
        check_context(content, len(head), len(head) + 6)
    else:
        with pytest.raises(Refused, match="no_context"):
            check_context(content, len(head), len(head) + 6)


def test_the_head_of_a_file_is_no_place_however_much_follows() -> None:
    content = b"\n \nmiddle\n" + b"x" * 10 * MIN_CONTEXT_BYTES
    with pytest.raises(Refused, match="no_context"):
        check_context(content, 3, 9)
    check_context(b"a" + content, 4, 10)


@pytest.mark.parametrize(
    ("license", "code"),
    [
        ("// Copyright 2020 Somebody\n// Licensed under the MIT license, see LICENSE\n\n", "using System;\n"),
        ("/*\n * Licensed to the Somebody Foundation under one\n   or more agreements.\n */\n", "#include <a.h>\n"),
        ("# Redistribution and use in source and binary forms\n#\n# are permitted\n", "import os\n"),
        (
            "-- SPDX-License-Identifier: MIT\n-- and a line that goes on and on and on and on and on\n",
            "module A where\n",
        ),
    ],
)
def test_a_license_is_no_context(license: str, code: str) -> None:
    tail = "x" * 10 * MIN_CONTEXT_BYTES
    with pytest.raises(Refused, match="no_context"):
        check_context(f"{license}middle{tail}".encode(), len(license), len(license) + 6)
    head = len(license) + len(code)
    check_context(f"{license}{code}middle{tail}".encode(), head, head + 6)
    remark = license.replace("SPDX-License", "Note").replace("Licensed", "Made").replace("Copyright", "Since")
    remark = remark.replace("Redistribution and", "Making")
    check_context(f"{remark}middle{tail}".encode(), len(remark), len(remark) + 6)


def test_what_is_far_above_is_context_too() -> None:
    far = b"x" * MIN_CONTEXT_BYTES + b"\n" * 5_000
    check_context(far + b"middle", len(far), len(far) + 6)
    with pytest.raises(Refused, match="no_context"):
        check_context(far[1:] + b"middle", len(far) - 1, len(far) + 5)


def test_a_file_of_a_few_lines_gives_nothing_the_same_lines_in_a_file_do(rows_of: RowsOf) -> None:
    lines = b"count = read(path)\nprint(count)\n"
    rows = rows_of([("Python", lines), ("Python", lines + b"\n\nfor name in names(path):\n    print(name, count)\n")])
    result = Splitter(SplitSettings(), "0").split(rows)
    assert result.rejections.column("path").to_pylist() == ["0"]
    assert result.refusals["no_context"] > 0
    for row in result.examples.to_pylist():
        assert row["prefix"].strip()
        assert len("".join((row["prefix"] + row["suffix"]).split())) >= MIN_CONTEXT_BYTES


def test_middles_of_real_files_are_code(rows_of: RowsOf, installed: tuple[SourceFile, ...]) -> None:
    """Judged by how their lines look: no license, and no more than the share of remarks."""
    settings = SplitSettings(max_slots=60, lines_per_slot=4, category_weights={"multi_line": 1.0})
    rows = rows_of((file.language, file.content) for file in installed)
    middles = Splitter(settings, "0").split(rows).examples
    assert middles.num_rows > 500
    for middle, language in zip(
        middles.column("middle").to_pylist(), middles.column("language").to_pylist(), strict=True
    ):
        lines = [line.strip() for line in middle.split("\n") if line.strip()]
        sign = "#" if language == "Python" else "//"
        assert sum(line.startswith(sign) for line in lines) <= MAX_COMMENT_SHARE * len(lines)
        assert not re.search(r"copyright|all rights reserved|SPDX-License", middle, re.IGNORECASE)
        assert not middle.rstrip().endswith("\\")
