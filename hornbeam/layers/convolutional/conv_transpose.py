"""`Conv1DTranspose`, `Conv2DTranspose`, `Conv3DTranspose`: convolutions the other way, from few pixels to many."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.layers.convolutional.base_conv import BaseConv
from hornbeam.layers.core.checks import integers, where
from hornbeam.symbolic import KerasTensor


class BaseConvTranspose(BaseConv):
    """A transposed convolution of `rank` spatial axes plus bias and activation; see `Conv2DTranspose`."""

    def __init__(
        self, rank: int, filters: int, kernel_size: Any, strides: Any, padding: str, output_padding: Any,
        data_format: str | None, dilation_rate: Any, **kwargs: Any,
    ) -> None:
        super().__init__(rank, filters, kernel_size, strides, padding, data_format, dilation_rate, **kwargs)
        self.output_padding = (
            None if output_padding is None else integers(output_padding, rank, "output_padding", self, least=0)
        )
        if self.output_padding and any(
            extra >= stride for extra, stride in zip(self.output_padding, self.strides, strict=True)
        ):
            raise ArgumentError(
                "output_padding smaller than the strides", f"output_padding={output_padding}, strides={strides}",
                where(self),
            )

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, self.filters, channels)

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The transposed convolution alone."""
        return ops.conv_transpose(
            inputs, kernel, self.strides, self.padding, self.output_padding, self.data_format, self.dilation_rate
        )

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the outputs, in the layout of the inputs."""
        kernel = KerasTensor(self._kernel_shape(input_shape[self._channel_axis]), self.compute_dtype)
        return self.convolution_op(KerasTensor(input_shape, self.compute_dtype), kernel).shape


@wire("keras.layers.Conv1DTranspose", "keras.layers.Convolution1DTranspose")
class Conv1DTranspose(BaseConvTranspose):
    """The gradient of a convolution over 1 axis, as a layer of its own: each input spreads over the outputs.

    M. D. Zeiler et al., "Deconvolutional networks", 2010.

    Args:
        filters: The number of output channels.
        kernel_size: The sizes of the kernel; one number for all axes.
        strides: The steps of the kernel in the outputs.
        padding: "valid" for none, or "same" so that the outputs have the size of the inputs times the strides.
        output_padding: How much larger the outputs are at their end than they must be; smaller than the
            strides.
        data_format: "channels_last" (batch, ..., channels) or "channels_first"; the default layout if None.
        dilation_rate: The distances of the kernel's elements in the input.
        activation: An activation or its name.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel [*kernel_size, filters, channels].
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the outputs.
        kernel_constraint: Constraint on the kernel.
        bias_constraint: Constraint on the bias.

    >>> import hornbeam as keras
    >>> keras.layers.Conv1DTranspose(5, 2, strides=2)(keras.ops.ones((2, 4, 3))).shape
    (2, 8, 5)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        super().__init__(
            1, filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate,
            activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint, **kwargs,
        )


@wire("keras.layers.Conv2DTranspose", "keras.layers.Convolution2DTranspose")
class Conv2DTranspose(BaseConvTranspose):
    """The gradient of a convolution over 2 axes, as a layer of its own: each input spreads over the outputs.

    M. D. Zeiler et al., "Deconvolutional networks", 2010.

    Args:
        filters: The number of output channels.
        kernel_size: The sizes of the kernel; one number for all axes.
        strides: The steps of the kernel in the outputs.
        padding: "valid" for none, or "same" so that the outputs have the size of the inputs times the strides.
        output_padding: How much larger the outputs are at their end than they must be; smaller than the
            strides.
        data_format: "channels_last" (batch, ..., channels) or "channels_first"; the default layout if None.
        dilation_rate: The distances of the kernel's elements in the input.
        activation: An activation or its name.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel [*kernel_size, filters, channels].
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the outputs.
        kernel_constraint: Constraint on the kernel.
        bias_constraint: Constraint on the bias.

    >>> import hornbeam as keras
    >>> keras.layers.Conv2DTranspose(5, 2, strides=2)(keras.ops.ones((2, 4, 4, 3))).shape
    (2, 8, 8, 5)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
        super().__init__(
            2, filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate,
            activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint, **kwargs,
        )


@wire("keras.layers.Conv3DTranspose", "keras.layers.Convolution3DTranspose")
class Conv3DTranspose(BaseConvTranspose):
    """The gradient of a convolution over 3 axes, as a layer of its own: each input spreads over the outputs.

    M. D. Zeiler et al., "Deconvolutional networks", 2010.

    Args:
        filters: The number of output channels.
        kernel_size: The sizes of the kernel; one number for all axes.
        strides: The steps of the kernel in the outputs.
        padding: "valid" for none, or "same" so that the outputs have the size of the inputs times the strides.
        output_padding: How much larger the outputs are at their end than they must be; smaller than the
            strides.
        data_format: "channels_last" (batch, ..., channels) or "channels_first"; the default layout if None.
        dilation_rate: The distances of the kernel's elements in the input.
        activation: An activation or its name.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel [*kernel_size, filters, channels].
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the outputs.
        kernel_constraint: Constraint on the kernel.
        bias_constraint: Constraint on the bias.

    >>> import hornbeam as keras
    >>> keras.layers.Conv3DTranspose(5, 2, strides=2)(keras.ops.ones((2, 4, 4, 4, 3))).shape
    (2, 8, 8, 8, 5)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = (1, 1, 1),
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
        super().__init__(
            3, filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate,
            activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint, **kwargs,
        )


# Keras's second names
Convolution1DTranspose, Convolution2DTranspose, Convolution3DTranspose = (
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
)
