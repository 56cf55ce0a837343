"""Convolutions and pooling by torch's own kernels.

Images with their channels last lie in memory as torch's `channels_last` format wants them, so that they only have to
be seen with the channels in second place, not moved. One spatial axis is treated as two, the first of size 1, since
torch has that format for two and three axes only. Arguments come complete and checked (see `ops/convolution.py`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from hornbeam.backend.torch.native import lifted

_CONVOLUTIONS = {2: lifted(functional.conv2d), 3: lifted(functional.conv3d)}
_TRANSPOSED = {2: lifted(functional.conv_transpose2d), 3: lifted(functional.conv_transpose3d)}
_MAXIMA = {2: lifted(functional.max_pool2d), 3: lifted(functional.max_pool3d)}
_MEANS = {2: lifted(functional.avg_pool2d), 3: lifted(functional.avg_pool3d)}
_LAST = {2: (0, 3, 1, 2), 3: (0, 4, 1, 2, 3)}
_BACK = {2: (0, 2, 3, 1), 3: (0, 2, 3, 4, 1)}


def _span(kernel: int, dilation: int) -> int:
    return (kernel - 1) * dilation + 1


def _same(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """What "same" adds before and after an axis; the odd one comes after."""
    total = max((-(-size // stride) - 1) * stride + _span(kernel, dilation) - size, 0)
    return total // 2, total - total // 2


def _amounts(sizes: Any, kernel: Any, strides: Any, padding: str, dilation: Any) -> list[tuple[int, int]]:
    if padding == "valid":
        return [(0, 0)] * len(strides)
    return [_same(*each) for each in zip(sizes, kernel, strides, dilation, strict=True)]


class _Layout:
    """Images seen as torch wants them, and its results seen as the caller wants them."""

    def __init__(self, x: torch.Tensor, data_format: str) -> None:
        self.last = data_format == "channels_last"
        self.flat = x.ndim == 3
        self.rank = 2 if self.flat else x.ndim - 2

    def inward(self, x: torch.Tensor) -> torch.Tensor:
        if self.flat:
            x = x.unsqueeze(1 if self.last else 2)
        return x.permute(_LAST[self.rank]) if self.last else x

    def outward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.permute(_BACK[self.rank]) if self.last else x
        return x.squeeze(1 if self.last else 2) if self.flat else x

    def sizes(self, x: torch.Tensor) -> tuple[int, ...]:
        return tuple(x.shape[1:-1] if self.last else x.shape[2:])

    def channels(self, x: torch.Tensor) -> int:
        return x.shape[-1 if self.last else 1]

    def numbers(self, values: Sequence[Any], filler: Any) -> list[Any]:
        """One setting for each of torch's spatial axes."""
        return [filler, *values] if self.flat else list(values)

    def padded(self, x: torch.Tensor, amounts: Sequence[tuple[int, int]], value: float = 0) -> torch.Tensor:
        if not any(itertools.chain(*amounts)):
            return x
        flat = [one for pair in reversed(list(amounts)) for one in pair]
        return functional.pad(x, [0, 0, *flat] if self.last else flat, value=value)

    def kernel(self, kernel: torch.Tensor) -> torch.Tensor:
        """A kernel [*spatial, in, out] with the axes [out, in, *spatial]."""
        kernel = kernel.unsqueeze(0) if self.flat else kernel
        return kernel.permute(self.rank + 1, self.rank, *range(self.rank))


def _arranged(
    layout: _Layout, x: torch.Tensor, amounts: list[tuple[int, int]], value: float = 0, most: Any = None
) -> tuple[torch.Tensor, list[int]]:
    """The images and the padding that torch adds by itself; it can only add equally much on both sides."""
    if all(before == after for before, after in amounts) and (
        most is None or all(before <= limit for (before, _), limit in zip(amounts, most, strict=True))
    ):
        return x, layout.numbers([before for before, _ in amounts], 0)
    return layout.padded(x, amounts, value), [0] * layout.rank


def conv(
    inputs: Any, kernel: Any, strides: Any, padding: str, data_format: str, dilation_rate: Any
) -> torch.Tensor:
    layout = _Layout(inputs, data_format)
    amounts = _amounts(layout.sizes(inputs), kernel.shape[:-2], strides, padding, dilation_rate)
    groups = layout.channels(inputs) // kernel.shape[-2] or 1
    x, sides = _arranged(layout, inputs, amounts)
    result = _CONVOLUTIONS[layout.rank](
        layout.inward(x), layout.kernel(kernel), None, layout.numbers(strides, 1), sides,
        layout.numbers(dilation_rate, 1), groups,
    )
    return layout.outward(result)


