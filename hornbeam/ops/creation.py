"""Ops that make tensors: filled ones, ranges, identity and triangular matrices."""



from __future__ import annotations

from typing import Any

from hornbeam.backend import active as backend
from hornbeam.dtypes import is_float, kind_of, promote, standardize_dtype
from hornbeam.errors import ArgumentError
from hornbeam.ops.define import (
    Tensor,
    TensorLike,
    as_tensor,
    broadcast_shapes,
    convert,
    float_dtype,
    like,
    normalized_axis,
    op,
)
from hornbeam.ops.rules import cast_to, kind, native, shape_of, sizes
from hornbeam.symbolic import KerasTensor

xp = backend.xp


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of zeros.

    Args:
        shape: Its shape.
        dtype: Its dtype; None for the default float type.

    Returns:
        The tensor.

    >>> import hornbeam as keras
    >>> keras.ops.zeros((2, 3)).shape
    (2, 3)
    """
    return xp.zeros(sizes(shape), native(dtype))


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of ones.

    Args:
        shape: Its shape.
        dtype: Its dtype; None for the default float type.

    Returns:
        The tensor.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.ones((2,), "int32")).tolist()
    [1, 1]
    """
    return xp.ones(sizes(shape), native(dtype))


def empty(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor whose elements are yet to be set; until then they may have any value.

    Args:
        shape: Its shape.
        dtype: Its dtype; None for the default float type.

    Returns:
        The tensor.

    >>> import hornbeam as keras
    >>> keras.ops.empty((2, 3)).shape
    (2, 3)
    """
    return xp.empty(sizes(shape), native(dtype))


def _full_rule(shape: Any, fill_value: Any, dtype: Any = None) -> KerasTensor:
    return KerasTensor(shape, standardize_dtype(dtype))


@op("keras.src.ops.numpy.Full", tensors=["fill_value"])
def full(shape: Any, fill_value: TensorLike, dtype: Any = None) -> Tensor:
    """A tensor with one value everywhere.

    Args:
        shape: Its shape.
        fill_value: The value; a tensor broadcasts.
        dtype: Its dtype; None for the default float type.

    Returns:
        The tensor.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.full((2,), 7)).tolist()
    [7.0, 7.0]
    """
    return xp.full(sizes(shape), fill_value, native(dtype))


def _like_rule(x: Any, dtype: Any = None) -> KerasTensor:
    return KerasTensor(shape_of(x), promote(kind(x)) if dtype is None else standardize_dtype(dtype))


def _dtype_like(x: Any, dtype: Any) -> Any:
    return native(backend.dtype(x) if dtype is None else dtype)


@op("keras.src.ops.numpy.ZerosLike", spec=_like_rule)
def zeros_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Zeros, in the shape of `x`.

    Args:
        x: Any tensor.
        dtype: The dtype; None for that of `x`.

    Returns:
        The tensor.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.zeros_like([1, 2])).tolist()
    [0, 0]
    """
    x = as_tensor(x)
    return xp.zeros(backend.shape(x), _dtype_like(x, dtype))


