"""Shingles: the set of word n-grams of every document, as 32-bit hashes, straight from an Arrow byte buffer.

A *word* is a maximal run of the bytes [A-Za-z0-9_] and of bytes from 0x80, so letters of other scripts in UTF-8 stay
whole; all other bytes separate words. In scripts that put no blanks between words (Chinese, Japanese, Thai and others, see
`scripts`) each character is a word, and their punctuation separates words as that of ASCII does. A run longer than 256
bytes counts as words of 256 bytes and a shorter last one, so that every byte of encoded data counts. A *shingle* is n words
in a row. A document of fewer than n words has one shingle, all its words; a document without words has none.

No Python string is made. Words are found by comparing neighbouring bytes, hashed by 8-byte loads, and summed into
n-grams, in blocks that stay in a core's cache. The hashes are the same on every machine and in every version of Python,
and depend neither on the blocks nor on the other documents of the array.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.dedup.murmur import GOLDEN, finalise_64, place_factors
from stackfim.transforms.dedup.scripts import (
    FIRST_LEAD_BYTE,
    MAX_CHARACTER_BYTES,
    Characters,
    characters_without_blanks,
)
from stackfim.transforms.ragged import distinct, offsets_of, ranges

BLOCK_BYTES = 512 * 1024
WORD_CAP_BYTES = 256
LOAD_BYTES = 8

_LENGTH_FACTOR = np.uint64(0xD6E8FEB86659FD93)
_WORD_FACTOR = np.uint64(GOLDEN)
_LOW_32 = np.uint64(0xFFFFFFFF)
_SHIFT_32 = np.uint64(32)
# _MASKS[k] keeps the first k bytes of a little-endian load.
_MASKS = np.array([(1 << (8 * count)) - 1 for count in range(LOAD_BYTES + 1)], np.uint64)


@dataclass(frozen=True)
class ShingleSets:
    """The shingle sets of some documents.

    `values`: uint32, shape (shingles,): every document's distinct shingles in ascending order, document after document.
    `offsets`: int64, shape (documents + 1,): document i has `values[offsets[i]:offsets[i + 1]]`.
    """

    values: npt.NDArray[np.uint32]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Number of documents."""
        return len(self.offsets) - 1

    def __getitem__(self, document: int) -> npt.NDArray[np.uint32]:
        """The shingles of one document, distinct and ascending: a view. Raises IndexError for any other index."""
        if not 0 <= document < len(self):
            raise IndexError(f"document is from 0 to {len(self) - 1}, got {document}")
        return self.values[self.offsets[document] : self.offsets[document + 1]]

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Number of distinct shingles of every document, shape (documents,)."""
        return np.diff(self.offsets)

    def take(self, documents: npt.ArrayLike) -> "ShingleSets":
        """The sets of the documents of these indices, in that order."""
        chosen = np.asarray(documents, np.int64)
        sizes = self.sizes[chosen]
        offsets = offsets_of(sizes)
        return ShingleSets(self.values[ranges(self.offsets[chosen], sizes)], offsets)


def concatenate(parts: Sequence[ShingleSets]) -> ShingleSets:
    """The sets of several arrays of documents as one, in order."""
    values = [part.values for part in parts]
    sizes = [part.sizes for part in parts]
    return ShingleSets(
        np.concatenate(values) if values else np.empty(0, np.uint32),
        offsets_of(np.concatenate(sizes) if sizes else np.empty(0, np.int64)),
    )


def shingle_sets(content: pa.Array, ngram: int = 5, *, block_bytes: int = BLOCK_BYTES) -> ShingleSets:
    """The shingles of every document of a binary, string, large binary or large string array.

    `block_bytes`, a positive multiple of 256, is how much text is processed at a time; it affects speed, never the result.
    Raises TypeError for other types and ValueError for nulls or an `ngram` below 1.
    """
    if ngram < 1:
        raise ValueError(f"ngram is a number of words from 1, got {ngram}")
    if block_bytes < WORD_CAP_BYTES or block_bytes % WORD_CAP_BYTES:
        raise ValueError(f"block_bytes is a positive multiple of {WORD_CAP_BYTES}, got {block_bytes}")
    data, offsets = _byte_buffer(content)
    factors = place_factors(ngram)
    parts: list[ShingleSets] = []
    for first, last in _document_blocks(offsets, block_bytes):
        if last - first == 1 and offsets[last] - offsets[first] > block_bytes:
            parts.append(_large_document(data[offsets[first] : offsets[last]], factors, block_bytes))
        else:
            parts.append(_small_documents(data, offsets[first : last + 1], factors))
    return concatenate(parts)


def _byte_buffer(content: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The bytes of the whole array and, for its documents, where they start and end among them."""
    if pa.types.is_binary(content.type) or pa.types.is_string(content.type):
        offset_type: type[np.signedinteger] = np.int32
    elif pa.types.is_large_binary(content.type) or pa.types.is_large_string(content.type):
        offset_type = np.int64
    else:
        raise TypeError(f"documents are an array of binary, string, large_binary or large_string, got {content.type}")
    if content.null_count:
        raise ValueError(f"documents must not be null, got {content.null_count} nulls among {len(content)}")
    if len(content) == 0:
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    _, offset_buffer, data_buffer = content.buffers()
    offsets = np.frombuffer(offset_buffer, offset_type, content.offset + len(content) + 1)[content.offset :]
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer is not None else np.empty(0, np.uint8)
    return data, offsets.astype(np.int64)


