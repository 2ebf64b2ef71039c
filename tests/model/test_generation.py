"""Writing: greedy, sampled, with an end, and the model card's prompts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.model.checkpoint import Model
from stackfim.model.generation import chat, complete, generate, next_token
from stackfim.model.prompt import chat_ids
from stackfim.model.refact import Refact
from stackfim.model.tokenizer import Tokenizer

CARD = '<fim_prefix>def print_hello_world():\n    """<fim_suffix>\n    print("Hello world!")<fim_middle>'


def logits_of(model: Model, ids: list[int]) -> torch.Tensor:
    return model.network.logits(model.network.hidden(torch.tensor([ids])))[0]


PromptIds = Callable[[str], list[int]]


def test_greedy_writes_what_the_whole_pass_finds_likeliest(
    small: Model, tokenizer: Tokenizer, prompt_ids: PromptIds
) -> None:
    prompt = prompt_ids(CARD)
    written = generate(small, prompt, max_new_tokens=30)
    ids = list(prompt)
    for token in written.tokens:
        assert token == int(logits_of(small, ids)[-1, : tokenizer.size].argmax())
        ids.append(token)
    assert written.text == tokenizer.decode(written.tokens)


def test_the_card_s_example_is_complete_s_psm_prompt(small: Model, prompt_ids: PromptIds) -> None:
    written = complete(small, 'def print_hello_world():\n    """', '\n    print("Hello world!")', max_new_tokens=10)
    assert written == generate(small, prompt_ids(CARD), max_new_tokens=10)


def test_the_other_layout_is_another_prompt(small: Model, prompt_ids: PromptIds) -> None:
    written = complete(small, "a = ", "\n", layout="spm", max_new_tokens=5)
    prompt = prompt_ids("<fim_suffix>\n<fim_prefix>a = <fim_middle>")
    assert written == generate(small, prompt, max_new_tokens=5)


def test_the_card_s_chat_template(small: Model, tokenizer: Tokenizer, prompt_ids: PromptIds) -> None:
    template = "<empty_output>SYSTEM {system}\n<empty_output>USER {query}\n<empty_output>ASSISTANT"
    query = "How do I sort a list in Python?"
    ids = chat_ids(tokenizer, query)
    text = template.format(system="You are a programming assistant", query=query)
    assert tokenizer.decode(ids) == text
    assert ids == prompt_ids(text)
    assert chat(small, query, max_new_tokens=5) == generate(small, ids, max_new_tokens=5)


def test_sentinels_in_a_query_or_context_are_text(small: Model, tokenizer: Tokenizer) -> None:
    assert chat_ids(tokenizer, "<|endoftext|><empty_output>", system="<fim_middle>").count(14) == 3
    assert 0 not in chat_ids(tokenizer, "<|endoftext|>")
    assert complete(small, "<fim_middle>", "<|endoftext|>", max_new_tokens=3).stop == "max_new_tokens"


def certain(network: Callable[..., Refact], tokenizer: Tokenizer, token: int) -> Model:
    """A network that always finds `token` likeliest."""
    made = network(vocab_size=2112)
    with torch.no_grad():
        embeddings = made.get_parameter("transformer.wte.weight")
        embeddings.zero_()
        embeddings[:, 0] = 1.0
        for name, weight in made.named_parameters():
            if name.endswith("c_proj.weight"):
                weight.zero_()
        made.ln_f.weight.fill_(1.0)
        made.lm_head.weight.zero_()
        made.lm_head.weight[token, 0] = 100.0
    return Model(made, tokenizer)


def test_it_stops_at_end_of_text_and_keeps_it_out(network: Callable[..., Refact], tokenizer: Tokenizer) -> None:
    written = complete(certain(network, tokenizer, 0), "a", "b")
    assert (written.tokens, written.text, written.stop) == ([], "", "end_of_text")


def test_it_stops_after_max_new_tokens(network: Callable[..., Refact], tokenizer: Tokenizer) -> None:
    [token] = tokenizer.encode("x")
    written = complete(certain(network, tokenizer, token), "a", "b", max_new_tokens=7)
    assert (written.text, written.stop) == ("xxxxxxx", "max_new_tokens")


