"""Small layers and helpers that the tests of `Layer` share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend

L = keras.layers
needs_compile = pytest.mark.skipif("compile" not in backend.features, reason="this backend does not compile")


def ones(*shape: int) -> Any:
    return np.ones(shape, "float32")


def numpy(value: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(value))


class Scale(L.Layer):
    """One weight as wide as the input."""

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")

    def call(self, x: Any) -> Any:
        return x * self.factor


class Block(L.Layer):
    """Two layers and a weight, made in `__init__` and `build`."""

    def __init__(self, units: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.first = L.Dense(units)
        self.second = L.Dense(2)

    def build(self, input_shape: Any) -> None:
        self.first.build(input_shape)
        self.second.build((*input_shape[:-1], self.units))
        self.gain = self.add_weight(shape=(), initializer="ones", name="gain")

    def call(self, x: Any) -> Any:
        return self.second(self.first(x)) * self.gain




