"""Layers on text and tables in pipelines: `map` of our data sets and of tf.data, and collate functions of torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from hornbeam.data import Dataset

TEXTS = np.array(["Good film!", "a bad film", "", "good good"], dtype=object)
NUMBERS = np.array([3, 7, 7, 99])
FLOATS = np.array([[0.5], [1.5], [-3.0], [8.0]], "float32")


def adapted(layer: Any, data: Any) -> Any:
    layer.adapt(data)
    return layer


LAYERS: dict[str, tuple[Callable[[], Any], np.ndarray]] = {
    "TextVectorization": (
        lambda: adapted(keras.layers.TextVectorization(output_sequence_length=3), TEXTS), TEXTS,
    ),
    "TextVectorization/tf_idf": (lambda: adapted(keras.layers.TextVectorization(output_mode="tf_idf"), TEXTS), TEXTS),
    "StringLookup": (lambda: adapted(keras.layers.StringLookup(), TEXTS), TEXTS),
    "StringLookup/one_hot": (lambda: adapted(keras.layers.StringLookup(output_mode="one_hot"), TEXTS), TEXTS),
    "IntegerLookup": (lambda: adapted(keras.layers.IntegerLookup(), NUMBERS), NUMBERS),
    "Hashing": (lambda: keras.layers.Hashing(5), TEXTS),
    "CategoryEncoding": (lambda: keras.layers.CategoryEncoding(100, output_mode="one_hot"), NUMBERS),
    "Discretization": (lambda: keras.layers.Discretization([0.0, 1.0]), FLOATS),
    "Normalization": (lambda: adapted(keras.layers.Normalization(), FLOATS), FLOATS),
}  # fmt: skip


def made(name: str) -> tuple[Any, np.ndarray, np.ndarray]:
    make, data = LAYERS[name]
    layer = make()
    return layer, data, np.asarray(backend.to_numpy(layer(data)))


@pytest.mark.parametrize("name", [*LAYERS])
@pytest.mark.parametrize("workers", [0, 2])
def test_map_of_a_dataset(name: str, workers: int) -> None:
    layer, data, wanted = made(name)
    found = Dataset.from_arrays(data).batch(2).map(layer, workers)
    np.testing.assert_allclose(np.concatenate([np.asarray(backend.to_numpy(one)) for one in found]), wanted, rtol=1e-6)


@pytest.mark.parametrize("name", [*LAYERS])
def test_map_of_tf_data(name: str) -> None:
    tf = pytest.importorskip("tensorflow", reason="tf.data is part of TensorFlow")
    layer, data, wanted = made(name)
    found = tf.data.Dataset.from_tensor_slices(data.astype(str) if data.dtype == object else data).batch(2).map(layer)
    assert found.element_spec.shape[1:] == wanted.shape[1:]
    np.testing.assert_allclose(np.concatenate([*found.as_numpy_iterator()]), wanted, rtol=1e-6)


@pytest.mark.parametrize("mode", ["concat", "dict"])
def test_a_space_in_map_of_tf_data(mode: str) -> None:
    tf = pytest.importorskip("tensorflow", reason="tf.data is part of TensorFlow")
    table = {"x": FLOATS[:, 0], "city": np.array(["a", "b", "a", "c"])}
    space = keras.utils.FeatureSpace({"x": "float_normalized", "city": "string_categorical"}, output_mode=mode)
    space.adapt(tf.data.Dataset.from_tensor_slices(table).batch(3))
    wanted = space(table)
    rows = tf.data.Dataset.from_tensor_slices(table)
    for data in (rows.batch(4).map(space), rows.map(space).batch(4)):
        found = next(data.as_numpy_iterator())
        for one, other in zip(
            found.values() if mode == "dict" else [found], wanted.values() if mode == "dict" else [wanted], strict=True
        ):
            np.testing.assert_allclose(one, backend.to_numpy(other), rtol=1e-6)


@pytest.mark.parametrize("name", [*LAYERS])
def test_collate_function(name: str) -> None:
    utils = pytest.importorskip("torch.utils.data", reason="the loader is torch's")
    layer, data, wanted = made(name)
    loader = utils.DataLoader([*data], batch_size=2, collate_fn=lambda rows: layer(np.stack(rows)))
    found = np.concatenate([np.asarray(backend.to_numpy(one)) for one in loader])
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
