"""Pooling over one, two or three spatial axes: the largest or the mean value of each window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam._config import standardize_data_format
from hornbeam.backend import active as backend
from hornbeam.dtypes import INTEGERS
from hornbeam.ops import windows
from hornbeam.ops.define import Tensor, TensorLike, as_float, as_tensor, float_dtype, op
from hornbeam.ops.front import prepared, settled
from hornbeam.symbolic import KerasTensor

xp = backend.xp


def _settings(shape: Any, pool_size: Any, strides: Any, padding: Any, data_format: Any, where: str) -> tuple:
    rank = windows.spatial_rank(shape, where)
    pool_size = windows.numbers(pool_size, rank, "pool_size", where)
    return (
        pool_size,
        pool_size if strides is None else windows.numbers(strides, rank, "strides", where),
        windows.standardize_padding(padding, where),
        standardize_data_format(data_format),
    )


def _pooled_shape(shape: Any, settings: tuple, where: str) -> tuple[int | None, ...]:
    pool_size, strides, padding, data_format = settings
    sizes = [
        windows.output_size(size, reach, stride, 1, padding, where)
        for size, reach, stride in zip(windows.spatial(shape, data_format), pool_size, strides, strict=True)
    ]
    return windows.assembled(shape[0], sizes, windows.channels_of(shape, data_format), data_format)


def _prepare_max(
    inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: Any = None
) -> tuple:
    inputs = as_tensor(inputs)
    if backend.dtype(inputs) == "bool":
        inputs = backend.cast(inputs, "int32")
    settings = _settings(inputs.shape, pool_size, strides, padding, data_format, "max_pool")
    _pooled_shape(inputs.shape, settings, "max_pool")
    return inputs, *settings


def _prepare_average(
    inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: Any = None
) -> tuple:
    inputs = as_float(inputs)
    settings = _settings(inputs.shape, pool_size, strides, padding, data_format, "average_pool")
    _pooled_shape(inputs.shape, settings, "average_pool")
    return inputs, *settings


def _max_rule(
    inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: Any = None
) -> KerasTensor:
    settings = _settings(inputs.shape, pool_size, strides, padding, data_format, "max_pool")
    dtype = "int32" if inputs.dtype == "bool" else inputs.dtype
    return KerasTensor(_pooled_shape(inputs.shape, settings, "max_pool"), dtype)


def _average_rule(
    inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: Any = None
) -> KerasTensor:
    settings = _settings(inputs.shape, pool_size, strides, padding, data_format, "average_pool")
    return KerasTensor(_pooled_shape(inputs.shape, settings, "average_pool"), float_dtype(inputs))


def _folded(x: Any, pool_size: Any, strides: Any, padding: str, filler: Any, combine: Callable) -> Any:
    """`combine` over the taps of all windows; what "same" adds around counts as `filler`."""
    sizes = x.shape[1:-1]
    one = (1,) * len(sizes)
    counts = [windows.output_size(*each, padding, "pool") for each in zip(sizes, pool_size, strides, one, strict=True)]
    if padding == "same":
        amounts = [windows.same_padding(*each) for each in zip(sizes, pool_size, strides, one, strict=True)]
        x = windows.padded(x, amounts, filler)
    total = None
    for _, piece in windows.taps(x, pool_size, strides, one, counts):
        total = piece if total is None else combine(total, piece)
    return total


def _larger(best: Any, new: Any) -> Any:
    # the first of equal values keeps the whole gradient; the second test lets NaN through
    return xp.where((new > best) | (new != new), new, best)


@prepared(_prepare_max)
@settled(data_format=standardize_data_format)
@op("keras.src.ops.nn.MaxPool", tensors=["inputs"], spec=_max_rule)
def max_pool(
    inputs: TensorLike, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Tensor:
    """The largest value of each window, channel by channel.

    Args:
        inputs: Images `[batch, *spatial, channels]`, or `[batch, channels, *spatial]` if channels come first.
        pool_size: Size of a window, one int or one per spatial axis.
        strides: Steps between windows; None means `pool_size`.
        padding: "valid" (windows lie inside) or "same" (windows may reach over the edge).
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        Smaller images of the same dtype.

    Raises:
        ValueError: If the rank is wrong or no window fits.

    >>> import hornbeam as keras
    >>> keras.ops.max_pool(keras.ops.ones((1, 4, 6, 3)), 2).shape
    (1, 2, 3, 3)
    """
    x = windows.to_channels_last(inputs, data_format)
    dtype = backend.dtype(x)
    filler = (0 if dtype.startswith("u") else -(2 ** (int(dtype[3:]) - 1))) if dtype in INTEGERS else float("-inf")
    return windows.from_channels_last(_folded(x, pool_size, strides, padding, filler, _larger), data_format)


@prepared(_prepare_average)
@settled(data_format=standardize_data_format)
@op("keras.src.ops.nn.AveragePool", tensors=["inputs"], spec=_average_rule)
def average_pool(
    inputs: TensorLike, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Tensor:
    """The mean of each window, channel by channel; what "same" adds at the edges is not counted.

    Args:
        inputs: Images `[batch, *spatial, channels]`, or `[batch, channels, *spatial]` if channels come first.
        pool_size: Size of a window, one int or one per spatial axis.
        strides: Steps between windows; None means `pool_size`.
        padding: "valid" (windows lie inside) or "same" (windows may reach over the edge).
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        Smaller images of a float dtype.

    Raises:
        ValueError: If the rank is wrong or no window fits.

    >>> import hornbeam as keras
    >>> keras.ops.average_pool(keras.ops.ones((1, 4, 6, 3)), 2, strides=1, padding="same").shape
    (1, 4, 6, 3)
    """
    x = windows.to_channels_last(inputs, data_format)
    total = _folded(x, pool_size, strides, padding, 0, lambda first, second: first + second)
    ones = xp.ones((1, *x.shape[1:-1], 1), x.dtype)
    count = _folded(ones, pool_size, strides, padding, 0, lambda first, second: first + second)
    return windows.from_channels_last(total / count, data_format)


# --- pooling to a wanted size ------------------------------------------------------------------------------------


def _adaptive_settings(shape: Any, output_size: Any, data_format: Any, where: str) -> tuple[tuple[int, ...], str]:
    rank = windows.spatial_rank(shape, where)
    return windows.numbers(output_size, rank, "output_size", where), standardize_data_format(data_format)


def _adaptive(x: Any, output_size: Any, data_format: Any, reduce: Callable, where: str) -> Any:
    sizes, data_format = _adaptive_settings(x.shape, output_size, data_format, where)
    x = windows.to_channels_last(x, data_format)
    for axis, wanted in enumerate(sizes, 1):
        size, before = x.shape[axis], (slice(None),) * axis
        if size % wanted == 0:
            x = reduce(xp.reshape(x, (*x.shape[:axis], wanted, size // wanted, *x.shape[axis + 1 :])), axis=axis + 1)
        else:  # windows of unequal size, which overlap
            pieces = [
                reduce(x[(*before, slice(i * size // wanted, -(-(i + 1) * size // wanted)))], axis=axis)
                for i in range(wanted)
            ]
            x = xp.stack(pieces, axis=axis)
    return windows.from_channels_last(x, data_format)


def _adaptive_rule(where: str, integers: bool) -> Callable[..., KerasTensor]:
    def rule(inputs: Any, output_size: Any, data_format: Any = None) -> KerasTensor:
        sizes, data_format = _adaptive_settings(inputs.shape, output_size, data_format, where)
        channels = windows.channels_of(inputs.shape, data_format)
        dtype = inputs.dtype if integers and inputs.dtype != "bool" else float_dtype(inputs)
        return KerasTensor(windows.assembled(inputs.shape[0], sizes, channels, data_format), dtype)

    return rule


@settled(data_format=standardize_data_format)
@op(
    "keras.src.ops.nn.AdaptiveAveragePool",
    tensors=["inputs"],
    spec=_adaptive_rule("adaptive_average_pool", integers=False),
)
def adaptive_average_pool(inputs: TensorLike, output_size: Any, data_format: str | None = None) -> Tensor:
    """The means of as many windows as the output shall have pixels; they cover the images evenly.

    Args:
        inputs: Images `[batch, *spatial, channels]`, or `[batch, channels, *spatial]` if channels come first.
        output_size: Size of the output, one int or one per spatial axis.
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        Images of that size, of a float dtype.

    Raises:
        ValueError: If the rank is wrong.

    >>> import hornbeam as keras
    >>> keras.ops.adaptive_average_pool(keras.ops.ones((1, 7, 5, 3)), 2).shape
    (1, 2, 2, 3)
    """
    return _adaptive(as_float(inputs), output_size, data_format, xp.mean, "adaptive_average_pool")


@settled(data_format=standardize_data_format)
@op("keras.src.ops.nn.AdaptiveMaxPool", tensors=["inputs"], spec=_adaptive_rule("adaptive_max_pool", integers=True))
def adaptive_max_pool(inputs: TensorLike, output_size: Any, data_format: str | None = None) -> Tensor:
    """The largest values of as many windows as the output shall have pixels; they cover the images evenly.

    Args:
        inputs: Images `[batch, *spatial, channels]`, or `[batch, channels, *spatial]` if channels come first.
        output_size: Size of the output, one int or one per spatial axis.
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        Images of that size.

    Raises:
        ValueError: If the rank is wrong.
    """
    x = as_tensor(inputs)
    x = as_float(x) if backend.dtype(x) == "bool" else x
    return _adaptive(x, output_size, data_format, xp.max, "adaptive_max_pool")
