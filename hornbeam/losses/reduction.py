"""From losses per sample to one number: weights, masks and the kinds of reduction; knows no loss."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, UnknownNameError
from hornbeam.losses.shapes import as_dtype, tensor
from hornbeam.ops.define import broadcast_shapes
from hornbeam.symbolic import is_symbolic

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none")


def checked_reduction(reduction: Any) -> str | None:
    """`reduction` if it is known.

    Raises:
        ValueError: If it is not.
    """
    if reduction is not None and reduction not in REDUCTIONS:
        raise UnknownNameError("reduction", reduction, REDUCTIONS, "Loss")
    return reduction


def fitted(weight: Any, values: Any, what: str) -> Any:
    """A weight or mask in a shape that broadcasts to that of the losses.

    It may have one more last axis of size 1, or lack last axes that the losses have.
    """
    shape, target = tuple(weight.shape), tuple(values.shape)
    while len(shape) > len(target) and shape[-1] == 1:
        weight, shape = ops.squeeze(weight, -1), shape[:-1]
    if len(shape) == len(target) + 1 and shape[-1] == 1:
        weight, shape = ops.squeeze(weight, -1), shape[:-1]
    if _fits(shape, target):
        return weight
    longer = shape + (1,) * (len(target) - len(shape))
    if len(shape) < len(target) and _fits(longer, target):
        return ops.reshape(weight, tuple(-1 if one is None else one for one in longer))
    raise ArgumentError(
        f"a {what} that broadcasts to losses of shape={target}", f"shape={tuple(weight.shape)}", "Loss",
        "Give one weight per sample, or one per loss.",
    )


def _fits(shape: tuple, target: tuple) -> bool:
    try:
        joined = broadcast_shapes(shape, target)
    except ArgumentError:
        return False
    return len(joined) == len(target) and all(a == b or None in (a, b) for a, b in zip(joined, target, strict=True))


def reduce_weighted(
    values: Any, sample_weight: Any = None, mask: Any = None, reduction: str | None = "sum_over_batch_size",
    dtype: str | None = None,
) -> Any:
    """Losses, weighted and reduced.

    Args:
        values: Losses per sample or finer, any shape.
        sample_weight: Weights that broadcast to `values`, or None.
        mask: Booleans that broadcast to `values`; what is False counts for nothing, also where means are taken.
        reduction: One of `REDUCTIONS` or None.
        dtype: The dtype in which weights are applied; None is that of `values`.

    Returns:
        A scalar; or a tensor like `values` for "none" and None.

    Raises:
        ValueError: If weights or mask do not fit.
    """
    if not backend.is_array(values) or (dtype is not None and backend.dtype(values) != dtype):
        values = tensor(values) if dtype is None else as_dtype(values, dtype)
    dtype = values.dtype
    weights = None
    if sample_weight is not None:
        weights = fitted(as_dtype(sample_weight, dtype), values, "sample_weight")
    if mask is not None:
        # False must win over losses that are not finite
        mask = fitted(as_dtype(mask, "bool"), values, "mask")
        values = ops.where(mask, values, ops.cast(0, dtype))
        if weights is not None:
            weights = ops.multiply(weights, ops.cast(mask, dtype))
    weighted = values if weights is None else ops.multiply(values, weights)
    if reduction in (None, "none"):
        return weighted
    if not weighted.shape and reduction != "mean_with_sample_weight":
        return weighted
    if reduction == "sum_over_batch_size" and mask is None and backend.is_array(weighted) and 0 not in weighted.shape:
        return ops.mean(weighted)
    total = ops.sum(weighted)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weights is not None:
        return _share(total, ops.sum(_spread(weights, values)))
    if mask is not None:
        return _share(total, ops.sum(_spread(ops.cast(mask, dtype), values)))
    return ops.divide(total, _count(values))


def _count(values: Any) -> Any:
    count = 1
    for size in values.shape:
        if size is None:  # a symbolic tensor
            return ops.sum(ops.ones_like(values))
        count *= size
    return float(max(count, 1))  # the mean of nothing is 0


def _spread(weights: Any, values: Any) -> Any:
    if tuple(weights.shape) == tuple(values.shape):
        return weights
    if is_symbolic(values):
        return ops.multiply(weights, ops.ones_like(values))
    return ops.broadcast_to(weights, values.shape)


def _share(total: Any, weight: Any) -> Any:
    return ops.divide_no_nan(total, weight)
