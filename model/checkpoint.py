"""Loading a network and its tokenizer from what is published, and writing both out again.

A checkpoint is a folder with `config.json` and `model.safetensors` or `pytorch_model.bin` (or either in shards), a GGUF
file, or one of these on the Hugging Face Hub. Which network it holds is looked up in `model.architectures`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from stackfim.model import hub
from stackfim.model.architectures import architecture_of_config, architecture_of_gguf
from stackfim.model.checkpoint_error import CheckpointError
from stackfim.model.interfaces import FimTokenizer, NetworkConfig, TorchNetwork
from stackfim.model.tensor_files import ShardedFiles, TensorFile, open_tensor_file, sharded_names
from stackfim.model.tensor_rows import check_tensors, loaded_network
from stackfim.model.tokenizer import Tokenizer
from stackfim.transforms.render.families import family_named

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
WEIGHTS = ("model.safetensors", "pytorch_model.bin")

# The checkpoints that come with this package, by name.
SHIPPED = {"tiny": Path(__file__).parent / "tiny"}


@dataclass(frozen=True)
class Model:
    """A loaded checkpoint: the network in evaluation mode, its weights without gradients."""

    network: TorchNetwork
    tokenizer: FimTokenizer | None
    """None where the checkpoint has none."""
    revision: str | None = None
    """The commit that it came from, None for a local file."""

    @property
    def config(self) -> NetworkConfig:
        """The shape of the network."""
        return self.network.config


def load(
    path_or_id: str | os.PathLike[str],
    *,
    dtype: str | torch.dtype = "bfloat16",
    device: str | torch.device | None = None,
    revision: str | None = None,
) -> Model:
    """What `model.load` returns; see there."""
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
    """Write a checkpoint in the published format: `config.json`, `model.safetensors`, and `tokenizer.json` if it has one.

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
    """`fetch` returns the path of a file of the checkpoint; None, or a path where nothing is, for one that it lacks."""

    def found(name: str) -> Path | None:
        path = fetch(name)
        return path if path is not None and path.is_file() else None

    config_path = found("config.json")
    if config_path is None:
        raise FileNotFoundError(f"{fetch('config.json') or 'config.json'}: not found, expected beside the weights")
    try:
        values = _json_object(config_path)
        architecture = architecture_of_config(values)
        config = architecture.config(values)
    except CheckpointError as error:
        raise CheckpointError(f"{config_path}: {error}") from None
    weights = _weights(found, config_path)
    rows = architecture.tensors(config, weights.shapes)
    check_tensors(weights, rows, f"a {architecture.model_type} network of this shape")
    tokenizer_path = found("tokenizer.json")
    family = family_named(architecture.family)
    tokenizer = None if tokenizer_path is None else Tokenizer.from_file(tokenizer_path, family)
    _check_tokenizer(config_path, config, tokenizer)
    return Model(loaded_network(lambda: architecture.network(config), weights, rows, dtype, device), tokenizer)


def _from_gguf(path: Path, dtype: torch.dtype, device: torch.device) -> Model:
    from stackfim.model.gguf_file import GGUFFile

    file = GGUFFile(path)
    embeddings = file.shapes.get("token_embd.weight")
    if embeddings is None or len(embeddings) != 2:
        raise CheckpointError(f"{path}: token_embd.weight has shape {embeddings}, expected (vocabulary, width)")
    try:
        architecture, gguf = architecture_of_gguf(file.fields)
        config = gguf.config(file.fields, embeddings[0])
        tokenizer = Tokenizer.from_gguf(file.fields, family_named(architecture.family))
    except ValueError as error:
        raise type(error)(f"{path}: {error}") from None
    rows = gguf.tensors(config, file.shapes)
    check_tensors(file, rows, f"a {gguf.architecture} network of this shape")
    _check_tokenizer(path, config, tokenizer)
    return Model(loaded_network(lambda: architecture.network(config), file, rows, dtype, device), tokenizer)


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


def _json_object(path: Path) -> Mapping[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(str(error)) from None
    if not isinstance(values, dict):
        raise CheckpointError(f"holds a {type(values).__name__}, expected an object")
    return values


def _check_tokenizer(path: Path, config: NetworkConfig, tokenizer: FimTokenizer | None) -> None:
    if tokenizer is None:
        return
    if tokenizer.size > config.vocab_size:
        raise CheckpointError(f"{path}: the tokenizer has {tokenizer.size} ids, expected at most {config.vocab_size}")
    if tokenizer.end_of_text != config.eos_token_id:
        expected = f"{tokenizer.end_of_text}, the tokenizer's {tokenizer.family.end_of_text}"
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
