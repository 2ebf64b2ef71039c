"""Encoded data: base64, hex and escaped bytes, which no one writes by hand and no one completes.

Rule: StarCoder2 (Lozhkov et al. 2024) drops files by the longest match of such expressions and by the share that all matches
cover. Here a run counts from 64 bytes on, and only where it looks encoded: paths, names and word lists do not.
"""

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops, drop_over, either
from stackfim.transforms.filters.filter import Bounds, Filter, Score
from stackfim.transforms.filters.quality_limits import QualityLimits
from stackfim.transforms.filters.text import Text, text_of

MIN_RUN_BYTES = 64
_LOAD = 8
_ALPHABET = np.zeros(256, bool)
_ALPHABET[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")] = True
_RUN = re.compile(rb"[A-Za-z0-9+/=]{%d,}" % MIN_RUN_BYTES)
_HEX = re.compile(rb"[0-9a-fA-F]+")
# The backslash stands before the alternatives, so that the search jumps from one to the next.
_ESCAPES = re.compile(rb"\\(?:x[0-9a-fA-F]{2}(?:\\x[0-9a-fA-F]{2}){15,}|[0-3]?[0-7]{2}(?:\\[0-3]?[0-7]{2}){15,})")
_MIN_DIGITS = 4


class Encoded(NamedTuple):
    """Encoded data of every row."""

    size_bytes: npt.NDArray[np.int64]
    """Bytes of encoded data; (rows,)."""
    share: npt.NDArray[np.float64]
    """Their share of the row's bytes; (rows,)."""


def encoded_data(content: pa.BinaryArray) -> Encoded:
    """Bytes of every row in runs of base64, hex or escaped bytes of at least 64 bytes."""
    text = text_of(content)
    found = np.zeros(len(content), np.int64)
    for row in np.union1d(_rows_with_long_runs(text), _rows_with_escapes(text)).tolist():
        found[row] = _encoded_bytes(text.data[text.offsets[row] : text.offsets[row + 1]].tobytes())
    return Encoded(found, found / np.maximum(np.diff(text.offsets), 1))


def _rows_with_long_runs(text: Text) -> npt.NDArray[np.int64]:
    """Rows that may have a long run: a run of 64 bytes fills 7 aligned groups of 8 bytes, which hardly any line does."""
    padded = np.zeros(-(-len(text.data) // _LOAD) * _LOAD, bool)
    padded[: len(text.data)] = _ALPHABET[text.data]
    whole = padded.view(np.uint64) == np.uint64(0x0101010101010101)
    groups = MIN_RUN_BYTES // _LOAD - 1
    if len(whole) < groups:
        return np.zeros(0, np.int64)
    long = whole[: len(whole) - groups + 1].copy()
    for place in range(1, groups):
        long &= whole[place : len(whole) - groups + 1 + place]
    # The first of the groups lies inside the run whatever the run's alignment.
    return np.unique(np.searchsorted(text.offsets, np.flatnonzero(long) * _LOAD, side="right") - 1)


def _rows_with_escapes(text: Text) -> npt.NDArray[np.int64]:
    """Rows with at least 16 backslashes before a digit or an x."""
    backslashes = np.flatnonzero(text.data[:-1] == 0x5C)
    after = text.data[backslashes + 1]
    escapes = backslashes[(after == ord("x")) | ((after >= ord("0")) & (after <= ord("7")))]
    counts = np.diff(np.searchsorted(escapes, text.offsets))
    return np.flatnonzero(counts >= 16)


def _encoded_bytes(row: bytes) -> int:
    runs = (match.group() for match in _RUN.finditer(row))
    escapes = (len(match.group()) for match in _ESCAPES.finditer(row))
    return sum(len(run) for run in runs if _looks_encoded(run)) + sum(
        length for length in escapes if length >= MIN_RUN_BYTES
    )


def _looks_encoded(run: bytes) -> bool:
    """Whether it is hex, or has letters of both cases and digits, and is not one character over and over."""
    if len(set(run)) < 8:
        return False
    digits = sum(0x30 <= byte <= 0x39 for byte in run)
    if _HEX.fullmatch(run):
        return digits >= len(run) // 8
    return digits >= _MIN_DIGITS and run.lower() != run and run.upper() != run and run.count(b"/") < len(run) // 12


def decide_encoded(encoded: Encoded, limits: list[QualityLimits]) -> Drops:
    """Drops `encoded_data` rows: those over the limit of the share or of the size."""
    return either(
        drop_over(
            encoded.size_bytes,
            [limit.max_encoded_bytes for limit in limits],
            "encoded_data",
            "{value} bytes of encoded data, expected at most {limit}",
        ),
        drop_over(
            encoded.share,
            [limit.max_encoded_share for limit in limits],
            "encoded_data",
            "{value:.3f} of the bytes are encoded data, expected at most {limit:g}",
        ),
    )


ENCODED_DATA: Filter[Encoded] = Filter(
    stage="encoded_data",
    measure=lambda rows, plan: encoded_data(rows.column("content")),
    decide=lambda encoded, languages, plan: decide_encoded(encoded, plan.limits(languages)),
    scores=(
        Score(
            "encoded_bytes",
            pa.int64(),
            lambda encoded: encoded.size_bytes,
            Bounds(maximum="max_encoded_bytes"),
            "Bytes in runs of base64, hex and escapes of 64 bytes or more.",
        ),
        Score(
            "encoded_share",
            pa.float64(),
            lambda encoded: encoded.share,
            Bounds(maximum="max_encoded_share"),
            "The same, of all bytes.",
        ),
    ),
)
