"""Max and average pooling for the JAX backend, in forms that run fast on a CPU; it knows arrays, not layers.

XLA's CPU code for `lax.reduce_window`, and far more so for its gradient, walks over single numbers. Here
a window is taken apart into its taps: each is a strided slice of the inputs, and elementwise work on slices
runs at the speed of memory. A large window is pooled one axis after the other. On accelerators
`lax.reduce_window` is used; it is also the reference of the tests.

Ties of the maximum are broken as XLA's select-and-scatter does: the gradient goes to the first of equals, in
row-major order. The derivatives are rules that JAX itself can differentiate, forward and backward, and map.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Sizes = tuple[int, ...]

_MANY_TAPS = 9
"""Windows of more taps than this are pooled one axis after the other, so that k * k slices become k + k."""

_MANY_COUNTS = 2**20
"""How many elements a constant of the program may have."""


class Window(NamedTuple):
    """How the pools lie over the spatial axes, which are the axes 1, 2, ... of the arrays."""

    sizes: Sizes
    strides: Sizes
    padding: tuple[tuple[int, int], ...]
    outputs: Sizes


def max_pool(
    inputs: jax.Array,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str = "channels_last",
) -> jax.Array:
    """Maximum over windows of one, two or three spatial axes.

    Args:
        inputs: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)` for "channels_first".
        pool_size: size of the window along each spatial axis.
        strides: step of the window along each spatial axis; None: the size of the window.
        padding: "valid" (none) or "same" (`ceil(size / stride)` outputs; padding never wins).
        data_format: "channels_last" or "channels_first".

    Returns:
        The maxima, in the layout and dtype of the inputs.
    """
    last, window = _channels_last(inputs, pool_size, strides, padding, data_format)
    if jax.default_backend() != "cpu" or inputs.size == 0:
        outputs = _plain_max_pool(last, window)
    elif math.prod(window.sizes) <= _MANY_TAPS:
        outputs = _max_pool(last, window)
    else:
        # The last axis first: then the first of equals is the first in row-major order.
        for axis in reversed(range(len(window.sizes))):
            last = _max_pool(last, _only(window, axis, last.shape))
        outputs = last
    return outputs if data_format == "channels_last" else jnp.moveaxis(outputs, -1, 1)


def average_pool(
    inputs: jax.Array,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str = "channels_last",
) -> jax.Array:
    """Mean over windows of one, two or three spatial axes.

    Args:
        inputs: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)` for "channels_first".
        pool_size: size of the window along each spatial axis.
        strides: step of the window along each spatial axis; None: the size of the window.
        padding: "valid" (none) or "same" (`ceil(size / stride)` outputs; padding is not counted in the mean).
        data_format: "channels_last" or "channels_first".

    Returns:
        The means, in the layout and dtype of the inputs.
    """
    last, window = _channels_last(inputs, pool_size, strides, padding, data_format)
    sums = _plain_sum_pool if jax.default_backend() != "cpu" or inputs.size == 0 else _sum_pool
    outputs = sums(last, window) / _counts(last, window)
    return outputs if data_format == "channels_last" else jnp.moveaxis(outputs, -1, 1)


def _plain_max_pool(inputs: jax.Array, window: Window) -> jax.Array:
    return lax.reduce_window(inputs, _lowest(inputs.dtype), lax.max, *_as_reduce_window(window))


def _plain_sum_pool(inputs: jax.Array, window: Window) -> jax.Array:
    return lax.reduce_window(inputs, np.zeros((), inputs.dtype), lax.add, *_as_reduce_window(window))


def _as_reduce_window(window: Window) -> tuple[Sizes, Sizes, list[tuple[int, int]]]:
    return (1, *window.sizes, 1), (1, *window.strides, 1), [(0, 0), *window.padding, (0, 0)]


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _max_pool(inputs: jax.Array, window: Window) -> jax.Array:
    return functools.reduce(jnp.maximum, _slices(inputs, window, _lowest(inputs.dtype)))


@_max_pool.defjvp
def _max_pool_jvp(window: Window, primals: tuple[jax.Array], tangents: tuple[jax.Array]):
    """The tangent of a maximum is that of the tap that won: linear in the tangents, so that it transposes."""
    (inputs,), (tangent,) = primals, tangents
    outputs = _max_pool(inputs, window)
    winner = jnp.zeros(outputs.shape, np.int32)
    best, *others = _slices(lax.stop_gradient(inputs), window, _lowest(inputs.dtype))
    for tap, part in enumerate(others, start=1):
        winner = jnp.where(part > best, np.int32(tap), winner)
        best = jnp.maximum(part, best)
    if _tiles(inputs, window):
        blocks, axes = _blocks(tangent, window), tuple(range(2, 2 * len(window.sizes) + 1, 2))
        taps = np.arange(math.prod(window.sizes), dtype=np.int32).reshape(window.sizes)
        won = jnp.expand_dims(winner, axes) == np.expand_dims(
            taps, [axis for axis in range(blocks.ndim) if axis not in axes]
        )
        return outputs, jnp.where(won, blocks, 0).sum(axes, dtype=tangent.dtype)
    zero = np.zeros((), tangent.dtype)
    slices = _slices(tangent, window, zero)
    return outputs, sum(jnp.where(winner == tap, part, zero) for tap, part in enumerate(slices))


def _sum_pool(inputs: jax.Array, window: Window) -> jax.Array:
    if _tiles(inputs, window):
        axes = tuple(range(2, 2 * len(window.sizes) + 1, 2))
        return _blocks(inputs, window).sum(axes, dtype=inputs.dtype)
    for axis in reversed(range(len(window.sizes))):
        slices = _slices(inputs, _only(window, axis, inputs.shape), np.zeros((), inputs.dtype))
        inputs = functools.reduce(jnp.add, slices)
    return inputs


def _tiles(inputs: jax.Array, window: Window) -> bool:
    """True where the pools cover the inputs without gap, overlap or padding."""
    covered = tuple(n * size for n, size in zip(window.outputs, window.sizes, strict=True))
    return window.sizes == window.strides and covered == inputs.shape[1:-1]


def _blocks(inputs: jax.Array, window: Window) -> jax.Array:
    """`(batch, outputs, size, outputs, size, ..., channels)`: inputs that the pools tile, as blocks."""
    pairs = itertools.chain(*zip(window.outputs, window.sizes, strict=True))
    return inputs.reshape(inputs.shape[0], *pairs, inputs.shape[-1])


def _slices(inputs: jax.Array, window: Window, fill: np.ndarray) -> list[jax.Array]:
    """For each tap of the window, in row-major order, the part of the inputs that it meets."""
    padded = lax.pad(inputs, fill, [(0, 0, 0), *((low, high, 0) for low, high in window.padding), (0, 0, 0)])
    slices = []
    for tap in itertools.product(*map(range, window.sizes)):
        ends = (i + (n - 1) * s + 1 for i, n, s in zip(tap, window.outputs, window.strides, strict=True))
        stops = (padded.shape[0], *ends, padded.shape[-1])
        slices.append(lax.slice(padded, (0, *tap, 0), stops, (1, *window.strides, 1)))
    return slices


def _only(window: Window, axis: int, shape: Sizes) -> Window:
    """The part of a window along one axis, for arrays of the given shape."""
    ones = (1,) * len(window.sizes)

    def at(values: Sequence, others: Sequence) -> tuple:
        return (*others[:axis], values[axis], *others[axis + 1 :])

    return Window(
        at(window.sizes, ones),
        at(window.strides, ones),
        at(window.padding, ((0, 0),) * len(ones)),
        at(window.outputs, shape[1:-1]),
    )


def _counts(inputs: jax.Array, window: Window) -> Any:
    """How many true inputs each pool holds, in a shape that broadcasts to `(1, *outputs, 1)`."""
    counts: Any = np.ones((1,) * inputs.ndim, inputs.dtype)
    # Known before any array is; but where images are huge, it is left to the program to multiply the axes out.
    product = np.multiply if math.prod(window.outputs) <= _MANY_COUNTS else jnp.multiply
    rows = zip(inputs.shape[1:-1], *window, strict=True)
    for axis, (size, pool, stride, (low, _), outputs) in enumerate(rows, start=1):
        starts = np.arange(outputs) * stride - low
        held = np.minimum(starts + pool, size) - np.maximum(starts, 0)
        if np.all(held == pool):
            held = held[:1]
        shape = [-1 if i == axis else 1 for i in range(inputs.ndim)]
        counts = product(counts, held.reshape(shape).astype(inputs.dtype))
    return counts


def _lowest(dtype: np.dtype) -> np.ndarray:
    """The identity of the maximum, as a constant that `lax.reduce_window` recognises."""
    if jnp.issubdtype(dtype, jnp.floating):
        return np.array(-np.inf, dtype)
    if dtype == jnp.bool_:
        return np.array(False)
    return np.array(jnp.iinfo(dtype).min, dtype)


def _channels_last(
    inputs: jax.Array,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    padding: str,
    data_format: str,
) -> tuple[jax.Array, Window]:
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f'data_format is "channels_last" or "channels_first"; got {data_format!r}.')
    last = inputs if data_format == "channels_last" else jnp.moveaxis(inputs, 1, -1)
    rank = inputs.ndim - 2
    pools = _sizes(pool_size, rank, "pool_size")
    steps = pools if strides is None else _sizes(strides, rank, "strides")
    outputs, pads = [], []
    for n, pool, stride in zip(last.shape[1:-1], pools, steps, strict=True):
        if padding.lower() == "same":
            outputs.append(-(-n // stride))
            total = max((outputs[-1] - 1) * stride + pool - n, 0)
            pads.append((total // 2, total - total // 2))
        elif padding.lower() == "valid":
            outputs.append(max((n - pool) // stride + 1, 0))
            pads.append((0, 0))
        else:
            raise ValueError(f'padding is "valid" or "same"; got {padding!r}.')
    return last, Window(pools, steps, tuple(pads), tuple(outputs))


def _sizes(value: int | Sequence[int], rank: int, name: str) -> Sizes:
    sizes = (value,) * rank if isinstance(value, int | np.integer) else tuple(value)
    if len(sizes) != rank:
        raise ValueError(f"{name} is one number or {rank} numbers, one for each spatial axis; got {value!r}.")
    return tuple(int(x) for x in sizes)
