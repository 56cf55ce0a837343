"""Records the first gradients of the examples on the active backend, against which the other backends are held.

Run: HORNBEAM_BACKEND=jax python -m tests.examples.record_gradients
"""

from pathlib import Path

import numpy as np

import hornbeam as keras
from tests.examples.programs import PROGRAMS, load

FILE = Path(__file__).with_name("gradients.npz")


def gradients() -> dict[str, np.ndarray]:
    """By name of the program and number of the variable."""
    return {
        f"{name}/{number}": keras.ops.convert_to_numpy(one)
        for name in PROGRAMS
        for number, one in enumerate(load(name).first_gradients())
    }


if __name__ == "__main__":
    np.savez_compressed(FILE, **gradients())
