"""Functions of one tensor, element by element: signs, rounding, powers, exponentials and logarithms."""

from __future__ import annotations

from typing import Any

from hornbeam.backend import active as backend
from hornbeam.dtypes import is_complex, is_float, promote
from hornbeam.ops.define import (
    Tensor,
    TensorLike,
    as_float,
    as_tensor,
    broadcast_shapes,
    convert,
    like,
    like_float,
    op,
)
from hornbeam.ops.rules import (
    cast_to,
    half_as_single,
    kind,
    like_number,
    like_real,
    no_bools,
    numbers,
    running_dtype,
    shape_of,
)
from hornbeam.symbolic import KerasTensor

xp = backend.xp


@op("keras.src.ops.numpy.Absolute", spec=like_real)
def absolute(x: TensorLike) -> Tensor:
    """Absolute value of each element; of a complex number, its distance from 0.

    Args:
        x: Any tensor.

    Returns:
        A real tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.absolute([-2, 3])).tolist()
    [2, 3]
    """
    return xp.absolute(as_tensor(x))


abs = absolute


@op("keras.src.ops.numpy.Fabs", spec=like_float)
def fabs(x: TensorLike) -> Tensor:
    """Absolute value of each element, as a float.

    Args:
        x: Any tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.fabs([-2, 3])).tolist()
    [2.0, 3.0]
    """
    return xp.absolute(as_float(x))


@op("keras.src.ops.numpy.Negative", spec=like)
def negative(x: TensorLike) -> Tensor:
    """Each element with the other sign.

    Args:
        x: Any tensor.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        TypeError: For bools; use `logical_not`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.negative([1, -2])).tolist()
    [-1, 2]
    """
    (x,) = no_bools("negative", as_tensor(x))
    return xp.negative(x)


@op("keras.src.ops.numpy.Sign", spec=like)
def sign(x: TensorLike) -> Tensor:
    """-1, 0 or 1 for each element; NaN for NaN.

    Args:
        x: Any tensor.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        TypeError: For bools.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sign([-2.0, 0.0, 3.0])).tolist()
    [-1.0, 0.0, 1.0]
    """
    (x,) = no_bools("sign", as_tensor(x))
    return xp.sign(x)


@op("keras.src.ops.numpy.Square", spec=like_number)
def square(x: TensorLike) -> Tensor:
    """Each element times itself.

    Args:
        x: Any tensor.

    Returns:
        A tensor of the same shape and dtype; bools give int32.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.square([2, 3])).tolist()
    [4, 9]
    """
    x = as_tensor(x)
    if backend.dtype(x) == "bool":
        x = backend.cast(x, "int32")
    return xp.square(x)


@op("keras.src.ops.numpy.Sqrt", spec=like_float)
def sqrt(x: TensorLike) -> Tensor:
    """Square root of each element; NaN for negative ones.

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sqrt([4.0, 9.0])).tolist()
    [2.0, 3.0]
    """
    return xp.sqrt(as_float(x))


@op("keras.src.ops.numpy.Cbrt", spec=like_float)
def cbrt(x: TensorLike) -> Tensor:
    """Cube root of each element.

    Args:
        x: Any tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.cbrt([0.0, 1.0])).tolist()
    [0.0, 1.0]
    """
    return xp.cbrt(as_float(x))


@op("keras.src.ops.numpy.Reciprocal", spec=like_float)
def reciprocal(x: TensorLike) -> Tensor:
    """1 divided by each element.

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.reciprocal([2, 4])).tolist()
    [0.5, 0.25]
    """
    return xp.reciprocal(as_float(x))


@op("keras.src.ops.numpy.Exp", spec=like_float)
def exp(x: TensorLike) -> Tensor:
    """E to the power of each element.

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.exp([0.0])).tolist()
    [1.0]
    """
    return xp.exp(as_float(x))


@op("keras.src.ops.numpy.Exp2", spec=like_float)
def exp2(x: TensorLike) -> Tensor:
    """2 to the power of each element.

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.exp2([3])).tolist()
    [8.0]
    """
    return xp.exp2(as_float(x))


@op("keras.src.ops.numpy.Expm1", spec=like_float)
def expm1(x: TensorLike) -> Tensor:
    """exp(x) - 1, exact for small x.

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.expm1([0.0])).tolist()
    [0.0]
    """
    return xp.expm1(as_float(x))


@op("keras.src.ops.numpy.Log", spec=like_float)
def log(x: TensorLike) -> Tensor:
    """Natural logarithm of each element; -inf at 0, NaN below.

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.log([1.0])).tolist()
    [0.0]
    """
    return xp.log(as_float(x))


@op("keras.src.ops.numpy.Log10", spec=like_float)
def log10(x: TensorLike) -> Tensor:
    """Logarithm to the base 10 of each element.

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.log10([1.0])).tolist()
    [0.0]
    """
    return xp.log10(as_float(x))


@op("keras.src.ops.numpy.Log2", spec=like_float)
def log2(x: TensorLike) -> Tensor:
    """Logarithm to the base 2 of each element.

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.log2([8.0])).tolist()
    [3.0]
    """
    return xp.log2(as_float(x))


@op("keras.src.ops.numpy.Log1p", spec=like_float)
def log1p(x: TensorLike) -> Tensor:
    """log(1 + x), exact for small x.

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.log1p([0.0])).tolist()
    [0.0]
    """
    return xp.log1p(as_float(x))


@op("keras.src.ops.numpy.Ceil", spec=like_float)
def ceil(x: TensorLike) -> Tensor:
    """Each element rounded up to an integer, as a float.

    Args:
        x: Any tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.ceil([1.2, -1.2])).tolist()
    [2.0, -1.0]
    """
    return xp.ceil(as_float(x))


