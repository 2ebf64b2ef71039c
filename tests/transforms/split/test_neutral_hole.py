"""With the empty statement in place of a middle, the tree around it stays as it was."""

import pytest

from stackfim.schemas.example import MULTI_LINE
from stackfim.transforms.languages import LANGUAGES
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.kinds import KIND_BY_NAME
from stackfim.transforms.split.neutral_hole import Hole, are_neutral, hole_of, needs_neutral_hole
from stackfim.transforms.split.parser import BudgetedParser
from stackfim.transforms.split.site import Site
from stackfim.transforms.split.split_settings import SplitSettings
from stackfim.transforms.split.syntax import ParsedFile
from tests.fixture_types import Parsed, RowsOf, ViolationsOf


def site_of(file: ParsedFile, text: str, kind: str = "siblings", owner: str = "suffix") -> Site:
    """A site whose middle is a text of the file."""
    start = file.content.index(text.encode())
    return Site(KIND_BY_NAME[kind], start, start + len(text.encode()), node_type="", newline_owner=owner)


NEUTRAL = [
    ("Python", "def f():\n    a()\n    b()\n    c()\n", "a()\n    b()"),
    ("Python", "if a:\n    b()\n    c()\nelse:\n    d()\n", "b()\n    c()"),
    ("JavaScript", "const a = 1\nb()\nc()\nd()\n", "b()\nc()"),  # nothing ends the line before but the line break
    ("JavaScript", "class A {\n  b = 1;\n  c() {}\n  d = 2;\n}\n", "b = 1;\n  c() {}"),
    ("TypeScript", "interface A {\n  b: string;\n  c?: number;\n}\n", "b: string;\n  c?: number;"),
    ("Go", "package p\n\ntype T struct {\n\ta int\n\tb string\n\tc bool\n}\n", "a int\n\tb string"),
    ("Rust", "fn f() {\n    match a {\n        1 => b(),\n        2 => c(),\n        _ => d(),\n    }\n}\n", "1 => b(),\n        2 => c(),"),
    ("C", "struct a {\n  int b;\n  int c;\n  int d;\n};\n", "int b;\n  int c;"),
    ("Java", "class A {\n  int b;\n  void c() {}\n  int d;\n}\n", "int b;\n  void c() {}"),
    ("C#", "class A\n{\n  int B;\n  void C() {}\n  int D;\n}\n", "int B;\n  void C() {}"),
    ("Ruby", "def a\n  b\n  c 1\nrescue D\n  e\nend\n", "b\n  c 1"),
    ("PHP", "<?php\nclass A {\n  public $b;\n  function c() {}\n  public $d;\n}\n", "public $b;\n  function c() {}"),
]  # fmt: skip

NOT_NEUTRAL = [
    ("Python", "def f():\n    a()\n    b()\n    c()\n", "def f():\n    a()"),  # includes the header of a block
    ("JavaScript", "if (a) {\n  b();\n} else {\n  c();\n}\n", "b();\n} else {"),
    ("C", "void f(void) {\n  switch (a) {\n  case 1:\n    b();\n  case 2:\n    c();\n  }\n}\n", "case 2:\n    c();"),
    ("Go", "package p\n\nfunc f() {\n\tif a {\n\t\tb()\n\t}\n\tc()\n}\n", "b()\n\t}"),
    ("Ruby", "if a\n  b\nelse\n  c\nend\n", "b\nelse"),
]


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
@pytest.mark.parametrize(("language", "text", "middle"), NEUTRAL)
def test_whole_statements_leave_the_tree_as_it_was(
    parsed: Parsed, language: str, text: str, middle: str, line_break: str
) -> None:
    file = parsed(language, text.replace("\n", line_break))
    hole = hole_of(file, site_of(file, middle.replace("\n", line_break)))
    assert are_neutral(file.lines, file.tree, BudgetedParser(language), [hole])


@pytest.mark.parametrize(("language", "text", "middle"), NOT_NEUTRAL)
def test_half_a_construct_changes_the_tree_elsewhere(parsed: Parsed, language: str, text: str, middle: str) -> None:
    file = parsed(language, text)
    start = file.content.index(middle.encode())
    hole = Hole(start, start + len(middle), file.language.neutral.encode(), 0)
    assert not are_neutral(file.lines, file.tree, BudgetedParser(language), [hole])


def test_a_middle_that_holds_its_line_break_leaves_one(parsed: Parsed) -> None:
    file = parsed("Go", "package p\n\nfunc f() {\n\ta()\n\tb()\n}\n")
    hole = hole_of(file, site_of(file, "a()\n\tb()\n", owner="middle"))
    assert hole.text == b";\n"
    assert are_neutral(file.lines, file.tree, BudgetedParser("Go"), [hole])


def test_the_empty_statement_is_that_of_the_statement_or_the_block() -> None:
    row = LANGUAGES["C"]
    assert row.neutral_text("field_declaration_list", "field_declaration") == "int _;"
    assert row.neutral_text("compound_statement", "expression_statement") == ";"
    assert row.neutral_text("compound_statement", "case_statement") == "case 0:;"


def test_whole_lines_need_a_neutral_hole_openers_and_rests_of_lines_do_not(parsed: Parsed) -> None:
    file = parsed("JavaScript", "function f() {\n  a = b();\n  return a;\n}\n")
    assert needs_neutral_hole(file, site_of(file, "a = b();\n  return a;"))
    assert needs_neutral_hole(file, site_of(file, "a = b();", kind="blank_line"))
    assert not needs_neutral_hole(file, site_of(file, "function f() {", kind="blank_line"))
    assert not needs_neutral_hole(file, site_of(file, "= b();", kind="token_to_eol"))
    assert not needs_neutral_hole(file, site_of(file, "", kind="after_statement"))


