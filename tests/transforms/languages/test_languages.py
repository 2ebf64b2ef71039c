"""The language table fits the installed grammars."""

from dataclasses import replace

import pytest

from stackfim.transforms import languages
from stackfim.transforms.languages import (
    BRACKETS,
    GRAMMARS,
    LANGUAGES,
    GrammarMismatch,
    grammar_versions,
    language_name,
    load_grammar,
)
from stackfim.transforms.split.parser import BudgetedParser


def test_every_grammar_loads_and_has_the_kinds_of_the_table(each_language: str) -> None:
    row = LANGUAGES[each_language]
    grammar = load_grammar(each_language)
    assert row.name == each_language
    assert all(grammar.id_for_node_kind(kind, True) for kind in row.blocks)
    assert row.package.replace("_", "-") in grammar_versions(GRAMMARS)


def test_a_kind_that_a_grammar_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = replace(LANGUAGES["Go"], blocks=frozenset({"source_file", "statements", "stmt_list"}))
    monkeypatch.setitem(languages.LANGUAGES, "Go", renamed)
    load_grammar.cache_clear()
    try:
        with pytest.raises(GrammarMismatch, match=r"tree_sitter_go .* statements, stmt_list for Go"):
            load_grammar("Go")
    finally:
        load_grammar.cache_clear()


def test_names_are_found_whatever_their_case() -> None:
    for name in LANGUAGES:
        assert language_name(name) == language_name(name.lower()) == language_name(f" {name.upper()} ") == name
    aliases = {alias: name for name, row in LANGUAGES.items() for alias in row.aliases}
    assert {alias: language_name(alias.upper()) for alias in aliases} == aliases
    assert language_name("Brainfuck") is None
    assert language_name("") is None


def test_the_empty_statement_of_a_block_is_a_statement_there(each_language: str) -> None:
    """The text that stands for a middle parses without an error where statements of each sort are."""
    row = LANGUAGES[each_language]
    around = {
        "Python": {"block": "def f():\n    {}\n", "module": "{}\n"},
        "JavaScript": {"class_body": "class A {{\n  {}\n}}\n", "statement_block": "function f() {{\n  {}\n}}\n"},
        "TypeScript": {"class_body": "class A {{\n  {}\n}}\n", "interface_body": "interface A {{\n  {}\n}}\n"},
        "TSX": {"class_body": "class A {{\n  {}\n}}\n", "interface_body": "interface A {{\n  {}\n}}\n"},
        "Java": {"class_body": "class A {{\n  {}\n}}\n", "block": "class A {{ void f() {{\n  {}\n}} }}\n"},
        "Go": {
            "statement_list": "package p\nfunc f() {{\n\t{}\n}}\n",
            "field_declaration_list": "package p\ntype T struct {{\n\t{}\n}}\n",
        },
        "Rust": {"block": "fn f() {{\n  {}\n}}\n", "match_block": "fn f() {{ match x {{\n  {}\n}} }}\n"},
        "C": {
            "compound_statement": "void f(void) {{\n  {}\n}}\n",
            "field_declaration_list": "struct a {{\n  {}\n}};\n",
            "translation_unit": "{}\n",
        },
        "C++": {"compound_statement": "void f() {{\n  {}\n}}\n", "field_declaration_list": "class A {{\n  {}\n}};\n"},
        "C#": {"block": "class A {{ void F() {{\n  {}\n}} }}\n", "declaration_list": "class A {{\n  {}\n}}\n"},
        "Ruby": {"body_statement": "def f\n  {}\nend\n", "then": "if a\n  {}\nend\n"},
        "PHP": {
            "compound_statement": "<?php\nfunction f() {{\n  {}\n}}\n",
            "declaration_list": "<?php\nclass A {{\n  {}\n}}\n",
        },
        "Shell": {"if_statement": "if a; then\n  {}\nfi\n", "case_item": "case a in\n  b)\n    {}\n    ;;\nesac\n"},
        "Lua": {"block": "function f()\n  g()\n  {}\nend\n", "chunk": "{}\nreturn 1\n"},
        "Elixir": {"do_block": "def f do\n  {}\nend\n", "body": "fn x ->\n  {}\nend\n"},
        "Haskell": {
            "declarations": "module A where\n\n{}\n",
            "do": "main = do\n  {}\n",
            "alternatives": "f a = case a of\n  {}\n",
            "instance_declarations": "instance A B where\n  {}\n",
        },
        "Julia": {
            "function_definition": "function f(a)\n    {}\nend\n",
            "struct_definition": "struct A\n    {}\nend\n",
        },
        "Dart": {"block": "void f() {{\n  {}\n}}\n", "class_body": "class A {{\n  {}\n}}\n"},
        "Kotlin": {
            "block": "fun f() {{\n  {}\n}}\n",
            "class_body": "class A {{\n  {}\n}}\n",
            "when_expression": "fun f() {{\n  when (a) {{\n    {}\n  }}\n}}\n",
        },
        "Scala": {
            "block": "object A {{\n  def f() = {{\n    {}\n  }}\n}}\n",
            "template_body": "class A {{\n  {}\n}}\n",
            "case_block": "object A {{\n  def f = a match {{\n    {}\n  }}\n}}\n",
        },
        "Swift": {
            "statements": "func f() {{\n  {}\n}}\n",
            "class_body": "class A {{\n  {}\n}}\n",
            "protocol_body": "protocol A {{\n  {}\n}}\n",
            "switch_statement": "switch a {{\n{}\n}}\n",
        },
        "Perl": {"block": "sub f {{\n  {}\n}}\n", "source_file": "{}\n"},
        "R": {"brace_list": "f <- function() {{\n  {}\n}}\n", "program": "{}\n"},
    }
    parser = BudgetedParser(each_language)
    assert bool(row.blocks) == row.has_statements == (each_language in around)
    for kind, text in around.get(each_language, {}).items():
        assert kind in row.blocks
        content = text.format(row.neutral_in.get(kind, row.neutral)).encode()
        assert not parser.parse(content).root_node.has_error, content


def test_brackets_close_each_other() -> None:
    assert BRACKETS == {"(": ")", "[": "]", "{": "}"}
