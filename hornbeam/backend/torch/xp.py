"""NumPy's names on torch tensors: what `backend.xp` is.

Only the functions and arguments that hornbeam uses. Dtypes are promoted before (see `ops/define.py`), so that a
function sees tensors of one dtype, perhaps beside Python numbers. Each workaround says what torch does otherwise.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from hornbeam.backend.torch import products, rank
from hornbeam.backend.torch.native import dtype_of, lifted, tensor
from hornbeam.backend.torch.place import here

pi, inf, nan, e, newaxis = math.pi, math.inf, math.nan, math.e, None
ndarray = torch.Tensor
finfo = torch.finfo


# --- making tensors ----------------------------------------------------------------------------------------------


def _maybe(dtype: Any) -> torch.dtype | None:
    return None if dtype is None else dtype_of(dtype)


def _sizes(shape: Any) -> tuple[int, ...]:
    return (int(shape),) if hasattr(shape, "__index__") and not isinstance(shape, tuple) else tuple(map(int, shape))


def asarray(value: Any, dtype: Any = None) -> torch.Tensor:
    value = tensor(value)
    return value if dtype is None else value.to(dtype_of(dtype))


def array(value: Any, dtype: Any = None, copy: bool = True) -> torch.Tensor:
    value = asarray(value, dtype)
    return value.clone() if copy else value


def zeros(shape: Any, dtype: Any = None) -> torch.Tensor:
    return torch.zeros(_sizes(shape), dtype=_maybe(dtype), device=here())


def ones(shape: Any, dtype: Any = None) -> torch.Tensor:
    return torch.ones(_sizes(shape), dtype=_maybe(dtype), device=here())


def empty(shape: Any, dtype: Any = None) -> torch.Tensor:
    return torch.empty(_sizes(shape), dtype=_maybe(dtype), device=here())


def full(shape: Any, value: Any, dtype: Any = None) -> torch.Tensor:
    if isinstance(value, (torch.Tensor, np.ndarray, list, tuple)):
        value = asarray(value, dtype)
        return torch.broadcast_to(value, _sizes(shape)).clone()
    if isinstance(value, np.generic):
        dtype, value = value.dtype if dtype is None else dtype, value.item()
    return torch.full(_sizes(shape), value, dtype=_maybe(dtype), device=here())


def zeros_like(x: Any, dtype: Any = None) -> torch.Tensor:
    return torch.zeros_like(tensor(x), dtype=_maybe(dtype))


def ones_like(x: Any, dtype: Any = None) -> torch.Tensor:
    return torch.ones_like(tensor(x), dtype=_maybe(dtype))


def full_like(x: Any, value: Any, dtype: Any = None) -> torch.Tensor:
    x = tensor(x)
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return torch.broadcast_to(asarray(value, dtype or x.dtype), x.shape).clone()
    return torch.full_like(x, value.item() if isinstance(value, np.generic) else value, dtype=_maybe(dtype))


@lifted
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> torch.Tensor:
    if stop is None:
        start, stop = 0, start
    parts = [one.item() if isinstance(one, (np.generic, torch.Tensor)) else one for one in (start, stop, step)]
    wanted = _maybe(dtype)
    if wanted is None:
        wanted = torch.int32 if builtins.all(isinstance(one, int) for one in parts) else None
    elif wanted in (torch.uint16, torch.uint32, torch.uint64, torch.bool):  # torch counts in signed integers only
        return torch.arange(*parts, dtype=torch.int64, device=here()).to(wanted)
    return torch.arange(*parts, dtype=wanted, device=here())


def linspace(
    start: Any, stop: Any, num: int, endpoint: bool = True, retstep: bool = False, axis: int = 0
) -> Any:
    start, stop = torch.broadcast_tensors(tensor(start), tensor(stop))
    parts = num - 1 if endpoint else num
    step = (stop - start) / parts if parts > 0 else torch.full_like(start, nan)
    places = torch.arange(num, dtype=start.dtype, device=start.device).reshape(num, *(1,) * start.ndim)
    points = start + places * step if parts > 0 else torch.broadcast_to(start, (num, *start.shape)).clone()
    if endpoint and num > 1:  # rounding must not move the end
        points = torch.cat([points[:-1], stop[None]])
    points = torch.moveaxis(points, 0, axis)
    return (points, step) if retstep else points


def logspace(start: Any, stop: Any, num: int, endpoint: bool = True, base: Any = 10.0, axis: int = 0) -> torch.Tensor:
    points = linspace(start, stop, num, endpoint, axis=axis)
    return torch.pow(tensor(base, points), points)


def geomspace(start: Any, stop: Any, num: int, endpoint: bool = True, axis: int = 0) -> torch.Tensor:
    start, stop = torch.broadcast_tensors(tensor(start), tensor(stop))
    sign = torch.sign(start)
    points = logspace(torch.log10(start * sign), torch.log10(stop * sign), num, endpoint, axis=axis)
    points = torch.moveaxis(points, axis, 0) * sign
    if num > 0:  # the ends are exact
        points = torch.cat([start[None], points[1:]])
    if endpoint and num > 1:
        points = torch.cat([points[:-1], stop[None]])
    return torch.moveaxis(points, 0, axis)


def tri(rows: int, columns: int | None = None, k: int = 0, dtype: Any = None) -> torch.Tensor:
    below = arange(rows)[:, None] + k >= arange(rows if columns is None else columns)
    return below.to(_maybe(dtype) or torch.get_default_dtype())


def eye(rows: int, columns: int | None = None, k: int = 0, dtype: Any = None) -> torch.Tensor:
    equal_places = arange(rows)[:, None] + k == arange(rows if columns is None else columns)
    return equal_places.to(_maybe(dtype) or torch.get_default_dtype())


def meshgrid(*xs: Any, indexing: str = "xy") -> list[torch.Tensor]:
    return list(torch.meshgrid(*[torch.atleast_1d(one).ravel() for one in xs], indexing=indexing))


def kaiser(count: int, beta: Any) -> torch.Tensor:
    return torch.kaiser_window(count, periodic=False, beta=float(beta), device=here())


# --- element by element ------------------------------------------------------------------------------------------


def _single(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of one tensor, which may be a number."""
    apply = lifted(function)
    return lambda x: apply(x) if isinstance(x, torch.Tensor) else apply(tensor(x))


