"""One call that makes a whole program repeatable."""

from __future__ import annotations

import random as python_random

import numpy as np

from hornbeam import random
from hornbeam.errors import ArgumentError


def set_random_seed(seed: int) -> None:
    """Seeds Python's `random`, NumPy and all of hornbeam's own random numbers.

    Args:
        seed: An integer from 0 to 2**32 - 1.

    Raises:
        ValueError: If `seed` is anything else.

    >>> set_random_seed(42)
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ArgumentError("an integer from 0 to 2**32 - 1", f"seed={seed!r}", "set_random_seed")
    seed = int(seed)
    python_random.seed(seed)
    np.random.seed(seed)
    random.set_global_seed(seed)
