"""Ops about tensors as such: conversion, dtypes, shapes, slices, scattering; and the face of those for control flow."""




from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from hornbeam.backend import active as backend
from hornbeam.dtypes import is_complex, is_float, standardize_dtype
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnsupportedError
from hornbeam.ops import names
from hornbeam.ops.control import (
    associative_scan as associative_scan,
    cond as cond,
    custom_gradient as custom_gradient,
    fori_loop as fori_loop,
    map as map,
    scan as scan,
    switch as switch,
    vectorized_map as vectorized_map,
    while_loop as while_loop,
)
from hornbeam.ops.define import (
    Tensor,
    TensorLike,
    as_tensor,
    convert,
    like,
    normalized_axis,
    op,
)
from hornbeam.ops.rules import cast_to, kind, promote, shape_of, sizes
from hornbeam.symbolic import KerasTensor

xp = backend.xp

__all__ = [*names.homes({"core": names.CORE["core"] + names.NUMPY["core"]})]  # pyright: ignore[reportUnsupportedDunderAll]


# --- conversion --------------------------------------------------------------------------------------------------


def _cast_rule(x: Any, dtype: Any) -> KerasTensor:
    return KerasTensor(x.shape, standardize_dtype(dtype), sparse=getattr(x, "sparse", False))


@op("keras.src.ops.core.Cast", tensors=["x"], spec=_cast_rule)
def cast(x: TensorLike, dtype: Any) -> Tensor:
    """`x` in another dtype.

    Args:
        x: Any tensor.
        dtype: The dtype. Floats become integers by cutting off the fraction.

    Returns:
        A tensor of that dtype.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.cast([1.7, 2.0], "int32")).tolist()
    [1, 2]
    """
    wanted = standardize_dtype(dtype)
    if is_complex(kind(x)) and not is_complex(wanted):
        x = xp.real(x)
    return cast_to(as_tensor(x), backend.narrowed.get(wanted, wanted))


@op("keras.src.ops.core.SaturateCast", tensors=["x"], spec=_cast_rule)
def saturate_cast(x: TensorLike, dtype: Any) -> Tensor:
    """`x` in another dtype, where values outside its range become its limits instead of wrapping around.

    Args:
        x: Any tensor.
        dtype: The dtype.

    Returns:
        A tensor of that dtype; NaN becomes 0 in an integer dtype.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.saturate_cast([300.0, -5.0], "uint8")).tolist()
    [255, 0]
    """
    x = as_tensor(x)
    have, wanted = backend.dtype(x), standardize_dtype(dtype)
    wanted = backend.narrowed.get(wanted, wanted)
    if "bool" in (have, wanted) or is_complex(have) or is_complex(wanted):
        return cast_to(x, wanted)
    low, high = _limits(wanted)
    if is_float(have):
        if not is_float(wanted):
            x = xp.where(xp.isnan(x), xp.zeros_like(x), x)
        # the limits as floats of `x` may lie outside the integers they stand for: below, not above
        below, above = _inside(low, have, down=False), _inside(high, have, down=True)
        exact = backend.cast(xp.clip(x, below, above), wanted)
        if is_float(wanted):
            return exact
        top, bottom = backend.asarray(high, wanted), backend.asarray(low, wanted)
        return xp.where(x > above, top, xp.where(x < below, bottom, exact))
    if is_float(wanted):
        return backend.cast(x, wanted)
    have_low, have_high = _limits(have)
    return backend.cast(xp.clip(x, max(low, have_low), min(high, have_high)), wanted)


def _of_numpy(dtype: str) -> Any:
    return np.dtype(getattr(ml_dtypes, dtype)) if hasattr(ml_dtypes, dtype) else np.dtype(dtype)


def _limits(dtype: str) -> tuple[Any, Any]:
    if is_float(dtype):
        largest = float(ml_dtypes.finfo(_of_numpy(dtype)).max)
        return -largest, largest
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def _inside(limit: Any, dtype: str, down: bool) -> Any:
    """The float of `dtype` next to an integer limit, on the inner side; as a tensor."""
    native = _of_numpy(dtype)
    value = np.asarray(limit, np.float64).astype(native)
    largest = np.asarray(float(ml_dtypes.finfo(native).max)).astype(native)
    if not np.isfinite(value.astype(np.float64)):
        value = largest if limit > 0 else -largest
    elif (down and int(value) > limit) or (not down and int(value) < limit):
        value = np.nextafter(value, np.asarray(0, native))
    return backend.asarray(value, dtype)


