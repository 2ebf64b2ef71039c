"""Writing with a network: greedy or sampled, one token at a time, with keys and values kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from stackfim.model.attention import KeyValueCache
from stackfim.model.checkpoint import Model
from stackfim.model.context import fit_context
from stackfim.model.prompt import SPECIAL_TOKENS, SYSTEM, chat_ids, fim_ids
from stackfim.model.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Generation:
    """What a network wrote: its tokens without the end, their text, and why it stopped.

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
    layout: str = "psm",
    max_new_tokens: int = 256,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    seed: int = 0,
) -> Generation:
    """The middle between a prefix and a suffix, in a layout of `model.prompt`.

    Whole lines far from the cursor go where both do not fit the context beside `max_new_tokens` (of which half the
    context at most is kept free). Raises ValueError where the lines at the cursor alone do not.
    """
    tokenizer = _tokenizer(model)
    budget = model.config.n_positions - SPECIAL_TOKENS - min(max_new_tokens, model.config.n_positions // 2)
    context = fit_context(tokenizer, prefix, suffix, budget)
    if context is None:
        raise ValueError(f"the lines at the cursor are too long, expected at most {max(budget, 0)} tokens")
    prompt = fim_ids(*context, layout, tokenizer.sentinels)
    return generate(
        model, prompt, max_new_tokens=max_new_tokens, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed
    )


def chat(
    model: Model,
    query: str,
    *,
    system: str = SYSTEM,
    max_new_tokens: int = 256,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    seed: int = 0,
) -> Generation:
    """The answer to a query, in the chat format of the model card; sentinels in the query are text."""
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
    of which the fewest that have the share `top_p` of their probability; the same seed draws the same tokens.
    """
    tokenizer = _tokenizer(model)
    if not 1 <= len(prompt) < model.config.n_positions:
        raise ValueError(f"the prompt has {len(prompt)} tokens, expected 1 to {model.config.n_positions - 1}")
    if max_new_tokens < 0 or temperature < 0 or not 0 < top_p <= 1 or (top_k is not None and top_k < 1):
        given = f"{max_new_tokens=}, {temperature=}, {top_k=}, {top_p=}"
        raise ValueError(f"{given}: expected 0 or more, 0 or more, 1 or more, above 0 up to 1")
    room = model.config.n_positions - len(prompt)
    like = model.network.lm_head.weight
    cache = KeyValueCache(model.config, 1, len(prompt) + min(max_new_tokens, room), like)
    generator = torch.Generator().manual_seed(seed)
    read = list(prompt)
    tokens: list[int] = []
    stop = "max_new_tokens" if max_new_tokens <= room else "context"
    while len(tokens) < min(max_new_tokens, room):
        input_ids = torch.tensor([read], device=like.device)
        logits = model.network(input_ids, at=torch.tensor([len(read) - 1], device=like.device), cache=cache)[0]
        # Rows beyond the vocabulary are padding.
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
    # The token that reaches top_p is the last that stays.
    likeliest[(likeliest.cumsum(0) - likeliest) >= top_p * likeliest.sum()] = 0
    return int(tokens[torch.multinomial(likeliest, 1, generator=generator)])


def _tokenizer(model: Model) -> Tokenizer:
    if model.tokenizer is None:
        raise ValueError("the checkpoint has no tokenizer: expected tokenizer.json beside its weights")
    return model.tokenizer
