"""`GRU` and its cell: gated recurrent units."""

from __future__ import annotations

from typing import Any

from hornbeam import activations, ops
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import where
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.recurrent.cell import LayerOfCell, RecurrentCell, noisy
from hornbeam.ops import recurrent


@wire("keras.layers.GRUCell")
class GRUCell(RecurrentCell):
    """One step of gated recurrent units, for `RNN`. K. Cho et al., 2014.

    Args:
        units: The size of the output and of each state.
        activation: Activation of what is new.
        recurrent_activation: Activation of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of the kernel [features, 3 * units], which acts on the inputs.
        recurrent_initializer: Initializer of the recurrent kernel [units, 3 * units], which acts on the output
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
        reset_after: Whether the reset gate acts after the product with the recurrent kernel, or before.
        seed: Seed of the dropout, or None for a random one.

    >>> import hornbeam as keras
    >>> cell = keras.layers.GRUCell(4)
    >>> cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))[0].shape
    (2, 4)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, **kwargs,
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _biases(self) -> tuple[Any, Any]:
        """The bias of the inputs and that of the state, each [3 * units] or None."""
        if self.bias is None:
            return None, None
        bias = self.bias.value
        return (bias[0], bias[1]) if self.reset_after else (bias, None)

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """The output [batch, units] and the next states, for inputs [batch, features] and states [h]."""
        before = states[0] if isinstance(states, (list, tuple)) else states
        noise, recurrent_noise = self._noise_of_call(inputs, [before], training)
        kernel, recurrent_kernel, _ = self._weights()
        _, _, after = recurrent.gru.plain(
            ops.expand_dims(noisy(inputs, noise), 1), before, None, kernel, recurrent_kernel, *self._biases(),
            self.activation, self.recurrent_activation, self.reset_after, sequences=False, unroll=True,
            noise=recurrent_noise,
        )
        return after[0], after


@wire("keras.layers.GRU")
class GRU(LayerOfCell):
    """Gated recurrent units over sequences [batch, steps, features]. K. Cho et al., 2014.

    All steps meet the kernel in one product; only what depends on the step before is done step by step. Called with
    `initial_state`, `mask` and `training` as `RNN` is; the state is [h].

    Args:
        units: The size of the output and of each state.
        activation: Activation of what is new.
        recurrent_activation: Activation of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of the kernel [features, 3 * units], which acts on the inputs.
        recurrent_initializer: Initializer of the recurrent kernel [units, 3 * units], which acts on the output
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
        seed: Seed of the dropout, or None for a random one.
        return_sequences: Whether the outputs of all steps are returned, rather than the last.
        return_state: Whether the last states are returned too.
        go_backwards: Whether sequences are read from the end; the outputs then come in that order.
        stateful: Whether the last states of a batch are the first of the next. The batch size must be fixed.
        unroll: Whether the steps are written out one by one instead of a loop.
        reset_after: Whether the reset gate acts after the product with the recurrent kernel, or before.
        use_cudnn: "auto" takes a fused kernel of the backend where there is one, True demands one, False takes
            none.
        **kwargs: `zero_output_for_mask` of `RNN`, and the arguments of every layer.

    >>> import hornbeam as keras
    >>> keras.layers.GRU(4, return_sequences=True)(keras.ops.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

    cell_class = GRUCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = GRUCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
            recurrent_constraint, bias_constraint, dropout, recurrent_dropout, reset_after, seed, name="gru_cell",
            dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True),
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
        (h,) = self._checked(initial_state, sequences, 1)
        sequences, noise = self._settled_noise(sequences, h, training)
        kernel, recurrent_kernel, _ = self.cell._weights()
        return self._fused(
            recurrent.gru, sequences, h, mask, kernel, recurrent_kernel, *self.cell._biases(), self.activation,
            self.recurrent_activation, self.reset_after, noise=noise,
        )
