"""Brackets with all that NumPy allows in them, writing at positions, and other dtypes for the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.xp.common import Tensor, rank, sizes, tensor
from hornbeam.backend.tensorflow.xp.shaping import moveaxis, wrapped
from hornbeam.dtypes import standardize_dtype
from hornbeam.errors import ArgumentError


def get_item(x: Any, key: Any) -> Tensor:
    """`x[key]`, where `key` may hold integer and boolean tensors, as in NumPy."""
    x = tensor(x)
    parts = list(key) if isinstance(key, (tuple, list)) else [key]
    if all(_is_simple(one) for one in parts):
        _check(x, parts)
        return x[tuple(parts)]
    parts = _spread(x, parts)
    # slices, new axes and single numbers first; what picks by tensors after them
    simple = [slice(None) if _picks(one) else one for one in parts]
    picks, axis = [], 0
    for one in parts:
        if _picks(one):
            picks.append((axis, one))
        axis += not isinstance(one, (int, np.integer))
    result = x[tuple(simple)]
    if len(picks) == 1:
        axis, indices = picks[0]
        return tf.gather(result, wrapped(indices, sizes(result)[axis]), axis=axis)
    axes = [axis for axis, _ in picks]
    indices = [tensor(wrapped(one, sizes(result)[axis])) for axis, one in picks]
    indices = [tf.cast(one, tf.int32) for one in indices]
    shape = indices[0]
    for one in indices[1:]:
        shape = shape + tf.zeros_like(one)
    together = tf.stack([one + tf.zeros_like(shape) for one in indices], -1)
    found = tf.gather_nd(moveaxis(result, axes, list(range(len(axes)))), together)
    # side by side, their axes stay in place; apart, they come first
    places = [i for i, one in enumerate(parts) if _picks(one) or isinstance(one, (int, np.integer))]
    if places != list(range(places[0], places[-1] + 1)) or axes[0] == 0:
        return found
    count = rank(shape)
    return moveaxis(found, list(range(count)), [axes[0] + i for i in range(count)])


def _is_simple(one: Any) -> bool:
    if isinstance(one, Tensor):
        return not rank(one) and one.dtype.is_integer
    return one is None or one is Ellipsis or (isinstance(one, (slice, int, np.integer)) and not isinstance(one, bool))


def _picks(one: Any) -> bool:
    return isinstance(one, (Tensor, np.ndarray, list))


def _check(x: Tensor, parts: list[Any]) -> None:
    named = sum(one is not None and one is not Ellipsis for one in parts)
    if named > rank(x):
        raise ArgumentError(f"at most {rank(x)} indices", f"{named}", f"[] of a tensor of shape={tuple(x.shape)}")
    if Ellipsis in [one for one in parts if not isinstance(one, Tensor)]:
        return
    axis = 0
    for one in parts:
        if isinstance(one, int) and x.shape[axis] is not None and not -x.shape[axis] <= one < x.shape[axis]:
            raise IndexError(f"expected an index in [{-x.shape[axis]}, {x.shape[axis]}), got {one} for axis {axis}")
        axis += one is not None


def _spread(x: Tensor, parts: list[Any]) -> list[Any]:
    """The parts with booleans as positions, and slices in the place of an ellipsis."""
    ready: list[Any] = []
    for one in parts:
        one = np.asarray(one) if isinstance(one, list) else one
        if isinstance(one, (Tensor, np.ndarray)) and standardize_dtype(one.dtype) == "bool":
            ready.extend(tf.unstack(tf.where(one), len(one.shape), axis=1))
        else:
            ready.append(one)
    places = [i for i, one in enumerate(ready) if one is Ellipsis]
    if places:
        used = sum(one is not None and one is not Ellipsis for one in ready)
        ready[places[0] : places[0] + 1] = [slice(None)] * (rank(x) - used)
    return ready


def view(x: Tensor, dtype: Any = None) -> Tensor:
    """The bits of `x` read as another dtype; the last axis grows or shrinks with the size of the dtype."""
    if dtype is None:
        return x
    wanted = tf.as_dtype(standardize_dtype(dtype))
    if tf.bool in (wanted, x.dtype):
        x = tf.cast(x, tf.uint8) if x.dtype == tf.bool else x
        return tf.cast(view(x, "uint8"), tf.bool) if wanted == tf.bool else view(x, dtype)
    ratio = x.dtype.size / wanted.size
    if ratio == 1:
        return tf.bitcast(x, wanted)
    *lead, last = sizes(x)
    if ratio > 1:
        return tf.reshape(tf.bitcast(x, wanted), [*lead, last * int(ratio)])
    return tf.bitcast(tf.reshape(x, [*lead, last // int(1 / ratio), int(1 / ratio)]), wanted)


def written(target: Tensor, index: tuple, updates: Any, reduction: str | None) -> Tensor:
    """`target` with `updates` at `index`, integers that broadcast; equal positions are reduced."""
    places = [tensor(wrapped(one, size)) for one, size in zip(index, sizes(target), strict=False)]
    shape = places[0]
    for one in places[1:]:
        shape = tf.cast(shape, tf.int32) + tf.zeros_like(one, tf.int32)
    together = tf.stack([tf.cast(one, tf.int32) + tf.zeros_like(shape, tf.int32) for one in places], -1)
    updates = tf.broadcast_to(updates, tf.concat([tf.shape(together)[:-1], tf.shape(target)[len(places) :]], 0))
    if target.dtype == tf.bool:
        combine = {None: None, "add": "max", "max": "max", "min": "min", "mul": "min"}[reduction]
        found = written(tf.cast(target, tf.int32), index, tf.cast(updates, tf.int32), combine)
        return tf.cast(found, tf.bool)
    write = {
        None: tf.tensor_scatter_nd_update, "add": tf.tensor_scatter_nd_add,
        "max": tf.tensor_scatter_nd_max, "min": tf.tensor_scatter_nd_min,
    }
    if reduction != "mul":
        return write[reduction](target, together, updates)
    # no kernel multiplies: products of all that meet in one place, then once with what is there
    rows = tf.reshape(together, [-1, len(places)])
    lead, rest = sizes(target)[: len(places)], sizes(target)[len(places) :]
    number = rows[:, 0]
    for axis in range(1, len(places)):
        number = number * lead[axis] + rows[:, axis]
    count = lead[0]
    for size in lead[1:]:
        count = count * size
    factors = tf.math.unsorted_segment_prod(tf.reshape(updates, [-1, *rest]), number, count)
    return target * tf.reshape(factors, tf.shape(target))
