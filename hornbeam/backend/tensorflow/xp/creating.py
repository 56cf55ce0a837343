"""New tensors: filled ones, ranges, equal steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.xp.common import Tensor, numpy_dtype, rank, tensor
from hornbeam.backend.tensorflow.xp.shaping import moveaxis


def asarray(x: Any, dtype: Any = None) -> Tensor:
    return tensor(x, None if dtype is None else tf.as_dtype(dtype))


def array(x: Any, dtype: Any = None, copy: bool = True) -> Tensor:
    x = asarray(x, dtype)
    return tf.identity(x) if copy else x


def _shape(shape: Any) -> Any:
    return [shape] if isinstance(shape, int) else shape


def zeros(shape: Any, dtype: Any = tf.float32) -> Tensor:
    return tf.zeros(_shape(shape), tf.as_dtype(dtype))


def ones(shape: Any, dtype: Any = tf.float32) -> Tensor:
    return tf.ones(_shape(shape), tf.as_dtype(dtype))


empty = zeros


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    return tf.broadcast_to(_filler(fill_value, dtype), _shape(shape))


def _filler(value: Any, dtype: Any) -> Tensor:
    # a number that the dtype does not hold is cut off, as in NumPy
    value = tensor(value)
    return value if dtype is None else tf.cast(value, dtype)


def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    return tf.zeros_like(x, dtype)


def ones_like(x: Any, dtype: Any = None) -> Tensor:
    return tf.ones_like(x, dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    x = tensor(x)
    return tf.broadcast_to(_filler(fill_value, x.dtype if dtype is None else dtype), tf.shape(x))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Tensor:
    if stop is None:
        start, stop = 0, start
    numbers = (start, stop, step)
    if not any(isinstance(one, Tensor) for one in numbers):
        if dtype is None:
            dtype = tf.float32 if any(isinstance(one, float) for one in numbers) else tf.int32
        return tf.constant(np.arange(start, stop, step).astype(numpy_dtype(dtype)))
    if dtype is None:
        dtype = next(one.dtype for one in numbers if isinstance(one, Tensor))
    dtype = tf.as_dtype(dtype)
    wide = tf.float32 if dtype.is_floating else tf.int64
    if dtype in (tf.int32, tf.int64, tf.float32, tf.float64):
        wide = dtype
    floats = [isinstance(one, float) or (isinstance(one, Tensor) and one.dtype.is_floating) for one in numbers]
    if wide.is_integer and any(floats):
        wide = tf.float32  # the steps are counted before they are cut off
    return tf.cast(tf.range(*(tf.cast(one, wide) for one in numbers)), dtype)


def linspace(
    start: Tensor, stop: Tensor, num: int, endpoint: bool = True, retstep: bool = False, axis: int = 0
) -> Any:
    start, stop = start + tf.zeros_like(stop), stop + tf.zeros_like(start)
    parts = num - 1 if endpoint else num
    step = (stop - start) / tf.cast(parts, start.dtype) if parts > 0 else start * np.nan
    places = tf.reshape(tf.range(num, dtype=start.dtype), [-1] + [1] * rank(start))
    points = start + places * step if parts > 0 else start + 0 * places
    if endpoint and num > 1:
        points = tf.concat([points[:-1], stop[None]], 0)
    points = moveaxis(points, 0, axis)
    return (points, step) if retstep else points


def logspace(start: Tensor, stop: Tensor, num: int, endpoint: bool = True, base: Any = 10.0, axis: int = 0) -> Tensor:
    points = linspace(start, stop, num, endpoint, axis=axis)
    return tf.pow(tf.cast(base, points.dtype), points)


def geomspace(start: Tensor, stop: Tensor, num: int, endpoint: bool = True, axis: int = 0) -> Tensor:
    signs = tf.sign(start)
    first, last = tf.abs(start), tf.abs(stop)
    points = tf.exp(linspace(tf.math.log(first), tf.math.log(last), num, endpoint, axis=0))
    rows = [first[None] + tf.zeros_like(points[:1]), points[1:]]
    if endpoint and num > 1:  # both ends exact
        rows = [rows[0], points[1:-1], last[None] + tf.zeros_like(points[:1])]
    return moveaxis(signs * tf.concat(rows, 0), 0, axis)


def kaiser(count: int, beta: float) -> Tensor:
    return tf.constant(np.kaiser(count, beta))
