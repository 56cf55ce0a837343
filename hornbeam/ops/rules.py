"""Rules that the ops with NumPy's names share: dtypes of results, shapes of results, and what NumPy needs help with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam.backend import active as backend
from hornbeam.dtypes import is_complex, is_float, kind_of, promote, result_type, standardize_dtype
from hornbeam.errors import ArgumentError, ArgumentTypeError
from hornbeam.ops.define import (
    Axis,
    as_tensor,
    broadcast_shapes,
    normalized_axis,
    same_dtype,
)
from hornbeam.symbolic import KerasTensor

xp = backend.xp

_HALF = ("float16", "bfloat16")


# --- values ------------------------------------------------------------------------------------------------------


def cast_to(value: Any, dtype: str) -> Any:
    """A tensor in `dtype`, itself if it is so already."""
    return value if backend.dtype(value) == dtype else backend.cast(value, dtype)


def as_bool(value: Any) -> Any:
    """A tensor or number as a bool tensor: true unless 0."""
    return cast_to(as_tensor(value), "bool")


def native(dtype: Any) -> Any:
    """What functions of `xp` take as `dtype=` for any way to write a dtype; None is the default float type."""
    return backend.native_dtype(standardize_dtype(dtype))


def half_as_single(*values: Any) -> list[Any]:
    """Tensors, those of half precision as float32 where nothing is compiled.

    NumPy adds halves up in half precision and has no bfloat16 of its own, so that many of its functions fail on
    it; compilers keep better sums by themselves.
    """
    if "compile" in backend.features:
        return list(values)
    return [backend.cast(one, "float32") if backend.dtype(one) in _HALF else one for one in values]


def numbers(*values: Any) -> list[Any]:
    """Tensors and numbers cast to the dtype of an operation on them, which is int32 if all are bools."""
    if all(kind_of(one) == "bool" for one in values):
        return [backend.cast(as_tensor(one), "int32") for one in values]
    return same_dtype(*values)


def no_bools(where: str, *values: Any) -> list[Any]:
    """The tensors, none of which may be bool."""
    for one in values:
        if kind_of(one) == "bool":
            raise ArgumentTypeError("tensors of numbers", "dtype=bool", where, "Cast them, such as to 'int32'.")
    return list(values)


def no_floats(where: str, *values: Any) -> list[Any]:
    """The tensors, all of which must be integers or bools."""
    for one in values:
        dtype = result_type(one)
        if is_float(dtype) or is_complex(dtype):
            raise ArgumentTypeError("tensors of integers", f"dtype={dtype}", where, "Cast them, such as to 'int32'.")
    return list(values)


def axes_of(axis: Axis) -> Any:
    """An axis argument as `xp` takes it."""
    return tuple(axis) if isinstance(axis, list) else axis


def sizes(shape: Any) -> Any:
    """A shape argument as a tuple; sizes may be tensors."""
    if isinstance(shape, (int, np.integer)):
        return (int(shape),)
    if isinstance(shape, (list, tuple)):
        return tuple(one if backend.is_array(one) and one.ndim else _size(one) for one in shape)
    return tuple(backend.to_numpy(shape).tolist()) if backend.is_array(shape) else tuple(shape)


def _size(one: Any) -> Any:
    return one.__index__() if hasattr(one, "__index__") and not isinstance(one, bool) else one


def sum_dtype(dtype: str) -> str:
    """The dtype in which sums and products of tensors of `dtype` are made: small integers become 32 bits wide."""
    if dtype in ("bool", "int8", "int16"):
        return "int32"
    return "uint32" if dtype in ("uint8", "uint16") else dtype


def running_dtype(dtype: str) -> str:
    """The dtype of cumulative sums and products of tensors of `dtype`."""
    return "int32" if dtype == "bool" else dtype


def real_dtype(dtype: str) -> str:
    """The dtype of the parts of a complex dtype; others stay."""
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def float_of(dtype: str) -> str:
    """The dtype of float functions of tensors of `dtype`."""
    return dtype if is_float(dtype) or is_complex(dtype) else promote(dtype, "float")


# --- shape rules -------------------------------------------------------------------------------------------------


def like_number(x: Any, *_: Any, **__: Any) -> KerasTensor:
    """Rule: like the first tensor, bool made int32."""
    return KerasTensor(x.shape, running_dtype(x.dtype))


def like_real(x: Any, *_: Any, **__: Any) -> KerasTensor:
    """Rule: like the first tensor, complex made real."""
    return KerasTensor(x.shape, real_dtype(x.dtype))


def like_real_float(x: Any, *_: Any, **__: Any) -> KerasTensor:
    """Rule: like the first tensor, made float and real."""
    return KerasTensor(x.shape, real_dtype(float_of(x.dtype)))


def like_bits(x: Any, *_: Any, **__: Any) -> KerasTensor:
    """Rule: like the first tensor, which must not be of floats."""
    _refuse_floats(x.dtype)
    return KerasTensor(x.shape, x.dtype)


def _refuse_floats(dtype: str) -> None:
    if is_float(dtype) or is_complex(dtype):
        raise ArgumentTypeError("tensors of integers", f"dtype={dtype}", "", "Cast them, such as to 'int32'.")


def shape_of(value: Any) -> tuple[int | None, ...]:
    """The shape of whatever an op takes as a tensor."""
    shape = getattr(value, "shape", None)
    return tuple(np.shape(value)) if shape is None else tuple(shape)


def kind(value: Any) -> str:
    """The name under which whatever an op takes as a tensor enters the promotion of dtypes."""
    if isinstance(value, (list, tuple)):
        return promote(*(kind(one) for one in value)) if value else promote("float")
    return kind_of(value)


def _promoted(x1: Any, x2: Any) -> tuple[tuple[int | None, ...], str]:
    return broadcast_shapes(shape_of(x1), shape_of(x2)), promote(kind(x1), kind(x2))


def broadcast_number(x1: Any, x2: Any, *_: Any, **__: Any) -> KerasTensor:
    """Rule: two tensors broadcast and promoted; two bools give int32."""
    shape, dtype = _promoted(x1, x2)
    return KerasTensor(shape, running_dtype(dtype))


def bitwise_broadcast(x: Any, y: Any, *_: Any, **__: Any) -> KerasTensor:
    """Rule: two tensors, which must not be of floats, broadcast and promoted."""
    shape, dtype = _promoted(x, y)
    _refuse_floats(dtype)
    return KerasTensor(shape, dtype)


def shift_broadcast(x: Any, y: Any, *_: Any, **__: Any) -> KerasTensor:
    """Rule: two tensors, which must not be of floats, broadcast and promoted; two bools give int32."""
    shape, dtype = _promoted(x, y)
    _refuse_floats(dtype)
    return KerasTensor(shape, running_dtype(dtype))


broadcast_integer = bitwise_broadcast


def broadcast_first_float(x1: Any, x2: Any, *_: Any, **__: Any) -> KerasTensor:
    """Rule: two tensors broadcast, in the dtype of the first made float; the second must not be of floats."""
    _refuse_floats(promote(kind(x2)))
    return KerasTensor(broadcast_shapes(shape_of(x1), shape_of(x2)), float_of(promote(kind(x1))))


def reduces(dtype_rule: Callable[[str], str]) -> Callable[..., KerasTensor]:
    """A rule for reductions over `axis`, the result's dtype given by `dtype_rule`."""

    def rule(x: Any, axis: Axis = None, keepdims: bool = False, **_: Any) -> KerasTensor:
        return reduced_shape(x, axis, keepdims, dtype_rule(x.dtype))

    return rule


