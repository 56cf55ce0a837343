"""Ops about order: sort, search, unique values, sets."""



from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.ops.define import Tensor, TensorLike, as_tensor, normalized_axis, op, same_dtype
from hornbeam.ops.rules import cast_to, product, shape_of
from hornbeam.symbolic import KerasTensor

xp = backend.xp


def _ordered_rule(x: Any, axis: int | None = -1) -> KerasTensor:
    if axis is None:
        return KerasTensor((product(x.shape),), x.dtype)
    if x.shape or axis not in (0, -1):
        normalized_axis(axis, len(x.shape), "sort")
    return KerasTensor(x.shape, x.dtype)


@op("keras.src.ops.numpy.Sort", spec=_ordered_rule)
def sort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """`x` with the elements along an axis in rising order; NaN comes last.

    Args:
        x: Any tensor.
        axis: The axis; None flattens first.

    Returns:
        A tensor like `x`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sort([3, 1, 2])).tolist()
    [1, 2, 3]
    """
    return xp.sort(as_tensor(x), axis=axis)


def _order_rule(x: Any, axis: int | None = -1) -> KerasTensor:
    return KerasTensor(_ordered_rule(x, axis).shape, "int32")


@op("keras.src.ops.numpy.Argsort", spec=_order_rule)
def argsort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """Positions of the elements along an axis, in rising order; equal elements keep their order.

    Args:
        x: Any tensor.
        axis: The axis; None flattens first.

    Returns:
        An int32 tensor.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.argsort([3, 1, 2])).tolist()
    [1, 2, 0]
    """
    return cast_to(xp.argsort(as_tensor(x), axis=axis, stable=True), "int32")


def _partition_rule(x: Any, kth: int, axis: int | None = -1) -> KerasTensor:
    return _order_rule(x, axis)


@op("keras.src.ops.numpy.Argpartition", tensors=["x"], spec=_partition_rule)
def argpartition(x: TensorLike, kth: int, axis: int | None = -1) -> Tensor:
    """Positions of the elements along an axis in such order that the `kth` is where sorting would put it.

    Smaller elements come before it and larger ones after it, in any order.

    Args:
        x: Any tensor.
        kth: The position; negative ones count from the end.
        axis: The axis; None flattens first.

    Returns:
        An int32 tensor.

    >>> import hornbeam as keras
    >>> int(keras.ops.argpartition([3, 1, 2], 0)[0])
    1
    """
    x = as_tensor(x)
    count = math.prod(backend.shape(x)) if axis is None else backend.shape(x)[axis]
    if not -count <= kth < count:
        raise ArgumentError(f"`kth` in [{-count}, {count})", f"kth={kth}", "argpartition")
    return cast_to(xp.argpartition(x, kth, axis=axis), "int32")


def _search_rule(sorted_sequence: Any, values: Any, side: str = "left") -> KerasTensor:
    _check_search(shape_of(sorted_sequence), side)
    return KerasTensor(shape_of(values), "int32")


def _check_search(shape: Any, side: str) -> None:
    if len(shape) != 1:
        raise ArgumentError("a sorted sequence of one axis", f"shape={tuple(shape)}", "searchsorted")
    if side not in ("left", "right"):
        raise ArgumentError("side 'left' or 'right'", repr(side), "searchsorted")


@op("keras.src.ops.numpy.SearchSorted", spec=_search_rule)
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """Where values have to go into a sorted sequence, so that it stays sorted.

    Args:
        sorted_sequence: A tensor of one axis in rising order.
        values: What to place.
        side: Whether equal elements stay on the right ("left") or on the left ("right").

    Returns:
        Positions, int32, of the shape of `values`.

    Raises:
        ValueError: If the sequence has several axes.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.searchsorted([1, 3, 5], [0, 3, 9])).tolist()
    [0, 1, 3]
    """
    sequence, values = same_dtype(sorted_sequence, values)
    _check_search(backend.shape(sequence), side)
    return cast_to(as_tensor(xp.searchsorted(sequence, values, side=side)), "int32")


def _digitize_rule(x: Any, bins: Any) -> KerasTensor:
    return KerasTensor(shape_of(x), "int32")


