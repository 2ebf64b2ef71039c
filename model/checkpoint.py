"""Loading a network from what is published, and writing it out again.

Sources: a folder with `config.json` and `model.safetensors` or `pytorch_model.bin` (also in shards), a GGUF file, or
either on the Hugging Face Hub. Weights are memory-mapped and copied into the network a few rows at a time, so that
loading takes the network's own memory and little more.

`transformer.h.N.attn.kv` and `mlp.gate_up_proj` are fused in the published layout; an older layout and GGUF files hold
their halves. Each parameter is therefore the rows of one or several tensors, one under the other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from stackfim.model import hub
from stackfim.model.config import CheckpointError, RefactConfig
from stackfim.model.refact import Refact
from stackfim.model.tensor_files import ShardedFiles, TensorFile, open_tensor_file, sharded_names
from stackfim.model.tokenizer import Tokenizer

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
WEIGHTS = ("model.safetensors", "pytorch_model.bin")

# Checkpoints that come with this package, by name.
SHIPPED = {"tiny": Path(__file__).parent / "tiny"}

# Elements read at a time: 8 MB of float32.
ELEMENTS_AT_A_TIME = 1 << 21


@dataclass(frozen=True)
class Model:
    """A loaded checkpoint: the network in evaluation mode, its weights without gradients.

    `revision` is the commit that it came from, None where it was a local file.
    """

    config: RefactConfig
    network: Refact
    tokenizer: Tokenizer | None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows `begin` to `end` of a tensor `name`, which must have `shape`."""

    name: str
    shape: tuple[int, ...]
    begin: int
    end: int


def load(
    path_or_id: str | os.PathLike[str],
    *,
    dtype: str | torch.dtype = "bfloat16",
    device: str | torch.device | None = None,
    revision: str | None = None,
) -> Model:
    """What `model.load` gives; see there."""
    target_dtype = _dtype(dtype)
    target_device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    path = Path(path_or_id)
    if not path.exists():
        path = SHIPPED.get(os.fspath(path_or_id), path)
    if path.exists():
        if revision is not None:
            raise ValueError(f"revision {revision!r} goes with a Hugging Face id, but {path} is a local path")
        if path.is_dir():
            return _from_folder(path.joinpath, target_dtype, target_device)
        if path.suffix == ".gguf":
            return _from_gguf(path, target_dtype, target_device)
        raise CheckpointError(f"{path}: expected a folder or a .gguf file")
    name = os.fspath(path_or_id)
    file_id = hub.FILE_ID.fullmatch(name)
    if not file_id and not hub.ID.fullmatch(name):
        raise FileNotFoundError(f"{name}: no such folder or .gguf file, nor a Hugging Face id (ORG/NAME)")
    if file_id:
        repository = hub.HubRepository(file_id[1], revision)
        fetched = repository.fetch(file_id[2])
        if fetched is None:
            raise FileNotFoundError(f"{file_id[1]} has no {file_id[2]}")
        return replace(_from_gguf(fetched, target_dtype, target_device), revision=repository.commit)
    repository = hub.HubRepository(name, revision)
    return replace(_from_folder(repository.fetch, target_dtype, target_device), revision=repository.commit)


def export(model: Model, folder: str | os.PathLike[str]) -> None:
    """Write a checkpoint in the published layout: `config.json`, `model.safetensors`, and any `tokenizer.json`.

    Weights keep their dtype, to the bit. Each file appears under its name when it is complete.
    """
    from safetensors.torch import save_file

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: weight.contiguous() for name, weight in model.network.state_dict().items()}
    config = model.config.to_json(str(next(iter(weights.values())).dtype).removeprefix("torch."))
    part = folder / "model.safetensors.part"
    save_file(weights, part, metadata={"format": "pt"})
    os.replace(part, folder / "model.safetensors")
    _write_json(folder / "config.json", config)
    if model.tokenizer is not None:
        _write_json(folder / "tokenizer.json", model.tokenizer.definition)


