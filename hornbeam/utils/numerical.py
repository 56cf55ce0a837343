"""Class numbers to one-hot rows, and rows to unit length."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """One-hot rows of class numbers, such as `categorical_crossentropy` takes.

    Args:
        x: Integers from 0 to `num_classes - 1`, shape `(...)` or `(..., 1)`. A tensor of the backend gives a
            tensor back, all else a NumPy array.
        num_classes: The number of classes; the largest number in `x` plus one if None.

    Returns:
        Ones and zeros, shape `(..., num_classes)`, dtype float64 (float32 for a tensor of the backend).

    Raises:
        ValueError: If a number is not an integer or not within the classes.

    >>> to_categorical([0, 2, 1])
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]])
    """
    is_tensor = backend.is_array(x) and not isinstance(x, np.ndarray)
    labels = np.asarray(backend.to_numpy(x) if is_tensor else x)
    if labels.dtype.kind not in "biuf":
        raise ArgumentError("class numbers", f"dtype={labels.dtype}", "to_categorical", "Map names to numbers first.")
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.floor(labels)):
        raise ArgumentError("whole numbers", "fractions or NaN", "to_categorical")
    labels = labels.astype("int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if not num_classes:
        if labels.size == 0:
            raise ArgumentError(
                "at least one class number", f"shape={labels.shape}", "to_categorical", "Give num_classes."
            )
        num_classes = int(labels.max()) + 1
    if labels.size and (labels.min() < 0 or labels.max() >= num_classes):
        wrong = int(labels.min()) if labels.min() < 0 else int(labels.max())
        raise ArgumentError(
            f"class numbers from 0 to {num_classes - 1}",
            str(wrong),
            "to_categorical",
            "Count classes from 0, or give a larger num_classes.",
        )
    rows = np.zeros((labels.size, num_classes))
    rows[np.arange(labels.size), labels.ravel()] = 1.0
    rows = rows.reshape(labels.shape + (num_classes,))
    return backend.asarray(rows, "float32") if is_tensor else rows


def normalize(x: Any, axis: int | tuple[int, ...] | None = -1, order: int = 2) -> Any:
    """Scales `x` so that its norm along `axis` is one; a norm of zero leaves zeros.

    Args:
        x: Numbers of any shape; integers are taken as float64. A tensor of the backend gives a tensor back,
            all else a NumPy array.
        axis: The axis whose values form one vector.
        order: The order p of the norm `sum(|x| ** p) ** (1 / p)`, an integer from 1.

    Returns:
        An array shaped like `x`.

    Raises:
        ValueError: If `order` is not an integer from 1.

    >>> normalize([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    if isinstance(order, bool) or not isinstance(order, (int, np.integer)) or order < 1:
        raise ArgumentError("an integer order from 1", f"order={order!r}", "normalize")
    is_tensor = backend.is_array(x) and not isinstance(x, np.ndarray)
    values = np.atleast_1d(np.asarray(backend.to_numpy(x) if is_tensor else x))
    if values.dtype.kind not in "biuf" and "float" not in values.dtype.name:
        raise ArgumentTypeError("real numbers", f"dtype={values.dtype}", "normalize")
    if values.dtype.kind in "biu":
        values = values.astype("float64")
    # The largest magnitude is taken out first, so that large and tiny values keep a finite norm.
    largest = np.max(np.abs(values), axis=axis, keepdims=True) if values.size else np.ones(1)
    scaled = values / np.where(largest == 0, 1, largest)
    norm = np.sum(np.abs(scaled) ** order, axis=axis, keepdims=True) ** (1.0 / order)
    result = (scaled / np.where(norm == 0, 1, norm)).astype(values.dtype)
    return backend.asarray(result, str(result.dtype)) if is_tensor else result
