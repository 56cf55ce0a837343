"""Shapes: reshaping, moving axes, joining, splitting, repeating; and picking by position."""

from __future__ import annotations

import builtins
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.xp.common import Axis, Tensor, all_at, at, rank, sizes, tensor
from hornbeam.dtypes import kind_of, promote
from hornbeam.errors import ArgumentError

_Slice = builtins.slice


def reshape(x: Any, shape: Any) -> Tensor:
    shape = [shape] if isinstance(shape, int) else shape
    if isinstance(shape, (list, tuple)) and x.shape.is_fully_defined() and all(isinstance(one, int) for one in shape):
        count, wanted = x.shape.num_elements(), math.prod(shape)
        if wanted != count and not (-1 in shape and (wanted == 0 or count % wanted == 0)):
            raise ArgumentError(f"a shape of {count} elements", f"shape={tuple(shape)}", "reshape")
    return tf.reshape(x, shape)


def ravel(x: Tensor) -> Tensor:
    return tf.reshape(x, [-1])


def transpose(x: Tensor, axes: Any = None) -> Tensor:
    return tf.transpose(x, None if axes is None else all_at(tuple(axes), rank(x)))


def swapaxes(x: Tensor, axis1: int, axis2: int) -> Tensor:
    order = list(range(rank(x)))
    one, two = at(axis1, len(order)), at(axis2, len(order))
    order[one], order[two] = order[two], order[one]
    return tf.transpose(x, order)


