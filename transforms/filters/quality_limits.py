"""Limits of the quality filters in one table: a row for each language that differs from the default, a field for each rule.

Origins: StarCoder (Li et al. 2023, section 3.1: comments, markup, JSON and YAML sizes), StarCoder2 (Lozhkov et al. 2024,
encoded data) and OpenCoder's published filter configuration (Huang et al. 2024: digits, repetition). They are set where a
file is no code at all rather than where it is poor code: code that is dropped is lost, while a table of numbers that stays
yields few examples.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from stackfim.transforms.languages import LANGUAGES, language_name
from stackfim.transforms.setting_checks import expect_number, known_names

ALL_LANGUAGES = "*"
"""Key of overrides that hold for every language."""

NO_LIMIT = 1 << 30
"""A maximum that no file reaches."""


@dataclass(frozen=True)
class QualityLimits:
    """What files of one language may be like. Shares are of visible bytes unless it says otherwise."""

    max_encoded_share: float = 0.5
    """Share of base64, hex and escaped bytes (StarCoder2: 0.5)."""
    max_encoded_bytes: int = 16_384
    """The same in bytes (StarCoder2: 1,024 in one piece; here code that embeds an icon or a key stays)."""
    max_digit_share: float = 0.45
    """Share of ASCII digits (OpenCoder: 0.2, which also drops test vectors)."""
    max_number_line_share: float = 0.85
    """Share of lines that hold nothing but number literals."""
    min_comment_share: float = 0.0
    """Share of comments (StarCoder: 0.01, which drops much good code that has none)."""
    max_comment_share: float = 0.98
    """Share of comments and docstrings (StarCoder, OpenCoder: 0.8, which drops small functions and interfaces under long
    documentation)."""
    max_other_language_share: float = 0.5
    """Share of the judged letters of comments that are in another language than the wanted one."""
    min_logic_lines: int = 1
    """Lines that are more than a comment, an import or punctuation."""
    max_duplicate_line_share: float = 0.9
    """Share of the lines with words that repeat an earlier line (OpenCoder: 0.7, which drops tests and families of
    overloads)."""
    max_top_ngram_share: float = 0.6
    """Share of words that the most frequent 5-gram covers."""
    min_text_share: float = 0.0
    """Share of all characters of markup that are visible text (StarCoder, HTML: 0.2)."""
    min_text_chars: int = 0
    """Characters of visible text of markup (StarCoder, HTML: 100)."""
    min_chars: int = 0
    """Size of data files in characters (StarCoder, JSON and YAML: 50)."""
    max_chars: int = NO_LIMIT
    """Size of data files in characters (StarCoder, JSON and YAML: 5,000)."""
    min_letter_share: float = 0.0
    """Share of the visible characters that are ASCII letters or beyond ASCII (StarCoder, JSON and YAML: 0.5 of all
    characters, which drops what is written with deep indents)."""
    min_notebook_source_share: float = 0.0
    """Share of a notebook's bytes, outputs included, that are source cells."""

    def __post_init__(self) -> None:
        """Raises ValueError for a share that is not from 0 to 1 and for another limit below 0."""
        for name, value in vars(self).items():
            expect_number(name, value, 1.0 if name.endswith("_share") else math.inf)


_CODE = QualityLimits()
_DATA = QualityLimits(min_logic_lines=0, max_duplicate_line_share=0.95, max_top_ngram_share=0.8, max_comment_share=1.0)
_SIZED = dataclasses.replace(_DATA, min_chars=50, max_chars=5_000, min_letter_share=0.5)

LIMITS: dict[str, QualityLimits] = {
    # There is little but registers, addresses and macro calls.
    "Assembly": dataclasses.replace(_CODE, max_digit_share=0.5, min_logic_lines=0, max_duplicate_line_share=0.95),
    # Dumps of rows are judged by their digits and n-grams; a schema has the same columns again and again.
    "SQL": dataclasses.replace(_CODE, min_logic_lines=0, max_digit_share=0.3),
    "CSS": _DATA,
    "SCSS": _DATA,
    "Markdown": _DATA,
    "reStructuredText": _DATA,
    "HTML": dataclasses.replace(_DATA, min_text_share=0.2, min_text_chars=100),
    "XML": _DATA,
    "JSON": _SIZED,
    "YAML": _SIZED,
    "INI": _DATA,
    "TOML": _DATA,
    "Jupyter Notebook": dataclasses.replace(_DATA, min_notebook_source_share=0.1),
}
"""Languages whose limits differ from the default, by The Stack's names."""


_KEYS = tuple(dict.fromkeys((ALL_LANGUAGES, *LANGUAGES, *LIMITS)))


def limits_of(language: str, overrides: Mapping[str, Mapping[str, float]] | None = None) -> QualityLimits:
    """The limits of a language: the table's, then the overrides for all languages, then those for this one.

    Keys of overrides are languages in any spelling, or ALL_LANGUAGES. Raises ValueError for an override of a language or a
    limit that does not exist, or by a value that is out of its range.
    """
    values = vars(LIMITS.get(language, _CODE))
    by_name: dict[str, dict[str, float]] = {}
    for key, limits in (overrides or {}).items():
        by_name.setdefault(key_of_limits(key), {}).update(limits)
    for key in (ALL_LANGUAGES, language):
        changes = by_name.get(key, {})
        for name in changes:
            if name not in values:
                raise ValueError(f"{name}: no such limit{known_names(name, tuple(values))}")
        values = values | changes
    return QualityLimits(**values)


def key_of_limits(key: str) -> str:
    """The language that a key of overrides stands for, or ALL_LANGUAGES. Raises ValueError for another key."""
    if key == ALL_LANGUAGES or key in LIMITS:
        return key
    found = language_name(key)
    if found is None:
        raise ValueError(f"{key}: no such language{known_names(key, _KEYS)}")
    return found


def limits_by_row(
    languages: list[str], overrides: Mapping[str, Mapping[str, float]] | None = None
) -> list[QualityLimits]:
    """The limits of each row's language."""
    known = {language: limits_of(language, overrides) for language in dict.fromkeys(languages)}
    return [known[language] for language in languages]
