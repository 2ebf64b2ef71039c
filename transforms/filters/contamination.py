"""Decontamination: files that hold the prompts or solutions of a benchmark, verbatim or with other names.

Two passes over word n-grams. *Verbatim*: 13 words in lower case, without punctuation and white space (GPT-3's rule, Brown
et al. 2020, appendix C), so a formatter changes nothing. *Renamed*: the same over words of which identifiers are replaced
by how far back the same one stands (Baker 1995, parameterised matching), keywords and numbers kept, so consistent
renaming changes nothing. A text is found in a file when the file covers enough of the text's different n-grams: shared
license headers and imports alone do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.text import text_of
from stackfim.transforms.filters.words import Ngrams, Words, ngrams, word_blocks, words_of
from stackfim.transforms.ragged import begins_run, distinct, ranges, run_offsets

MAX_TEXTS_OF_NGRAM = 500
"""N-grams in more texts than this are everyone's and are left out of all. An infilling benchmark cuts one function into
some tens of texts, which must all stay."""
MAX_DISTANCE = 12
"""How many words back an identifier is looked for."""
MIN_TELLING_WORDS = 4
"""Words of a renamed n-gram that are keywords, numbers or repeated identifiers: prose has fewer."""
MIN_KEPT_WORDS = 1
"""Words of a renamed n-gram that are keywords or numbers: a list of names with a rhythm has none."""
TABLE_LOAD = 16
"""Slots of the first look-up for each n-gram."""

# Words that are reserved wherever they mean something; those that are a name elsewhere (type, match, range) are names.
_KEYWORDS = (
    b"and as assert async await break case catch class const continue def do elif else elseif elsif enum except extends "
    b"false False finally for foreach from function goto if implements import in is lambda let namespace "
    b"new nil None not null or pass private protected public raise rescue return sizeof static struct switch throw throws "
    b"true True try typedef unless until using void while with yield"
).split()


@dataclass(frozen=True)
class ContaminationLimits:
    """When a benchmark's text counts as found."""

    ngram_words: int = 13
    min_coverage: float = 0.5
    """Share of the text's n-grams that the file has, as they are."""
    renamed_min_coverage: float = 0.45
    """The same with identifiers normalised."""
    renamed_min_ngrams: int = 16
    """Different normalised n-grams that a text needs to be looked for under other names."""


@dataclass(frozen=True)
class NgramIndex:
    """Which texts have an n-gram."""

    hashes: npt.NDArray[np.uint64]
    """The n-grams, ascending; (n-grams,)."""
    offsets: npt.NDArray[np.int64]
    """N-gram i is in texts[offsets[i]:offsets[i + 1]]; (n-grams + 1,)."""
    texts: npt.NDArray[np.int64]
    """Numbers of texts; (postings,)."""
    sizes: npt.NDArray[np.int64]
    """Different n-grams of every text; (texts,)."""
    table: npt.NDArray[np.bool_]
    """Whether any n-gram begins with the slot's bits: a look-up that most n-grams of a file do not pass."""


@dataclass(frozen=True)
class BenchmarkIndex:
    """The texts of benchmarks, ready to be looked for. Plain arrays: it pickles."""

    names: tuple[str, ...]
    limits: ContaminationLimits
    verbatim: NgramIndex
    renamed: NgramIndex

    @property
    def too_short(self) -> int:
        """Texts that are too short to have one n-gram, which cannot be found."""
        return int(np.count_nonzero(self.verbatim.sizes == 0))


class Contamination(NamedTuple):
    """The text that each row covers most of, in each of the two ways."""

    text: npt.NDArray[np.int64]
    """Number of the text, -1 where no n-gram is shared; (rows,)."""
    coverage: npt.NDArray[np.float64]
    """Share of its n-grams; (rows,)."""
    renamed_text: npt.NDArray[np.int64]
    """The same with identifiers normalised; (rows,)."""
    renamed_coverage: npt.NDArray[np.float64]
    """(rows,)."""


