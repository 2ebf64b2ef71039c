"""Weights copied from files into a network: which rows of which tensors make each parameter.

A parameter is the rows of one or several tensors, one under the other: published checkpoints fuse some matrices that
other files keep apart. Weights are read a few rows at a time from memory-mapped files, so that loading takes little more
memory than the network itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from stackfim.model.checkpoint_error import CheckpointError
from stackfim.model.interfaces import TorchNetwork
from stackfim.model.tensor_files import TensorFile

# Elements read at a time: 8 MB of float32.
ELEMENTS_AT_A_TIME = 1 << 21


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows `begin` to `end` of the tensor `name`, which must have `shape`."""

    name: str
    shape: tuple[int, ...]
    begin: int
    end: int


TensorRows = Mapping[str, Sequence[Rows]]
"""For each parameter of a network, the rows that it consists of, in order."""

NetworkT = TypeVar("NetworkT", bound=TorchNetwork)


def whole_tensor(name: str, shape: tuple[int, ...]) -> Rows:
    """All rows of a tensor."""
    return Rows(name, shape, 0, shape[0])


def parameter_shapes(build: Callable[[], TorchNetwork]) -> dict[str, tuple[int, ...]]:
    """Name and shape of each parameter of the network that `build` makes; takes no memory for weights."""
    with torch.device("meta"):
        return {name: tuple(weight.shape) for name, weight in build().named_parameters()}


def check_tensors(file: TensorFile, rows: TensorRows, network: str) -> None:
    """Raise CheckpointError, naming the tensor, unless the file holds exactly the tensors that `rows` take.

    `network` says in words what they are for.
    """
    wanted = {part.name: part.shape for parts in rows.values() for part in parts}
    for name, shape in wanted.items():
        if name not in file.shapes:
            raise CheckpointError(f"{file.path}: tensor {name!r} is missing, expected with shape {shape}")
        if file.shapes[name] != shape:
            raise CheckpointError(f"{file.path}: tensor {name!r} has shape {file.shapes[name]}, expected {shape}")
    unknown = sorted(file.shapes.keys() - wanted.keys())
    if unknown:
        raise CheckpointError(
            f"{file.path}: {len(unknown)} tensors that {network} does not have, such as {unknown[0]!r}"
        )


def loaded_network(
    build: Callable[[], NetworkT], file: TensorFile, rows: TensorRows, dtype: torch.dtype, device: torch.device
) -> NetworkT:
    """The network that `build` makes, with the weights of a file, in evaluation mode and without gradients.

    Raises CheckpointError for weights that are not finite, or beyond what `dtype` holds.
    """
    with torch.device("meta"):
        network = build().to(dtype)
    network.to_empty(device=device).eval().requires_grad_(False)
    for name, weight in network.named_parameters():
        row = 0
        for part in rows[name]:
            step = max(1, ELEMENTS_AT_A_TIME // max(1, weight[0].numel()))
            for begin in range(part.begin, part.end, step):
                read = file.read_rows(part.name, begin, min(begin + step, part.end))
                target = weight[row : row + len(read)]
                target.copy_(read)
                # The extremes are NaN where anything is; `isfinite` of every element takes 70 times as long.
                if not torch.stack(target.aminmax()).isfinite().all():
                    raise CheckpointError(f"{file.path}: tensor {part.name!r} is not finite in {dtype}")
                row += len(read)
                del read
                file.release()
    return network
