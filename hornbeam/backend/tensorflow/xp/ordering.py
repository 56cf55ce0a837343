"""Order: sorting, searching, distinct values, quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.xp.common import Axis, Tensor, all_at, at, pair, rank, sizes
from hornbeam.backend.tensorflow.xp.shaping import moveaxis, swapaxes, take_along_axis


def _keys(x: Tensor) -> Tensor:
    """Signed integers in the order of `x`: NaN comes last, both zeros are equal. TensorFlow orders no NaN."""
    if x.dtype.is_floating:
        x = x if x.dtype == tf.float64 else tf.cast(x, tf.float32)
        kind, bits = (tf.int64, 63) if x.dtype == tf.float64 else (tf.int32, 31)
        pattern = tf.bitcast(tf.where(x == 0, tf.zeros_like(x), x), kind)
        negative = tf.bitwise.right_shift(pattern, tf.constant(bits, kind))  # all ones below zero
        keys = tf.bitwise.bitwise_xor(pattern, tf.bitwise.bitwise_and(negative, tf.constant(kind.max, kind)))
        return tf.where(tf.math.is_nan(x), tf.constant(kind.max, kind), keys)
    if x.dtype == tf.uint64:
        return tf.bitcast(tf.bitwise.bitwise_xor(x, tf.constant(1 << 63, tf.uint64)), tf.int64)
    return tf.cast(x, tf.int64 if x.dtype in (tf.uint32, tf.int64) else tf.int32)


def argsort(x: Tensor, axis: int | None = -1, stable: bool = True) -> Tensor:
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    axis = at(axis, rank(x))
    keys = tf.bitwise.invert(swapaxes(_keys(x), axis, -1))  # rising, since the largest come first; ties in order
    return swapaxes(tf.math.top_k(keys, sizes(keys)[-1]).indices, axis, -1)


def sort(x: Tensor, axis: int | None = -1) -> Tensor:
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    axis = at(axis, rank(x))
    return take_along_axis(x, argsort(x, axis), axis)


def argpartition(x: Tensor, kth: Any, axis: int | None = -1) -> Tensor:
    return argsort(x, axis)


def searchsorted(sequence: Tensor, values: Any, side: str = "left") -> Tensor:
    sequence, values = pair(sequence, values)
    if sequence.dtype not in (tf.float32, tf.float64, tf.int32, tf.int64) or sequence.dtype.is_floating:
        sequence, values = _keys(sequence), _keys(values)
    found = tf.searchsorted(sequence, tf.reshape(values, [-1]), side=side)
    return tf.reshape(found, tf.shape(values) if None in values.shape else values.shape)


def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Tensor:
    x1, x2 = pair(x1, x2)
    found = tf.reduce_any(x1[..., None] == tf.reshape(x2, [-1]), -1)
    return tf.logical_not(found) if invert else found


def unique(
    x: Tensor,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    rows = tf.reshape(x, [-1]) if axis is None else moveaxis(x, axis, 0)
    if axis is None or rank(rows) == 1:
        order = argsort(rows)
    else:  # by the last column first: the order of all rows is that of their first difference
        flat = tf.reshape(rows, [sizes(rows)[0], -1])
        order = tf.range(sizes(rows)[0])
        for column in range(flat.shape[1] - 1, -1, -1):
            order = tf.gather(order, argsort(tf.gather(flat[:, column], order)))
    ordered = tf.gather(rows, order)
    keys = _keys(ordered)
    changed = keys[1:] != keys[:-1]
    if rank(rows) > 1:
        changed = tf.reduce_any(tf.reshape(changed, [tf.shape(changed)[0], -1]), 1)
    first = tf.concat([tf.ones_like(tf.shape(rows)[:1], tf.bool)[: tf.shape(rows)[0]], changed], 0)
    starts = tf.cast(tf.where(first)[:, 0], tf.int32)
    values = tf.gather(ordered, starts)
    group = tf.cumsum(tf.cast(first, tf.int32)) - 1
    if size is not None:
        values = _resized(values, size, values[:1] if fill_value is None else tf.cast(fill_value, x.dtype))
    results = [values if axis is None else moveaxis(values, 0, axis)]
    if return_index:
        found = tf.gather(order, starts)
        results.append(found if size is None else _resized(found, size, found[:1]))
    if return_inverse:
        inverse = tf.scatter_nd(order[:, None], group, tf.shape(order))
        results.append(tf.reshape(inverse, tf.shape(x)) if axis is None else inverse)
    if return_counts:
        found = tf.math.unsorted_segment_sum(tf.ones_like(group), group, tf.shape(starts)[0])
        results.append(found if size is None else _resized(found, size, tf.constant(0)))
    return tuple(results) if len(results) > 1 else results[0]


def _resized(rows: Tensor, size: int, filler: Tensor) -> Tensor:
    """The first `size` rows, with `filler` for those that are missing."""
    rows = rows[:size]
    missing = size - tf.shape(rows)[0]
    found = tf.concat([rows, tf.broadcast_to(filler, tf.concat([[missing], tf.shape(rows)[1:]], 0))], 0)
    return tf.ensure_shape(found, [size, *rows.shape[1:]])


def quantile(x: Tensor, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    return _quantile(x, q, axis, method, keepdims, skip=False)


def nanquantile(x: Tensor, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    return _quantile(x, q, axis, method, keepdims, skip=True)


def median(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    return _quantile(x, 0.5, axis, "midpoint", keepdims, skip=False)


def nanmedian(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    return _quantile(x, 0.5, axis, "midpoint", keepdims, skip=True)


def _quantile(x: Tensor, q: Any, axis: Axis, method: str, keepdims: bool, skip: bool) -> Tensor:
    """Quantiles along axes; `skip` leaves NaN out, else it wins."""
    if not x.dtype.is_floating:
        x = tf.cast(x, tf.float32)
    dtype, axes, count = x.dtype, all_at(axis, rank(x)), rank(x)
    wide = tf.float64 if dtype == tf.float64 else tf.float32
    q = tf.cast(q, wide)
    rest = [one for one in range(count) if one not in axes]
    kept = [sizes(x)[one] for one in rest]
    rows = tf.reshape(tf.transpose(x, [*rest, *axes]), [*kept, -1])
    rows = sort(rows, -1)
    nan = tf.math.is_nan(rows)
    numbers = sizes(rows)[-1] - tf.reduce_sum(tf.cast(nan, tf.int32), -1, keepdims=True) if skip else sizes(rows)[-1]
    last = tf.cast(numbers, wide) - 1
    place = tf.reshape(q, [-1] + [1] * (len(kept) + 1)) * last  # [q, ..., 1]
    low = tf.floor(place)
    high = tf.math.ceil(place)
    nearest = tf.round(place)
    share = {"linear": place - low, "midpoint": 0.5 * tf.cast(high > low, wide)}.get(method)

    def values(at_place: Tensor) -> Tensor:
        at_place = tf.cast(tf.maximum(tf.minimum(at_place, last), 0), tf.int32)
        wanted = tf.broadcast_to(at_place, [tf.size(q), *kept, 1])
        several = tf.broadcast_to(rows[None], [tf.size(q), *kept, sizes(rows)[-1]])
        return tf.cast(tf.gather(several, wanted, batch_dims=len(kept) + 1)[..., 0], wide)

    if share is None:
        found = values({"lower": low, "higher": high, "nearest": nearest}[method])
    else:
        below, above, share = values(low), values(high), share[..., 0]
        found = tf.where(share == 0, below, below + (above - below) * share)
    missing = tf.reduce_all(nan, -1) if skip else tf.reduce_any(nan, -1)
    found = tf.where(missing, tf.constant(np.nan, wide), found)
    found = tf.cast(found, dtype)
    if keepdims:
        found = tf.reshape(found, [tf.size(q), *(1 if one in axes else size for one, size in enumerate(sizes(x)))])
    shape = found.shape[1:]
    found = tf.reshape(found, tf.concat([tf.shape(q), tf.shape(found)[1:]], 0))
    return tf.ensure_shape(found, q.shape.concatenate(shape))


