"""The context around a middle that a model can hold: whole lines nearest to the cursor.

The prefix loses lines from its head, the suffix from its tail. The cursor's line and the first line of the suffix stay,
and the middle is no part of the bargain: where these do not fit, nothing does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import AnyStr

from stackfim.model.tokenizer import Tokenizer

CHARS_PER_TOKEN = 16
"""More than a token of code has on average, with any published vocabulary."""


def fit_context(
    tokenizer: Tokenizer,
    prefix: str,
    suffix: str,
    budget: int,
    ids: tuple[Sequence[int], Sequence[int]] | None = None,
) -> tuple[Sequence[int], Sequence[int]] | None:
    """Ids of as much of prefix and suffix as `budget` tokens hold; None where not even the lines at the cursor fit.

    Each side may have half the budget and what the other leaves over. `ids` are those of the whole texts, where they
    are known already.
    """
    head, tail = ids or (tokenizer.encode(prefix), tokenizer.encode(suffix))
    if len(head) + len(tail) <= budget:
        return head, tail
    least_head = len(tokenizer.encode(prefix[prefix.rfind("\n") + 1 :]))
    least_tail = len(tokenizer.encode(suffix[: suffix.find("\n") + 1] or suffix))
    if least_head + least_tail > budget:
        return None
    share = max(budget - len(tail), budget - budget // 2, least_head)
    head = _trimmed_head(tokenizer, prefix, head, min(share, budget - least_tail))
    return head, _trimmed_tail(tokenizer, suffix, tail, budget - len(head))


def fit_context_within(
    tokenizer: Tokenizer, prefix: str, suffix: str, wanted: int, room: int, ids: tuple[Sequence[int], Sequence[int]]
) -> tuple[Sequence[int], Sequence[int]] | None:
    """`fit_context` in `wanted` tokens; where the lines at the cursor need more, in twice as many, and so on.

    None where even `room` tokens do not hold these.
    """
    while True:
        fitted = fit_context(tokenizer, prefix, suffix, min(wanted, room), ids)
        if fitted is not None or wanted >= room:
            return fitted
        wanted *= 2


def last_lines(text: AnyStr, size: int, newline: AnyStr) -> AnyStr:
    """The last whole lines of `text` in at most `size` characters or bytes; at least the last line."""
    if size >= len(text):
        return text
    return text[text.find(newline, len(text) - size - 1) + 1 or text.rfind(newline) + 1 :]


def first_lines(text: AnyStr, size: int, newline: AnyStr) -> AnyStr:
    """The first whole lines of `text` in at most `size` characters or bytes; at least the first line."""
    if size >= len(text):
        return text
    return text[: text.rfind(newline, 0, size) + 1 or text.find(newline) + 1 or len(text)]


def _trimmed_head(tokenizer: Tokenizer, text: str, ids: Sequence[int], budget: int) -> Sequence[int]:
    if len(ids) <= budget:
        return ids
    held = tokenizer.byte_lengths[list(ids[len(ids) - budget :])].sum()
    return _fitting(tokenizer, last_lines, text.encode(), int(held), budget)


def _trimmed_tail(tokenizer: Tokenizer, text: str, ids: Sequence[int], budget: int) -> Sequence[int]:
    if len(ids) <= budget:
        return ids
    held = tokenizer.byte_lengths[list(ids[:budget])].sum()
    return _fitting(tokenizer, first_lines, text.encode(), int(held), budget)


def _fitting(
    tokenizer: Tokenizer, lines: Callable[[bytes, int, bytes], bytes], text: bytes, size: int, budget: int
) -> list[int]:
    """Ids of the lines that `size` bytes hold, or fewer: a cut can cost a token that the whole text does not."""
    text = lines(text, size, b"\n")
    while len(ids := tokenizer.encode(text.decode())) > budget:
        text = lines(text, len(text) - 1, b"\n")
    return ids
