"""The context around a middle that a network can read, as token ids (the algorithm is `transforms.render.budget`)."""

from __future__ import annotations

from collections.abc import Sequence

from stackfim.model.interfaces import FimTokenizer
from stackfim.transforms.render.budget import fit

CHARS_PER_TOKEN = 16
"""More than a token of code has on average, with any published vocabulary."""


class _EncodedSide:
    """A prefix or a suffix whose ids are known; parts of it are encoded anew, since a cut can change tokens."""

    def __init__(self, tokenizer: FimTokenizer, text: str, ids: Sequence[int], *, is_prefix: bool) -> None:
        self.text = text
        self._tokenizer = tokenizer
        self._is_prefix = is_prefix
        self._whole = ids
        self._encoded = {text: ids}

    def ids(self, part: str) -> Sequence[int]:
        """Ids of the text or of a part of it."""
        if part not in self._encoded:
            self._encoded[part] = self._tokenizer.encode(part)
        return self._encoded[part]

    def size(self, part: str) -> int:
        """Tokens of the text or of a part of it."""
        return len(self.ids(part))

    def total(self, most: int) -> int:
        """Tokens of the whole text."""
        return len(self._whole)

    def reach(self, limit: int) -> int:
        """Characters of the `limit` tokens nearest to the cursor, leaving out a code point that they hold in part."""
        if len(self._whole) <= limit:
            return len(self.text)
        data = self.text.encode()
        near = self._whole[len(self._whole) - limit :] if self._is_prefix else self._whole[:limit]
        held = int(self._tokenizer.byte_lengths[list(near)].sum())
        nearest = data[len(data) - held :] if self._is_prefix else data[:held]
        return len(nearest.decode(errors="ignore"))


def fit_context(
    tokenizer: FimTokenizer,
    prefix: str,
    suffix: str,
    budget: int,
    ids: tuple[Sequence[int], Sequence[int]] | None = None,
) -> tuple[Sequence[int], Sequence[int]] | None:
    """Ids of as much of prefix and suffix as `budget` tokens hold, None where not even the lines at the cursor fit.

    `ids` are those of the whole texts, where they are known already.
    """
    head_ids, tail_ids = ids or (tokenizer.encode(prefix), tokenizer.encode(suffix))
    if len(head_ids) + len(tail_ids) <= budget:
        return head_ids, tail_ids
    head = _EncodedSide(tokenizer, prefix, head_ids, is_prefix=True)
    tail = _EncodedSide(tokenizer, suffix, tail_ids, is_prefix=False)
    kept = fit(head, tail, budget)
    return None if kept is None else (head.ids(kept[0]), tail.ids(kept[1]))


def fit_context_within(
    tokenizer: FimTokenizer,
    prefix: str,
    suffix: str,
    wanted: int,
    room: int,
    ids: tuple[Sequence[int], Sequence[int]],
) -> tuple[Sequence[int], Sequence[int]] | None:
    """`fit_context` with `wanted` tokens; where the lines at the cursor need more, with twice as many, and so on.

    None where even `room` tokens do not hold these lines.
    """
    while True:
        fitted = fit_context(tokenizer, prefix, suffix, min(wanted, room), ids)
        if fitted is not None or wanted >= room:
            return fitted
        wanted *= 2