def depthwise_conv(
    inputs: Any, kernel: Any, strides: Any, padding: str, data_format: str, dilation_rate: Any
) -> torch.Tensor:
    channels, multiplier = kernel.shape[-2:]
    kernel = kernel.reshape(*kernel.shape[:-2], 1, channels * multiplier)
    return conv(inputs, kernel, strides, padding, data_format, dilation_rate)


def separable_conv(
    inputs: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any, padding: str, data_format: str,
    dilation_rate: Any,
) -> torch.Tensor:
    x = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    ones = (1,) * len(strides)
    return conv(x, pointwise_kernel, ones, "valid", data_format, ones)


def conv_transpose(
    inputs: Any, kernel: Any, strides: Any, padding: str, output_padding: Any, data_format: str, dilation_rate: Any
) -> torch.Tensor:
    layout = _Layout(inputs, data_format)
    sizes = layout.sizes(inputs)
    # a kernel [*spatial, out, in] has the axes that torch wants for this operation: [in, out, *spatial]
    whole = layout.outward(
        _TRANSPOSED[layout.rank](
            layout.inward(inputs), layout.kernel(kernel), None, layout.numbers(strides, 1), [0] * layout.rank,
            [0] * layout.rank, 1, layout.numbers(dilation_rate, 1),
        )
    )
    for place, size in enumerate(sizes):
        reach, stride = _span(kernel.shape[place], dilation_rate[place]), strides[place]
        extra = None if output_padding is None else output_padding[place]
        start, wanted = _cut(size, reach, stride, padding, extra)
        axis = place + (1 if layout.last else 2)
        missing = start + wanted - whole.shape[axis]
        if missing > 0:
            amounts = [(0, missing if one == place else 0) for one in range(len(sizes))]
            whole = layout.padded(whole, amounts)
        if start or wanted != whole.shape[axis]:
            whole = whole.narrow(axis, start, wanted)
    return whole


def _cut(size: int, reach: int, stride: int, padding: str, extra: int | None) -> tuple[int, int]:
    """Where the output of a transposed convolution starts within the uncut one, and how long it is."""
    if padding == "valid":
        start = 0
        wanted = size * stride + max(reach - stride, 0) if extra is None else (size - 1) * stride + reach + extra
    elif extra is None:
        start, wanted = max(reach - stride, 0) // 2, size * stride
    else:
        start = max(2 * (reach // 2) - extra, 0) // 2
        wanted = (size - 1) * stride + reach - 2 * (reach // 2) + extra
    return start, wanted


# --- pooling -----------------------------------------------------------------------------------------------------


def _lowest(dtype: torch.dtype) -> float:
    return -math.inf if dtype.is_floating_point else torch.iinfo(dtype).min


def max_pool(inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: str) -> torch.Tensor:
    layout = _Layout(inputs, data_format)
    amounts = _amounts(layout.sizes(inputs), pool_size, strides, padding, (1,) * len(strides))
    x, sides = _arranged(layout, inputs, amounts, _lowest(inputs.dtype), [size // 2 for size in pool_size])
    windows = layout.numbers(pool_size, 1), layout.numbers(strides, 1)
    return layout.outward(_MAXIMA[layout.rank](layout.inward(x), *windows, sides))


def average_pool(inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: str) -> torch.Tensor:
    layout = _Layout(inputs, data_format)
    sizes = layout.sizes(inputs)
    amounts = _amounts(sizes, pool_size, strides, padding, (1,) * len(strides))
    x, sides = _arranged(layout, inputs, amounts, 0, [size // 2 for size in pool_size])
    windows = layout.numbers(pool_size, 1), layout.numbers(strides, 1)
    mean: Callable[..., Any] = _MEANS[layout.rank]
    if x is inputs:
        return layout.outward(mean(layout.inward(x), *windows, sides, count_include_pad=False))
    total = layout.outward(mean(layout.inward(x), *windows, divisor_override=1))
    counts: Any = 1
    for size, reach, stride, (before, after) in zip(sizes, pool_size, strides, amounts, strict=True):
        inside = np.pad(np.ones(size, np.int64), (before, after))
        taps = np.lib.stride_tricks.sliding_window_view(inside, reach)[::stride].sum(-1)
        counts = np.multiply.outer(counts, taps)
    counts = counts[..., None] if layout.last else counts
    return total / torch.as_tensor(counts, dtype=total.dtype, device=total.device)
