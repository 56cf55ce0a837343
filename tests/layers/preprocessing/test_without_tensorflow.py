"""Where TensorFlow cannot be imported, models on raw texts and on tables train, predict, are saved and loaded."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hornbeam.backend import active as backend

pytestmark = pytest.mark.skipif(
    "gradients" not in backend.features or "strings" in backend.features,
    reason="this backend does not train, or is TensorFlow itself",
)

PROGRAM = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None  # from now on importing them is an ImportError

import tempfile
import numpy as np
import hornbeam as keras

def trained(model, data, labels):
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    model.fit(data, labels, epochs=20, verbose=0)
    assert model.evaluate(data, labels, verbose=0)[1] == 1.0
    wanted = model.predict(data, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder + "/model.keras")
        loaded = keras.models.load_model(folder + "/model.keras")
    np.testing.assert_allclose(loaded.predict(data, verbose=0), wanted, rtol=1e-5)

texts = np.array(["good film", "bad film", "so good", "very bad"] * 4, dtype=object)
labels = np.array([1, 0, 1, 0] * 4, "float32")
layer = keras.layers.TextVectorization(output_sequence_length=3)
layer.adapt(texts)
inputs = keras.Input((1,), dtype="string")
x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(layer.vocabulary_size(), 2)(layer(inputs)))
trained(keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x)), texts, labels)

table = {"size": np.arange(16, dtype="float32"), "kind": np.array(["a", "b", "a", "c"] * 4)}
labels = (table["kind"] == "a").astype("float32")
space = keras.utils.FeatureSpace({"size": "float_normalized", "kind": "string_categorical"}, crosses=[("kind", "kind")])
space.adapt(table)
outputs = keras.layers.Dense(1, activation="sigmoid")(space.get_encoded_features())
trained(keras.Model(space.get_inputs(), outputs), table, labels)
with tempfile.TemporaryDirectory() as folder:
    space.save(folder + "/space.keras")
    loaded = keras.models.load_model(folder + "/space.keras")
n = keras.ops.convert_to_numpy
np.testing.assert_array_equal(n(loaded(table)), n(space(table)))
assert not any(name.startswith("tensorflow.") for name in sys.modules)
print("trained without it")
"""


def test_models_that_take_texts_and_tables() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], env={**os.environ}, capture_output=True, text=True)
    assert "trained without it" in done.stdout, done.stderr[-3000:]
