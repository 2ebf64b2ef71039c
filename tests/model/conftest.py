"""Shared by the tests of the model: the oracle's files, a trained tokenizer, and small networks."""

from __future__ import annotations

import json
import re
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch
from tokenizers import Tokenizer as Bpe
from tokenizers import decoders, models, pre_tokenizers, trainers

from stackfim.model.checkpoint import Model, export
from stackfim.model.refact import Refact
from stackfim.model.refact_config import RefactConfig
from stackfim.model.tokenizer import Tokenizer
from stackfim.model.training.sequences import Example, read_shard
from stackfim.schemas.manifest import FORMAT, Manifest
from stackfim.transforms.render.families import STARCODER_SENTINELS

VOCABULARY = 2048

# Networks this small gain nothing from threads, and lose much where the processors are busy.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def oracle() -> Path:
    """Folder of the oracle: two random checkpoints, tokens, and the logits of an independent engine."""
    return Path(__file__).parents[1] / "data" / "oracle"


@pytest.fixture(scope="session")
def definition() -> dict[str, Any]:
    """A `tokenizer.json` like StarCoder's, trained on modules of the standard library, 2,048 ids."""
    tokenizer = Bpe(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(STARCODER_SENTINELS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    library = Path(sysconfig.get_paths()["stdlib"])
    tokenizer.train([str(path) for path in sorted((library / "json").glob("*.py"))], trainer)
    learned: dict[str, Any] = json.loads(tokenizer.to_str())
    return learned


@pytest.fixture(scope="session")
def tokenizer(definition: dict[str, Any]) -> Tokenizer:
    """The trained tokenizer."""
    return Tokenizer(definition)


@pytest.fixture(scope="session")
def prompt_ids(tokenizer: Tokenizer) -> Callable[[str], list[int]]:
    """Gives the ids of a prompt that is written out with its sentinels."""

    def encode(prompt: str) -> list[int]:
        ids: list[int] = []
        for part in re.split("(<[^<>\\s]+>)", prompt):
            ids += [tokenizer.sentinels[part]] if part in tokenizer.sentinels else tokenizer.encode(part)
        return ids

    return encode


@pytest.fixture(scope="session")
def network() -> Callable[..., Refact]:
    """Makes a network with random weights, in evaluation mode."""

    def make(seed: int = 0, dtype: torch.dtype = torch.float32, **shape: Any) -> Refact:
        config = RefactConfig(
            **{"vocab_size": 512, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 256} | shape
        )
        made = Refact(config)
        made.initialise(seed)
        with torch.no_grad():
            # Larger than in training, so that a wrong layer shows in the logits.
            for weight in made.parameters():
                weight.mul_(1 + torch.rand(weight.shape, generator=torch.Generator().manual_seed(seed)))
                if weight.dim() == 2:
                    weight.mul_(6)
        return made.to(dtype).eval().requires_grad_(False)

    return make


@pytest.fixture(scope="session")
def small(network: Callable[..., Refact], tokenizer: Tokenizer) -> Model:
    """A random network of two layers with the trained tokenizer, 512 positions, 64 padding rows."""
    made = network(vocab_size=VOCABULARY + 64, n_positions=512)
    return Model(made, tokenizer)


@pytest.fixture
def folder(small: Model, tmp_path: Path) -> Path:
    """A folder with that network and tokenizer in the published format."""
    export(small, tmp_path / "published")
    return tmp_path / "published"


@pytest.fixture(scope="session")
def gguf_fields(definition: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Makes the keys that a GGUF file of a network has."""

    def make(config: RefactConfig, with_tokenizer: bool = False) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "general.architecture": "refact",
            "refact.context_length": config.n_positions,
            "refact.embedding_length": config.n_embd,
            "refact.block_count": config.n_layer,
            "refact.feed_forward_length": config.mlp_size,
            "refact.attention.head_count": config.n_head,
            "refact.attention.head_count_kv": 1,
            "refact.attention.layer_norm_rms_epsilon": config.layer_norm_epsilon,
        }
        if with_tokenizer:
            vocabulary = {number: token for token, number in definition["model"]["vocab"].items()}
            merges = definition["model"]["merges"]
            fields |= {
                "tokenizer.ggml.model": "gpt2",
                "tokenizer.ggml.pre": "refact",
                "tokenizer.ggml.tokens": [vocabulary.get(n, f"[PAD{n}]") for n in range(config.vocab_size)],
                "tokenizer.ggml.merges": [" ".join(merge) if isinstance(merge, list) else merge for merge in merges],
                "tokenizer.ggml.token_type": [3 if n < 19 else 1 for n in range(config.vocab_size)],
                "tokenizer.ggml.eos_token_id": 0,
            }
        return fields

    return make


@pytest.fixture(scope="session")
def gguf_tensors() -> Callable[[Refact], dict[str, np.ndarray]]:
    """Gives the tensors that a GGUF file of a network holds, float32."""

    def make(network: Refact) -> dict[str, np.ndarray]:
        config = network.config
        state = {name: weight.float().numpy() for name, weight in network.state_dict().items()}
        tensors = {
            "token_embd.weight": state["transformer.wte.weight"],
            "output_norm.weight": state["ln_f.weight"],
            "output.weight": state["lm_head.weight"],
        }
        for number in range(config.n_layer):
            ours, theirs = f"transformer.h.{number}.", f"blk.{number}."
            k, v = np.split(state[f"{ours}attn.kv.weight"], 2)
            gate, up = np.split(state[f"{ours}mlp.gate_up_proj.weight"], 2)
            tensors |= {
                f"{theirs}attn_norm.weight": state[f"{ours}ln_1.weight"],
                f"{theirs}ffn_norm.weight": state[f"{ours}ln_2.weight"],
                f"{theirs}attn_q.weight": state[f"{ours}attn.q.weight"],
                f"{theirs}attn_k.weight": k,
                f"{theirs}attn_v.weight": v,
                f"{theirs}attn_output.weight": state[f"{ours}attn.c_proj.weight"],
                f"{theirs}ffn_gate.weight": gate,
                f"{theirs}ffn_up.weight": up,
                f"{theirs}ffn_down.weight": state[f"{ours}mlp.c_proj.weight"],
            }
        return {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}

    return make


@pytest.fixture(scope="session")
def write_gguf() -> Callable[..., Path]:
    """Writes a GGUF file with the `gguf` package; `types` are those of tensors that are stored quantised already."""

    def write(
        path: Path,
        fields: dict[str, Any],
        tensors: dict[str, np.ndarray],
        types: dict[str, gguf.GGMLQuantizationType] | None = None,
    ) -> Path:
        writer = gguf.GGUFWriter(path, fields.get("general.architecture", "refact"))
        for key, value in fields.items():
            if key == "general.architecture":
                continue
            if isinstance(value, list):
                writer.add_array(key, value)
            elif isinstance(value, str):
                writer.add_string(key, value)
            elif isinstance(value, float):
                writer.add_float32(key, value)
            else:
                writer.add_uint32(key, value)
        for name, tensor in tensors.items():
            writer.add_tensor(name, tensor, raw_dtype=(types or {}).get(name))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    return write


OWN_EXAMPLES = Path(__file__).parents[1] / "data" / "tiny" / "examples.parquet"


@pytest.fixture(scope="session")
def own_examples() -> list[Example]:
    """195 examples that the pipeline cut from the files in tests/data/sources."""
    return list(read_shard(OWN_EXAMPLES))


@pytest.fixture
def run_folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder as `stackfim build` leaves it, of these examples, with one repository for each language.

    `repositories` names some; the rows of languages in `validation` are the run's validation rows.
    """

    def make(
        repositories: dict[str, str] | None = None, validation: Sequence[str] = (), licenses: str = "permissive"
    ) -> Path:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        (folder / "data").mkdir()
        table = pq.read_table(OWN_EXAMPLES)
        languages = table["language"].to_pylist()
        column = pa.array([(repositories or {}).get(name, f"owner/{name}") for name in languages])
        field = table.schema.get_field_index("repository")
        table = table.set_column(field, table.schema.field(field), column)
        validates = pa.array([name in validation for name in languages])
        pq.write_table(table.filter(pc.invert(validates)), folder / "data" / "train-00000-of-00001.parquet")
        pq.write_table(table.filter(validates), folder / "data" / "validation-00000-of-00001.parquet")
        counts = ("counts", "rejected", "relabelled", "redacted", "removed", "examples", "refused")
        manifest = Manifest(
            version="0",
            run_key="0" * 64,
            files=(),
            format=FORMAT,
            versions={},
            source={},
            locators=(),
            configuration={"licenses": licenses},
            unsupported_languages={},
            partitioned_by="file",
            scoring=None,
            **{name: {} for name in counts},
        )
        (folder / "manifest.json").write_bytes(manifest.to_json())
        return folder

    return make
