"""The table of layers that prepare numbers and images, in the form of layers_table.py; oracle_preprocessing.npz has
what Keras gives for it."""

from __future__ import annotations

import numpy as np

from tests.conformance.layers_table import STEPS, VECTOR, Floats, Integers, Row

NUMBERS = [
    Row("Normalization", lambda keras: keras.layers.Normalization(), VECTOR, 3, 0, open_axes=False),
    Row("Normalization/one axis", lambda keras: keras.layers.Normalization(axis=1), Floats((3, 5, 2)), 3, 0,
        open_axes=False),
    Row("Normalization/two axes", lambda keras: keras.layers.Normalization(axis=(1, -1)), STEPS, 3, 0,
        open_axes=False),
    Row("Normalization/everything together", lambda keras: keras.layers.Normalization(axis=None), VECTOR, 3, 0),
    Row(
        "Normalization/given",
        lambda keras: keras.layers.Normalization(mean=[0.5, 1.0, 2.0, -1.0], variance=[1.0, 4.0, 0.5, 2.0]),
        VECTOR,
    ),
    Row("Normalization/given for all", lambda keras: keras.layers.Normalization(None, 0.5, 4.0), STEPS),
    Row("Normalization/integers", lambda keras: keras.layers.Normalization(None, 0.5, 4.0), Integers((3, 4))),
    Row(
        "Normalization/invert",
        lambda keras: keras.layers.Normalization(mean=np.arange(4.0), variance=np.arange(4.0), invert=True),
        VECTOR,
    ),
]


def _bins(what: str, data: Floats | Integers, **kwargs: object) -> Row:
    return Row(
        f"Discretization/{what}", lambda keras: keras.layers.Discretization([-1.0, 0.0, 0.5], **kwargs), data,
        gradients=False, open_axes=False,
    )


NUMBERS += [
    _bins("int", VECTOR),
    _bins("int, integers", Integers((3, 2), 3)),
    _bins("one_hot", VECTOR, output_mode="one_hot"),
    _bins("one_hot, last axis of one", Floats((3, 1)), output_mode="one_hot"),
    _bins("one_hot, one axis", Floats((4,)), output_mode="one_hot"),
    _bins("multi_hot", VECTOR, output_mode="multi_hot"),
    _bins("multi_hot, three axes", STEPS, output_mode="multi_hot"),
    _bins("count", VECTOR, output_mode="count"),
    _bins("count, half", VECTOR, output_mode="count", dtype="float16"),
]

ROWS = [*NUMBERS]
