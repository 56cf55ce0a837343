"""How masks travel: small chains of layers that end in a spy, run by Keras and by us; knows neither."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

TOKENS = np.array([[1, 2, 0, 0], [3, 0, 4, 0], [0, 0, 0, 5]], dtype="int32")
STEPS = np.where(TOKENS[..., None] > 0, np.arange(24, dtype="float32").reshape(3, 4, 2) + 1, 0).astype("float32")


def spy(keras: Any) -> Any:
    """A layer that gives the mask of its input as numbers, or -1 where there is none."""

    class Spy(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.supports_masking = True

        def call(self, inputs: Any, mask: Any = None) -> Any:
            if mask is None:
                return keras.ops.zeros_like(inputs) - 1.0
            return keras.ops.cast(mask, "float32") + 0.0

    return Spy()


def embedded(keras: Any, **arguments: Any) -> Any:
    """Token vectors with a mask."""
    layer = keras.layers.Embedding(6, 2, mask_zero=True, embeddings_initializer="ones", **arguments)
    return layer(TOKENS)


def _through(*layers: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def case(keras: Any) -> Any:
        x = embedded(keras)
        for make in layers:
            x = make(keras)(x)
        return spy(keras)(x)

    return case


CASES: dict[str, Callable[[Any], Any]] = {
    "embedding": lambda keras: spy(keras)(embedded(keras)),
    "embedding without mask_zero": lambda keras: spy(keras)(keras.layers.Embedding(6, 2)(TOKENS)),
    "masking": lambda keras: spy(keras)(keras.layers.Masking()(STEPS)),
    "masking, value": lambda keras: spy(keras)(
        keras.layers.Masking(mask_value=3.0)(np.full((2, 3, 2), 3.0, "float32"))
    ),
    "masking, output": lambda keras: keras.layers.Masking(mask_value=1.0)(np.ones((2, 3, 2), "float32")),
    "dense": _through(lambda keras: keras.layers.Dense(3)),
    "dropout": _through(lambda keras: keras.layers.Dropout(0.5)),
    "activation": _through(lambda keras: keras.layers.Activation("relu"), lambda keras: keras.layers.ReLU()),
    "layer normalization": _through(lambda keras: keras.layers.LayerNormalization()),
    "batch normalization": _through(lambda keras: keras.layers.BatchNormalization()),
    "identity": _through(lambda keras: keras.layers.Identity()),
    "rescaling": _through(lambda keras: keras.layers.Rescaling(2.0)),
    "sequential": _through(lambda keras: keras.Sequential([keras.layers.Dense(3), keras.layers.ReLU()])),
    "average over steps": lambda keras: keras.layers.GlobalAveragePooling1D()(keras.layers.Masking()(STEPS)),
    "average over steps, no mask after": lambda keras: spy(keras)(
        keras.layers.GlobalAveragePooling1D()(keras.layers.Masking()(STEPS))
    ),
    "softmax": lambda keras: keras.layers.Softmax()(
        np.array([[1.0, 2.0, 3.0]], "float32"), mask=np.array([[True, False, True]])
    ),
    "add": lambda keras: spy(keras)(keras.layers.Add()([embedded(keras), keras.layers.Masking()(STEPS[::-1].copy())])),
    "add, one mask": lambda keras: spy(keras)(keras.layers.Add()([embedded(keras), STEPS])),
    "multiply": lambda keras: spy(keras)(keras.layers.Multiply()([embedded(keras), embedded(keras)])),
    "concatenate, features": lambda keras: spy(keras)(
        keras.layers.Concatenate()([embedded(keras), keras.layers.Masking()(STEPS[::-1].copy())])
    ),
    "concatenate, steps": lambda keras: spy(keras)(
        keras.layers.Concatenate(axis=1)([embedded(keras), keras.layers.Masking()(STEPS[::-1].copy())])
    ),
    "concatenate, one mask": lambda keras: spy(keras)(keras.layers.Concatenate(axis=1)([embedded(keras), STEPS])),
    "lambda": lambda keras: spy(keras)(
        keras.layers.Lambda(lambda x: x * 1.0, mask=lambda x, mask: keras.ops.logical_not(mask))(embedded(keras))
    ),
    "functional": lambda keras: _functional(keras)(TOKENS),
    "nested": lambda keras: _nested(keras)(TOKENS),
    "mask given": lambda keras: keras.layers.GlobalAveragePooling1D()(STEPS, mask=TOKENS < 3),
}


def _functional(keras: Any) -> Any:
    start = keras.Input((4,), dtype="int32")
    x = keras.layers.Embedding(6, 2, mask_zero=True)(start)
    x = keras.layers.Dense(3)(x)
    return keras.Model(start, spy(keras)(x))


def _nested(keras: Any) -> Any:
    inner_start = keras.Input((4, 2))
    inner = keras.Model(inner_start, keras.layers.Dense(3)(inner_start))
    start = keras.Input((4,), dtype="int32")
    x = keras.layers.Embedding(6, 2, mask_zero=True)(start)
    return keras.Model(start, spy(keras)(keras.layers.Dropout(0.1)(inner(x))))
