"""Records which events Keras's TensorBoard callback writes: `python -m tests.callbacks.record_tensorboard`."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from tests.callbacks.tensorboard_cases import CASES, events, train

PLACE = Path(__file__).with_name("tensorboard_oracle.json")

if __name__ == "__main__":
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    answers = {}
    for name in CASES:
        with tempfile.TemporaryDirectory() as folder:
            train(keras, name, folder)
            answers[name] = events(folder)
    PLACE.write_text(json.dumps(answers, indent=0) + "\n")
