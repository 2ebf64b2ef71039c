"""Writing with a network, greedily or by sampling: one token at a time, each read only once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from stackfim.model.checkpoint import Model
from stackfim.model.context import fit_context
from stackfim.model.interfaces import FimTokenizer
from stackfim.model.prompt import FimPrompt, chat_ids
from stackfim.schemas.layout import PSM


@dataclass(frozen=True, slots=True)
class Generation:
    """What a network wrote: its tokens without the end-of-text, their text, and why it stopped.

    `stop` is `end_of_text`, `max_new_tokens` or `context` (the context is full).
    """

    tokens: list[int]
    text: str
    stop: str


def complete(
    model: Model,
    prefix: str,
    suffix: str = "",
    *,
    layout: str = PSM,
    max_new_tokens: int = 256,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    seed: int = 0,
) -> Generation:
    """The middle between a prefix and a suffix; the other arguments are those of `generate`.

    Whole lines far from the cursor are left out where the context does not hold all of them beside `max_new_tokens`, for
    which at most half of it is reserved. Raises ValueError where not even the lines at the cursor fit, for an unknown
    layout and for what `generate` refuses.
    """
    tokenizer = _tokenizer(model)
    prompt = FimPrompt(tokenizer, layout)
    length = model.config.context_length
    budget = length - prompt.special_tokens - min(max_new_tokens, length // 2)
    context = fit_context(tokenizer, prefix, suffix, budget)
    if context is None:
        raise ValueError(f"the lines at the cursor are too long, expected at most {max(budget, 0)} tokens")
    return generate(
        model,
        prompt.ids(*context),
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        seed=seed,
    )


def chat(
    model: Model,
    query: str,
    *,
    system: str | None = None,
    max_new_tokens: int = 256,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    seed: int = 0,
) -> Generation:
    """The answer to a query in the chat format of the model's family; sentinels in the query are text.

    `system` is the system's turn, None for the family's own; the other arguments are those of `generate`. Raises
    ValueError for a model that has no chat format, and for what `generate` refuses.
    """
    return generate(
        model,
        chat_ids(_tokenizer(model), query, system),
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        seed=seed,
    )


@torch.inference_mode()
def generate(
    model: Model,
    prompt: Sequence[int],
    *,
    max_new_tokens: int = 256,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    seed: int = 0,
) -> Generation:
    """The continuation of prompt ids until end-of-text, `max_new_tokens`, or the end of the context.

    Temperature 0 takes the likeliest token. Otherwise tokens are drawn at that temperature from the `top_k` likeliest,
    and of these from the fewest that together have the share `top_p` of the probability; the same seed draws the same
    tokens. Raises ValueError for a model without a tokenizer, a prompt that is empty or fills the context, and values out
    of range.
    """
    tokenizer, network, length = _tokenizer(model), model.network, model.config.context_length
    if not 1 <= len(prompt) < length:
        raise ValueError(f"the prompt has {len(prompt)} tokens, expected 1 to {length - 1}")
    if max_new_tokens < 0 or temperature < 0 or not 0 < top_p <= 1 or (top_k is not None and top_k < 1):
        given = f"{max_new_tokens=}, {temperature=}, {top_k=}, {top_p=}"
        raise ValueError(f"{given}: expected 0 or more, 0 or more, 1 or more, above 0 up to 1")
    room = length - len(prompt)
    cache = network.new_cache(len(prompt) + min(max_new_tokens, room))
    generator = torch.Generator().manual_seed(seed)
    read = list(prompt)
    tokens: list[int] = []
    stop = "max_new_tokens" if max_new_tokens <= room else "context"
    while len(tokens) < min(max_new_tokens, room):
        hidden = network.hidden(torch.tensor([read], device=network.device), cache=cache)
        logits = network.logits(hidden[:, -1])[0]
        # Rows after the vocabulary are padding.
        token = next_token(logits[: tokenizer.size].cpu(), temperature, top_k, top_p, generator)
        if token == tokenizer.end_of_text:
            stop = "end_of_text"
            break
        tokens.append(token)
        read = [token]
    return Generation(tokens, tokenizer.decode(tokens), stop)


def next_token(
    logits: torch.Tensor, temperature: float, top_k: int | None, top_p: float, generator: torch.Generator
) -> int:
    """One token of float32 logits (vocabulary,) on the CPU, by the rule that `generate` describes."""
    if temperature == 0:
        return int(logits.argmax())
    probabilities = (logits.double() / temperature).softmax(-1)
    likeliest, tokens = probabilities.sort(descending=True, stable=True)
    if top_k is not None:
        likeliest[top_k:] = 0
    # The token that reaches top_p is the last one kept.
    likeliest[(likeliest.cumsum(0) - likeliest) >= top_p * likeliest.sum()] = 0
    return int(tokens[torch.multinomial(likeliest, 1, generator=generator)])


def _tokenizer(model: Model) -> FimTokenizer:
    if model.tokenizer is None:
        raise ValueError("the checkpoint has no tokenizer: expected tokenizer.json beside its weights")
    return model.tokenizer
