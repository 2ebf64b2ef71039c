"""The language table: one row for each language, with all that is known of it.

`row` is the shape of a row; `words`, `braces`, `data` and `unsupported` hold the rows; `names` finds them by any name and
`file_names` by the names of files; `grammar` loads the grammar of a row.
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
from stackfim.transforms.languages.names import (
    KNOWN_LANGUAGES,
    LANGUAGES,
    UNSUPPORTED,
    are_related,
    language_name,
    language_row,
    unsupported_reason,
)
from stackfim.transforms.languages.row import (
    BRACKETS,
    CLOSING_WORDS,
    GRAMMARS,
    LEGACY,
    OFFICIAL,
    Content,
    Language,
    SupportedLanguage,
    UnsupportedLanguage,
)

__all__ = [
    "BRACKETS",
    "CLOSING_WORDS",
    "GRAMMARS",
    "KNOWN_LANGUAGES",
    "LANGUAGES",
    "LEGACY",
    "OFFICIAL",
    "UNSUPPORTED",
    "Content",
    "GrammarMismatch",
    "KindIds",
    "Language",
    "SupportedLanguage",
    "UnsupportedLanguage",
    "are_related",
    "grammar_versions",
    "has_legacy_grammars",
    "kind_ids",
    "language_name",
    "language_row",
    "load_grammar",
    "of_grammars",
    "unsupported_reason",
]
