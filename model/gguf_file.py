"""Reading GGUF files: the keys, and tensors of any type row by row, as PyTorch tensors.

The header is read here, because the reader of the `gguf` package trusts it: a false count makes it allocate without
end, and Refact's vocabulary takes it three seconds and 157 MB. Blocks of quantised types are decoded by the package.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch

from stackfim.model.checkpoint_error import CheckpointError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
STRING, ARRAY = 8, 9
BOOLEAN = 7
SCALARS = dict(enumerate(("<u1", "<i1", "<u2", "<i2", "<u4", "<i4", "<f4", "<u1"))) | {10: "<u8", 11: "<i8", 12: "<f8"}
LARGEST_LIST = 1 << 24

READABLE = (
    *("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"),
    *("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS"),
)


@dataclass(frozen=True, slots=True)
class _Tensor:
    shape: tuple[int, ...]
    kind: gguf.GGMLQuantizationType
    begin: int
    row_bytes: int


class GGUFFile:
    """A memory-mapped GGUF file.

    `fields` are its keys: numbers, booleans, strings and lists of them. `shapes` are the shapes of its tensors, outermost
    dimension first.
    """

    def __init__(self, path: Path) -> None:
        """Raises CheckpointError for a file that is not GGUF, is cut off, or has counts that cannot be true."""
        self.path = path
        with open(path, "rb") as file:
            if file.read(4) != MAGIC:
                raise CheckpointError(f"{path}: the file does not begin with 'GGUF'")
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        header = _Header(path, self._map)
        if header.version not in VERSIONS:
            raise CheckpointError(f"{path}: GGUF version {header.version}, expected one of {VERSIONS}, little-endian")
        tensor_count, key_count = header.number("<u8", "tensor count"), header.number("<u8", "key count")
        header.check_count("tensor count", tensor_count, 24)
        header.check_count("key count", key_count, 13)
        self.fields: dict[str, Any] = {}
        for _ in range(key_count):
            key = header.string("a key")
            if key in self.fields:
                raise CheckpointError(f"{path}: key {key!r} occurs twice")
            self.fields[key] = header.value(key, header.number("<u4", key))
        self._tensors = self._read_tensors(header, tensor_count)
        self.shapes: Mapping[str, tuple[int, ...]] = {name: tensor.shape for name, tensor in self._tensors.items()}

    def _read_tensors(self, header: _Header, count: int) -> dict[str, _Tensor]:
        alignment = self.fields.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 20:
            raise CheckpointError(f"{self.path}: general.alignment is {alignment!r}, expected a small power of two")
        tensors: dict[str, _Tensor] = {}
        for _ in range(count):
            name = header.string("a tensor's name")
            if name in tensors:
                raise CheckpointError(f"{self.path}: tensor {name!r} occurs twice")
            dimensions = header.number("<u4", name)
            if not 1 <= dimensions <= 4:
                raise CheckpointError(f"{self.path}: tensor {name!r} has {dimensions} dimensions, expected 1 to 4")
            shape = tuple(header.number("<u8", name) for _ in range(dimensions))[::-1]
            kind = _kind(self.path, name, header.number("<u4", name))
            block_size, block_bytes = gguf.GGML_QUANT_SIZES[kind]
            if shape[-1] % block_size:
                raise CheckpointError(
                    f"{self.path}: tensor {name!r} is {kind.name} with rows of {shape[-1]}, "
                    f"expected a multiple of {block_size}"
                )
            row_bytes = shape[-1] // block_size * block_bytes
            tensors[name] = _Tensor(shape, kind, header.number("<u8", name), row_bytes)
        data = -(-header.at // alignment) * alignment
        for name, tensor in tensors.items():
            begin = data + tensor.begin
            end = begin + math.prod(tensor.shape[:-1]) * tensor.row_bytes
            if end > len(self._map):
                raise CheckpointError(
                    f"{self.path}: tensor {name!r} ends at byte {end}, but the file has {len(self._map)}: it is cut off"
                )
            tensors[name] = _Tensor(tensor.shape, tensor.kind, begin, tensor.row_bytes)
        return tensors

    def read_rows(self, name: str, begin: int, end: int) -> torch.Tensor:
        """Rows of a tensor (entries of a vector), dequantised; float32, or float16 where the file has that."""
        tensor = self._tensors[name]
        row_bytes = tensor.row_bytes if len(tensor.shape) > 1 else tensor.row_bytes // tensor.shape[0]
        start = tensor.begin + begin * row_bytes
        raw = np.frombuffer(self._map, np.uint8, (end - begin) * row_bytes, start).reshape(end - begin, row_bytes)
        if tensor.kind == gguf.GGMLQuantizationType.F16:
            rows = torch.from_numpy(raw.view(np.float16).copy())
        else:
            # A copy, so that the page in the file's map can be freed.
            rows = torch.from_numpy(gguf.dequantize(raw.copy(), tensor.kind))
        return rows.reshape(end - begin, *tensor.shape[1:])

    def release(self) -> None:
        """Free the memory of the pages read so far; they stay readable."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)


