"""FeatureSpace on a real table: a dict of columns in, one vector for each row out, against Keras on TensorFlow.

The table is adult.csv (32,561 rows): six numbers, normalised or in bins, eight texts by vocabulary, one cross. Both get
dicts of NumPy arrays, in batches of 256 rows and all at once; of Keras's two ways, a call for each batch and
`tf.data.Dataset.map`, the faster counts.
"""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path
from typing import Any

import harness
import numpy as np

DATA = Path(os.environ.get("HORNBEAM_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"
NUMBERS = {
    "age": "float_discretized", "fnlwgt": "float_normalized", "education-num": "float_normalized",
    "capital-gain": "float_normalized", "capital-loss": "float_normalized", "hours-per-week": "float_discretized",
}  # fmt: skip
BATCH = 256


def table() -> dict[str, np.ndarray]:
    with (DATA / "adult.csv").open() as file:
        rows = [[one.strip() for one in row] for row in csv.reader(file) if row]
    names = [name.replace(".", "-").replace("_", "-") for name in rows[0]]
    columns = dict(zip(names, zip(*rows[1:], strict=True), strict=True))
    label = names[-1]
    return {
        name: np.array(values, "float32") if name in NUMBERS else np.array(values)
        for name, values in columns.items()
        if name != label
    }


def space(keras: Any, columns: dict[str, np.ndarray]) -> Any:
    made = keras.utils.FeatureSpace(
        {name: NUMBERS.get(name, "string_categorical") for name in columns},
        crosses=[("education", "occupation")], crossing_dim=64,
    )  # fmt: skip
    made.adapt(columns)
    return made


def adapt(keras: Any) -> list[float]:
    columns = table()
    times = []
    for _ in range(2):  # Keras takes half a minute for each
        start = time.perf_counter()
        space(keras, columns)
        times.append(time.perf_counter() - start)
    return times[1:]


def calls(keras: Any, size: int | None) -> list[float]:
    columns = table()
    made = space(keras, columns)
    count = len(columns["age"])
    times = []
    for _ in range(6):
        start = time.perf_counter()
        for first in range(0, count, size or count):
            np.asarray(made({name: one[first : first + (size or count)] for name, one in columns.items()}))
        times.append(time.perf_counter() - start)
    return times[2:]


def mapped(keras: Any, size: int | None) -> list[float]:
    import tensorflow as tf

    columns = table()
    made = space(keras, columns)
    data = tf.data.Dataset.from_tensor_slices(columns).batch(size or len(columns["age"])).map(made)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        for one in data:
            one.numpy()
        times.append(time.perf_counter() - start)
    return times[2:]


def ours() -> Any:
    import hornbeam as keras

    return keras


def theirs() -> Any:
    import keras

    return keras


CONTESTANTS = {
    "adapt: hornbeam": lambda: adapt(ours()),
    "adapt: keras[tensorflow]": lambda: adapt(theirs()),
    "batches: hornbeam": lambda: calls(ours(), BATCH),
    "batches: keras[tensorflow]": lambda: calls(theirs(), BATCH),
    "batches: keras[tensorflow] mapped": lambda: mapped(theirs(), BATCH),
    "whole: hornbeam": lambda: calls(ours(), None),
    "whole: keras[tensorflow]": lambda: calls(theirs(), None),
    "whole: keras[tensorflow] mapped": lambda: mapped(theirs(), None),
}

if __name__ == "__main__":
    peers = {
        name: ",".join(one for one in CONTESTANTS if one.startswith(name.partition(":")[0] + ": keras"))
        for name in CONTESTANTS
        if name.endswith("hornbeam")
    }
    harness.main(
        "FeatureSpace on adult.csv: 32,561 rows",
        CONTESTANTS,
        peers=peers,
        goals={name: 0.33 for name in peers if not name.startswith("adapt")},
        rounds=2,
    )
