"""Reductions: one number out of many along axes, such as sums, means, extremes and their positions."""



from __future__ import annotations

from typing import Any

from hornbeam.backend import active as backend
from hornbeam.dtypes import is_complex, promote, standardize_dtype
from hornbeam.errors import ArgumentError
from hornbeam.ops.define import Axis, Tensor, TensorLike, as_float, as_tensor, op
from hornbeam.ops.rules import (
    as_bool,
    axes_of,
    cast_to,
    float_of,
    half_as_single,
    native,
    no_bools,
    real_dtype,
    reduced_shape,
    reduces,
    sum_dtype,
    to_bool,
    to_index,
)
from hornbeam.symbolic import KerasTensor

xp = backend.xp


@op("keras.src.ops.numpy.Sum", spec=reduces(sum_dtype))
def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Sum of `x` over `axis`.

    Args:
        x: Any tensor.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The sum; bools and integers narrower than 32 bits are added up in 32 bits.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sum([[1, 2], [3, 4]], axis=-1)).tolist()
    [3, 7]
    """
    x = as_tensor(x)
    dtype = sum_dtype(backend.dtype(x))
    (wide,) = half_as_single(cast_to(x, dtype))
    return cast_to(xp.sum(wide, axis=axes_of(axis), keepdims=keepdims, dtype=wide.dtype), dtype)


def _prod_rule(x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> KerasTensor:
    return reduced_shape(x, axis, keepdims, sum_dtype(x.dtype) if dtype is None else standardize_dtype(dtype))


@op("keras.src.ops.numpy.Prod", spec=_prod_rule)
def prod(x: TensorLike, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """Product of the elements of `x` over `axis`.

    Args:
        x: Any tensor.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.
        dtype: The dtype in which to multiply; None takes that of `x`, at least 32 bits for integers.

    Returns:
        The product.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.prod([[1, 2], [3, 4]], axis=0)).tolist()
    [3, 8]
    """
    x = as_tensor(x)
    wanted = sum_dtype(backend.dtype(x)) if dtype is None else standardize_dtype(dtype)
    (wide,) = half_as_single(cast_to(x, wanted))
    return cast_to(xp.prod(wide, axis=axes_of(axis), keepdims=keepdims, dtype=wide.dtype), wanted)


@op("keras.src.ops.numpy.Mean", spec=reduces(float_of))
def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Mean of `x` over `axis`.

    Args:
        x: Any tensor; integers and bools give the default float type.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The mean, in the dtype of `x` if that is a float type. The mean of nothing is NaN.

    >>> import hornbeam as keras
    >>> float(keras.ops.mean([1, 2, 6]))
    3.0
    """
    x = as_float(x)
    return cast_to(xp.mean(*half_as_single(x), axis=axes_of(axis), keepdims=keepdims), backend.dtype(x))


def _real_float(dtype: str) -> str:
    return real_dtype(float_of(dtype))


