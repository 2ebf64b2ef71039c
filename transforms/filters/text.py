"""The bytes of a column as one array with the borders of its rows: scores of whole batches are computed on it."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

BLANKS = b" \t\r\n\x0b\x0c"
"""The characters of ASCII that are not visible."""


class Text(NamedTuple):
    """The bytes of all rows one after another."""

    data: npt.NDArray[np.uint8]
    """(bytes,)."""
    offsets: npt.NDArray[np.int64]
    """Row i is data[offsets[i]:offsets[i + 1]]; (rows + 1,)."""


def text_of(content: pa.BinaryArray) -> Text:
    """The bytes of a binary column without nulls, which are not copied."""
    _, offsets_buffer, data_buffer = content.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int32, len(content) + 1, content.offset * 4).astype(np.int64)
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer is not None else np.zeros(0, np.uint8)
    return Text(data[offsets[0] : offsets[-1]], offsets - offsets[0])


def count_by_row(positions: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many of the sorted byte `positions` are in each row; (rows,)."""
    return np.diff(np.searchsorted(positions, offsets))


def characters(text: Text) -> npt.NDArray[np.int64]:
    """Number of code points in each row of valid UTF-8; (rows,)."""
    sizes: npt.NDArray[np.int64] = np.diff(text.offsets)
    return sizes - count_by_row(continuation_bytes(text), text.offsets)


def continuation_bytes(text: Text) -> npt.NDArray[np.int64]:
    """Positions of the bytes that continue a code point, ascending."""
    return np.flatnonzero((text.data & 0xC0) == 0x80)
