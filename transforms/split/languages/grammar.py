"""Loading a grammar, its kinds checked against the table.

Kinds are validated when a language is loaded, so a grammar that renamed a node fails at once and by name.
"""

import ctypes
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version

import tree_sitter

from transforms.split.languages.names import LANGUAGES

# The capsule keeps a pointer to its name.
_CAPSULE_NAME = b"tree_sitter.Language"


class GrammarMismatch(RuntimeError):
    """The installed grammar does not have a kind that the table names."""


def _capsule(pointer: int) -> object:
    """The address of a grammar as tree-sitter wants it: some wheels still give a bare number."""
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return new(pointer, _CAPSULE_NAME, None)


@cache
def load_grammar(name: str) -> tree_sitter.Language:
    """The tree-sitter grammar of a language of the table, its kinds validated.

    Raises GrammarMismatch, which names the kinds that the installed grammar lacks.
    """
    row = LANGUAGES[name]
    pointer = getattr(import_module(row.package), row.function)()
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
    """The table's kinds as a grammar numbers them: numbers compare faster than names, and paths are long."""

    blocks: frozenset[int]
    comments: frozenset[int]
    opaque: frozenset[int]
    """Kinds of tokens that hold text, comments among them."""
    labels: frozenset[int]


@cache
def kind_ids(name: str) -> KindIds:
    """The numbers of a language's kinds in the installed grammar."""
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


def grammar_versions() -> dict[str, str]:
    """Version of each grammar wheel that the table uses, by distribution name, in order of name."""
    packages = sorted({row.package.replace("_", "-") for row in LANGUAGES.values()})
    return {package: version(package) for package in packages}
