"""Convolutions over one, two or three spatial axes: plain forms that hold on every backend.

A convolution is a sum over the kernel's positions of a strided slice of the images times a matrix. Backends
replace it by their own kernels, which then see complete arguments: the checks here come first.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from hornbeam._config import standardize_data_format
from hornbeam.backend import active as backend
from hornbeam.dtypes import kind_of, promote
from hornbeam.errors import ArgumentError
from hornbeam.ops import windows
from hornbeam.ops.define import Tensor, TensorLike, as_tensor, op, same_dtype
from hornbeam.ops.front import prepared, settled
from hornbeam.symbolic import KerasTensor

xp = backend.xp


# --- what each checks before it starts ---------------------------------------------------------------------------


def _check(
    shape: Any, kernel: Any, strides: Any, padding: Any, data_format: Any, dilation_rate: Any, where: str
) -> tuple[tuple[int, ...], str, str, tuple[int, ...]]:
    rank = windows.spatial_rank(shape, where)
    if len(kernel) != rank + 2:
        raise ArgumentError(f"a `kernel` of rank {rank + 2}, as `inputs` have", f"shape={tuple(kernel)}", where)
    return (
        windows.numbers(strides, rank, "strides", where),
        windows.standardize_padding(padding, where),
        standardize_data_format(data_format),
        windows.numbers(dilation_rate, rank, "dilation_rate", where),
    )


def _sizes(shape: Any, kernel: Any, settings: tuple, where: str) -> tuple[int | None, ...]:
    strides, padding, data_format, dilation = settings
    return tuple(
        windows.output_size(size, reach, stride, rate, padding, where)
        for size, reach, stride, rate in zip(
            windows.spatial(shape, data_format), kernel, strides, dilation, strict=False
        )
    )


def _conv_shape(shape: Any, kernel: Any, settings: tuple) -> tuple[int | None, ...]:
    channels = windows.channels_of(shape, settings[2])
    if channels is not None and (channels % kernel[-2] or kernel[-1] % (channels // kernel[-2] or 1) or not channels):
        raise ArgumentError(
            "channels in groups: the channels of `inputs` a multiple of the kernel's, its filters a multiple of the "
            "number of groups",
            f"inputs of shape {tuple(shape)} ({settings[2]}) and a kernel of shape {tuple(kernel)}", "conv",
        )
    return windows.assembled(shape[0], _sizes(shape, kernel, settings, "conv"), kernel[-1], settings[2])


def _depthwise_shape(shape: Any, kernel: Any, settings: tuple, where: str) -> tuple[int | None, ...]:
    channels = windows.channels_of(shape, settings[2])
    if channels is not None and channels != kernel[-2]:
        raise ArgumentError(
            "a depthwise kernel for as many channels as `inputs` have",
            f"inputs of shape {tuple(shape)} ({settings[2]}) and a kernel of shape {tuple(kernel)}", where,
        )
    sizes = _sizes(shape, kernel, settings, where)
    return windows.assembled(shape[0], sizes, kernel[-2] * kernel[-1], settings[2])


def transposed_sizes(
    sizes: Any, kernel: Any, strides: Any, padding: str, output_padding: Any, dilation: Any
) -> tuple[int | None, ...]:
    """The spatial sizes that a transposed convolution gives."""
    result: list[int | None] = []
    for index, size in enumerate(sizes):
        reach, stride = windows.span(kernel[index], dilation[index]), strides[index]
        if size is None:
            result.append(None)
        elif output_padding is None:
            result.append(size * stride + (max(reach - stride, 0) if padding == "valid" else 0))
        else:
            less = 0 if padding == "valid" else 2 * (reach // 2)
            result.append((size - 1) * stride + reach - less + output_padding[index])
    return tuple(result)


def _transpose_settings(
    shape: Any, kernel: Any, strides: Any, padding: Any, output_padding: Any, data_format: Any, dilation_rate: Any
) -> tuple:
    strides, padding, data_format, dilation = _check(
        shape, kernel, strides, padding, data_format, dilation_rate, "conv_transpose"
    )
    if output_padding is not None:
        output_padding = windows.numbers(output_padding, len(strides), "output_padding", "conv_transpose", least=0)
        if any(extra >= stride for extra, stride in zip(output_padding, strides, strict=True)):
            raise ArgumentError(
                "`output_padding` smaller than the stride", f"output_padding={output_padding}, strides={strides}",
                "conv_transpose",
            )
    channels = windows.channels_of(shape, data_format)
    if channels is not None and channels != kernel[-1]:
        raise ArgumentError(
            "a kernel [..., filters, channels] for as many channels as `inputs` have",
            f"inputs of shape {tuple(shape)} ({data_format}) and a kernel of shape {tuple(kernel)}", "conv_transpose",
        )
    return strides, padding, output_padding, data_format, dilation


def _prepare_conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: Any = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> tuple:
    inputs, kernel = same_dtype(as_tensor(inputs), as_tensor(kernel))
    settings = _check(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate, "conv")
    _conv_shape(inputs.shape, kernel.shape, settings)
    return inputs, kernel, *settings


def _prepare_depthwise(
    inputs: Any, kernel: Any, strides: Any = 1, padding: Any = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> tuple:
    inputs, kernel = same_dtype(as_tensor(inputs), as_tensor(kernel))
    settings = _check(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate, "depthwise_conv")
    _depthwise_shape(inputs.shape, kernel.shape, settings, "depthwise_conv")
    return inputs, kernel, *settings


def _prepare_separable(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> tuple:
    inputs, depthwise, pointwise = same_dtype(*(as_tensor(one) for one in (inputs, depthwise_kernel, pointwise_kernel)))
    settings = _check(inputs.shape, depthwise.shape, strides, padding, data_format, dilation_rate, "separable_conv")
    _depthwise_shape(inputs.shape, depthwise.shape, settings, "separable_conv")
    _check_pointwise(depthwise.shape, pointwise.shape)
    return inputs, depthwise, pointwise, *settings


def _prepare_transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    output_padding: Any = None,
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> tuple:
    inputs, kernel = same_dtype(as_tensor(inputs), as_tensor(kernel))
    settings = _transpose_settings(
        inputs.shape, kernel.shape, strides, padding, output_padding, data_format, dilation_rate
    )
    return inputs, kernel, *settings


def _result(shape: Any, *tensors: Any) -> KerasTensor:
    return KerasTensor(shape, promote(*(kind_of(one) for one in tensors)))


def _settled_shape(x: Any) -> Any:
    # a kernel may be given as a nested list
    return x if hasattr(x, "shape") else backend.asarray(x)


def _conv_rule(
    inputs: Any, kernel: Any, strides: Any = 1, padding: Any = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> KerasTensor:
    inputs, kernel = _settled_shape(inputs), _settled_shape(kernel)
    settings = _check(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate, "conv")
    return _result(_conv_shape(inputs.shape, kernel.shape, settings), inputs, kernel)


def _depthwise_rule(
    inputs: Any, kernel: Any, strides: Any = 1, padding: Any = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> KerasTensor:
    inputs, kernel = _settled_shape(inputs), _settled_shape(kernel)
    settings = _check(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate, "depthwise_conv")
    return _result(_depthwise_shape(inputs.shape, kernel.shape, settings, "depthwise_conv"), inputs, kernel)


def _check_pointwise(depthwise: Any, pointwise: Any) -> None:
    if len(pointwise) != len(depthwise) or math.prod(pointwise[:-2]) != 1:
        raise ArgumentError(
            f"a `pointwise_kernel` of rank {len(depthwise)} and spatial size 1", f"shape={tuple(pointwise)}",
            "separable_conv",
        )
    if pointwise[-2] != depthwise[-2] * depthwise[-1]:
        raise ArgumentError(
            f"a `pointwise_kernel` for {depthwise[-2] * depthwise[-1]} channels", f"shape={tuple(pointwise)}",
            "separable_conv",
        )


def _separable_rule(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> KerasTensor:
    inputs, depthwise, pointwise = (_settled_shape(one) for one in (inputs, depthwise_kernel, pointwise_kernel))
    settings = _check(inputs.shape, depthwise.shape, strides, padding, data_format, dilation_rate, "separable_conv")
    _check_pointwise(depthwise.shape, pointwise.shape)
    shape = list(_depthwise_shape(inputs.shape, depthwise.shape, settings, "separable_conv"))
    shape[-1 if settings[2] == "channels_last" else 1] = pointwise.shape[-1]
    return _result(shape, inputs, depthwise, pointwise)


def _transpose_rule(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    output_padding: Any = None,
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> KerasTensor:
    inputs, kernel = _settled_shape(inputs), _settled_shape(kernel)
    strides, padding, output_padding, data_format, dilation = _transpose_settings(
        inputs.shape, kernel.shape, strides, padding, output_padding, data_format, dilation_rate
    )
    sizes = transposed_sizes(
        windows.spatial(inputs.shape, data_format), kernel.shape, strides, padding, output_padding, dilation
    )
    return _result(windows.assembled(inputs.shape[0], sizes, kernel.shape[-2], data_format), inputs, kernel)


# --- ops ---------------------------------------------------------------------------------------------------------


def _slices(x: Any, kernel: Any, strides: Any, padding: str, dilation: Any) -> Any:
    sizes = x.shape[1:-1]
    counts = [
        windows.output_size(size, reach, stride, rate, padding, "conv")
        for size, reach, stride, rate in zip(sizes, kernel, strides, dilation, strict=True)
    ]
    if padding == "same":
        x = windows.padded(
            x,
            [windows.same_padding(*one) for one in zip(sizes, kernel, strides, dilation, strict=True)],
        )
    return windows.taps(x, kernel, strides, dilation, counts)


@prepared(_prepare_conv)
@settled(data_format=standardize_data_format)
@op("keras.src.ops.nn.Conv", spec=_conv_rule)
def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Convolution over one, two or three spatial axes, in groups if the kernel has fewer channels than the images.

    Args:
        inputs: Images `[batch, *spatial, channels]`, or `[batch, channels, *spatial]` if channels come first.
        kernel: `[*spatial, channels / groups, filters]` in either layout.
        strides: Steps between windows, one int or one per spatial axis.
        padding: "valid" (windows lie inside) or "same" (with stride 1 the size stays).
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        dilation_rate: Steps between the kernel's positions, one int or one per spatial axis.

    Returns:
        Images with `filters` channels, in the promoted dtype of both.

    Raises:
        ValueError: If ranks, channels or sizes do not fit.

    >>> import hornbeam as keras
    >>> keras.ops.conv(keras.ops.ones((1, 5, 5, 2)), keras.ops.ones((3, 3, 2, 4)), padding="same").shape
    (1, 5, 5, 4)
    """
    x = windows.to_channels_last(inputs, data_format)
    groups = x.shape[-1] // kernel.shape[-2]
    if groups > 1:
        x = xp.reshape(x, (*x.shape[:-1], groups, 1, kernel.shape[-2]))
        kernel = xp.reshape(kernel, (*kernel.shape[:-1], groups, kernel.shape[-1] // groups))
        kernel = xp.moveaxis(kernel, -2, -3)  # [*spatial, groups, channels / groups, filters / groups]
    total: Any = None
    spatial = kernel.shape[: len(strides)]
    for position, piece in _slices_of(x, spatial, strides, padding, dilation_rate):
        part = xp.matmul(piece, kernel[position])
        total = part if total is None else total + part
    if groups > 1:
        total = xp.reshape(total, (*total.shape[: len(strides) + 1], groups * total.shape[-1]))
    return _finished(total, x, data_format)


def _finished(total: Any, x: Any, data_format: str | None) -> Any:
    """The sum in the layout asked for, and in the dtype of the images: NumPy multiplies bfloat16 in float32."""
    if total.dtype != x.dtype:
        total = backend.cast(total, backend.dtype(x))
    return windows.from_channels_last(total, data_format)


def _slices_of(x: Any, kernel: Any, strides: Any, padding: str, dilation: Any) -> Any:
    """The taps of `x`, whose axes after the spatial ones may be several."""
    rank = len(strides)
    tail = x.shape[rank + 1 :]
    flat = xp.reshape(x, (*x.shape[: rank + 1], math.prod(tail)))
    for position, piece in _slices(flat, kernel, strides, padding, dilation):
        yield position, piece if len(tail) == 1 else xp.reshape(piece, (*piece.shape[:-1], *tail))


@prepared(_prepare_depthwise)
@settled(data_format=standardize_data_format)
@op("keras.src.ops.nn.DepthwiseConv", spec=_depthwise_rule)
def depthwise_conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Convolution of each channel by itself.

    Args:
        inputs: Images `[batch, *spatial, channels]`, or `[batch, channels, *spatial]` if channels come first.
        kernel: `[*spatial, channels, multiplier]`.
        strides: Steps between windows, one int or one per spatial axis.
        padding: "valid" or "same".
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        dilation_rate: Steps between the kernel's positions, one int or one per spatial axis.

    Returns:
        Images with `channels * multiplier` channels, those of one input channel side by side.

    Raises:
        ValueError: If ranks, channels or sizes do not fit.

    >>> import hornbeam as keras
    >>> keras.ops.depthwise_conv(keras.ops.ones((1, 5, 5, 2)), keras.ops.ones((3, 3, 2, 1))).shape
    (1, 3, 3, 2)
    """
    x = windows.to_channels_last(inputs, data_format)
    total: Any = None
    for position, piece in _slices(x, kernel.shape[:-2], strides, padding, dilation_rate):
        part = piece[..., None] * kernel[position]
        total = part if total is None else total + part
    total = xp.reshape(total, (*total.shape[:-2], kernel.shape[-2] * kernel.shape[-1]))
    return _finished(total, x, data_format)


@prepared(_prepare_separable)
@settled(data_format=standardize_data_format)
@op("keras.src.ops.nn.SeparableConv", spec=_separable_rule)
def separable_conv(
    inputs: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """A depthwise convolution followed by one of size 1 that mixes the channels.

    Args:
        inputs: Images `[batch, *spatial, channels]`, or `[batch, channels, *spatial]` if channels come first.
        depthwise_kernel: `[*spatial, channels, multiplier]`.
        pointwise_kernel: `[1, ..., channels * multiplier, filters]`.
        strides: Steps between windows, one int or one per spatial axis.
        padding: "valid" or "same".
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        dilation_rate: Steps between the kernel's positions, one int or one per spatial axis.

    Returns:
        Images with `filters` channels.

    Raises:
        ValueError: If ranks, channels or sizes do not fit.
    """
    x = depthwise_conv.definition.body(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv.definition.body(x, pointwise_kernel, 1, "valid", data_format, 1)


@prepared(_prepare_transpose)
@settled(data_format=standardize_data_format)
@op("keras.src.ops.nn.ConvTranspose", spec=_transpose_rule)
def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """The gradient of a convolution, as an operation of its own: it enlarges images.

    Args:
        inputs: Images `[batch, *spatial, channels]`, or `[batch, channels, *spatial]` if channels come first.
        kernel: `[*spatial, filters, channels]`.
        strides: By how much the images grow, one int or one per spatial axis.
        padding: "valid" or "same" (the size is multiplied by the stride).
        output_padding: What is added to the output's size, one int or one per axis; None lets the padding decide.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        dilation_rate: Steps between the kernel's positions, one int or one per spatial axis.

    Returns:
        Images with `filters` channels.

    Raises:
        ValueError: If ranks, channels or sizes do not fit.

    >>> import hornbeam as keras
    >>> keras.ops.conv_transpose(keras.ops.ones((1, 4, 4, 2)), keras.ops.ones((3, 3, 5, 2)), 2, "same").shape
    (1, 8, 8, 5)
    """
    x = windows.to_channels_last(inputs, data_format)
    rank = len(strides)
    sizes = x.shape[1:-1]
    wanted: Any = transposed_sizes(sizes, kernel.shape, strides, padding, output_padding, dilation_rate)
    starts = transposed_starts(kernel.shape, strides, padding, output_padding, dilation_rate)
    # every position of the kernel adds to each `stride`-th pixel of the uncut output
    whole = [
        max(windows.span(kernel.shape[i], dilation_rate[i]) + (sizes[i] - 1) * strides[i], starts[i] + wanted[i])
        for i in range(rank)
    ]
    spread_sizes = [(size - 1) * stride + 1 for size, stride in zip(sizes, strides, strict=True)]
    total: Any = None
    for position in itertools.product(*(range(size) for size in kernel.shape[:rank])):
        part = _spread(xp.matmul(x, xp.swapaxes(kernel[position], 0, 1)), strides)
        offsets = [at * rate for at, rate in zip(position, dilation_rate, strict=True)]
        part = windows.padded(
            part, [(offset, whole[i] - offset - spread_sizes[i]) for i, offset in enumerate(offsets)]
        )
        total = part if total is None else total + part
    total = total[(slice(None), *(slice(start, start + size) for start, size in zip(starts, wanted, strict=True)))]
    return _finished(total, x, data_format)


def transposed_starts(kernel: Any, strides: Any, padding: str, output_padding: Any, dilation: Any) -> list[int]:
    """Where the output of a transposed convolution begins within the uncut one."""
    if padding == "valid":
        return [0] * len(strides)
    reaches = [windows.span(kernel[i], dilation[i]) for i in range(len(strides))]
    if output_padding is not None:
        return [max(2 * (reach // 2) - extra, 0) // 2 for reach, extra in zip(reaches, output_padding, strict=True)]
    return [max(reach - stride, 0) // 2 for reach, stride in zip(reaches, strides, strict=True)]


def _spread(x: Any, strides: Any) -> Any:
    """Images with `stride - 1` zeros between neighbours."""
    for axis, stride in enumerate(strides, 1):
        if stride > 1:
            x = xp.expand_dims(x, axis + 1)
            gap = xp.zeros((*x.shape[: axis + 1], stride - 1, *x.shape[axis + 2 :]), x.dtype)
            x = xp.concatenate([x, gap], axis + 1)
            x = xp.reshape(x, (*x.shape[:axis], x.shape[axis] * stride, *x.shape[axis + 2 :]))
            x = x[(*(slice(None),) * axis, slice(0, x.shape[axis] - stride + 1))]
    return x
