"""Which characters are words by themselves: letters of scripts without blanks, as Unicode names them, and no others."""

import sys
import unicodedata

import pytest

from stackfim.transforms.dedup.scripts import Kind, script_kind

ALONE = (
    "CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "BOPOMOFO", "THAI", "LAO",
    "KHMER", "MYANMAR", "TIBETAN", "YI SYLLABLE", "JAVANESE", "BALINESE", "TAI THAM", "TAI VIET", "TANGUT",
)  # fmt: skip
WITH_BLANKS = (
    "LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "BENGALI", "TAMIL", "TELUGU", "HANGUL SYLLABLE", "ARMENIAN",
    "GEORGIAN", "ETHIOPIC", "SINHALA", "MONGOLIAN", "CHEROKEE", "FULLWIDTH LATIN", "FULLWIDTH DIGIT",
)  # fmt: skip
CHARACTERS = [character for character in map(chr, range(sys.maxunicode + 1)) if unicodedata.name(character, "")]


def named(names: tuple[str, ...], categories: str) -> list[str]:
    return [
        character
        for character in CHARACTERS
        if unicodedata.name(character).startswith(names) and unicodedata.category(character)[0] in categories
    ]


def test_letters_marks_and_digits_of_scripts_without_blanks_are_words() -> None:
    found = named(ALONE, "LMN")
    assert len(found) > 90_000
    assert [unicodedata.name(character) for character in found if script_kind(character) is not Kind.WORD] == []


def test_their_punctuation_separates_words() -> None:
    found = [
        *named(ALONE, "P"),
        *named(("IDEOGRAPHIC FULL", "IDEOGRAPHIC COMMA", "IDEOGRAPHIC SPACE", "FULLWIDTH"), "PZS"),
    ]
    assert len(found) > 80
    others = [unicodedata.name(character) for character in found if script_kind(character) is not Kind.SEPARATOR]
    assert [name for name in others if not name.startswith("FULLWIDTH LOW LINE")] == []


@pytest.mark.parametrize("script", WITH_BLANKS)
def test_letters_of_other_scripts_are_neither(script: str) -> None:
    found = named((script,), "LMNPS")
    assert found
    assert {script_kind(character) for character in found} == {Kind.OTHER}


def test_nothing_below_three_bytes_and_no_punctuation_of_other_texts_is_either() -> None:
    assert {script_kind(chr(point)) for point in (*range(0x800), *range(0x2000, 0x2E80), 0xFEFF, 0xFFFD)} == {
        Kind.OTHER
    }
