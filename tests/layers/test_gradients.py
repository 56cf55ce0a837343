"""Gradients of every layer by weights and inputs are those of Keras on JAX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import tree
from hornbeam.backend import active as backend
from tests.conformance.layers_table import Row
from tests.layers.oracle import close, made, recorded, rows


@pytest.mark.skipif("gradients" not in backend.features, reason="this backend has no gradients")
@rows("gradients", lambda row: not row.random)
def test_gradients(row: Row) -> None:
    layer, inputs, settings = made(row)
    leaves, description = tree.flatten_and_structure(inputs)
    moving = {i: keras.Variable(one) for i, one in enumerate(leaves) if one.dtype == np.float32}
    by = [*layer.trainable_variables, *moving.values()]
    if not by:
        return

    def gradients(training: bool) -> Any:
        def loss() -> Any:
            values = [moving[i].value if i in moving else backend.asarray(one) for i, one in enumerate(leaves)]
            more = {**settings, "training": True} if training else settings
            outputs = layer(*tree.unflatten(description, values), **more)
            total = sum(keras.ops.sum(one) for one in layer.losses)
            for one in tree.flatten(outputs):
                if keras.backend.is_float_dtype(one.dtype):
                    weights = np.cos(np.arange(np.prod(tuple(one.shape)), dtype="float32")).reshape(tuple(one.shape))
                    total = total + keras.ops.sum(keras.ops.multiply(one, weights))
            return total * 1.0

        return keras.value_and_grad(loss, by)[1]

    kinds = ["", "train_"] if row.differs else [""]
    found = keras.jit(lambda: [gradients(bool(kind)) for kind in kinds])()
    for kind, values in zip(kinds, found, strict=True):
        close(values, [*recorded(row, f"{kind}by_weights"), *recorded(row, f"{kind}by_inputs")], 2e-5)
