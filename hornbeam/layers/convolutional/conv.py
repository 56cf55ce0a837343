"""`Conv1D`, `Conv2D`, `Conv3D`."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.layers.convolutional.base_conv import BaseConv
from hornbeam.layers.core.checks import where


@wire("keras.layers.Conv1D", "keras.layers.Convolution1D")
class Conv1D(BaseConv):
    """Convolution over one axis, such as time.

    Args:
        filters: The number of output channels.
        kernel_size: The length of the kernel.
        strides: The step of the kernel.
        padding: "valid", "same", or "causal": no output sees later inputs.
        data_format: "channels_last" (batch, steps, channels) or "channels_first"; the default layout if None.
        dilation_rate: The distance of the kernel's elements in the input.
        groups: Into how many groups the channels are split, each convolved for itself.
        activation: An activation or its name.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel [kernel_size, channels / groups, filters].
        bias_initializer: Initializer of the bias [filters].
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the outputs.
        kernel_constraint: Constraint on the kernel.
        bias_constraint: Constraint on the bias.

    >>> import hornbeam as keras
    >>> keras.layers.Conv1D(4, 3)(keras.ops.ones((2, 10, 5))).shape
    (2, 8, 4)
    """

    paddings = ("valid", "same", "causal")

    def __init__(
        self,
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
        super().__init__(
            1, filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )
        if self.padding == "causal" and self.data_format != "channels_last":
            raise ArgumentError("channels_last with causal padding", repr(self.data_format), where(self))

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolution alone; causal padding goes before the first step."""
        if self.padding != "causal":
            return super().convolution_op(inputs, kernel)
        left = self.dilation_rate[0] * (self.kernel_size[0] - 1)
        inputs = ops.pad(inputs, [(0, 0), (left, 0), (0, 0)])
        return ops.conv(inputs, kernel, self.strides, "valid", self.data_format, self.dilation_rate)


@wire("keras.layers.Conv2D", "keras.layers.Convolution2D")
class Conv2D(BaseConv):
    """Convolution over two axes, such as those of images.

    Args:
        filters: The number of output channels.
        kernel_size: Height and width of the kernel; one number for both.
        strides: The steps of the kernel.
        padding: "valid" for none, "same" so that the outputs have the size of the inputs over the strides.
        data_format: "channels_last" (batch, height, width, channels) or "channels_first"; the default layout if
            None.
        dilation_rate: The distances of the kernel's elements in the input.
        groups: Into how many groups the channels are split, each convolved for itself.
        activation: An activation or its name.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel [height, width, channels / groups, filters].
        bias_initializer: Initializer of the bias [filters].
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the outputs.
        kernel_constraint: Constraint on the kernel.
        bias_constraint: Constraint on the bias.

    Raises:
        ValueError: If groups do not divide the channels, or strides and dilation are both above 1.

    >>> import hornbeam as keras
    >>> keras.layers.Conv2D(4, 3, padding="same")(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
        super().__init__(
            2, filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )


@wire("keras.layers.Conv3D", "keras.layers.Convolution3D")
class Conv3D(BaseConv):
    """Convolution over three axes, such as those of volumes; see `Conv2D` for the arguments.

    >>> import hornbeam as keras
    >>> keras.layers.Conv3D(4, 3)(keras.ops.ones((2, 8, 8, 8, 3))).shape
    (2, 6, 6, 6, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1, 1),
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
        super().__init__(
            3, filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )


# Keras's second names
Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
