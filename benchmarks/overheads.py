"""What hornbeam adds around the framework: one eager layer call, building a large model, importing, predicting.

Each figure stands beside Keras on the same backend, measured in the same way in the same run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import harness
import numpy as np

BACKENDS = ("jax", "torch", "tensorflow")


def best(function, number: int, repeats: int = 7) -> list[float]:
    """Seconds per call, of the fastest repeats."""
    function()
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(number):
            function()
        found.append((time.perf_counter() - start) / number)
    return sorted(found)[:3]


def in_turn(functions: dict[str, Callable[[], object]], number: int, turns: int = 40) -> dict[str, list[float]]:
    """Seconds per call of functions that take turns, so that a busy moment meets all; of the faster half of turns."""
    found: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(turns + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            for _ in range(number):
                function()
            if turn:  # the first turn warms up
                found[name].append((time.perf_counter() - start) / number)
    return {name: sorted(seconds)[: turns // 2] for name, seconds in found.items()}


def _dense(keras) -> list[float]:
    x = keras.ops.ones((32, 64))
    layer = keras.layers.Dense(64)
    return best(lambda: layer(x), 500)


def _build(keras) -> list[float]:
    def build():
        inputs = hidden = keras.Input((64,))
        for _ in range(100):
            hidden = keras.layers.Dense(64, activation="relu")(hidden)
            hidden = keras.layers.LayerNormalization()(hidden)
        return keras.Model(inputs, hidden)

    return best(build, 1, 5)


def _predict(keras) -> dict[str, Callable[[], object]]:
    model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    row = np.ones((1, 16), np.float32)
    return {
        "predict one row": lambda: model.predict(row, verbose=0),
        "predict_on_batch": lambda: model.predict_on_batch(row),
    }


def predict_hornbeam() -> dict[str, list[float]]:
    import hornbeam as keras

    return in_turn({f"hornbeam: {name}": function for name, function in _predict(keras).items()}, 50)


def predict_keras() -> dict[str, list[float]]:
    import keras

    return in_turn({f"keras: {name}": function for name, function in _predict(keras).items()}, 10)


def _import(code: str) -> list[float]:
    program = f"import time, jax; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
    return [
        float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.split()[-1])
        for _ in range(3)
    ]


def import_hornbeam() -> list[float]:
    return _import("import hornbeam; hornbeam.Model; hornbeam.layers; hornbeam.ops")


def import_keras() -> list[float]:
    return _import("import keras")


FIRST_STEP = """
import time, sys, numpy as np
sys.path.insert(0, {folder!r})
import convnet
import hornbeam as keras
keras.Model
start = time.perf_counter()
x, y = np.zeros((128, 28, 28, 1), np.float32), np.zeros(128, int)
model = keras.Sequential([keras.Input((28, 28, 1))] + [
    keras.layers.Conv2D(64, 3, activation="relu"), keras.layers.Conv2D(64, 3, activation="relu"),
    keras.layers.MaxPooling2D(), keras.layers.Conv2D(128, 3, activation="relu"),
    keras.layers.Conv2D(128, 3, activation="relu"), keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dropout(0.5), keras.layers.Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
start = time.perf_counter()
model.fit(x, y, batch_size=128, verbose=0)
print(time.perf_counter() - start)
"""


def first_steps() -> dict[str, list[float]]:
    program = FIRST_STEP.format(folder=str(Path(__file__).parent))
    times = []
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", program], capture_output=True, text=True,
                env={**os.environ, "HORNBEAM_JIT_CACHE": cache},
            )
            times.append(float(done.stdout.split()[-1]))
    return {f"convnet first step, process {number}": [seconds] for number, seconds in enumerate(times, start=1)}


def _ours(function):
    def contestant():
        import hornbeam as keras

        return function(keras)

    return contestant


def _theirs(function):
    def contestant():
        import keras

        return function(keras)

    return contestant


if __name__ == "__main__":
    harness.main(
        "Overheads",
        {
            **{f"hornbeam[{name}]: eager Dense": _ours(_dense) for name in BACKENDS},
            **{f"keras[{name}]: eager Dense": _theirs(_dense) for name in BACKENDS},
            "hornbeam: build 200 layers": _ours(_build),
            "keras: build 200 layers": _theirs(_build),
            "hornbeam: predict": predict_hornbeam,
            "keras: predict": predict_keras,
            "hornbeam: import after jax": import_hornbeam,
            "keras: import after jax": import_keras,
            "convnet first steps": first_steps,
        },
        peers={
            **{f"hornbeam[{name}]: eager Dense": f"keras[{name}]: eager Dense" for name in BACKENDS},
            "hornbeam: build 200 layers": "keras: build 200 layers",
            "hornbeam: predict one row": "hornbeam: predict_on_batch",
            "hornbeam: predict one row vs keras": "keras: predict one row",
            "hornbeam: import after jax": "keras: import after jax",
            "convnet first step, process 2": "convnet first step, process 1",
        },
        goals={
            "hornbeam[jax]: eager Dense": 0.35, "hornbeam[torch]: eager Dense": 0.3,
            "hornbeam: build 200 layers": 0.5, "hornbeam: predict one row": 1.3,
            "convnet first step, process 2": 0.5,
        },
        unit="us",
    )
