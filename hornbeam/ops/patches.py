"""Pixels rearranged: blocks into channels and back, windows into columns and back; and what compares two images."""

from __future__ import annotations

import math
from typing import Any

from hornbeam._config import standardize_data_format
from hornbeam.backend import active as backend
from hornbeam.dtypes import promote
from hornbeam.errors import ArgumentError
from hornbeam.ops import windows
from hornbeam.ops.define import Tensor, TensorLike, as_floats, as_tensor, broadcast_float, float_dtype, op
from hornbeam.symbolic import KerasTensor

xp = backend.xp


# --- blocks and channels -----------------------------------------------------------------------------------------


def _image(shape: Any, data_format: Any, where: str) -> tuple[Any, Any, Any, Any, str]:
    data_format = standardize_data_format(data_format)
    if len(shape) != 4:
        raise ArgumentError("images of rank 4", f"shape={tuple(shape)}", where)
    height, width = windows.spatial(shape, data_format)
    return shape[0], height, width, windows.channels_of(shape, data_format), data_format


def _check_block(block_size: Any, where: str) -> None:
    if isinstance(block_size, bool) or not hasattr(block_size, "__index__") or block_size < 2:
        raise ArgumentError("`block_size` to be an integer from 2 on", repr(block_size), where)


def _times(size: int | None, factor: int) -> int | None:
    return None if size is None else size * factor


def _part(size: int | None, factor: int, what: str, where: str) -> int | None:
    if size is not None and size % factor:
        raise ArgumentError(f"{what} to be a multiple of {factor}", str(size), where)
    return None if size is None else size // factor


def _depth_rule(x: Any, block_size: int, data_format: str = "channels_last") -> KerasTensor:
    _check_block(block_size, "depth_to_space")
    batch, height, width, channels, layout = _image(x.shape, data_format, "depth_to_space")
    sizes = _times(height, block_size), _times(width, block_size)
    channels = _part(channels, block_size**2, "the number of channels", "depth_to_space")
    return KerasTensor(windows.assembled(batch, sizes, channels, layout), x.dtype)


