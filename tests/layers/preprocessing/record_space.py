"""Asks Keras, a black box on TensorFlow, what the spaces of space_cases.py give; writes oracle_space.json and files.

Run from the root of the repository: `python -m tests.layers.preprocessing.record_space`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import tensorflow as tf

from tests.layers.preprocessing.space_cases import CASES, NEW, TABLE, Case, columns

FOLDER = Path(__file__).parent


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return {"shape": list(value.shape), "dtype": value.dtype.name, "values": value.numpy().tolist()}


def adapted(case: Case) -> Any:
    space = case.make(keras.utils.FeatureSpace)
    space.adapt(tf.data.Dataset.from_tensor_slices(columns(TABLE, case)).batch(4))
    return space


def ask(case: Case) -> dict[str, Any]:
    space = adapted(case)
    first = {name: one[0] for name, one in columns(TABLE, case).items()}
    answers = {"table": plain(space(columns(TABLE, case))), "new": plain(space(columns(NEW, case)))}
    answers |= {"one": plain(space(first)), "config": space.get_config()}
    answers["inputs"] = {name: [list(one.shape), one.dtype, one.name] for name, one in space.get_inputs().items()}
    return answers


def main() -> None:
    answers = {}
    for name, case in CASES.items():
        keras.utils.clear_session()
        answers[name] = ask(case)
    lines = [f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items()]
    (FOLDER / "oracle_space.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")

    keras.utils.clear_session()
    space = adapted(CASES["methods"])
    space.save(FOLDER / "keras_space.keras")
    keras.utils.set_random_seed(0)
    inputs = space.get_inputs()
    model = keras.Model(inputs, keras.layers.Dense(2)(space.get_encoded_features()))
    model.save(FOLDER / "keras_space_model.keras")
    data = {name: one[:, None] for name, one in columns(NEW, CASES["methods"]).items()}
    np.save(FOLDER / "keras_space_model.npy", model(data).numpy())


if __name__ == "__main__":
    main()