def _from_folder(fetch: Callable[[str], Path | None], dtype: torch.dtype, device: torch.device) -> Model:
    """`fetch` gives the path of a file of the checkpoint, or None (or a path where nothing is) if it lacks it."""

    def found(name: str) -> Path | None:
        path = fetch(name)
        return path if path is not None and path.is_file() else None

    config_path = found("config.json")
    if config_path is None:
        raise FileNotFoundError(f"{fetch('config.json') or 'config.json'}: not found, expected beside the weights")
    config = _config(config_path)
    weights = _weights(found, config_path)
    layout = published_layout(config, weights.shapes)
    check_tensors(weights, config, layout)
    tokenizer_path = found("tokenizer.json")
    tokenizer = None if tokenizer_path is None else Tokenizer.from_file(tokenizer_path)
    _check_tokenizer(config_path, config, tokenizer)
    return Model(config, fill(config, weights, layout, dtype, device), tokenizer)


def _from_gguf(path: Path, dtype: torch.dtype, device: torch.device) -> Model:
    from stackfim.model.gguf_file import GGUFFile

    file = GGUFFile(path)
    embeddings = file.shapes.get("token_embd.weight")
    if embeddings is None or len(embeddings) != 2:
        raise CheckpointError(f"{path}: token_embd.weight has shape {embeddings}, expected (vocabulary, width)")
    try:
        config = RefactConfig.from_gguf(file.fields, embeddings[0])
        tokenizer = Tokenizer.from_gguf(file.fields)
    except ValueError as error:
        raise type(error)(f"{path}: {error}") from None
    layout = gguf_layout(config, file.shapes)
    check_tensors(file, config, layout)
    _check_tokenizer(path, config, tokenizer)
    return Model(config, fill(config, file, layout, dtype, device), tokenizer)


def _weights(found: Callable[[str], Path | None], config_path: Path) -> TensorFile:
    for name in WEIGHTS:
        if path := found(name):
            return open_tensor_file(path)
        if index := found(f"{name}.index.json"):
            shards = {}
            for shard in sorted(set(sharded_names(index).values())):
                path = found(shard)
                if path is None:
                    raise CheckpointError(f"{index}: {shard} is missing, expected beside the index")
                shards[shard] = path
            return ShardedFiles(index, shards)
    raise FileNotFoundError(f"{config_path.parent}: no weights, expected {' or '.join(WEIGHTS)}")


def published_layout(config: RefactConfig, names: Mapping[str, Any]) -> dict[str, list[Rows]]:
    """Which rows of which tensors make each parameter, in the published layout or the older split one."""
    width, head, inner = config.n_embd, config.head_size, config.mlp_size
    layout = {}
    for name, shape in _parameter_shapes(config):
        layout[name] = [Rows(name, shape, 0, shape[0])]
        block, _, part = name.rpartition("attn.")
        if part == "kv.weight" and f"{block}attn.k.weight" in names:
            halves = ("attn.k", "attn.v")
            layout[name] = [Rows(f"{block}{half}.weight", (head, width), 0, head) for half in halves]
        block, _, part = name.rpartition("mlp.")
        if part == "gate_up_proj.weight" and f"{block}mlp.linear_1.weight" in names:
            halves = ("mlp.linear_1", "mlp.linear_3")
            layout[name] = [Rows(f"{block}{half}.weight", (inner, width), 0, inner) for half in halves]
    return layout


def gguf_layout(config: RefactConfig, names: Mapping[str, Any]) -> dict[str, list[Rows]]:
    """Which rows of which tensors of a GGUF file make each parameter; without `output` the embeddings are tied."""
    width, head, inner, vocabulary = config.n_embd, config.head_size, config.mlp_size, config.vocab_size

    def whole(name: str, *shape: int) -> Rows:
        return Rows(f"{name}.weight", shape, 0, shape[0])

    output = "output" if "output.weight" in names else "token_embd"
    layout = {
        "transformer.wte.weight": [whole("token_embd", vocabulary, width)],
        "ln_f.weight": [whole("output_norm", width)],
        "lm_head.weight": [whole(output, vocabulary, width)],
    }
    for number in range(config.n_layer):
        ours, theirs = f"transformer.h.{number}.", f"blk.{number}."
        q = [whole(f"{theirs}attn_q", width, width)]
        kv = [whole(f"{theirs}attn_k", head, width), whole(f"{theirs}attn_v", head, width)]
        if f"{theirs}attn_qkv.weight" in names:
            fused = (f"{theirs}attn_qkv.weight", (width + 2 * head, width))
            q, kv = [Rows(*fused, 0, width)], [Rows(*fused, width, width + 2 * head)]
        layout |= {
            f"{ours}ln_1.weight": [whole(f"{theirs}attn_norm", width)],
            f"{ours}attn.q.weight": q,
            f"{ours}attn.kv.weight": kv,
            f"{ours}attn.c_proj.weight": [whole(f"{theirs}attn_output", width, width)],
            f"{ours}ln_2.weight": [whole(f"{theirs}ffn_norm", width)],
            f"{ours}mlp.gate_up_proj.weight": [whole(theirs + half, inner, width) for half in ("ffn_gate", "ffn_up")],
            f"{ours}mlp.c_proj.weight": [whole(f"{theirs}ffn_down", width, inner)],
        }
    return layout


