"""Reductions that look past NaN: missing numbers count for nothing."""

from __future__ import annotations

from typing import Any

from hornbeam.backend import active as backend
from hornbeam.dtypes import is_float
from hornbeam.ops.cumulative import running, running_rule
from hornbeam.ops.define import Axis, Tensor, TensorLike, as_float, as_tensor, op
from hornbeam.ops.reductions import refuse_empty
from hornbeam.ops.rules import axes_of, cast_to, float_of, half_as_single, reduces, sum_dtype, to_index, to_same
from hornbeam.ops.statistics import check_method, nan_median, nan_quantile, quantile_rule

xp = backend.xp


def _filled(x: Any, value: float) -> Any:
    """`x` with `value` for NaN."""
    x = as_tensor(x)
    return xp.where(xp.isnan(x), xp.full_like(x, value), x) if is_float(backend.dtype(x)) else x


def _total(function: Any, x: Any, neutral: float, axis: Axis, keepdims: bool) -> Any:
    x = _filled(x, neutral)
    dtype = sum_dtype(backend.dtype(x))
    (wide,) = half_as_single(cast_to(x, dtype))
    return cast_to(function(wide, axis=axes_of(axis), keepdims=keepdims, dtype=wide.dtype), dtype)


def _extreme(function: Any, name: str, x: Any, worst: float, axis: Axis, keepdims: bool) -> Any:
    x = as_tensor(x)
    if 0 in backend.shape(x):
        refuse_empty(name, x, axis)
    if not is_float(backend.dtype(x)):
        return function(x, axis=axes_of(axis), keepdims=keepdims)
    found = function(_filled(x, worst), axis=axes_of(axis), keepdims=keepdims)
    nothing = xp.all(xp.isnan(x), axis=axes_of(axis), keepdims=keepdims)
    return xp.where(nothing, xp.full_like(found, float("nan")), found)


def _position(function: Any, name: str, x: Any, worst: float, axis: int | None, keepdims: bool) -> Any:
    x = as_tensor(x)
    if 0 in backend.shape(x):
        refuse_empty(name, x, axis)
    found = cast_to(as_tensor(function(_filled(x, worst), axis=axis, keepdims=keepdims)), "int32")
    if not is_float(backend.dtype(x)):
        return found
    nothing = xp.all(xp.isnan(x), axis=axis, keepdims=keepdims)
    return xp.where(nothing, xp.full_like(found, -1), found)


def _count(x: Any, axis: Axis, keepdims: bool) -> Any:
    return xp.sum(cast_to(xp.logical_not(xp.isnan(x)), "float32"), axis=axes_of(axis), keepdims=keepdims)


def _mean(x: Any, axis: Axis, keepdims: bool) -> Any:
    """The mean of the numbers in `x`, NaN where there is none."""
    count = _count(x, axis, keepdims)
    total = xp.sum(_filled(x, 0.0), axis=axes_of(axis), keepdims=keepdims)
    mean = total / cast_to(xp.maximum(count, xp.ones_like(count)), backend.dtype(total))
    return xp.where(count == 0, xp.full_like(mean, float("nan")), mean)


def _variance(x: Any, axis: Axis, keepdims: bool) -> Any:
    x = backend.cast(x, "float32") if backend.dtype(x) in ("float16", "bfloat16") else x
    distance = x - _mean(x, axis, True)
    return _mean(distance * distance, axis, keepdims)



@op("keras.src.ops.numpy.Nansum", spec=reduces(sum_dtype))
def nansum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Sum of the numbers in `x` over `axis`; NaN counts as 0.

    Args:
        x: Any tensor.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The sum; bools and integers narrower than 32 bits are added up in 32 bits.

    >>> import hornbeam as keras
    >>> float(keras.ops.nansum([1.0, float('nan')]))
    1.0
    """
    return _total(xp.sum, x, 0.0, axis, keepdims)


@op("keras.src.ops.numpy.Nanprod", spec=reduces(sum_dtype))
def nanprod(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Product of the numbers in `x` over `axis`; NaN counts as 1.

    Args:
        x: Any tensor.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The product; bools and integers narrower than 32 bits are multiplied in 32 bits.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanprod([2.0, float('nan')]))
    2.0
    """
    return _total(xp.prod, x, 1.0, axis, keepdims)


