"""Bit patterns of integer tensors, element by element."""

from __future__ import annotations

from hornbeam.backend import active as backend
from hornbeam.ops.define import Tensor, TensorLike, as_tensor, op, same_dtype
from hornbeam.ops.rules import bitwise_broadcast, like_bits, no_floats, numbers, shift_broadcast

xp = backend.xp


@op("keras.src.ops.numpy.BitwiseAnd", spec=bitwise_broadcast)
def bitwise_and(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that both tensors have.

    Args:
        x: First tensor, of an integer type or bool.
        y: Second tensor, of an integer type or bool; shapes broadcast, dtypes are promoted.

    Returns:
        A tensor of the common shape and dtype.

    Raises:
        TypeError: For floats.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.bitwise_and([12], [10])).tolist()
    [8]
    """
    x, y = no_floats("bitwise_and", *same_dtype(x, y))
    return xp.bitwise_and(x, y)


@op("keras.src.ops.numpy.BitwiseOr", spec=bitwise_broadcast)
def bitwise_or(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that either tensor has.

    Args:
        x: First tensor, of an integer type or bool.
        y: Second tensor, of an integer type or bool; shapes broadcast, dtypes are promoted.

    Returns:
        A tensor of the common shape and dtype.

    Raises:
        TypeError: For floats.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.bitwise_or([12], [10])).tolist()
    [14]
    """
    x, y = no_floats("bitwise_or", *same_dtype(x, y))
    return xp.bitwise_or(x, y)


@op("keras.src.ops.numpy.BitwiseXor", spec=bitwise_broadcast)
def bitwise_xor(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that one of the two tensors has.

    Args:
        x: First tensor, of an integer type or bool.
        y: Second tensor, of an integer type or bool; shapes broadcast, dtypes are promoted.

    Returns:
        A tensor of the common shape and dtype.

    Raises:
        TypeError: For floats.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.bitwise_xor([12], [10])).tolist()
    [6]
    """
    x, y = no_floats("bitwise_xor", *same_dtype(x, y))
    return xp.bitwise_xor(x, y)


@op("keras.src.ops.numpy.BitwiseInvert", spec=like_bits)
def bitwise_invert(x: TensorLike) -> Tensor:
    """All bits flipped; of bools, the logical not.

    Args:
        x: A tensor of an integer type or bool.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        TypeError: For floats.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.bitwise_invert([0, 5])).tolist()
    [-1, -6]
    """
    (x,) = no_floats("bitwise_invert", as_tensor(x))
    return xp.bitwise_not(x)


@op("keras.src.ops.numpy.BitwiseNot", spec=like_bits)
def bitwise_not(x: TensorLike) -> Tensor:
    """All bits flipped; of bools, the logical not. As `bitwise_invert`.

    Args:
        x: A tensor of an integer type or bool.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        TypeError: For floats.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.bitwise_not([0, 5])).tolist()
    [-1, -6]
    """
    (x,) = no_floats("bitwise_not", as_tensor(x))
    return xp.bitwise_not(x)


@op("keras.src.ops.numpy.BitwiseLeftShift", spec=shift_broadcast)
def bitwise_left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """The first tensor's bits moved up by the second: x * 2**y.

    Args:
        x: First tensor, of an integer type or bool.
        y: Second tensor, of an integer type or bool; shapes broadcast, dtypes are promoted.

    Returns:
        A tensor of the common shape and dtype.

    Raises:
        TypeError: For floats.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.bitwise_left_shift([1, 3], 2)).tolist()
    [4, 12]
    """
    x, y = no_floats("bitwise_left_shift", *numbers(x, y))
    return xp.left_shift(x, y)


@op("keras.src.ops.numpy.LeftShift", spec=shift_broadcast)
def left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """The first tensor's bits moved up by the second: x * 2**y. As `bitwise_left_shift`.

    Args:
        x: First tensor, of an integer type or bool.
        y: Second tensor, of an integer type or bool; shapes broadcast, dtypes are promoted.

    Returns:
        A tensor of the common shape and dtype.

    Raises:
        TypeError: For floats.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.left_shift([1, 3], 2)).tolist()
    [4, 12]
    """
    x, y = no_floats("left_shift", *numbers(x, y))
    return xp.left_shift(x, y)


@op("keras.src.ops.numpy.BitwiseRightShift", spec=shift_broadcast)
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """The first tensor's bits moved down by the second: x / 2**y, rounded down.

    Args:
        x: First tensor, of an integer type or bool.
        y: Second tensor, of an integer type or bool; shapes broadcast, dtypes are promoted.

    Returns:
        A tensor of the common shape and dtype.

    Raises:
        TypeError: For floats.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.bitwise_right_shift([4, 13], 2)).tolist()
    [1, 3]
    """
    x, y = no_floats("bitwise_right_shift", *numbers(x, y))
    return xp.right_shift(x, y)


@op("keras.src.ops.numpy.RightShift", spec=shift_broadcast)
def right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """The first tensor's bits moved down by the second: x / 2**y, rounded down. As `bitwise_right_shift`.

    Args:
        x: First tensor, of an integer type or bool.
        y: Second tensor, of an integer type or bool; shapes broadcast, dtypes are promoted.

    Returns:
        A tensor of the common shape and dtype.

    Raises:
        TypeError: For floats.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.right_shift([4, 13], 2)).tolist()
    [1, 3]
    """
    x, y = no_floats("right_shift", *numbers(x, y))
    return xp.right_shift(x, y)