def test_it_stops_when_the_context_is_full(network: Callable[..., Refact], tokenizer: Tokenizer) -> None:
    [token] = tokenizer.encode("x")
    written = generate(certain(network, tokenizer, token), [1] * 250, max_new_tokens=100)
    assert (written.text, written.stop) == ("x" * 6, "context")


def test_padding_is_never_produced(network: Callable[..., Refact], tokenizer: Tokenizer) -> None:
    written = complete(certain(network, tokenizer, 2100), "a", "b", max_new_tokens=5, temperature=1.0)
    assert max(written.tokens, default=0) < tokenizer.size


def test_a_long_context_loses_lines_to_leave_room(small: Model) -> None:
    written = complete(small, "value = other\n" * 300, "x\n" * 300, max_new_tokens=50)
    assert written.stop in ("max_new_tokens", "end_of_text")
    with pytest.raises(ValueError, match="the lines at the cursor are too long, expected at most 458 tokens"):
        complete(small, "1" * 459, "", max_new_tokens=50)


def test_the_same_seed_draws_the_same_and_another_another(small: Model) -> None:
    one, two, other = (complete(small, "a", "b", temperature=1.0, seed=seed, max_new_tokens=20) for seed in (1, 1, 2))
    assert one == two
    assert one != other


def test_a_low_temperature_is_greedy(small: Model) -> None:
    assert complete(small, "a", "b", temperature=1e-4, max_new_tokens=10) == complete(
        small, "a", "b", max_new_tokens=10
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 8), st.floats(0.05, 1.0), st.floats(0.2, 2.0), st.integers(0, 99))
def test_draws_stay_among_the_likeliest(top_k: int, top_p: float, temperature: float, seed: int) -> None:
    logits = torch.tensor([0.0, 3.0, 1.0, 2.0, -1.0, 2.5])
    generator = torch.Generator().manual_seed(seed)
    token = next_token(logits, temperature, top_k, top_p, generator)
    order = logits.argsort(descending=True).tolist()
    assert token in order[:top_k]
    shares = (logits / temperature).softmax(-1)[order[:top_k]].double()
    before = shares[: order.index(token)].sum() / shares.sum()
    assert before < top_p + 1e-6


def test_draws_follow_the_probabilities() -> None:
    logits = torch.tensor([0.5, 0.25, 0.25]).log()
    generator = torch.Generator().manual_seed(0)
    draws = [next_token(logits, 1.0, None, 1.0, generator) for _ in range(4000)]
    assert draws.count(0) / 4000 == pytest.approx(0.5, abs=0.03)
    assert draws.count(1) / 4000 == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    "options",
    [{"max_new_tokens": -1}, {"temperature": -0.1}, {"top_p": 0.0}, {"top_p": 1.1}, {"top_k": 0}],
)
def test_wrong_options_are_named(small: Model, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(options.values())))):
        generate(small, [1, 2], **options)


@pytest.mark.parametrize("length", [0, 512, 600])
def test_a_prompt_that_does_not_fit_is_named(small: Model, length: int) -> None:
    with pytest.raises(ValueError, match=f"the prompt has {length} tokens, expected 1 to 511"):
        generate(small, [1] * length)


def test_an_unknown_layout_is_named(small: Model) -> None:
    with pytest.raises(ValueError, match="layout is 'pms', expected psm or spm"):
        complete(small, "a", "b", layout="pms")


def test_a_model_without_a_tokenizer_cannot_write(small: Model) -> None:
    with pytest.raises(ValueError, match="no tokenizer"):
        generate(dataclasses.replace(small, tokenizer=None), [1])


def test_chat_needs_its_sentinel(small: Model, definition: dict[str, Any]) -> None:
    added = [token for token in definition["added_tokens"] if token["content"] != "<empty_output>"]
    tokenizer = Tokenizer({**definition, "added_tokens": added})
    with pytest.raises(ValueError, match="lacks <empty_output>"):
        chat(dataclasses.replace(small, tokenizer=tokenizer), "hi")
