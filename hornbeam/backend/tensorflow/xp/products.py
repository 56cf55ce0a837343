"""Products of matrices and vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.xp.common import Tensor, paired, rank, sizes, widened
from hornbeam.backend.tensorflow.xp.shaping import moveaxis
from hornbeam.errors import ArgumentError


@paired
@widened
def matmul(x1: Tensor, x2: Tensor) -> Tensor:
    if not (rank(x1) and rank(x2)):
        raise ArgumentError("tensors with axes", f"shapes {x1.shape} and {x2.shape}", "matmul")
    if rank(x1) == 1 or rank(x2) == 1:
        row, column = rank(x1) == 1, rank(x2) == 1
        found = matmul(x1[None] if row else x1, x2[:, None] if column else x2)
        return tf.squeeze(found, [axis for axis, wanted in ((-2, row), (-1, column)) if wanted])
    if rank(x2) == 2 and rank(x1) > 2:
        return flat_matmul(x1, x2)
    return tf.matmul(x1, x2)


def flat_matmul(x: Tensor, matrix: Tensor) -> Tensor:
    """A product with one matrix along the last axis, as one product of matrices: far faster than many small ones."""
    *lead, size = sizes(x)
    product = tf.matmul(tf.reshape(x, [-1, size]), matrix)
    return tf.reshape(product, [*lead, sizes(matrix)[1]])


def tensordot(x1: Tensor, x2: Tensor, axes: Any = 2) -> Tensor:
    return widened(lambda one, two: tf.tensordot(one, two, axes))(x1, x2)


@paired
@widened
def dot(x1: Tensor, x2: Tensor) -> Tensor:
    if not rank(x1) or not rank(x2):
        return x1 * x2
    return tf.tensordot(x1, x2, [[rank(x1) - 1], [max(rank(x2) - 2, 0)]])


@paired
@widened
def inner(x1: Tensor, x2: Tensor) -> Tensor:
    if not rank(x1) or not rank(x2):
        return x1 * x2
    return tf.tensordot(x1, x2, [[rank(x1) - 1], [rank(x2) - 1]])


@paired
@widened
def outer(x1: Tensor, x2: Tensor) -> Tensor:
    return tf.reshape(x1, [-1])[:, None] * tf.reshape(x2, [-1])[None, :]


@paired
@widened
def vdot(x1: Tensor, x2: Tensor) -> Tensor:
    return tf.tensordot(tf.math.conj(tf.reshape(x1, [-1])), tf.reshape(x2, [-1]), 1)


def einsum(subscripts: str, *operands: Tensor, **_: Any) -> Tensor:
    return widened(lambda *ready: tf.einsum(subscripts, *ready))(*operands)


@paired
@widened
def kron(x1: Tensor, x2: Tensor) -> Tensor:
    count = max(rank(x1), rank(x2))
    one, two = ([1] * (count - rank(x)) + list(sizes(x)) for x in (x1, x2))
    apart = tf.reshape(x1, [part for size in one for part in (size, 1)]) * tf.reshape(
        x2, [part for size in two for part in (1, size)]
    )
    return tf.reshape(apart, [a * b for a, b in zip(one, two, strict=True)])


def cross(x1: Tensor, x2: Tensor, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    if axis is not None:
        axisa = axisb = axisc = axis
    x1, x2 = moveaxis(x1, axisa, -1), moveaxis(x2, axisb, -1)
    if x1.shape[-1] not in (2, 3) or x2.shape[-1] not in (2, 3):
        raise ArgumentError("vectors of 2 or 3 numbers", f"shapes {x1.shape} and {x2.shape}", "cross")
    flat = x1.shape[-1] == 2 and x2.shape[-1] == 2
    x1, x2 = (
        one if one.shape[-1] == 3 else tf.pad(one, [(0, 0)] * (rank(one) - 1) + [(0, 1)]) for one in (x1, x2)
    )
    (a, b, c), (d, e, f) = tf.unstack(x1, axis=-1), tf.unstack(x2, axis=-1)
    if flat:
        return a * e - b * d
    return moveaxis(tf.stack([b * f - c * e, c * d - a * f, a * e - b * d], -1), -1, axisc)


def correlate(x1: Tensor, x2: Tensor, mode: str = "valid") -> Tensor:
    # every placement of the second row over the first one, padded, is a row of a product
    first, second = x1.shape[0], x2.shape[0]
    padded = tf.pad(x1, [(second - 1, second - 1)])
    places = np.arange(first + second - 1)[:, None] + np.arange(second)
    full = tf.linalg.matvec(tf.gather(padded, places), tf.math.conj(x2))
    if mode == "full":
        return full
    longer, shorter = max(first, second), min(first, second)
    size = longer if mode == "same" else longer - shorter + 1
    start = shorter - 1 if mode == "valid" else (len(places) - size + (first < second)) // 2
    return full[start : start + size]
