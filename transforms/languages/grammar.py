"""Loading a grammar and checking the kinds of nodes that the table names.

They are checked when a language is loaded, so a grammar that renamed a node fails at once, and the error names it.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import tree_sitter

from stackfim.transforms.languages.names import LANGUAGES
from stackfim.transforms.languages.row import OFFICIAL, SupportedLanguage

# The capsule keeps a pointer to its name.
_CAPSULE_NAME = b"tree_sitter.Language"


class GrammarMismatch(RuntimeError):
    """A grammar is not installed, or does not have a kind that the table names."""


def _address(row: SupportedLanguage) -> object:
    """Where the grammar of a row lies in memory: a capsule or a number, as its wheel gives it."""
    if row.grammars == OFFICIAL:
        return getattr(import_module(row.package), row.function)()
    if not has_legacy_grammars():
        raise GrammarMismatch(f"{row.name} needs tree-sitter-languages: pip install 'stackfim[legacy-grammars]'")
    found = find_spec(row.package)
    assert found is not None
    # Its module is made for cores before 0.22 and is not imported; the library beside it works with any.
    library = ctypes.CDLL(str(Path(str(found.origin)).with_name("languages.so")))
    function = library[row.function]
    function.restype = ctypes.c_void_p
    return function()


def has_legacy_grammars() -> bool:
    """Whether the extra `legacy-grammars` is installed."""
    return find_spec("tree_sitter_languages") is not None


def _capsule(pointer: int) -> object:
    """The address of a grammar as tree-sitter takes it: some wheels still give a bare number."""
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return new(pointer, _CAPSULE_NAME, None)


@cache
def load_grammar(name: str) -> tree_sitter.Language:
    """The tree-sitter grammar of a supported language, its kinds checked.

    Raises GrammarMismatch, which names the kinds that the installed grammar lacks, or the extra that is not installed.
    """
    row = LANGUAGES[name]
    pointer = _address(row)
    grammar = tree_sitter.Language(_capsule(pointer) if isinstance(pointer, int) else pointer)
    named = {
        grammar.node_kind_for_id(kind) for kind in range(grammar.node_kind_count) if grammar.node_kind_is_named(kind)
    }
    wanted = (
        row.blocks
        | row.scopes
        | row.opaque
        | row.imports
        | row.heads
        | row.clauses
        | row.collections
        | row.lone_brackets
        | set(row.after_token)
        | row.markers
        | row.labels
        | set(row.neutral_in)
        | set(row.neutral_for)
    )
    missing = sorted(wanted - named)
    if missing:
        raise GrammarMismatch(
            f"{row.package} {version(row.package.replace('_', '-'))} has no node kind {', '.join(missing)} for {name}"
        )
    return grammar


@dataclass(frozen=True)
class KindIds:
    """Some kinds of the table as a grammar numbers them: numbers compare faster than names, and paths are long."""

    blocks: frozenset[int]
    comments: frozenset[int]
    opaque: frozenset[int]
    """Kinds of tokens that hold text, comments among them."""
    labels: frozenset[int]


@cache
def kind_ids(name: str) -> KindIds:
    """The numbers that the installed grammar gives to the kinds of a supported language."""
    row, grammar = LANGUAGES[name], load_grammar(name)
    names = {
        kind: grammar.node_kind_for_id(kind) or ""
        for kind in range(grammar.node_kind_count)
        if grammar.node_kind_is_named(kind)
    }
    comments = frozenset(kind for kind, text in names.items() if text == "comment" or text.endswith("_comment"))
    return KindIds(
        blocks=frozenset(kind for kind, text in names.items() if text in row.blocks),
        comments=comments,
        opaque=comments | frozenset(kind for kind, text in names.items() if text in row.opaque),
        labels=frozenset(kind for kind, text in names.items() if text in row.labels),
    )


def grammar_versions(grammars: Sequence[str] = (OFFICIAL,)) -> dict[str, str]:
    """Version of each grammar wheel of these sets, by the name of its distribution, sorted."""
    packages = sorted({row.package.replace("_", "-") for row in LANGUAGES.values() if row.grammars in grammars})
    return {package: version(package) for package in packages}


def of_grammars(name: str, grammars: Sequence[str]) -> bool:
    """Whether the grammar of a supported language is in one of these sets."""
    return LANGUAGES[name].grammars in grammars
