"""`SimpleRNN` and its cell: the output is fed back."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam._wire import wire
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.recurrent.cell import LayerOfCell, RecurrentCell, noisy
from hornbeam.ops import recurrent


@wire("keras.layers.SimpleRNNCell")
class SimpleRNNCell(RecurrentCell):
    """One step of `activation(x @ kernel + bias + h @ recurrent_kernel)`, for `RNN`. J. L. Elman, 1990.

    Args:
        units: The size of the output and of each state.
        activation: Activation of what is new.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of the kernel [features, units], which acts on the inputs.
        recurrent_initializer: Initializer of the recurrent kernel [units, units], which acts on the output
            before.
        bias_initializer: Initializer of the bias.
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
    >>> cell = keras.layers.SimpleRNNCell(4)
    >>> cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))[0].shape
    (2, 4)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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

    def call(self, sequence: Any, states: Any, training: bool = False) -> Any:
        """The output [batch, units] and the next states, for inputs [batch, features] and states [h]."""
        before = states[0] if isinstance(states, (list, tuple)) else states
        noise, recurrent_noise = self._noise_of_call(sequence, [before], training)
        kernel, recurrent_kernel, bias = self._weights()
        z = ops.matmul(noisy(sequence, noise), kernel)
        if bias is not None:
            z = ops.add(z, bias)
        after = self.activation(ops.add(z, ops.matmul(noisy(before, recurrent_noise), recurrent_kernel)))
        return after, [after]


@wire("keras.layers.SimpleRNN")
class SimpleRNN(LayerOfCell):
    """`activation(x @ kernel + bias + h @ recurrent_kernel)` over sequences [batch, steps, features]; `h` is the
    output of the step before. J. L. Elman, "Finding structure in time", 1990.

    Called with `initial_state`, `mask` and `training` as `RNN` is.

    Args:
        units: The size of the output and of each state.
        activation: Activation of what is new.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of the kernel [features, units], which acts on the inputs.
        recurrent_initializer: Initializer of the recurrent kernel [units, units], which acts on the output
            before.
        bias_initializer: Initializer of the bias.
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
        return_sequences: Whether the outputs of all steps are returned, rather than the last.
        return_state: Whether the last states are returned too.
        go_backwards: Whether sequences are read from the end; the outputs then come in that order.
        stateful: Whether the last states of a batch are the first of the next. The batch size must be fixed.
        unroll: Whether the steps are written out one by one instead of a loop.
        seed: Seed of the dropout, or None for a random one.
        **kwargs: `zero_output_for_mask` of `RNN`, and the arguments of every layer.

    >>> import hornbeam as keras
    >>> keras.layers.SimpleRNN(4, return_sequences=True)(keras.ops.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

    cell_class = SimpleRNNCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        cell = SimpleRNNCell(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, name="simple_rnn_cell", dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
        )
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )
        self.input_spec = InputSpec(ndim=3)

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """Last output, all outputs (or None if they are not wanted), and last states."""
        (h,) = self._checked(initial_state, sequences, 1)
        sequences, noise = self._settled_noise(sequences, h, training)
        return self._fused(
            recurrent.rnn, sequences, h, mask, *self.cell._weights(), self.activation, noise=noise
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments; the seed only if there is one."""
        config = super().get_config()
        if config["seed"] is None:
            config.pop("seed")
        return config
