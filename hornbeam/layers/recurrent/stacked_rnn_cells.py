"""`StackedRNNCells`: several cells as one, each of which takes what the one before gives."""

from __future__ import annotations

from typing import Any

from hornbeam import ops, tree
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import where
from hornbeam.layers.layer import Layer


@wire("keras.layers.StackedRNNCells")
class StackedRNNCells(Layer):
    """Several cells as one.

    Args:
        cells: The cells, from the inputs to the output.

    >>> import hornbeam as keras
    >>> cells = keras.layers.StackedRNNCells([keras.layers.LSTMCell(4), keras.layers.GRUCell(2)])
    >>> keras.layers.RNN(cells)(keras.ops.ones((2, 5, 3))).shape
    (2, 2)
    """

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for one in cells:
            if not callable(getattr(one, "call", None)) or not hasattr(one, "state_size"):
                raise ArgumentError("cells with `call` and `state_size`", repr(one), where(self))
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states of each cell."""
        return [one.state_size for one in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the output of the last cell."""
        return _output_size(self.cells[-1])

    def build(self, input_shape: Any) -> None:
        """Builds each cell for what the one before gives."""
        for one in self.cells:
            if isinstance(one, Layer) and not one.built:
                one.build(input_shape)
                one.built = True
            size = _output_size(one)
            input_shape = (input_shape[0], *(size if isinstance(size, (list, tuple)) else (size,)))

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """The first states of each cell."""
        states = []
        for one in self.cells:
            make = getattr(one, "get_initial_state", None)
            if make is not None:
                found = make(batch_size=batch_size)
            else:
                sizes = one.state_size if isinstance(one.state_size, list) else [one.state_size]
                found = [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in sizes]
            states.append(found)
        return states

    def call(self, inputs: Any, states: Any, training: bool = False, **kwargs: Any) -> Any:
        """The output of the last cell and the next states of all."""
        after = []
        for one, own in zip(self.cells, states, strict=True):
            own = own if isinstance(own, (list, tuple, dict)) else [own]
            takes = isinstance(one, Layer) and one._call_signature.has_training
            inputs, new = one(inputs, own, **kwargs, **({"training": training} if takes else {}))
            after.append(new if isinstance(new, (list, tuple, dict)) else [new])
        return inputs, after

    def draw_noise(self, inputs: Any, states: Any) -> None:
        """Fixes the dropout of all cells for the steps to come."""
        for one, own in zip(self.cells, states, strict=True):
            own = own if isinstance(own, (list, tuple)) else [own]
            if hasattr(one, "draw_noise"):
                one.draw_noise(inputs, own)
            size = _output_size(one)
            inputs = ops.zeros(
                (tree.flatten(inputs)[0].shape[0], *(size if isinstance(size, (list, tuple)) else (size,)))
            )

    def forget_noise(self) -> None:
        """Lets the noise of a sequence go."""
        for one in self.cells:
            if hasattr(one, "forget_noise"):
                one.forget_noise()

    def compute_output_shape(self, input_shape: Any, states_shape: Any = None) -> Any:
        """The shapes of the output and of the states."""
        size = self.output_size
        output = (input_shape[0], *(size if isinstance(size, (list, tuple)) else (size,)))
        return output, tree.map_structure(lambda one: (input_shape[0], one), self.state_size)


def _output_size(cell: Any) -> Any:
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size[0] if isinstance(cell.state_size, list) else cell.state_size
    return size
