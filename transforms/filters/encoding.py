"""Encoding: strict UTF-8 without NUL. Parsers accept invalid bytes in comments without a word; trainers do not."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.filter import Filter, Score
from stackfim.transforms.filters.text import count_by_row, text_of


class EncodingFaults(NamedTuple):
    """What keeps each row from being text."""

    invalid_at: npt.NDArray[np.int64]
    """First byte that is not valid UTF-8, or -1; (rows,)."""
    nul_bytes: npt.NDArray[np.int64]
    """Number of NUL bytes; (rows,)."""


def encoding_faults(content: pa.BinaryArray) -> EncodingFaults:
    """The faults of every row."""
    return EncodingFaults(invalid_utf8_at(content), nul_count(content))


def invalid_utf8_at(content: pa.BinaryArray) -> npt.NDArray[np.int64]:
    """First byte of every row that is not valid UTF-8, or -1; (rows,)."""
    at = np.full(len(content), -1, np.int64)
    try:
        # One call checks each row by itself, so that nothing passes by straddling two of them.
        content.view(pa.string()).validate(full=True)
    except pa.ArrowInvalid:
        for row, value in enumerate(content.to_pylist()):
            try:
                value.decode("utf-8")
            except UnicodeDecodeError as error:
                at[row] = error.start
    return at


def nul_count(content: pa.BinaryArray) -> npt.NDArray[np.int64]:
    """Number of NUL bytes in every row; (rows,)."""
    text = text_of(content)
    return count_by_row(np.flatnonzero(text.data == 0), text.offsets)


def decide_encoding(faults: EncodingFaults) -> Drops:
    """Drops `not_utf8` and `nul_byte` rows."""
    drops: Drops = {}
    for row in np.flatnonzero((faults.invalid_at >= 0) | (faults.nul_bytes > 0)).tolist():
        if faults.invalid_at[row] >= 0:
            drops[row] = ("not_utf8", f"invalid at byte {faults.invalid_at[row]}")
        else:
            drops[row] = ("nul_byte", f"{faults.nul_bytes[row]} NUL bytes")
    return drops


INVALID_AT = "invalid_at"
"""The score that is null where a row is valid UTF-8."""
ENCODING: Filter[EncodingFaults] = Filter(
    stage="encoding",
    measure=lambda rows, plan: encoding_faults(rows.column("content")),
    decide=lambda faults, languages, plan: decide_encoding(faults),
    scores=(
        Score(INVALID_AT, pa.int64(), lambda faults: faults.invalid_at),
        Score("nul_bytes", pa.int64(), lambda faults: faults.nul_bytes, lambda plan, language: "at most 0"),
    ),
)
