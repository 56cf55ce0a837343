"""The look at labels before training, on the host: what it finds and what it leaves out; knows losses, no model."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import losses, tree
from hornbeam.errors import ArgumentError
from hornbeam.losses.loss import LossFunctionWrapper


def check_labels(loss: Any, y: Any, classes: int | None, output: str = "the model") -> None:
    """Checks labels that compiled code could not complain about; cheap, for arrays in memory.

    Args:
        loss: A loss, its name or its function; only hornbeam's own are checked, others may give NaN a meaning.
        y: The labels, a NumPy array; anything else is left unchecked.
        classes: The number of classes that the model tells apart, or None.
        output: Whose labels they are, in words, for the error.

    Raises:
        ValueError: For NaN, and for class numbers outside [0, classes) with sparse categorical losses; the text
            names the first such value and the number of classes.

    >>> check_labels("sparse_categorical_crossentropy", np.array([0, 7]), 3)
    Traceback (most recent call last):
    hornbeam.errors.ArgumentError: labels of the model: expected class numbers in [0, 3), got 7 at index 1. ...
    """
    if not isinstance(y, np.ndarray) or y.dtype.kind not in "iufb" or not y.size:
        return
    kind = _name_of_own_loss(loss)
    if kind is None:
        return
    if y.dtype.kind == "f" and np.isnan(y.min()):  # the minimum is NaN if any is
        where = np.argwhere(np.isnan(y))[0]
        raise ArgumentError("numbers", f"NaN at index {_index(where)}", f"labels of {output}")
    if kind != "sparse_categorical_crossentropy" or classes is None or y.dtype.kind == "b":
        return
    low, high = y.min(), y.max()
    if low >= 0 and high < classes:
        return
    wrong = (y < 0) | (y >= classes)
    ignored = loss.get_config().get("ignore_class") if isinstance(loss, losses.Loss) else None
    if ignored is not None:
        wrong &= y != ignored
    if wrong.any():
        where = np.argwhere(wrong)[0]
        raise ArgumentError(
            f"class numbers in [0, {classes})",
            f"{y[tuple(where)].item()!r} at index {_index(where)}",
            f"labels of {output}",
            f"The output has {classes} classes; number the labels from 0.",
        )


def _index(where: np.ndarray) -> str:
    return str(where[0]) if len(where) == 1 else str(tuple(int(one) for one in where))


def _name_of_own_loss(loss: Any) -> str | None:
    """The name of the function behind a loss of hornbeam's, or None for a loss of the user's."""
    if isinstance(loss, str):
        loss = losses.get(loss)
    function = loss.fn if isinstance(loss, LossFunctionWrapper) else loss
    if not getattr(function, "__module__", "").startswith("hornbeam.losses"):
        return None
    return getattr(function, "__name__", None)


def without_weightless(y: Any, sample_weight: Any) -> Any:
    """Labels, with zero wherever the weight is zero: labels without weight may be anything.

    Args:
        y: Labels, any nesting of arrays.
        sample_weight: One array of weights for all, or a nesting like that of the labels.

    >>> without_weightless(np.array([1, -1]), np.array([1.0, 0.0])).tolist()
    [1, 0]
    """

    def cleared(labels: Any, weights: Any) -> Any:
        if not all(isinstance(one, np.ndarray) for one in (labels, weights)) or weights.all():
            return labels
        common = min(labels.ndim, weights.ndim)
        if weights.shape[:common] != labels.shape[:common] or any(size != 1 for size in weights.shape[common:]):
            return labels
        weightless = weights.reshape(weights.shape[:common]) == 0
        labels = labels.copy()
        labels[weightless] = 0
        return labels

    flat_labels, description = tree.flatten_and_structure(y)
    flat_weights = tree.flatten(sample_weight)
    if len(flat_weights) == 1:
        flat_weights *= len(flat_labels)
    if len(flat_weights) != len(flat_labels):
        return y
    return tree.unflatten(description, [cleared(*pair) for pair in zip(flat_labels, flat_weights, strict=True)])
