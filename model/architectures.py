"""The networks that checkpoints can hold, one row each: a new one is a module of its own and a row here."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from stackfim.model import refact_config
from stackfim.model.checkpoint_error import CheckpointError
from stackfim.model.interfaces import NetworkConfig, TorchNetwork
from stackfim.model.refact import Refact
from stackfim.model.refact_config import RefactConfig
from stackfim.model.refact_tensors import gguf_tensors, published_tensors
from stackfim.model.tensor_rows import TensorRows
from stackfim.transforms.render.families import family_named

ConfigT = TypeVar("ConfigT", bound=NetworkConfig)


@dataclass(frozen=True)
class GGUFFormat(Generic[ConfigT]):
    """How GGUF files hold a network."""

    architecture: str
    """The value of `general.architecture`."""
    config: Callable[[Mapping[str, Any], int], ConfigT]
    """From the keys of a file and the height of its `token_embd.weight`; raises CheckpointError."""
    tensors: Callable[[ConfigT, Container[str]], TensorRows]
    """The rows that make each parameter, in a file with tensors of these names."""


@dataclass(frozen=True)
class Architecture(Generic[ConfigT]):
    """One kind of network, and how its checkpoints are read."""

    model_type: str
    """The value of `model_type` in `config.json`."""
    family: str
    """The model family (`stackfim.transforms.render.families`) in whose prompts it is asked."""
    network: Callable[[ConfigT], TorchNetwork]
    config: Callable[[Mapping[str, Any]], ConfigT]
    """From the values of `config.json`; raises CheckpointError."""
    tensors: Callable[[ConfigT, Container[str]], TensorRows]
    """The rows that make each parameter, in a published checkpoint with tensors of these names."""
    gguf: GGUFFormat[ConfigT] | None = None
    """None for a network that GGUF files do not hold."""

    def __post_init__(self) -> None:
        """Raise ValueError for a family that does not exist."""
        family_named(self.family)


_REFACT = Architecture(
    model_type=refact_config.MODEL_TYPE,
    family="refact",
    network=Refact,
    config=RefactConfig.from_json,
    tensors=published_tensors,
    gguf=GGUFFormat(refact_config.GGUF_ARCHITECTURE, RefactConfig.from_gguf, gguf_tensors),
)

ARCHITECTURES: Mapping[str, Architecture[Any]] = MappingProxyType({row.model_type: row for row in (_REFACT,)})
"""All architectures, by their `model_type`."""


def architecture_of_config(values: Mapping[str, Any]) -> Architecture[Any]:
    """The architecture of a `config.json`. Raises CheckpointError, naming the known ones, for an unknown one."""
    model_type = values.get("model_type")
    if not isinstance(model_type, str) or model_type not in ARCHITECTURES:
        raise CheckpointError(f"model_type is {model_type!r}, expected {_listed(ARCHITECTURES)}")
    return ARCHITECTURES[model_type]


def architecture_of_gguf(fields: Mapping[str, Any]) -> tuple[Architecture[Any], GGUFFormat[Any]]:
    """The architecture of a GGUF file with these keys, and its format there. Raises CheckpointError for an unknown one."""
    known = {row.gguf.architecture: (row, row.gguf) for row in ARCHITECTURES.values() if row.gguf is not None}
    name = fields.get("general.architecture")
    if not isinstance(name, str) or name not in known:
        raise CheckpointError(f"general.architecture is {name!r}, expected {_listed(known)}")
    return known[name]


def _listed(names: Iterable[str]) -> str:
    return " or ".join(map(repr, names))
