"""Histograms with fixed bins: counts that add up over batches and shards in any order, and quantiles and AUC of them.

Bins have equal widths in the logarithm of an nll and in the logit of a probability, so that small values are told apart as
well as large ones: neighbours differ by 2% and 5%.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """Bins of width `step` from `low` to `high` after `forward`; values outside are in the first or last bin."""

    low: float
    high: float
    step: float
    forward: Callable[[Floats], Floats]
    backward: Callable[[float], float]

    @property
    def bins(self) -> int:
        """Number of bins."""
        return round((self.high - self.low) / self.step)

    def index(self, values: npt.NDArray[np.floating[Any]]) -> Integers:
        """The bin of each value; same shape as `values`."""
        with np.errstate(divide="ignore"):
            places = (self.forward(np.asarray(values, np.float64)) - self.low) / self.step
        return np.clip(places, 0, self.bins - 1).astype(np.int64)

    def value(self, place: float) -> float:
        """The value at a place that is counted in bins; `index(value(i + 0.5)) == i`."""
        return self.backward(self.low + place * self.step)

    def counts(self, values: npt.NDArray[np.floating[Any]]) -> Integers:
        """How many values are in each bin, (bins,)."""
        return np.bincount(self.index(values), minlength=self.bins)

    def dense(self, counts: Mapping[int, int]) -> Integers:
        """Counts by the number of the bin as an array, (bins,)."""
        array = np.zeros(self.bins, np.int64)
        for index, count in counts.items():
            array[index] += count
        return array


def _logit(values: Floats) -> Floats:
    return np.log(values) - np.log1p(-values)


NLL = Scale(math.log(1e-4), math.log(100.0), 0.02, np.log, math.exp)
PROBABILITY = Scale(-16.0, 16.0, 0.05, _logit, lambda logit: 1 / (1 + math.exp(-logit)))
DIFFERENCE = Scale(-5.0, 5.0, 0.02, lambda values: values, float)
"""For the difference of two nll."""


def quantile(scale: Scale, counts: Integers, share: float) -> float:
    """The quantile of the counted values at `share` (from 0 to 1), interpolated linearly inside its bin.

    Raises ValueError where nothing was counted.
    """
    total = int(counts.sum())
    if not total:
        raise ValueError("a quantile needs values, got none")
    below = np.cumsum(counts)
    wanted = share * total
    place = int(np.searchsorted(below, wanted, "left"))
    while not counts[place]:  # the first bins may be empty, where the share is 0
        place += 1
    inside = (wanted - (below[place] - counts[place])) / counts[place]
    return scale.value(place + min(max(inside, 0.0), 1.0))


def auc(positive: Integers, negative: Integers) -> float:
    """Chance that a positive's value is above a negative's, where values in one bin count half; counts (bins,) each.

    This is the area under the ROC curve (Hanley and McNeil 1982). Raises ValueError where either side is empty.
    """
    pairs = int(positive.sum()) * int(negative.sum())
    if not pairs:
        raise ValueError("an AUC needs positives and negatives, got none on a side")
    below = np.cumsum(negative) - negative
    return float((positive * (below + 0.5 * negative)).sum() / pairs)
