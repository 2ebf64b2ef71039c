"""Rows of supported languages: their kinds beside the grammars' own queries, where blocks end, what they are called."""

import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from stackfim.transforms import languages
from stackfim.transforms.filters.language import decide_languages, known_languages
from stackfim.transforms.languages import (
    GRAMMARS,
    LANGUAGES,
    OFFICIAL,
    UNSUPPORTED,
    GrammarMismatch,
    grammar_versions,
    has_legacy_grammars,
    language_name,
    load_grammar,
    of_grammars,
    unsupported_reason,
)
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.parser import BudgetedParser
from stackfim.transforms.split.split_settings import SplitSettings
from tests.fixture_types import Parsed, RowsOf, SitesOn, SourceFile

KINDS_OF_STATEMENTS = ("after_statement", "blank_line", "block_body", "rest_of_block", "siblings")

# Definitions in the grammars' tags.scm that name something without a body of their own, or that a scope stands around.
WITHOUT_BODY = {
    "Python": "assignment",
    "Ruby": "alias singleton_class",
    "Lua": "assignment_statement table_constructor",
    # Every definition of Elixir is a call: no field of it is a name.
    "Elixir": "call",
    "JavaScript": "assignment_expression export_statement pair",
    "TypeScript": "abstract_method_signature function_signature method_signature",
    "TSX": "abstract_method_signature function_signature method_signature",
    "Rust": "type_item",
    "C": "declaration function_declarator type_definition",
    "C++": "declaration function_declarator type_definition",
    "PHP": "property_declaration",
    "Dart": "function_signature method_signature type_alias",
    "Scala": (
        "class_parameter full_enum_case package_clause simple_enum_case type_definition val_declaration val_definition"
        " var_declaration var_definition"
    ),
    "Swift": "property_declaration",
}
# The folders of The Stack dedup's data, and its names for dialects.
STACK_NAMES = {
    "c": "C",
    "c++": "C++",
    "c-sharp": "C#",
    "css": "CSS",
    "dart": "Dart",
    "elixir": "Elixir",
    "go": "Go",
    "haskell": "Haskell",
    "html": "HTML",
    "java": "Java",
    "javascript": "JavaScript",
    "json": "JSON",
    "julia": "Julia",
    "kotlin": "Kotlin",
    "lua": "Lua",
    "markdown": "Markdown",
    "perl": "Perl",
    "php": "PHP",
    "r": "R",
    "python": "Python",
    "ruby": "Ruby",
    "rust": "Rust",
    "scala": "Scala",
    "shell": "Shell",
    "sql": "SQL",
    "swift": "Swift",
    "typescript": "TypeScript",
    "yaml": "YAML",
    "JSX": "JavaScript",
    "TSX": "TSX",
    "Bash": "Shell",
    "PLpgSQL": "SQL",
}
LEFT_OUT = {
    "Vue": "Vue",
    "vue": "Vue",
    "reStructuredText": "reStructuredText",
    "restructuredtext": "reStructuredText",
    "Jupyter Notebook": "Jupyter Notebook",
    "jupyter-notebook": "Jupyter Notebook",
    "Objective-C": "Objective-C",
    "objective-c": "Objective-C",
    "Groovy": "Groovy",
    "emacs-lisp": "Emacs Lisp",
}

_TOKEN = re.compile(r';[^\n]*|"(?:[^"\\]|\\.)*"|[()\[\]]|@[\w.\-]+|[^\s()\[\]"@;]+')


def defined_kinds(query: str) -> set[str]:
    """The kinds of nodes that a tree-sitter query captures as `@definition...`."""
    found: set[str] = set()
    open_nodes: list[list[str]] = []
    closed: list[str] = []
    for token in _TOKEN.findall(query):
        if token in "([":
            open_nodes.append([])
            closed = []
        elif token in ")]":
            # A node's first word is its kind; alternatives in brackets are as many kinds.
            node = open_nodes.pop()
            closed = node[:1] if token == ")" else node
            if open_nodes and (not open_nodes[-1] or token == ")"):
                open_nodes[-1] += closed
        elif token.startswith("@definition."):
            found.update(closed)
        elif open_nodes and not open_nodes[-1] and not token.startswith(("@", ";", '"', "#")):
            open_nodes[-1].append(token)
    return found