@op("keras.src.ops.numpy.OnesLike", spec=_like_rule)
def ones_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Ones, in the shape of `x`.

    Args:
        x: Any tensor.
        dtype: The dtype; None for that of `x`.

    Returns:
        The tensor.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.ones_like([1, 2])).tolist()
    [1, 1]
    """
    x = as_tensor(x)
    return xp.ones(backend.shape(x), _dtype_like(x, dtype))


@op("keras.src.ops.numpy.EmptyLike", spec=_like_rule)
def empty_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """A tensor in the shape of `x` whose elements are yet to be set.

    Args:
        x: Any tensor.
        dtype: The dtype; None for that of `x`.

    Returns:
        The tensor.

    >>> import hornbeam as keras
    >>> keras.ops.empty_like([1, 2]).shape
    (2,)
    """
    x = as_tensor(x)
    return xp.empty(backend.shape(x), _dtype_like(x, dtype))


def _full_like_rule(x: Any, fill_value: Any, dtype: Any = None) -> KerasTensor:
    return _like_rule(x, dtype)


@op("keras.src.ops.numpy.FullLike", spec=_full_like_rule)
def full_like(x: TensorLike, fill_value: TensorLike, dtype: Any = None) -> Tensor:
    """One value everywhere, in the shape of `x`.

    Args:
        x: Any tensor.
        fill_value: The value; a tensor broadcasts.
        dtype: The dtype; None for that of `x`, to which the value is cast.

    Returns:
        The tensor.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.full_like([1, 2], 7)).tolist()
    [7, 7]
    """
    x = as_tensor(x)
    return xp.full(backend.shape(x), fill_value, _dtype_like(x, dtype))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """Numbers at equal distances, the end excluded.

    Args:
        start: The first number; the end, if it is the only one given, and counting starts at 0.
        stop: The end.
        step: The distance; None for 1.
        dtype: The dtype; None for int32, or the default float type if one of the numbers is a float.

    Returns:
        A tensor of one axis.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.arange(1, 7, 2)).tolist()
    [1, 3, 5]
    """
    given = [convert(one) for one in (start, stop, step) if one is not None]
    if dtype is None:
        dtype = promote(*(kind_of(one) for one in given))
        dtype = "int32" if dtype in ("bool", "int64") and not any(hasattr(one, "dtype") for one in given) else dtype
    if standardize_dtype(dtype) == "bool":
        raise ArgumentError("a range of numbers", "dtype=bool", "arange")
    step = 1 if step is None else convert(step)
    if stop is None:
        return xp.arange(0, given[0], step, dtype=native(dtype))
    return xp.arange(given[0], given[1], step, dtype=native(dtype))


def _space(start: Any, stop: Any, dtype: Any) -> tuple[Any, Any, str, str]:
    """Both ends as float32 tensors at least, the dtype to compute towards, and that of the result."""
    floats = float_dtype(start, stop)
    wide = promote(floats, "float32")
    wanted = floats if dtype is None else standardize_dtype(dtype)
    return backend.asarray(start, wide), backend.asarray(stop, wide), floats, wanted


def _spaced_rule(start: Any, stop: Any, num: int, axis: int, dtype: Any) -> KerasTensor:
    rest = broadcast_shapes(shape_of(start), shape_of(stop))
    place = normalized_axis(axis, len(rest) + 1)
    dtype = float_dtype(*(promote(kind(one)) if isinstance(one, (list, tuple)) else one for one in (start, stop)))\
        if dtype is None else standardize_dtype(dtype)
    return KerasTensor([*rest[:place], num, *rest[place:]], dtype)


def _linspace_rule(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    result = _spaced_rule(start, stop, num, axis, dtype)
    if not retstep:
        return result
    rest = broadcast_shapes(shape_of(start), shape_of(stop))
    return result, KerasTensor(rest, _spaced_rule(start, stop, num, axis, None).dtype)


@op("keras.src.ops.numpy.Linspace", spec=_linspace_rule)
def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Numbers at equal distances between two ends.

    Args:
        start: The first number, or a tensor of them.
        stop: The last one; the shapes broadcast.
        num: How many.
        endpoint: Whether `stop` is among them.
        retstep: Whether to return the distance as well.
        dtype: The dtype; None for the float type of the ends.
        axis: Where the axis of the numbers is in the result.

    Returns:
        A tensor with a new axis of size `num`, or that and the distance.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.linspace(0, 1, 3)).tolist()
    [0.0, 0.5, 1.0]
    """
    first, last, floats, wanted = _space(start, stop, dtype)
    points, step = xp.linspace(first, last, num, endpoint=endpoint, retstep=True, axis=axis)
    if not is_float(wanted):
        points = xp.floor(points)  # whole numbers are cut off downwards, as in NumPy
    points = cast_to(points, backend.narrowed.get(wanted, wanted))
    return (points, cast_to(as_tensor(step), floats)) if retstep else points


