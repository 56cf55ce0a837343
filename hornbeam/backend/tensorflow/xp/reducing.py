"""Over axes: sums, extremes, positions, moments; and running ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.xp.common import Axis, Tensor, all_at, at, rank, tensor, wider
from hornbeam.backend.tensorflow.xp.elementwise import maximum, minimum


def _axes(x: Tensor, axis: Axis) -> Any:
    return None if axis is None else all_at(axis, rank(x))


def sum(x: Tensor, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    return tf.reduce_sum(_wide(tensor(x, dtype)), _axes(x, axis), keepdims)


def _wide(x: Tensor) -> Tensor:
    # as NumPy adds up
    return x if x.dtype in (tf.uint32, tf.uint64) or (wide := wider(x.dtype, "biu")) is None else tf.cast(x, wide)


def prod(x: Tensor, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    return tf.reduce_prod(_wide(tensor(x, dtype)), _axes(x, axis), keepdims)


def mean(x: Tensor, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    if dtype is None and (x.dtype.is_integer or x.dtype == tf.bool):
        dtype = tf.float32
    return tf.reduce_mean(tensor(x, dtype), _axes(x, axis), keepdims)


def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    axes = _axes(x, axis)
    apart = x - tf.reduce_mean(x, axes, keepdims=True)
    size = tf.square(tf.abs(apart)) if x.dtype.is_complex else tf.square(apart)
    return tf.reduce_mean(size, axes, keepdims)


def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    return tf.sqrt(var(x, axis, keepdims))


def any(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    return tf.reduce_any(tensor(x, tf.bool), _axes(x, axis), keepdims)


def all(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    return tf.reduce_all(tensor(x, tf.bool), _axes(x, axis), keepdims)


def _extreme(reduce: Callable, of_bools: Callable, of_two: Callable) -> Callable:
    def extreme(x: Tensor, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Tensor:
        axes = _axes(x, axis)
        found = (of_bools if x.dtype == tf.bool else reduce)(x, axes, keepdims)
        return found if initial is None else of_two(found, initial)

    return extreme


max = amax = _extreme(tf.reduce_max, tf.reduce_any, maximum)
min = amin = _extreme(tf.reduce_min, tf.reduce_all, minimum)


def _position(find: Callable, worst: float) -> Callable:
    def position(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
        count = rank(x)
        if axis is None:
            x = tf.reshape(x, [-1])
        place = 0 if axis is None else at(axis, count)
        if x.dtype == tf.bool:
            x = tf.cast(x, tf.int32)
        found = find(x, place, tf.int32)
        if x.dtype.is_floating:  # the first NaN wins
            nan = tf.math.is_nan(x)
            found = tf.where(tf.reduce_any(nan, place), tf.argmax(nan, place, tf.int32), found)
        if not keepdims:
            return found
        return tf.expand_dims(found, place) if axis is not None else tf.reshape(found, [1] * count)

    return position


argmax, argmin = _position(tf.argmax, -math.inf), _position(tf.argmin, math.inf)


def _running(function: Callable) -> Callable:
    def running(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
        x = tensor(x, dtype)
        if axis is None:
            x, axis = tf.reshape(x, [-1]), 0
        wide = wider(x.dtype, "biu")
        found = function(x if wide is None else tf.cast(x, wide), at(axis, rank(x)))
        return found if wide is None else tf.cast(found, x.dtype)

    return running


cumsum, cumprod = _running(tf.math.cumsum), _running(tf.math.cumprod)


def diff(x: Tensor, n: int = 1, axis: int = -1) -> Tensor:
    axis = at(axis, rank(x))
    for _ in range(n):
        before = (slice(None),) * axis
        later, earlier = x[(*before, slice(1, None))], x[(*before, slice(None, -1))]
        x = later != earlier if x.dtype == tf.bool else later - earlier
    return x


def trapezoid(y: Tensor, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    axis = at(axis, rank(y))
    before = (slice(None),) * axis
    if x is None:
        steps = tf.cast(dx, y.dtype)
    elif rank(x) == 1:
        steps = tf.reshape(diff(x), [-1] + [1] * (rank(y) - axis - 1))
    else:
        steps = diff(x, axis=axis)
    pairs = y[(*before, slice(1, None))] + y[(*before, slice(None, -1))]
    return tf.reduce_sum(steps * pairs, axis) / tf.cast(2, y.dtype)


def corrcoef(x: Tensor) -> Tensor:
    apart = x - tf.reduce_mean(x, -1, keepdims=True)
    rows = apart if rank(x) > 1 else apart[None]
    matrix = tf.matmul(rows, rows, adjoint_b=True)
    size = tf.sqrt(tf.linalg.diag_part(matrix))
    found = matrix / size[:, None] / size[None, :]
    return found if rank(x) > 1 else found[0, 0]


def bincount(x: Tensor, weights: Any = None, minlength: int = 0) -> Tensor:
    x = tf.reshape(x, [-1])
    length = tf.maximum(tf.reduce_max(tf.concat([x, [-1]], 0)) + 1, minlength)
    counted = tf.ones_like(x, tf.int32) if weights is None else weights
    return tf.math.unsorted_segment_sum(counted, x, length)


def histogram(x: Tensor, bins: Any = 10) -> tuple[Tensor, Tensor]:
    edges = _equal_edges(x, bins) if isinstance(bins, int) else bins
    low, high, count = edges[0], edges[-1], edges.shape[0] - 1
    place = tf.searchsorted(edges, x, side="right") - 1
    place = tf.where(x == high, count - 1, place)
    inside = (x >= low) & (x <= high)
    counts = tf.math.unsorted_segment_sum(tf.cast(inside, tf.int32), tf.where(inside, place, 0), count)
    return counts, edges


def _equal_edges(x: Tensor, bins: int) -> Tensor:
    low, high = tf.reduce_min(x), tf.reduce_max(x)
    low, high = tf.where(low == high, low - 0.5, low), tf.where(low == high, high + 0.5, high)
    edges = low + (high - low) / bins * tf.range(bins + 1, dtype=x.dtype)
    return tf.concat([edges[:-1], [high]], 0)


