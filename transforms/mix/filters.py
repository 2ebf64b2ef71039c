"""Which conversations are worth learning from; each one that is dropped has a reason.

Refact's model card says that its instruction data were filtered for quality, but not how. The rules here are those in
common use: CommitPackFT's for messages (imperative, not trivial; Muennighoff et al. 2023), refusals and disclaimers of
other assistants (ShareGPT cleaning, Vicuna), exact and near-duplicates, and texts of benchmarks.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from stackfim.schemas.mixed import ASSISTANT, USER
from stackfim.schemas.rejection import EXAMPLE, rejections
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.dedup.shingles import shingle_sets
from stackfim.transforms.dedup.similarity import ShingleIndex
from stackfim.transforms.dedup.stars import take_stars
from stackfim.transforms.filters.contamination import BenchmarkIndex, contamination, decide_contamination
from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.mix.conversation import query_of

STAGE = "mix"

_REFUSAL = re.compile(
    r"\bas an? (?:ai|artificial intelligence)(?: language)? (?:model|assistant)\b"
    r"|\b(?:i'm|i am) (?:sorry|unable|not able)\b.{0,60}\b(?:cannot|can't|unable|not able|assist|help|provide)\b"
    r"|^(?:sorry|unfortunately),? (?:but )?i (?:cannot|can't|am unable)\b"
    r"|\bi (?:cannot|can't) (?:assist|help|comply|fulfil|fulfill|provide)\b|\bknowledge cutoff\b|\bopenai\b",
    re.IGNORECASE,
)
_BOILERPLATE = re.compile(
    r"^(?:merge (?:branch|pull request|remote)|initial commit|first commit|update readme(?:\.md)?|bump (?:the )?version|"
    r"version bump|release v?\d|v?\d+\.\d+(?:\.\d+)?|wip\b|fix(?:ed)?(?: (?:typo|bug|lint|tests?|build))?|update[ds]?|"
    r"minor(?: (?:fix|change)(?:es|s)?)?|cleanup|clean up|changes|commit|test)\W*$"
    r"|^merge (?:branch|pull request)\b",
    re.IGNORECASE,
)
# The most common English words; a text of at least a dozen words has one of them.
_ENGLISH = {
    *("the", "a", "an", "to", "of", "in", "is", "it", "and", "for", "with", "that", "this", "be", "as", "on", "from"),
    *("by", "are", "or", "if", "how", "what", "you", "can"),
}


@dataclass(frozen=True)
class ChatLimits:
    """Limits of conversations, in characters unless stated otherwise. Of several questions all count together."""

    min_query_chars: int = 12
    max_query_chars: int = 8_000
    min_response_chars: int = 8
    max_response_chars: int = 8_000
    min_ascii_letters: float = 0.8
    """The least share of ASCII letters among the letters of an instruction."""
    words_with_english: int = 12
    """An instruction of at least so many words must have one of the most common English words."""
    near_duplicate: float = 0.7
    """The Jaccard similarity of the word 5-grams of two conversations from which on one of them is dropped."""


def filter_conversations(
    rows: pa.RecordBatch,
    limits: ChatLimits,
    allowed_licenses: Collection[str],
    sentinels: Iterable[str],
    benchmarks: BenchmarkIndex | None,
) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The conversations (schemas.mixed.CONVERSATION) that stay, and a rejection (schemas.rejection.REJECTION) for each
    other one, both in order. The first of several near-duplicates stays.

    `allowed_licenses` are in lower case. A conversation with one of `sentinels` in its texts is dropped, since a trainer
    would read it as a sentinel.
    """
    drops = decide_texts(rows, limits, allowed_licenses, sentinels)
    texts = conversation_texts(rows)
    if benchmarks is not None:
        drops = decide_contamination(contamination(texts.cast(pa.binary()), benchmarks), benchmarks) | drops
    kept = np.array([row for row in range(rows.num_rows) if row not in drops], np.int64)
    for row, (reason, first) in decide_duplicates(texts.take(pa.array(kept)), limits.near_duplicate).items():
        path = rows.column("path")[int(kept[int(first)])].as_py()
        drops[int(kept[row])] = (reason, f"like row {path} of the source")
    order = sorted(drops)
    gone = rows.select(["repository", "path", "content_id"]).take(pa.array(order, pa.int64()))
    reasons, details = [drops[row][0] for row in order], [drops[row][1] for row in order]
    stays = rows.filter(pa.array([row not in drops for row in range(rows.num_rows)], pa.bool_()))
    return stays, rejections(EXAMPLE, STAGE, reasons, gone, details)