@op("keras.src.ops.numpy.Floor", spec=like_float)
def floor(x: TensorLike) -> Tensor:
    """Each element rounded down to an integer, as a float.

    Args:
        x: Any tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.floor([1.2, -1.2])).tolist()
    [1.0, -2.0]
    """
    return xp.floor(as_float(x))


@op("keras.src.ops.numpy.Trunc", spec=like)
def trunc(x: TensorLike) -> Tensor:
    """Each element rounded towards zero.

    Args:
        x: Any tensor.

    Returns:
        A tensor of the same shape and dtype.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.trunc([1.7, -1.7])).tolist()
    [1.0, -1.0]
    """
    x = as_tensor(x)
    return xp.trunc(x) if is_float(backend.dtype(x)) else x


def _rounded_integers(x: Any, unit: int) -> Any:
    """Integers rounded to multiples of `unit`, halves to the even multiple, without a detour over floats."""
    dtype = backend.dtype(x)
    if unit > 2**30:
        return xp.zeros_like(x)
    x = backend.cast(x, promote(dtype, "int32"))
    count = xp.floor_divide(x, unit)
    rest = 2 * (x - count * unit)
    up = xp.logical_or(rest > unit, xp.logical_and(rest == unit, xp.mod(count, 2) == 1))
    return backend.cast((count + cast_to(up, backend.dtype(count))) * unit, dtype)


@op("keras.src.ops.numpy.Round", spec=like)
def round(x: TensorLike, decimals: int = 0) -> Tensor:
    """Each element rounded to a number of decimals; halves go to the even neighbour.

    Args:
        x: Any tensor but bools.
        decimals: How many decimals to keep; negative ones round to tens, hundreds, ...

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        TypeError: For bools.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.round([1.5, 2.5])).tolist()
    [2.0, 2.0]
    """
    (x,) = no_bools("round", as_tensor(x))
    if not is_float(backend.dtype(x)) and not is_complex(backend.dtype(x)):
        return x if decimals >= 0 else _rounded_integers(x, 10**-decimals)
    return cast_to(xp.round(*half_as_single(x), decimals), backend.dtype(x))


def _clip_rule(x: Any, x_min: Any, x_max: Any) -> KerasTensor:
    shape, dtype = shape_of(x), kind(x)
    for bound in (x_min, x_max):
        if bound is not None:
            shape, dtype = broadcast_shapes(shape, shape_of(bound)), promote(dtype, kind(bound))
    return KerasTensor(shape, running_dtype(promote(dtype)))


def _bounded(*values: Any) -> list[Any]:
    ready = iter(numbers(*(convert(one) for one in values if one is not None)))
    return [None if one is None else next(ready) for one in values]


def _clipped(x: Any, low: Any, high: Any) -> Any:
    if low is not None:
        x = xp.maximum(x, low)
    return x if high is None else xp.minimum(x, high)


@op("keras.src.ops.numpy.Clip", spec=_clip_rule, tensors=["x"])
def clip(x: TensorLike, x_min: Any, x_max: Any) -> Tensor:
    """Each element, or the nearer of two bounds if it lies outside.

    Args:
        x: Any tensor.
        x_min: Lower bound: a number or a tensor that broadcasts; None for no bound.
        x_max: Upper bound, likewise.

    Returns:
        A tensor in the common dtype of all three; bools give int32.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.clip([-1, 3, 9], 0, 5)).tolist()
    [0, 3, 5]
    """
    return _clipped(*_bounded(x, x_min, x_max))


@op("keras.src.ops.numpy.NanToNum", spec=like)
def nan_to_num(x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """Each element, numbers in place of NaN and infinities.

    Args:
        x: Any tensor.
        nan: What stands for NaN.
        posinf: What stands for infinity; None for the largest number of the dtype.
        neginf: What stands for minus infinity; None for the smallest.

    Returns:
        A tensor of the same shape and dtype.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.nan_to_num([1.0, float('nan')])).tolist()
    [1.0, 0.0]
    """
    x = as_tensor(x)
    if not is_float(backend.dtype(x)) and not is_complex(backend.dtype(x)):
        return x
    return xp.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


@op("keras.src.ops.numpy.Conjugate", spec=like)
def conjugate(x: TensorLike) -> Tensor:
    """Complex conjugate of each element; real ones stay.

    Args:
        x: Any tensor.

    Returns:
        A tensor of the same shape and dtype.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.conjugate([1.0])).tolist()
    [1.0]
    """
    return xp.conjugate(as_tensor(x))


conj = conjugate


@op("keras.src.ops.numpy.Real", spec=like_real)
def real(x: TensorLike) -> Tensor:
    """Real part of each element.

    Args:
        x: Any tensor.

    Returns:
        A real tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.real([1.0])).tolist()
    [1.0]
    """
    return xp.real(as_tensor(x))


@op("keras.src.ops.numpy.Imag", spec=like_real)
def imag(x: TensorLike) -> Tensor:
    """Imaginary part of each element; 0 for real ones.

    Args:
        x: Any tensor.

    Returns:
        A real tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.imag([1.0])).tolist()
    [0.0]
    """
    x = as_tensor(x)
    return xp.imag(x) if is_complex(backend.dtype(x)) else xp.zeros_like(x)


@op("keras.src.ops.numpy.I0", spec=like_float)
def i0(x: TensorLike) -> Tensor:
    """Modified Bessel function of the first kind and order 0, of each element.

    Args:
        x: Any tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.round(keras.ops.i0([0.0]))).tolist()
    [1.0]
    """
    x = as_float(x)
    return cast_to(xp.i0(*half_as_single(x)), backend.dtype(x))
