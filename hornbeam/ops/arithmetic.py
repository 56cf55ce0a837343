"""Arithmetic of two tensors, element by element."""

from __future__ import annotations

from hornbeam.backend import active as backend
from hornbeam.dtypes import is_float
from hornbeam.ops.define import (
    Tensor,
    TensorLike,
    as_float,
    as_floats,
    as_tensor,
    broadcast,
    broadcast_float,
    op,
    same_dtype,
)
from hornbeam.ops.rules import (
    broadcast_first_float,
    broadcast_integer,
    broadcast_number,
    cast_to,
    half_as_single,
    no_bools,
    no_floats,
    numbers,
)

xp = backend.xp


@op("keras.src.ops.numpy.Add", spec=broadcast)
def add(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Sum of two tensors, element by element.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.

    Returns:
        The sum; of two bools, their logical or.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.add([1, 2], 3)).tolist()
    [4, 5]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.add(x1, x2)


@op("keras.src.ops.numpy.Subtract", spec=broadcast)
def subtract(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Difference of two tensors, element by element.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.

    Returns:
        A tensor of the common shape and dtype.

    Raises:
        TypeError: For two bools; use `logical_xor`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.subtract([5, 7], 3)).tolist()
    [2, 4]
    """
    x1, x2 = no_bools("subtract", *same_dtype(x1, x2))
    return xp.subtract(x1, x2)


@op("keras.src.ops.numpy.Multiply", spec=broadcast)
def multiply(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Product of two tensors, element by element.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.

    Returns:
        The product; of two bools, their logical and.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.multiply([1, 2], 3)).tolist()
    [3, 6]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.multiply(x1, x2)


@op("keras.src.ops.numpy.TrueDivide", spec=broadcast_float)
def true_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Quotient of two tensors, element by element; integers give floats.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted and made float.

    Returns:
        A float tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.true_divide([1, 3], 2)).tolist()
    [0.5, 1.5]
    """
    x1, x2 = as_floats(x1, x2)
    return xp.true_divide(x1, x2)


@op("keras.src.ops.numpy.Divide", spec=broadcast_float)
def divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Quotient of two tensors, element by element; integers give floats. As `true_divide`.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted and made float.

    Returns:
        A float tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.divide([1, 3], 2)).tolist()
    [0.5, 1.5]
    """
    x1, x2 = as_floats(x1, x2)
    return xp.true_divide(x1, x2)


@op("keras.src.ops.numpy.DivideNoNan", spec=broadcast_float)
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Quotient of two tensors, element by element; 0 where the divisor is 0.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted and made float.

    Returns:
        A float tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.divide_no_nan([1.0, 3.0], [0.0, 2.0])).tolist()
    [0.0, 1.5]
    """
    x1, x2 = as_floats(x1, x2)
    nothing = xp.equal(x2, xp.zeros_like(x2))
    # the divisor is replaced too, so that the gradient stays finite
    quotient = xp.true_divide(x1, xp.where(nothing, xp.ones_like(x2), x2))
    return xp.where(nothing, xp.zeros_like(quotient), quotient)


@op("keras.src.ops.numpy.FloorDivide", spec=broadcast_number)
def floor_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Quotient rounded down, element by element.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted; two bools give int32.

    Returns:
        A tensor of the common shape and dtype.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.floor_divide([7, -7], 2)).tolist()
    [3, -4]
    """
    x1, x2 = numbers(x1, x2)
    return xp.floor_divide(x1, x2)


@op("keras.src.ops.numpy.Mod", spec=broadcast_number)
def mod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Remainder of the division that rounds down: it has the sign of the divisor, as Python's `%`.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted; two bools give int32.

    Returns:
        A tensor of the common shape and dtype.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.mod([7, -7], 3)).tolist()
    [1, 2]
    """
    x1, x2 = numbers(x1, x2)
    return xp.mod(x1, x2)