def moveaxis(x: Tensor, source: Axis, destination: Axis) -> Tensor:
    count = rank(x)
    sources, places = all_at(source, count), all_at(destination, count)
    if len(sources) != len(places):
        raise ArgumentError("as many axes in `destination` as in `source`", f"{source} and {destination}", "moveaxis")
    order = [axis for axis in range(count) if axis not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return x if order == list(range(count)) else tf.transpose(x, order)


def expand_dims(x: Tensor, axis: Axis) -> Tensor:
    if isinstance(axis, int):
        return tf.expand_dims(x, at(axis, rank(x) + 1))
    for one in sorted(all_at(axis, rank(x) + len(axis))):  # type: ignore[arg-type]
        x = tf.expand_dims(x, one)
    return x


def squeeze(x: Tensor, axis: Axis = None) -> Tensor:
    if axis is None:
        return tf.squeeze(x)
    axes = all_at(axis, rank(x))
    if any(x.shape[one] not in (1, None) for one in axes):
        raise ArgumentError("axes of size 1", f"axis={axis} of shape={tuple(x.shape)}", "squeeze")
    return tf.squeeze(x, axes) if axes else x


def broadcast_to(x: Any, shape: Any) -> Tensor:
    x = tensor(x)
    if isinstance(shape, (list, tuple)) and all(isinstance(one, int) for one in shape) and None not in x.shape:
        if tuple(x.shape) == tuple(shape):
            return x
        if np.broadcast_shapes(tuple(x.shape), tuple(shape)) != tuple(shape):
            raise ArgumentError(f"a tensor that broadcasts to shape={tuple(shape)}", f"shape={tuple(x.shape)}")
    return tf.broadcast_to(x, shape)


def broadcast_arrays(*arrays: Any) -> list[Tensor]:
    ready = [tensor(one) for one in arrays]
    static = ready[0].shape
    for one in ready[1:]:
        static = tf.broadcast_static_shape(static, one.shape)
    if static.is_fully_defined():
        return [tf.broadcast_to(one, static) for one in ready]
    shape = tf.shape(ready[0])
    for one in ready[1:]:
        shape = tf.broadcast_dynamic_shape(shape, tf.shape(one))
    return [tf.broadcast_to(one, shape) for one in ready]


def flip(x: Tensor, axis: Axis = None) -> Tensor:
    return tf.reverse(x, all_at(axis, rank(x))) if rank(x) else x


def fliplr(x: Tensor) -> Tensor:
    return tf.reverse(x, [1])


def flipud(x: Tensor) -> Tensor:
    return tf.reverse(x, [0])


def roll(x: Tensor, shift: Any, axis: Axis = None) -> Tensor:
    if axis is None:
        return tf.reshape(tf.roll(tf.reshape(x, [-1]), shift, 0), tf.shape(x))
    axes = [axis] if isinstance(axis, int) else list(axis)
    shifts = [shift] * len(axes) if isinstance(shift, int) else list(shift)
    return tf.roll(x, shifts, [at(one, rank(x)) for one in axes])


def rot90(x: Tensor, k: int = 1, axes: Sequence[int] = (0, 1)) -> Tensor:
    first, second = all_at(tuple(axes), rank(x))
    turns = k % 4
    if turns == 0:
        return x
    if turns == 2:
        return tf.reverse(x, [first, second])
    turned = swapaxes(x, first, second)
    return tf.reverse(turned, [first if turns == 1 else second])


def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    return tf.repeat(x, repeats, axis if axis is None else at(axis, rank(x)))


def tile(x: Tensor, repeats: Any) -> Tensor:
    repeats = [repeats] if isinstance(repeats, int) else list(repeats)
    count = builtins.max(len(repeats), rank(x))
    if rank(x) < count:
        x = tf.reshape(x, [1] * (count - rank(x)) + list(sizes(x)))
    return tf.tile(x, [1] * (count - len(repeats)) + repeats)


def concatenate(arrays: Any, axis: int | None = 0) -> Tensor:
    if axis is None:
        return tf.concat([tf.reshape(one, [-1]) for one in arrays], 0)
    first = arrays[0].shape
    axis = at(axis, len(first))
    for one in arrays[1:]:
        if not one.shape[:axis].is_compatible_with(first[:axis]) or not one.shape[axis + 1 :].is_compatible_with(
            first[axis + 1 :]
        ):
            raise ArgumentError(
                f"shapes that are equal but for axis {axis}", f"{tuple(first)} and {tuple(one.shape)}", "concatenate"
            )
    return tf.concat(arrays, axis)


def stack(arrays: Any, axis: int = 0) -> Tensor:
    return tf.stack(arrays, axis)


def _at_least(x: Any, count: int) -> Tensor:
    x = tensor(x)
    if rank(x) >= count:
        return x
    if count == 3:  # NumPy puts the last axis behind
        return _at_least(x, 2)[..., None]
    return tf.reshape(x, [1] * (count - rank(x)) + list(sizes(x)))


def vstack(arrays: Any) -> Tensor:
    return tf.concat([_at_least(one, 2) for one in arrays], 0)


def hstack(arrays: Any) -> Tensor:
    ready = [_at_least(one, 1) for one in arrays]
    return tf.concat(ready, 0 if rank(ready[0]) == 1 else 1)


def dstack(arrays: Any) -> Tensor:
    return tf.concat([_at_least(one, 3) for one in arrays], 2)


def append(x1: Any, x2: Any, axis: int | None = None) -> Tensor:
    dtype = promote(kind_of(x1), kind_of(x2))
    return concatenate([tf.cast(x1, dtype), tf.cast(x2, dtype)], axis)


def split(x: Tensor, parts: Any, axis: int = 0) -> list[Tensor]:
    axis = at(axis, rank(x))
    if isinstance(parts, int):
        return tf.split(x, parts, axis)
    before = (_Slice(None),) * axis
    return [x[(*before, _Slice(start, stop))] for start, stop in itertools.pairwise([0, *parts, None])]


def array_split(x: Tensor, parts: Any, axis: int = 0) -> list[Tensor]:
    if not isinstance(parts, int):
        return split(x, parts, axis)
    small, larger = divmod(x.shape[at(axis, rank(x))], parts)
    return split(x, np.cumsum([small + 1] * larger + [small] * (parts - larger))[:-1].tolist(), axis)


def hsplit(x: Tensor, parts: Any) -> list[Tensor]:
    return split(x, parts, 0 if rank(x) == 1 else 1)


def vsplit(x: Tensor, parts: Any) -> list[Tensor]:
    return split(x, parts, 0)


def dsplit(x: Tensor, parts: Any) -> list[Tensor]:
    return split(x, parts, 2)


def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Tensor]:
    return tf.meshgrid(*arrays, indexing=indexing)


# --- by position -------------------------------------------------------------------------------------------------


def wrapped(indices: Any, size: Any) -> Any:
    """Positions of which negative ones count from the end, as those that count from the front."""
    if not isinstance(indices, Tensor):
        indices = np.asarray(indices)
        if isinstance(size, int):
            return np.where(indices < 0, indices + size, indices).astype(np.int32)
    indices = tensor(indices)
    if indices.dtype not in (tf.int32, tf.int64):
        unsigned = indices.dtype.is_unsigned or indices.dtype == tf.bool
        indices = tf.cast(indices, tf.int64 if indices.dtype in (tf.uint32, tf.uint64) else tf.int32)
        if unsigned:
            return indices
    return tf.where(indices < 0, indices + tf.cast(size, indices.dtype), indices)