@op("keras.src.ops.numpy.Digitize", spec=_digitize_rule)
def digitize(x: TensorLike, bins: TensorLike) -> Tensor:
    """The number of the bin that each element falls into.

    Args:
        x: Any tensor.
        bins: The edges, a tensor of one axis in rising or falling order.

    Returns:
        For each element, how many edges lie at or below it (above it, for falling edges); int32.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.digitize([0.5, 1.0, 7.0], [1.0, 2.0])).tolist()
    [0, 1, 2]
    """
    x, bins = same_dtype(x, bins)
    if len(backend.shape(bins)) != 1:
        raise ArgumentError("bins of one axis", f"shape={backend.shape(bins)}", "digitize")
    count = backend.shape(bins)[0]
    if count == 0:
        return xp.zeros(backend.shape(x), backend.native_dtype("int32"))
    rising = xp.searchsorted(bins, x, side="right")
    falling = count - xp.searchsorted(xp.flip(bins, axis=0), x, side="right")
    return cast_to(as_tensor(xp.where(bins[0] <= bins[-1], rising, falling)), "int32")


def _isin_rule(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> KerasTensor:
    return KerasTensor(shape_of(x1), "bool")


@op("keras.src.ops.numpy.IsIn", spec=_isin_rule)
def isin(x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element of one tensor occurs in another.

    Args:
        x1: The elements to look for.
        x2: Where to look.
        assume_unique: Whether both are known to hold no element twice, which may be faster.
        invert: Whether to ask for those that do not occur instead.

    Returns:
        A bool tensor of the shape of `x1`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.isin([1, 2, 3], [2])).tolist()
    [False, True, False]
    """
    x1, x2 = same_dtype(x1, x2)
    return as_tensor(xp.isin(x1, x2, assume_unique=assume_unique, invert=invert))


def _unique_rule(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    if axis is None:
        shape: tuple[int | None, ...] = (size,)
        inverse: tuple[int | None, ...] = x.shape
    else:
        place = normalized_axis(axis, len(x.shape), "unique")
        shape = (*x.shape[:place], size, *x.shape[place + 1 :])
        inverse = (x.shape[place],)
    results = [KerasTensor(shape, x.dtype)]
    for wanted, one in ((return_index, (size,)), (return_inverse, inverse), (return_counts, (size,))):
        if wanted:
            results.append(KerasTensor(one, "int32"))
    return results[0] if len(results) == 1 else tuple(results)


@op("keras.src.ops.numpy.Unique", spec=_unique_rule)
def unique(
    x: TensorLike,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The values that occur in `x`, each once.

    Their number depends on the values; with `size` it does not, so that the op can be compiled.

    Args:
        x: Any tensor.
        sorted: Whether the values must come in rising order; they do in any case.
        return_index: Whether to return where each value occurs first.
        return_inverse: Whether to return, for each element, the number of its value.
        return_counts: Whether to return how often each value occurs.
        axis: The axis whose slices are compared; None compares single elements.
        size: How many values to return: more are cut off, fewer are filled up.
        fill_value: What to fill up with; None for the first value.

    Returns:
        The values, or a tuple of them and what else was asked for, in the order above, int32.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.unique([2, 1, 2])).tolist()
    [1, 2]
    """
    del sorted
    x = as_tensor(x)
    options = {"return_index": return_index, "return_inverse": return_inverse, "return_counts": return_counts}
    if size is not None and backend.compile_default:
        found = xp.unique(x, axis=axis, size=size, fill_value=fill_value, **options)
    else:
        found = xp.unique(x, axis=axis, **options)
    values, *rest = found if isinstance(found, tuple) else (found,)
    rest = [cast_to(as_tensor(one), "int32") for one in rest]
    if size is not None and not backend.compile_default:
        values, rest = _resized(values, rest, list(options.values()), axis, size, fill_value)
    if return_inverse:
        place = 1 if return_index else 0
        rest[place] = xp.reshape(rest[place], backend.shape(x) if axis is None else (-1,))
    return (values, *rest) if rest else values


def _resized(values: Any, rest: list, asked: list[bool], axis: int | None, size: int, fill_value: Any) -> Any:
    """What `unique` found, cut or filled up to `size` values."""
    place = 0 if axis is None else axis
    count = backend.shape(values)[place]
    missing = size - count
    if missing <= 0:
        values = xp.take(values, np.arange(size), axis=place)
    else:
        first = np.zeros(missing, "int32")
        filler = xp.take(values, first, axis=place) if count else xp.zeros((missing,), values.dtype)
        if fill_value is not None:
            filler = xp.full_like(filler, fill_value)
        values = xp.concatenate([values, filler], axis=place)
    names = [name for name, wanted in zip(("index", "inverse", "counts"), asked, strict=True) if wanted]
    resized = []
    for name, one in zip(names, rest, strict=True):
        if name == "inverse":
            resized.append(one)
        elif missing <= 0:
            resized.append(one[:size])
        else:
            # the filling stands for the first value; it counts for nothing
            filler = xp.full((missing,), one[0] if name == "index" else 0, one.dtype)
            resized.append(xp.concatenate([one, filler]))
    return values, resized
