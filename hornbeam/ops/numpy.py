"""Elementwise and shape ops with NumPy's names and meaning."""

from __future__ import annotations

from typing import Any

from hornbeam.backend import active as backend
from hornbeam.dtypes import standardize_dtype
from hornbeam.ops.define import (
    Axis,
    Tensor,
    TensorLike,
    as_float,
    as_floats,
    as_tensor,
    broadcast,
    broadcast_float,
    like,
    like_float,
    op,
    reduced,
    same_dtype,
)

xp = backend.xp


# --- arithmetic --------------------------------------------------------------------------------------------------


@op("keras.src.ops.numpy.Add", spec=broadcast)
def add(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Sum of two tensors, element by element.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.

    Returns:
        The sum.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.add([1, 2], 3)).tolist()
    [4, 5]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.add(x1, x2)


@op("keras.src.ops.numpy.Subtract", spec=broadcast)
def subtract(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Difference of two tensors, element by element; shapes broadcast, dtypes are promoted.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.subtract([5, 7], 3)).tolist()
    [2, 4]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.subtract(x1, x2)


@op("keras.src.ops.numpy.TrueDivide", spec=broadcast_float)
def true_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Quotient of two tensors, element by element; integers give floats.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.true_divide([1, 3], 2)).tolist()
    [0.5, 1.5]
    """
    x1, x2 = as_floats(x1, x2)
    return xp.true_divide(x1, x2)


@op("keras.src.ops.numpy.Exp", spec=like_float)
def exp(x: TensorLike) -> Tensor:
    """e to the power of each element; integers give floats."""
    return xp.exp(as_float(x))


@op("keras.src.ops.numpy.Square", spec=like)
def square(x: TensorLike) -> Tensor:
    """Each element times itself."""
    return xp.square(x)


# --- reductions --------------------------------------------------------------------------------------------------


@op("keras.src.ops.numpy.Mean")
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
    return xp.mean(as_float(x), axis=_axes(axis), keepdims=keepdims)


# --- shapes ------------------------------------------------------------------------------------------------------


@op("keras.src.ops.numpy.Concatenate", lists=["xs"])
def concatenate(xs: list[TensorLike], axis: int = 0) -> Tensor:
    """Joins tensors along an axis they all have.

    Args:
        xs: Tensors whose shapes differ in `axis` at most; dtypes are promoted.
        axis: The axis to join along.

    Returns:
        One tensor.

    >>> import hornbeam as keras
    >>> keras.ops.concatenate([keras.ops.ones((2, 1)), keras.ops.zeros((2, 3))], axis=-1).shape
    (2, 4)
    """
    return xp.concatenate(same_dtype(*[as_tensor(x) for x in xs]), axis=axis)


@op("keras.src.ops.numpy.Reshape", tensors=["x"])
def reshape(x: TensorLike, newshape: Any) -> Tensor:
    """The elements of `x`, in order, in another shape; one size may be -1, which is then computed."""
    return xp.reshape(as_tensor(x), newshape)


def _axes(axis: Axis) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of zeros, of the default float type unless told otherwise."""
    return xp.zeros(shape, backend.native_dtype(standardize_dtype(dtype)))
