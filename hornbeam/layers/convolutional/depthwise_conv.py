"""`DepthwiseConv1D`, `DepthwiseConv2D`: channels kept apart; `SeparableConv1D`, `SeparableConv2D`: mixed afterwards."""

from __future__ import annotations

from typing import Any

from hornbeam import constraints, initializers, ops, regularizers
from hornbeam._wire import wire
from hornbeam.layers.convolutional.base_conv import BaseConv
from hornbeam.layers.core.checks import known_size, positive_integer
from hornbeam.layers.input_spec import InputSpec
from hornbeam.symbolic import KerasTensor


class BaseDepthwiseConv(BaseConv):
    """A convolution of each channel by itself; see `DepthwiseConv2D` for the arguments."""

    def __init__(
        self, rank: int, depth_multiplier: int, kernel_size: Any, strides: Any, padding: str,
        data_format: str | None, dilation_rate: Any, depthwise_initializer: Any, depthwise_regularizer: Any,
        depthwise_constraint: Any, filters: int = 1, **kwargs: Any,
    ) -> None:
        super().__init__(
            rank, filters, kernel_size, strides, padding, data_format, dilation_rate,
            kernel_initializer=depthwise_initializer, kernel_regularizer=depthwise_regularizer,
            kernel_constraint=depthwise_constraint, **kwargs,
        )
        self.depth_multiplier = positive_integer(depth_multiplier, "depth_multiplier", self)
        self.depthwise_initializer = self.kernel_initializer
        self.depthwise_regularizer = self.kernel_regularizer
        self.depthwise_constraint = self.kernel_constraint

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, channels, self.depth_multiplier)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes kernel and bias; the number of channels in `input_shape` must be known."""
        self.filters = self.depth_multiplier * known_size(
            input_shape[self._channel_axis], "channels", input_shape, self
        )
        super().build(input_shape)

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolution alone."""
        return ops.depthwise_conv(
            inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate
        )

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the outputs, in the layout of the inputs."""
        kernel = KerasTensor(self._kernel_shape(input_shape[self._channel_axis]), self.compute_dtype)
        return self.convolution_op(KerasTensor(input_shape, self.compute_dtype), kernel).shape


@wire("keras.layers.DepthwiseConv1D")
class DepthwiseConv1D(BaseDepthwiseConv):
    """Convolution of each channel by itself, over 1 axis.

    Args:
        kernel_size: The sizes of the kernel; one number for all axes.
        strides: The steps of the kernel.
        padding: "valid" for none, or "same" so that the outputs have the size of the inputs over the strides.
        depth_multiplier: How many outputs each channel gets by itself.
        data_format: "channels_last" (batch, ..., channels) or "channels_first"; the default layout if None.
        dilation_rate: The distances of the kernel's elements in the input.
        activation: An activation or its name.
        use_bias: Whether a bias is added.
        depthwise_initializer: Initializer of the kernel [*kernel_size, channels, depth_multiplier].
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the depthwise kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the outputs.
        depthwise_constraint: Constraint on the depthwise kernel.
        bias_constraint: Constraint on the bias.

    >>> import hornbeam as keras
    >>> keras.layers.DepthwiseConv1D(2, depth_multiplier=2)(keras.ops.ones((2, 4, 3))).shape
    (2, 3, 6)
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            1, depth_multiplier, kernel_size, strides, padding, data_format, dilation_rate, depthwise_initializer,
            depthwise_regularizer, depthwise_constraint, activation=activation, use_bias=use_bias,
            bias_initializer=bias_initializer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, bias_constraint=bias_constraint, **kwargs,
        )