def _document_blocks(offsets: npt.NDArray[np.int64], block_bytes: int) -> Iterator[tuple[int, int]]:
    """Ranges of documents with at most `block_bytes` together; a longer document is a range by itself."""
    first, count = 0, len(offsets) - 1
    while first < count:
        last = int(np.searchsorted(offsets, offsets[first] + block_bytes, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last


def _small_documents(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], factors: npt.NDArray[np.uint64]
) -> ShingleSets:
    """The shingles of whole documents that lie next to each other."""
    ngram = len(factors)
    count = len(offsets) - 1
    bounds = offsets - offsets[0]
    words, starts = _word_hashes(data[offsets[0] : offsets[-1]], bounds[1:-1])
    first_words = np.searchsorted(starts, bounds)
    word_counts = np.diff(first_words)
    document_of = np.repeat(np.arange(count, dtype=np.uint64), word_counts)
    sums = _ngram_sums(words, factors)
    inside = document_of[: len(sums)] == document_of[ngram - 1 :]  # an n-gram must not run into the next document
    keys = (document_of[: len(sums)] << _SHIFT_32 | _shingle(sums))[inside]
    short = np.flatnonzero((word_counts > 0) & (word_counts < ngram))
    if len(short):
        short_sums = _short_sums(words, first_words[short], word_counts[short], factors)
        keys = np.concatenate((keys, short.astype(np.uint64) << _SHIFT_32 | _shingle(short_sums)))
    keys.sort()
    keys = distinct(keys)
    ends = np.searchsorted(keys, np.arange(count + 1, dtype=np.uint64) << _SHIFT_32)
    return ShingleSets((keys & _LOW_32).astype(np.uint32), ends.astype(np.int64))


def _large_document(data: npt.NDArray[np.uint8], factors: npt.NDArray[np.uint64], block_bytes: int) -> ShingleSets:
    """The shingles of one document that is longer than a block: piece by piece, with the last n - 1 words carried over."""
    ngram = len(factors)
    carried = np.empty(0, np.uint64)
    found: list[npt.NDArray[np.uint64]] = []
    start = 0
    while start < len(data):
        end = _piece_end(data, start, block_bytes)
        words, _ = _word_hashes(data[start:end], np.empty(0, np.int64))
        words = np.concatenate((carried, words))
        if len(words) >= ngram:
            found.append(distinct(np.sort(_shingle(_ngram_sums(words, factors)))))
        carried = words[max(len(words) - (ngram - 1), 0) :]
        start = end
    if found:
        shingles = distinct(np.sort(np.concatenate(found)))
    else:
        one = np.array([len(carried)]) if len(carried) else np.empty(0, np.int64)
        shingles = _shingle(_short_sums(carried, np.zeros(len(one), np.int64), one, factors))
    return ShingleSets(shingles.astype(np.uint32), np.array([0, len(shingles)], np.int64))


def _piece_end(data: npt.NDArray[np.uint8], start: int, block_bytes: int) -> int:
    """Where a piece of a long document ends, about `block_bytes` after `start`, and never inside a word or character.

    A word that goes on after that begins the next piece: the first word of a run, or one at a multiple of 256 bytes into it,
    where the cap on words ends one in any case. One that begins the piece stays in it, as a whole.
    """
    end = start + block_bytes
    if end >= len(data):
        return len(data)
    back = next((back for back in range(MAX_CHARACTER_BYTES) if data[end - back] & 0xC0 != 0x80), 0)
    if back == 0 and not _is_word(data[end - 1 : end + 1]).all():
        return end
    # What a character that begins before the end is can be told from a few bytes more.
    starts, lengths = word_spans(data[start : end + MAX_CHARACTER_BYTES], np.empty(0, np.int64))
    goal = block_bytes - back
    across = np.flatnonzero((starts < goal) & (starts + lengths > goal))
    if not len(across):
        return start + goal
    first = int(starts[across[0]])
    return start + (first or int(lengths[across[0]]))


def _is_word(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which bytes belong to words. Comparing whole vectors is twice as fast as a table of 256 entries."""
    is_word = ((data | np.uint8(0x20)) - np.uint8(ord("a"))) < np.uint8(26)
    is_word |= (data - np.uint8(ord("0"))) < np.uint8(10)
    is_word |= data >= np.uint8(0x80)
    is_word |= data == np.uint8(ord("_"))
    return is_word


def _word_hashes(
    data: npt.NDArray[np.uint8], cuts: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """A 64-bit hash and the first byte of every word of `data`; no word crosses one of the `cuts` (ascending)."""
    starts, lengths = word_spans(data, cuts)
    return hash_words(data, starts, lengths), starts


def word_spans(
    data: npt.NDArray[np.uint8], cuts: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First byte and length, at most WORD_CAP_BYTES, of every word; none crosses one of the `cuts` (ascending)."""
    is_word = np.zeros(len(data) + 2, bool)  # a separator on both sides, so that edges come in pairs
    is_word[1:-1] = _is_word(data)
    if len(data) and data.max() >= FIRST_LEAD_BYTE:
        cuts = _cut_characters(is_word[1:-1], cuts, characters_without_blanks(data, cuts))
    edges = np.flatnonzero(is_word[1:] != is_word[:-1])
    split = cuts[is_word[cuts] & is_word[cuts + 1]]
    if len(split):
        edges = np.sort(np.concatenate((edges, *[np.unique(split)] * 2)))
    starts = np.ascontiguousarray(edges[::2])
    lengths = edges[1::2] - starts
    return _cap_words(starts, lengths) if len(lengths) and lengths.max() > WORD_CAP_BYTES else (starts, lengths)


def _cut_characters(
    is_word: npt.NDArray[np.bool_], cuts: npt.NDArray[np.int64], found: Characters
) -> npt.NDArray[np.int64]:
    """The cuts with those around every character that is a word; clears `is_word` where one is punctuation."""
    for place in range(MAX_CHARACTER_BYTES):
        is_word[found.separators[found.separator_sizes > place] + place] = False
    return np.sort(np.concatenate((cuts, found.words, found.words + found.word_sizes)))


def _cap_words(
    starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The words of at most 256 bytes in runs of word bytes."""
    pieces = -(-lengths // WORD_CAP_BYTES)
    ends = np.repeat(starts + lengths, pieces)
    within = np.arange(len(ends)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    starts = np.repeat(starts, pieces) + within * WORD_CAP_BYTES
    return starts, np.minimum(ends - starts, WORD_CAP_BYTES)


def hash_words(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64]:
    """64-bit hashes of words of 1 to 256 bytes: 8-byte loads, the last one masked, mixed with the length.

    The loads are little-endian and unaligned; numpy converts them on machines that support neither.
    """
    padded = np.zeros(len(data) + LOAD_BYTES, np.uint8)
    padded[: len(data)] = data
    loads: npt.NDArray[np.uint64] = np.ndarray((len(data) + 1,), "<u8", padded.data, strides=(1,))
    hashes: npt.NDArray[np.uint64] = loads[starts].astype(np.uint64, copy=False)
    hashes &= _MASKS[np.minimum(lengths, LOAD_BYTES)]
    hashes ^= lengths.astype(np.uint64) * _LENGTH_FACTOR
    hashes *= _WORD_FACTOR
    hashes ^= hashes >> _SHIFT_32
    longer = np.flatnonzero(lengths > LOAD_BYTES)
    if not len(longer):
        return hashes
    # Longest first, so that the words that still have bytes are always the first ones, which a slice can take.
    longer = longer[np.argsort((WORD_CAP_BYTES - lengths[longer]).astype(np.uint8), kind="stable")]
    at, rest, part = starts[longer], lengths[longer], hashes[longer]
    counts = np.bincount((rest - 1) // LOAD_BYTES)
    for count in (len(longer) - np.cumsum(counts)[:-1]).tolist():
        at, rest = at[:count] + LOAD_BYTES, rest[:count] - LOAD_BYTES
        active = part[:count]
        active ^= loads[at] & _MASKS[np.minimum(rest, LOAD_BYTES)]
        active *= _WORD_FACTOR
        active ^= active >> _SHIFT_32
    hashes[longer] = part
    return hashes


def _ngram_sums(words: npt.NDArray[np.uint64], factors: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The sum of word hash times the factor of its place, for every n words in a row, modulo 2^64."""
    count = max(len(words) - len(factors) + 1, 0)
    sums: npt.NDArray[np.uint64] = words[:count] * factors[0]
    for place in range(1, len(factors)):
        sums += words[place : place + count] * factors[place]
    return sums


def _short_sums(
    words: npt.NDArray[np.uint64],
    first_words: npt.NDArray[np.int64],
    word_counts: npt.NDArray[np.int64],
    factors: npt.NDArray[np.uint64],
) -> npt.NDArray[np.uint64]:
    """The same sum for documents of fewer than n words, over the places that they have."""
    sums = np.zeros(len(first_words), np.uint64)
    for place in range(len(factors) - 1):
        has = word_counts > place
        sums[has] += words[first_words[has] + place] * factors[place]
    return sums


def _shingle(sums: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The shingle of each sum: the upper 32 bits once mixed, as uint64."""
    mixed: npt.NDArray[np.uint64] = finalise_64(sums) >> _SHIFT_32
    return mixed