class _Header:
    """A cursor over the header that checks each count against what is left of the file."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self.path = path
        self.data = data
        self.at = 4
        self.version = self.number("<u4", "version")

    def take(self, size: int, key: str) -> int:
        at = self.at
        if size > len(self.data) - at:
            left = len(self.data) - at
            raise CheckpointError(
                f"{self.path}: {key!r} takes {size} bytes, but {left} are left: the file is cut off or false"
            )
        self.at += size
        return at

    def check_count(self, key: str, count: int, item_bytes: int) -> None:
        left = len(self.data) - self.at
        if count * item_bytes > left:
            raise CheckpointError(f"{self.path}: {key} is {count}, more than the {left} bytes that are left can hold")
        if count > LARGEST_LIST:
            raise CheckpointError(f"{self.path}: {key} is {count}, expected at most {LARGEST_LIST}")

    def number(self, dtype: str, key: str) -> int:
        size = int(dtype[2])
        at = self.take(size, key)
        return int.from_bytes(self.data[at : at + size], "little", signed=dtype[1] == "i")

    def string(self, key: str) -> str:
        size = self.number("<u8", key)
        at = self.take(size, key)
        try:
            return self.data[at : at + size].decode("utf-8")
        except UnicodeDecodeError as error:
            raise CheckpointError(f"{self.path}: {key!r} is not UTF-8 text: {error}") from None

    def value(self, key: str, kind: int) -> Any:
        if kind == STRING:
            return self.string(key)
        if kind in SCALARS:
            return self.scalars(key, kind, 1)[0]
        if kind != ARRAY:
            raise CheckpointError(f"{self.path}: key {key!r} has type {kind}, expected 0 to 12")
        item = self.number("<u4", key)
        count = self.number("<u8", key)
        if item == STRING:
            self.check_count(f"the length of {key!r}", count, 8)
            return [self.string(key) for _ in range(count)]
        if item not in SCALARS:
            raise CheckpointError(f"{self.path}: key {key!r} is a list of type {item}, expected numbers or strings")
        return self.scalars(key, item, count)

    def scalars(self, key: str, kind: int, count: int) -> list[Any]:
        dtype = np.dtype(SCALARS[kind])
        self.check_count(f"the length of {key!r}", count, dtype.itemsize)
        at = self.take(count * dtype.itemsize, key)
        values = np.frombuffer(self.data, dtype, count, at).tolist()
        return [bool(value) for value in values] if kind == BOOLEAN else values


def _kind(path: Path, name: str, number: int) -> gguf.GGMLQuantizationType:
    try:
        kind = gguf.GGMLQuantizationType(number)
    except ValueError:
        raise CheckpointError(f"{path}: tensor {name!r} has the unknown type {number}") from None
    if kind.name not in READABLE:
        raise CheckpointError(f"{path}: tensor {name!r} is {kind.name}, expected one of {', '.join(READABLE)}")
    return kind
