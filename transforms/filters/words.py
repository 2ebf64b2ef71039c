"""Words and word n-grams of all rows as 64-bit hashes, block by block: repetition and contamination are counted on them.

A word is the same as in deduplication (stackfim.transforms.dedup.shingles): a run of letters, digits, underscores and bytes
beyond ASCII, or one character of a script without blanks between words, so that a sentence of Chinese is compared, and
counted, by its characters. Punctuation and white space only separate words, so no formatter changes the words of a file.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stackfim.transforms.dedup.murmur import GOLDEN, finalise_64
from stackfim.transforms.dedup.shingles import BLOCK_BYTES, hash_words, word_spans
from stackfim.transforms.filters.text import Text

_STEP = pow(GOLDEN, 3, 2**64) | 1
_INVERSE_STEP = pow(_STEP, -1, 2**64)


class Words(NamedTuple):
    """The words of a block of consecutive rows."""

    rows: slice
    """The rows, by their numbers in the batch."""
    data: npt.NDArray[np.uint8]
    """Bytes of the rows; (bytes,)."""
    borders: npt.NDArray[np.int64]
    """Where the rows begin and end in `data`; (rows + 1,)."""
    hashes: npt.NDArray[np.uint64]
    """Hash of each word as it is written; (words,)."""
    lowered: npt.NDArray[np.uint64]
    """Hash of each word in lower case; (words,), or empty where it was not wanted."""
    starts: npt.NDArray[np.int64]
    """First byte of each word in `data`; (words,)."""
    first: npt.NDArray[np.int64]
    """First word of each row, and after them the number of all words; (rows + 1,)."""


def word_blocks(text: Text, *, lower_case: bool = False) -> Iterator[Words]:
    """The words of all rows, in blocks of rows that fit into a processor's cache; a longer row is a block of its own."""
    data, offsets = text
    first, rows = 0, len(offsets) - 1
    while first < rows:
        last = max(int(np.searchsorted(offsets, offsets[first] + BLOCK_BYTES, side="right")) - 1, first + 1)
        block, borders = data[offsets[first] : offsets[last]], offsets[first : last + 1] - offsets[first]
        starts, lengths = word_spans(block, borders[1:-1])
        hashes = hash_words(block, starts, lengths)
        lowered = hash_words(in_lower_case(block), starts, lengths) if lower_case else hashes[:0]
        yield Words(slice(first, last), block, borders, hashes, lowered, starts, np.searchsorted(starts, borders))
        first = last


def words_of(text: bytes) -> npt.NDArray[np.uint64]:
    """The hashes of the words of one text, as they are written; (words,)."""
    data = np.frombuffer(text, np.uint8)
    return hash_words(data, *word_spans(data, np.zeros(0, np.int64)))


def in_lower_case(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A copy of the bytes with A to Z as a to z."""
    return data | (((data - np.uint8(0x41)) < np.uint8(26)).view(np.uint8) << np.uint8(5))


class Ngrams(NamedTuple):
    """The word n-grams of a block, none of which runs from one row into the next."""

    hashes: npt.NDArray[np.uint64]
    """Hash of each n-gram; (n-grams,)."""
    row: npt.NDArray[np.int64]
    """Row of each n-gram, counted from the first row of the block, ascending; (n-grams,)."""
    word: npt.NDArray[np.int64]
    """First word of each n-gram; (n-grams,)."""


def ngrams(tokens: npt.NDArray[np.uint64], first: npt.NDArray[np.int64], length: int) -> Ngrams:
    """Every `length` consecutive tokens, by a rolling sum, so that the cost does not depend on the length.

    The hash of tokens t0, t1, ... is the finalised sum of t_i * STEP^i modulo 2^64 (Karp and Rabin 1987, with a power of
    two as the modulus, since the tokens are hashes rather than letters).
    """
    row_of_word = np.repeat(np.arange(len(first) - 1), np.diff(first))
    total = max(len(tokens) - length + 1, 0)
    sums, inverses = _rolling_sums(tokens)
    word = np.flatnonzero(row_of_word[:total] == row_of_word[len(tokens) - total :])
    hashes = ((sums[length:] - sums[:total]) * inverses[:total])[word] if total else sums[:0]
    row = row_of_word[word]
    return Ngrams(finalise_64(hashes), row, word)


def span_hashes(
    tokens: npt.NDArray[np.uint64], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64]:
    """Hashes of the spans of tokens [starts[i], ends[i]): equal for equal tokens, wherever they are; (spans,)."""
    sums, inverses = _rolling_sums(tokens)
    return finalise_64((sums[ends] - sums[starts]) * inverses[starts])


def _rolling_sums(tokens: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Sums of t_i * STEP^i before each token, (tokens + 1,), and STEP^-i, which moves a span's sum back to position 0."""
    powers, inverses = _powers(len(tokens) + 1)
    sums = np.zeros(len(tokens) + 1, np.uint64)
    np.cumsum(tokens * powers[: len(tokens)], out=sums[1:])
    return sums, inverses


_POWERS = {base: np.ones(1, np.uint64) for base in (_STEP, _INVERSE_STEP)}


def _powers(count: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """STEP^i and its inverse modulo 2^64 for i below `count`; kept between calls, and doubled when a longer block comes."""
    for base, known in _POWERS.items():
        while len(known) < count:
            known = np.concatenate((known, known * np.uint64(pow(base, len(known), 2**64))))
        _POWERS[base] = known
    return _POWERS[_STEP][:count], _POWERS[_INVERSE_STEP][:count]
