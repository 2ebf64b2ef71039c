"""Share of alphanumeric characters: low in data, art and symbol tables.

Rule and threshold: The Stack's preprocessing (Kocetkov et al. 2022; StarCoder, Li et al. 2023, section 3.1), 0.25. Here it
is a share of the visible characters, since small programs with deep indents are code. Letters and digits are what
`str.isalnum` says, so ideographs and Cyrillic count.
"""

import itertools
import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops, drop_where
from stackfim.transforms.filters.filter import Bounds, Filter, Score
from stackfim.transforms.filters.text import BLANKS, characters, text_of

_ASCII = bytes(byte for byte in range(128) if chr(byte).isalnum())
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def alphanumeric_fraction(content: pa.BinaryArray) -> npt.NDArray[np.float64]:
    """Share of the visible characters of every row of valid UTF-8 that are alphanumeric; 0 for blank rows; (rows,)."""
    text = text_of(content)
    sizes = np.diff(text.offsets)
    counts, blanks = np.zeros(len(sizes), np.int64), np.zeros(len(sizes), np.int64)
    # Row by row, each stays in the processor's cache; looking all bytes of the batch up in a table would stream many times
    # its size through memory.
    data = memoryview(text.data.data)
    for row, (start, stop) in enumerate(itertools.pairwise(text.offsets.tolist())):
        others = bytes(data[start:stop]).translate(None, _ASCII)
        counts[row] = stop - start - len(others)
        blanks[row] = len(others) - len(others.translate(None, BLANKS))
    lengths = characters(text)
    for row in np.flatnonzero(lengths < sizes).tolist():
        beyond = "".join(_BEYOND_ASCII.findall(content[row].as_py().decode("utf-8")))
        counts[row] += sum(map(str.isalnum, beyond))
    fractions: npt.NDArray[np.float64] = counts / np.maximum(lengths - blanks, 1)
    return fractions


def decide_alphanumeric(fractions: npt.NDArray[np.float64], min_fraction: float) -> Drops:
    """Drops `too_few_alphanumeric` rows."""
    details = [
        f"{fraction:.3f} of the visible characters are alphanumeric, expected at least {min_fraction:g}"
        for fraction in fractions.tolist()
    ]
    return drop_where(fractions < min_fraction, "too_few_alphanumeric", details)


ALPHANUMERIC: Filter[npt.NDArray[np.float64]] = Filter(
    stage="alphanumeric",
    measure=lambda rows, plan: alphanumeric_fraction(rows.column("content")),
    decide=lambda fractions, languages, plan: decide_alphanumeric(fractions, plan.settings.min_alphanumeric_fraction),
    scores=(
        Score(
            "alphanumeric_fraction",
            pa.float64(),
            lambda fractions: fractions,
            Bounds(minimum="min_alphanumeric_fraction"),
            "Letters and digits, of the visible characters.",
        ),
    ),
)
