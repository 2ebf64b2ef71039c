"""Stable random draws: a function of a key such as content, slot and seed, never of order, process or machine."""

import hashlib

_MASK = (1 << 64) - 1


class Draws:
    """A stream of draws: SplitMix64 (Steele, Lea and Flood 2014)."""

    __slots__ = ("_state",)

    def __init__(self, *key: str | int) -> None:
        """Seeds the stream with BLAKE2b of the key's parts."""
        text = "\x1f".join(str(part) for part in key)
        self._state = int.from_bytes(
            hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
        )

    def next(self) -> int:
        """The next 64 bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def uniform(self) -> float:
        """A number in [0, 1)."""
        return (self.next() >> 11) / (1 << 53)

    def below(self, bound: int) -> int:
        """A number in [0, bound); `bound` is at least 1 and far below 2^64, so the bias of the remainder is negligible."""
        return self.next() % bound
