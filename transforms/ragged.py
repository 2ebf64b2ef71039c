"""Lists of different lengths in flat arrays: all values in one array, where each list starts and ends in another.

Shingle sets, buckets and components are such lists: list i is `values[offsets[i]:offsets[i + 1]]`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt


def offsets_of(sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Offsets of lists of these sizes: int64, shape (lists + 1,), from 0 to the sum of the sizes."""
    offsets = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    return offsets


def ranges(starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The `lengths[i]` numbers starts[i], starts[i] + 1, ... of every range, one range after another: int64."""
    ends = np.cumsum(lengths)
    return np.repeat(starts - ends + lengths, lengths) + np.arange(ends[-1] if len(ends) else 0)


def begins_run(ordered: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where a run of equal values begins in an ordered array: bool, of the same length."""
    begins = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=begins[1:])
    return begins


def distinct(ordered: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The different values of an ordered array, in order."""
    return ordered[begins_run(ordered)]


def run_offsets(ordered: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Offsets of the runs of equal values in an ordered array: int64, shape (runs + 1,)."""
    return np.append(np.flatnonzero(begins_run(ordered)), len(ordered))