@op("keras.src.ops.numpy.Nanmean", spec=reduces(float_of))
def nanmean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Mean of the numbers in `x` over `axis`.

    Args:
        x: Any tensor; integers and bools give the default float type.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The mean, a float tensor; NaN where there is no number.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanmean([1.0, 3.0, float('nan')]))
    2.0
    """
    x = as_float(x)
    (wide,) = half_as_single(x)
    return cast_to(_mean(wide, axis, keepdims), backend.dtype(x))


@op("keras.src.ops.numpy.Nanvar", spec=reduces(float_of))
def nanvar(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Variance of the numbers in `x` over `axis`.

    Args:
        x: Any tensor; integers and bools give the default float type.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The variance, a float tensor; NaN where there is no number.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanvar([1.0, 3.0, float('nan')]))
    1.0
    """
    x = as_float(x)
    return cast_to(_variance(x, axis, keepdims), backend.dtype(x))


@op("keras.src.ops.numpy.Nanstd", spec=reduces(float_of))
def nanstd(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Standard deviation of the numbers in `x` over `axis`.

    Args:
        x: Any tensor; integers and bools give the default float type.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The standard deviation, a float tensor; NaN where there is no number.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanstd([1.0, 3.0, float('nan')]))
    1.0
    """
    x = as_float(x)
    return cast_to(xp.sqrt(_variance(x, axis, keepdims)), backend.dtype(x))


@op("keras.src.ops.numpy.Nanmax", spec=reduces(to_same))
def nanmax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest number in `x` over `axis`.

    Args:
        x: Any tensor.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The maximum, in the dtype of `x`; NaN where there is no number.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanmax([1.0, float('nan')]))
    1.0
    """
    return _extreme(xp.max, "nanmax", x, float("-inf"), axis, keepdims)


@op("keras.src.ops.numpy.Nanmin", spec=reduces(to_same))
def nanmin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest number in `x` over `axis`.

    Args:
        x: Any tensor.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The minimum, in the dtype of `x`; NaN where there is no number.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanmin([1.0, float('nan')]))
    1.0
    """
    return _extreme(xp.min, "nanmin", x, float("inf"), axis, keepdims)


@op("keras.src.ops.numpy.Nanargmax", spec=reduces(to_index))
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Position of the largest number in `x` along `axis`.

    Args:
        x: Any tensor.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        Positions, int32; -1 where there is no number.

    >>> import hornbeam as keras
    >>> int(keras.ops.nanargmax([1.0, float('nan')]))
    0
    """
    return _position(xp.argmax, "nanargmax", x, float("-inf"), axis, keepdims)


@op("keras.src.ops.numpy.Nanargmin", spec=reduces(to_index))
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Position of the smallest number in `x` along `axis`.

    Args:
        x: Any tensor.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        Positions, int32; -1 where there is no number.

    >>> import hornbeam as keras
    >>> int(keras.ops.nanargmin([1.0, float('nan')]))
    0
    """
    return _position(xp.argmin, "nanargmin", x, float("inf"), axis, keepdims)


@op("keras.src.ops.numpy.Nanmedian", spec=reduces(float_of))
def nanmedian(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Median of the numbers in `x` over `axis`.

    Args:
        x: Any tensor; integers and bools give the default float type.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The median, a float tensor; NaN where there is no number.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanmedian([1.0, 3.0, float('nan')]))
    2.0
    """
    return nan_median(x, axis, keepdims)


@op("keras.src.ops.numpy.Nancumsum", spec=running_rule)
def nancumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running sum of the numbers in `x` along `axis`; NaN counts as 0. As `cumsum` otherwise.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.nancumsum([1.0, float("nan"), 2.0])).tolist()
    [1.0, 1.0, 3.0]
    """
    return running(xp.cumsum, _filled(x, 0.0), axis, dtype)


@op("keras.src.ops.numpy.Nancumprod", spec=running_rule)
def nancumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running product of the numbers in `x` along `axis`; NaN counts as 1. As `cumprod` otherwise.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.nancumprod([2.0, float("nan"), 2.0])).tolist()
    [2.0, 2.0, 4.0]
    """
    return running(xp.cumprod, _filled(x, 1.0), axis, dtype)


@op("keras.src.ops.numpy.Nanquantile", spec=quantile_rule)
def nanquantile(
    x: TensorLike, q: TensorLike, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Quantiles of the numbers in `x` over `axis`. As `quantile` otherwise.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanquantile([1.0, 3.0, float("nan")], 0.5))
    2.0
    """
    check_method(method, "nanquantile")
    return nan_quantile(x, q, axis, method, keepdims)


@op("keras.src.ops.numpy.Nanpercentile", spec=quantile_rule)
def nanpercentile(
    x: TensorLike, q: TensorLike, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Percentiles of the numbers in `x` over `axis`. As `percentile` otherwise.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanpercentile([1.0, 3.0, float("nan")], 50))
    2.0
    """
    check_method(method, "nanpercentile")
    return nan_quantile(x, q, axis, method, keepdims, 100)
