"""How the two sides of a loss, and its weights, are brought to shapes and dtypes that fit; knows no loss."""

from __future__ import annotations

from typing import Any

from hornbeam import _config, dtypes, ops
from hornbeam.errors import ArgumentError
from hornbeam.ops.define import broadcast_shapes
from hornbeam.symbolic import is_symbolic


def tensor(value: Any) -> Any:
    """`value` as a tensor; a symbolic one stays."""
    return value if is_symbolic(value) else ops.convert_to_tensor(value)


def floats(value: Any) -> Any:
    """`value` as a tensor of a float dtype; other numbers become the default float type."""
    value = tensor(value)
    return value if dtypes.is_float(value.dtype) else ops.cast(value, _config.floatx())


def as_dtype(value: Any, dtype: Any) -> Any:
    """`value` as a tensor of `dtype`."""
    value = tensor(value)
    name = dtypes.standardize_dtype(dtype)
    return value if dtypes.standardize_dtype(value.dtype) == name else ops.cast(value, name)


def of_one_rank(first: Any, second: Any) -> tuple[Any, Any]:
    """Two tensors, one of which may lack or have a last axis of size 1 that the other has not or lacks."""
    a, b = len(first.shape), len(second.shape)
    if a == b + 1 and first.shape[-1] == 1:
        return (first, ops.expand_dims(second, -1)) if b == 1 else (ops.squeeze(first, -1), second)
    if b == a + 1 and second.shape[-1] == 1:
        return (ops.expand_dims(first, -1), second) if a == 1 else (first, ops.squeeze(second, -1))
    return first, second


def check_broadcast(y_true: Any, y_pred: Any, where: str) -> None:
    """Raises a ValueError that names both shapes unless they broadcast."""
    try:
        broadcast_shapes(y_true.shape, y_pred.shape)
    except ArgumentError:
        raise mismatch(y_true, y_pred, where) from None


def check_equal(y_true: Any, y_pred: Any, where: str) -> None:
    """Raises a ValueError that names both shapes unless they are equal, as far as they are known."""
    a, b = tuple(y_true.shape), tuple(y_pred.shape)
    if len(a) != len(b) or any(x != y and None not in (x, y) for x, y in zip(a, b, strict=True)):
        raise mismatch(y_true, y_pred, where)


def mismatch(y_true: Any, y_pred: Any, where: str) -> ArgumentError:
    """The error for shapes that do not fit."""
    return ArgumentError(
        "y_true and y_pred of shapes that fit",
        f"y_true.shape={tuple(y_true.shape)} and y_pred.shape={tuple(y_pred.shape)}", where,
        "The targets must have the shape of the model's outputs; check the units of the last layer.",
    )


def pair(y_true: Any, y_pred: Any, where: str) -> tuple[Any, Any]:
    """Both sides as float tensors of one dtype, that of `y_pred`, and of shapes that broadcast."""
    y_pred = floats(y_pred)
    y_true = as_dtype(y_true, y_pred.dtype)
    y_true, y_pred = of_one_rank(y_true, y_pred)
    check_broadcast(y_true, y_pred, where)
    if not y_pred.shape:
        raise ArgumentError("tensors with at least one axis", "shape=()", where)
    return y_true, y_pred
