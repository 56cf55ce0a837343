"""Keras itself opens what we write: a space, a model with a space in it, and one that takes raw texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from tests.keras_oracle import run
from tests.layers.preprocessing.space_cases import CASES, NEW, TABLE, columns
from tests.needs import needs

pytestmark = [
    needs("keras", "tensorflow", reason="Keras is the reader; its layers on text stand on TensorFlow"),
    pytest.mark.skipif("gradients" in backend.features, reason="files are the same on all; those of NumPy are tried"),
]

TEXTS = ["A good film!", "no", "good, good and bad"]


def test_keras_gives_the_same(tmp_path: Path) -> None:
    case = CASES["methods"]
    space = case.make(keras.utils.FeatureSpace)
    # without the empty city: as the last token of a vocabulary it is lost in Keras's own files as well
    space.adapt({name: np.delete(one, 4) for name, one in columns(TABLE, case).items()})
    space.save(tmp_path / "space.keras")
    data = {name: one[:, None] for name, one in columns(NEW, case).items()}
    table = keras.Model(space.get_inputs(), keras.layers.Dense(2)(space.get_encoded_features()))
    table.save(tmp_path / "table.keras")
    wanted: dict[str, Any] = {"space": space(columns(NEW, case)), "table": table.predict(data, verbose=0)}
    for mode in ("int", "tf_idf"):
        layer = keras.layers.TextVectorization(output_mode=mode, max_tokens=20)
        layer.adapt(TEXTS)
        inputs = keras.Input((1,), dtype="string")
        model = keras.Model(inputs, layer(inputs))
        model.save(tmp_path / f"{mode}.keras")
        wanted[mode] = model.predict(np.array(TEXTS, dtype=object), verbose=0)
    np.savez(tmp_path / "data.npz", **data)
    found = run(f"""
import tensorflow as tf
folder = {str(tmp_path)!r}
data = dict(np.load(folder + "/data.npz"))
out["space"] = keras.models.load_model(folder + "/space.keras")({{name: one[:, 0] for name, one in data.items()}})
model = keras.models.load_model(folder + "/table.keras")
out["table"] = model({{name: tf.constant(one) for name, one in data.items()}})
for mode in ("int", "tf_idf"):
    out[mode] = keras.models.load_model(folder + "/" + mode + ".keras")(tf.constant({TEXTS!r})[:, None])
""", "tensorflow", keep=False)
    for name, one in wanted.items():
        np.testing.assert_allclose(found[name], backend.to_numpy(backend.asarray(one)), rtol=1e-5, atol=1e-6)
