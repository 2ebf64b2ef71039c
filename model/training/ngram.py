"""A smoothed n-gram model of token ids: what a network must beat to be worth its arithmetic.

Interpolated modified Kneser-Ney (Chen and Goodman 1999): three discounts an order, estimated from the counts of counts,
and below the highest order a count is in how many contexts an n-gram was seen rather than how often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class _Order:
    """One order's n-grams: sorted `keys` (context's number x vocabulary + token), counts, and sums by context."""

    keys: np.ndarray
    counts: np.ndarray
    totals: np.ndarray
    freed: np.ndarray  # by context: the mass that discounting took, for the order below
    discounts: np.ndarray  # of counts 0, 1, 2 and from 3


class KneserNey:
    """An n-gram model of sequences of ids below `vocabulary`, each sequence by itself."""

    def __init__(self, sequences: Sequence[Sequence[int] | np.ndarray], vocabulary: int, order: int = 5) -> None:
        """Raises ValueError where there is nothing to count."""
        if not sequences or not any(len(sequence) for sequence in sequences) or order < 1:
            raise ValueError(f"{len(sequences)} sequences for order {order}, expected tokens and an order from 1")
        self.vocabulary = vocabulary
        self.order = order
        tokens, real = self._padded(sequences)
        numbers = np.zeros(len(tokens), dtype=np.int64)  # of the (n-1)-gram that ends at each place
        grams: list[tuple[np.ndarray, np.ndarray]] = []
        for _ in range(order):
            context = np.concatenate([[0], numbers[:-1]])
            keys, numbers = np.unique(context * (vocabulary + 1) + tokens, return_inverse=True)
            grams.append((keys, numbers))
        self._orders: list[_Order] = []
        for n, (keys, numbers) in enumerate(grams):
            counted = numbers[real]
            if n + 1 < order:
                # One for each different longer n-gram that ends so.
                _, first = np.unique(grams[n + 1][1][real], return_index=True)
                counted = counted[first]
            contexts = len(grams[n - 1][0]) if n else 1
            counts = np.bincount(counted, minlength=len(keys))
            self._orders.append(_order(keys, counts, keys // (vocabulary + 1), contexts))

    def log_probabilities(self, sequences: Sequence[Sequence[int] | np.ndarray]) -> list[np.ndarray]:
        """Natural logarithms of each token's probability after those before it, one array a sequence."""
        tokens, real = self._padded(sequences)
        probability = np.full(len(tokens), 1 / self.vocabulary)
        numbers = np.zeros(len(tokens), dtype=np.int64)  # -1 for what was never seen
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

    def _padded(self, sequences: Sequence[Sequence[int] | np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """All ids in one array, as many starts before each sequence as a context is long, and which places are real."""
        start = [self.vocabulary] * (self.order - 1)
        parts = [part for sequence in sequences for part in (start, sequence)]
        tokens = np.concatenate([np.asarray(part, dtype=np.int64) for part in parts])
        return tokens, tokens != self.vocabulary


def _order(keys: np.ndarray, counts: np.ndarray, context: np.ndarray, contexts: int) -> _Order:
    of = np.bincount(np.minimum(counts, 5), minlength=6).astype(float)  # counts of counts
    rate = of[1] / max(of[1] + 2 * of[2], 1)
    discounts = np.zeros(4)
    for count in (1, 2, 3):
        if of[count]:
            discounts[count] = count - (count + 1) * rate * of[count + 1] / of[count]
    # Few n-grams can give estimates that take nothing, or more than there is.
    discounts[1:] = np.clip(discounts[1:], 0.1, [0.9, 1.9, 2.9])
    totals = np.bincount(context, counts, contexts)
    freed = np.bincount(context, discounts[np.minimum(counts, 3)], contexts)
    return _Order(keys, counts, totals, freed, discounts)
