"""Arithmetic of sliding windows that convolution, pooling and patches share: arguments, sizes, taps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, overload

from hornbeam._config import standardize_data_format
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError

xp = backend.xp


def numbers(value: Any, rank: int, name: str, where: str, least: int = 1) -> tuple[int, ...]:
    """An int or a sequence of `rank` ints as a tuple of `rank` ints, none below `least`.

    Raises:
        ValueError, TypeError: If it is something else.
    """
    values = (value,) * rank if hasattr(value, "__index__") else value
    if not isinstance(values, Sequence) or not all(hasattr(one, "__index__") for one in values):
        raise ArgumentTypeError(f"an integer or {rank} integers as `{name}`", repr(value), where)
    if len(values) == 1:
        values = tuple(values) * rank
    if len(values) != rank:
        raise ArgumentError(f"`{name}` to be an integer or {rank} integers", f"{name}={value!r}", where)
    if any(one < least for one in values):
        raise ArgumentError(f"`{name}` to be at least {least}", f"{name}={value!r}", where)
    return tuple(one.__index__() for one in values)


def standardize_padding(padding: Any, where: str) -> str:
    """`padding` in lower case, "valid" or "same"."""
    name = str(padding).lower()
    if name not in ("valid", "same"):
        raise UnknownNameError("padding", padding, ("valid", "same"), where)
    return name


def spatial_rank(shape: Sequence[int | None], where: str, names: str = "inputs") -> int:
    """The number of spatial axes of images `[batch, ..., channels]`: 1, 2 or 3."""
    rank = len(shape) - 2
    if rank not in (1, 2, 3):
        raise ArgumentError(
            f"`{names}` with a batch axis, one to three spatial axes and a channel axis",
            f"shape={tuple(shape)}", where, "Add the missing axis, for example with `expand_dims`.",
        )
    return rank


def spatial(shape: Sequence[int | None], data_format: str) -> tuple[int | None, ...]:
    """The spatial part of an image shape."""
    return tuple(shape[1:-1] if data_format == "channels_last" else shape[2:])


def assembled(batch: Any, sizes: Sequence[int | None], channels: Any, data_format: str) -> tuple[int | None, ...]:
    """An image shape in the given layout."""
    return (batch, *sizes, channels) if data_format == "channels_last" else (batch, channels, *sizes)


def channels_of(shape: Sequence[int | None], data_format: str) -> int | None:
    """The number of channels of an image shape."""
    return shape[-1 if data_format == "channels_last" else 1]


def span(kernel: int, dilation: int) -> int:
    """How far a dilated kernel reaches."""
    return (kernel - 1) * dilation + 1


@overload
def output_size(size: int, kernel: int, stride: int, dilation: int, padding: str, where: str) -> int: ...
@overload
def output_size(size: None, kernel: int, stride: int, dilation: int, padding: str, where: str) -> None: ...
@overload
def output_size(
    size: int | None, kernel: int, stride: int, dilation: int, padding: str, where: str
) -> int | None: ...
def output_size(size: int | None, kernel: int, stride: int, dilation: int, padding: str, where: str) -> int | None:
    """How many windows fit along one axis.

    Raises:
        ValueError: If not even one fits.
    """
    if size is None:
        return None
    if padding == "same":
        return -(-size // stride)
    count = (size - span(kernel, dilation)) // stride + 1
    if count < 1:
        raise ArgumentError(
            f"an input of at least {span(kernel, dilation)} along each spatial axis, for one window to fit",
            f"size {size}", where, "Use padding='same', a smaller kernel or larger inputs.",
        )
    return count


def same_padding(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """What "same" adds before and after an axis; the odd one comes after."""
    total = max((-(-size // stride) - 1) * stride + span(kernel, dilation) - size, 0)
    return total // 2, total - total // 2


def to_channels_last(x: Any, data_format: str | None) -> Any:
    """`x` with its channels moved last, if they are not; None is the default layout."""
    return x if layout(data_format) == "channels_last" else xp.moveaxis(x, 1, -1)


def from_channels_last(x: Any, data_format: str | None) -> Any:
    """The inverse of `to_channels_last`."""
    return x if layout(data_format) == "channels_last" else xp.moveaxis(x, -1, 1)


def padded(x: Any, amounts: Sequence[tuple[int, int]], value: float = 0) -> Any:
    """Images, channels last, with `value` around their spatial axes."""
    if not any(before or after for before, after in amounts):
        return x
    widths = [(0, 0), *amounts, (0, 0)]
    return xp.pad(x, widths) if value == 0 else xp.pad(x, widths, constant_values=value)


def taps(
    x: Any, kernel: Sequence[int], strides: Sequence[int], dilation: Sequence[int], counts: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], Any]]:
    """For each position in the kernel, what all windows have there: a strided slice of `x`, channels last."""
    for position in itertools.product(*(range(size) for size in kernel)):
        starts = [at * step for at, step in zip(position, dilation, strict=True)]
        yield position, x[(slice(None), *(
            slice(start, start + (count - 1) * stride + 1, stride)
            for start, count, stride in zip(starts, counts, strides, strict=True)
        ))]


def layout(data_format: str | None) -> str:
    """The layout given, or the default one."""
    return standardize_data_format(data_format)
