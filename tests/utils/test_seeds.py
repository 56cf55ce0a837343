"""set_random_seed makes Python, NumPy and hornbeam repeat themselves."""

import random

import numpy as np
import pytest

from hornbeam import random as hornbeam_random
from hornbeam.backend import active as backend
from hornbeam.utils.seeds import set_random_seed


def draw():
    return random.random(), np.random.rand(3).tolist(), backend.to_numpy(hornbeam_random.normal((3,))).tolist()


def test_the_same_seed_gives_the_same_numbers():
    set_random_seed(7)
    first = draw()
    second = draw()
    set_random_seed(np.int64(7))
    assert draw() == first
    assert all(a != b for a, b in zip(first, second, strict=True))
    set_random_seed(8)
    assert all(a != b for a, b in zip(first, draw(), strict=True))


@pytest.mark.parametrize("seed", ["x", -1, 2**32, 3.0, True, None])
def test_bad_seeds(seed):
    with pytest.raises(ValueError, match="set_random_seed"):
        set_random_seed(seed)
