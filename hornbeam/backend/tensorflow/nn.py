"""The ops for which TensorFlow owns a better kernel than the plain form over `xp`: one table, at the end.

Each has the signature of the op's body and gets what that body would get: tensors or Python numbers, with arguments
completed where the op completes them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from hornbeam import _config
from hornbeam.backend.tensorflow import control, convolution, indexing
from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.xp.common import Tensor, at, rank, tensor, wider
from hornbeam.backend.tensorflow.xp.shaping import swapaxes

Axis = int | Sequence[int] | None


def _float(x: Any) -> Tensor:
    """`x` as a tensor of a float dtype: integers and bools become the default one."""
    x = tensor(x)
    return x if x.dtype.is_floating or x.dtype.is_complex else tf.cast(x, _config.floatx())


def _activation(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *args, **kwargs: function(_float(x), *args, **kwargs)


def relu(x: Any) -> Tensor:
    x = tensor(x)
    return tf.nn.relu(tf.cast(x, tf.int32) if x.dtype == tf.bool else x)


def _leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    return tf.nn.leaky_relu(x, negative_slope)


def _gelu(x: Tensor, approximate: bool = True) -> Tensor:
    return tf.nn.gelu(x, approximate)


def _along(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function along the last axis, for one axis or several."""

    def apply(x: Any, axis: Axis = -1) -> Tensor:
        x = _float(x)
        if axis is None:
            return tf.reshape(function(tf.reshape(x, [-1])), tf.shape(x))
        if isinstance(axis, int):
            place = at(axis, rank(x))
            return function(x) if place == rank(x) - 1 else swapaxes(function(swapaxes(x, place, -1)), place, -1)
        axes = [at(one, rank(x)) for one in axis]
        order = [one for one in range(rank(x)) if one not in axes] + axes
        moved = tf.transpose(x, order)
        flat = tf.reshape(moved, tf.concat([tf.shape(moved)[: rank(x) - len(axes)], [-1]], 0))
        found = tf.reshape(function(flat), tf.shape(moved))
        return tf.ensure_shape(tf.transpose(found, [order.index(one) for one in range(rank(x))]), x.shape)

    return apply


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    return tf.reduce_logsumexp(_float(x), list(axis) if isinstance(axis, tuple) else axis, keepdims)


def top_k(x: Tensor, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    dtype = x.dtype
    wide = wider(dtype, "b")
    values, indices = tf.math.top_k(x if wide is None else tf.cast(x, wide), k, sorted)
    return tf.cast(values, dtype), indices


def _segments(reduce: Callable[..., Tensor], nothing: float | None = None) -> Callable[..., Tensor]:
    def segment(data: Tensor, segment_ids: Tensor, num_segments: int, sorted: bool = False) -> Tensor:
        wide = wider(data.dtype, "bh")
        known = tf.where(segment_ids < num_segments, segment_ids, -1)  # what is out of range counts for nothing
        found = reduce(data if wide is None else tf.cast(data, wide), known, num_segments)
        if nothing is not None and data.dtype.is_floating:  # TensorFlow gives the largest finite number
            counts = tf.math.unsorted_segment_sum(tf.ones_like(known), known, num_segments)
            counts = tf.reshape(counts, [-1] + [1] * (rank(data) - 1))
            found = tf.where(counts == 0, tf.cast(nothing, found.dtype), found)
        return tf.cast(found, data.dtype)

    return segment


def solve_triangular(a: Tensor, b: Tensor, lower: bool = False) -> Tensor:
    dtype = a.dtype
    if dtype in (tf.float16, tf.bfloat16):
        a, b = tf.cast(a, tf.float32), tf.cast(b, tf.float32)
    vector = rank(b) == rank(a) - 1
    found = tf.linalg.triangular_solve(a, b[..., None] if vector else b, lower=lower)
    return tf.cast(found[..., 0] if vector else found, dtype)


OVERRIDES: dict[str, Callable[..., Any]] = {
    "relu": relu,
    "relu6": _activation(tf.nn.relu6),
    "leaky_relu": _activation(_leaky_relu),
    "selu": _activation(tf.nn.selu),
    "sigmoid": _activation(tf.sigmoid),
    "log_sigmoid": _activation(tf.math.log_sigmoid),
    "softplus": _activation(tf.nn.softplus),
    "softsign": _activation(tf.nn.softsign),
    "silu": _activation(tf.nn.silu),
    "gelu": _activation(_gelu),
    "softmax": _along(tf.nn.softmax),
    "log_softmax": _along(tf.nn.log_softmax),
    "erf": _activation(tf.math.erf),
    "erfc": _activation(tf.math.erfc),
    "rsqrt": _activation(tf.math.rsqrt),
    "top_k": top_k,
    "conv": convolution.conv,
    "depthwise_conv": convolution.depthwise_conv,
    "separable_conv": convolution.separable_conv,
    "conv_transpose": convolution.conv_transpose,
    "max_pool": convolution.max_pool,
    "average_pool": convolution.average_pool,
    "solve_triangular": solve_triangular,
    "segment_sum": _segments(tf.math.unsorted_segment_sum),
    "segment_prod": _segments(tf.math.unsorted_segment_prod),
    "segment_max": _segments(tf.math.unsorted_segment_max, -math.inf),
    "segment_min": _segments(tf.math.unsorted_segment_min, math.inf),
    "jvp": control.jvp,
    "view": indexing.view,
}