def index_benchmarks(
    names: Sequence[str], texts: Sequence[str], limits: ContaminationLimits | None = None
) -> BenchmarkIndex:
    """The index of named texts; of equal texts the first name stays.

    Raises ValueError when there is not one name a text, or for n-grams of fewer than 2 words.
    """
    limits = limits or ContaminationLimits()
    if len(names) != len(texts):
        raise ValueError(f"one name a text: got {len(names)} names for {len(texts)} texts")
    if limits.ngram_words < 2:
        raise ValueError(f"n-grams are of 2 words or more, got {limits.ngram_words}")
    first = dict(zip(reversed(texts), reversed(names), strict=True))
    ordered = dict.fromkeys(texts)
    content = pa.array([text.encode("utf-8", "replace") for text in ordered], pa.binary())
    return BenchmarkIndex(
        tuple(first[text] for text in ordered),
        limits,
        _index(content, limits, renamed=False),
        _index(content, limits, renamed=True),
    )


def _index(content: pa.BinaryArray, limits: ContaminationLimits, *, renamed: bool) -> NgramIndex:
    hashes, texts = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for words in word_blocks(text_of(content), lower_case=True):
        found = _ngrams_of(words, limits, renamed=renamed)
        hashes.append(found.hashes)
        texts.append(found.row + words.rows.start)
    every_hash, every_text = np.concatenate(hashes), np.concatenate(texts)
    order = np.lexsort((every_text, every_hash))
    every_hash, every_text = every_hash[order], every_text[order]
    new = begins_run(every_hash) | begins_run(every_text)
    every_hash, every_text = every_hash[new], every_text[new]
    counts = np.diff(run_offsets(every_hash))
    rare = np.repeat(counts <= MAX_TEXTS_OF_NGRAM, counts)
    sizes = np.bincount(every_text[rare], minlength=len(content))
    if renamed:
        rare &= sizes[every_text] >= limits.renamed_min_ngrams
    every_hash, every_text = every_hash[rare], every_text[rare]
    unique = distinct(every_hash)
    bits = max(10, (TABLE_LOAD * len(unique)).bit_length())
    table = np.zeros(1 << bits, bool)
    table[unique >> np.uint64(64 - bits)] = True
    return NgramIndex(unique, run_offsets(every_hash), every_text, sizes, table)


def _ngrams_of(words: Words, limits: ContaminationLimits, *, renamed: bool) -> Ngrams:
    if not renamed:
        return ngrams(words.lowered, words.first, limits.ngram_words)
    tokens, kept = _normalised(words)
    found = ngrams(tokens, words.first, limits.ngram_words)
    end = found.word + limits.ngram_words
    # Both counts in one running sum: kept words in the upper half, repeated identifiers and kept ones in the lower.
    before = np.concatenate(([0], np.cumsum((tokens > 0) + (kept.astype(np.int64) << 32))))
    counts = before[end] - before[found.word]
    enough = ((counts & 0xFFFFFFFF) >= MIN_TELLING_WORDS) & (counts >> 32 >= MIN_KEPT_WORDS)
    return Ngrams(found.hashes[enough], found.row[enough], found.word[enough])


def _normalised(words: Words) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """Words with identifiers as the distance to the same one before, 0 for none near; and which are kept as they are."""
    hashes = words.hashes
    distance = np.zeros(len(hashes), np.uint8)
    for back in range(min(MAX_DISTANCE, len(hashes) - 1), 0, -1):
        np.copyto(distance[back:], np.uint8(back), where=hashes[back:] == hashes[:-back])
    # A row does not look back into the one before.
    position = np.arange(len(hashes)) - np.repeat(words.first[:-1], np.diff(words.first))
    distance[distance > position] = 0
    kept = _KEYWORD_TABLE[hashes >> _KEYWORD_SHIFT] == hashes
    kept |= (words.data[words.starts] - np.uint8(0x30)) < np.uint8(10)
    return np.where(kept, hashes, distance.astype(np.uint64)), kept