@wire("keras.layers.DepthwiseConv2D")
class DepthwiseConv2D(BaseDepthwiseConv):
    """Convolution of each channel by itself, over 2 axes.

    Args:
        kernel_size: The sizes of the kernel; one number for all axes.
        strides: The steps of the kernel.
        padding: "valid" for none, or "same" so that the outputs have the size of the inputs over the strides.
        depth_multiplier: How many outputs each channel gets by itself.
        data_format: "channels_last" (batch, ..., channels) or "channels_first"; the default layout if None.
        dilation_rate: The distances of the kernel's elements in the input.
        activation: An activation or its name.
        use_bias: Whether a bias is added.
        depthwise_initializer: Initializer of the kernel [*kernel_size, channels, depth_multiplier].
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the depthwise kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the outputs.
        depthwise_constraint: Constraint on the depthwise kernel.
        bias_constraint: Constraint on the bias.

    >>> import hornbeam as keras
    >>> keras.layers.DepthwiseConv2D(2, depth_multiplier=2)(keras.ops.ones((2, 4, 4, 3))).shape
    (2, 3, 3, 6)
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            2, depth_multiplier, kernel_size, strides, padding, data_format, dilation_rate, depthwise_initializer,
            depthwise_regularizer, depthwise_constraint, activation=activation, use_bias=use_bias,
            bias_initializer=bias_initializer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, bias_constraint=bias_constraint, **kwargs,
        )


class BaseSeparableConv(BaseDepthwiseConv):
    """A convolution of each channel by itself, then one of size 1 over all; see `SeparableConv2D`."""

    def __init__(
        self, rank: int, filters: int, depth_multiplier: int, pointwise_initializer: Any, pointwise_regularizer: Any,
        pointwise_constraint: Any, **kwargs: Any,
    ) -> None:
        super().__init__(rank, depth_multiplier, filters=filters, **kwargs)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def _pointwise_shape(self, channels: int) -> tuple[int, ...]:
        return (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes kernels and bias; the number of channels in `input_shape` must be known."""
        channels = known_size(input_shape[self._channel_axis], "channels", input_shape, self)
        self.depthwise_kernel = self.add_weight(
            self._kernel_shape(channels), self.depthwise_initializer, regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint, name="depthwise_kernel",
        )
        self.pointwise_kernel = self.add_weight(
            self._pointwise_shape(channels), self.pointwise_initializer, regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint, name="pointwise_kernel",
        )
        self.bias = self.add_weight(
            (self.filters,), self.bias_initializer, regularizer=self.bias_regularizer,
            constraint=self.bias_constraint, name="bias",
        ) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={self._channel_axis: channels})
        self.compute_output_shape(input_shape)  # raises if the kernel does not fit

    def _both(self, inputs: Any, depthwise: Any, pointwise: Any) -> Any:
        return ops.separable_conv(
            inputs, depthwise, pointwise, self.strides, self.padding, self.data_format, self.dilation_rate
        )

    def call(self, inputs: Any) -> Any:
        """Both convolutions, bias, activation."""
        outputs = self._with_bias(self._both(inputs, self.depthwise_kernel, self.pointwise_kernel))
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the outputs, in the layout of the inputs."""
        channels = input_shape[self._channel_axis]
        kernels = [
            KerasTensor(one, self.compute_dtype)
            for one in (self._kernel_shape(channels), self._pointwise_shape(channels))
        ]
        return self._both(KerasTensor(input_shape, self.compute_dtype), *kernels).shape


@wire("keras.layers.SeparableConv1D", "keras.layers.SeparableConvolution1D")
class SeparableConv1D(BaseSeparableConv):
    """Convolution of each channel by itself over 1 axis, then a mixture of the channels of each pixel.

    Args:
        filters: The number of output channels.
        kernel_size: The sizes of the kernel; one number for all axes.
        strides: The steps of the kernel.
        padding: "valid" for none, or "same" so that the outputs have the size of the inputs over the strides.
        data_format: "channels_last" (batch, ..., channels) or "channels_first"; the default layout if None.
        dilation_rate: The distances of the kernel's elements in the input.
        depth_multiplier: How many outputs each channel gets by itself.
        activation: An activation or its name.
        use_bias: Whether a bias is added.
        depthwise_initializer: Initializer of the kernel [*kernel_size, channels, depth_multiplier].
        pointwise_initializer: Initializer of the kernel that mixes channels.
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the depthwise kernel.
        pointwise_regularizer: Regularizer of the pointwise kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the outputs.
        depthwise_constraint: Constraint on the depthwise kernel.
        pointwise_constraint: Constraint on the pointwise kernel.
        bias_constraint: Constraint on the bias.

    >>> import hornbeam as keras
    >>> keras.layers.SeparableConv1D(5, 2)(keras.ops.ones((2, 4, 3))).shape
    (2, 3, 5)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            1, filters, depth_multiplier, pointwise_initializer, pointwise_regularizer, pointwise_constraint,
            kernel_size=kernel_size, strides=strides, padding=padding, data_format=data_format,
            dilation_rate=dilation_rate, depthwise_initializer=depthwise_initializer,
            depthwise_regularizer=depthwise_regularizer, depthwise_constraint=depthwise_constraint,
            activation=activation, use_bias=use_bias, bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint, **kwargs,
        )


@wire("keras.layers.SeparableConv2D", "keras.layers.SeparableConvolution2D")
class SeparableConv2D(BaseSeparableConv):
    """Convolution of each channel by itself over 2 axes, then a mixture of the channels of each pixel.

    Args:
        filters: The number of output channels.
        kernel_size: The sizes of the kernel; one number for all axes.
        strides: The steps of the kernel.
        padding: "valid" for none, or "same" so that the outputs have the size of the inputs over the strides.
        data_format: "channels_last" (batch, ..., channels) or "channels_first"; the default layout if None.
        dilation_rate: The distances of the kernel's elements in the input.
        depth_multiplier: How many outputs each channel gets by itself.
        activation: An activation or its name.
        use_bias: Whether a bias is added.
        depthwise_initializer: Initializer of the kernel [*kernel_size, channels, depth_multiplier].
        pointwise_initializer: Initializer of the kernel that mixes channels.
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the depthwise kernel.
        pointwise_regularizer: Regularizer of the pointwise kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the outputs.
        depthwise_constraint: Constraint on the depthwise kernel.
        pointwise_constraint: Constraint on the pointwise kernel.
        bias_constraint: Constraint on the bias.

    >>> import hornbeam as keras
    >>> keras.layers.SeparableConv2D(5, 2)(keras.ops.ones((2, 4, 4, 3))).shape
    (2, 3, 3, 5)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            2, filters, depth_multiplier, pointwise_initializer, pointwise_regularizer, pointwise_constraint,
            kernel_size=kernel_size, strides=strides, padding=padding, data_format=data_format,
            dilation_rate=dilation_rate, depthwise_initializer=depthwise_initializer,
            depthwise_regularizer=depthwise_regularizer, depthwise_constraint=depthwise_constraint,
            activation=activation, use_bias=use_bias, bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint, **kwargs,
        )


# Keras's second names
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