def test_kinds_of_definitions_are_read_off_a_query() -> None:
    query = """
      ; comment (not_a_kind) @definition.none
      (class name: (identifier) @name) @definition.class
      ([(method) (accessor)] @definition.method)
      (call function: (identifier) @name) @reference.call
    """
    assert defined_kinds(query) == {"class", "method", "accessor"}


def test_scopes_are_the_definitions_that_the_grammar_tags(each_language: str) -> None:
    row = LANGUAGES[each_language]
    tags = Path(str(import_module(row.package).__file__)).parent / "queries" / "tags.scm"
    if not tags.exists():
        assert each_language not in WITHOUT_BODY
        return
    tagged = defined_kinds(tags.read_text())
    assert tagged
    assert tagged - row.scopes == set(WITHOUT_BODY.get(each_language, "").split())


def test_a_kind_that_may_hold_a_lone_bracket_is_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = replace(LANGUAGES["Shell"], lone_brackets=frozenset({"case_item", "case_arm"}))
    monkeypatch.setitem(languages.LANGUAGES, "Shell", renamed)
    load_grammar.cache_clear()
    try:
        with pytest.raises(GrammarMismatch, match=r"tree_sitter_bash .* no node kind case_arm for Shell"):
            load_grammar("Shell")
    finally:
        load_grammar.cache_clear()


def at_hand(language: str) -> bool:
    """Whether a language's grammar is installed."""
    return has_legacy_grammars() or of_grammars(language, (OFFICIAL,))


def test_a_legacy_grammar_is_asked_for_by_name(rows_of: RowsOf, monkeypatch: pytest.MonkeyPatch) -> None:
    column = rows_of([("R", b"a <- 1\n"), ("Python", b"a = 1\n")]).column("language")
    known = known_languages(column)
    dropped = decide_languages(column, known, None)
    assert dropped == {0: ("language_unsupported", "R: its grammar is a legacy one, which `grammars` has to name")}
    assert decide_languages(column, known, None, GRAMMARS) == {}
    assert decide_languages(column, known, frozenset({"Python"}), GRAMMARS) == {0: ("language_not_asked_for", "R")}
    assert "tree-sitter-languages" not in grammar_versions()
    monkeypatch.setattr("stackfim.transforms.languages.grammar.has_legacy_grammars", lambda: False)
    load_grammar.cache_clear()
    with pytest.raises(
        GrammarMismatch, match=r"R needs tree-sitter-languages: pip install 'stackfim\[legacy-grammars\]'"
    ):
        load_grammar("R")


def test_every_language_has_a_source_file(sources: tuple[SourceFile, ...]) -> None:
    assert {file.language for file in sources} == {name for name in LANGUAGES if at_hand(name)}


def test_every_kind_finds_its_place_in_a_file_of_code_and_none_in_data(
    each_source: SourceFile, parsed: Parsed, sites_on: SitesOn
) -> None:
    file = parsed(each_source.language, each_source.content)
    lines = [line for line in range(len(file.lines)) if file.lines.first_visible(line) >= 0]
    assert any(sites_on(file, "token_to_eol", line, draws=3) for line in lines)
    found = {kind for kind in KINDS_OF_STATEMENTS for line in lines if sites_on(file, kind, line, draws=3)}
    assert found == (set(KINDS_OF_STATEMENTS) if file.language.has_statements else set())


