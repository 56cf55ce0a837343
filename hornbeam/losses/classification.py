"""Losses of class probabilities, as functions: cross-entropies, focal ones, hinges; one loss per sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import _config, dtypes, ops, scope
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe, warn
from hornbeam.losses.shapes import check_broadcast, check_equal, floats, mismatch, pair, tensor
from hornbeam.ops.define import Tensor, TensorLike, normalized_axis
from hornbeam.symbolic import is_symbolic


def _smoothed(y_true: Any, label_smoothing: Any, classes: Any, where: str) -> Any:
    if isinstance(label_smoothing, bool) or not isinstance(label_smoothing, (int, float, np.number)):
        raise ArgumentTypeError("a number as label_smoothing", describe(label_smoothing), where)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError("label_smoothing from 0 to 1", repr(label_smoothing), where)
    if not label_smoothing:
        return y_true
    return ops.add(ops.multiply(y_true, 1.0 - label_smoothing), label_smoothing / classes)


def _class_axis(axis: Any, rank: int, where: str) -> int:
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise ArgumentTypeError("an integer axis", describe(axis), where)
    return normalized_axis(int(axis), rank, where)


def _class_pair(y_true: Any, y_pred: Any, axis: Any, label_smoothing: Any, where: str) -> tuple[Any, Any, int]:
    y_true, y_pred = pair(y_true, y_pred, where)
    check_equal(y_true, y_pred, where)
    axis = _class_axis(axis, len(y_pred.shape), where)
    if y_pred.shape[-1] == 1:
        warn(
            f"{where}: expected more than one class, got y_pred.shape={tuple(y_pred.shape)}: the loss of a single "
            "class is always 0. Use 'binary_crossentropy' for two classes with one output.",
            SyntaxWarning,
        )
    return _smoothed(y_true, label_smoothing, y_pred.shape[axis], where), y_pred, axis


# --- cross-entropies ---------------------------------------------------------------------------------------------


@wire("keras.losses.binary_crossentropy", "keras.metrics.binary_crossentropy")
def binary_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: Any = -1
) -> Tensor:
    """The mean cross-entropy of yes-or-no labels.

    Args:
        y_true: Labels from 0 to 1 (batch, ..., n).
        y_pred: Probabilities of the same shape, or logits.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far labels are moved towards 1/2, from 0 to 1.
        axis: The axis, or axes, of the mean.

    Returns:
        Tensor (batch, ...).

    Raises:
        ValueError: If the shapes do not fit.

    >>> import hornbeam as keras
    >>> round(float(binary_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 3)
    0.693
    """
    y_true, y_pred = pair(y_true, y_pred, "binary_crossentropy")
    check_equal(y_true, y_pred, "binary_crossentropy")
    y_true = _smoothed(y_true, label_smoothing, 2, "binary_crossentropy")
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


@wire("keras.losses.categorical_crossentropy", "keras.metrics.categorical_crossentropy")
def categorical_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """The cross-entropy of class probabilities, such as one-hot labels.

    Args:
        y_true: Probabilities (batch, ..., classes).
        y_pred: Probabilities of the same shape, which are made to sum to 1; or logits.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far labels are moved towards equal probabilities, from 0 to 1.
        axis: The axis of the classes.

    Returns:
        Tensor without `axis`.

    Raises:
        ValueError: If the shapes differ.

    >>> import hornbeam as keras
    >>> round(float(categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 3)
    0.693
    """
    y_true, y_pred, axis = _class_pair(y_true, y_pred, axis, label_smoothing, "categorical_crossentropy")
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


@wire("keras.losses.sparse_categorical_crossentropy", "keras.metrics.sparse_categorical_crossentropy")
def sparse_categorical_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Tensor:
    """The cross-entropy of class numbers.

    Args:
        y_true: Integers (batch, ...), perhaps with a last axis of size 1.
        y_pred: Probabilities (batch, ..., classes), which are made to sum to 1; or logits.
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A class number that counts for nothing, such as -1 or 255 for unlabelled pixels.
        axis: The axis of the classes.

    Returns:
        Tensor like `y_true`. Where `ignore_class` is given, it is 0 there and carries a mask.

    Raises:
        ValueError: If the shapes do not fit.

    >>> import hornbeam as keras
    >>> round(float(sparse_categorical_crossentropy([1], [[0.5, 0.5]])[0]), 3)
    0.693
    """
    where = "sparse_categorical_crossentropy"
    y_pred, y_true = floats(y_pred), _class_numbers(y_true)
    if not y_pred.shape:
        raise mismatch(y_true, y_pred, where)
    axis = _class_axis(axis, len(y_pred.shape), where)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    kept = None
    if ignore_class is not None:
        kept = ops.not_equal(y_true, ignore_class)
        y_true = ops.where(kept, y_true, ops.cast(0, y_true.dtype))
    expected = tuple(size for i, size in enumerate(y_pred.shape) if i != axis)
    if len(y_true.shape) != len(expected) or any(
        a != b and None not in (a, b) for a, b in zip(y_true.shape, expected, strict=True)
    ):
        raise mismatch(y_true, y_pred, where)
    loss = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    if kept is not None:
        loss = ops.where(kept, loss, ops.cast(0, loss.dtype))
        if not is_symbolic(loss):
            scope.set_mask(loss, kept)
    return loss


def _class_numbers(y_true: Any) -> Any:
    y_true = tensor(y_true)
    return y_true if dtypes.is_int(y_true.dtype) else ops.cast(y_true, "int32")


sparse_categorical_crossentropy.takes_class_numbers = True


@wire("keras.losses.categorical_generalized_cross_entropy")
def categorical_generalized_cross_entropy(y_true: TensorLike, y_pred: TensorLike, q: float) -> Tensor:
    """`(1 - p**q) / q` for the probability p of the true class: between cross-entropy and absolute error.

    Labels that are wrong do less harm. Z. Zhang and M. Sabuncu, "Generalized cross entropy loss for training deep
    neural networks with noisy labels", NeurIPS 2018.

    Args:
        y_true: Class numbers (batch, ...), perhaps with a last axis of size 1.
        y_pred: Probabilities (batch, ..., classes).
        q: From 0 (cross-entropy) to 1 (absolute error).

    Returns:
        Tensor like `y_true`.

    Raises:
        ValueError: If the shapes do not fit.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5)).tolist()
    [1.0]
    """
    y_pred, y_true = floats(y_pred), _class_numbers(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    if len(y_true.shape) != len(y_pred.shape) - 1:
        raise mismatch(y_true, y_pred, "categorical_generalized_cross_entropy")
    truth = ops.one_hot(y_true, y_pred.shape[-1], dtype=y_pred.dtype)
    check_broadcast(truth, y_pred, "categorical_generalized_cross_entropy")
    probability = ops.sum(ops.multiply(truth, y_pred), axis=-1)
    return ops.divide(ops.subtract(1.0, ops.power(probability, q)), q)


categorical_generalized_cross_entropy.takes_class_numbers = True


# --- focal losses ------------------------------------------------------------------------------------------------


@wire("keras.losses.binary_focal_crossentropy", "keras.metrics.binary_focal_crossentropy")
def binary_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: Any = -1,
) -> Tensor:
    """Cross-entropy of yes-or-no labels in which those already well predicted count little.

    T.-Y. Lin et al., "Focal loss for dense object detection", ICCV 2017.

    Args:
        y_true: Labels from 0 to 1 (batch, ..., n).
        y_pred: Probabilities of the same shape, or logits.
        apply_class_balancing: Whether yes counts `alpha` and no counts `1 - alpha`.
        alpha: The weight of yes.
        gamma: How strongly good predictions are discounted.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far labels are moved towards 1/2, from 0 to 1.
        axis: The axis, or axes, of the mean.

    Returns:
        Tensor (batch, ...).

    >>> import hornbeam as keras
    >>> round(float(binary_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 3)
    0.173
    """
    y_true, y_pred = pair(y_true, y_pred, "binary_focal_crossentropy")
    check_equal(y_true, y_pred, "binary_focal_crossentropy")
    y_true = _smoothed(y_true, label_smoothing, 2, "binary_focal_crossentropy")
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    wrong = ops.add(  # the probability of the other label
        ops.multiply(y_true, ops.subtract(1.0, y_pred)), ops.multiply(ops.subtract(1.0, y_true), y_pred)
    )
    loss = ops.multiply(ops.power(wrong, gamma), ops.binary_crossentropy(y_true, y_pred))
    if apply_class_balancing:
        weight = ops.add(ops.multiply(y_true, alpha), ops.multiply(ops.subtract(1.0, y_true), 1 - alpha))
        loss = ops.multiply(weight, loss)
    return ops.mean(loss, axis=axis)


@wire("keras.losses.categorical_focal_crossentropy", "keras.metrics.categorical_focal_crossentropy")
def categorical_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Cross-entropy of class probabilities in which those already well predicted count little.

    T.-Y. Lin et al., "Focal loss for dense object detection", ICCV 2017.

    Args:
        y_true: Probabilities (batch, ..., classes), such as one-hot labels.
        y_pred: Probabilities of the same shape, which are made to sum to 1; or logits.
        alpha: A factor, or one for each class.
        gamma: How strongly good predictions are discounted.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far labels are moved towards equal probabilities, from 0 to 1.
        axis: The axis of the classes.

    Returns:
        Tensor without `axis`.

    >>> import hornbeam as keras
    >>> round(float(categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
    0.0433
    """
    y_true, y_pred, axis = _class_pair(y_true, y_pred, axis, label_smoothing, "categorical_focal_crossentropy")
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    y_pred = ops.divide(y_pred, ops.sum(y_pred, axis=axis, keepdims=True))
    y_pred = ops.clip(y_pred, _config.epsilon(), 1.0 - _config.epsilon())
    entropy = ops.negative(ops.multiply(y_true, ops.log(y_pred)))
    weight = ops.multiply(ops.cast(alpha, y_pred.dtype), ops.power(ops.subtract(1.0, y_pred), gamma))
    return ops.sum(ops.multiply(weight, entropy), axis=axis)


# --- hinges ------------------------------------------------------------------------------------------------------


def _signs(y_true: Any) -> Any:
    """Labels -1 and 1, also for labels that are all 0 or 1."""
    zero, one = ops.equal(y_true, 0), ops.equal(y_true, 1)
    binary = ops.all(ops.logical_or(zero, one))
    return ops.where(binary, ops.subtract(ops.multiply(2.0, y_true), 1.0), y_true)


@wire("keras.losses.hinge", "keras.metrics.hinge")
def hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The mean of `max(0, 1 - y_true y_pred)` over the last axis.

    Args:
        y_true: Labels -1 and 1 (batch, ..., n), or all of them 0 and 1.
        y_pred: Predictions of the same shape.

    Returns:
        Tensor (batch, ...).

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(hinge([[-1.0, 1.0]], [[-2.0, 0.0]])).tolist()
    [0.5]
    """
    y_true, y_pred = pair(y_true, y_pred, "hinge")
    return ops.mean(_missing_margin(y_true, y_pred), axis=-1)


@wire("keras.losses.squared_hinge", "keras.metrics.squared_hinge")
def squared_hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The mean of `max(0, 1 - y_true y_pred)**2` over the last axis; arguments as in `hinge`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(squared_hinge([[-1.0, 1.0]], [[-2.0, 0.5]])).tolist()
    [0.125]
    """
    y_true, y_pred = pair(y_true, y_pred, "squared_hinge")
    return ops.mean(ops.square(_missing_margin(y_true, y_pred)), axis=-1)


def _missing_margin(y_true: Any, y_pred: Any) -> Any:
    return ops.maximum(ops.subtract(1.0, ops.multiply(_signs(y_true), y_pred)), 0.0)


@wire("keras.losses.categorical_hinge", "keras.metrics.categorical_hinge")
def categorical_hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """How much the score of the true class falls short of 1 more than the best of the others.

    Args:
        y_true: One-hot labels (batch, ..., classes).
        y_pred: Scores of the same shape.

    Returns:
        Tensor (batch, ...): `max(0, 1 + best wrong score - right score)`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(categorical_hinge([[0.0, 1.0]], [[0.25, 0.5]])).tolist()
    [0.75]
    """
    y_true, y_pred = pair(y_true, y_pred, "categorical_hinge")
    right = ops.sum(ops.multiply(y_true, y_pred), axis=-1)
    wrong = ops.max(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=-1)
    return ops.maximum(ops.add(ops.subtract(wrong, right), 1.0), 0.0)
