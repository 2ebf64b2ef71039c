"""The natural language of comments: files go whose comments are clearly in another language than the wanted one.

Only long text is judged. Comments are divided into passages, without what looks like code, names and addresses, and
py3langid (Lui and Baldwin 2012, langid.py; the extra `comments-language`) identifies the language of each. A passage in a
script that the wanted language does not use needs no model: ideographs and Cyrillic are text, never noise.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.filters.comments import classified_lines
from stackfim.transforms.filters.decision import Drops, drop_over
from stackfim.transforms.filters.filter import Filter, Score
from stackfim.transforms.filters.quality_limits import QualityLimits

ANY = "any"
LANGUAGES = (
    "ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "id", "it", "ja", "ko",
    "lt", "lv", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "th", "tr", "uk", "vi", "zh",
)  # fmt: skip
"""ISO 639 codes of the languages that comments are written in: a run may want one of them, and each passage is in one."""

PASSAGE_LETTERS = 200
"""Letters of a passage; a fourth is enough of ideographs. Files with fewer are not judged."""
MIN_CONFIDENCE = 0.9
MAX_BYTES = 20_000
"""Bytes of a file's comments that are looked at."""

_MARKERS = re.compile(r"^[\s/*#\-;%!<>{}=\"']+|[\s*/#\-=>\"']+$")
_CODE = re.compile(r"[;{}=]\s*$|\w\(|=>|->|::|\$\w|^\s*(?:@\w+\s*$|import |#?include |return\b|if \(|for \()")
_NO_WORD = re.compile(r"\S*(?:https?:|www\.|[_@\\/<>\[\]|=`{}\d])\S*|\b[a-z]+[A-Z]\w*|\b[A-Z]{2,}\b|&\w+;|[@\\]\w+")
_WORD = re.compile(r"[^\W\d_]+")
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_SCRIPTS = (
    ("latin", re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")),
    ("cyrillic", re.compile(r"[\u0400-\u052f]")),
    ("greek", re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")),
    ("hebrew", re.compile(r"[\u0590-\u05ff]")),
    ("arabic", re.compile(r"[\u0600-\u06ff]")),
    ("devanagari", re.compile(r"[\u0900-\u097f]")),
    ("thai", re.compile(r"[\u0e00-\u0e7f]")),
    ("east asian", _IDEOGRAPHS),
)
_SCRIPT_OF = {
    **dict.fromkeys(("bg", "ru", "sr", "uk"), "cyrillic"), **dict.fromkeys(("ar", "fa"), "arabic"), "el": "greek",
    "he": "hebrew", "hi": "devanagari", "th": "thai", **dict.fromkeys(("ja", "ko", "zh"), "east asian"),
}  # fmt: skip


class CommentLanguages(NamedTuple):
    """The languages of every row's comments."""

    letters: npt.NDArray[np.int64]
    """Letters in passages; 0 in a row that has too few to be judged; (rows,)."""
    other_share: npt.NDArray[np.float64]
    """Share of the letters that are in passages in another language; -1 in a row that is not judged; (rows,)."""
    most: list[str]
    """The language, or else the script, of most letters; empty in a row that is not judged; (rows,)."""


def comment_languages(content: pa.BinaryArray, languages: list[str], wanted: str) -> CommentLanguages:
    """How much of every row's comments is in another language than `wanted` (an ISO 639 code)."""
    rows = len(content)
    found = CommentLanguages(np.zeros(rows, np.int64), np.full(rows, -1.0), [""] * rows)
    text, lines, comment, _ = classified_lines(content, languages)
    at = np.flatnonzero(comment)
    borders = np.searchsorted(lines.row[at], np.arange(rows + 1)).tolist()
    for row, (first, last) in enumerate(pairwise(borders)):
        chosen = at[first:last]
        if int((lines.end[chosen] - lines.visible[chosen]).sum()) < PASSAGE_LETTERS // 2:
            continue
        spans = zip(lines.visible[chosen].tolist(), lines.end[chosen].tolist(), strict=True)
        passages = [*_passages(b"\n".join(text.data[start:end].tobytes() for start, end in spans)[:MAX_BYTES])]
        letters: Counter[str] = Counter()
        for passage, count in passages:
            letters[_language_of(passage, wanted)] += count
        total = sum(letters.values())
        if total:
            found.letters[row] = total
            found.other_share[row] = 1 - (letters[wanted] + letters[""]) / total
            found.most[row] = letters.most_common(1)[0][0] or wanted
    return found


def _passages(comments: bytes) -> Iterator[tuple[str, int]]:
    """Passages of about PASSAGE_LETTERS letters as words, and the number of letters; an ideograph counts as four."""
    words: list[str] = []
    count = 0
    for line in comments.decode("utf-8", "replace").split("\n"):
        bare = _MARKERS.sub("", line)
        if _CODE.search(bare):
            continue
        found = _WORD.findall(_NO_WORD.sub(" ", bare))
        words += found
        count += sum(map(len, found)) + 3 * len(_IDEOGRAPHS.findall(bare))
        if count >= PASSAGE_LETTERS:
            yield " ".join(words), count
            words, count = [], 0


def _language_of(passage: str, wanted: str) -> str:
    """The language of a passage, or its script where the wanted language has another one; empty where it is uncertain."""
    counts = {name: len(letters.findall(passage)) for name, letters in _SCRIPTS}
    script = max(counts, key=lambda name: counts[name] * (4 if name == "east asian" else 1))
    if script != _SCRIPT_OF.get(wanted, "latin"):
        return script
    language, confidence = _identifier().classify(passage)
    return language if confidence >= MIN_CONFIDENCE else ""


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier


def decide_comment_languages(scores: CommentLanguages, wanted: str, limits: list[QualityLimits]) -> Drops:
    """Drops `comments_in_other_language` rows."""
    drops = drop_over(
        scores.other_share,
        [limit.max_other_language_share for limit in limits],
        "comments_in_other_language",
        f"{{value:.2f}} of what the comments say is not in {wanted}, expected at most {{limit:g}}",
    )
    return {row: (reason, f"{detail}; mostly {scores.most[row]}") for row, (reason, detail) in drops.items()}


COMMENTS_LANGUAGE: Filter[CommentLanguages] = Filter(
    stage="comments_language",
    measure=lambda rows, plan: (
        comment_languages(rows.column("content"), rows.column("language").to_pylist(), plan.comments_language)
        if plan.comments_language != ANY
        else None
    ),
    decide=lambda scores, languages, plan: decide_comment_languages(
        scores, plan.comments_language, plan.limits(languages)
    ),
    scores=(
        Score(
            "mostly",
            pa.string(),
            lambda scores: [language or None for language in scores.most],
            lambda plan, language: plan.comments_language,
        ),
        Score(
            "other_share",
            pa.float64(),
            lambda scores: scores.other_share,
            lambda plan, language: (
                f"at most {plan.limits([language])[0].max_other_language_share:g} not in {plan.comments_language}"
            ),
        ),
    ),
)
