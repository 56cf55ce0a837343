"""`ConvLSTM1D`, `ConvLSTM2D`, `ConvLSTM3D`: long short-term memory whose products are convolutions."""

from __future__ import annotations

from typing import Any

from hornbeam import _config, activations, constraints, initializers, ops, random, regularizers
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import integers, known_size, padding_name, positive_integer, rate, where
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer
from hornbeam.layers.recurrent.cell import LayerOfCell
from hornbeam.ops import recurrent
from hornbeam.symbolic import KerasTensor

_DOC = """Convolutional long short-term memory over sequences [batch, steps, {axes}channels].

    X. Shi et al., "Convolutional LSTM network: a machine learning approach for precipitation nowcasting", 2015.

    Args:
        filters: The number of channels of the output and of the states.
        kernel_size: The sizes of the kernels; one number for all axes.
        strides: The steps of the kernel over the inputs.
        padding: "valid" or "same", of the inputs; over the states it is always "same".
        data_format: "channels_last" or "channels_first"; the default layout if None.
        dilation_rate: The distances of the kernel's elements in the inputs.
        activation: Activation of what is new.
        recurrent_activation: Activation of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of the kernel [*kernel_size, channels, 4 * filters].
        recurrent_initializer: Initializer of the recurrent kernel [*kernel_size, filters, 4 * filters].
        bias_initializer: Initializer of the bias.
        unit_forget_bias: Whether the bias of the forget gate starts at 1.
        kernel_regularizer: Regularizer of the kernel.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the outputs.
        kernel_constraint: Constraint on the kernel.
        recurrent_constraint: Constraint on the recurrent kernel.
        bias_constraint: Constraint on the bias.
        dropout: The part of the inputs that is dropped while training, the same in all steps.
        recurrent_dropout: The part of the output before that is dropped while training, the same in all steps.
        seed: Seed of the dropout, or None for a random one.
        return_sequences: Whether the outputs of all steps are returned, rather than the last.
        return_state: Whether the last states are returned too.
        go_backwards: Whether sequences are read from the end; the outputs then come in that order.
        stateful: Whether the last states of a batch are the first of the next.

    >>> import hornbeam as keras
    >>> keras.layers.ConvLSTM{rank}D(3, 2)(keras.ops.ones({shape})).shape
    {result}
    """


