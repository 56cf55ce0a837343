"""`LSTM` and its cell: long short-term memory."""

from __future__ import annotations

from typing import Any

from hornbeam import activations, ops
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import where
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.recurrent.cell import LayerOfCell, RecurrentCell, noisy
from hornbeam.ops import recurrent


@wire("keras.layers.LSTMCell")
class LSTMCell(RecurrentCell):
    """One step of long short-term memory, for `RNN`. S. Hochreiter and J. Schmidhuber, 1997.

    Args:
        units: The size of the output and of each state.
        activation: Activation of what is new.
        recurrent_activation: Activation of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of the kernel [features, 4 * units], which acts on the inputs.
        recurrent_initializer: Initializer of the recurrent kernel [units, 4 * units], which acts on the output
            before.
        bias_initializer: Initializer of the bias.
        unit_forget_bias: Whether the bias of the forget gate starts at 1; R. Jozefowicz et al., 2015.
        kernel_regularizer: Regularizer of the kernel.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on the kernel.
        recurrent_constraint: Constraint on the recurrent kernel.
        bias_constraint: Constraint on the bias.
        dropout: The part of the inputs that is dropped while training, the same in all steps.
        recurrent_dropout: The part of the output before that the kernels do not see while training, the same in
            all steps.
        seed: Seed of the dropout, or None for a random one.

    >>> import hornbeam as keras
    >>> cell = keras.layers.LSTMCell(4)
    >>> output, states = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
    >>> output.shape, len(states)
    ((2, 4), 2)
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, **kwargs,
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.units, self.units]

    def _bias_start(self) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer
        units = self.units

        def start(shape: Any, dtype: Any) -> Any:
            given = self.bias_initializer(shape, dtype)
            return ops.concatenate([given[:units], ops.ones((units,), dtype=dtype), given[2 * units :]])

        return start

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """The output [batch, units] and the next states, for inputs [batch, features] and states [h, c]."""
        h, c = states
        noise, recurrent_noise = self._noise_of_call(inputs, states, training)
        kernel, recurrent_kernel, bias = self._weights()
        z = ops.add(ops.matmul(noisy(inputs, noise), kernel), ops.matmul(noisy(h, recurrent_noise), recurrent_kernel))
        i, f, g, o = ops.split(z if bias is None else ops.add(z, bias), 4, axis=-1)
        act, gate = self.activation, self.recurrent_activation
        c = ops.add(ops.multiply(gate(f), c), ops.multiply(gate(i), act(g)))
        h = ops.multiply(gate(o), act(c))
        return h, [h, c]


@wire("keras.layers.LSTM")
class LSTM(LayerOfCell):
    """Long short-term memory over sequences [batch, steps, features]. S. Hochreiter and J. Schmidhuber, 1997.

    All steps meet the kernel in one product; only what depends on the step before is done step by step. Called with
    `initial_state`, `mask` and `training` as `RNN` is; the states are [h, c].

    Args:
        units: The size of the output and of each state.
        activation: Activation of what is new.
        recurrent_activation: Activation of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of the kernel [features, 4 * units], which acts on the inputs.
        recurrent_initializer: Initializer of the recurrent kernel [units, 4 * units], which acts on the output
            before.
        bias_initializer: Initializer of the bias.
        unit_forget_bias: Whether the bias of the forget gate starts at 1; R. Jozefowicz et al., 2015.
        kernel_regularizer: Regularizer of the kernel.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the outputs.
        kernel_constraint: Constraint on the kernel.
        recurrent_constraint: Constraint on the recurrent kernel.
        bias_constraint: Constraint on the bias.
        dropout: The part of the inputs that is dropped while training, the same in all steps.
        recurrent_dropout: The part of the output before that the kernels do not see while training, the same in
            all steps.
        seed: Seed of the dropout, or None for a random one.
        return_sequences: Whether the outputs of all steps are returned, rather than the last.
        return_state: Whether the last states are returned too.
        go_backwards: Whether sequences are read from the end; the outputs then come in that order.
        stateful: Whether the last states of a batch are the first of the next. The batch size must be fixed.
        unroll: Whether the steps are written out one by one instead of a loop.
        use_cudnn: "auto" takes a fused kernel of the backend where there is one, True demands one, False takes
            none.
        **kwargs: `zero_output_for_mask` of `RNN`, and the arguments of every layer.

    >>> import hornbeam as keras
    >>> keras.layers.LSTM(4, return_sequences=True)(keras.ops.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

    cell_class = LSTMCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = LSTMCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, unit_forget_bias, kernel_regularizer, recurrent_regularizer, bias_regularizer,
            kernel_constraint, recurrent_constraint, bias_constraint, dropout, recurrent_dropout, seed,
            name="lstm_cell", dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True),
        )
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )
        if use_cudnn not in ("auto", True, False):
            raise ArgumentError("use_cudnn of 'auto', True or False", repr(use_cudnn), where(self))
        self.use_cudnn = use_cudnn
        self.input_spec = InputSpec(ndim=3)

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """Last output, all outputs (or None if they are not wanted), and last states."""
        h, c = self._checked(initial_state, sequences, 2)
        sequences, noise = self._settled_noise(sequences, h, training)
        return self._fused(
            recurrent.lstm, sequences, h, c, mask, *self.cell._weights(), self.activation, self.recurrent_activation,
            noise=noise,
        )