def _pair(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of two tensors, either of which may be a number; torch's functions want tensors."""
    apply = lifted(function)

    def paired(x1: Any, x2: Any) -> Any:
        if not isinstance(x1, torch.Tensor):
            x1 = tensor(x1, x2 if isinstance(x2, torch.Tensor) else None)
        if not isinstance(x2, torch.Tensor):
            x2 = tensor(x2, x1)
        return apply(x1, x2)

    return paired


def _operation(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of two for which Python has an operator, which takes numbers on both sides without a tensor."""
    apply = lifted(function)

    def paired(x1: Any, x2: Any) -> Any:
        if isinstance(x1, np.generic):  # NumPy would take a tensor for an array
            x1 = tensor(x1, x2) if isinstance(x2, torch.Tensor) else x1.item()
        if isinstance(x2, np.ndarray):
            x2 = tensor(x2, x1)
        elif not isinstance(x1, (torch.Tensor, np.ndarray)) and not isinstance(x2, torch.Tensor):
            x1 = tensor(x1)
        return apply(tensor(x1) if isinstance(x1, np.ndarray) else x1, x2)

    return paired


absolute = abs = _single(lambda x: x if x.dtype == torch.bool else torch.abs(x))
negative = _single(torch.neg)
# torch gives 0 for NaN
sign = _single(lambda x: torch.where(torch.isnan(x), x, torch.sgn(x)) if x.is_floating_point() else torch.sgn(x))
square = _single(lambda x: x * x)
sqrt, exp, exp2, expm1 = _single(torch.sqrt), _single(torch.exp), _single(torch.exp2), _single(torch.expm1)
log, log2, log10, log1p = _single(torch.log), _single(torch.log2), _single(torch.log10), _single(torch.log1p)
reciprocal = _single(torch.reciprocal)
# torch has no cube root; the root of the size, with the sign put back
cbrt = _single(lambda x: torch.sign(x) * torch.pow(torch.abs(x), 1 / 3))
ceil, floor, trunc = _single(torch.ceil), _single(torch.floor), _single(torch.trunc)
sin, cos, tan = _single(torch.sin), _single(torch.cos), _single(torch.tan)
arcsin, arccos, arctan = _single(torch.asin), _single(torch.acos), _single(torch.atan)
sinh, cosh, tanh = _single(torch.sinh), _single(torch.cosh), _single(torch.tanh)
arcsinh, arccosh, arctanh = _single(torch.asinh), _single(torch.acosh), _single(torch.atanh)
deg2rad, rad2deg = _single(torch.deg2rad), _single(torch.rad2deg)
sinc, i0, angle = _single(torch.sinc), _single(torch.special.i0), _single(torch.angle)
isnan, isinf, isfinite = _single(torch.isnan), _single(torch.isinf), _single(torch.isfinite)
isposinf, isneginf = _single(torch.isposinf), _single(torch.isneginf)
isreal, signbit = _single(torch.isreal), _single(torch.signbit)
conjugate = conj = _single(lambda x: torch.conj(x).resolve_conj() if x.is_complex() else x)
real = _single(lambda x: torch.real(x) if x.is_complex() else x)
imag = _single(lambda x: torch.imag(x) if x.is_complex() else torch.zeros_like(x))
logical_not = _single(torch.logical_not)
bitwise_not = invert = _single(torch.bitwise_not)

add, subtract, multiply = _operation(operator.add), _operation(operator.sub), _operation(operator.mul)
true_divide = divide = _operation(operator.truediv)
less, less_equal = _operation(operator.lt), _operation(operator.le)
greater, greater_equal = _operation(operator.gt), _operation(operator.ge)
equal, not_equal = _operation(operator.eq), _operation(operator.ne)
bitwise_and, bitwise_or, bitwise_xor = _operation(operator.and_), _operation(operator.or_), _operation(operator.xor)
left_shift = bitwise_left_shift = _operation(operator.lshift)
right_shift = bitwise_right_shift = _operation(operator.rshift)
logical_and, logical_or, logical_xor = _pair(torch.logical_and), _pair(torch.logical_or), _pair(torch.logical_xor)
fmax, fmin, hypot = _pair(torch.fmax), _pair(torch.fmin), _pair(torch.hypot)
arctan2, nextafter = _pair(torch.arctan2), _pair(torch.nextafter)
heaviside = _pair(lambda x1, x2: torch.where(torch.isnan(x1), x1, torch.heaviside(x1, x2)))  # torch gives 0 for NaN
logaddexp, logaddexp2 = _pair(torch.logaddexp), _pair(torch.logaddexp2)
gcd, lcm = _pair(torch.gcd), _pair(torch.lcm)
ldexp = _pair(torch.ldexp)


def _nonzero_divisor(function: Callable[..., Any]) -> Callable[..., Any]:
    """Division of integers by 0, which torch refuses, gives 0 as in NumPy."""

    def apply(x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        if x2.is_floating_point() or x1.is_floating_point():
            return function(x1, x2)
        nothing = x2 == 0
        return torch.where(nothing, 0, function(x1, torch.where(nothing, 1, x2)))

    return _pair(apply)


floor_divide, mod = _nonzero_divisor(torch.floor_divide), _nonzero_divisor(torch.remainder)
fmod = _nonzero_divisor(torch.fmod)


@lifted
def _maximum(x1: Any, x2: Any) -> Any:
    return torch.maximum(x1, x2)


@lifted
def _minimum(x1: Any, x2: Any) -> Any:
    return torch.minimum(x1, x2)


_paired_maximum, _paired_minimum = _pair(_maximum), _pair(_minimum)


def maximum(x1: Any, x2: Any) -> torch.Tensor:
    return _paired_maximum(x1, x2)


def minimum(x1: Any, x2: Any) -> torch.Tensor:
    return _paired_minimum(x1, x2)


_power = _pair(torch.pow)


def power(x1: Any, x2: Any) -> torch.Tensor:
    if isinstance(x1, torch.Tensor) and isinstance(x2, (int, float)):
        return torch.pow(x1, x2)
    return _power(x1, x2)


def clip(x: Any, low: Any = None, high: Any = None) -> torch.Tensor:
    x = tensor(x)
    low, high = (one.item() if isinstance(one, np.generic) else one for one in (low, high))
    if not isinstance(low, torch.Tensor) and not isinstance(high, torch.Tensor):
        return _clamp(x, low, high) if low is not None or high is not None else x
    x = x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)


_clamp = lifted(torch.clamp)


def round(x: Any, decimals: int = 0) -> torch.Tensor:
    x = tensor(x)
    if not x.is_floating_point():
        return x
    return _round(x, decimals=decimals)


_round = lifted(torch.round)


def nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> torch.Tensor:
    return _nan_to_num(tensor(x), nan=nan, posinf=posinf, neginf=neginf)


_nan_to_num = lifted(torch.nan_to_num)


def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> torch.Tensor:
    x1 = tensor(x1)
    x2 = tensor(x2, x1)
    dtype = torch.promote_types(x1.dtype, x2.dtype)
    return _isclose(x1.to(dtype), x2.to(dtype), rtol=rtol, atol=atol, equal_nan=equal_nan)


_isclose = lifted(torch.isclose)


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    condition = tensor(condition)
    if condition.dtype != torch.bool:
        condition = condition != 0
    if x1 is None:
        return torch.nonzero(condition, as_tuple=True)
    if isinstance(x1, (np.generic, np.ndarray)):
        x1 = torch.as_tensor(x1, device=condition.device)
    if isinstance(x2, (np.generic, np.ndarray)):
        x2 = torch.as_tensor(x2, device=condition.device)
    return _where(condition, x1, x2)


_where = lifted(torch.where)


def vectorize(function: Callable, excluded: Any = frozenset(), signature: str | None = None) -> Callable:
    inner = [1] if signature is None else None
    counts = [] if signature is None else [_letters(one) for one in signature.split("->")[0].split("),")]
    left = frozenset(excluded)

    def apply(*args: Any, **kwargs: Any) -> Any:
        own = iter(counts)
        kept = [0 if inner else next(own) for place in range(len(args)) if place not in left]
        tensors = [one for place, one in enumerate(args) if place not in left]
        outer = [tuple(one.shape[: one.ndim - count]) for one, count in zip(tensors, kept, strict=True)]
        shape = torch.broadcast_shapes(*outer)
        flat = [
            torch.broadcast_to(one, (*shape, *one.shape[one.ndim - count :])).reshape(
                -1, *one.shape[one.ndim - count :]
            )
            for one, count in zip(tensors, kept, strict=True)
        ]
        rows = []
        for row in range(math.prod(shape)):
            picked = iter([one[row] for one in flat])
            rows.append(function(*[one if i in left else next(picked) for i, one in enumerate(args)], **kwargs))
        if rows and isinstance(rows[0], tuple | list):
            return tuple(_stacked(list(part), shape) for part in zip(*rows, strict=True))
        return _stacked(rows, shape)

    return apply


def _letters(text: str) -> int:
    return len([one for one in text.strip("() ").split(",") if one.strip()])


def _stacked(rows: list[Any], shape: Sequence[int]) -> torch.Tensor:
    result = torch.stack([tensor(one) for one in rows])
    return result.reshape((*shape, *result.shape[1:]))


# --- reductions --------------------------------------------------------------------------------------------------


def _axes(axis: Any, x: torch.Tensor) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    return (axis,) if isinstance(axis, int) else tuple(int(one) for one in axis)


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    """A reduction over one axis, several or all; torch takes no axes at all for all of them."""
    apply = lifted(function)

    def reduce(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None, **options: Any) -> Any:
        x = tensor(x)
        if dtype is not None and x.dtype != dtype_of(dtype):
            x = x.to(dtype_of(dtype))
        if type(axis) is int:
            return apply(x, axis, keepdims, **options)
        axes = _axes(axis, x)
        return apply(x, axes, keepdims, **options) if axes else x

    return reduce


def _counted_in(x: torch.Tensor) -> torch.dtype:
    """The dtype in which sums and products of `x` are made; torch would widen all integers to 64 bits."""
    return torch.int32 if x.dtype == torch.bool else x.dtype


def _in_dtype(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, dim, keepdim: function(x, dim=dim, keepdim=keepdim, dtype=_counted_in(x))


def _one_by_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """For functions that reduce one axis at a time."""

    def reduce(x: torch.Tensor, dim: Any, keepdim: bool) -> torch.Tensor:
        axes = sorted((rank.counted(one, x.ndim) for one in _axes(dim, x)), reverse=True)
        for one in axes:
            x = function(x, dim=one, keepdim=keepdim)
        return x

    return reduce


sum, mean = _reduction(_in_dtype(torch.sum)), _reduction(lambda x, dim, keepdim: torch.mean(x, dim, keepdim))
prod = _reduction(_one_by_one(lambda x, dim, keepdim: torch.prod(x, dim=dim, keepdim=keepdim, dtype=_counted_in(x))))
_largest, _smallest = _reduction(torch.amax), _reduction(torch.amin)


def _extreme(reduce: Callable[..., Any], combine: Callable[..., Any], x: Any, axis: Any, keepdims: bool, initial: Any):
    if initial is None:
        return reduce(x, axis, keepdims)
    x = tensor(x)
    if 0 in x.shape:  # torch reduces no empty axes
        axes = {one % x.ndim for one in _axes(axis, x)}
        shape = [1 if i in axes else size for i, size in enumerate(x.shape) if keepdims or i not in axes]
        return torch.broadcast_to(tensor(initial).to(x.dtype), shape).clone()
    return combine(reduce(x, axis, keepdims), initial)


def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> torch.Tensor:
    return _extreme(_largest, maximum, x, axis, keepdims, initial)


def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> torch.Tensor:
    return _extreme(_smallest, minimum, x, axis, keepdims, initial)


amax, amin = max, min
any, all = _reduction(torch.any), _reduction(torch.all)


def _variance(x: torch.Tensor, dim: Any, keepdim: bool) -> torch.Tensor:
    if 0 in x.shape:  # torch warns; the mean of nothing is NaN without that
        return torch.mean(torch.abs(x), dim, keepdim)
    return torch.var(x, dim, correction=0, keepdim=keepdim)


var = _reduction(_variance)
std = _reduction(lambda x, dim, keepdim: torch.sqrt(_variance(x, dim, keepdim)))


def _position(function: Callable[..., Any]) -> Callable[..., Any]:
    apply = lifted(function)

    def find(x: Any, axis: int | None = None, keepdims: bool = False) -> torch.Tensor:
        return apply(tensor(x), dim=axis, keepdim=keepdims)

    return find


argmax, argmin = _position(torch.argmax), _position(torch.argmin)


def _running(function: Callable[..., Any]) -> Callable[..., Any]:
    apply = lifted(function)

    def run(x: Any, axis: int | None = None, dtype: Any = None) -> torch.Tensor:
        x = tensor(x)
        if axis is None:
            x, axis = x.ravel(), 0
        wanted = _counted_in(x) if dtype is None else dtype_of(dtype)
        return apply(x.to(wanted), dim=axis).to(wanted)

    return run


cumsum, cumprod = _running(torch.cumsum), _running(torch.cumprod)
median, nanmedian, quantile, nanquantile = rank.median, rank.nanmedian, rank.quantile, rank.nanquantile
sort, argsort, argpartition, unique = rank.sort, rank.argsort, rank.argpartition, rank.unique
searchsorted, histogram, bincount = rank.searchsorted, rank.histogram, rank.bincount


def diff(x: Any, n: int = 1, axis: int = -1) -> torch.Tensor:
    return lifted(torch.diff)(tensor(x), n=n, dim=axis)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> torch.Tensor:
    return torch.trapezoid(y, dx=float(dx), dim=axis) if x is None else torch.trapezoid(y, x, dim=axis)


@lifted
def corrcoef(x: Any) -> torch.Tensor:
    # torch's own asks for values, which functions that are followed do not have
    x = torch.atleast_2d(tensor(x))
    centred = x - torch.mean(x, 1, keepdim=True)
    other = torch.conj(centred).resolve_conj() if x.is_complex() else centred
    products = torch.matmul(centred, other.T)
    size = torch.sqrt(torch.diagonal(products).real if x.is_complex() else torch.diagonal(products))
    result = products / size[:, None] / size
    result = result if x.is_complex() else torch.clamp(result, -1, 1)
    return result[0, 0] if result.numel() == 1 else result


@lifted
def correlate(a: Any, v: Any, mode: str = "valid") -> torch.Tensor:
    a, v = tensor(a), tensor(v)
    swapped = len(v) > len(a)
    if swapped:
        a, v = v, a
    side = {"valid": 0, "same": len(v) // 2, "full": len(v) - 1}[mode]
    after = {"valid": 0, "same": (len(v) - 1) // 2, "full": len(v) - 1}[mode]
    windows = functional.pad(a, (side, after)).unfold(0, len(v), 1)
    conjugate_of = torch.conj(v).resolve_conj() if v.is_complex() else v
    result = torch.sum(windows * conjugate_of, -1, dtype=a.dtype)
    if swapped:
        result = torch.flip(result, (0,))
        return torch.conj(result).resolve_conj() if result.is_complex() else result
    return result


# --- shapes ------------------------------------------------------------------------------------------------------


@lifted
def reshape(x: Any, shape: Any) -> torch.Tensor:
    return torch.reshape(tensor(x), _sizes(shape))


def ravel(x: Any) -> torch.Tensor:
    return tensor(x).reshape(-1)


def transpose(x: torch.Tensor, axes: Any = None) -> torch.Tensor:
    return x.permute(*(range(x.ndim)[::-1] if axes is None else axes)) if x.ndim else x


moveaxis, swapaxes = torch.moveaxis, torch.swapaxes


def expand_dims(x: torch.Tensor, axis: Any) -> torch.Tensor:
    if isinstance(axis, int):
        return x.unsqueeze(axis)
    total = x.ndim + len(axis)
    for one in sorted(place % total for place in axis):
        x = x.unsqueeze(one)
    return x


def squeeze(x: torch.Tensor, axis: Any = None) -> torch.Tensor:
    if axis is None:
        return x.squeeze()
    for one in _axes(axis, x):
        if x.shape[one] != 1:  # torch lets it pass
            raise ValueError(f"cannot squeeze axis {one} of size {x.shape[one]}")
    return x.squeeze(_axes(axis, x))


@lifted
def broadcast_to(x: Any, shape: Any) -> torch.Tensor:
    return torch.broadcast_to(tensor(x), _sizes(shape))


def broadcast_arrays(*xs: Any) -> list[torch.Tensor]:
    return list(torch.broadcast_tensors(*[tensor(one) for one in xs]))


@lifted
def flip(x: torch.Tensor, axis: Any = None) -> torch.Tensor:
    return torch.flip(x, _axes(axis, x))


def fliplr(x: torch.Tensor) -> torch.Tensor:
    return flip(x, 1)


def flipud(x: torch.Tensor) -> torch.Tensor:
    return flip(x, 0)


@lifted
def rot90(x: torch.Tensor, k: int = 1, axes: Sequence[int] = (0, 1)) -> torch.Tensor:
    return torch.rot90(x, k, tuple(axes))


def roll(x: torch.Tensor, shift: Any, axis: Any = None) -> torch.Tensor:
    if isinstance(axis, tuple) and isinstance(shift, int):
        shift = (shift,) * len(axis)
    return torch.roll(x, shift, axis)


def repeat(x: torch.Tensor, repeats: Any, axis: int | None = None) -> torch.Tensor:
    if not isinstance(repeats, int):
        repeats = torch.as_tensor(repeats, device=x.device)
        if repeats.numel() == 1:
            repeats = int(repeats.reshape(()))
    return torch.repeat_interleave(x, repeats, dim=axis)


def tile(x: torch.Tensor, repeats: Any) -> torch.Tensor:
    return torch.tile(x, _sizes(repeats))


@lifted
def concatenate(xs: Any, axis: int | None = 0) -> torch.Tensor:
    parts = [tensor(one) for one in xs]
    if axis is None:
        parts, axis = [one.reshape(-1) for one in parts], 0
    return torch.cat(parts, dim=axis)


@lifted
def stack(xs: Any, axis: int = 0) -> torch.Tensor:
    return torch.stack([tensor(one) for one in xs], dim=axis)


def append(x1: Any, x2: Any, axis: int | None = None) -> torch.Tensor:
    x1 = tensor(x1, x2 if isinstance(x2, torch.Tensor) else None)
    return concatenate([x1, tensor(x2, x1)], axis)


def hstack(xs: Any) -> torch.Tensor:
    return torch.hstack([tensor(one) for one in xs])


def vstack(xs: Any) -> torch.Tensor:
    return torch.vstack([tensor(one) for one in xs])


def dstack(xs: Any) -> torch.Tensor:
    return torch.dstack([tensor(one) for one in xs])


def array_split(x: torch.Tensor, parts: Any, axis: int = 0) -> list[torch.Tensor]:
    return list(torch.tensor_split(x, parts if isinstance(parts, int) else tuple(map(int, parts)), dim=axis))


def split(x: torch.Tensor, parts: Any, axis: int = 0) -> list[torch.Tensor]:
    if isinstance(parts, int) and x.shape[axis] % parts:
        raise ValueError(f"an axis of size {x.shape[axis]} cannot be split into {parts} equal parts")
    return array_split(x, parts, axis)


def hsplit(x: torch.Tensor, parts: Any) -> list[torch.Tensor]:
    return split(x, parts, 0 if x.ndim == 1 else 1)


def vsplit(x: torch.Tensor, parts: Any) -> list[torch.Tensor]:
    return split(x, parts, 0)


def dsplit(x: torch.Tensor, parts: Any) -> list[torch.Tensor]:
    return split(x, parts, 2)


def pad(x: torch.Tensor, widths: Sequence[tuple[int, int]], mode: str = "constant", constant_values: Any = 0) -> Any:
    if mode == "constant":
        flat = [one for pair in reversed(list(widths)) for one in pair]
        if isinstance(constant_values, torch.Tensor):
            inside = functional.pad(torch.ones_like(x, dtype=torch.bool), flat)
            return _where(inside, functional.pad(x, flat), constant_values)
        return functional.pad(x, flat, value=constant_values)
    if mode in ("edge", "reflect", "symmetric", "wrap"):  # each axis is picked anew from its own positions
        for axis, pair in enumerate(widths):
            if builtins.any(pair):
                places = np.pad(np.arange(x.shape[axis]), pair, mode=mode)
                x = take(x, places, axis)
        return x
    for axis, pair in enumerate(widths):
        if builtins.any(pair):
            x = rank.padded(x, axis, pair, mode)
    return x


# --- by position -------------------------------------------------------------------------------------------------


def _places(indices: Any, x: torch.Tensor, size: int) -> torch.Tensor:
    """Indices as int64 on the device of `x`, counted from the front."""
    if isinstance(indices, torch.Tensor):
        indices = indices.to(torch.int64)
    else:  # known here: no work for the device
        host = np.asarray(indices, np.int64)
        return torch.as_tensor(np.where(host < 0, host + size, host), device=x.device)
    return torch.where(indices < 0, indices + size, indices)


@lifted
def take(x: Any, indices: Any, axis: int | None = None, mode: str | None = None) -> torch.Tensor:
    x = tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis = rank.counted(axis, x.ndim)
    places = _places(indices, x, x.shape[axis])
    picked = torch.index_select(x, axis, places.reshape(-1))
    return picked if places.ndim == 1 else picked.reshape((*x.shape[:axis], *places.shape, *x.shape[axis + 1 :]))


@lifted
def take_along_axis(x: torch.Tensor, indices: Any, axis: int | None = -1) -> torch.Tensor:
    if axis is None:
        x, indices, axis = x.reshape(-1), tensor(indices).reshape(-1), 0
    return torch.take_along_dim(x, _places(indices, x, x.shape[axis]), dim=axis)


def nonzero(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return torch.nonzero(x, as_tuple=True)


def unravel_index(indices: Any, shape: Any) -> tuple[torch.Tensor, ...]:
    indices = _places(indices, tensor(indices), math.prod(shape))
    return tuple(torch.unravel_index(indices, _sizes(shape)))


def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> torch.Tensor:
    return lifted(torch.isin)(tensor(x1), tensor(x2), assume_unique=assume_unique, invert=invert)


@lifted
def diag(x: torch.Tensor, k: int = 0) -> torch.Tensor:
    return torch.diag(x, k)


@lifted
def diagflat(x: torch.Tensor, k: int = 0) -> torch.Tensor:
    return torch.diagflat(x, k)


def diagonal(x: torch.Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> torch.Tensor:
    return torch.diagonal(x, offset, axis1, axis2)


def trace(x: torch.Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> torch.Tensor:
    return sum(torch.diagonal(x, offset, axis1, axis2), axis=-1)


@lifted
def tril(x: torch.Tensor, k: int = 0) -> torch.Tensor:
    return torch.tril(x, k)


@lifted
def triu(x: torch.Tensor, k: int = 0) -> torch.Tensor:
    return torch.triu(x, k)


# --- products ----------------------------------------------------------------------------------------------------

matmul, einsum, dot, tensordot = products.matmul, products.einsum, products.dot, products.tensordot
inner, outer, vdot, kron, cross = products.inner, products.outer, products.vdot, products.kron, products.cross
linalg, fft = products.linalg, products.fft
