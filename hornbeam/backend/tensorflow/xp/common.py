"""What the functions with NumPy's names share: conversion of arguments, dtypes that kernels lack, axes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from hornbeam.backend.tensorflow.framework import tf
from hornbeam.errors import ArgumentError

Tensor = tf.Tensor
Axis = int | Sequence[int] | None

# TensorFlow has few kernels for narrow integers: they are computed in the next type that it knows well.
_WIDER = {tf.bool: tf.int32, tf.int8: tf.int32, tf.uint8: tf.int32, tf.int16: tf.int32, tf.uint16: tf.int32,
          tf.uint32: tf.int64, tf.uint64: tf.int64}
_HALF = (tf.float16, tf.bfloat16)


def tensor(value: Any, dtype: Any = None) -> Tensor:
    """`value` as a tensor; Python numbers and lists take the default types."""
    if isinstance(value, Tensor):
        return value if dtype is None or value.dtype == dtype else tf.cast(value, dtype)
    return tf.convert_to_tensor(value, dtype=dtype)


def pair(first: Any, second: Any) -> tuple[Any, Any]:
    """Two operands as tensors; a number takes the dtype of the other one."""
    if not isinstance(first, Tensor):
        first = tf.convert_to_tensor(first, dtype=second.dtype if isinstance(second, Tensor) else None)
    if not isinstance(second, Tensor):
        second = tf.convert_to_tensor(second, dtype=first.dtype)
    return first, second


def paired(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of two tensors that takes numbers as well."""
    return functools.wraps(function)(lambda x1, x2: function(*pair(x1, x2)))


def binary(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function, element by element, of two tensors that takes numbers as well."""

    @functools.wraps(function)
    def apply(x1: Any, x2: Any) -> Any:
        x1, x2 = pair(x1, x2)
        if x1.shape != x2.shape:
            tf.broadcast_static_shape(x1.shape, x2.shape)  # a ValueError; that of the kernels is of another kind
        return function(x1, x2)

    return apply


def widened(function: Callable[..., Any], kinds: str = "bu", back: bool = True) -> Callable[..., Any]:
    """`function` of tensors, with dtypes that its kernels lack computed in wider ones.

    Args:
        function: Takes tensors of one dtype first.
        kinds: Which dtypes are widened: "b" bool, "i" signed integers below 32 bits, "u" unsigned integers,
            "h" half precision.
        back: Whether the result gets the old dtype.
    """

    @functools.wraps(function)
    def apply(*args: Any, **kwargs: Any) -> Any:
        first = args[0] if isinstance(args[0], Tensor) else args[1] if isinstance(args[1], Tensor) else tensor(args[0])
        dtype = first.dtype
        wide = wider(dtype, kinds)
        if wide is None:
            return function(*args, **kwargs)
        result = function(*[tf.cast(one, wide) if isinstance(one, Tensor) else one for one in args], **kwargs)
        return tf.cast(result, dtype) if back else result

    return apply


def wider(dtype: Any, kinds: str) -> Any:
    """The dtype in which to compute what kernels for `dtype` lack, or None where it is among those that are there."""
    if dtype in _HALF:
        return tf.float32 if "h" in kinds else None
    wide = _WIDER.get(dtype)
    if wide is None:
        return None
    kind = "b" if dtype == tf.bool else "u" if dtype.is_unsigned else "i"
    return wide if kind in kinds else None


def rank(x: Tensor) -> int:
    """The number of axes."""
    return len(x.shape)


def sizes(x: Tensor) -> tuple[Any, ...]:
    """The sizes of the axes: ints, or scalar tensors where they are open."""
    static = tuple(x.shape)
    if None not in static:
        return static
    dynamic = tf.shape(x)
    return tuple(dynamic[i] if size is None else size for i, size in enumerate(static))


def at(axis: int, count: int) -> int:
    """`axis` counted from the front of `count` axes.

    Raises:
        ValueError: If there is no such axis.
    """
    axis = axis.__index__()
    if not -count <= axis < count:
        raise ArgumentError(f"an axis in [{-count}, {count})", f"axis={axis}")
    return axis % count


def all_at(axis: Axis, count: int) -> list[int]:
    """One axis, several, or None for all, counted from the front."""
    if axis is None:
        return list(range(count))
    axes: Any = axis if isinstance(axis, (list, tuple)) else (axis,)
    found = [at(one, count) for one in axes]
    if len(set(found)) != len(found):
        raise ArgumentError("axes that differ", f"axis={axis}")
    return found


def numpy_dtype(dtype: Any) -> np.dtype:
    """The NumPy dtype of a TensorFlow one."""
    return np.dtype(tf.as_dtype(dtype).as_numpy_dtype)


def finfo(dtype: Any) -> Any:
    """The limits of a float type."""
    return ml_dtypes.finfo(numpy_dtype(dtype))
