"""The integer mixing that shingles, signatures and band keys share: finalisers and odd factors, modulo 2^32 or 2^64.

The finalisers are those of MurmurHash3 (Austin Appleby, public domain): bijections in which every bit of the input affects
every bit of the output.
"""

import numpy as np
import numpy.typing as npt

GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / golden ratio, odd: Knuth, The Art of Computer Programming, section 6.4


def finalise_32(values: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """The 32-bit finaliser of every value, as a new array."""
    mixed = values ^ (values >> np.uint32(16))
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    return mixed


def finalise_64(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The 64-bit finaliser of every value, as a new array."""
    mixed = values ^ (values >> np.uint64(33))
    mixed *= np.uint64(0xFF51AFD7ED558CCD)
    mixed ^= mixed >> np.uint64(33)
    mixed *= np.uint64(0xC4CEB9FE1A85EC53)
    mixed ^= mixed >> np.uint64(33)
    return mixed


def place_factors(count: int) -> npt.NDArray[np.uint64]:
    """A different odd factor for each of `count` places, so that a sum of values times factors depends on their order."""
    return np.array([pow(GOLDEN, 2 * place + 1, 2**64) for place in range(count)], np.uint64)
