"""Decontamination: files that hold the prompts or solutions of a benchmark, verbatim or with other names.

Two passes over word n-grams. *Verbatim*: 13 words in lower case, without punctuation and white space (GPT-3's rule, Brown
et al. 2020, appendix C), so that a formatter changes nothing. *Renamed*: the same, but each identifier is replaced by the
distance to the same one before it (Baker 1995, parameterised matching), so that consistent renaming changes nothing;
keywords and numbers stay. A file holds a text when it covers enough of the text's different n-grams: license headers and
imports in common are not enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.filter import Filter, Limit, Score
from stackfim.transforms.filters.text import text_of
from stackfim.transforms.filters.words import Ngrams, Words, ngrams, word_blocks, words_of
from stackfim.transforms.ragged import begins_run, distinct, ranges, run_offsets

MAX_TEXTS_OF_NGRAM = 500
"""N-grams in more texts than this are common phrases and do not count. It has to be more than the number of texts that an
infilling benchmark makes from one function, which is some tens."""
MAX_DISTANCE = 12
"""How many words back the same identifier is looked for."""
MIN_TELLING_WORDS = 4
"""Keywords, numbers and repeated identifiers that a renamed n-gram needs to count: prose has fewer."""
MIN_KEPT_WORDS = 1
"""Keywords and numbers that a renamed n-gram needs to count: a regular list of names has none."""
TABLE_LOAD = 16
"""Slots for each n-gram in the table of the first look-up."""

# Words that are reserved in every language that uses them; those that are names in some (type, match, range) count as names.
_KEYWORDS = (
    b"and as assert async await break case catch class const continue def do elif else elseif elsif enum except extends "
    b"false False finally for foreach from function goto if implements import in is lambda let namespace "
    b"new nil None not null or pass private protected public raise rescue return sizeof static struct switch throw throws "
    b"true True try typedef unless until using void while with yield"
).split()


@dataclass(frozen=True)
class ContaminationLimits:
    """When a file counts as holding a benchmark's text."""

    ngram_words: int = 13
    min_coverage: float = 0.5
    """Share of the text's n-grams that the file has verbatim."""
    renamed_min_coverage: float = 0.45
    """The same with identifiers normalised."""
    renamed_min_ngrams: int = 16
    """Different normalised n-grams that a text needs so that renamed copies of it are looked for."""


@dataclass(frozen=True)
class NgramIndex:
    """For each n-gram, the texts that have it."""

    hashes: npt.NDArray[np.uint64]
    """Hashes of the n-grams, ascending; (n-grams,)."""
    offsets: npt.NDArray[np.int64]
    """N-gram i is in texts[offsets[i]:offsets[i + 1]]; (n-grams + 1,)."""
    texts: npt.NDArray[np.int64]
    """Numbers of texts; (postings,)."""
    sizes: npt.NDArray[np.int64]
    """Number of different n-grams in every text; (texts,)."""
    table: npt.NDArray[np.bool_]
    """Whether any hash begins with the bits of a slot: most n-grams of a file end at this look-up; (slots,)."""


@dataclass(frozen=True)
class BenchmarkIndex:
    """The texts of benchmarks, ready to be searched for in files. Plain arrays, which can be pickled."""

    names: tuple[str, ...]
    limits: ContaminationLimits
    verbatim: NgramIndex
    renamed: NgramIndex


class Contamination(NamedTuple):
    """The text that each row covers most of: verbatim, and with identifiers normalised."""

    text: npt.NDArray[np.int64]
    """Number of the text, -1 where no n-gram is shared; (rows,)."""
    coverage: npt.NDArray[np.float64]
    """Share of its n-grams that the row has; (rows,)."""
    renamed_text: npt.NDArray[np.int64]
    """Number of the text with identifiers normalised, likewise; (rows,)."""
    renamed_coverage: npt.NDArray[np.float64]
    """Share of its n-grams that the row has; (rows,)."""


def index_benchmarks(
    names: Sequence[str], texts: Sequence[str], limits: ContaminationLimits | None = None
) -> BenchmarkIndex:
    """The index of named texts; of equal texts the first name stays.

    Raises ValueError when there are not as many names as texts, or for n-grams of fewer than 2 words.
    """
    limits = limits or ContaminationLimits()
    if len(names) != len(texts):
        raise ValueError(f"expected one name for each text, got {len(names)} names for {len(texts)} texts")
    if limits.ngram_words < 2:
        raise ValueError(f"expected n-grams of 2 words or more, got {limits.ngram_words}")
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
    # One running sum has both counts: words that are kept in the upper half, these and repeated identifiers in the lower.
    before = np.concatenate(([0], np.cumsum((tokens > 0) + (kept.astype(np.int64) << 32))))
    counts = before[end] - before[found.word]
    enough = ((counts & 0xFFFFFFFF) >= MIN_TELLING_WORDS) & (counts >> 32 >= MIN_KEPT_WORDS)
    return Ngrams(found.hashes[enough], found.row[enough], found.word[enough])


def _normalised(words: Words) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """Words as tokens, and which are keywords or numbers. Those keep their hash; another word becomes the distance to the
    same one before it, or 0 where there is none near.
    """
    hashes = words.hashes
    distance = np.zeros(len(hashes), np.uint8)
    for back in range(min(MAX_DISTANCE, len(hashes) - 1), 0, -1):
        np.copyto(distance[back:], np.uint8(back), where=hashes[back:] == hashes[:-back])
    # No distance reaches back into the row before.
    position = np.arange(len(hashes)) - np.repeat(words.first[:-1], np.diff(words.first))
    distance[distance > position] = 0
    kept = _KEYWORD_TABLE[hashes >> _KEYWORD_SHIFT] == hashes
    kept |= (words.data[words.starts] - np.uint8(0x30)) < np.uint8(10)
    return np.where(kept, hashes, distance.astype(np.uint64)), kept


def _keyword_table() -> tuple[npt.NDArray[np.uint64], np.uint64]:
    """The hashes of the keywords, each in the slot of its first bits, as many as give every keyword a slot of its own."""
    hashes = words_of(b" ".join(_KEYWORDS))
    bits = next(bits for bits in range(8, 24) if len(np.unique(hashes >> np.uint64(64 - bits))) == len(hashes))
    table = np.zeros(1 << bits, np.uint64)
    table[hashes >> np.uint64(64 - bits)] = hashes
    return table, np.uint64(64 - bits)


_KEYWORD_TABLE, _KEYWORD_SHIFT = _keyword_table()


def contamination(content: pa.BinaryArray, index: BenchmarkIndex) -> Contamination:
    """How much of a benchmark's text each row has; rows may be whole files or other texts."""
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
    """The text that each row covers most of, or the first of several, and how much of it."""
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


def _less_than(name: str) -> Limit:
    """A limit of ContaminationLimits in words; empty where there are no benchmarks."""
    return lambda plan, language: f"less than {getattr(plan.benchmarks.limits, name):g}" if plan.benchmarks else ""


CONTAMINATION: Filter[tuple[Contamination, BenchmarkIndex]] = Filter(
    stage="contamination",
    measure=lambda rows, plan: (
        (contamination(rows.column("content"), plan.benchmarks), plan.benchmarks) if plan.benchmarks else None
    ),
    decide=lambda found, languages, plan: decide_contamination(*found),
    scores=(
        Score("coverage", pa.float64(), lambda found: found[0].coverage, _less_than("min_coverage")),
        Score(
            "renamed_coverage",
            pa.float64(),
            lambda found: found[0].renamed_coverage,
            _less_than("renamed_min_coverage"),
        ),
    ),
)
