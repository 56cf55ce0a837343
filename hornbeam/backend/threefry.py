"""Threefry-2x32 in NumPy: the counter-based generator behind `random_bits` on all backends.

J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. The layout of counters equals
that of JAX, so that JAX's own kernel gives the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def bits(key: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """uint32 random bits.

    Args:
        key: uint32 array [2].
        shape: The shape of the result.

    Returns:
        uint32 array: the two output words for each 64-bit counter, xor-ed.
    """
    count = math.prod(shape)
    result = np.empty(count, np.uint32)
    key = np.asarray(key, np.uint32)
    # piece by piece, so that all twenty rounds of a piece run in the processor's cache
    for start in range(0, count, _PIECE):
        _fill(result[start : start + _PIECE], key, start)
    return result.reshape(tuple(shape))


_PIECE = 1 << 15


def _fill(result: np.ndarray, key: np.ndarray, start: int) -> None:
    """The bits for the counters from `start` on."""
    schedule = (key[0], key[1], key[0] ^ key[1] ^ np.uint32(0x1BD11BDA))
    counter = np.arange(start, start + len(result), dtype=np.uint64)
    first, second = result, counter.astype(np.uint32)
    np.right_shift(counter, np.uint64(32), out=counter)
    first[:] = counter
    rest = np.empty_like(second)
    with np.errstate(over="ignore"):
        first += schedule[0]
        second += schedule[1]
        for block in range(5):
            for rotation in ROTATIONS[block % 2]:
                first += second
                np.right_shift(second, np.uint32(32 - rotation), out=rest)
                second <<= np.uint32(rotation)
                second |= rest
                second ^= first
            first += schedule[(block + 1) % 3]
            second += schedule[(block + 2) % 3] + np.uint32(block + 1)
    first ^= second
