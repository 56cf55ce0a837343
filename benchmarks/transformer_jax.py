"""A transformer encoder, 6 layers of width 256 with 4 heads, 128 tokens, batch 16: one step of `fit`, against Keras.

Keras runs with steps_per_execution=8, its best documented setting; hornbeam with the default arguments.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

import harness
import numpy as np

STEPS, BATCH, EPOCHS, TOKENS, WIDTH = 8, 16, 2, 128, 256


def encoder(keras: Any) -> Any:
    """The model: token and place embeddings, layers that normalise first, a class from the mean."""
    layers = keras.layers
    start = keras.Input((TOKENS,), dtype="int32")
    x = layers.Embedding(1000, WIDTH)(start) + layers.Embedding(TOKENS, WIDTH)(np.arange(TOKENS, dtype="int32")[None])
    for _ in range(6):
        y = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(4, WIDTH // 4)(y, y)
        y = layers.LayerNormalization()(x)
        y = layers.Dense(4 * WIDTH, activation="gelu")(y)
        x = x + layers.Dense(WIDTH)(y)
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return keras.Model(start, layers.Dense(10, activation="softmax")(x))


def fit(keras: Any, **compile_arguments: Any) -> list[float]:
    model = encoder(keras)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", **compile_arguments)
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 1000, (STEPS * BATCH, TOKENS)).astype("int32"), rng.integers(0, 10, STEPS * BATCH)
    clock: list[float] = []
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: clock.append(time.perf_counter()))
    model.fit(x, y, batch_size=BATCH, epochs=EPOCHS + 1, verbose=0, callbacks=[watch])
    return [(b - a) / STEPS for a, b in itertools.pairwise(clock)]


def hornbeam() -> list[float]:
    import hornbeam as keras

    return fit(keras)


def keras_fused() -> list[float]:
    import keras

    return fit(keras, steps_per_execution=8)


CONTESTANTS = {"hornbeam on JAX": hornbeam, "Keras on JAX": keras_fused}

if __name__ == "__main__":
    harness.main(
        "A step of fit with a transformer encoder: 6 layers, width 256, 128 tokens, batch 16",
        CONTESTANTS,
        {"hornbeam on JAX": "Keras on JAX"},
        {"hornbeam on JAX": 1.0},
        rounds=2,
    )
