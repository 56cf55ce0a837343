"""What all convolution layers share, whatever their rank."""

from __future__ import annotations

from typing import Any

from hornbeam import _config, activations, constraints, initializers, ops, regularizers
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import integers, known_size, padding_name, positive_integer, where
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer


class BaseConv(Layer):
    """A convolution of `rank` spatial axes plus bias and activation; see `Conv2D` for the arguments."""

    paddings: tuple[str, ...] = ("valid", "same")

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.rank = rank
        self.filters = positive_integer(filters, "filters", self)
        self.groups = positive_integer(groups, "groups", self)
        self.kernel_size = integers(kernel_size, rank, "kernel_size", self)
        self.strides = integers(strides, rank, "strides", self)
        self.dilation_rate = integers(dilation_rate, rank, "dilation_rate", self)
        self.padding = padding_name(padding, self, self.paddings)
        self.data_format = _config.standardize_data_format(data_format)
        if self.filters % self.groups:
            raise ArgumentError("filters divisible by groups", f"filters={filters}, groups={groups}", where(self))
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                "strides or dilation_rate above 1", f"strides={strides}, dilation_rate={dilation_rate}", where(self)
            )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=rank + 2)

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else -1 - self.rank

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        if channels % self.groups:
            raise ArgumentError("input channels divisible by groups", f"{channels}, groups={self.groups}", where(self))
        return (*self.kernel_size, channels // self.groups, self.filters)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes kernel and bias; the number of channels in `input_shape` must be known."""
        channels = known_size(input_shape[self._channel_axis], "channels", input_shape, self)
        self.kernel = self.add_weight(
            self._kernel_shape(channels), self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, name="kernel",
        )
        self.bias = self.add_weight(
            (self.filters,), self.bias_initializer, regularizer=self.bias_regularizer,
            constraint=self.bias_constraint, name="bias",
        ) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={self._channel_axis: channels})
        self.compute_output_shape(input_shape)  # raises if the kernel does not fit

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        config = super().get_config()
        config.setdefault("activity_regularizer", None)
        return config

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolution alone; a subclass may replace it."""
        return ops.conv(inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate)

    def call(self, inputs: Any) -> Any:
        """Convolution, bias, activation."""
        outputs = self._with_bias(self.convolution_op(inputs, self.kernel))
        return outputs if self.activation is None else self.activation(outputs)

    def _with_bias(self, outputs: Any) -> Any:
        if self.bias is None:
            return outputs
        bias = self.bias.value
        if self.data_format == "channels_last" and outputs.dtype == bias.dtype:
            return backend.add_bias(outputs, bias)
        if self.data_format == "channels_last":
            return ops.add(outputs, bias)
        return ops.add(outputs, ops.reshape(self.bias, (self.filters,) + (1,) * self.rank))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the outputs, in the layout of the inputs."""
        last = self.data_format == "channels_last"
        batch = input_shape[: -1 - self.rank]
        spatial = input_shape[-1 - self.rank : -1] if last else input_shape[-self.rank :]
        sizes = [self._output_size(axis, size) for axis, size in enumerate(spatial)]
        for size in sizes:
            if size is not None and size < 1:
                raise ArgumentError(
                    f"inputs at least as large as the kernel {self.kernel_size}", f"shape={tuple(input_shape)}",
                    where(self), "Use padding='same' or larger inputs.",
                )
        return (*batch, *sizes, self.filters) if last else (*batch, self.filters, *sizes)

    def _output_size(self, axis: int, size: int | None) -> int | None:
        if size is None:
            return None
        if self.padding == "valid":
            size -= (self.kernel_size[axis] - 1) * self.dilation_rate[axis]
        return -(-size // self.strides[axis])
