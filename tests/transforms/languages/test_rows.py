"""A row states all that is known of its language, two rows never claim the same name, and no other table is keyed by one."""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, replace
from pathlib import Path

import pytest

from stackfim.transforms.languages import (
    KNOWN_LANGUAGES,
    LANGUAGES,
    UNSUPPORTED,
    Content,
    Language,
    SupportedLanguage,
    are_related,
    language_row,
)
from stackfim.transforms.languages.comments import Comments
from stackfim.transforms.languages.file_names import (
    language_of_editor_mode,
    language_of_name,
    language_of_shebang,
    shared_extension,
)
from stackfim.transforms.languages.row import FileNames
from stackfim.transforms.languages.shared_extensions import SHARED

ROOT = Path(__file__).parents[3]
# What wheels have in common: one grammar, by this name, made by its authors.
UNIVERSAL = {"function", "grammars"}
# Thresholds that a run may change; linguist's rules for extensions, whose results are languages; a license named JSON; where
# comments and strings stand, told without a grammar, in languages where `@` is an operator.
BY_NAME = {
    "transforms/filters/code_text.py",
    "transforms/filters/license_addresses.py",
    "transforms/filters/quality_limits.py",
    "transforms/filters/actual_language.py",
    "pipeline/sources/code/license_texts.py",
}


@pytest.mark.parametrize("shape", [Language, SupportedLanguage, FileNames, Comments])
def test_a_new_row_states_every_field_that_has_no_universal_value(shape: type) -> None:
    with_default = {
        field.name for field in fields(shape) if field.default is not MISSING or field.default_factory is not MISSING
    }
    assert with_default == (UNIVERSAL if shape is SupportedLanguage else set())


@pytest.mark.parametrize(
    "entries",
    [
        lambda row: row.files.extensions,
        lambda row: row.files.names,
        lambda row: row.files.stems,
        lambda row: row.files.interpreters,
        lambda row: row.files.editor_modes,
        lambda row: (row.name.lower(), *row.aliases) if row.name in LANGUAGES else (row.name,),
    ],
    ids=["extensions", "names", "stems", "interpreters", "editor_modes", "aliases"],
)
def test_two_languages_never_share_an_entry(entries: Callable[[Language], tuple[str, ...]]) -> None:
    counts = Counter(entry for row in KNOWN_LANGUAGES.values() for entry in entries(row))
    assert [entry for entry, count in counts.items() if count > 1] == []


def test_entries_are_written_as_they_are_looked_up() -> None:
    for row in KNOWN_LANGUAGES.values():
        lowered = (*row.aliases, *row.files.extensions, *row.files.interpreters, *row.files.editor_modes)
        assert all(entry == entry.lower().strip() and entry for entry in lowered), row.name
        assert not any("." in extension for extension in row.files.extensions)


def test_files_are_recognised_by_the_row_of_their_language() -> None:
    for row in KNOWN_LANGUAGES.values():
        assert {language_of_name(f"a.{extension}") for extension in row.files.extensions} <= {row.name}
        assert {language_of_name(name) for name in row.files.names} <= {row.name}
        assert {language_of_name(f"{stem}.any") for stem in row.files.stems} <= {row.name}
        assert {language_of_shebang(f"#!/bin/{name}3\n".encode()) for name in row.files.interpreters} <= {row.name}
        assert {language_of_editor_mode(mode) for mode in row.files.editor_modes} <= {row.name}


@pytest.mark.parametrize(
    ("path", "extension"),
    [
        ("include/box.h", "h"),
        ("A/B.H", "h"),
        ("run.pl", "pl"),
        ("q.sql", "sql"),
        ("a.c", ""),
        ("src/h", ""),
        ("x.h/y.py", ""),
    ],
)
def test_extensions_that_languages_share(path: str, extension: str) -> None:
    assert shared_extension(path) == extension
    assert not extension or extension in SHARED


def test_a_format_without_comments_states_no_markers() -> None:
    for row in KNOWN_LANGUAGES.values():
        assert row.has_comments or row.comments is None, row.name
        assert row.comments is not None or not (row.imports_begin or row.definitions_begin), row.name


def test_a_name_that_the_table_does_not_have_says_nothing() -> None:
    row = language_row("Brainfuck")
    assert (row.content, row.comments, row.has_comments, row.families) == (Content.CODE, None, True, ())
    assert (row.long_strings, row.heredocs, row.may_be_license, row.has_source_maps) == ((), False, False, False)
    assert not are_related("Brainfuck", "Befunge")


def test_languages_are_related_to_themselves_and_to_their_family() -> None:
    assert are_related("Brainfuck", "Brainfuck")
    assert are_related("Vue", "JavaScript")
    assert are_related("Vue", "HTML")
    assert not are_related("JavaScript", "HTML")
    assert not are_related("Go", "Rust")


def test_supported_languages_and_the_others_are_apart() -> None:
    assert not set(LANGUAGES) & set(UNSUPPORTED)
    assert set(KNOWN_LANGUAGES) == set(LANGUAGES) | set(UNSUPPORTED)


def test_a_row_that_leaves_a_field_out_is_an_error() -> None:
    row = LANGUAGES["Go"]
    given = {field.name: getattr(row, field.name) for field in fields(row)}
    assert SupportedLanguage(**given) == replace(row)
    del given["sound_trees_only"]
    with pytest.raises(TypeError, match="sound_trees_only"):
        SupportedLanguage(**given)


def names_in(source: str) -> Iterator[str]:
    """Names of languages, of two letters or more, among the strings of a module, docstrings and `__all__` aside."""
    tree = ast.parse(source)
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.Assign) and "__all__" in ast.unparse(node.targets[0]))
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in KNOWN_LANGUAGES and len(node.value) > 1:
            yield node.value


def test_names_are_found_in_a_module() -> None:
    assert list(names_in('"""Go"s tables."""\nMARKS = {"Go": 1}\nif language == "Ruby": x = "go"\n')) == ["Go", "Ruby"]


def test_nothing_but_the_table_is_keyed_by_the_name_of_a_language() -> None:
    found = {}
    for folder in ("transforms", "pipeline"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            if not place.startswith("transforms/languages/") and place not in BY_NAME:
                found[place] = sorted(set(names_in(path.read_text())))
    assert {place: names for place, names in found.items() if names} == {}
