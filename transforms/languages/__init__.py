"""The language table: one row a language, in the words of its tree-sitter grammar.

`row` is the shape of a row, `words`, `braces` and `data` hold the rows, `names` finds them by any name, and `grammar` loads
the grammar of one.
"""

from stackfim.transforms.languages.grammar import (
    GrammarMismatch,
    KindIds,
    grammar_versions,
    has_legacy_grammars,
    kind_ids,
    load_grammar,
    of_grammars,
)
from stackfim.transforms.languages.names import ALIASES, LANGUAGES, UNSUPPORTED, language_name, unsupported_reason
from stackfim.transforms.languages.row import BRACKETS, CLOSING_WORDS, GRAMMARS, LEGACY, OFFICIAL, Language

__all__ = [
    "ALIASES",
    "BRACKETS",
    "CLOSING_WORDS",
    "GRAMMARS",
    "LANGUAGES",
    "LEGACY",
    "OFFICIAL",
    "UNSUPPORTED",
    "GrammarMismatch",
    "KindIds",
    "Language",
    "grammar_versions",
    "has_legacy_grammars",
    "kind_ids",
    "language_name",
    "load_grammar",
    "of_grammars",
    "unsupported_reason",
]
