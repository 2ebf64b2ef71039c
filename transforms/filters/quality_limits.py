"""Thresholds of the quality filters: one table, a row a language, a column a rule.

Origins: StarCoder (Li et al. 2023, section 3.1: comments, markup, JSON and YAML sizes), StarCoder2 (Lozhkov et al. 2024,
encoded data) and OpenCoder's published filter configuration (Huang et al. 2024: digits, repetition). They
are set where a file is no code at all rather than where it is poor: code that is dropped is lost, a table that stays
yields few examples.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

ALL_LANGUAGES = "*"
"""Key of overrides that hold for every language."""

NO_LIMIT = 1 << 30
"""A most that no file reaches."""


@dataclass(frozen=True)
class QualityLimits:
    """What a file of one language may be. Shares are of visible bytes, from 0 to 1, unless said otherwise."""

    max_encoded_share: float = 0.5
    """Base64, hex and escaped bytes (StarCoder2: 0.5)."""
    max_encoded_bytes: int = 16_384
    """The same, in bytes (StarCoder2: 1,024 in one piece; here code that embeds an icon or a key stays)."""
    max_digit_share: float = 0.45
    """ASCII digits (OpenCoder: 0.2, which also drops test vectors)."""
    max_number_line_share: float = 0.85
    """Lines of nothing but number literals."""
    min_comment_share: float = 0.0
    """Comments; StarCoder asks for 0.01, which drops much good code without any."""
    max_comment_share: float = 0.98
    """Comments and docstrings (StarCoder, OpenCoder: 0.8, which drops small functions and interfaces under long
    documentation)."""
    max_other_language_share: float = 0.5
    """Letters of comments in another language than asked for, of all that are judged."""
    min_logic_lines: int = 1
    """Lines that are no comment, import or punctuation."""
    max_duplicate_line_share: float = 0.9
    """Share of lines with words that repeat an earlier one (OpenCoder: 0.7, which drops tests and families of
    overloads)."""
    max_top_ngram_share: float = 0.6
    """Words covered by the most frequent 5-gram."""
    min_text_share: float = 0.0
    """Visible text of markup, of all characters (StarCoder, HTML: 0.2)."""
    min_text_chars: int = 0
    """Visible text of markup in characters (StarCoder, HTML: 100)."""
    min_chars: int = 0
    """Size of data files in characters (StarCoder, JSON and YAML: 50)."""
    max_chars: int = NO_LIMIT
    """Size of data files in characters (StarCoder, JSON and YAML: 5,000)."""
    min_letter_share: float = 0.0
    """ASCII letters and characters beyond ASCII, of the visible ones (StarCoder, JSON and YAML: 0.5 of all, which drops
    what is written with deep indents)."""
    min_notebook_source_share: float = 0.0
    """Bytes of source cells, of the notebook with its outputs."""


_CODE = QualityLimits()
_DATA = QualityLimits(min_logic_lines=0, max_duplicate_line_share=0.95, max_top_ngram_share=0.8, max_comment_share=1.0)
_SIZED = dataclasses.replace(_DATA, min_chars=50, max_chars=5_000, min_letter_share=0.5)

LIMITS: dict[str, QualityLimits] = {
    # Little but registers, addresses and macro calls.
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


def limits_of(language: str, overrides: Mapping[str, Mapping[str, float]] | None = None) -> QualityLimits:
    """The limits of a language: the table's, then the overrides for all languages, then those for this one.

    Raises ValueError for an override of a limit that there is not.
    """
    limits = LIMITS.get(language, _CODE)
    for key in (ALL_LANGUAGES, language):
        changes = (overrides or {}).get(key, {})
        unknown = sorted(set(changes) - _names())
        if unknown:
            raise ValueError(
                f"no such limit: {', '.join(unknown)} (for {key}); expected some of {', '.join(sorted(_names()))}"
            )
        limits = dataclasses.replace(limits, **changes)  # type: ignore[arg-type]
    return limits


@cache
def _names() -> frozenset[str]:
    return frozenset(field.name for field in dataclasses.fields(QualityLimits))


def limits_by_row(
    languages: list[str], overrides: Mapping[str, Mapping[str, float]] | None = None
) -> list[QualityLimits]:
    """The limits of each row's language."""
    known = {language: limits_of(language, overrides) for language in dict.fromkeys(languages)}
    return [known[language] for language in languages]
