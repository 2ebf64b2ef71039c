"""Tensors of `model.safetensors` and `pytorch_model.bin`, whole or in shards, row by row and memory-mapped.

No code in a `.bin` file is run: its pickle may only build tensors (`weights_only`).
"""

from __future__ import annotations

import contextlib
import json
import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import safetensors
import torch

from stackfim.model.checkpoint_error import CheckpointError

FLOATS = (torch.float32, torch.float16, torch.bfloat16)

# Pages that were read stay in memory while a file is mapped, so it is mapped anew after this much.
REMAP_BYTES = 1 << 24


class TensorFile(Protocol):
    """A file with weights: one of those below, or a GGUF file (`model.gguf_file`)."""

    path: Path

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of every tensor."""

    def read_rows(self, name: str, begin: int, end: int) -> torch.Tensor:
        """Rows `begin` to `end` of a tensor, on the CPU; valid until `release`."""

    def release(self) -> None:
        """Free the memory of what was read."""


class SafetensorsFile:
    """A `.safetensors` file."""

    def __init__(self, path: Path) -> None:
        """Raises CheckpointError, naming the tensor, for a file whose header does not describe its content."""
        self.path = path
        self._file = self._open()
        self._read = 0
        names = list(self._file.keys())
        slices = {name: self._file.get_slice(name) for name in names}
        self.shapes: Mapping[str, tuple[int, ...]] = {name: tuple(part.get_shape()) for name, part in slices.items()}
        for name, part in slices.items():
            if part.get_dtype() not in ("F32", "F16", "BF16"):
                raise CheckpointError(f"{path}: tensor {name!r} is {part.get_dtype()}, expected F32, F16 or BF16")

    def _open(self) -> Any:
        try:
            return safetensors.safe_open(self.path, framework="pt", device="cpu")
        except safetensors.SafetensorError as error:
            raise CheckpointError(f"{self.path}: {_header_fault(self.path) or error}") from None

    def read_rows(self, name: str, begin: int, end: int) -> torch.Tensor:
        """Rows of a tensor, in the dtype of the file."""
        rows: torch.Tensor = self._file.get_slice(name)[begin:end]
        self._read += rows.nbytes
        return rows

    def release(self) -> None:
        """Map the file anew once enough of it has been read."""
        if self._read >= REMAP_BYTES:
            self._file, self._read = None, 0
            self._file = self._open()


class TorchFile:
    """A `pytorch_model.bin`: a zip file as `torch.save` has written it since PyTorch 1.6."""

    def __init__(self, path: Path) -> None:
        """Raises CheckpointError for an older file, and for one with anything but tensors of floats by name."""
        self.path = path
        self._tensors = self._open()
        self._read = 0
        self.shapes: Mapping[str, tuple[int, ...]] = {name: tuple(part.shape) for name, part in self._tensors.items()}

    def _open(self) -> dict[str, torch.Tensor]:
        with open(self.path, "rb") as file:
            if file.read(4) != b"PK\x03\x04":
                raise CheckpointError(
                    f"{self.path}: not a zip file, expected what torch.save writes since PyTorch 1.6 "
                    "(older files cannot be memory-mapped: load and save them once)"
                )
        try:
            tensors = torch.load(self.path, map_location="cpu", mmap=True, weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError, TypeError, IndexError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise CheckpointError(f"{self.path}: not a file that holds only tensors: {_reason(error, first)}") from None
        if not isinstance(tensors, dict):
            raise CheckpointError(f"{self.path}: holds a {type(tensors).__name__}, expected tensors by name")
        for name, tensor in tensors.items():
            if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
                raise CheckpointError(f"{self.path}: {name!r} is a {type(tensor).__name__}, expected a tensor")
            if tensor.dtype not in FLOATS or tensor.layout != torch.strided:
                kind = f"{tensor.dtype} ({tensor.layout})"
                raise CheckpointError(f"{self.path}: tensor {name!r} is {kind}, expected float32, float16 or bfloat16")
        return tensors

    def read_rows(self, name: str, begin: int, end: int) -> torch.Tensor:
        """Rows of a tensor, in the dtype of the file."""
        rows = self._tensors[name][begin:end]
        self._read += rows.nbytes
        return rows

    def release(self) -> None:
        """Map the file anew once enough of it has been read."""
        if self._read >= REMAP_BYTES:
            self._tensors, self._read = {}, 0
            self._tensors = self._open()


class ShardedFiles:
    """Several files and an index (`model.safetensors.index.json`) that says which of them holds each tensor."""

    def __init__(self, index: Path, shards: Mapping[str, Path]) -> None:
        """`shards` maps the file names in the index to paths. Raises CheckpointError for a tensor that its file lacks."""
        self.path = index
        placed = sharded_names(index)
        files = {name: open_tensor_file(path) for name, path in shards.items()}
        self._file_of = {}
        for name, shard in placed.items():
            if name not in files[shard].shapes:
                raise CheckpointError(f"{files[shard].path}: tensor {name!r} is missing, expected by {index.name}")
            self._file_of[name] = files[shard]
        self.shapes: Mapping[str, tuple[int, ...]] = {name: file.shapes[name] for name, file in self._file_of.items()}

    def read_rows(self, name: str, begin: int, end: int) -> torch.Tensor:
        """Rows of a tensor, in the dtype of its file."""
        return self._file_of[name].read_rows(name, begin, end)

    def release(self) -> None:
        """Release every file."""
        for file in set(self._file_of.values()):
            file.release()


def open_tensor_file(path: Path) -> TensorFile:
    """The file at `path`: by its suffix a `.safetensors` file, or else one that `torch.save` wrote."""
    return SafetensorsFile(path) if path.suffix == ".safetensors" else TorchFile(path)


def sharded_names(index: Path) -> dict[str, str]:
    """The file of its folder that holds each tensor, by an index file. Raises CheckpointError for a malformed one."""
    try:
        placed: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        valid = all(isinstance(shard, str) and shard == Path(shard).name for shard in placed.values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        valid = False
    if not valid:
        raise CheckpointError(f"{index}: expected a weight_map of tensor names to file names without a folder")
    return placed


def _reason(error: Exception, first: str) -> str:
    """What PyTorch reports about a file, without its advice to run it anyway."""
    for line in str(error).splitlines():
        if "Unsupported" in line or "GLOBAL" in line:
            return line.strip()
    return first


def _header_fault(path: Path) -> str | None:
    """What is wrong with a safetensors file that the library refuses, None where its header does not show it."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        start = file.read(8)
        if len(start) < 8:
            return f"the file has {size} bytes, expected a header's length in the first 8"
        (header_bytes,) = struct.unpack("<Q", start)
        if header_bytes > size - 8:
            return f"the header takes {header_bytes} bytes, but the file has {size}: it is cut off or false"
        if header_bytes > 1 << 27:
            return f"the header takes {header_bytes} bytes, expected less than 100 MB"
        text = file.read(header_bytes)
    with contextlib.suppress(ValueError, TypeError, AttributeError, KeyError, RecursionError):
        header = json.loads(text)
        for name, entry in header.items():
            if name != "__metadata__" and entry["data_offsets"][1] > size - 8 - header_bytes:
                end = 8 + header_bytes + entry["data_offsets"][1]
                return f"tensor {name!r} ends at byte {end}, but the file has {size}: it is cut off or false"
    return None