def _convert_rule(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> KerasTensor:
    return KerasTensor(
        x.shape, x.dtype if dtype is None else standardize_dtype(dtype),
        sparse=getattr(x, "sparse", False) and sparse is not False,
    )


@op("keras.src.ops.core.ConvertToTensor", tensors=["x"], spec=_convert_rule)
def convert_to_tensor(
    x: TensorLike, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Tensor:
    """Anything that can be one as a tensor of the backend.

    Args:
        x: A tensor, Variable, array, number or nested list.
        dtype: The dtype; None for its own.
        sparse: Whether sparse tensors stay so; False makes them dense.
        ragged: Whether ragged tensors stay so.

    Returns:
        A tensor.

    Raises:
        TypeError: For what is no tensor, such as None or a string.
        NotImplementedError: For sparse=True or ragged=True on a backend without such tensors.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_tensor([1.0, 2.0]).shape
    (2,)
    """
    for name, wish in (("sparse", sparse), ("ragged", ragged)):
        if wish and name not in backend.features:
            raise UnsupportedError(f"a backend with {name} tensors", f"{name}=True", "convert_to_tensor")
    if x is None or (isinstance(x, str) and "strings" not in backend.features):
        raise ArgumentTypeError("something that can be a tensor", repr(x), "convert_to_tensor")
    if dtype is None:
        return as_tensor(x)
    wanted = standardize_dtype(dtype)
    wanted = backend.narrowed.get(wanted, wanted)
    return cast_to(x, wanted) if backend.is_array(x) else backend.asarray(x, wanted)


def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """A tensor as a NumPy array.

    Args:
        x: A tensor, Variable, array, number or nested list; not a symbolic tensor.

    Returns:
        The array.

    Raises:
        TypeError: For a symbolic tensor, which has no values.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.ones((2,))).tolist()
    [1.0, 1.0]
    """
    if isinstance(x, KerasTensor):
        return np.asarray(x)  # which raises, and says why
    if isinstance(x, np.ndarray):
        return x
    return np.asarray(backend.to_numpy(as_tensor(convert(x))))


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of the backend; Variables and symbolic tensors are not.

    >>> import hornbeam as keras
    >>> keras.ops.is_tensor(keras.ops.ones((2,))), keras.ops.is_tensor([1.0, 1.0])
    (True, False)
    """
    return backend.is_array(x)


# --- facts -------------------------------------------------------------------------------------------------------


def shape(x: TensorLike) -> tuple[int | None, ...]:
    """The shape of `x`.

    Args:
        x: Any tensor; of a symbolic one, sizes that are open are None.

    Returns:
        A tuple of ints (and Nones).

    >>> import hornbeam as keras
    >>> keras.ops.shape(keras.KerasTensor((None, 3)))
    (None, 3)
    """
    return shape_of(x)


def dtype(x: TensorLike) -> str:
    """The name of the dtype of `x`.

    >>> import hornbeam as keras
    >>> keras.ops.dtype(keras.ops.ones((2,)))
    'float32'
    """
    return promote(kind(x))


def ndim(x: TensorLike) -> int:
    """The number of axes of `x`.

    >>> import hornbeam as keras
    >>> keras.ops.ndim(keras.ops.ones((2, 3)))
    2
    """
    return len(shape_of(x))


def _size_rule(x: Any) -> KerasTensor:
    return KerasTensor((), "int32")


@op("keras.src.ops.numpy.Size", spec=_size_rule)
def size(x: TensorLike) -> Any:
    """The number of elements of `x`.

    >>> import hornbeam as keras
    >>> keras.ops.size(keras.ops.ones((2, 3)))
    6
    """
    total = 1
    for one in shape_of(x):
        total *= one  # type: ignore[operator]
    return total


@op("keras.src.ops.core.StopGradient", spec=like)
def stop_gradient(variable: TensorLike) -> Tensor:
    """The same values, through which no gradient flows.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.stop_gradient([1.0])).tolist()
    [1.0]
    """
    return backend.stop_gradient(as_tensor(variable))


# --- parts -------------------------------------------------------------------------------------------------------


def _unstack_rule(x: Any, num: int | None = None, axis: int = 0) -> list[KerasTensor]:
    place = normalized_axis(axis, len(x.shape), "unstack")
    count = _unstacked(x.shape[place], num, x.shape, axis)
    return [KerasTensor(x.shape[:place] + x.shape[place + 1 :], x.dtype) for _ in range(count)]


def _unstacked(have: int | None, num: int | None, shape: Any, axis: int) -> int:
    count = have if num is None else num
    if count is None or (have is not None and have != count):
        raise ArgumentError(
            f"an axis {axis} of size {'that is known' if num is None else num}", f"shape={tuple(shape)}", "unstack",
            "Give `num`, the number of parts." if num is None else "",
        )
    return count


@op("keras.src.ops.core.Unstack", spec=_unstack_rule)
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices of `x` along an axis.

    Args:
        x: Any tensor.
        num: How many there are; needed where the size is open.
        axis: The axis.

    Returns:
        A list of tensors without that axis.

    >>> import hornbeam as keras
    >>> [keras.ops.convert_to_numpy(one).tolist() for one in keras.ops.unstack([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]
    """
    x = as_tensor(x)
    shape = backend.shape(x)
    place = normalized_axis(axis, len(shape), "unstack")
    count = _unstacked(shape[place], num, shape, axis)
    before = (np.s_[:],) * place
    return [x[(*before, i)] for i in range(count)]


def _starts(start_indices: Any, rank: int, where: str) -> list[Any]:
    """Start indices as a list, Python numbers where they are known."""
    if backend.is_array(start_indices):
        starts = [start_indices[i] for i in range(backend.shape(start_indices)[0])]
    else:
        starts = [one.__index__() if isinstance(one, (int, np.integer)) else one for one in start_indices]
    if len(starts) != rank:
        raise ArgumentError(f"{rank} start indices, one for each axis", f"{len(starts)}", where)
    return starts


def _rows(start: Any, count: int, size: int) -> Any:
    """`count` positions from `start` on, moved so that they lie inside an axis of `size`."""
    if isinstance(start, int):
        start = min(max(start + size if start < 0 else start, 0), size - count)
        return np.arange(start, start + count)
    start = xp.clip(xp.where(start < 0, start + size, start), 0, size - count)
    return start + xp.arange(count, dtype=backend.native_dtype("int32"))


def _slice_rule(inputs: Any, start_indices: Any, shape: Any) -> KerasTensor:
    return KerasTensor(sizes(shape), inputs.dtype)


@op("keras.src.ops.core.Slice", tensors=["inputs", "start_indices"], lists=["start_indices"], spec=_slice_rule)
def slice(inputs: TensorLike, start_indices: Any, shape: Any) -> Tensor:
    """A block of a tensor; unlike with brackets, where it starts may depend on values.

    Args:
        inputs: Any tensor.
        start_indices: Where the block starts along each axis: numbers, or an integer tensor.
        shape: The shape of the block. A block that would reach over the end is moved back inside.

    Returns:
        A tensor of that shape.

    Raises:
        ValueError: If the numbers of indices, sizes and axes differ, or the block is larger than the tensor.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.slice([[1, 2], [3, 4]], (1, 0), (1, 2))).tolist()
    [[3, 4]]
    """
    inputs = as_tensor(inputs)
    have, wanted = backend.shape(inputs), sizes(shape)
    starts = _starts(start_indices, len(have), "slice")
    _check_block(have, wanted, "slice")
    for axis, (start, count, total) in enumerate(zip(starts, wanted, have, strict=True)):
        if isinstance(start, int):
            start = min(max(start + total if start < 0 else start, 0), total - count)
            inputs = inputs[(*(np.s_[:],) * axis, np.s_[start : start + count])]
        else:
            inputs = xp.take(inputs, _rows(start, count, total), axis=axis)
    return inputs


def _check_block(have: Any, block: Any, where: str) -> None:
    if len(have) != len(block) or any(count > total for count, total in zip(block, have, strict=True)):
        raise ArgumentError(f"a block that fits into shape={tuple(have)}", f"shape={tuple(block)}", where)


def _slice_update_rule(inputs: Any, start_indices: Any, updates: Any) -> KerasTensor:
    return KerasTensor(shape_of(inputs), promote(kind(inputs)))


@op(
    "keras.src.ops.core.SliceUpdate",
    tensors=["inputs", "start_indices", "updates"],
    lists=["start_indices"],
    spec=_slice_update_rule,
)
def slice_update(inputs: TensorLike, start_indices: Any, updates: TensorLike) -> Tensor:
    """A tensor with one block replaced; where the block starts may depend on values.

    Args:
        inputs: Any tensor.
        start_indices: Where the block starts along each axis: numbers, or an integer tensor.
        updates: The new values of the block; cast to the dtype of `inputs`.

    Returns:
        A tensor like `inputs`; `inputs` itself stays.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.slice_update([1, 2, 3], [1], [9])).tolist()
    [1, 9, 3]
    """
    inputs = as_tensor(inputs)
    updates = cast_to(as_tensor(updates), backend.dtype(inputs))
    have, block = backend.shape(inputs), backend.shape(updates)
    starts = _starts(start_indices, len(have), "slice_update")
    _check_block(have, block, "slice_update")
    if not have:
        return updates
    index = []
    for axis, (start, count, total) in enumerate(zip(starts, block, have, strict=True)):
        rows = _rows(start, count, total)
        index.append(xp.reshape(backend.asarray(rows), (-1,) + (1,) * (len(have) - axis - 1)))
    return written(inputs, tuple(index), updates, None)


# --- scattering --------------------------------------------------------------------------------------------------

_REDUCTIONS = (None, "add", "max", "min", "mul")


def written(target: Any, index: tuple, updates: Any, reduction: str | None) -> Any:
    """`target` with `updates` at `index`; equal positions are reduced. `target` itself stays.

    Args:
        target: A tensor.
        index: What would stand in brackets, integer tensors that broadcast.
        updates: A tensor for these positions.
        reduction: None, "add", "max", "min" or "mul".

    Returns:
        A new tensor.
    """
    if reduction not in _REDUCTIONS:
        raise ArgumentError(f"a reduction out of {list(_REDUCTIONS)}", repr(reduction), "scatter_update")
    return backend.written(target, index, updates, reduction)


def _columns(indices: Any) -> tuple:
    return tuple(indices[..., i] for i in range(backend.shape(indices)[-1]))


def _scatter_rule(indices: Any, values: Any, shape: Any) -> KerasTensor:
    return KerasTensor(sizes(shape), promote(kind(values)))


@op("keras.src.ops.core.Scatter", tensors=["indices", "values"], spec=_scatter_rule)
def scatter(indices: TensorLike, values: TensorLike, shape: Any) -> Tensor:
    """Zeros of a shape with values put in at positions; values at one position add up.

    Args:
        indices: Positions, integers [..., k]: each addresses the first `k` axes.
        values: What to put there: a tensor [...] + shape[k:].
        shape: The shape of the result.

    Returns:
        A tensor of the dtype of `values`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.scatter([[0], [2]], [5, 7], (4,))).tolist()
    [5, 0, 7, 0]
    """
    values = as_tensor(values)
    zeros = xp.zeros(sizes(shape), backend.native_dtype(backend.dtype(values)))
    return written(zeros, _columns(as_tensor(indices)), values, "add")


def _scatter_update_rule(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> KerasTensor:
    return KerasTensor(shape_of(inputs), promote(kind(inputs)))


@op("keras.src.ops.core.ScatterUpdate", spec=_scatter_update_rule)
def scatter_update(
    inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None
) -> Tensor:
    """A tensor with new values at positions.

    Args:
        inputs: Any tensor.
        indices: Positions, integers [n, k]: each addresses the first `k` axes.
        updates: What to put there: a tensor [n] + inputs.shape[k:]; cast to the dtype of `inputs`.
        reduction: What to do with the old value: None replaces it, "add", "max", "min" and "mul" combine.

    Returns:
        A tensor like `inputs`; `inputs` itself stays.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.scatter_update([1, 2, 3], [[0], [2]], [7, 9])).tolist()
    [7, 2, 9]
    """
    inputs = as_tensor(inputs)
    updates = cast_to(as_tensor(updates), backend.dtype(inputs))
    return written(inputs, _columns(as_tensor(indices)), updates, reduction)