def test_a_grammar_warrants_the_hole_in_a_tree_without_errors(parsed: Parsed) -> None:
    sound = parsed("Python", "def f():\n    a()\n    b()\n    c()\n")
    assert not needs_neutral_hole(sound, site_of(sound, "a()\n    b()"))
    broken = parsed("Python", "def f():\n    a()\n    b()\n    c()\n\nx = = 1\n")
    assert needs_neutral_hole(broken, site_of(broken, "a()\n    b()"))


@pytest.mark.parametrize(
    ("language", "text", "middle"),
    [
        ("Ruby", "def f\n  a\n  b\n  c\nend\n", "a\n  b"),  # where a body begins depends on the comments before it
        ("PHP", "<?php\na();\nb();\nc();\n", "a();\nb();"),  # `?>` may end a statement
        ("JavaScript", "a()\nb()\nc()\n", "a()\nb()"),  # what follows decides where a statement ends
    ],
)
def test_where_statements_depend_on_what_is_around_them_each_hole_is_checked(
    parsed: Parsed, language: str, text: str, middle: str
) -> None:
    file = parsed(language, text)
    assert needs_neutral_hole(file, site_of(file, middle))


def test_several_holes_pass_together_if_each_passes_alone(parsed: Parsed) -> None:
    text = "def f():\n    a()\n    b()\n    c()\n\n\ndef g():\n    d()\n    e()\n"
    file = parsed("Python", text)
    holes = [hole_of(file, site_of(file, middle)) for middle in ("a()\n    b()", "d()\n    e()")]
    assert are_neutral(file.lines, file.tree, BudgetedParser("Python"), holes)


def test_one_hole_that_is_not_neutral_fails_all(parsed: Parsed) -> None:
    file = parsed("JavaScript", "a();\nb();\nif (c) {\n  d();\n} else {\n  e();\n}\n")
    good = hole_of(file, site_of(file, "a();\nb();"))
    start = file.content.index(b"d();")
    bad = Hole(start, start + len(b"d();\n} else {"), b"debugger;", 0)
    parser = BudgetedParser("JavaScript")
    assert are_neutral(file.lines, file.tree, parser, [good])
    assert not are_neutral(file.lines, file.tree, parser, [good, bad])


# A middle needs some context.
REMARK = "What is said here only gives the few lines of code below something to stand in.\n\n"
CASES = "switch (a) {\n  case 1:\n    b();\n    break;\n  case 2:\n    c();\n    break;\n  default:\n    d();\n  }\n"


@pytest.mark.parametrize(("language", "head", "tail"), [("C", "void f(int a) {\n  ", "}\n"), ("JavaScript", "", "")])
def test_no_middle_passes_in_company_that_fails_alone(
    rows_of: RowsOf, violations_of: ViolationsOf, language: str, head: str, tail: str
) -> None:
    """The text in place of one `case` could become part of the case before it; beside another hole there it would not."""
    content = f"// {REMARK}{head}{CASES}{tail}".encode()
    rows = rows_of([(language, content)])
    several_lines = 0
    for seed in range(60):
        settings = SplitSettings(seed=seed, max_slots=12, lines_per_slot=1)
        for row in Splitter(settings, "0").split(rows).examples.to_pylist():
            several_lines += row["category"] == MULTI_LINE
            assert violations_of(row, content) == []
    assert several_lines > 20


HOLES = [
    # A declaration ends the case, a statement in its place would not.
    ("C++", "void f(int a) {\n  switch (a) {\n  case 1:\n    using b = int;\n    c(b());\n    break;\n  case 2:\n    d();\n  }\n}\n"),
    # Ruby's body begins elsewhere once the comments before it are gone.
    ("Ruby", "until @a && @b\n  # note\n  c = (d = @e.f) && d.g\n  h(c) {|i| j(i)}\nend\nk()\n"),
    # HTML after the last statement.
    ("PHP", "<?php\nf();\nfunction g(array $a): void\n{\n    h($a);\n}\ng($b);\n?>\n</body>\n</html>\n\n\n"),
    # A `;` after a call with braces would belong to the call.
    ("Rust", "a! {\n    b => [c],\n}\n\nfn d() {\n    e! {\n        f\n    }\n    g();\n    h();\n}\n\nfn i() {\n    j();\n}\n"),
    ("C", "#if A\n#  define B 1\n#  define C 2\nint d(void);\nint e(void);\n#endif\nint f;\n"),
    ("Go", "package p\n\nfunc f(x any) {\n\tswitch x {\n\tcase 1:\n\t\tg()\n\t\th()\n\tcase 2:\n\t\ti()\n\t\tj()\n\t}\n}\n"),
    ("Java", "class A {\n  int f(int a) {\n    switch (a) {\n      case 1:\n        b();\n        c();\n      default:\n        return d();\n    }\n  }\n}\n"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text"), HOLES, ids=[case[0] for case in HOLES])
def test_every_hole_is_neutral_whether_the_grammar_is_trusted_or_not(
    rows_of: RowsOf, violations_of: ViolationsOf, language: str, text: str
) -> None:
    remark = ("# " if language in ("PHP", "Ruby") else "// ") + REMARK
    content = (text.replace("<?php\n", "<?php\n" + remark) if language == "PHP" else remark + text).encode()
    rows = rows_of([(language, content)])
    found = 0
    for seed in range(40):
        settings = SplitSettings(seed=seed, max_slots=12, lines_per_slot=1)
        for row in Splitter(settings, "0").split(rows).examples.to_pylist():
            found += 1
            assert violations_of(row, content) == [], (row["kind"], row["middle"])
    assert found > 40
