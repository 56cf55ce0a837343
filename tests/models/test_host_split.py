"""Models whose first layers run on the host: they train, evaluate, predict, save and load on text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from tests.needs import needs_gradients

TEXTS = np.array(["good movie", "bad movie", "really good", "so bad it hurts"] * 8, dtype=object)
LABELS = np.array([1, 0, 1, 0] * 8)


def classifier(length: int | None = 6) -> Any:
    layer = keras.layers.TextVectorization(output_sequence_length=length)
    layer.adapt(TEXTS)
    inputs = keras.Input((1,), dtype="string")
    x = keras.layers.Embedding(layer.vocabulary_size(), 4)(layer(inputs))
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))


@needs_gradients
@pytest.mark.parametrize("length", [6, None])
def test_trains_and_is_saved(length: int | None, tmp_path: Path) -> None:
    model = classifier(length)
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    model.fit(TEXTS, LABELS, epochs=8, verbose=0, shuffle=False)
    assert model.evaluate(TEXTS, LABELS, verbose=0)[1] == 1.0
    wanted = model.predict(TEXTS[:4], verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(TEXTS[:4], verbose=0), wanted, rtol=1e-5)


def test_eager_is_as_predict() -> None:
    model = classifier()
    wanted = model.predict(TEXTS[:2], verbose=0)
    for inputs in (["good movie", "bad movie"], TEXTS[:2], TEXTS[:2, None]):
        np.testing.assert_allclose(backend.to_numpy(model(inputs)), wanted, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(TEXTS[:2]), wanted, rtol=1e-5)


@needs_gradients
def test_batches_and_ones_own_step() -> None:
    class Own(keras.Model):
        def train_step(self, data: Any) -> dict[str, Any]:
            return super().train_step(data)

    inner = classifier(None)
    inputs = keras.Input((1,), dtype="string")
    model = Own(inputs, keras.layers.Dense(1)(inner(inputs)))
    model.compile("sgd", "mse")
    batches = ((TEXTS[start : start + 4], LABELS[start : start + 4]) for start in range(0, 32, 4))
    assert np.isfinite(model.fit(batches, steps_per_epoch=4, epochs=2, verbose=0).history["loss"]).all()


def test_mixed_inputs_in_a_dict() -> None:
    colour = keras.layers.StringLookup(vocabulary=["red", "blue"], output_mode="one_hot")
    number = keras.layers.IntegerLookup(vocabulary=[3, 5], output_mode="one_hot")
    inputs = {
        "colour": keras.Input((1,), dtype="string"), "number": keras.Input((1,), dtype="int64"),
        "size": keras.Input((1,)),
    }  # fmt: skip
    parts = [colour(inputs["colour"]), number(inputs["number"])]
    parts = [keras.ops.cast(one, "float32") for one in parts] + [inputs["size"]]
    model = keras.Model(inputs, keras.layers.Concatenate()(parts))
    data = {"colour": np.array(["blue", "no"]), "number": np.array([3, 9]), "size": np.array([0.5, 1.5])}
    wanted = [[0, 0, 1, 0, 1, 0, 0.5], [1, 0, 0, 1, 0, 0, 1.5]]
    np.testing.assert_allclose(model.predict(data, verbose=0), wanted)


def test_a_host_layer_after_a_device_layer_says_what_to_do() -> None:
    inputs = keras.Input((1,))
    numbers = keras.layers.Dense(1)(inputs)
    model = keras.Model(inputs, keras.layers.StringLookup(vocabulary=["a"], invert=True)(numbers))
    with pytest.raises(ValueError, match=r"string_lookup.* before all that run on the device.*dense.*Move it"):
        model.predict(np.ones((2, 1)), verbose=0)
