"""The context around a middle that a model can hold: whole lines nearest to the cursor.

The prefix loses lines from its head, the suffix from its tail. The cursor's line and the first line of the suffix stay,
and the middle is no part of the bargain: where these do not fit, nothing does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from model.tokenizer import Tokenizer


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


def _trimmed_head(tokenizer: Tokenizer, text: str, ids: Sequence[int], budget: int) -> Sequence[int]:
    if len(ids) <= budget:
        return ids
    held = tokenizer.byte_lengths[list(ids[len(ids) - budget :])].sum()
    return _fitting(tokenizer, _last_lines, text.encode(), int(held), budget)


def _trimmed_tail(tokenizer: Tokenizer, text: str, ids: Sequence[int], budget: int) -> Sequence[int]:
    if len(ids) <= budget:
        return ids
    held = tokenizer.byte_lengths[list(ids[:budget])].sum()
    return _fitting(tokenizer, _first_lines, text.encode(), int(held), budget)


def _fitting(
    tokenizer: Tokenizer, lines: Callable[[bytes, int], bytes], text: bytes, size: int, budget: int
) -> list[int]:
    """Ids of the lines that `size` bytes hold, or fewer: a cut can cost a token that the whole text does not."""
    text = lines(text, size)
    while len(ids := tokenizer.encode(text.decode())) > budget:
        text = lines(text, len(text) - 1)
    return ids


def _last_lines(text: bytes, size: int) -> bytes:
    """The last whole lines of `text` in at most `size` bytes; at least the last line."""
    start = text.find(b"\n", len(text) - size - 1 if size < len(text) else 0) + 1
    return text[start or text.rfind(b"\n") + 1 :]


def _first_lines(text: bytes, size: int) -> bytes:
    """The first whole lines of `text` in at most `size` bytes; at least the first line."""
    end = text.rfind(b"\n", 0, size) + 1
    return text[: end or (text.find(b"\n") + 1 or len(text))]
