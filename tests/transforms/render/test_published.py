"""Published vocabularies: their special tokens, their begin tokens, and the ids that they give texts."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from stackfim.schemas.example import EXAMPLE
from stackfim.transforms.render.batch import Renderer
from stackfim.transforms.render.collision import collision
from stackfim.transforms.render.families import FAMILIES
from stackfim.transforms.render.render_settings import RenderSettings
from stackfim.transforms.render.tokens import TextEncoder
from tests.transforms.render.vocabularies import FAMILIES_OF, definition_of, read_vocabulary

DATA = Path(__file__).parents[2] / "data" / "vocabularies"
AT_HAND = os.environ.get("STACKFIM_VOCABULARIES", "")
"""A folder of `ggml-vocab-*.gguf`, from the sdist of llama-cpp-python."""


@pytest.fixture(scope="module", params=FAMILIES_OF)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def kept(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def definition(name: str, kept: dict[str, Any]) -> str:
    added = dict(kept["added"])
    if name == "qwen2":
        # The vocabulary is Qwen 2's: the sentinels came with Qwen 2.5, with ids from 151659.
        fim = ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>")
        added |= {text: number for number, text in enumerate(fim, 151659)}
    return json.dumps(definition_of(name, kept["vocab"], kept["merges"], added))


def test_every_special_token_is_a_collision_and_no_ordinary_word_is(name: str, kept: dict[str, Any]) -> None:
    for text in kept["added"]:
        parts = {"prefix": "a = 1\n", "middle": f"b{text}c", "suffix": "\n"}
        found = collision(parts, FAMILIES_OF[name])
        # DeepSeek has thirteen letters among its added tokens.
        assert (found is None) == (len(text) == 1), text


def test_a_tokenizer_s_own_tokens_are_known_to_be_special(kept: dict[str, Any], definition: str) -> None:
    assert {text for text in kept["added"] if len(text) > 1} <= TextEncoder(definition).control_tokens
    assert all(len(text) > 1 for text in TextEncoder(definition).control_tokens)


def test_texts_have_the_published_ids(kept: dict[str, Any], definition: str) -> None:
    encoder = TextEncoder(definition)
    assert len(kept["texts"]) > 40
    for text, ids in kept["texts"]:
        assert np.frombuffer(encoder.encode(text), np.int32).tolist() == ids, text


def test_prompts_begin_as_the_published_model_s_do(name: str, kept: dict[str, Any], definition: str) -> None:
    family = FAMILIES[FAMILIES_OF[name]]
    assert family.begin == kept["begin"]
    values: dict[str, Any] = {field.name: [] if pa.types.is_list(field.type) else None for field in EXAMPLE}
    texts = {"example_id": "0" * 16, "prefix": "a = ", "middle": "1", "suffix": "\n", "path": "p", "repository": "r"}
    columns = [pa.array([(values | texts)[field.name]], field.type) for field in EXAMPLE]
    rows = pa.RecordBatch.from_arrays(columns, EXAMPLE.names)
    settings = RenderSettings(family.name, tokenize=True, tokenizer_json=definition)
    (row,) = Renderer(settings).render(rows)[0].to_pylist()
    ids = json.loads(definition)["added_tokens"]
    sentinels = {token["content"]: token["id"] for token in ids}
    found = [number for number in row["input_ids"] if number in sentinels.values()]
    begin = [sentinels[family.begin]] if family.begin else []
    assert row["input_ids"][: len(begin)] == begin
    assert len(found) == len(set(found)) == len(begin) + 4
    assert row["input_ids"][-1] == sentinels[family.end_of_text]


@pytest.mark.slow
@pytest.mark.skipif(not AT_HAND, reason="STACKFIM_VOCABULARIES names no folder")
def test_what_is_kept_is_what_the_files_hold(name: str, kept: dict[str, Any]) -> None:
    assert read_vocabulary(Path(AT_HAND), name) == kept
