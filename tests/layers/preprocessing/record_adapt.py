"""Asks Keras, a black box on JAX, what its layers learn from the data of adapt_cases.py; writes adapted.json.

Run from the root of the repository: `python -m tests.layers.preprocessing.record_adapt`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

from tests.layers.preprocessing.adapt_cases import DISCRETIZATION, NORMALIZATION


def main() -> None:
    result: dict[str, dict] = {"normalization": {}, "discretization": {}}
    for name, case in NORMALIZATION.items():
        layer = keras.layers.Normalization(axis=case["axis"])
        for data in case["data"]:
            layer.adapt(data)
        result["normalization"][name] = {
            key: np.asarray(value, "float64").tolist()
            for key, value in (("mean", layer.mean), ("variance", layer.variance), ("outputs", layer(case["data"][-1])))
        }
    for name, case in DISCRETIZATION.items():
        layer = keras.layers.Discretization(num_bins=case["num_bins"], epsilon=case["epsilon"])
        for data in case["data"]:
            layer.update_state(data)
        layer.finalize_state()
        result["discretization"][name] = [float(one) for one in layer.bin_boundaries]
    Path(__file__).with_name("adapted.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