@op("keras.src.ops.numpy.Fmod", spec=broadcast_number)
def fmod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Remainder of the division that rounds towards zero: it has the sign of the dividend, as C's `fmod`.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted; two bools give int32.

    Returns:
        A tensor of the common shape and dtype.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.fmod([7, -7], 3)).tolist()
    [1, -1]
    """
    x1, x2 = numbers(x1, x2)
    return xp.fmod(x1, x2)


@op("keras.src.ops.numpy.Power", spec=broadcast_number)
def power(x1: TensorLike, x2: TensorLike) -> Tensor:
    """First tensor to the power of the second, element by element.

    Args:
        x1: Bases.
        x2: Exponents; the shapes broadcast, the dtypes are promoted; two bools give int32.

    Returns:
        A tensor of the common shape and dtype.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.power([2, 3], 2)).tolist()
    [4, 9]
    """
    if type(x2) is int and backend.is_array(x1) and (is_float(backend.dtype(x1)) or x2 >= 0):
        # an exponent known now needs no logarithm, and its gradient is finite at 0
        (x1,) = numbers(x1)
        return xp.power(x1, x2)
    x1, x2 = numbers(x1, x2)
    return xp.power(x1, x2)


@op("keras.src.ops.numpy.Maximum", spec=broadcast)
def maximum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of two tensors, element by element; NaN wins.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.

    Returns:
        A tensor of the common shape and dtype.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.maximum([1, 5], 3)).tolist()
    [3, 5]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.maximum(x1, x2)


@op("keras.src.ops.numpy.Minimum", spec=broadcast)
def minimum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of two tensors, element by element; NaN wins.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.

    Returns:
        A tensor of the common shape and dtype.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.minimum([1, 5], 3)).tolist()
    [1, 3]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.minimum(x1, x2)


@op("keras.src.ops.numpy.Fmax", spec=broadcast)
def fmax(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of two tensors, element by element; NaN loses.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.

    Returns:
        A tensor of the common shape and dtype.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.fmax([1.0, float('nan')], 3.0)).tolist()
    [3.0, 3.0]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.fmax(x1, x2)


@op("keras.src.ops.numpy.Fmin", spec=broadcast)
def fmin(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of two tensors, element by element; NaN loses.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.

    Returns:
        A tensor of the common shape and dtype.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.fmin([1.0, float('nan')], 3.0)).tolist()
    [1.0, 3.0]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.fmin(x1, x2)


@op("keras.src.ops.numpy.Gcd", spec=broadcast_integer)
def gcd(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Greatest common divisor of two integer tensors, element by element.

    Args:
        x1: First tensor, of an integer type.
        x2: Second tensor, of an integer type; the shapes broadcast, the dtypes are promoted.

    Returns:
        A tensor of the common shape and dtype.

    Raises:
        TypeError: For tensors that are not integers.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.gcd([12, 9], 6)).tolist()
    [6, 3]
    """
    x1, x2 = no_floats("gcd", *same_dtype(x1, x2))
    return xp.gcd(x1, x2)


@op("keras.src.ops.numpy.Lcm", spec=broadcast_integer)
def lcm(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Least common multiple of two integer tensors, element by element.

    Args:
        x1: First tensor, of an integer type.
        x2: Second tensor, of an integer type; the shapes broadcast, the dtypes are promoted.

    Returns:
        A tensor of the common shape and dtype.

    Raises:
        TypeError: For tensors that are not integers.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.lcm([4, 9], 6)).tolist()
    [12, 18]
    """
    x1, x2 = no_floats("lcm", *same_dtype(x1, x2))
    return xp.lcm(x1, x2)


@op("keras.src.ops.numpy.Heaviside", spec=broadcast_float)
def heaviside(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Step function: 0 where the first tensor is negative, 1 where it is positive, the second where it is 0.

    Args:
        x1: First tensor.
        x2: The value at 0; the shapes broadcast.

    Returns:
        A float tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.heaviside([-1.0, 0.0, 2.0], 0.5)).tolist()
    [0.0, 0.5, 1.0]
    """
    x1, x2 = as_floats(x1, x2)
    return xp.heaviside(x1, x2)


@op("keras.src.ops.numpy.Nextafter", spec=broadcast_float)
def nextafter(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The next representable number after the first tensor in the direction of the second.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted and made float.

    Returns:
        A float tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.nextafter([1.0], [1.0])).tolist()
    [1.0]
    """
    x1, x2 = as_floats(x1, x2)
    return xp.nextafter(x1, x2)


@op("keras.src.ops.numpy.Logaddexp", spec=broadcast_float)
def logaddexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """log(exp(x1) + exp(x2)), without overflow.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted and made float.

    Returns:
        A float tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.logaddexp([0.0], [-float('inf')])).tolist()
    [0.0]
    """
    x1, x2 = as_floats(x1, x2)
    return xp.logaddexp(x1, x2)


@op("keras.src.ops.numpy.Logaddexp2", spec=broadcast_float)
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """log2(2**x1 + 2**x2), without overflow.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted and made float.

    Returns:
        A float tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.logaddexp2([1.0], [1.0])).tolist()
    [2.0]
    """
    x1, x2 = as_floats(x1, x2)
    return xp.logaddexp2(x1, x2)


@op("keras.src.ops.numpy.Ldexp", spec=broadcast_first_float)
def ldexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 * 2**x2, element by element.

    Args:
        x1: A tensor of floats; integers become the default float type.
        x2: Exponents, of an integer type; the shapes broadcast.

    Returns:
        A float tensor of the common shape.

    Raises:
        TypeError: For exponents that are not integers.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.ldexp([1.5, 2.0], [1, 3])).tolist()
    [3.0, 16.0]
    """
    x1 = as_float(x1)
    (x2,) = no_floats("ldexp", as_tensor(x2))
    dtype = backend.dtype(x1)
    return cast_to(xp.ldexp(*half_as_single(x1), backend.cast(x2, "int32")), dtype)
