"""Asks Keras, a black box, what it gives for golden files whose reference outputs do not fit them; golden_reread.json.

Run from the root of the repository: `python -m tests.saving.record_golden FOLDER`, with the folder of the golden files.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

TARGET = Path(__file__).with_name("golden_reread.json")
NAMES = ("normalization_adapted",)


def main(folder: Path) -> None:
    answers = {}
    for name in NAMES:
        with np.load(folder / f"{name}.npz") as values:
            inputs = [values[key] for key in sorted(values.files) if key.startswith("in")]
        model = keras.models.load_model(folder / f"{name}.keras")
        outputs = model(inputs[0] if len(inputs) == 1 else inputs, training=False)
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        answers[name] = [np.asarray(one, "float32").tolist() for one in outputs]
    TARGET.write_text(json.dumps(answers) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
