"""The configuration: derived sizes, and wrong values."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.model.checkpoint_error import CheckpointError
from stackfim.model.refact_config import RefactConfig


def test_defaults_are_those_of_the_published_model() -> None:
    config = RefactConfig()
    assert (config.head_size, config.mlp_size) == (64, 5632)


@pytest.mark.parametrize(
    ("n_embd", "n_inner", "width"), [(64, None, 256), (96, None, 256), (256, 3000, 2048), (512, 2, 256)]
)
def test_mlp_is_two_thirds_of_inner_rounded_up_to_256(n_embd: int, n_inner: int | None, width: int) -> None:
    assert RefactConfig(n_embd=n_embd, n_inner=n_inner).mlp_size == width


@given(st.integers(1, 64).map(lambda n: 256 * n))
def test_a_gguf_file_s_mlp_width_comes_back(width: int) -> None:
    fields = gguf_fields() | {"refact.feed_forward_length": width}
    assert RefactConfig.from_gguf(fields, 512).mlp_size == width


def test_json_comes_back() -> None:
    config = RefactConfig(vocab_size=600, n_embd=96, n_layer=2, n_head=6, n_positions=128, n_inner=300, eos_token_id=5)
    assert RefactConfig.from_json(config.to_json("float32")) == config


def test_the_float32_epsilon_of_a_gguf_file_is_the_published_one() -> None:
    fields = gguf_fields() | {"refact.attention.layer_norm_rms_epsilon": 9.999999747378752e-06}
    assert RefactConfig.from_gguf(fields, 512).layer_norm_epsilon == 1e-5


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("multi_query", False, "expected true"),
        ("n_head", 5, "multiple of n_head"),
        ("n_layer", 10**9, "whole number from 1"),
        ("n_layer", 0, "whole number from 1"),
        ("n_layer", 2.0, "whole number"),
        ("n_layer", True, "whole number"),
        ("n_layer", "2", "whole number"),
        ("vocab_size", None, "whole number"),
        ("n_inner", -1, "whole number"),
        ("n_inner", 1, "2 or more"),
        ("eos_token_id", 600, "an id below 512"),
        ("layer_norm_epsilon", 0, "between 0 and 1"),
        ("layer_norm_epsilon", "1e-5", "between 0 and 1"),
        ("layer_norm_epsilon", float("nan"), "between 0 and 1"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(key: str, value: Any, expected: str) -> None:
    config = RefactConfig(vocab_size=512, n_embd=64, n_layer=2, n_head=4, n_positions=64)
    with pytest.raises(CheckpointError, match=expected) as caught:
        RefactConfig.from_json(config.to_json("float32") | {key: value})
    assert key in str(caught.value)


@pytest.mark.parametrize("key", ["vocab_size", "n_embd", "n_layer", "n_head", "n_positions"])
def test_a_missing_key_is_named(key: str) -> None:
    values = RefactConfig().to_json("bfloat16")
    del values[key]
    with pytest.raises(CheckpointError, match=f"{key} is missing"):
        RefactConfig.from_json(values)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("refact.attention.head_count_kv", 4),
        ("refact.feed_forward_length", 300),
        ("refact.feed_forward_length", [256]),
        ("refact.block_count", -1),
        ("refact.attention.layer_norm_rms_epsilon", "small"),
    ],
)
def test_a_wrong_gguf_value_is_an_error(key: str, value: Any) -> None:
    with pytest.raises(CheckpointError):
        RefactConfig.from_gguf(gguf_fields() | {key: value}, 512)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        RefactConfig().n_layer = 1  # type: ignore[misc]


def gguf_fields() -> dict[str, Any]:
    return {
        "general.architecture": "refact",
        "refact.context_length": 128,
        "refact.embedding_length": 64,
        "refact.block_count": 1,
        "refact.attention.head_count": 4,
    }
