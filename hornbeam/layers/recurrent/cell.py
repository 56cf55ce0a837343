"""What the cells share: their arguments, weights and dropout; and the layers that are an `RNN` of one such cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import activations, constraints, initializers, ops, random, regularizers
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, UnsupportedError
from hornbeam.layers.core.checks import known_size, positive_integer, rate
from hornbeam.layers.layer import Layer
from hornbeam.layers.recurrent.rnn import RNN


class RecurrentCell(Layer):
    """A cell with a kernel for its inputs and one for its state; see `LSTMCell` for the arguments.

    Dropout takes the same noise in all steps of a sequence (Y. Gal and Z. Ghahramani, "A theoretically grounded
    application of dropout in recurrent neural networks", 2016): `RNN` draws it before the loop. A cell that is called
    by itself draws it anew in each call.
    """

    # how many times `units` a kernel is wide
    gates = 1

    def __init__(
        self, units: int, activation: Any, use_bias: bool, kernel_initializer: Any, recurrent_initializer: Any,
        bias_initializer: Any, kernel_regularizer: Any, recurrent_regularizer: Any, bias_regularizer: Any,
        kernel_constraint: Any, recurrent_constraint: Any, bias_constraint: Any, dropout: float,
        recurrent_dropout: float, seed: int | None, **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = positive_integer(units, "units", self)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = rate(dropout, self, "dropout")
        self.recurrent_dropout = rate(recurrent_dropout, self, "recurrent_dropout")
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)
        self.state_size: Any = self.units
        self.output_size = self.units
        self._untracked_noise: tuple[Any, Any] | None = None

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _bias_start(self) -> Any:
        return self.bias_initializer

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes kernels and bias for inputs [batch, features]."""
        size = known_size(input_shape[-1], "features", input_shape, self)
        width = self.gates * self.units
        self.kernel = self.add_weight(
            (size, width), self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, name="kernel",
        )
        self.recurrent_kernel = self.add_weight(
            (self.units, width), self.recurrent_initializer, regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint, name="recurrent_kernel",
        )
        self.bias = self.add_weight(
            self._bias_shape(), self._bias_start(), regularizer=self.bias_regularizer,
            constraint=self.bias_constraint, name="bias",
        ) if self.use_bias else None

    def draw_noise(self, inputs: Any, states: list[Any]) -> None:
        """Fixes the dropout for all steps to come, until `forget_noise`.

        Args:
            inputs: A tensor like the inputs of a step.
            states: Tensors like the states.
        """
        self._untracked_noise = self._noise(inputs, states)

    def forget_noise(self) -> None:
        """Lets the noise of a sequence go."""
        self._untracked_noise = None

    def _noise(self, inputs: Any, states: list[Any]) -> tuple[Any, Any]:
        def factors(like: Any, part: float) -> Any:
            if part == 0:
                return None
            return random.dropout(ops.ones(like.shape, dtype=self.compute_dtype), part, seed=self.seed_generator)

        return factors(inputs, self.dropout), factors(states[0], self.recurrent_dropout)

    def _noise_of_call(self, inputs: Any, states: list[Any], training: bool) -> tuple[Any, Any]:
        if not training:
            return None, None
        return self._untracked_noise or self._noise(inputs, states)

    def _weights(self) -> tuple[Any, Any, Any]:
        """Kernel, recurrent kernel and bias as tensors."""
        return self.kernel.value, self.recurrent_kernel.value, None if self.bias is None else self.bias.value

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """States of zeros for `batch_size` samples."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in sizes]

    def compute_output_shape(self, input_shape: Any, states_shape: Any = None) -> Any:
        """The shapes of the output and of the states."""
        one = (input_shape[0], self.units)
        states = [one] * len(self.state_size) if isinstance(self.state_size, list) else [one]
        return one, states


def noisy(inputs: Any, noise: Any) -> Any:
    """`inputs` times the factors of a dropout, if there are any."""
    return inputs if noise is None else ops.multiply(inputs, noise)


_DELEGATED = (
    "units", "activation", "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer",
    "bias_initializer", "unit_forget_bias", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer",
    "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "reset_after",
    "seed", "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate",
)


class LayerOfCell(RNN):
    """An `RNN` whose arguments are those of its cell; reads them there."""

    # the arguments that the cell has too
    cell_class: type

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cell_class = cls.__dict__.get("cell_class")
        if cell_class is not None:
            for name in _DELEGATED:
                if name in cell_class.__init__.__code__.co_varnames and name not in cls.__dict__:
                    setattr(cls, name, _of_cell(name))

    def _settled_noise(self, sequences: Any, state: Any, training: bool) -> tuple[Any, Any]:
        """The inputs with their dropout, and the factors of the recurrent dropout or None."""
        if not training or (self.cell.dropout == 0 and self.cell.recurrent_dropout == 0):
            return sequences, None
        step = ops.zeros((sequences.shape[0], *sequences.shape[2:]), dtype=self.compute_dtype)
        given, recurrent = self.cell._noise(step, [state])
        return sequences if given is None else ops.multiply(sequences, ops.expand_dims(given, 1)), recurrent

    def _checked(self, states: Any, sequences: Any, count: int) -> list[Any]:
        """`states` as a list of `count` tensors [batch, units]."""
        found = list(states) if isinstance(states, (list, tuple)) else [states]
        shapes, wanted = [tuple(one.shape) for one in found], (sequences.shape[0], self.cell.units)
        if shapes != [wanted] * count:
            raise ArgumentError(f"initial_state of {count} tensor(s) of shape {wanted}", f"{shapes}", self._where())
        return found

    def _fused(self, kernel: Callable, *args: Any, **kwargs: Any) -> Any:
        """What `kernel`, one of `hornbeam.ops.recurrent`, gives, fused or not as `use_cudnn` says."""
        use = getattr(self, "use_cudnn", "auto")
        found = kernel(
            *args, backwards=self.go_backwards, sequences=self.return_sequences, unroll=self.unroll,
            zero_masked=self.zero_output_for_mask, fused=None if use == "auto" else bool(use), **kwargs,
        )
        if found is None:
            raise UnsupportedError(
                "a fused kernel for these arguments", f"the {backend.name} backend", self._where(),
                "Pass use_cudnn='auto' to have one where there is one.",
            )
        return found

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        config = super().get_config()
        config["zero_output_for_mask"] = self.zero_output_for_mask
        if config.get("use_cudnn") == "auto":
            config.pop("use_cudnn")
        config.setdefault("activity_regularizer", None)
        return config


def _of_cell(name: str) -> property:
    return property(lambda self: getattr(self.cell, name), doc=f"`{name}` of the cell.")


