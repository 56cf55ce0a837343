"""`pad`: more elements around a tensor, in all of NumPy's ways."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.xp import ordering, reducing
from hornbeam.backend.tensorflow.xp.common import Tensor, rank
from hornbeam.errors import ArgumentError


def pad(x: Tensor, widths: Any, mode: str = "constant", constant_values: Any = 0) -> Tensor:
    if isinstance(widths, int):
        widths = [(widths, widths)] * rank(x)
    elif len(widths) == 1 and rank(x) > 1:
        widths = list(widths) * rank(x)
    if mode == "constant":
        return tf.pad(x, widths, constant_values=constant_values)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = _padded(x, axis, before, after, mode)
    return x


def _padded(x: Tensor, axis: int, before: int, after: int, mode: str) -> Tensor:
    """Other modes, along one axis: each new element is one of the old, or a function of the axis as a whole."""
    size = x.shape[axis]
    if mode in ("edge", "reflect", "symmetric", "wrap"):
        if size is None:
            raise ArgumentError("an axis of known size", f"shape={tuple(x.shape)}", f"pad with mode={mode!r}")
        return tf.gather(x, np.pad(np.arange(size), (before, after), mode=mode), axis=axis)
    if mode == "linear_ramp":
        first, last = (tf.gather(x, [place], axis=axis) for place in (0, size - 1))
        shape = [-1] + [1] * (rank(x) - axis - 1)
        rising = tf.reshape(tf.range(before, dtype=tf.float32) / max(before, 1), shape)
        falling = tf.reshape(tf.range(after - 1, -1, -1, dtype=tf.float32) / max(after, 1), shape)
        parts = [tf.cast(first, tf.float32) * rising, tf.cast(last, tf.float32) * falling]
        low, high = (tf.cast(one if x.dtype.is_floating else tf.floor(one), x.dtype) for one in parts)
        return tf.concat([low, x, high], axis)
    statistic = {"maximum": reducing.max, "minimum": reducing.min, "mean": _mean_like, "median": ordering.median}[mode]
    filler = statistic(x, axis=axis, keepdims=True)
    filler = tf.cast(tf.round(filler) if not x.dtype.is_floating and filler.dtype.is_floating else filler, x.dtype)
    return tf.concat([tf.repeat(filler, before, axis), x, tf.repeat(filler, after, axis)], axis)


def _mean_like(x: Tensor, axis: int, keepdims: bool) -> Tensor:
    return tf.reduce_mean(x if x.dtype.is_floating else tf.cast(x, tf.float32), axis, keepdims)
