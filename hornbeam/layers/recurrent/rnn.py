"""`RNN`: a cell carried along the steps of sequences. It does not know what the cell computes."""

from __future__ import annotations

from typing import Any

from hornbeam import ops, tree
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, ArgumentTypeError
from hornbeam.layers.core.checks import where
from hornbeam.layers.layer import Layer
from hornbeam.layers.recurrent.stacked_rnn_cells import StackedRNNCells
from hornbeam.ops import recurrent
from hornbeam.variable import Variable


@wire("keras.layers.RNN")
class RNN(Layer):
    """A cell, carried along the steps of sequences [batch, steps, ...].

    A cell is a layer with `call(inputs, states)`, which takes the inputs of one step [batch, ...] and a list of
    states and returns the output and the next states, and with `state_size`: an integer, a shape, or a list or dict
    of them. It may have `output_size` and `get_initial_state(batch_size)`. Variables that it writes in a step, such
    as those of its dropout, go along with the states.

    Args:
        cell: The cell, or a list of cells, each of which takes what the one before gives.
        return_sequences: Whether the outputs of all steps are returned, rather than the last.
        return_state: Whether the last states are returned too.
        go_backwards: Whether sequences are read from the end; the outputs then come in that order.
        stateful: Whether the last states of a batch are the first of the next. The batch size must be fixed.
        unroll: Whether the steps are written out one by one instead of a loop; for short sequences of known length.
        zero_output_for_mask: Whether masked steps give zeros, rather than the output of the step before.

    Raises:
        ValueError: If `cell` is no cell.

    >>> import hornbeam as keras
    >>> keras.layers.RNN(keras.layers.LSTMCell(4))(keras.ops.ones((2, 5, 3))).shape
    (2, 4)
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        if not callable(getattr(cell, "call", None)):
            raise ArgumentError("a cell with a `call` method, or a list of them", repr(cell), where(self))
        if not hasattr(cell, "state_size"):
            raise ArgumentError("a cell with `state_size`", repr(cell), where(self))
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self.input_spec: Any = None
        self._untracked_states: Any = None

    @property
    def state_size(self) -> Any:
        """The sizes of the states of the cell."""
        return self.cell.state_size

    @property
    def states(self) -> Any:
        """The variables that hold the states between batches, if `stateful`; else None."""
        return self._untracked_states

    # --- building ------------------------------------------------------------------------------------------

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Builds the cell for the steps of `sequences_shape`, and makes the variables of a stateful layer."""
        step_shape = tree.map_shape_structure(lambda one: (one[0], *one[2:]), sequences_shape)
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build(step_shape)
            self.cell.built = True
        if self.stateful and self._untracked_states is None:
            batch = _first(sequences_shape)[0]
            if batch is None:
                raise ArgumentError(
                    "a fixed batch size for a stateful layer", f"shape={tuple(sequences_shape)}", where(self),
                    "Give the batch size: keras.Input(batch_shape=(32, 10, 8)).",
                )
            self._untracked_states = tree.map_structure(
                lambda one: Variable(one, trainable=False, dtype=self.variable_dtype, name="rnn_state"),
                self.get_initial_state(batch),
            )

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes the layer was built with."""
        if self._build_shapes is None:
            return None
        shapes = dict(zip(*self._build_shapes, strict=True))
        if shapes.get("initial_state_shape") is None:
            return {"input_shape": shapes["sequences_shape"]}
        return {"shapes_dict": shapes}

    # --- states --------------------------------------------------------------------------------------------

    def get_initial_state(self, batch_size: int) -> Any:
        """First states for `batch_size` samples: those of the cell, or zeros."""
        make = getattr(self.cell, "get_initial_state", None)
        if make is not None:
            states = make(batch_size=batch_size)
            if isinstance(states, dict):
                return states
            return list(states) if isinstance(states, (list, tuple)) else [states]
        return tree.map_shape_structure(
            lambda one: ops.zeros(one, dtype=self.compute_dtype),
            [_sized(batch_size, one) for one in _each(self.cell.state_size)]
            if not isinstance(self.cell.state_size, dict) else _sized(batch_size, self.cell.state_size),
        )

    def _first_states(self, given: Any, batch: int) -> Any:
        """The states to start from, in the dtypes that the cell has."""
        zeros = self.get_initial_state(batch)
        if given is None:
            if not self.stateful:
                return zeros
            given = tree.map_structure(lambda one: one.value, self._untracked_states)
        if not isinstance(given, (list, tuple, dict)):
            given = [given]
        leaves = tree.flatten(given)
        if len(leaves) != len(tree.flatten(zeros)):
            raise ArgumentError(
                f"an initial_state of {len(tree.flatten(zeros))} tensors", f"{len(leaves)}", self._where()
            )
        return tree.pack_sequence_as(
            zeros, [ops.cast(one, like.dtype) for one, like in zip(leaves, tree.flatten(zeros), strict=True)]
        )

    def reset_state(self) -> None:
        """Sets the states of a stateful layer to zero."""
        for one in tree.flatten(self._untracked_states):
            if one is not None:
                one.assign(ops.zeros_like(one.value))

    def reset_states(self) -> None:
        """Older name of `reset_state`."""
        self.reset_state()

    # --- the call ------------------------------------------------------------------------------------------

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = False) -> Any:
        """The cell carried along the sequences.

        Args:
            sequences: [batch, steps, ...].
            initial_state: The first states, in the structure of the cell's; zeros, or those of the last batch, if
                None.
            mask: [batch, steps]: steps to be passed over are False.
            training: Whether dropout acts.

        Returns:
            The last output [batch, ...], or all [batch, steps, ...]; if `return_state`, a tuple of it and the states.
        """
        batch = tree.flatten(sequences)[0].shape[0]
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        initial_state = self._first_states(initial_state, batch)
        last, outputs, states = self.inner_loop(sequences, initial_state, mask, training=bool(training))
        if self.stateful:
            for variable, value in zip(tree.flatten(self._untracked_states), tree.flatten(states), strict=True):
                variable.assign(ops.cast(value, variable.dtype))
        found = outputs if self.return_sequences else last
        if not self.return_state:
            return found
        return (found, *(states.values() if isinstance(states, dict) else states))

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """Last output, all outputs (or None if they are not wanted), and last states."""
        xs = tree.map_structure(recurrent.in_time_order, sequences)
        with_training = isinstance(self.cell, Layer) and self.cell._call_signature.has_training
        settings = {"training": training} if with_training else {}

        def step(x: Any, states: Any) -> tuple[Any, Any]:
            output, after = self.cell(x, states, **settings)
            if not isinstance(after, (list, tuple, dict)):
                after = [after]
            return output, tree.pack_sequence_as(states, tree.flatten(after))

        noisy = training and hasattr(self.cell, "draw_noise")
        if noisy:
            self.cell.draw_noise(tree.map_structure(lambda one: one[0], xs), initial_state)
        try:
            return recurrent.loop(
                step, xs, initial_state, None if mask is None else recurrent.in_time_order(mask),
                backwards=self.go_backwards, sequences=self.return_sequences, unroll=self.unroll,
                zero_masked=self.zero_output_for_mask,
            )
        finally:
            if noisy:
                self.cell.forget_noise()

    # --- shapes and masks ----------------------------------------------------------------------------------

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the sequences where they are returned; none for what else is."""
        mask = tree.flatten(mask)[0] if isinstance(mask, (list, tuple)) and mask else mask
        output_mask = mask if self.return_sequences else None
        if not self.return_state:
            return output_mask
        return [output_mask, *(None for _ in _each(self.cell.state_size))]

    @property
    def _makes_masks(self) -> bool:
        return False

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shape of the output, or a tuple of it and those of the states."""
        shape = _first(sequences_shape)
        batch, steps = shape[0], shape[1]
        if self.unroll and steps is None:
            raise ArgumentError("a known number of steps with unroll=True", f"shape={shape}", where(self))
        sizes = self.cell.state_size
        states = [_sized(batch, one) for one in _each(sizes)]
        size = getattr(self.cell, "output_size", None)
        if size is None:
            size = _each(sizes)[0]
            while isinstance(size, (list, dict)):
                size = _each(size)[0]
        rest = tuple(size) if isinstance(size, (list, tuple)) else (size,)
        output = (batch, steps, *rest) if self.return_sequences else (batch, *rest)
        return (output, *states) if self.return_state else output


def _first(shapes: Any) -> Any:
    """The shape, or the first of a structure of them."""
    while not tree.is_shape(shapes):
        shapes = next(iter(shapes.values() if isinstance(shapes, dict) else shapes))
    return shapes


def _each(sizes: Any) -> list[Any]:
    """The sizes of the states, one for each at the top level."""
    if isinstance(sizes, dict):
        return list(sizes.values())
    return list(sizes) if isinstance(sizes, (list, tuple)) else [sizes]


def _sized(batch: int | None, size: Any) -> Any:
    """The shape, or structure of shapes, of states of this size."""
    if isinstance(size, dict):
        return {name: _sized(batch, one) for name, one in size.items()}
    if isinstance(size, list):
        return [_sized(batch, one) for one in size]
    if isinstance(size, tuple):
        return (batch, *size)
    if not hasattr(size, "__index__"):
        raise ArgumentTypeError("a state_size of integers", repr(size), "RNN")
    return (batch, size)
