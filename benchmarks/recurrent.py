"""LSTM(128) and GRU(128) over 64 steps of 32 features, batch 32: one step of `fit`, against Keras.

Keras runs with steps_per_execution=32, its best documented setting; hornbeam with the default arguments.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

import harness
import numpy as np

STEPS, BATCH, EPOCHS = 64, 32, 3


def fit(keras: Any, kind: str, **compile_arguments: Any) -> list[float]:
    model = keras.Sequential(
        [keras.Input((64, 32)), getattr(keras.layers, kind)(128), keras.layers.Dense(10, activation="softmax")]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", **compile_arguments)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(STEPS * BATCH, 64, 32)).astype("float32"), rng.integers(0, 10, STEPS * BATCH)
    clock: list[float] = []
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: clock.append(time.perf_counter()))
    model.fit(x, y, batch_size=BATCH, epochs=EPOCHS + 1, verbose=0, callbacks=[watch])
    return [(b - a) / STEPS for a, b in itertools.pairwise(clock)]


def hornbeam(kind: str) -> Any:
    def run() -> list[float]:
        import hornbeam as keras

        return fit(keras, kind)

    return run


def keras_fused(kind: str) -> Any:
    def run() -> list[float]:
        import keras

        return fit(keras, kind, steps_per_execution=32)

    return run


KINDS = ("LSTM", "GRU")
CONTESTANTS = {
    f"{kind}, {name}": make(kind)
    for kind in KINDS
    for name, make in (("hornbeam on JAX", hornbeam), ("Keras on JAX", keras_fused))
}

if __name__ == "__main__":
    harness.main(
        "A step of fit with a recurrent layer of 128 units, 64 steps, batch 32",
        CONTESTANTS,
        {f"{kind}, hornbeam on JAX": f"{kind}, Keras on JAX" for kind in KINDS},
        {f"{kind}, hornbeam on JAX": 1.0 for kind in KINDS},
        rounds=2,
    )
