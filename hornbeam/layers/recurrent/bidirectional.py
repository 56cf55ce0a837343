"""`Bidirectional`: a recurrent layer that reads sequences from both ends."""

from __future__ import annotations

from typing import Any

from hornbeam import ops, tree
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, UnknownNameError
from hornbeam.layers.core.checks import where
from hornbeam.layers.layer import Layer
from hornbeam.saving.config import deserialize_value, serialize_value

MERGE_MODES = ("sum", "mul", "ave", "concat", None)


@wire("keras.layers.Bidirectional")
class Bidirectional(Layer):
    """Two copies of a recurrent layer, one of which reads from the end; M. Schuster and K. Paliwal, 1997.

    Args:
        layer: An `RNN`, or a layer with `go_backwards`, `return_sequences`, `return_state`, `stateful` and
            `input_spec`. Copies are made of it.
        merge_mode: How both outputs become one: "sum", "mul", "ave", "concat"; None gives both.
        weights: Values to start from, those of the forward layer first.
        backward_layer: The layer that reads the other way; a copy of `layer` if None.

    Raises:
        ValueError: If the merge mode is unknown or the layers do not fit each other.

    >>> import hornbeam as keras
    >>> keras.layers.Bidirectional(keras.layers.LSTM(4))(keras.ops.ones((2, 5, 3))).shape
    (2, 8)
    """

    def __init__(
        self, layer: Any, merge_mode: str | None = "concat", weights: Any = None, backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        needs = ("go_backwards", "return_sequences", "return_state", "stateful")
        for one in (layer, backward_layer):
            missing = [name for name in needs if not hasattr(one, name)]
            if (one is not None or one is layer) and (not isinstance(one, Layer) or missing):
                raise ArgumentError(f"a layer with {', '.join(needs)}", repr(one), where(self))
        if merge_mode not in MERGE_MODES:
            raise UnknownNameError("merge_mode", str(merge_mode), [str(one) for one in MERGE_MODES], where(self))
        self.merge_mode = merge_mode
        self.forward_layer = _copy(layer)
        if backward_layer is None:
            config = layer.get_config()
            config["go_backwards"] = not config["go_backwards"]
            config["name"] = f"backward_{config['name']}"
            self.backward_layer = type(layer).from_config(config)
        else:
            self.backward_layer = backward_layer
        if not self.forward_layer.name.startswith("forward_"):
            self.forward_layer.name = f"forward_{self.forward_layer.name}"
        self._check_layers()
        for one in (self.forward_layer, self.backward_layer):
            if hasattr(one, "zero_output_for_mask") and self.return_sequences:
                one.zero_output_for_mask = True  # so that both outputs are zero at the same steps
        if not self._trainable:
            self.forward_layer.trainable = self.backward_layer.trainable = False
        self.supports_masking = True
        self.input_spec = layer.input_spec
        self._first_weights = weights

    def _check_layers(self) -> None:
        first, second = self.forward_layer, self.backward_layer
        if first.go_backwards == second.go_backwards:
            raise ArgumentError(
                "a backward_layer that reads the other way", f"go_backwards={first.go_backwards} in both", where(self)
            )
        for name in ("stateful", "return_sequences", "return_state"):
            if getattr(first, name) != getattr(second, name):
                raise ArgumentError(
                    f"layers with the same {name}", f"{getattr(first, name)} and {getattr(second, name)}", where(self)
                )

    @property
    def return_sequences(self) -> bool:
        """Whether the outputs of all steps are returned."""
        return self.forward_layer.return_sequences

    @property
    def return_state(self) -> bool:
        """Whether the last states are returned too."""
        return self.forward_layer.return_state

    @property
    def stateful(self) -> bool:
        """Whether states go on from batch to batch."""
        return self.forward_layer.stateful

    @property
    def go_backwards(self) -> bool:
        """Whether the forward layer reads from the end."""
        return self.forward_layer.go_backwards

    @property
    def states(self) -> Any:
        """The variables of the states of both layers, if `stateful`."""
        first = self.forward_layer.states
        return None if first is None else [*first, *self.backward_layer.states]

    def reset_state(self) -> None:
        """Sets the states of stateful layers to zero."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """Older name of `reset_state`."""
        self.reset_state()

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Builds both layers."""
        for one in (self.forward_layer, self.backward_layer):
            if not one.built:
                one.build(sequences_shape)
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes the layer was built with."""
        if self._build_shapes is None:
            return None
        shapes = dict(zip(*self._build_shapes, strict=True))
        if shapes.get("initial_state_shape") is None:
            return {"input_shape": shapes["sequences_shape"]}
        return {"shapes_dict": shapes}

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None
    ) -> Any:
        """Both layers on the sequences, merged.

        Args:
            sequences: [batch, steps, ...].
            initial_state: The first states of the forward layer and then those of the backward layer.
            mask: [batch, steps]: steps to be passed over are False.
            training: Whether dropout acts.

        Returns:
            The merged output, or both without a merge mode; then the states, if `return_state`.
        """
        settings = {"mask": mask, "training": training}
        states: list[Any] = [None, None]
        if initial_state is not None:
            half = len(initial_state) // 2
            if 2 * half != len(initial_state):
                raise ArgumentError("as many states for both layers", f"{len(initial_state)}", self._where())
            states = [list(initial_state[:half]), list(initial_state[half:])]
        found = []
        for one, own in zip((self.forward_layer, self.backward_layer), states, strict=True):
            given = {name: value for name, value in settings.items() if name in one._call_signature.names}
            found.append(one(sequences, **given, **({} if own is None else {"initial_state": own})))
        after: list[Any] = []
        if self.return_state:
            after = [*found[0][1:], *found[1][1:]]
            found = [found[0][0], found[1][0]]
        first, second = found
        if self.return_sequences:
            second = ops.flip(second, axis=1)
        merged = self._merged(first, second)
        if not self.return_state:
            return merged
        return (*merged, *after) if self.merge_mode is None else (merged, *after)

    def _merged(self, first: Any, second: Any) -> Any:
        if self.merge_mode == "concat":
            return ops.concatenate([first, second], axis=-1)
        if self.merge_mode == "sum":
            return ops.add(first, second)
        if self.merge_mode == "ave":
            return ops.multiply(ops.add(first, second), 0.5)
        if self.merge_mode == "mul":
            return ops.multiply(first, second)
        return first, second

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the sequences where they are returned."""
        mask = tree.flatten(mask)[0] if isinstance(mask, (list, tuple)) and mask else mask
        if not self.return_sequences:
            mask = None
        outputs = [mask, mask] if self.merge_mode is None else [mask]
        if not self.return_state:
            return outputs if self.merge_mode is None else mask
        return [*outputs, *(None for _ in range(2 * len(tree.flatten(self.forward_layer.state_size))))]

    @property
    def _makes_masks(self) -> bool:
        return False

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shapes of the merged output, and of the states."""
        first = self.forward_layer.compute_output_shape(sequences_shape)
        second = self.backward_layer.compute_output_shape(sequences_shape)
        states: tuple = ()
        if self.return_state:
            states = (*first[1:], *second[1:])
            first, second = first[0], second[0]
        if self.merge_mode == "concat":
            merged = (*first[:-1], first[-1] + second[-1])
        else:
            merged = first
        if self.merge_mode is None:
            return (first, second, *states)
        return (merged, *states) if self.return_state else merged

    def get_config(self) -> dict[str, Any]:
        """The arguments, with both layers."""
        config = super().get_config()
        config.pop("weights", None)
        config["layer"] = serialize_value(self.forward_layer)
        config["backward_layer"] = serialize_value(self.backward_layer)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer made from what `get_config` gave."""
        return cls(**{name: deserialize_value(value) for name, value in config.items()})


def _copy(layer: Any) -> Any:
    copy = type(layer).from_config(layer.get_config())
    if layer.built and not copy.built:
        copy.build_from_config(layer.get_build_config())
    return copy
