"""Questions about tensors, element by element, answered with bools."""

from __future__ import annotations

from hornbeam.backend import active as backend
from hornbeam.dtypes import is_float
from hornbeam.ops.define import (
    Tensor,
    TensorLike,
    as_float,
    as_tensor,
    broadcast_bool,
    like_bool,
    op,
    same_dtype,
)
from hornbeam.ops.rules import as_bool

xp = backend.xp


@op("keras.src.ops.numpy.Equal", spec=broadcast_bool)
def equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether the elements of two tensors are equal; NaN equals nothing.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.

    Returns:
        A bool tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.equal([1, 2, 3], 2)).tolist()
    [False, True, False]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.equal(x1, x2)


@op("keras.src.ops.numpy.NotEqual", spec=broadcast_bool)
def not_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether the elements of two tensors differ; NaN differs from everything.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.

    Returns:
        A bool tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.not_equal([1, 2, 3], 2)).tolist()
    [True, False, True]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.not_equal(x1, x2)


@op("keras.src.ops.numpy.Less", spec=broadcast_bool)
def less(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether elements of the first tensor are smaller than those of the second.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.

    Returns:
        A bool tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.less([1, 2, 3], 2)).tolist()
    [True, False, False]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.less(x1, x2)


@op("keras.src.ops.numpy.LessEqual", spec=broadcast_bool)
def less_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether elements of the first tensor are smaller than or equal to those of the second.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.

    Returns:
        A bool tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.less_equal([1, 2, 3], 2)).tolist()
    [True, True, False]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.less_equal(x1, x2)


@op("keras.src.ops.numpy.Greater", spec=broadcast_bool)
def greater(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether elements of the first tensor are larger than those of the second.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.

    Returns:
        A bool tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.greater([1, 2, 3], 2)).tolist()
    [False, False, True]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.greater(x1, x2)


@op("keras.src.ops.numpy.GreaterEqual", spec=broadcast_bool)
def greater_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether elements of the first tensor are larger than or equal to those of the second.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.

    Returns:
        A bool tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.greater_equal([1, 2, 3], 2)).tolist()
    [False, True, True]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.greater_equal(x1, x2)


@op("keras.src.ops.numpy.LogicalAnd", spec=broadcast_bool)
def logical_and(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether both elements are true.

    Args:
        x1: First tensor; numbers are true unless 0.
        x2: Second tensor; the shapes broadcast.

    Returns:
        A bool tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.logical_and([False, False, True], [False, True, True])).tolist()
    [False, False, True]
    """
    return xp.logical_and(as_bool(x1), as_bool(x2))


@op("keras.src.ops.numpy.LogicalOr", spec=broadcast_bool)
def logical_or(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether one of the elements, or both, are true.

    Args:
        x1: First tensor; numbers are true unless 0.
        x2: Second tensor; the shapes broadcast.

    Returns:
        A bool tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.logical_or([False, False, True], [False, True, True])).tolist()
    [False, True, True]
    """
    return xp.logical_or(as_bool(x1), as_bool(x2))


@op("keras.src.ops.numpy.LogicalXor", spec=broadcast_bool)
def logical_xor(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether exactly one of the elements is true.

    Args:
        x1: First tensor; numbers are true unless 0.
        x2: Second tensor; the shapes broadcast.

    Returns:
        A bool tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.logical_xor([False, False, True], [False, True, True])).tolist()
    [False, True, False]
    """
    return xp.logical_xor(as_bool(x1), as_bool(x2))


@op("keras.src.ops.numpy.LogicalNot", spec=like_bool)
def logical_not(x: TensorLike) -> Tensor:
    """Whether each element is false.

    Args:
        x: Any tensor.

    Returns:
        A bool tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.logical_not([0, 2])).tolist()
    [True, False]
    """
    return xp.logical_not(as_bool(x))


@op("keras.src.ops.numpy.Isnan", spec=like_bool)
def isnan(x: TensorLike) -> Tensor:
    """Whether each element is NaN.

    Args:
        x: Any tensor.

    Returns:
        A bool tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.isnan([1.0, float('nan')])).tolist()
    [False, True]
    """
    return xp.isnan(as_tensor(x))


@op("keras.src.ops.numpy.Isinf", spec=like_bool)
def isinf(x: TensorLike) -> Tensor:
    """Whether each element is infinite.

    Args:
        x: Any tensor.

    Returns:
        A bool tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.isinf([1.0, -float('inf')])).tolist()
    [False, True]
    """
    return xp.isinf(as_tensor(x))


@op("keras.src.ops.numpy.Isfinite", spec=like_bool)
def isfinite(x: TensorLike) -> Tensor:
    """Whether each element is neither NaN nor infinite.

    Args:
        x: Any tensor.

    Returns:
        A bool tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.isfinite([1.0, float('nan')])).tolist()
    [True, False]
    """
    return xp.isfinite(as_tensor(x))


@op("keras.src.ops.numpy.Isposinf", spec=like_bool)
def isposinf(x: TensorLike) -> Tensor:
    """Whether each element is plus infinity.

    Args:
        x: Any tensor.

    Returns:
        A bool tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.isposinf([float('inf'), -float('inf')])).tolist()
    [True, False]
    """
    return xp.isposinf(as_float(x))


@op("keras.src.ops.numpy.Isneginf", spec=like_bool)
def isneginf(x: TensorLike) -> Tensor:
    """Whether each element is minus infinity.

    Args:
        x: Any tensor.

    Returns:
        A bool tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.isneginf([float('inf'), -float('inf')])).tolist()
    [False, True]
    """
    return xp.isneginf(as_float(x))


@op("keras.src.ops.numpy.Isreal", spec=like_bool)
def isreal(x: TensorLike) -> Tensor:
    """Whether each element has no imaginary part.

    Args:
        x: Any tensor.

    Returns:
        A bool tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.isreal([1.0, 2.0])).tolist()
    [True, True]
    """
    return xp.isreal(as_tensor(x))


@op("keras.src.ops.numpy.Signbit", spec=like_bool)
def signbit(x: TensorLike) -> Tensor:
    """Whether the sign bit of each element is set, which tells -0.0 from 0.0.

    Args:
        x: Any tensor.

    Returns:
        A bool tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.signbit([-0.0, 0.0])).tolist()
    [True, False]
    """
    x = as_tensor(x)
    return xp.signbit(x) if is_float(backend.dtype(x)) else xp.less(x, xp.zeros_like(x))
