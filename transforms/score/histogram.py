"""Histograms on fixed bins: counts that add up over batches and shards in any order, quantiles and AUC from them.

Bins are equal in the logarithm of an nll and in the logit of a probability, so that small values are told apart as well
as large ones: neighbours differ by 2% and 5%.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scale:
    """Bins of width `step` from `low` to `high` after `forward`; what lies outside is in the first or last bin."""

    low: float
    high: float
    step: float
    forward: Callable[[np.ndarray], np.ndarray]
    backward: Callable[[float], float]

    @property
    def bins(self) -> int:
        """Number of bins."""
        return round((self.high - self.low) / self.step)

    def index(self, values: np.ndarray) -> np.ndarray:
        """The bin of each value, int64; shape as `values`."""
        with np.errstate(divide="ignore"):
            places = (self.forward(np.asarray(values, np.float64)) - self.low) / self.step
        return np.clip(places, 0, self.bins - 1).astype(np.int64)

    def value(self, place: float) -> float:
        """The value at a place counted in bins; `index(value(i + 0.5)) == i`."""
        return self.backward(self.low + place * self.step)

    def counts(self, values: np.ndarray) -> np.ndarray:
        """Values by bin, int64 (bins,)."""
        return np.bincount(self.index(values), minlength=self.bins)

    def dense(self, counts: Mapping[int, int]) -> np.ndarray:
        """Counts by number of the bin as an array, int64 (bins,)."""
        array = np.zeros(self.bins, np.int64)
        for index, count in counts.items():
            array[index] += count
        return array


def _logit(values: np.ndarray) -> np.ndarray:
    return np.log(values) - np.log1p(-values)


NLL = Scale(math.log(1e-4), math.log(100.0), 0.02, np.log, math.exp)
PROBABILITY = Scale(-16.0, 16.0, 0.05, _logit, lambda logit: 1 / (1 + math.exp(-logit)))
DIFFERENCE = Scale(-5.0, 5.0, 0.02, lambda values: values, float)
"""Of two nll."""


def quantile(scale: Scale, counts: np.ndarray, share: float) -> float:
    """The value below which `share` of the counted ones lie, by a straight line inside its bin.

    Raises ValueError where nothing was counted.
    """
    total = int(counts.sum())
    if not total:
        raise ValueError("a quantile needs values, got none")
    below = np.cumsum(counts)
    wanted = share * total
    place = int(np.searchsorted(below, wanted, "left"))
    while not counts[place]:  # at a share of 0 the first bins may be empty
        place += 1
    inside = (wanted - (below[place] - counts[place])) / counts[place]
    return scale.value(place + min(max(inside, 0.0), 1.0))


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Chance that a positive's value is above a negative's, those in one bin counting half; counts (bins,) each.

    The area under the ROC curve (Hanley and McNeil 1982). Raises ValueError where either side is empty.
    """
    pairs = int(positive.sum()) * int(negative.sum())
    if not pairs:
        raise ValueError("an AUC needs positives and negatives, got none on a side")
    below = np.cumsum(negative) - negative
    return float((positive * (below + 0.5 * negative)).sum() / pairs)