def conversation_texts(rows: pa.RecordBatch) -> pa.Array:
    """All turns, instruction, code and response of each row as one text."""
    return pa.array(["\n".join(_all_texts(row)) for row in rows.to_pylist()], pa.string())


def decide_texts(
    rows: pa.RecordBatch, limits: ChatLimits, allowed_licenses: Collection[str], sentinels: Iterable[str]
) -> Drops:
    """The drops that a conversation's own texts give reason for; the first reason counts."""
    marks = re.compile("|".join(map(re.escape, sorted(sentinels, key=len, reverse=True))) or r"(?!)")
    drops: Drops = {}
    for number, row in enumerate(rows.to_pylist()):
        found = _license(row["license"], allowed_licenses) or _worth(row, limits)
        if found is None and (mark := marks.search("\n".join(_all_texts(row)))):
            found = ("sentinel_collision", f"a text holds {mark[0]}")
        if found is not None:
            drops[number] = found
    return drops


def _all_texts(row: Mapping[str, Any]) -> list[str]:
    return [*(turn["content"] for turn in row["before"]), row["instruction"], row["code"], row["response"]]


def _said(row: Mapping[str, Any], role: str) -> list[str]:
    """What a side said before the last question."""
    return [turn["content"] for turn in row["before"] if turn["role"] == role]


def _worth(row: Mapping[str, Any], limits: ChatLimits) -> tuple[str, str] | None:
    """Why a conversation is not worth learning from, if it is not. Its questions are judged together."""
    instruction, code, response = row["instruction"], row["code"], row["response"]
    if not (instruction or code or response):
        return "no_exchange", "no question of a user that an assistant answers, expected one"
    questions = "\n\n".join((*_said(row, USER), instruction))
    query = query_of(questions, code)
    found = (
        _length("instruction and code", query, limits.min_query_chars, limits.max_query_chars)
        or _length("response", response, limits.min_response_chars, limits.max_response_chars)
        or _language(questions, limits)
    )
    if found is None and any(map(_REFUSAL.search, (*_said(row, ASSISTANT), response))):
        found = ("refusal", "a response refuses, or speaks of the assistant that wrote it")
    if found is None and (_BOILERPLATE.match(questions.strip()) or response.strip() == code.strip()):
        found = ("boilerplate", "the instruction asks for nothing in particular, or the response changes nothing")
    return found


def decide_duplicates(texts: pa.Array, threshold: float) -> dict[int, tuple[str, str]]:
    """Rows that resemble an earlier one: `exact_duplicate` or `near_duplicate`, and the number of that earlier row."""
    first: dict[str, int] = {}
    drops: dict[int, tuple[str, str]] = {}
    for row, text in enumerate(texts.to_pylist()):
        if first.setdefault(" ".join(text.split()), row) != row:
            drops[row] = ("exact_duplicate", str(first[" ".join(text.split())]))
    left = np.array([row for row in range(len(texts)) if row not in drops], np.int64)
    if len(left):
        shingles = shingle_sets(texts.take(pa.array(left)), DedupSettings().ngram)
        stars = take_stars(ShingleIndex(shingles, threshold))
        for row in stars.removed.tolist():
            drops[int(left[row])] = ("near_duplicate", str(int(left[stars.kept[row]])))
    return drops


def _license(name: str, allowed: Collection[str]) -> tuple[str, str] | None:
    if not name:
        return "no_license", "the source names no license; expected one of the allow-list"
    if name.lower() not in allowed:
        return "license_not_allowed", f"{name}; expected one of the allow-list"
    return None


def _length(what: str, text: str, least: int, most: int) -> tuple[str, str] | None:
    size = len(text.strip())
    if size < least:
        return "too_short", f"{what}: {size} characters, expected at least {least}"
    return ("too_long", f"{what}: {size} characters, expected at most {most}") if size > most else None


def _language(instruction: str, limits: ChatLimits) -> tuple[str, str] | None:
    letters = [letter for letter in instruction if letter.isalpha()]
    share = sum(map(str.isascii, letters)) / max(len(letters), 1)
    words = re.findall(r"[^\W\d_]+", instruction.lower())
    if share < limits.min_ascii_letters:
        return "not_english", f"{share:.2f} of its letters are ASCII, expected at least {limits.min_ascii_letters}"
    if len(words) >= limits.words_with_english and not _ENGLISH.intersection(words):
        return "not_english", f"{len(words)} words, none of the most common English ones"
    return None