def check_tensors(file: TensorFile, config: RefactConfig, layout: Mapping[str, Sequence[Rows]]) -> None:
    """Raise CheckpointError, naming the tensor, unless the file holds what the layout takes and nothing else."""
    wanted = {part.name: part.shape for parts in layout.values() for part in parts}
    for name, shape in wanted.items():
        if name not in file.shapes:
            raise CheckpointError(f"{file.path}: tensor {name!r} is missing, expected with shape {shape}")
        if file.shapes[name] != shape:
            raise CheckpointError(f"{file.path}: tensor {name!r} has shape {file.shapes[name]}, expected {shape}")
    unknown = sorted(file.shapes.keys() - wanted.keys())
    if unknown:
        raise CheckpointError(
            f"{file.path}: {len(unknown)} tensors that Refact with {config.n_layer} layers does not have, "
            f"such as {unknown[0]!r}"
        )


def fill(
    config: RefactConfig,
    file: TensorFile,
    layout: Mapping[str, Sequence[Rows]],
    dtype: torch.dtype,
    device: torch.device,
) -> Refact:
    """A network with the weights of a file, in evaluation mode.

    Raises CheckpointError for weights that are not finite, or beyond what `dtype` holds.
    """
    with torch.device("meta"):
        network = Refact(config).to(dtype)
    network.to_empty(device=device).eval().requires_grad_(False)
    for name, weight in network.named_parameters():
        row = 0
        for part in layout[name]:
            step = max(1, ELEMENTS_AT_A_TIME // max(1, weight[0].numel()))
            for begin in range(part.begin, part.end, step):
                rows = file.read_rows(part.name, begin, min(begin + step, part.end))
                target = weight[row : row + len(rows)]
                target.copy_(rows)
                # The extremes are NaN where anything is; `isfinite` of every element takes 70 times as long.
                if not torch.stack(target.aminmax()).isfinite().all():
                    raise CheckpointError(f"{file.path}: tensor {part.name!r} is not finite in {dtype}")
                row += len(rows)
                del rows
                file.release()
    return network


def _parameter_shapes(config: RefactConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    with torch.device("meta"):
        for name, weight in Refact(config).named_parameters():
            yield name, tuple(weight.shape)


def _config(path: Path) -> RefactConfig:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise CheckpointError(f"holds a {type(values).__name__}, expected an object")
        return RefactConfig.from_json(values)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: {error}") from None


def _check_tokenizer(path: Path, config: RefactConfig, tokenizer: Tokenizer | None) -> None:
    if tokenizer is None:
        return
    if tokenizer.size > config.vocab_size:
        raise CheckpointError(f"{path}: the tokenizer has {tokenizer.size} ids, expected at most {config.vocab_size}")
    if tokenizer.end_of_text != config.eos_token_id:
        expected = f"{tokenizer.end_of_text}, the tokenizer's <|endoftext|>"
        raise CheckpointError(f"{path}: eos_token_id is {config.eos_token_id}, expected {expected}")


def _dtype(dtype: str | torch.dtype) -> torch.dtype:
    known = DTYPES.get(dtype) if isinstance(dtype, str) else dtype
    if known is None or known not in DTYPES.values():
        raise ValueError(f"dtype is {dtype!r}, expected {', '.join(DTYPES)}")
    return known


def _write_json(path: Path, value: Any) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    os.replace(part, path)