def _keyword_table() -> tuple[npt.NDArray[np.uint64], np.uint64]:
    """The keywords' hashes, each in the slot of its first bits: as many bits as it takes for all to have their own."""
    hashes = words_of(b" ".join(_KEYWORDS))
    bits = next(bits for bits in range(8, 24) if len(np.unique(hashes >> np.uint64(64 - bits))) == len(hashes))
    table = np.zeros(1 << bits, np.uint64)
    table[hashes >> np.uint64(64 - bits)] = hashes
    return table, np.uint64(64 - bits)


_KEYWORD_TABLE, _KEYWORD_SHIFT = _keyword_table()


def contamination(content: pa.BinaryArray, index: BenchmarkIndex) -> Contamination:
    """How much of a benchmark's text each row has; rows may be files or the middles of examples."""
    rows = len(content)
    scores = Contamination(np.full(rows, -1, np.int64), np.zeros(rows), np.full(rows, -1, np.int64), np.zeros(rows))
    for words in word_blocks(text_of(content), lower_case=True):
        for part, best, coverage, renamed in (
            (index.verbatim, scores.text, scores.coverage, False),
            (index.renamed, scores.renamed_text, scores.renamed_coverage, True),
        ):
            if len(part.hashes):
                found = _ngrams_of(words, index.limits, renamed=renamed)
                best[words.rows], coverage[words.rows] = _best_texts(found, len(words.first) - 1, part)
    return scores


def _best_texts(found: Ngrams, rows: int, index: NgramIndex) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The text that each row covers most of, the first of several, and how much."""
    best, coverage = np.full(rows, -1, np.int64), np.zeros(rows)
    shift = np.uint64(64 - (len(index.table).bit_length() - 1))
    near = np.flatnonzero(index.table[found.hashes >> shift])
    place = np.searchsorted(index.hashes, found.hashes[near])
    hit = index.hashes[np.minimum(place, len(index.hashes) - 1)] == found.hashes[near]
    if not hit.any():
        return best, coverage
    # Each n-gram of a row once, then every text that has it.
    keys = np.unique(found.row[near[hit]] * len(index.hashes) + place[hit])
    row, ngram = np.divmod(keys, len(index.hashes))
    counts = index.offsets[ngram + 1] - index.offsets[ngram]
    text = index.texts[ranges(index.offsets[ngram], counts)]
    pairs, shared = np.unique(np.repeat(row, counts) * len(index.sizes) + text, return_counts=True)
    row, text = np.divmod(pairs, len(index.sizes))
    share = shared / index.sizes[text]
    order = np.lexsort((text, -share, row))
    first = order[begins_run(row[order])]
    best[row[first]], coverage[row[first]] = text[first], share[first]
    return best, coverage


def decide_contamination(scores: Contamination, index: BenchmarkIndex) -> Drops:
    """Drops `benchmark_text` and `benchmark_text_renamed` rows; the detail names the text and the share of it."""
    drops: Drops = {}
    limits = index.limits
    verbatim = scores.coverage >= limits.min_coverage
    renamed = scores.renamed_coverage >= limits.renamed_min_coverage
    for row in np.flatnonzero((verbatim & (scores.text >= 0)) | (renamed & (scores.renamed_text >= 0))).tolist():
        as_is = bool(verbatim[row]) and scores.text[row] >= 0
        text = scores.text[row] if as_is else scores.renamed_text[row]
        share, limit = (
            (scores.coverage[row], limits.min_coverage)
            if as_is
            else (scores.renamed_coverage[row], limits.renamed_min_coverage)
        )
        drops[row] = (
            "benchmark_text" if as_is else "benchmark_text_renamed",
            f"has {share:.2f} of the {limits.ngram_words}-grams of {index.names[text]}, expected less than {limit:g}",
        )
    return drops