@op("keras.src.ops.numpy.Var", spec=reduces(_real_float))
def var(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Variance of `x` over `axis`: the mean squared distance from the mean.

    Args:
        x: Any tensor; integers and bools give the default float type.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The variance, real.

    >>> import hornbeam as keras
    >>> float(keras.ops.var([1, 3]))
    1.0
    """
    x = as_float(x)
    # half precision loses the difference of squares
    result = xp.var(backend.cast(x, _at_least_single(x)), axis=axes_of(axis), keepdims=keepdims)
    return cast_to(result, real_dtype(backend.dtype(x)))


def _at_least_single(x: Any) -> str:
    dtype = backend.dtype(x)
    return dtype if is_complex(dtype) else promote(dtype, "float32")


@op("keras.src.ops.numpy.Std", spec=reduces(_real_float))
def std(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Standard deviation of `x` over `axis`: the square root of the variance.

    Args:
        x: Any tensor; integers and bools give the default float type.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The standard deviation, real.

    >>> import hornbeam as keras
    >>> float(keras.ops.std([1, 3]))
    1.0
    """
    x = as_float(x)
    result = xp.std(backend.cast(x, _at_least_single(x)), axis=axes_of(axis), keepdims=keepdims)
    return cast_to(result, real_dtype(backend.dtype(x)))


def _extreme(function: Any, name: str, x: Any, axis: Axis, keepdims: bool, initial: Any) -> Any:
    x = as_tensor(x)
    if initial is None:
        if 0 in backend.shape(x):
            refuse_empty(name, x, axis)
        return function(x, axis=axes_of(axis), keepdims=keepdims)
    # an integer bound keeps the dtype of `x`; a float bound on integers does not fit and is cast
    return function(x, axis=axes_of(axis), keepdims=keepdims, initial=backend.asarray(initial, backend.dtype(x)))


def refuse_empty(name: str, x: Any, axis: Axis) -> None:
    shape = backend.shape(x)
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    if 0 in [shape[one] for one in axes]:
        raise ArgumentError(
            "at least one element along the reduced axes", f"shape={shape}, axis={axis}", name,
            "Give `initial`, the result for nothing, where the function takes it.",
        )


def _extreme_rule(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> KerasTensor:
    return reduced_shape(x, axis, keepdims, x.dtype)


@op("keras.src.ops.numpy.Max", spec=_extreme_rule)
def max(x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """The largest element of `x` over `axis`; NaN wins.

    Args:
        x: Any tensor.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.
        initial: The least that the result may be; needed for tensors without elements.

    Returns:
        The maximum, in the dtype of `x`.

    Raises:
        ValueError: If there is no element and no `initial`.

    >>> import hornbeam as keras
    >>> int(keras.ops.max([1, 5, 3]))
    5
    """
    return _extreme(xp.max, "max", x, axis, keepdims, initial)


@op("keras.src.ops.numpy.Min", spec=_extreme_rule)
def min(x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """The smallest element of `x` over `axis`; NaN wins.

    Args:
        x: Any tensor.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.
        initial: The most that the result may be; needed for tensors without elements.

    Returns:
        The minimum, in the dtype of `x`.

    Raises:
        ValueError: If there is no element and no `initial`.

    >>> import hornbeam as keras
    >>> int(keras.ops.min([4, 2, 3]))
    2
    """
    return _extreme(xp.min, "min", x, axis, keepdims, initial)


@op("keras.src.ops.numpy.Amax", spec=_extreme_rule)
def amax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element of `x` over `axis`. As `max`, without `initial`.

    >>> import hornbeam as keras
    >>> int(keras.ops.amax([1, 5, 3]))
    5
    """
    return _extreme(xp.max, "amax", x, axis, keepdims, None)


@op("keras.src.ops.numpy.Amin", spec=_extreme_rule)
def amin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element of `x` over `axis`. As `min`, without `initial`.

    >>> import hornbeam as keras
    >>> int(keras.ops.amin([4, 2, 3]))
    2
    """
    return _extreme(xp.min, "amin", x, axis, keepdims, None)


def _ptp_rule(x: Any, axis: Axis = None, keepdims: bool = False) -> KerasTensor:
    return reduced_shape(x, axis, keepdims, x.dtype)


@op("keras.src.ops.numpy.Ptp", spec=_ptp_rule)
def ptp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """From peak to peak: the largest element of `x` over `axis` less the smallest.

    Args:
        x: Any tensor but bools.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The range, in the dtype of `x`.

    Raises:
        TypeError: For bools.

    >>> import hornbeam as keras
    >>> int(keras.ops.ptp([4, 2, 9]))
    7
    """
    (x,) = no_bools("ptp", as_tensor(x))
    return xp.subtract(
        _extreme(xp.max, "ptp", x, axis, keepdims, None), _extreme(xp.min, "ptp", x, axis, keepdims, None)
    )


@op("keras.src.ops.numpy.Any", spec=reduces(to_bool))
def any(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether some element of `x` over `axis` is true; of nothing, False.

    Args:
        x: Any tensor; numbers are true unless 0.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A bool tensor.

    >>> import hornbeam as keras
    >>> bool(keras.ops.any([False, True]))
    True
    """
    return xp.any(as_bool(x), axis=axes_of(axis), keepdims=keepdims)


@op("keras.src.ops.numpy.All", spec=reduces(to_bool))
def all(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements of `x` over `axis` are true; of nothing, True.

    Args:
        x: Any tensor; numbers are true unless 0.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A bool tensor.

    >>> import hornbeam as keras
    >>> bool(keras.ops.all([False, True]))
    False
    """
    return xp.all(as_bool(x), axis=axes_of(axis), keepdims=keepdims)


def _count_rule(x: Any, axis: Axis = None) -> KerasTensor:
    return reduced_shape(x, axis, False, "int32")


@op("keras.src.ops.numpy.CountNonzero", spec=_count_rule)
def count_nonzero(x: TensorLike, axis: Axis = None) -> Tensor:
    """How many elements of `x` over `axis` are not 0.

    Args:
        x: Any tensor.
        axis: One axis, several, or None for all; negative axes count from the end.

    Returns:
        An int32 tensor.

    >>> import hornbeam as keras
    >>> int(keras.ops.count_nonzero([0, 7, 8]))
    2
    """
    return xp.sum(as_bool(x), axis=axes_of(axis), dtype=native("int32"))


@op("keras.src.ops.numpy.Argmax", spec=reduces(to_index))
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Position of the largest element of `x` along `axis`; the first one, if there are several.

    Args:
        x: Any tensor.
        axis: The axis; None counts through the flattened tensor.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        Positions, int32.

    Raises:
        ValueError: If there is no element.

    >>> import hornbeam as keras
    >>> int(keras.ops.argmax([1, 5, 3]))
    1
    """
    return _position(xp.argmax, "argmax", x, axis, keepdims)


@op("keras.src.ops.numpy.Argmin", spec=reduces(to_index))
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Position of the smallest element of `x` along `axis`; the first one, if there are several.

    Args:
        x: Any tensor.
        axis: The axis; None counts through the flattened tensor.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        Positions, int32.

    Raises:
        ValueError: If there is no element.

    >>> import hornbeam as keras
    >>> int(keras.ops.argmin([4, 2, 3]))
    1
    """
    return _position(xp.argmin, "argmin", x, axis, keepdims)


def _position(function: Any, name: str, x: Any, axis: int | None, keepdims: bool) -> Any:
    x = as_tensor(x)
    if 0 in backend.shape(x):
        refuse_empty(name, x, axis)
    return cast_to(xp.asarray(function(x, axis=axis, keepdims=keepdims)), "int32")
