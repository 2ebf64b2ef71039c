"""Characters of scripts that put no blanks between words: Han, kana, Thai, Lao, Khmer, Burmese, Tibetan and their kin.

A run of such characters would be one word of a whole sentence, so that one character more makes another word of all of it.
Each of them is a word by itself instead, and n words in a row are n characters in a row, which is what is used for these
scripts (character n-grams, Manning, Raghavan and Schuetze 2008, section 2.2.1). Letters that are written with blanks between
words, such as Latin, Greek, Cyrillic, Arabic, Devanagari and Hangul, are none of them, wherever they lie in Unicode.

Blocks and characters: https://www.unicode.org/Public/UNIDATA/Blocks.txt, and the general categories of UnicodeData.txt.
"""

from enum import IntEnum
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stackfim.transforms.ragged import ranges

FIRST_LEAD_BYTE = 0xE0
"""No byte of a text below this one: the text has no character of these scripts, which all take three bytes or four."""
MAX_CHARACTER_BYTES = 4
_STRETCH = 1_024
_LIMIT = 0x40000  # from here on there are no such characters


class Kind(IntEnum):
    """What a character is to the words of a text."""

    OTHER = 0
    """A letter or sign of other scripts."""
    WORD = 1
    """A word by itself."""
    SEPARATOR = 2
    """Punctuation or a blank of these scripts."""


_WORDS = (
    (0x0E00, 0x0E7F),  # Thai
    (0x0E80, 0x0EFF),  # Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le and New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0x2E80, 0x2FDF),  # radicals
    (0x2FF0, 0x312F),  # Han punctuation and numerals, kana, Bopomofo
    (0x3190, 0x31FF),  # Kanbun, Bopomofo Extended, strokes, kana extensions
    (0x3220, 0x3247),  # numerals and abbreviations in a circle or in brackets
    (0x3280, 0x33FF),
    (0x3400, 0x4DBF),  # Han, Extension A
    (0x4E00, 0xA4CF),  # Han, Yi
    (0xA980, 0xA9FF),  # Javanese, Myanmar Extended-B
    (0xAA60, 0xAADF),  # Myanmar Extended-A, Tai Viet
    (0xF900, 0xFAFF),  # compatibility ideographs
    (0xFF66, 0xFF9F),  # half-width kana
)
"""First and last code point of what is a word, below the supplementary planes."""
_WORDS_BEYOND = ((0x16FE0, 0x18DFF), (0x1AFF0, 0x1B2FF), (0x20000, 0x3FFFF))
"""The same beyond them: Tangut, Khitan, further kana, Nuesh, and the planes of ideographs."""
_SEPARATORS = (
    (0x0E4F, 0x0E4F),  # Thai
    (0x0E5A, 0x0E5B),
    (0x0F04, 0x0F14),  # Tibetan, with the mark between syllables
    (0x0F3A, 0x0F3D),
    (0x0F85, 0x0F85),
    (0x0FD0, 0x0FD4),
    (0x0FD9, 0x0FDA),
    (0x104A, 0x104F),  # Myanmar
    (0x17D4, 0x17D6),  # Khmer
    (0x17D8, 0x17DA),
    (0x1AA0, 0x1AA6),  # Tai Tham
    (0x1AA8, 0x1AAD),
    (0x1B5A, 0x1B60),  # Balinese
    (0x1B7D, 0x1B7F),
    (0x2FF0, 0x2FFF),  # how an ideograph is put together
    (0x3000, 0x3004),  # the wide blank, Han punctuation
    (0x3008, 0x3020),
    (0x3030, 0x3030),
    (0x3036, 0x3037),
    (0x303D, 0x303F),
    (0x30A0, 0x30A0),
    (0x30FB, 0x30FB),
    (0xA4FE, 0xA4FF),
    (0xA9C1, 0xA9CD),  # Javanese
    (0xA9DE, 0xA9DF),
    (0xAADE, 0xAADF),
    (0xFE10, 0xFE1F),  # vertical and small forms
    (0xFE30, 0xFE6F),
    (0xFF01, 0xFF0F),  # full-width forms of the punctuation of ASCII
    (0xFF1A, 0xFF20),
    (0xFF3B, 0xFF3E),
    (0xFF40, 0xFF40),
    (0xFF5B, 0xFF65),
    (0xFFE0, 0xFFEE),  # full-width signs
)
"""First and last code point of what separates words."""


class Characters(NamedTuple):
    """Where characters of these scripts are in a text, each ascending."""

    words: npt.NDArray[np.int64]
    """First byte of each that is a word; (words,)."""
    word_sizes: npt.NDArray[np.int64]
    """Its bytes, 3 or 4; (words,)."""
    separators: npt.NDArray[np.int64]
    """First byte of each that separates words; (separators,)."""
    separator_sizes: npt.NDArray[np.int64]
    """Its bytes; (separators,)."""


def characters_without_blanks(data: npt.NDArray[np.uint8], cuts: npt.NDArray[np.int64]) -> Characters:
    """The characters of these scripts in `data`; none crosses one of the `cuts` (ascending).

    Bytes that are no valid character are none.
    """
    starts = _lead_bytes(data)
    sizes = np.where(data[starts] < 0xF0, 3, 4)
    whole = (starts + sizes <= len(data)) & (data[starts] < 0xF8)
    whole &= np.searchsorted(cuts, starts, "right") == np.searchsorted(cuts, starts + sizes, "left")
    starts, sizes = starts[whole], sizes[whole]
    points = (data[starts] & np.where(sizes == 3, 0x0F, 0x07).astype(np.uint8)).astype(np.int64)
    valid = np.ones(len(starts), bool)
    for place in range(1, MAX_CHARACTER_BYTES):
        has = sizes > place
        following = data[starts[has] + place]
        valid[has] &= following & 0xC0 == 0x80
        points[has] = points[has] << 6 | (following & 0x3F)
    valid &= points >= np.where(sizes == 3, 0x800, 0x10000)
    kind = _kinds()[np.minimum(points, _LIMIT)]
    word, separator = valid & (kind == Kind.WORD), valid & (kind == Kind.SEPARATOR)
    return Characters(starts[word], sizes[word], starts[separator], sizes[separator])


def _lead_bytes(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Where bytes are that may begin such a character: looked for where there is one at all, which most texts have not."""
    begins = np.arange(0, len(data), _STRETCH)
    stretches = begins[np.maximum.reduceat(data, begins) >= FIRST_LEAD_BYTE]
    places = ranges(stretches, np.minimum(len(data) - stretches, _STRETCH))
    return places[data[places] >= FIRST_LEAD_BYTE]


def script_kind(character: str) -> Kind:
    """What one character is."""
    return Kind(int(_kinds()[min(ord(character), _LIMIT)]))


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """What each code point up to _LIMIT is."""
    kinds = np.full(_LIMIT + 1, Kind.OTHER, np.uint8)
    for blocks, kind in (((*_WORDS, *_WORDS_BEYOND), Kind.WORD), (_SEPARATORS, Kind.SEPARATOR)):
        for first, last in blocks:
            kinds[first : last + 1] = kind
    return kinds
