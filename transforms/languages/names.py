"""The rows of the language table by name, and what a name in a data set means: a language, or one that is not supported."""

from stackfim.transforms.languages.braces import BRACES
from stackfim.transforms.languages.data import DATA
from stackfim.transforms.languages.row import Language, SupportedLanguage, UnsupportedLanguage
from stackfim.transforms.languages.unsupported import ROWS, UNKNOWN
from stackfim.transforms.languages.words import WORDS

LANGUAGES: dict[str, SupportedLanguage] = {row.name: row for row in (*WORDS, *BRACES, *DATA)}
"""The languages that are split, by name."""
UNSUPPORTED: dict[str, UnsupportedLanguage] = {row.name: row for row in ROWS}
"""The languages that are known and not split, by name."""
KNOWN_LANGUAGES: dict[str, Language] = {**LANGUAGES, **UNSUPPORTED}
"""All languages of the table, by name."""

_NAMES = {name.lower(): name for name in LANGUAGES} | {
    alias: row.name for row in LANGUAGES.values() for alias in row.aliases
}
_REASONS = {name.lower(): f"{name}: {row.reason}" for name, row in UNSUPPORTED.items() if row.reason}


def language_row(name: str) -> Language:
    """The row of a language, by the table's name; for a name that the table does not have, a row that says nothing."""
    return KNOWN_LANGUAGES.get(name, UNKNOWN)


def language_name(name: str) -> str | None:
    """The table's name for `name`, whatever its case; None for a language that is not supported."""
    plain = _plain(name)
    return _NAMES.get(plain) or _NAMES.get(plain.replace("-", " ")) or _NAMES.get(plain.replace("_", " "))


def unsupported_reason(name: str) -> str:
    """The detail of a rejection `language_unsupported`: the language's name, with the reason where the table has one.

    The Stack's folders write names with hyphens (`jupyter-notebook`).
    """
    plain = _plain(name)
    return _REASONS.get(plain) or _REASONS.get(plain.replace("-", " ")) or name


def are_related(name: str, other: str) -> bool:
    """Whether two of the table's names stand for one language, or for languages of one family."""
    if name == other:
        return True
    return not set(language_row(name).families).isdisjoint(language_row(other).families)


def _plain(name: str) -> str:
    return name.strip().lower()
