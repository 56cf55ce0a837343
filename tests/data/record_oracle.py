"""Asks PyPI's keras, with TensorFlow for its loaders, about all cases: `python -m tests.data.record_oracle`."""

from pathlib import Path

import numpy as np

from tests.data import cases

ORACLE = Path(__file__).with_name("oracle.npz")

if __name__ == "__main__":
    import keras

    np.savez_compressed(ORACLE, **cases.answers(keras))
    print(f"{ORACLE.name}: {ORACLE.stat().st_size} bytes")
