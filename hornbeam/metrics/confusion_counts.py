"""Counting true and false positives and negatives at many thresholds at once; knows no metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hornbeam import ops
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.losses.shapes import check_broadcast, of_one_rank
from hornbeam.metrics.alignment import as_tensor, fitting_weight

xp = backend.xp

# a score below every threshold, for predictions that are not among the k largest
NEVER = -1e10
# up to so many thresholds, comparing with each is cheaper than sorting predictions into intervals
_FEW = 8


class Counts(NamedTuple):
    """Weighted counts [thresholds], or [thresholds, labels]."""

    true_positives: Any
    false_positives: Any
    true_negatives: Any
    false_negatives: Any


class Thresholds:
    """Rising or unordered thresholds, and how predictions are compared with them.

    Args:
        values: Numbers.
    """

    def __init__(self, values: Sequence[float]) -> None:
        self.values = [float(one) for one in values]
        count = len(self.values)
        inner = np.asarray(self.values[1:-1])
        # evenly spaced in [0, 1], but for the ends, which may lie a little outside
        self.even = count >= 3 and np.allclose(inner, np.arange(1, count - 1) / (count - 1), rtol=0, atol=1e-7) and (
            abs(self.values[0]) < 1e-6 and abs(self.values[-1] - 1) < 1e-6
        )
        self.rising = all(a <= b for a, b in zip(self.values, self.values[1:], strict=False))

    def __len__(self) -> int:
        return len(self.values)

    def passed(self, y_pred: Any) -> Any:
        """How many thresholds each prediction lies above; those are the lowest ones."""
        count = len(self.values)
        if self.even:  # then predictions are taken to lie in [0, 1]: none is above the last
            least = 1 if self.values[0] < 0 else 0
            steps = xp.clip(xp.ceil(y_pred * (count - 1)), least, count - 1)
            return xp.where(steps == steps, steps, least)  # NaN is above none
        return xp.searchsorted(as_tensor(self.values, backend.dtype(y_pred)), y_pred, side="left")


def prepared(
    y_true: Any, y_pred: Any, sample_weight: Any, dtype: str, where: str, *,
    top_k: int | None = None, class_id: int | None = None,
) -> tuple[Any, Any, Any]:
    """Targets, predictions and weights of one shape.

    Args:
        y_true: Targets; what is not 0 is positive.
        y_pred: Predictions.
        sample_weight: Weights that broadcast to them from the first axis on, or None.
        dtype: The dtype to compute in.
        where: The place, for errors.
        top_k: If given, only the `top_k` largest predictions along the last axis can be positive.
        class_id: If given, only this position of the last axis counts.

    Returns:
        `(positive, y_pred, weight)`; `positive` is bool, `weight` None or of the same shape.
    """
    y_true, y_pred = of_one_rank(as_tensor(y_true, dtype), as_tensor(y_pred, dtype))
    check_broadcast(y_true, y_pred, where)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        y_true, y_pred = xp.broadcast_arrays(y_true, y_pred)
    shape = tuple(y_pred.shape)
    if top_k is not None:
        y_pred = _only_largest(y_pred, top_k, where)
    weight = None
    if sample_weight is not None:
        weight = xp.broadcast_to(fitting_weight(as_tensor(sample_weight, dtype), shape, where), shape)
    if class_id is not None:
        if not shape or not -shape[-1] <= class_id < shape[-1]:
            raise ArgumentError(f"class_id={class_id} within the last axis", f"y_pred.shape={shape}", where)
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
        weight = None if weight is None else weight[..., class_id]
    return y_true != 0, y_pred, weight


def _only_largest(y_pred: Any, k: int, where: str) -> Any:
    size = y_pred.shape[-1] if len(y_pred.shape) else 0
    if k > size:
        raise ArgumentError(f"at least top_k={k} predictions in the last axis", f"shape={tuple(y_pred.shape)}", where)
    _, best = ops.top_k(y_pred, k)
    chosen = xp.sum(ops.one_hot(best, size, dtype=backend.dtype(y_pred)), axis=-2)
    return xp.where(chosen > 0, y_pred, xp.full_like(y_pred, NEVER))


def counts(positive: Any, y_pred: Any, weight: Any, thresholds: Thresholds, dtype: str, labels: bool = False) -> Counts:
    """Counts at each threshold; predictions above it are positive.

    Args:
        positive: Which targets are, bool.
        y_pred: Predictions of the same shape.
        weight: Weights of the same shape, or None.
        thresholds: The thresholds.
        dtype: The dtype of the counts.
        labels: Whether the last axis is one of labels, which are counted apart.

    Returns:
        The four counts.
    """
    columns = tuple(y_pred.shape[-1:]) if labels else ()
    positive, y_pred = (xp.reshape(one, (-1, *columns)) for one in (positive, y_pred))
    positive = backend.cast(positive, dtype)
    of_positives, of_negatives = positive, 1 - positive
    if weight is not None:
        weight = xp.reshape(weight, (-1, *columns))
        of_positives, of_negatives = of_positives * weight, of_negatives * weight
    if not thresholds.even and (len(thresholds) <= _FEW or not thresholds.rising):
        limits = as_tensor(thresholds.values, backend.dtype(y_pred))
        above = backend.cast(y_pred[None] > xp.reshape(limits, (-1,) + (1,) * len(y_pred.shape)), dtype)
        true_positives, false_positives = (xp.sum(above * one, axis=1) for one in (of_positives, of_negatives))
    else:
        passed = backend.cast(thresholds.passed(y_pred), "int32")
        true_positives, false_positives = (
            _summed_from_top(passed, one, len(thresholds)) for one in (of_positives, of_negatives)
        )
    return Counts(
        true_positives, false_positives, xp.sum(of_negatives, axis=0) - false_positives,
        xp.sum(of_positives, axis=0) - true_positives,
    )


def _summed_from_top(passed: Any, weight: Any, count: int) -> Any:
    """For each of `count` thresholds the sum of the weights of those who passed it."""
    columns = tuple(passed.shape[1:])
    if columns:
        label = xp.arange(columns[0], dtype=backend.native_dtype("int32"))[None]
        place = xp.reshape(passed * columns[0] + label, (-1, 1))
    else:
        place = xp.reshape(passed, (-1, 1))
    size = (count + 1) * (columns[0] if columns else 1)
    sums = xp.reshape(ops.scatter(place, xp.reshape(weight, (-1,)), (size,)), (count + 1, *columns))
    # who passed i thresholds is above the thresholds 0 to i - 1
    return xp.flip(xp.cumsum(xp.flip(sums[1:], axis=0), axis=0), axis=0)
