"""Convolutions and pooling by TensorFlow's own kernels.

These want the channels last on a CPU, equal strides where a kernel is depthwise, and no dilation together with
strides: what they lack is put together here. Arguments come complete and checked (see `ops/convolution.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.xp.common import Tensor, rank
from hornbeam.backend.tensorflow.xp.shaping import moveaxis


def _span(kernel: int, dilation: int) -> int:
    return (kernel - 1) * dilation + 1


def _same(size: Any, kernel: int, stride: int, dilation: int = 1) -> tuple[Any, Any]:
    """What "same" adds before and after an axis; the odd one comes after."""
    reach = _span(kernel, dilation)
    if isinstance(size, int):
        total: Any = max((-(-size // stride) - 1) * stride + reach - size, 0)
    else:
        total = tf.maximum((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def _spatial(x: Tensor) -> list[Any]:
    static = list(x.shape[1:-1])
    return [tf.shape(x)[i + 1] if size is None else size for i, size in enumerate(static)]


def _padded(x: Tensor, kernel: Any, strides: Any, dilation: Any) -> Tensor:
    amounts = [_same(*each) for each in zip(_spatial(x), kernel, strides, dilation, strict=True)]
    return tf.pad(x, [(0, 0), *amounts, (0, 0)])


def _channels_last(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function of images with their channels last, for both layouts and all dtypes."""

    def apply(inputs: Tensor, *args: Any) -> Tensor:
        # every function here has `data_format` somewhere among its arguments
        first = "channels_first" in [one for one in args if isinstance(one, str)]
        x = moveaxis(inputs, 1, -1) if first else inputs
        # without rows oneDNN's kernels give tensors of wrong shapes: a row comes in and goes again
        empty = inputs.shape[0] == 0
        if empty:
            x = tf.pad(x, [(0, 1), *[(0, 0)] * (rank(x) - 1)])
        dtype = inputs.dtype
        if not dtype.is_floating:
            x = tf.cast(x, tf.float64)
            args = tuple(tf.cast(one, tf.float64) if isinstance(one, Tensor) else one for one in args)
        result = function(x, *args)
        if empty:
            result = result[:0]
        if result.dtype != dtype:
            result = tf.cast(result, dtype)
        return moveaxis(result, -1, 1) if first else result

    return apply


