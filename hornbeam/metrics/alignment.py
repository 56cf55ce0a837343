"""How the targets, predictions and weights of metrics are brought to fitting shapes; knows no metric."""

from __future__ import annotations

from typing import Any

from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.symbolic import KerasTensor
from hornbeam.variable import Variable


def as_tensor(value: Any, dtype: str | None = None) -> Any:
    """Anything that becomes a tensor as one, cast if a dtype is given; symbolic tensors stay what they are."""
    if isinstance(value, KerasTensor):
        return value
    if isinstance(value, Variable):
        value = value.value
    if not backend.is_array(value):
        return backend.asarray(value, dtype)
    return value if dtype is None or backend.dtype(value) == dtype else backend.cast(value, dtype)


def same_rank(first: Any, second: Any) -> tuple[Any, Any]:
    """Two tensors, of which one may have a last axis of size 1 more than the other, with as many axes each.

    A surplus last axis of size 1 is removed; where the tensor with fewer axes has one axis only, it gets another.
    """
    more = len(first.shape) - len(second.shape)
    if more == 1:
        if first.shape[-1] == 1:
            first = first[..., 0]
        elif len(second.shape) == 1:
            second = second[:, None]
    elif more == -1:
        if second.shape[-1] == 1:
            second = second[..., 0]
        elif len(first.shape) == 1:
            first = first[:, None]
    return first, second


def check_same_shape(y_true: Any, y_pred: Any, where: str) -> None:
    """Raises unless both have the same shape."""
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ArgumentError(
            "y_true and y_pred of the same shape", f"y_true.shape={tuple(y_true.shape)}, "
            f"y_pred.shape={tuple(y_pred.shape)}", where,
        )


def check_broadcast(y_true: Any, y_pred: Any, where: str) -> None:
    """Raises unless both have as many axes, of the same sizes or of size 1."""
    mine, others = tuple(y_true.shape), tuple(y_pred.shape)
    if len(mine) != len(others) or any(a != b and 1 not in (a, b) for a, b in zip(mine, others, strict=True)):
        raise ArgumentError("y_true and y_pred of the same shape", f"y_true.shape={mine}, y_pred.shape={others}", where)


def fitting_weight(weight: Any, shape: tuple[int, ...], where: str) -> Any:
    """`weight` with as many axes as `shape`, against which it broadcasts.

    A weight with fewer axes belongs to the first axes: one of shape [batch] weighs whole samples.

    Raises:
        ValueError: If it cannot be spread over `shape`.
    """
    given = tuple(weight.shape)
    if len(given) == len(shape) + 1 and given[-1] == 1:
        weight = weight[..., 0]
    elif len(given) < len(shape):
        weight = backend.xp.reshape(weight, given + (1,) * (len(shape) - len(given)))
    found = tuple(weight.shape)
    if len(found) > len(shape) or any(a not in (1, b) for a, b in zip(found, shape, strict=False)):
        raise ArgumentError(
            f"sample_weight that broadcasts to the values of shape={shape}", f"shape={given}", where,
            "Give one weight for each sample, or for each value.",
        )
    return weight
