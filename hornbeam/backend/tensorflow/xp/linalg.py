"""`numpy.linalg` over TensorFlow, on stacks of matrices."""

from __future__ import annotations

from typing import Any

from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.xp.common import Tensor, rank

cholesky, det, inv = tf.linalg.cholesky, tf.linalg.det, tf.linalg.inv
eig, eigh = tf.linalg.eig, tf.linalg.eigh


def solve(a: Tensor, b: Tensor) -> Tensor:
    if rank(b) == 1:
        return tf.linalg.solve(a, tf.broadcast_to(b, [*a.shape[:-2], b.shape[0]])[..., None])[..., 0]
    if a.shape[:-2] != b.shape[:-2]:
        lead = tf.broadcast_dynamic_shape(tf.shape(a)[:-2], tf.shape(b)[:-2])
        a = tf.broadcast_to(a, tf.concat([lead, tf.shape(a)[-2:]], 0))
        b = tf.broadcast_to(b, tf.concat([lead, tf.shape(b)[-2:]], 0))
    return tf.linalg.solve(a, b)


def slogdet(x: Tensor) -> Any:
    return tuple(tf.linalg.slogdet(x))


def qr(x: Tensor, mode: str = "reduced") -> Any:
    q, r = tf.linalg.qr(x, full_matrices=mode == "complete")
    return r if mode == "r" else (q, r)


def svd(x: Tensor, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    if not compute_uv:
        return tf.linalg.svd(x, compute_uv=False)
    values, left, right = tf.linalg.svd(x, full_matrices=full_matrices)
    return left, values, tf.linalg.adjoint(right)
