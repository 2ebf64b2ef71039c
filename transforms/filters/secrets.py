"""Secrets: keys and tokens told by a fixed part or by the name they are assigned to, passwords, and private keys.

A prefix alone is never enough: checksums are computed, headers decoded, lengths and alphabets compared, and what documentation
and tests write in place of a secret is left alone (stackfim.transforms.filters.secret_values). Fixed parts are searched for in
the bytes of the whole batch at once, and an expression is tried only where one was found.
"""

import re
from collections.abc import Iterator

import pyarrow as pa

from stackfim.transforms.filters.filter import Filter, Score
from stackfim.transforms.filters.findings import (
    DROP,
    Buffer,
    Finding,
    decide_findings,
    in_words,
    not_overlapping,
    without_overlaps,
)
from stackfim.transforms.filters.named_secrets import assigned_passwords, aws_secrets, named_secrets
from stackfim.transforms.filters.private_keys import private_keys
from stackfim.transforms.filters.secret_kinds import BEGINS_BEFORE, KINDS, MAX_BEFORE, SecretKind
from stackfim.transforms.filters.secret_values import is_placeholder
from stackfim.transforms.filters.url_passwords import url_passwords

_WORD_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
# An escape right before a secret may end in a letter or a digit: in a string of several lines, in an address, in markup.
_ESCAPED = re.compile(
    rb"(?:\\[nrtbfv]|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|%[0-9A-Fa-f]{2}|\\0[0-7]{2}|\x1b\[[0-9;]{1,8}m)\Z"
)
_MAX_ESCAPE = 10
_KINDS_BY_ANCHOR: dict[bytes, tuple[SecretKind, ...]] = {
    anchor: tuple(kind for kind in KINDS if anchor in kind.anchors) for kind in KINDS for anchor in kind.anchors
}


def find_secrets(content: pa.BinaryArray) -> list[Finding]:
    """The secrets of every row, in order, without overlaps. Each line of a private key's body is one finding."""
    buffer = Buffer(content)
    # Of two findings of the same place the one with a form of its own tells more.
    sure = without_overlaps(
        [*_with_anchors(buffer), *aws_secrets(buffer), *url_passwords(buffer), *private_keys(buffer)]
    )
    named = without_overlaps([*named_secrets(buffer), *assigned_passwords(buffer)])
    return without_overlaps([*sure, *not_overlapping(named, sure)])


def _with_anchors(buffer: Buffer) -> Iterator[Finding]:
    for at, anchor in buffer.occurrences_of_any(tuple(_KINDS_BY_ANCHOR)):
        row, start, end = buffer.row(at)
        for kind in _KINDS_BY_ANCHOR[anchor]:
            if not kind.inside_word and _continues_word(buffer.bytes, start, at):
                continue
            span = _span(buffer.bytes, kind, start, at, end)
            if span:
                yield Finding(row, span[0] - start, span[1] - start, kind.name)


def _continues_word(data: bytes, row_start: int, at: int) -> bool:
    if at == row_start or data[at - 1] not in _WORD_BYTES:
        return False
    return not _ESCAPED.search(data[max(row_start, at - _MAX_ESCAPE) : at])


def _span(data: bytes, kind: SecretKind, row_start: int, at: int, row_end: int) -> tuple[int, int] | None:
    """Where a secret of the kind begins and ends whose anchor is at `at`; None where there is none."""
    match = kind.pattern.match(data, at, row_end)
    if not match:
        return None
    group = "secret" if "secret" in kind.pattern.groupindex else 0
    if not kind.is_real(match.group(group)):
        return None
    first = match.start(group)
    if kind.name in BEGINS_BEFORE:
        before = BEGINS_BEFORE[kind.name].search(data[max(row_start, at - MAX_BEFORE) : at])
        if not before or is_placeholder(before.group()):
            return None
        first = at - len(before.group())
    return first, match.end(group)


SECRETS: Filter[list[str]] = Filter(
    stage="secrets",
    measure=lambda rows, plan: in_words(find_secrets(rows.column("content")), rows.num_rows),
    decide=lambda found, languages, plan: decide_findings(found, "secret"),
    scores=(
        Score(
            "found", pa.string(), lambda found: [words or None for words in found], lambda plan, language: plan.secrets
        ),
    ),
    active=lambda plan: plan.secrets == DROP,
)
