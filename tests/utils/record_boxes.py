"""Asks Keras, a black box on JAX, what the calls of box_cases.py give; writes oracle_boxes.json.

Run from the root of the repository: `python -m tests.utils.record_boxes`.
"""

import json
import os
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np

from tests.utils.box_cases import CASES

TARGET = Path(__file__).with_name("oracle_boxes.json")


def plain(value: Any) -> Any:
    """Shape, dtype and numbers."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    array = np.asarray(value)
    return [list(array.shape), array.dtype.name, array.astype("float64").ravel().tolist()]


if __name__ == "__main__":
    answers = {
        name: plain(getattr(keras.utils.bounding_boxes, function)(*args, **kwargs))
        for name, (function, args, kwargs) in CASES.items()
    }
    lines = [f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items()]
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n")