# Language, text, what the line in question begins with, kind, the middle; None where the line gives none.
PLACES: list[tuple[str, str, str, str, str | None]] = [
    (
        "Shell",
        "f() {\n  if a; then\n    b\n    c\n  elif d; then\n    e\n    g\n  fi\n}\n",
        "b",
        "block_body",
        "b\n    c",
    ),
    (
        "Shell",
        "f() {\n  if a; then\n    b\n    c\n  elif d; then\n    e\n    g\n  fi\n}\n",
        "e",
        "block_body",
        "e\n    g",
    ),
    ("Shell", "for i in a; do\n  b $i\n  c\ndone\n", "b $i", "block_body", "b $i\n  c"),
    ("Shell", "for i in a; do\n  b $i\n  c\ndone\n", "for", "blank_line", "for i in a; do"),
    ("Shell", "case $1 in\n  a)\n    b\n    c\n    ;;\nesac\n", "b", "block_body", "b\n    c"),
    # The pattern's bracket closes nothing: what holds a `case` cannot be balanced.
    ("Shell", "f() {\n  a\n  case $1 in\n    b) c ;;\n  esac\n}\n", "a", "block_body", None),
    (
        "Shell",
        "f() {\n  a\n  case $1 in\n    (b) c ;;\n  esac\n}\n",
        "a",
        "block_body",
        "a\n  case $1 in\n    (b) c ;;\n  esac",
    ),
    (
        "Lua",
        "function f(a)\n  if a then\n    b()\n    c()\n  else\n    d()\n  end\nend\n",
        "b()",
        "block_body",
        "b()\n    c()",
    ),
    (
        "Lua",
        "function f(a)\n  g()\n  return function()\n    b()\n    c()\n  end\nend\n",
        "b()",
        "block_body",
        "b()\n    c()",
    ),
    (
        "Elixir",
        "def f(a) do\n  case a do\n    1 ->\n      b()\n      c()\n  end\nend\n",
        "b()",
        "block_body",
        "b()\n      c()",
    ),
    (
        "Elixir",
        "def f(a) do\n  try do\n    b()\n    c()\n  rescue\n    e -> d()\n  end\nend\n",
        "b()",
        "block_body",
        "b()\n    c()",
    ),
    (
        "Elixir",
        "def f(a) do\n  try do\n    b()\n  rescue\n    A -> d()\n    e -> g()\n  end\nend\n",
        "A ->",
        "block_body",
        "A -> d()\n    e -> g()",
    ),
    # Documentation and types belong to the definition below.
    (
        "Elixir",
        'defmodule A do\n  def f, do: 1\n\n  @doc "b"\n  def g do\n    1\n  end\nend\n',
        "def g",
        "rest_of_block",
        None,
    ),
    (
        "Elixir",
        'defmodule A do\n  def f, do: 1\n\n  @doc "b"\n  def g do\n    1\n  end\nend\n',
        "@doc",
        "rest_of_block",
        '@doc "b"\n  def g do\n    1\n  end',
    ),
    ("Haskell", "f a = do\n  b\n  c\n\ng = 1\n", "b", "block_body", "b\n  c"),
    ("Haskell", "f a = b\n  where\n    b = 1\n    c = 2\n\ng = 1\n", "b = 1", "block_body", "b = 1\n    c = 2"),
    ("Haskell", "a = 1\n\nf :: Int -> Int\nf b = b\n\ng = 1\n", "f ::", "siblings", "f :: Int -> Int\nf b = b"),
    ("Haskell", "a = 1\n\nf :: Int -> Int\nf b = b\n\ng = 1\n", "f ::", "after_statement", None),
    ("Julia", "function f(a)\n    b(a)\n    c(a)\nend\n", "b(a)", "block_body", "b(a)\n    c(a)"),
    ("Julia", "map(a) do b\n    c(b)\n    d(b)\nend\n", "c(b)", "block_body", "c(b)\n    d(b)"),
    ("Julia", "try\n    a()\n    b()\ncatch e\n    c()\nend\n", "a()", "block_body", "a()\n    b()"),
    # The grammar has no end of a condition: the body of an `if` is no block.
    (
        "Julia",
        "function f(a)\n    g()\n    if a\n        b()\n        c()\n    end\nend\n",
        "b()",
        "rest_of_block",
        None,
    ),
    (
        "Dart",
        "class A {\n  int a;\n\n  @override\n  void f() {\n    b();\n  }\n}\n",
        "@override",
        "rest_of_block",
        "@override\n  void f() {\n    b();\n  }",
    ),
    (
        "Dart",
        "void f(a) {\n  switch (a) {\n    case 1:\n      b();\n      c();\n  }\n}\n",
        "b()",
        "block_body",
        "b();\n      c();",
    ),
    (
        "Kotlin",
        "fun f() {\n    a.map { b ->\n        c(b)\n        d(b)\n    }\n}\n",
        "c(b)",
        "block_body",
        "c(b)\n        d(b)",
    ),
    ("Kotlin", "fun f() {\n    a.run {\n        c()\n        d()\n    }\n}\n", "c()", "block_body", "c()\n        d()"),
    (
        "Kotlin",
        "fun f() {\n    when (a) {\n        1 -> b()\n        else -> c()\n    }\n}\n",
        "1 ->",
        "block_body",
        "1 -> b()\n        else -> c()",
    ),
    (
        "Scala",
        "class A {\n  def f = a match {\n    case 1 =>\n      b()\n      c()\n    case _ => d()\n  }\n}\n",
        "b()",
        "block_body",
        "b()\n      c()",
    ),
    ("Scala", "def f(a: Int): Int =\n  val b = a\n  b + 1\n\nval c = 1\n", "val b", "block_body", "val b = a\n  b + 1"),
    ("Scala", "enum A:\n  case B\n  case C\n\nval c = 1\n", "case B", "block_body", "case B\n  case C"),
    (
        "Swift",
        "func f() {\n    guard let a = b else {\n        c()\n        return\n    }\n}\n",
        "c()",
        "block_body",
        "c()\n        return",
    ),
    ("Swift", "switch a {\ncase 1:\n    b()\n    c()\ndefault:\n    d()\n}\n", "b()", "block_body", "b()\n    c()"),
    ("Swift", "func f() {\n    a()\n    #if DEBUG\n    b()\n    #endif\n}\n", "a()", "siblings", None),
    (
        "Perl",
        "sub f {\n    my $a = shift;\n    return $a;\n}\n",
        "my $a",
        "block_body",
        "my $a = shift;\n    return $a;",
    ),
    (
        "Perl",
        "sub f {\n    my $a = shift;\n    $a =~ /b+/;\n}\n",
        "my $a",
        "block_body",
        "my $a = shift;\n    $a =~ /b+/;",
    ),
    # In a pattern the grammar gives the brackets that open a class, not those that close it.
    ("Perl", "sub f {\n    my $a = shift;\n    $a =~ /[a-c]/;\n}\n", "my $a", "block_body", None),
    ("Perl", "sub f {\n    print 1;\n}\n\n1;\n\n__END__\nfoo\n", "1;", "rest_of_block", None),
]


