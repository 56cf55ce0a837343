"""Threefry-2x32 in NumPy: the counter-based generator behind `random_bits` on all backends.

J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. The layout of counters equals
that of JAX, so that JAX's own kernel gives the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def bits(key: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """uint32 random bits.

    Args:
        key: uint32 array [2].
        shape: The shape of the result.

    Returns:
        uint32 array: the two output words for each 64-bit counter, xor-ed.
    """
    count = math.prod(shape)
    counter = np.arange(count, dtype=np.uint64)
    high, low = (counter >> np.uint64(32)).astype(np.uint32), counter.astype(np.uint32)
    first, second = _threefry(np.asarray(key, np.uint32), high, low)
    return (first ^ second).reshape(tuple(shape))


def _threefry(key: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    schedule = (key[0], key[1], key[0] ^ key[1] ^ np.uint32(0x1BD11BDA))
    with np.errstate(over="ignore"):
        first = first + schedule[0]
        second = second + schedule[1]
        for block in range(5):
            for rotation in _ROTATIONS[block % 2]:
                first = first + second
                second = (second << np.uint32(rotation)) | (second >> np.uint32(32 - rotation))
                second = second ^ first
            first = first + schedule[(block + 1) % 3]
            second = second + schedule[(block + 2) % 3] + np.uint32(block + 1)
    return first, second