@op("keras.src.ops.nn.DepthToSpace", tensors=["x"], spec=_depth_rule)
def depth_to_space(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Each pixel's channels laid out as a block of pixels; also known as pixel shuffle.

    Args:
        x: Images `[batch, height, width, channels]`, or with channels first.
        block_size: Height and width of a block, from 2 on; its square divides the channels.
        data_format: "channels_last" or "channels_first".

    Returns:
        Images `block_size` times as high and wide. With channels last, the position in the block is the slower part
        of the old channel's number, with channels first it is the faster one.

    Raises:
        ValueError: If the rank or the number of channels does not fit.

    >>> import hornbeam as keras
    >>> keras.ops.depth_to_space(keras.ops.ones((1, 2, 3, 4)), 2).shape
    (1, 4, 6, 1)
    """
    x = as_tensor(x)
    _check_block(block_size, "depth_to_space")
    batch, height, width, channels, layout = _image(x.shape, data_format, "depth_to_space")
    depth = _part(channels, block_size**2, "the number of channels", "depth_to_space")
    if layout == "channels_last":
        x = xp.reshape(x, (batch, height, width, block_size, block_size, depth))
        x = xp.transpose(x, (0, 1, 3, 2, 4, 5))
    else:
        x = xp.reshape(x, (batch, depth, block_size, block_size, height, width))
        x = xp.transpose(x, (0, 1, 4, 2, 5, 3))
    return xp.reshape(x, windows.assembled(batch, (height * block_size, width * block_size), depth, layout))


def _space_rule(x: Any, block_size: int, data_format: str = "channels_last") -> KerasTensor:
    _check_block(block_size, "space_to_depth")
    batch, height, width, channels, layout = _image(x.shape, data_format, "space_to_depth")
    sizes = [_part(one, block_size, "height and width", "space_to_depth") for one in (height, width)]
    return KerasTensor(windows.assembled(batch, sizes, _times(channels, block_size**2), layout), x.dtype)


@op("keras.src.ops.nn.SpaceToDepth", tensors=["x"], spec=_space_rule)
def space_to_depth(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Each block of pixels as the channels of one pixel: the inverse of `depth_to_space`.

    Args:
        x: Images `[batch, height, width, channels]`, or with channels first.
        block_size: Height and width of a block, from 2 on; it divides height and width.
        data_format: "channels_last" or "channels_first".

    Returns:
        Images with `block_size ** 2` times the channels.

    Raises:
        ValueError: If the rank or the size does not fit.

    >>> import hornbeam as keras
    >>> keras.ops.space_to_depth(keras.ops.ones((1, 4, 6, 1)), 2).shape
    (1, 2, 3, 4)
    """
    x = as_tensor(x)
    _check_block(block_size, "space_to_depth")
    batch, height, width, channels, layout = _image(x.shape, data_format, "space_to_depth")
    rows, columns = (_part(one, block_size, "height and width", "space_to_depth") for one in (height, width))
    if layout == "channels_last":
        x = xp.reshape(x, (batch, rows, block_size, columns, block_size, channels))
        x = xp.transpose(x, (0, 1, 3, 2, 4, 5))
    else:
        x = xp.reshape(x, (batch, channels, rows, block_size, columns, block_size))
        x = xp.transpose(x, (0, 1, 3, 5, 2, 4))
    return xp.reshape(x, windows.assembled(batch, (rows, columns), channels * block_size**2, layout))


# --- windows and columns -----------------------------------------------------------------------------------------


def _column_settings(kernel_size: Any, dilation: Any, padding: Any, stride: Any, where: str) -> tuple:
    return (
        windows.numbers(kernel_size, 2, "kernel_size", where),
        windows.numbers(dilation, 2, "dilation", where),
        windows.numbers(padding, 2, "padding", where, least=0),
        windows.numbers(stride, 2, "stride", where),
    )


def _counts(sizes: Any, kernel: Any, dilation: Any, padding: Any, stride: Any, where: str) -> list[Any]:
    return [
        windows.output_size(None if size is None else size + 2 * pad, reach, step, rate, "valid", where)
        for size, reach, rate, pad, step in zip(sizes, kernel, dilation, padding, stride, strict=True)
    ]


def _check_channels_first(shape: Any, where: str) -> None:
    if len(shape) != 4:
        raise ArgumentError("images [batch, channels, height, width]", f"shape={tuple(shape)}", where)


def _unfold_rule(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> KerasTensor:
    _check_channels_first(x.shape, "unfold")
    settings = _column_settings(kernel_size, dilation, padding, stride, "unfold")
    counts = _counts(x.shape[2:], *settings, where="unfold")
    total = None if None in counts else math.prod(counts)
    return KerasTensor((x.shape[0], _times(x.shape[1], math.prod(settings[0])), total), x.dtype)


@op("keras.src.ops.nn.Unfold", tensors=["x"], spec=_unfold_rule)
def unfold(x: TensorLike, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """All windows of images, each as a column (im2col).

    Args:
        x: Images `[batch, channels, height, width]`.
        kernel_size: Size of a window, one int or two.
        dilation: Steps between the positions of a window, one int or two.
        padding: Zeros around the images, one int or two.
        stride: Steps between windows, one int or two.

    Returns:
        `[batch, channels * window, windows]`, channels being the slower part of the middle axis.

    Raises:
        ValueError: If no window fits.

    >>> import hornbeam as keras
    >>> keras.ops.unfold(keras.ops.ones((1, 3, 4, 4)), 2, stride=2).shape
    (1, 12, 4)
    """
    x = as_tensor(x)
    _check_channels_first(x.shape, "unfold")
    kernel, dilation, padding, stride = _column_settings(kernel_size, dilation, padding, stride, "unfold")
    counts = _counts(x.shape[2:], kernel, dilation, padding, stride, "unfold")
    x = windows.padded(xp.moveaxis(x, 1, -1), [(one, one) for one in padding])
    columns = xp.stack([piece for _, piece in windows.taps(x, kernel, stride, dilation, counts)], axis=-1)
    columns = xp.transpose(columns, (0, 3, 4, 1, 2))
    return xp.reshape(columns, (columns.shape[0], columns.shape[1] * columns.shape[2], math.prod(counts)))


def _fold_settings(shape: Any, output_size: Any, settings: tuple) -> tuple[tuple[int, ...], list[int], int | None]:
    if len(shape) != 3:
        raise ArgumentError("columns [batch, channels * window, windows]", f"shape={tuple(shape)}", "fold")
    sizes = windows.numbers(output_size, 2, "output_size", "fold")
    counts = _counts(sizes, *settings, where="fold")
    if shape[2] not in (None, math.prod(counts)):
        raise ArgumentError(f"{math.prod(counts)} windows for output_size={sizes}", f"shape={tuple(shape)}", "fold")
    return sizes, counts, _part(shape[1], math.prod(settings[0]), "the size of axis 1", "fold")


def _fold_rule(
    x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> KerasTensor:
    settings = _column_settings(kernel_size, dilation, padding, stride, "fold")
    sizes, _, channels = _fold_settings(x.shape, output_size, settings)
    return KerasTensor((x.shape[0], channels, *sizes), x.dtype)


@op("keras.src.ops.nn.Fold", tensors=["x"], spec=_fold_rule)
def fold(
    x: TensorLike, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """The sum of all windows at their places in images (col2im): what `unfold` took apart, overlaps added.

    Args:
        x: Columns `[batch, channels * window, windows]`.
        output_size: Height and width of the images.
        kernel_size: Size of a window, one int or two.
        dilation: Steps between the positions of a window, one int or two.
        padding: Zeros that were around the images, one int or two.
        stride: Steps between windows, one int or two.

    Returns:
        Images `[batch, channels, height, width]`.

    Raises:
        ValueError: If the number of windows does not fit.

    >>> import hornbeam as keras
    >>> keras.ops.fold(keras.ops.ones((1, 12, 4)), (4, 4), 2, stride=2).shape
    (1, 3, 4, 4)
    """
    x = as_tensor(x)
    settings = _column_settings(kernel_size, dilation, padding, stride, "fold")
    kernel, dilation, padding, stride = settings
    sizes, counts, channels = _fold_settings(x.shape, output_size, settings)
    x = xp.reshape(x, (x.shape[0], channels, *kernel, *counts))
    whole = [size + 2 * pad for size, pad in zip(sizes, padding, strict=True)]
    total: Any = None
    for row in range(kernel[0]):
        for column in range(kernel[1]):
            part = x[:, :, row, column]
            for axis, at in ((2, row), (3, column)):
                part = _placed(part, axis, at * dilation[axis - 2], stride[axis - 2], whole[axis - 2])
            total = part if total is None else total + part
    return total[:, :, padding[0] : padding[0] + sizes[0], padding[1] : padding[1] + sizes[1]]


def _placed(x: Any, axis: int, start: int, stride: int, size: int) -> Any:
    """`x` spread along `axis` with `stride`, beginning at `start`, zeros around, `size` in all."""
    count, before = x.shape[axis], (slice(None),) * axis
    if stride > 1:
        x = xp.expand_dims(x, axis + 1)
        x = xp.pad(x, [(0, stride - 1) if i == axis + 1 else (0, 0) for i in range(len(x.shape))])
        x = xp.reshape(x, (*x.shape[:axis], count * stride, *x.shape[axis + 2 :]))
        x = x[(*before, slice(0, (count - 1) * stride + 1))]
    used = (count - 1) * stride + 1
    return xp.pad(x, [(start, size - start - used) if i == axis else (0, 0) for i in range(len(x.shape))])


# --- comparison and complex numbers ------------------------------------------------------------------------------


def _psnr_rule(x1: Any, x2: Any, max_val: float) -> KerasTensor:
    x1, x2 = (one if hasattr(one, "shape") else backend.asarray(one) for one in (x1, x2))
    _check_pair(x1.shape, x2.shape)
    return KerasTensor((), promote(float_dtype(x1), float_dtype(x2)))


def _check_pair(first: Any, second: Any) -> None:
    if len(first) != len(second) or any(None not in (a, b) and a != b for a, b in zip(first, second, strict=True)):
        raise ArgumentError("`x1` and `x2` of the same shape", f"{tuple(first)} and {tuple(second)}", "psnr")


@op("keras.src.ops.nn.PSNR", tensors=["x1", "x2"], spec=_psnr_rule)
def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Tensor:
    """Peak signal-to-noise ratio of two tensors, `20 log10(max_val) - 10 log10(mean((x1 - x2)²))`, in decibels.

    Args:
        x1: Any tensor.
        x2: A tensor of the same shape.
        max_val: The largest value there may be, such as 255.

    Returns:
        A float scalar; inf for equal tensors.

    Raises:
        ValueError: If the shapes differ.

    >>> import hornbeam as keras
    >>> round(float(keras.ops.psnr([0.0, 1.0], [0.0, 0.9], 1.0)), 2)
    23.01
    """
    x1, x2 = as_floats(x1, x2)
    _check_pair(x1.shape, x2.shape)
    error = xp.mean(xp.square(x1 - x2))
    result = 20 * math.log10(max_val) - 10 * xp.log10(error)
    return result if result.dtype == x1.dtype else backend.cast(result, backend.dtype(x1))


def _polar_rule(abs_: Any, angle: Any) -> KerasTensor:
    shape = broadcast_float(abs_, angle)
    return KerasTensor(shape.shape, "complex128" if shape.dtype == "float64" else "complex64")


@op("keras.src.ops.nn.Polar", spec=_polar_rule)
def polar(abs_: TensorLike, angle: TensorLike) -> Tensor:
    """Complex numbers from their absolute values and angles.

    Args:
        abs_: Absolute values.
        angle: Angles in radians; the shapes broadcast.

    Returns:
        A complex tensor.

    >>> import hornbeam as keras
    >>> complex(keras.ops.polar(2.0, 0.0))
    (2+0j)
    """
    size, angle = as_floats(abs_, angle)
    if backend.dtype(size) in ("float16", "bfloat16"):
        size, angle = backend.cast(size, "float32"), backend.cast(angle, "float32")
    return backend.complex(size * xp.cos(angle), size * xp.sin(angle))
