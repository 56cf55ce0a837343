"""Ops that pick elements by position or condition, and those that work on diagonals and triangles."""



from __future__ import annotations

import operator
from typing import Any

import numpy as np

from hornbeam.backend import active as backend
from hornbeam.dtypes import is_int, promote
from hornbeam.errors import ArgumentError, ArgumentTypeError
from hornbeam.ops.define import (
    Tensor,
    TensorLike,
    as_tensor,
    broadcast_shapes,
    convert,
    like,
    normalized_axis,
    op,
    same_dtype,
)
from hornbeam.ops.rules import as_bool, cast_to, kind, native, product, shape_of, sizes, sum_dtype
from hornbeam.symbolic import KerasTensor, infer

xp = backend.xp


# --- by condition ------------------------------------------------------------------------------------------------


def _where_rule(condition: Any, x1: Any, x2: Any) -> KerasTensor:
    shape = broadcast_shapes(shape_of(condition), broadcast_shapes(shape_of(x1), shape_of(x2)))
    return KerasTensor(shape, promote(kind(x1), kind(x2)))


@op("keras.src.ops.numpy.Where", spec=_where_rule)
def _where(condition: TensorLike, x1: TensorLike, x2: TensorLike) -> Tensor:
    return xp.where(as_bool(condition), *same_dtype(x1, x2))


def where(condition: TensorLike, x1: TensorLike | None = None, x2: TensorLike | None = None) -> Any:
    """Elements of one tensor where a condition holds, of another where it does not.

    Args:
        condition: A tensor; numbers are true unless 0.
        x1: Taken where it is true; the shapes of all three broadcast.
        x2: Taken where it is false; dtypes are promoted.

    Returns:
        A tensor of the common shape. With the condition alone, the positions where it is true, as `nonzero`.

    Raises:
        ValueError: If only one of `x1` and `x2` is given.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.where([True, False], [1, 2], 0)).tolist()
    [1, 0]
    """
    if (x1 is None) != (x2 is None):
        raise ArgumentError("both `x1` and `x2`, or neither", "only one of them", "where")
    return nonzero(condition) if x1 is None else _where(condition, x1, x2)


where.definition = _where.definition


def _nonzero_rule(x: Any) -> tuple[KerasTensor, ...]:
    return tuple(KerasTensor((None,), "int32") for _ in x.shape)


@op("keras.src.ops.numpy.Nonzero", spec=_nonzero_rule)
def nonzero(x: TensorLike) -> tuple[Tensor, ...]:
    """Positions of the elements that are not 0. Their number depends on the values, so it cannot be compiled.

    Args:
        x: Any tensor.

    Returns:
        For each axis an int32 tensor with the positions along it.

    >>> import hornbeam as keras
    >>> [keras.ops.convert_to_numpy(one).tolist() for one in keras.ops.nonzero([0, 7, 8])]
    [[1, 2]]
    """
    return tuple(cast_to(one, "int32") for one in xp.nonzero(as_tensor(x)))


def _select_rule(condlist: Any, choicelist: Any, default: Any) -> KerasTensor:
    shape: tuple[int | None, ...] = ()
    for one in [*condlist, *choicelist, default]:
        shape = broadcast_shapes(shape, shape_of(one))
    return KerasTensor(shape, promote(*(kind(one) for one in choicelist), kind(default)))


@op("keras.src.ops.numpy.Select", lists=["condlist", "choicelist"], spec=_select_rule)
def _select(condlist: list[TensorLike], choicelist: list[TensorLike], default: TensorLike) -> Tensor:
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ArgumentError(
            "as many choices as conditions, one at least", f"{len(condlist)} and {len(choicelist)}", "select"
        )
    *choices, result = same_dtype(*choicelist, default)
    # from the last to the first, so that the first true condition has the last word
    for condition, choice in zip(reversed(list(condlist)), reversed(choices), strict=True):
        result = xp.where(as_bool(condition), choice, result)
    return as_tensor(result)


def select(condlist: list[TensorLike], choicelist: list[TensorLike], default: TensorLike = 0) -> Tensor:
    """Elements of that tensor whose condition is the first to hold.

    Args:
        condlist: Conditions, bool tensors.
        choicelist: As many tensors; shapes broadcast, dtypes are promoted.
        default: Taken where no condition holds.

    Returns:
        A tensor of the common shape.

    Raises:
        ValueError: If the lists differ in length.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.select([[True, False]], [[1, 2]], 9)).tolist()
    [1, 9]
    """
    return _select(condlist, choicelist, default)


select.definition = _select.definition


# --- by position -------------------------------------------------------------------------------------------------


def _checked_indices(indices: Any, where: str) -> Any:
    indices = as_tensor(indices)
    dtype = backend.dtype(indices)
    if not is_int(dtype) and dtype != "bool":
        raise ArgumentTypeError("indices of an integer type", f"dtype={dtype}", where)
    return indices


