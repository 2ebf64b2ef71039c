"""Refact's prompts as ids: the two fill-in-the-middle layouts and the chat template.

    psm  <fim_prefix>P<fim_suffix>S<fim_middle>M<|endoftext|>       the model card's order
    spm  <fim_suffix>S<fim_prefix>P<fim_middle>M<|endoftext|>       the order of Refact's own server
    chat <empty_output>SYSTEM ...\\n<empty_output>USER ...\\n<empty_output>ASSISTANT

Texts are encoded one by one and sentinels put between them by id, so nothing in a text is read as a sentinel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stackfim.model.tokenizer import EMPTY_OUTPUT, FIM_MIDDLE, FIM_PREFIX, FIM_SUFFIX, Tokenizer

LAYOUTS = ("psm", "spm")
SPECIAL_TOKENS = 4  # in either layout: three sentinels and end-of-text

SYSTEM = "You are a programming assistant"


def fim_ids(prefix: Sequence[int], suffix: Sequence[int], layout: str, sentinels: Mapping[str, int]) -> list[int]:
    """The prompt of a layout for encoded prefix and suffix, up to and with `<fim_middle>`.

    Raises ValueError for a layout that is not in `LAYOUTS`.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout is {layout!r}, expected {' or '.join(LAYOUTS)}")
    head = [sentinels[FIM_PREFIX], *prefix]
    tail = [sentinels[FIM_SUFFIX], *suffix]
    return [*(head + tail if layout == "psm" else tail + head), sentinels[FIM_MIDDLE]]


def chat_ids(tokenizer: Tokenizer, query: str, system: str = SYSTEM) -> list[int]:
    """The card's chat template with a query, up to where the answer begins.

    Raises ValueError for a tokenizer without `<empty_output>`.
    """
    if EMPTY_OUTPUT not in tokenizer.sentinels:
        raise ValueError(f"the tokenizer lacks {EMPTY_OUTPUT}, expected for chat")
    turn = tokenizer.sentinels[EMPTY_OUTPUT]
    ids: list[int] = []
    for text in (f"SYSTEM {system}\n", f"USER {query}\n", "ASSISTANT"):
        ids += [turn, *tokenizer.encode(text)]
    return ids