def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    x = tensor(x)
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    axis = at(axis, rank(x))
    return tf.gather(x, wrapped(indices, sizes(x)[axis]), axis=axis)


def take_along_axis(x: Tensor, indices: Any, axis: int) -> Tensor:
    indices, count = tensor(indices), rank(x)
    axis = at(axis, count)
    have, wanted = list(sizes(x)), list(sizes(indices))
    have[axis] = wanted[axis] = 1
    if any(one is not two and not (isinstance(one, int) and one == two) for one, two in zip(have, wanted, strict=True)):
        shape: Any = tf.broadcast_dynamic_shape(tf.stack(have), tf.stack(wanted))
        if all(isinstance(one, int) for one in (*have, *wanted)):
            shape = np.broadcast_shapes(tuple(have), tuple(wanted))
        shape = [shape[i] for i in range(count)]
        x = tf.broadcast_to(x, [*shape[:axis], sizes(x)[axis], *shape[axis + 1 :]])
        indices = tf.broadcast_to(indices, [*shape[:axis], sizes(indices)[axis], *shape[axis + 1 :]])
    indices = wrapped(indices, sizes(x)[axis])
    if axis == count - 1:
        return tf.gather(x, indices, batch_dims=count - 1)
    found = tf.gather(swapaxes(x, axis, -1), swapaxes(indices, axis, -1), batch_dims=count - 1)
    return swapaxes(found, axis, -1)


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    dtype = indices.dtype
    rest = tf.cast(indices, tf.int64)
    total = int(np.prod(shape, dtype=np.int64))
    rest = tf.where(rest < 0, rest + total, rest)
    found = []
    for size in reversed(shape):
        found.append(tf.cast(tf.math.floormod(rest, size), dtype))
        rest = tf.math.floordiv(rest, size)
    return tuple(reversed(found))


def nonzero(x: Tensor) -> tuple[Tensor, ...]:
    return tuple(tf.unstack(tf.where(x if x.dtype == tf.bool else x != 0), rank(x), axis=1))


# --- diagonals and triangles -------------------------------------------------------------------------------------


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = tf.float32) -> Tensor:
    return tf.cast(tf.constant(np.tri(N, M, k, dtype=bool)), dtype)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = tf.float32) -> Tensor:
    return tf.cast(tf.constant(np.eye(N, M, k, dtype=bool)), dtype)


def _lower(x: Tensor, k: int) -> Tensor:
    rows, columns = sizes(x)[-2:]
    return tf.range(columns)[None, :] - tf.range(rows)[:, None] <= k


def tril(x: Tensor, k: int = 0) -> Tensor:
    if rank(x) < 2:
        x = tf.broadcast_to(x, [sizes(x)[0]] * 2)
    return tf.where(_lower(x, k), x, tf.zeros_like(x))


def triu(x: Tensor, k: int = 0) -> Tensor:
    if rank(x) < 2:
        x = tf.broadcast_to(x, [sizes(x)[0]] * 2)
    return tf.where(_lower(x, k - 1), tf.zeros_like(x), x)


def diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = sizes(x)[-2:]
    first_row, first_column = builtins.max(-offset, 0), builtins.max(offset, 0)
    if isinstance(rows, int) and isinstance(columns, int):
        count: Any = builtins.max(builtins.min(rows - first_row, columns - first_column), 0)
    else:
        count = tf.maximum(tf.minimum(rows - first_row, columns - first_column), 0)
    flat = tf.reshape(x, [*sizes(x)[:-2], rows * columns])
    return tf.gather(flat, first_row * columns + first_column + tf.range(count) * (columns + 1), axis=-1)


def trace(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    return tf.reduce_sum(diagonal(x, offset, axis1, axis2), -1)


def diag(x: Tensor, k: int = 0) -> Tensor:
    return diagonal(x, k) if rank(x) == 2 else diagflat(x, k)


def diagflat(x: Tensor, k: int = 0) -> Tensor:
    x = tf.reshape(x, [-1])
    size = sizes(x)[0] + builtins.abs(k)
    spread = tf.pad(x, [(builtins.max(-k, 0), builtins.max(k, 0))])[:, None]  # one value for each row
    rows, columns = tf.range(size)[:, None], tf.range(size)[None, :]
    return tf.where(columns - rows == k, tf.broadcast_to(spread, [size, size]), tf.zeros([], x.dtype))


