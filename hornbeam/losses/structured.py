"""Losses of whole masks, sequences and sets of embeddings, as functions."""

from __future__ import annotations

from typing import Any

from hornbeam import _config, ops, scope
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.losses.shapes import as_dtype, check_equal, floats, pair, tensor
from hornbeam.ops.define import Tensor, TensorLike
from hornbeam.symbolic import is_symbolic


@wire("keras.losses.dice")
def dice(y_true: TensorLike, y_pred: TensorLike, axis: Any = None) -> Tensor:
    """1 minus the share of two masks that overlaps (L. R. Dice, Ecology 26, 1945).

    Args:
        y_true: A mask of values from 0 to 1.
        y_pred: The predicted mask of the same shape.
        axis: The axis or axes of one mask; None takes all elements as one.

    Returns:
        A scalar, or a tensor without `axis`: 0 for equal masks of 0 and 1, 1 for masks without overlap.

    >>> round(float(dice([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])), 4)
    0.3333
    """
    y_true, y_pred = pair(y_true, y_pred, "dice")
    check_equal(y_true, y_pred, "dice")
    both = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    sizes = ops.add(ops.sum(y_true, axis=axis), ops.sum(y_pred, axis=axis))
    return ops.subtract(1.0, ops.divide(ops.multiply(2.0, both), ops.add(sizes, _config.epsilon())))


@wire("keras.losses.tversky")
def tversky(y_true: TensorLike, y_pred: TensorLike, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Tensor:
    """Like `dice`, with weights of their own for what is missed and for what is too much.

    S. S. M. Salehi et al., "Tversky loss function for image segmentation", 2017.

    Args:
        y_true: A mask of values from 0 to 1.
        y_pred: The predicted mask of the same shape.
        alpha: The weight of what only `y_true` has. (In the paper it is the other way round; this is Keras's.)
        beta: The weight of what only `y_pred` has.
        axis: The axis or axes of one mask; None takes all elements as one.

    Returns:
        A scalar, or a tensor without `axis`.

    >>> round(float(tversky([1.0, 1.0, 0.0], [1.0, 0.0, 0.0], alpha=1.0)), 4)
    0.5
    """
    y_true, y_pred = pair(y_true, y_pred, "tversky")
    check_equal(y_true, y_pred, "tversky")
    both = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    missed = ops.sum(ops.multiply(y_true, ops.subtract(1.0, y_pred)), axis=axis)
    too_much = ops.sum(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=axis)
    errors = ops.add(ops.multiply(alpha, missed), ops.multiply(beta, too_much))
    return ops.subtract(1.0, ops.divide(both, ops.add(ops.add(both, errors), _config.epsilon())))


@wire("keras.losses.ctc")
def ctc(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Connectionist temporal classification: how unlikely a label sequence is, however it lies in time.

    A. Graves et al., "Connectionist temporal classification", ICML 2006.

    Args:
        y_true: Class numbers (batch, labels); 0 is the blank and fills up short sequences.
        y_pred: Logits (batch, time, classes).

    Returns:
        Tensor (batch,).

    Raises:
        ValueError: If a rank is wrong or the batch sizes differ.
    """
    y_true, y_pred = tensor(y_true), floats(y_pred)
    if len(y_true.shape) != 2 or len(y_pred.shape) != 3 or y_true.shape[0] not in (y_pred.shape[0], None):
        raise ArgumentError(
            "y_true of shape (batch, labels) and y_pred of shape (batch, time, classes)",
            f"y_true.shape={tuple(y_true.shape)} and y_pred.shape={tuple(y_pred.shape)}", "ctc",
        )
    y_true = as_dtype(y_true, "int32")
    label_lengths = ops.sum(ops.cast(ops.not_equal(y_true, 0), "int32"), axis=1)
    time = ops.multiply(ops.ones_like(label_lengths), y_pred.shape[1])
    return ops.ctc_loss(y_true, y_pred, label_lengths, time, mask_index=0)


@wire("keras.losses.circle")
def circle(
    y_true: TensorLike,
    y_pred: TensorLike,
    ref_labels: TensorLike | None = None,
    ref_embeddings: TensorLike | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """Draws embeddings of one class together and those of different classes apart.

    Y. Sun et al., "Circle loss: a unified perspective of pair similarity optimization", CVPR 2020.

    Args:
        y_true: Class numbers (batch,).
        y_pred: Embeddings (batch, size), of length 1.
        ref_labels: Class numbers (others,) to compare with; None is `y_true`.
        ref_embeddings: Their embeddings (others, size); None is `y_pred`.
        remove_diagonal: Whether pair (i, i) is no pair, as it has to be where embeddings are compared with themselves.
        gamma: The scale of the similarities.
        margin: How far similarities are to be from 1 and 0.

    Returns:
        Tensor (batch,), with a mask: 0 where a member has no pair of its class, or none of another class.

    Raises:
        ValueError: If the shapes do not fit.

    >>> float(circle([0, 1], [[1.0, 0.0], [0.0, 1.0]])[0])
    0.0
    """
    y_pred = floats(y_pred)
    dtype = y_pred.dtype
    labels = _labels(y_true, y_pred, "y_true")
    others = y_pred if ref_embeddings is None else as_dtype(ref_embeddings, dtype)
    other_labels = labels if ref_labels is None else _labels(ref_labels, others, "ref_labels")
    similarity = ops.minimum(ops.matmul(y_pred, ops.transpose(others)), 1.0)
    same = ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(other_labels, 0))
    positive, negative = same, ops.logical_not(same)
    if remove_diagonal:
        rows, columns = similarity.shape
        positive = ops.logical_and(positive, ops.logical_not(ops.eye(rows, columns, dtype="bool")))
    # each similarity is weighted by its distance from where it should be; as in Keras, gradients flow through both
    pull = ops.maximum(ops.subtract(1.0 + margin, similarity), 0.0)
    push = ops.maximum(ops.add(similarity, margin), 0.0)
    positives = ops.multiply(ops.multiply(-gamma, pull), ops.subtract(similarity, 1.0 - margin))
    negatives = ops.multiply(ops.multiply(gamma, push), ops.subtract(similarity, margin))
    total = ops.add(_logsumexp(positives, positive), _logsumexp(negatives, negative))
    paired = ops.logical_and(ops.any(positive, axis=1), ops.any(negative, axis=1))
    loss = ops.where(paired, ops.softplus(total), ops.cast(0, dtype))
    if not is_symbolic(loss):
        scope.set_mask(loss, paired)
    return loss


def _labels(labels: Any, embeddings: Any, what: str) -> Any:
    labels = as_dtype(labels, "int32")
    if len(labels.shape) == 2 and labels.shape[1] == 1:
        labels = ops.squeeze(labels, 1)
    if len(labels.shape) != 1 or len(embeddings.shape) != 2 or labels.shape[0] not in (embeddings.shape[0], None):
        raise ArgumentError(
            f"{what} of shape (n,) and embeddings of shape (n, size)",
            f"{what}.shape={tuple(labels.shape)} and embeddings.shape={tuple(embeddings.shape)}", "circle",
        )
    return labels


def _logsumexp(values: Any, mask: Any) -> Any:
    # a large negative number, and not minus infinity, which would make gradients NaN in rows without a pair
    lowest = ops.cast(-1e4, values.dtype)
    return ops.logsumexp(ops.where(mask, values, lowest), axis=1)