def _take_rule(x: Any, indices: Any, axis: int | None = None) -> KerasTensor:
    picked = shape_of(indices)
    shape = shape_of(x)
    if axis is None:
        return KerasTensor(picked, promote(kind(x)))
    place = normalized_axis(axis, len(shape), "take")
    return KerasTensor([*shape[:place], *picked, *shape[place + 1 :]], promote(kind(x)))


@op("keras.src.ops.numpy.Take", spec=_take_rule)
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Elements of `x` at positions along an axis.

    Args:
        x: Any tensor.
        indices: Positions, integers; negative ones count from the end.
        axis: The axis; None flattens `x` first.

    Returns:
        A tensor with the axes of `indices` in the place of `axis`.

    Raises:
        TypeError: If the indices are not integers.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.take([10, 20, 30], [2, 0])).tolist()
    [30, 10]
    """
    return xp.take(as_tensor(x), _checked_indices(indices, "take"), axis=axis)


def _take_along_rule(x: Any, indices: Any, axis: int | None = None) -> KerasTensor:
    shape, picked = shape_of(x), shape_of(indices)
    if axis is None:
        return KerasTensor((product(picked),), promote(kind(x)))
    place = normalized_axis(axis, len(shape), "take_along_axis")
    if len(shape) != len(picked):
        raise ArgumentError("indices of the rank of `x`", f"shapes {shape} and {picked}", "take_along_axis")
    rest = broadcast_shapes(
        [1 if i == place else one for i, one in enumerate(shape)],
        [1 if i == place else one for i, one in enumerate(picked)],
    )
    return KerasTensor([picked[place] if i == place else one for i, one in enumerate(rest)], promote(kind(x)))


@op("keras.src.ops.numpy.TakeAlongAxis", spec=_take_along_rule)
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """For each position, the element of `x` that `indices` names along an axis; such as what `argsort` gives.

    Args:
        x: Any tensor.
        indices: Positions, integers, of the rank of `x`; other axes broadcast.
        axis: The axis; None flattens both first.

    Returns:
        A tensor of the shape of `indices`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.take_along_axis([[3, 1]], [[1, 0]], axis=1)).tolist()
    [[1, 3]]
    """
    x, indices = as_tensor(x), _checked_indices(indices, "take_along_axis")
    if axis is None:
        return xp.take_along_axis(xp.ravel(x), xp.ravel(indices), axis=0)
    return xp.take_along_axis(x, indices, axis=axis)


def _get_item_rule(x: Any, key: Any) -> Any:
    parts = key if isinstance(key, tuple) else (key,)
    if not all(one is None or one is Ellipsis or type(one) in (int, slice) for one in parts):
        return infer(_get_item.definition.eager, (x, key), {})
    named = sum(one is not None and one is not Ellipsis for one in parts)
    if named > len(x.shape) or sum(one is Ellipsis for one in parts) > 1:
        raise ArgumentError(f"at most {len(x.shape)} indices and one ellipsis", f"{key!r} for shape={x.shape}", "[]")
    if Ellipsis not in parts:
        parts = (*parts, Ellipsis)
    result: list[int | None] = []
    rest = list(x.shape)
    for one in parts:
        if one is None:
            result.append(1)
        elif one is Ellipsis:
            count = len(rest) - sum(other is not None and other is not Ellipsis for other in parts[parts.index(one) :])
            result.extend(rest[:count])
            del rest[:count]
        elif isinstance(one, slice):
            result.append(_sliced(rest.pop(0), one, x, key))
        else:
            size = rest.pop(0)
            if size is not None and not -size <= one < size:
                raise ArgumentError(f"an index in [{-size}, {size})", f"{one} for shape={x.shape}", "[]")
    return KerasTensor(result, x.dtype)


def _sliced(size: int | None, part: slice, x: Any, key: Any) -> int | None:
    limits = [part.start, part.stop, part.step]
    if not all(one is None or hasattr(one, "__index__") for one in limits):
        raise ArgumentTypeError("slices between integers", f"{key!r} for shape={x.shape}", "[]", "Use `ops.slice`.")
    if size is not None:
        return len(range(size)[part])
    found = {len(range(probe)[part]) for probe in backend.probe_sizes}
    return found.pop() if len(found) == 1 else None


@op("keras.src.ops.numpy.GetItem", tensors=["x", "key"], lists=["key"], spec=_get_item_rule)
def _get_item(x: TensorLike, key: Any) -> Tensor:
    return backend.picked(as_tensor(x), tuple(key) if isinstance(key, list) else key)


def get_item(x: TensorLike, key: Any) -> Tensor:
    """`x[key]`.

    Args:
        x: Any tensor.
        key: What stands in brackets: an integer, a slice, None, an ellipsis, a tensor, or a tuple of these.

    Returns:
        The part of `x`.

    Raises:
        ValueError: For too many indices, or one out of range, where the shape is known.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.get_item([[1, 2], [3, 4]], (slice(None), 1))).tolist()
    [2, 4]
    """
    return _get_item(x, _plain_key(key))


get_item.definition = _get_item.definition


def _plain_key(key: Any) -> Any:
    """Indices as Python numbers where they are known, lists as tensors, so that nodes can be written to files."""
    if isinstance(key, tuple):
        return tuple(_plain_key(one) for one in key)
    if isinstance(key, list):
        return convert(np.asarray(key)) if not any(hasattr(one, "shape") for one in key) else convert(key)
    if isinstance(key, np.integer):
        return int(key)
    if isinstance(key, slice):
        limits = (key.start, key.stop, key.step)
        return slice(*(operator.index(one) if isinstance(one, np.integer) else one for one in limits))
    return key


@op("keras.src.ops.numpy.UnravelIndex", tensors=["indices"])
def unravel_index(indices: TensorLike, shape: Any) -> tuple[Tensor, ...]:
    """Positions along each axis of a shape, for positions in the flattened tensor.

    Args:
        indices: Integers.
        shape: The shape.

    Returns:
        For each axis a tensor like `indices`.

    >>> import hornbeam as keras
    >>> [keras.ops.convert_to_numpy(one).tolist() for one in keras.ops.unravel_index([5], (2, 3))]
    [[1], [2]]
    """
    indices = _checked_indices(indices, "unravel_index")
    dtype = backend.dtype(indices)
    return tuple(cast_to(one, dtype) for one in xp.unravel_index(indices, sizes(shape)))


# --- diagonals and triangles -------------------------------------------------------------------------------------


@op("keras.src.ops.numpy.Diag")
def diag(x: TensorLike, k: int = 0) -> Tensor:
    """The diagonal of a matrix, or a matrix with a given diagonal.

    Args:
        x: A matrix, or a vector.
        k: Which diagonal: 0 the main one, positive ones above, negative ones below.

    Returns:
        A vector, or a matrix of zeros elsewhere.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.diag([1, 2])).tolist()
    [[1, 0], [0, 2]]
    """
    return xp.diag(as_tensor(x), k=k)


@op("keras.src.ops.numpy.Diagflat")
def diagflat(x: TensorLike, k: int = 0) -> Tensor:
    """A matrix with the elements of `x`, flattened, on a diagonal.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.diagflat([[1, 2]])).tolist()
    [[1, 0], [0, 2]]
    """
    return xp.diagflat(as_tensor(x), k=k)


@op("keras.src.ops.numpy.Diagonal")
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonals of the matrices in two axes of `x`.

    Args:
        x: A tensor of two axes or more.
        offset: Which diagonal: 0 the main one, positive ones above, negative ones below.
        axis1: The axis of the rows.
        axis2: The axis of the columns.

    Returns:
        A tensor without these axes, and with the diagonals in a new last one.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.diagonal([[1, 2], [3, 4]])).tolist()
    [1, 4]
    """
    return xp.diagonal(as_tensor(x), offset=offset, axis1=axis1, axis2=axis2)