@_channels_last
def conv(
    inputs: Tensor, kernel: Tensor, strides: Sequence[int], padding: str, data_format: str, dilation_rate: Sequence[int]
) -> Tensor:
    groups = (inputs.shape[-1] // kernel.shape[-2]) or 1
    if groups == 1:
        return _conv(inputs, kernel, strides, padding, dilation_rate)
    # TensorFlow has no gradient of grouped convolutions on a CPU
    parts = zip(tf.split(inputs, groups, -1), tf.split(kernel, groups, -1), strict=True)
    return tf.concat([_conv(x, one, strides, padding, dilation_rate) for x, one in parts], -1)


def _conv(x: Tensor, kernel: Tensor, strides: Sequence[int], padding: str, dilation: Sequence[int]) -> Tensor:
    if max(strides) > 1 and max(dilation) > 1:
        if padding == "same":
            x = _padded(x, kernel.shape[:-2], strides, dilation)
        ones = (1,) * len(strides)
        return _strided(tf.nn.convolution(x, kernel, ones, "VALID", dilations=list(dilation)), strides)
    return tf.nn.convolution(x, kernel, list(strides), padding.upper(), dilations=list(dilation))


def _strided(x: Tensor, strides: Sequence[int]) -> Tensor:
    return x[(slice(None), *(slice(None, None, one) for one in strides))]


@_channels_last
def depthwise_conv(
    inputs: Tensor, kernel: Tensor, strides: Sequence[int], padding: str, data_format: str, dilation_rate: Sequence[int]
) -> Tensor:
    return _depthwise(inputs, kernel, strides, padding, dilation_rate)


def _depthwise(x: Tensor, kernel: Tensor, strides: Sequence[int], padding: str, dilation: Sequence[int]) -> Tensor:
    if len(strides) == 3:
        channels = kernel.shape[-2]
        parts = zip(tf.split(x, channels, -1), tf.split(kernel, channels, -2), strict=True)
        return tf.concat([_conv(one, filters, strides, padding, dilation) for one, filters in parts], -1)
    equal = len(set(strides)) == 1 and (max(strides) == 1 or max(dilation) == 1)
    if padding == "same" and (not equal or len(strides) == 1):
        x, padding = _padded(x, kernel.shape[:-2], strides, dilation), "valid"
    used = list(strides) if equal else [1] * len(strides)
    if len(strides) == 1:
        found = tf.nn.depthwise_conv2d(
            x[:, None], kernel[None], [1, used[0], used[0], 1], padding.upper(), dilations=[1, dilation[0]]
        )[:, 0]
    else:
        found = tf.nn.depthwise_conv2d(x, kernel, [1, *used, 1], padding.upper(), dilations=list(dilation))
    return found if equal else _strided(found, strides)


@_channels_last
def separable_conv(
    inputs: Tensor, depthwise_kernel: Tensor, pointwise_kernel: Tensor, strides: Sequence[int], padding: str,
    data_format: str, dilation_rate: Sequence[int],
) -> Tensor:
    x = _depthwise(inputs, depthwise_kernel, strides, padding, dilation_rate)
    ones = (1,) * len(strides)
    return _conv(x, pointwise_kernel, ones, "valid", ones)


@_channels_last
def conv_transpose(
    inputs: Tensor, kernel: Tensor, strides: Sequence[int], padding: str, output_padding: Any, data_format: str,
    dilation_rate: Sequence[int],
) -> Tensor:
    kernel = _spread(kernel, dilation_rate)
    reaches = kernel.shape[: len(strides)]
    sizes = _spatial(inputs)
    whole_sizes = [(size - 1) * stride + reach for size, stride, reach in zip(sizes, strides, reaches, strict=True)]
    x, steps, reach = inputs, list(strides), whole_sizes
    if len(strides) == 1:
        x, kernel, steps, reach = x[:, None], kernel[None], [1, *steps], [1, *reach]
    batch = x.shape[0] if x.shape[0] is not None else tf.shape(x)[0]
    transposed = tf.nn.conv3d_transpose if len(strides) == 3 else tf.nn.conv2d_transpose
    whole = transposed(x, kernel, [batch, *reach, kernel.shape[-2]], [1, *steps, 1], "VALID")
    if len(strides) == 1:
        whole = whole[:, 0]
    cuts: list[Any] = [slice(None)]
    missing: list[tuple[Any, Any]] = [(0, 0)]
    for place, size in enumerate(sizes):
        extra = None if output_padding is None else output_padding[place]
        start, wanted = _cut(size, reaches[place], strides[place], padding, extra)
        cuts.append(slice(start, start + wanted))
        lacking = start + wanted - whole_sizes[place]
        missing.append((0, max(lacking, 0) if isinstance(lacking, int) else tf.maximum(lacking, 0)))
    if any(not isinstance(after, int) or after for _, after in missing):
        whole = tf.pad(whole, [*missing, (0, 0)])
    return whole[tuple(cuts)]


def _spread(kernel: Tensor, dilation: Sequence[int]) -> Tensor:
    """A kernel with the gaps of its dilation filled with zeros: the gradient kernels know no dilation on a CPU."""
    for axis, rate in enumerate(dilation):
        if rate > 1:
            size = kernel.shape[axis]
            amounts = [(0, 0)] * (axis + 1) + [(0, rate - 1)] + [(0, 0)] * (rank(kernel) - axis - 1)
            wide = tf.pad(tf.expand_dims(kernel, axis + 1), amounts)
            wide = tf.reshape(wide, [*kernel.shape[:axis], size * rate, *kernel.shape[axis + 1 :]])
            kernel = wide[(*(slice(None),) * axis, slice(0, _span(size, rate)))]
    return kernel


def _cut(size: Any, reach: int, stride: int, padding: str, extra: int | None) -> tuple[int, Any]:
    """Where the output of a transposed convolution starts within the uncut one, and how long it is."""
    if padding == "valid":
        return 0, size * stride + max(reach - stride, 0) if extra is None else (size - 1) * stride + reach + extra
    if extra is None:
        return max(reach - stride, 0) // 2, size * stride
    start = max(2 * (reach // 2) - extra, 0) // 2
    return start, (size - 1) * stride + reach - 2 * (reach // 2) + extra


# --- pooling -----------------------------------------------------------------------------------------------------


def _pool(function: Callable[..., Tensor], x: Tensor, pool_size: Any, strides: Any, padding: str) -> Tensor:
    dtype = x.dtype
    if len(strides) == 3 and dtype in (tf.float16, tf.bfloat16):
        x = tf.cast(x, tf.float32)
    return tf.cast(function(x, list(pool_size), list(strides), padding.upper()), dtype)


@_channels_last
def max_pool(inputs: Tensor, pool_size: Any, strides: Any, padding: str, data_format: str) -> Tensor:
    return _pool(tf.nn.max_pool, inputs, pool_size, strides, padding)


@_channels_last
def average_pool(inputs: Tensor, pool_size: Any, strides: Any, padding: str, data_format: str) -> Tensor:
    return _pool(tf.nn.avg_pool, inputs, pool_size, strides, padding)


