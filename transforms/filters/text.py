"""The bytes of a column as one array, with the rows' borders: what batch-wise scores are computed on."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

BLANKS = b" \t\r\n\x0b\x0c"
"""What is not visible, of ASCII."""


class Text(NamedTuple):
    """The bytes of all rows one after another."""

    data: np.ndarray
    """uint8, (bytes,)."""
    offsets: np.ndarray
    """int64, (rows + 1,): row i is data[offsets[i]:offsets[i + 1]]."""


def text_of(content: pa.BinaryArray) -> Text:
    """The bytes of a binary column without nulls; no copy."""
    _, offsets_buffer, data_buffer = content.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int32, len(content) + 1, content.offset * 4).astype(np.int64)
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer is not None else np.zeros(0, np.uint8)
    return Text(data[offsets[0] : offsets[-1]], offsets - offsets[0])


def count_by_row(positions: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """How many of the sorted byte `positions` fall in each row; int64, (rows,)."""
    return np.diff(np.searchsorted(positions, offsets))


def characters(text: Text) -> np.ndarray:
    """Code points of each row of valid UTF-8; int64, (rows,)."""
    return np.diff(text.offsets) - count_by_row(continuation_bytes(text), text.offsets)


def continuation_bytes(text: Text) -> np.ndarray:
    """Positions of the bytes that continue a code point; sorted int64."""
    return np.flatnonzero((text.data & 0xC0) == 0x80)
