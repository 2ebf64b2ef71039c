"""Encoding: strict UTF-8 without NUL. Parsers pass invalid bytes in comments on without a word; trainers do not."""

import numpy as np
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.text import count_by_row, text_of


def invalid_utf8_at(content: pa.BinaryArray) -> np.ndarray:
    """First byte of every row that is not valid UTF-8, -1 where all is; int64, (rows,)."""
    at = np.full(len(content), -1, np.int64)
    try:
        # Checks all rows at once; each alone, so nothing passes by straddling two of them.
        content.view(pa.string()).validate(full=True)
    except pa.ArrowInvalid:
        for row, value in enumerate(content.to_pylist()):
            try:
                value.decode("utf-8")
            except UnicodeDecodeError as error:
                at[row] = error.start
    return at


def nul_count(content: pa.BinaryArray) -> np.ndarray:
    """NUL bytes of every row; int64, (rows,)."""
    text = text_of(content)
    return count_by_row(np.flatnonzero(text.data == 0), text.offsets)


def decide_encoding(invalid_at: np.ndarray, nul: np.ndarray) -> Drops:
    """Drops `not_utf8` and `nul_byte` rows."""
    drops: Drops = {}
    for row in np.flatnonzero((invalid_at >= 0) | (nul > 0)).tolist():
        if invalid_at[row] >= 0:
            drops[row] = ("not_utf8", f"invalid at byte {invalid_at[row]}")
        else:
            drops[row] = ("nul_byte", f"{nul[row]} NUL bytes")
    return drops
