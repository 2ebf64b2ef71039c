"""Prompts as token ids, made from the formats of the model families (`stackfim.transforms.render.families`).

Texts are encoded one by one and sentinels are put between them by id, so nothing in a text is read as a sentinel.
"""

from __future__ import annotations

from collections.abc import Sequence

from stackfim.model.interfaces import FimTokenizer
from stackfim.transforms.render.template import PREFIX, QUERY, SUFFIX, SYSTEM, Kind, fill, runs, segments


class FimPrompt:
    """The fill-in-the-middle prompt of one layout, for prefixes and suffixes that are token ids already."""

    def __init__(self, tokenizer: FimTokenizer, layout: str) -> None:
        """Take the form of `layout` that the tokenizer's family was trained on, with the begin token if it has one.

        Raises ValueError for a layout that the family does not have.
        """
        family = tokenizer.family
        self._steps: list[str | list[int]] = []
        self.special_tokens = 1
        """Tokens that any row has beside its prefix, middle and suffix: those of the prompt, and end-of-text."""
        for segment in segments(family.begin + family.prompt(family.form(layout))):
            if segment.kind is Kind.PART:
                self._steps.append(segment.text)
                continue
            is_sentinel = segment.kind is Kind.SENTINEL
            ids = [tokenizer.sentinels[segment.text]] if is_sentinel else tokenizer.encode(segment.text)
            self._steps.append(ids)
            self.special_tokens += len(ids)

    def ids(self, prefix: Sequence[int], suffix: Sequence[int]) -> list[int]:
        """The prompt's ids, up to where the middle begins."""
        parts = {PREFIX: prefix, SUFFIX: suffix}
        found: list[int] = []
        for step in self._steps:
            found += parts[step] if isinstance(step, str) else step
        return found


def chat_ids(tokenizer: FimTokenizer, query: str, system: str | None = None) -> list[int]:
    """The family's chat prompt with a query, up to where the answer begins; None for the family's own `system` turn.

    Raises ValueError for a family without a chat format, and for a tokenizer that lacks one of its sentinels.
    """
    chat = tokenizer.family.chat
    if chat is None:
        raise ValueError(f"the family {tokenizer.family.name} has no chat format")
    texts = {SYSTEM: chat.system if system is None else system, QUERY: query}
    ids: list[int] = []
    for run in runs(segments(chat.prompt)):
        if run[0].kind is not Kind.SENTINEL:
            ids += tokenizer.encode(fill(run, texts))
        elif run[0].text in tokenizer.sentinels:
            ids.append(tokenizer.sentinels[run[0].text])
        else:
            raise ValueError(f"the tokenizer lacks {run[0].text}, expected for chat")
    return ids