@op("keras.src.ops.numpy.Trace")
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Sums along the diagonals of the matrices in two axes of `x`.

    Args:
        x: A tensor of two axes or more.
        offset: Which diagonal: 0 the main one, positive ones above, negative ones below.
        axis1: The axis of the rows.
        axis2: The axis of the columns.

    Returns:
        A tensor without these axes; bools and small integers are added up in 32 bits.

    >>> import hornbeam as keras
    >>> int(keras.ops.trace([[1, 2], [3, 4]]))
    5
    """
    x = as_tensor(x)
    dtype = sum_dtype(backend.dtype(x))
    return cast_to(as_tensor(xp.trace(cast_to(x, dtype), offset=offset, axis1=axis1, axis2=axis2)), dtype)


@op("keras.src.ops.numpy.Tril", spec=like)
def tril(x: TensorLike, k: int = 0) -> Tensor:
    """`x` with zeros above a diagonal of its last two axes.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.tril([[1, 2], [3, 4]])).tolist()
    [[1, 0], [3, 4]]
    """
    return xp.tril(as_tensor(x), k=k)


@op("keras.src.ops.numpy.Triu", spec=like)
def triu(x: TensorLike, k: int = 0) -> Tensor:
    """`x` with zeros below a diagonal of its last two axes.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.triu([[1, 2], [3, 4]])).tolist()
    [[1, 2], [0, 4]]
    """
    return xp.triu(as_tensor(x), k=k)


@op("keras.src.ops.numpy.Vander")
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """The Vandermonde matrix: powers of the elements of a vector, one row each.

    Args:
        x: A vector.
        N: The number of columns; None for as many as rows.
        increasing: Whether powers go up from left to right.

    Returns:
        A matrix.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.vander([1, 2, 3])).tolist()
    [[1, 1, 1], [4, 2, 1], [9, 3, 1]]
    """
    x = as_tensor(x)
    if len(backend.shape(x)) != 1:
        raise ArgumentError("a vector", f"shape={backend.shape(x)}", "vander")
    count = backend.shape(x)[0] if N is None else N
    if count == 0:
        return xp.zeros((backend.shape(x)[0], 0), native(backend.dtype(x)))
    columns = [xp.ones_like(x)]
    for _ in range(count - 1):
        columns.append(columns[-1] * x)
    return xp.stack(columns if increasing else columns[::-1], axis=1)
