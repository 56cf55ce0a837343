"""What rests on the order of elements: sorting, quantiles, unique values, counting. A part of `xp`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from hornbeam.backend.torch.native import lifted, tensor


@lifted
def sort(x: Any, axis: int | None = -1) -> torch.Tensor:
    x = tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    return torch.sort(x, dim=axis, stable=True).values if x.ndim else x


@lifted
def argsort(x: Any, axis: int | None = -1, stable: bool = True) -> torch.Tensor:
    x = tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    return torch.argsort(x, dim=axis, stable=True) if x.ndim else torch.zeros_like(x, dtype=torch.int64)


def argpartition(x: Any, kth: int, axis: int | None = -1) -> torch.Tensor:
    return argsort(x, axis)


@lifted
def searchsorted(sequence: Any, values: Any, side: str = "left") -> torch.Tensor:
    sequence = tensor(sequence)
    return torch.searchsorted(sequence.contiguous(), tensor(values, sequence).contiguous(), right=side == "right")


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> torch.Tensor:
    return torch.bincount(x, weights=weights, minlength=int(minlength))


def histogram(x: torch.Tensor, bins: Any = 10) -> tuple[torch.Tensor, torch.Tensor]:
    wide = x.to(torch.float32) if x.dtype in (torch.float16, torch.bfloat16) else x
    if isinstance(bins, int):
        low, high = wide.min(), wide.max()
        same = low == high  # a range without width gets one, as in NumPy
        low, high = torch.where(same, low - 0.5, low), torch.where(same, high + 0.5, high)
        steps = torch.arange(bins + 1, dtype=wide.dtype, device=wide.device) / bins
        edges = low + (high - low) * steps
        edges = torch.cat([edges[:-1], high[None]])
    else:
        edges = tensor(bins).to(wide)
    place = torch.searchsorted(edges, wide, right=True) - 1
    count = edges.shape[0] - 1
    place = torch.where(wide == edges[-1], count - 1, place)
    inside = (wide >= edges[0]) & (wide <= edges[-1])
    counts = torch.zeros(count + 1, dtype=torch.int64, device=wide.device)
    counts = counts.index_add(0, torch.where(inside, place, count), torch.ones_like(place))
    return counts[:count], edges


def counted(axis: int, rank: int) -> int:
    """`axis` from the front; torch would let some that are out of range pass."""
    if not -rank <= axis < rank:
        raise np.exceptions.AxisError(axis, rank)
    return axis % rank


# --- quantiles ---------------------------------------------------------------------------------------------------


def _rows(x: torch.Tensor, axis: Any) -> tuple[torch.Tensor, tuple[int, ...]]:
    """`x` with the reduced axes flattened into a last one, sorted along it; and the shape with ones for them."""
    axes = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    axes = tuple(counted(one, x.ndim) for one in axes)
    kept = [one for one in range(x.ndim) if one not in axes]
    shape = tuple(1 if place in axes else size for place, size in enumerate(x.shape))
    moved = x.permute(*kept, *axes).reshape(*[x.shape[one] for one in kept], -1)
    return torch.sort(moved, dim=-1).values, shape


def _quantiles(x: torch.Tensor, q: Any, axis: Any, method: str, keepdims: bool, skip: bool) -> torch.Tensor:
    q = torch.as_tensor(q, dtype=x.dtype, device=x.device)
    ordered, shape = _rows(x, axis)
    missing = torch.isnan(ordered)
    count = ordered.shape[-1] - (missing.sum(-1) if skip else torch.zeros_like(missing.sum(-1)))
    last = (count - 1).clamp(min=0).to(x.dtype)
    place = q.reshape(-1, *(1,) * count.ndim) * last  # [q, *kept]
    low, high = torch.floor(place), torch.ceil(place)
    if method == "nearest":
        low = high = torch.round(place)
    below, above = (
        torch.take_along_dim(ordered, torch.movedim(one.to(torch.int64), 0, -1), dim=-1) for one in (low, high)
    )
    part = torch.movedim(place - low, 0, -1)
    if method == "linear":
        result = torch.where(part == 0, below, below + (above - below) * part)
    else:
        result = {"lower": below, "higher": above, "nearest": below, "midpoint": (below + above) / 2}[method]
    if not skip:  # a single NaN spoils its row
        result = torch.where(missing.any(-1, keepdim=True), torch.nan, result)
    result = torch.movedim(result, -1, 0)
    return result.reshape((*q.shape, *(shape if keepdims else count.shape)))


def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> torch.Tensor:
    return _quantiles(x, q, axis, method, keepdims, skip=False)


def nanquantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> torch.Tensor:
    return _quantiles(x, q, axis, method, keepdims, skip=True)


def median(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    return _quantiles(x, 0.5, axis, "midpoint", keepdims, skip=False)


def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    return _quantiles(x, 0.5, axis, "midpoint", keepdims, skip=True)


# --- unique values -----------------------------------------------------------------------------------------------


@lifted
def unique(
    x: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, size: int | None = None, fill_value: Any = None,
) -> Any:
    x = tensor(x)
    values, inverse, counts = torch.unique(x, sorted=True, return_inverse=True, return_counts=True, dim=axis)
    found = [values]
    flat = inverse.reshape(-1)
    if return_index:
        first = torch.full((values.shape[axis or 0],), flat.numel(), dtype=torch.int64, device=x.device)
        found.append(first.scatter_reduce(0, flat, torch.arange(flat.numel(), device=x.device), "amin"))
    if return_inverse:
        found.append(inverse)
    if return_counts:
        found.append(counts)
    return tuple(found) if len(found) > 1 else values


# --- padding by what an axis holds -------------------------------------------------------------------------------


def padded(x: torch.Tensor, axis: int, pair: Sequence[int], mode: str) -> torch.Tensor:
    """`x` with elements around one axis that follow from all of it, as NumPy's modes of that name say."""
    before, after = pair
    shape = [1] * x.ndim
    shape[axis] = -1
    if mode == "linear_ramp":
        first, last = x.narrow(axis, 0, 1), x.narrow(axis, x.shape[axis] - 1, 1)
        rising = (torch.arange(before, device=x.device, dtype=torch.float64) / max(before, 1)).reshape(shape)
        falling = (torch.arange(after - 1, -1, -1, device=x.device, dtype=torch.float64) / max(after, 1)).reshape(shape)
        ends = [first * rising, last * falling]
        if not x.is_floating_point():
            ends = [torch.floor(one) for one in ends]
        return torch.cat([ends[0].to(x.dtype), x, ends[1].to(x.dtype)], dim=axis)
    reduce = {
        "maximum": torch.amax,
        "minimum": torch.amin,
        "mean": lambda one, dim, keepdim: torch.mean(one.to(_float(one)), dim, keepdim),
        "median": lambda one, dim, keepdim: median(one.to(_float(one)), dim, keepdim),
    }[mode]
    one = reduce(x, axis, True)
    if not x.is_floating_point() and one.is_floating_point():
        one = torch.round(one)
    one = one.to(x.dtype)
    sizes = list(x.shape)
    parts = []
    for count in (before, after):
        sizes[axis] = count
        parts.append(one.expand(sizes))
    return torch.cat([parts[0], x, parts[1]], dim=axis)


def _float(x: torch.Tensor) -> torch.dtype:
    return x.dtype if x.is_floating_point() else torch.float64 if np.dtype(int).itemsize > 4 else torch.float32
