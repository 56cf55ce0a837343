"""`TimeDistributed`: a layer applied to each step."""

from __future__ import annotations

from typing import Any

from hornbeam import ops, tree
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.wrapper import Wrapper
from hornbeam.symbolic import KerasTensor


@wire("keras.layers.TimeDistributed")
class TimeDistributed(Wrapper):
    """The same layer on each step of [batch, steps, ...].

    All steps go through the layer at once, as a larger batch. Only a layer that keeps statistics of what it sees, such
    as batch normalization, is trained on one step after the other.

    Args:
        layer: The layer.

    >>> import hornbeam as keras
    >>> keras.layers.TimeDistributed(keras.layers.Dense(4))(keras.ops.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def _step_shape(self, input_shape: Any) -> Any:
        def step(shape: Any) -> Any:
            if len(shape) < 3:
                raise ArgumentError("inputs [batch, steps, ...] of at least 3 axes", f"shape={shape}", self._where())
            return (shape[0], *shape[2:])

        return tree.map_shape_structure(step, input_shape)

    def build(self, input_shape: Any) -> None:
        """Builds the layer for a step of any batch, since steps are folded into it."""
        super().build(tree.map_shape_structure(lambda one: (None, *one[1:]), self._step_shape(input_shape)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape that the layer gives for a step, with the steps after the batch."""
        step = self.layer.compute_output_shape(self._step_shape(input_shape))
        first = input_shape
        while not tree.is_shape(first):
            first = next(iter(first.values() if isinstance(first, dict) else first))
        return tree.map_shape_structure(lambda one: (one[0], first[1], *one[1:]), step)

    def compute_output_spec(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The symbolic outputs."""
        step = tree.map_structure(lambda one: KerasTensor((one.shape[0], *one.shape[2:]), one.dtype), inputs)
        self._step_shape(tree.map_structure(lambda one: one.shape, inputs))
        found = self.layer.compute_output_spec(step)
        steps = tree.flatten(inputs)[0].shape[1]
        return tree.map_structure(lambda one: KerasTensor((one.shape[0], steps, *one.shape[1:]), one.dtype), found)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The layer on each step of `inputs`; it gets the mask of the steps if it takes one."""
        self._step_shape(tree.map_structure(lambda one: tuple(one.shape), inputs))
        signature = self.layer._call_signature
        settings: dict[str, Any] = {"training": training} if signature.has_training else {}
        takes_mask = mask is not None and "mask" in signature.masks.values()
        if training and any(one._own_frozen for one in self.layer._flatten_layers()):
            steps = tree.flatten(inputs)[0].shape[1]
            outputs = []
            for index in range(steps):
                if takes_mask:
                    settings["mask"] = tree.map_structure(lambda one, i=index: None if one is None else one[:, i], mask)
                outputs.append(self.layer(tree.map_structure(lambda one, i=index: one[:, i], inputs), **settings))
            return tree.map_structure(lambda *parts: ops.stack(parts, axis=1), *outputs)
        batch, steps = tree.flatten(inputs)[0].shape[:2]
        if takes_mask:
            settings["mask"] = tree.map_structure(
                lambda one: None if one is None else ops.reshape(one, (batch * steps, *one.shape[2:])), mask
            )
        folded = tree.map_structure(lambda one: ops.reshape(one, (batch * steps, *one.shape[2:])), inputs)
        return tree.map_structure(
            lambda one: ops.reshape(one, (batch, steps, *one.shape[1:])), self.layer(folded, **settings)
        )
