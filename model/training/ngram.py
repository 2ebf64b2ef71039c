"""A smoothed n-gram model of token ids: what a network must beat to be worth its arithmetic.

Interpolated modified Kneser-Ney (Chen and Goodman 1999): each order has three discounts, estimated from the counts of
counts, and below the highest order the count of an n-gram is the number of contexts in which it was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Order:
    """The n-grams of one order: sorted `keys` (context's number x vocabulary + token), counts, and sums by context."""

    keys: Integers
    counts: Integers
    totals: Floats
    freed: Floats  # by context: the mass that discounting took away, for the order below
    discounts: Floats  # of counts 0, 1, 2, and 3 or more


class KneserNey:
    """An n-gram model of sequences of ids below `vocabulary`; no n-gram reaches from one sequence into the next."""

    def __init__(self, sequences: Sequence[Sequence[int] | Integers], vocabulary: int, order: int = 5) -> None:
        """Raises ValueError for sequences without a token, and for an order below 1."""
        if not sequences or not any(len(sequence) for sequence in sequences) or order < 1:
            raise ValueError(f"{len(sequences)} sequences for order {order}, expected tokens and an order from 1")
        self.vocabulary = vocabulary
        self.order = order
        tokens, real = self._padded(sequences)
        numbers = np.zeros(len(tokens), dtype=np.int64)  # of the (n-1)-gram that ends at each place
        grams: list[tuple[Integers, Integers]] = []
        for _ in range(order):
            context = np.concatenate([[0], numbers[:-1]])
            keys, numbers = np.unique(context * (vocabulary + 1) + tokens, return_inverse=True)
            grams.append((keys, numbers))
        self._orders: list[_Order] = []
        for n, (keys, numbers) in enumerate(grams):
            counted = numbers[real]
            if n + 1 < order:
                # One for each different longer n-gram that ends with it.
                _, first = np.unique(grams[n + 1][1][real], return_index=True)
                counted = counted[first]
            contexts = len(grams[n - 1][0]) if n else 1
            counts = np.bincount(counted, minlength=len(keys))
            self._orders.append(_order(keys, counts, keys // (vocabulary + 1), contexts))

    def log_probabilities(self, sequences: Sequence[Sequence[int] | Integers]) -> list[Floats]:
        """For each sequence, the natural logarithm of each token's probability after the tokens before it."""
        tokens, real = self._padded(sequences)
        probability = np.full(len(tokens), 1 / self.vocabulary)
        numbers = np.zeros(len(tokens), dtype=np.int64)  # -1 for an n-gram that was never seen
        for order in self._orders:
            context = np.concatenate([[0], numbers[:-1]])
            known = context >= 0
            keys = context * (self.vocabulary + 1) + tokens
            place = np.minimum(np.searchsorted(order.keys, keys), len(order.keys) - 1)
            found = known & (order.keys[place] == keys)
            counts = np.where(found, order.counts[place], 0)
            totals = np.where(known, order.totals[context], 0)
            kept = counts - order.discounts[np.minimum(counts, 3)]
            interpolated = (kept + order.freed[context] * probability) / np.maximum(totals, 1)
            probability = np.where(totals > 0, interpolated, probability)
            numbers = np.where(found, place, -1)
        ends = np.cumsum([len(sequence) for sequence in sequences])[:-1]
        return np.split(np.log(probability[real]), ends)

    def _padded(self, sequences: Sequence[Sequence[int] | Integers]) -> tuple[Integers, npt.NDArray[np.bool_]]:
        """All ids in one array, each sequence after a context of start symbols, and which places hold real ids."""
        start = [self.vocabulary] * (self.order - 1)
        parts = [part for sequence in sequences for part in (start, sequence)]
        tokens = np.concatenate([np.asarray(part, dtype=np.int64) for part in parts])
        return tokens, tokens != self.vocabulary


def _order(keys: Integers, counts: Integers, context: Integers, contexts: int) -> _Order:
    of = np.bincount(np.minimum(counts, 5), minlength=6).astype(float)  # counts of counts
    rate = of[1] / max(of[1] + 2 * of[2], 1)
    discounts = np.zeros(4)
    for count in (1, 2, 3):
        if of[count]:
            discounts[count] = count - (count + 1) * rate * of[count + 1] / of[count]
    # Estimates from few n-grams can take away nothing, or more than there is.
    discounts[1:] = np.clip(discounts[1:], 0.1, [0.9, 1.9, 2.9])
    totals = np.bincount(context, counts, contexts).astype(np.float64)
    freed = np.bincount(context, discounts[np.minimum(counts, 3)], contexts).astype(np.float64)
    return _Order(keys, counts, totals, freed, discounts)
