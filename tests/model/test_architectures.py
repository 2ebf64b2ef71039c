"""A checkpoint is read as the network that it names, and a network of another kind needs only a row in the table."""

from __future__ import annotations

import json
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from stackfim import model
from stackfim.model.architectures import ARCHITECTURES, Architecture, architecture_of_config, architecture_of_gguf
from stackfim.model.checkpoint import export
from stackfim.model.checkpoint_error import CheckpointError
from stackfim.model.generation import complete
from stackfim.model.refact import Refact
from stackfim.model.scorer import Scorer
from stackfim.model.tensor_rows import TensorRows, whole_tensor
from stackfim.model.tokenizer import Tokenizer


@pytest.mark.parametrize("model_type", ["llama", None, 3, ["gpt_refact"]])
def test_an_unknown_model_type_is_shown_with_those_that_are_known(model_type: Any) -> None:
    with pytest.raises(CheckpointError) as caught:
        architecture_of_config({"model_type": model_type})
    assert str(caught.value) == f"model_type is {model_type!r}, expected 'gpt_refact'"


@pytest.mark.parametrize("name", ["llama", None, 3])
def test_an_unknown_gguf_architecture_is_shown_with_those_that_are_known(name: Any) -> None:
    with pytest.raises(CheckpointError) as caught:
        architecture_of_gguf({"general.architecture": name})
    assert str(caught.value) == f"general.architecture is {name!r}, expected 'refact'"


def test_a_folder_of_an_unknown_network_is_refused_by_its_model_type(folder: Path) -> None:
    values = json.loads((folder / "config.json").read_text()) | {"model_type": "llama"}
    (folder / "config.json").write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match=r"config\.json: model_type is 'llama', expected 'gpt_refact'"):
        model.load(folder)


def test_a_refact_checkpoint_is_a_refact(folder: Path) -> None:
    assert isinstance(model.load(folder).network, Refact)


def test_a_row_needs_a_family_that_exists() -> None:
    with pytest.raises(ValueError, match="family is 'nonesuch'"):
        Architecture("bigram", "nonesuch", Bigram, BigramConfig.from_json, bigram_tensors)


# A network of another kind: the logits after a token are a row of a table.


@dataclass(frozen=True)
class BigramConfig:
    vocab_size: int
    context_length: int = 64
    eos_token_id: int = 0

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> BigramConfig:
        return cls(values["vocab_size"])

    def to_json(self, torch_dtype: str) -> dict[str, Any]:
        return {"model_type": "bigram", "vocab_size": self.vocab_size}


class Bigram(nn.Module):
    def __init__(self, config: BigramConfig) -> None:
        super().__init__()
        self.config = config
        self.table = nn.Parameter(torch.empty(config.vocab_size, config.vocab_size))

    @property
    def device(self) -> torch.device:
        return self.table.device

    def hidden(self, input_ids: Tensor, *, segments: Sequence[int] | None = None, cache: None = None) -> Tensor:
        return self.table[input_ids]

    def logits(self, hidden: Tensor) -> Tensor:
        return hidden.float()

    def new_cache(self, capacity: int) -> None:
        return None


def bigram_tensors(config: BigramConfig, names: Container[str]) -> TensorRows:
    return {"table": [whole_tensor("table", (config.vocab_size, config.vocab_size))]}


@pytest.fixture
def bigram(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tokenizer: Tokenizer) -> Path:
    """A checkpoint of such a network, which writes `x` after `<fim_middle>` and after `x` nothing more."""
    row = Architecture("bigram", "starcoder", Bigram, BigramConfig.from_json, bigram_tensors)
    monkeypatch.setattr("stackfim.model.architectures.ARCHITECTURES", {**ARCHITECTURES, "bigram": row})
    [x] = tokenizer.encode("x")
    table = torch.zeros(tokenizer.size, tokenizer.size)
    table[tokenizer.sentinels["<fim_middle>"], x] = 20.0
    table[x, tokenizer.end_of_text] = 15.0
    save_file({"table": table}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(BigramConfig(tokenizer.size).to_json("float32")))
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer.definition))
    return tmp_path


def test_another_network_is_loaded_scored_and_asked_to_write(bigram: Path, tokenizer: Tokenizer) -> None:
    loaded = model.load(bigram, dtype="float32")
    assert isinstance(loaded.network, Bigram)
    assert loaded.tokenizer is not None
    assert loaded.tokenizer.family.name == "starcoder"
    [row] = Scorer(loaded, layouts=["psm"]).score([("a = ", "x", "\n")])
    score = row.scores["psm"]
    assert score is not None
    assert score.greedy_match
    rest = tokenizer.size - 1
    assert score.p_eot_end == pytest.approx(math.exp(15) / (math.exp(15) + rest))
    assert score.p_eot_start == pytest.approx(1 / (math.exp(20) + rest))
    written = complete(loaded, "a = ", "\n", max_new_tokens=5)
    assert (written.text, written.stop) == ("x", "end_of_text")


def test_another_network_comes_back_from_what_is_exported(bigram: Path, tmp_path: Path) -> None:
    loaded = model.load(bigram, dtype="float32")
    export(loaded, tmp_path / "again")
    again = model.load(tmp_path / "again", dtype="float32")
    assert again.config == loaded.config
    assert torch.equal(again.network.state_dict()["table"], loaded.network.state_dict()["table"])


def test_a_tensor_that_another_network_lacks_is_named(bigram: Path) -> None:
    save_file({"table": torch.zeros(2048, 2048), "other": torch.zeros(1)}, bigram / "model.safetensors")
    with pytest.raises(CheckpointError, match="1 tensors that a bigram network .* 'other'"):
        model.load(bigram)


def test_a_network_that_gguf_files_do_not_hold_is_unknown_there(bigram: Path) -> None:
    with pytest.raises(CheckpointError, match="general.architecture is 'bigram', expected 'refact'"):
        architecture_of_gguf({"general.architecture": "bigram"})
