"""`Wrapper`: a layer around another."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import where
from hornbeam.layers.layer import Layer


@wire("keras.layers.Wrapper")
class Wrapper(Layer):
    """A layer around another; subclasses say what it does with it.

    Args:
        layer: The layer inside.

    >>> import hornbeam as keras
    >>> keras.layers.Wrapper(keras.layers.Dense(3)).layer.units
    3
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ArgumentError("a layer", repr(layer), where(self))
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Builds the layer inside."""
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True
