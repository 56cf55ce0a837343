"""Running sums and products, differences of neighbours, and the integral over samples."""

from __future__ import annotations

from typing import Any

from hornbeam.backend import active as backend
from hornbeam.dtypes import standardize_dtype
from hornbeam.errors import ArgumentError
from hornbeam.ops.define import Tensor, TensorLike, as_float, as_floats, as_tensor, normalized_axis, op
from hornbeam.ops.rules import cast_to, half_as_single, product, running_dtype
from hornbeam.symbolic import KerasTensor

xp = backend.xp


def running_rule(x: Any, axis: int | None = None, dtype: Any = None) -> KerasTensor:
    dtype = running_dtype(x.dtype) if dtype is None else standardize_dtype(dtype)
    if axis is None:
        return KerasTensor((product(x.shape),), dtype)
    normalized_axis(axis, len(x.shape))
    return KerasTensor(x.shape, dtype)


def running(function: Any, x: Any, axis: int | None, dtype: Any) -> Any:
    x = as_tensor(x)
    wanted = running_dtype(backend.dtype(x)) if dtype is None else standardize_dtype(dtype)
    (wide,) = half_as_single(cast_to(x, wanted))
    return cast_to(function(wide, axis=axis, dtype=wide.dtype), wanted)


@op("keras.src.ops.numpy.Cumsum", spec=running_rule)
def cumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running sum of `x` along `axis`.

    Args:
        x: Any tensor.
        axis: The axis; None flattens first.
        dtype: The dtype to add up in; None takes that of `x`, int32 for bools.

    Returns:
        A tensor of the shape of `x`, or of one axis.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.cumsum([1, 2, 3])).tolist()
    [1, 3, 6]
    """
    return running(xp.cumsum, x, axis, dtype)


@op("keras.src.ops.numpy.Cumprod", spec=running_rule)
def cumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running product of `x` along `axis`.

    Args:
        x: Any tensor.
        axis: The axis; None flattens first.
        dtype: The dtype to multiply in; None takes that of `x`, int32 for bools.

    Returns:
        A tensor of the shape of `x`, or of one axis.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.cumprod([1, 2, 3])).tolist()
    [1, 2, 6]
    """
    return running(xp.cumprod, x, axis, dtype)


@op("keras.src.ops.numpy.Diff")
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Tensor:
    """Differences between neighbours along an axis; of bools, whether they differ.

    Args:
        a: Any tensor.
        n: How many times to take differences.
        axis: The axis, which becomes shorter by `n`.

    Returns:
        A tensor of the dtype of `a`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.diff([1, 4, 9])).tolist()
    [3, 5]
    """
    if n < 0:
        raise ArgumentError("a number of times that is not negative", f"n={n}", "diff")
    return xp.diff(as_tensor(a), n=n, axis=axis)


@op("keras.src.ops.numpy.Trapezoid", tensors=["y", "x"])
def trapezoid(y: TensorLike, x: TensorLike | None = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """Integral over samples along an axis, by the trapezoidal rule.

    Args:
        y: The samples; integers become the default float type.
        x: Where they were taken; None for steps of `dx`.
        dx: The step.
        axis: The axis to integrate along.

    Returns:
        A float tensor without that axis.

    >>> import hornbeam as keras
    >>> float(keras.ops.trapezoid([1, 2, 3]))
    4.0
    """
    if x is not None:
        y, x = as_floats(y, as_tensor(x))
        y, x, dtype = *half_as_single(y, x), backend.dtype(y)
        return cast_to(xp.trapezoid(y, x, axis=axis), dtype)
    y = as_float(y)
    return cast_to(xp.trapezoid(*half_as_single(y), dx=dx, axis=axis), backend.dtype(y))