@pytest.mark.parametrize(
    ("language", "text", "words", "kind", "middle"), PLACES, ids=[f"{case[0]}-{n}" for n, case in enumerate(PLACES)]
)
def test_blocks_end_where_the_language_says(
    parsed: Parsed, sites_on: SitesOn, language: str, text: str, words: str, kind: str, middle: str | None
) -> None:
    file = parsed(language, text)
    assert not file.tree.root_node.has_error
    parts = [part.strip() for part in text.split("\n")]
    line = parts.index(words) if words in parts else next(n for n, part in enumerate(parts) if part.startswith(words))
    found = {file.content[site.start : site.end].decode() for site in sites_on(file, kind, line)}
    assert found == (set() if middle is None else {middle})


def test_names_of_the_stack_are_names_of_the_table() -> None:
    assert {name: language_name(name) for name in STACK_NAMES} == STACK_NAMES
    assert set(STACK_NAMES.values()) == set(LANGUAGES)


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_language_that_is_left_out_has_a_reason_which_rejections_tell(rows_of: RowsOf, name: str) -> None:
    assert language_name(name) is None
    expected = f"{LEFT_OUT[name]}: {UNSUPPORTED[LEFT_OUT[name]].reason}"
    assert unsupported_reason(name) == expected
    rows = rows_of([(name, b"a\n"), ("Python", b"a = 1\n"), ("Forth", b"a\n")])
    column = rows.column("language")
    assert decide_languages(column, known_languages(column), None) == {
        0: ("language_unsupported", expected),
        2: ("language_unsupported", "Forth"),
    }
    rejected = Splitter(SplitSettings(), "1").split(rows).rejections.to_pylist()
    assert (rejected[0]["reason"], rejected[0]["detail"]) == ("language_unsupported", expected)
    assert rejected[-1]["detail"] == "Forth"


def test_no_language_is_both_supported_and_left_out() -> None:
    assert [name for name, row in UNSUPPORTED.items() if row.reason and language_name(name) is not None] == []


def test_a_grammar_that_is_a_bare_address_loads_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    load_grammar.cache_clear()
    for name in filter(at_hand, LANGUAGES):
        load_grammar(name)
    assert [str(warning.message) for warning in recwarn] == []
    assert BudgetedParser("Perl").parse(b"my $a = 1;\n").root_node.type == "source_file"