class ConvLSTMCell(Layer):
    """One step of convolutional long short-term memory; see `ConvLSTM2D` for the arguments."""

    def __init__(
        self, rank: int, filters: int, kernel_size: Any, strides: Any, padding: str, data_format: str | None,
        dilation_rate: Any, activation: Any, recurrent_activation: Any, use_bias: bool, kernel_initializer: Any,
        recurrent_initializer: Any, bias_initializer: Any, unit_forget_bias: bool, kernel_regularizer: Any,
        recurrent_regularizer: Any, bias_regularizer: Any, kernel_constraint: Any, recurrent_constraint: Any,
        bias_constraint: Any, dropout: float, recurrent_dropout: float, seed: int | None, **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rank = rank
        self.filters = positive_integer(filters, "filters", self)
        self.kernel_size = integers(kernel_size, rank, "kernel_size", self)
        self.strides = integers(strides, rank, "strides", self)
        self.padding = padding_name(padding, self)
        self.data_format = _config.standardize_data_format(data_format)
        self.dilation_rate = integers(dilation_rate, rank, "dilation_rate", self)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                "strides or dilation_rate above 1", f"strides={strides}, dilation_rate={dilation_rate}", where(self)
            )
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.unit_forget_bias = unit_forget_bias
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
        self.state_size = -1  # known when built
        self._untracked_shape: Any = None

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else -1 - self.rank

    def build(self, input_shape: Any) -> None:
        """Makes kernels and bias for inputs [batch, *spatial, channels]."""
        channels = known_size(input_shape[self._channel_axis], "channels", input_shape, self)
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, 4 * self.filters), self.kernel_initializer,
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint, name="kernel",
        )
        self.recurrent_kernel = self.add_weight(
            (*self.kernel_size, self.filters, 4 * self.filters), self.recurrent_initializer,
            regularizer=self.recurrent_regularizer, constraint=self.recurrent_constraint, name="recurrent_kernel",
        )
        self.bias = self.add_weight(
            (4 * self.filters,), self._first_bias if self.unit_forget_bias else self.bias_initializer,
            regularizer=self.bias_regularizer, constraint=self.bias_constraint, name="bias",
        ) if self.use_bias else None

    def _first_bias(self, shape: Any, dtype: Any) -> Any:
        given, size = self.bias_initializer(shape, dtype), self.filters
        return ops.concatenate([given[:size], ops.ones((size,), dtype=dtype), given[2 * size :]])

    def state_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of a state for steps of this shape."""
        channels = input_shape[self._channel_axis]
        shape = self._convolved(
            KerasTensor(input_shape), KerasTensor((*self.kernel_size, channels, 4 * self.filters))
        ).shape
        if self.data_format == "channels_last":
            return (*shape[:-1], self.filters)
        return (shape[0], self.filters, *shape[2:])

    def _convolved(self, inputs: Any, kernel: Any) -> Any:
        return ops.conv(inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate)

    def of_inputs(self, inputs: Any) -> Any:
        """What the gates get from inputs [any, *spatial, channels]."""
        found = self._convolved(inputs, self.kernel)
        if self.bias is None:
            return found
        bias = self.bias if self.data_format == "channels_last" else ops.reshape(self.bias, (-1, *(1,) * self.rank))
        return ops.add(found, bias)

    def step(self, x: Any, states: Any, noise: Any = None) -> Any:
        """The output and the next states [h, c], given what the gates get from the inputs."""
        h, c = states
        seen = h if noise is None else ops.multiply(h, noise)
        z = ops.add(x, ops.conv(seen, self.recurrent_kernel, 1, "same", self.data_format))
        i, f, g, o = ops.split(z, 4, axis=self._channel_axis)
        act, gate = self.activation, self.recurrent_activation
        c = ops.add(ops.multiply(gate(f), c), ops.multiply(gate(i), act(g)))
        h = ops.multiply(gate(o), act(c))
        return h, [h, c]

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """The output and the next states, for the inputs of one step and states [h, c]."""
        noise = None
        if training:
            given, noise = self._noise(inputs, states)
            inputs = inputs if given is None else ops.multiply(inputs, given)
        return self.step(self.of_inputs(inputs), states, noise)

    def _noise(self, inputs: Any, states: list[Any]) -> tuple[Any, Any]:
        def factors(like: Any, part: float) -> Any:
            if part == 0:
                return None
            return random.dropout(ops.ones(like.shape, dtype=self.compute_dtype), part, seed=self.seed_generator)

        return factors(inputs, self.dropout), factors(states[0], self.recurrent_dropout)


class BaseConvLSTM(LayerOfCell):
    """What `ConvLSTM1D`, `ConvLSTM2D` and `ConvLSTM3D` share."""

    rank: int

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Builds the cell."""
        self._step_shape = (sequences_shape[0], *sequences_shape[2:])
        super().build(sequences_shape, initial_state_shape)

    def get_initial_state(self, batch_size: int) -> Any:
        """First states of zeros for `batch_size` samples."""
        shape = self.cell.state_shape((batch_size, *self._step_shape[1:]))
        return [ops.zeros(shape, dtype=self.compute_dtype) for _ in range(2)]

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = False) -> Any:
        """The cell carried along the sequences; see `RNN`."""
        self._step_shape = (sequences.shape[0], *sequences.shape[2:])
        return super().call(sequences, initial_state, mask, training)

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """Last output, all outputs (or None if they are not wanted), and last states."""
        sequences, noise = self._settled_noise(sequences, initial_state[0], training)
        batch, steps = sequences.shape[:2]
        folded = self.cell.of_inputs(ops.reshape(sequences, (batch * steps, *sequences.shape[2:])))
        xs = recurrent.in_time_order(ops.reshape(folded, (batch, steps, *folded.shape[1:])))
        return recurrent.loop(
            lambda x, states: self.cell.step(x, states, noise), xs, initial_state,
            None if mask is None else recurrent.in_time_order(mask), backwards=self.go_backwards,
            sequences=self.return_sequences, unroll=self.unroll, zero_masked=self.zero_output_for_mask,
            output=KerasTensor(initial_state[0].shape, self.compute_dtype),
        )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the sequences where they are returned."""
        mask = mask[0] if isinstance(mask, (list, tuple)) and mask else mask
        mask = mask if self.return_sequences else None
        return [mask, None, None] if self.return_state else mask

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shape of the output, or a tuple of it and those of the states."""
        state = self.cell.state_shape((sequences_shape[0], *sequences_shape[2:]))
        output = (state[0], sequences_shape[1], *state[1:]) if self.return_sequences else state
        return (output, state, state) if self.return_state else output

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "unroll": self.unroll}


@wire("keras.layers.ConvLSTM1D")
class ConvLSTM1D(BaseConvLSTM):
    __doc__ = _DOC.format(
        rank=1, axes="rows, ", shape=(2, 3, *(5,) * 1, 1), result=(2, *(4,) * 1, 3)
    )
    rank = 1
    cell_class = ConvLSTMCell

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs: Any,
    ) -> None:
        cell = ConvLSTMCell(
            1, filters, kernel_size, strides, padding, data_format, dilation_rate, activation, recurrent_activation,
            use_bias, kernel_initializer, recurrent_initializer, bias_initializer, unit_forget_bias,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, name="conv_lstm_cell", dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
        )
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=4)


@wire("keras.layers.ConvLSTM2D")
class ConvLSTM2D(BaseConvLSTM):
    __doc__ = _DOC.format(
        rank=2, axes="rows, columns, ", shape=(2, 3, *(5,) * 2, 1), result=(2, *(4,) * 2, 3)
    )
    rank = 2
    cell_class = ConvLSTMCell

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs: Any,
    ) -> None:
        cell = ConvLSTMCell(
            2, filters, kernel_size, strides, padding, data_format, dilation_rate, activation, recurrent_activation,
            use_bias, kernel_initializer, recurrent_initializer, bias_initializer, unit_forget_bias,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, name="conv_lstm_cell", dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
        )
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=5)


@wire("keras.layers.ConvLSTM3D")
class ConvLSTM3D(BaseConvLSTM):
    __doc__ = _DOC.format(
        rank=3, axes="rows, columns, depth, ", shape=(2, 3, *(5,) * 3, 1), result=(2, *(4,) * 3, 3)
    )
    rank = 3
    cell_class = ConvLSTMCell

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs: Any,
    ) -> None:
        cell = ConvLSTMCell(
            3, filters, kernel_size, strides, padding, data_format, dilation_rate, activation, recurrent_activation,
            use_bias, kernel_initializer, recurrent_initializer, bias_initializer, unit_forget_bias,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, name="conv_lstm_cell", dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
        )
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=6)