def reduced_shape(x: Any, axis: Axis, keepdims: bool, dtype: str) -> KerasTensor:
    """The result of a reduction of `x` over `axis`."""
    rank = len(x.shape)
    axes = range(rank) if axis is None else normalized_axes(axis, rank)
    if keepdims:
        return KerasTensor([1 if i in axes else size for i, size in enumerate(x.shape)], dtype)
    return KerasTensor([size for i, size in enumerate(x.shape) if i not in axes], dtype)


def normalized_axes(axis: Any, rank: int, where: str = "") -> tuple[int, ...]:
    """One axis or several, counted from the front.

    Raises:
        ValueError: If one lies outside a tensor of `rank` axes, or occurs twice.
    """
    axes = axis if isinstance(axis, (list, tuple)) else (axis,)
    result = tuple(normalized_axis(one, rank, where) for one in axes)
    if len(set(result)) != len(result):
        raise ArgumentError("axes that differ", f"axis={axis}", where)
    return result


def to_bool(_: str) -> str:
    """The dtype rule of questions."""
    return "bool"


def to_index(_: str) -> str:
    """The dtype rule of positions and counts."""
    return "int32"


def to_same(dtype: str) -> str:
    """The dtype rule of what keeps its dtype."""
    return dtype


def product(sizes: Sequence[int | None]) -> int | None:
    """The number of elements of a shape, None if a size is open."""
    total = 1
    for one in sizes:
        if one is None:
            return None
        total *= one
    return total