def _logspace_rule(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10, dtype: Any = None, axis: int = 0
) -> KerasTensor:
    return _spaced_rule(start, stop, num, axis, dtype)


@op("keras.src.ops.numpy.Logspace", spec=_logspace_rule)
def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """Numbers at equal ratios, between powers of a base.

    Args:
        start: The exponent of the first number, or a tensor of them.
        stop: That of the last one; the shapes broadcast.
        num: How many.
        endpoint: Whether the last one is among them.
        base: The base.
        dtype: The dtype; None for the float type of the exponents.
        axis: Where the axis of the numbers is in the result.

    Returns:
        A tensor with a new axis of size `num`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.logspace(0, 2, 3, base=2)).tolist()
    [1.0, 2.0, 4.0]
    """
    first, last, _, wanted = _space(start, stop, dtype)
    points = xp.logspace(first, last, num, endpoint=endpoint, base=base, axis=axis)
    return cast_to(points, backend.narrowed.get(wanted, wanted))


def _geomspace_rule(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> KerasTensor:
    return _spaced_rule(start, stop, num, axis, dtype)


@op("keras.src.ops.numpy.Geomspace", spec=_geomspace_rule)
def geomspace(
    start: TensorLike, stop: TensorLike, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Tensor:
    """Numbers at equal ratios between two ends.

    Args:
        start: The first number, or a tensor of them; not 0.
        stop: The last one, of the same sign; the shapes broadcast.
        num: How many.
        endpoint: Whether `stop` is among them.
        dtype: The dtype; None for the float type of the ends.
        axis: Where the axis of the numbers is in the result.

    Returns:
        A tensor with a new axis of size `num`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.round(keras.ops.geomspace(1, 4, 3))).tolist()
    [1.0, 2.0, 4.0]
    """
    first, last, _, wanted = _space(start, stop, dtype)
    points = xp.geomspace(first, last, num, endpoint=endpoint, axis=axis)
    return cast_to(points, backend.narrowed.get(wanted, wanted))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """A matrix with ones on a diagonal and zeros elsewhere.

    Args:
        N: The number of rows.
        M: The number of columns; None for `N`.
        k: Which diagonal: 0 the main one, positive ones above, negative ones below.
        dtype: The dtype; None for the default float type.

    Returns:
        The matrix.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.eye(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return xp.eye(int(N), None if M is None else int(M), k=k, dtype=native(dtype))


def identity(n: int, dtype: Any = None) -> Tensor:
    """The square matrix with ones on the main diagonal and zeros elsewhere.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.identity(2, "int32")).tolist()
    [[1, 0], [0, 1]]
    """
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """A matrix with ones on and below a diagonal and zeros above.

    Args:
        N: The number of rows.
        M: The number of columns; None for `N`.
        k: Which diagonal: 0 the main one, positive ones above, negative ones below.
        dtype: The dtype; None for the default float type.

    Returns:
        The matrix.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.tri(2)).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return xp.tri(int(N), None if M is None else int(M), k=k, dtype=native(dtype))


@op("keras.src.ops.numpy.Array", spec=_like_rule)
def array(x: TensorLike, dtype: Any = None) -> Tensor:
    """Anything that can be one as a tensor.

    Args:
        x: A tensor, array, number or nested list.
        dtype: The dtype; None for its own.

    Returns:
        A tensor.

    >>> import hornbeam as keras
    >>> keras.ops.array([1, 2]).shape
    (2,)
    """
    x = as_tensor(x)
    return x if dtype is None else cast_to(x, backend.narrowed.get(name := standardize_dtype(dtype), name))


@op("keras.src.ops.numpy.Copy", spec=like)
def copy(x: TensorLike) -> Tensor:
    """A tensor with the same values and memory of its own.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.copy([1, 2])).tolist()
    [1, 2]
    """
    return backend.copy(as_tensor(x))
