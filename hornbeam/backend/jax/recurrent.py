"""LSTM on JAX as a whole with a gradient of its own: a step of the gradient makes one product, and the gradient of the
recurrent kernel is one product over all steps, where automatic differentiation adds up a matrix in every step.

It serves the usual case, in single precision without mask or dropout of the state; for others the plain form of
`hornbeam.ops.recurrent` runs, which also has derivatives in forward mode (`use_cudnn=False` asks for it).
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


def lstm(
    inputs: jax.Array,
    h: jax.Array,
    c: jax.Array,
    mask: Any,
    kernel: jax.Array,
    recurrent: jax.Array,
    bias: Any,
    activation: Any,
    recurrent_activation: Any,
    backwards: bool = False,
    sequences: bool = True,
    unroll: bool = False,
    zero_masked: bool = False,
    noise: Any = None,
) -> Any:
    """See `hornbeam.ops.recurrent.lstm`; `NotImplemented` for what is not served here."""
    if mask is not None or noise is not None or unroll or inputs.dtype != jnp.float32:
        return NotImplemented
    if activation.__name__ != "tanh" or recurrent_activation.__name__ != "sigmoid":
        return NotImplemented
    xs = jnp.swapaxes(inputs, 0, 1) @ kernel
    xs = xs if bias is None else xs + bias
    if backwards:
        xs = jnp.flip(xs, 0)
    carried: Any = _carried(sequences, xs, h, c, recurrent)
    outputs, h, c = carried
    return h, (jnp.swapaxes(outputs, 0, 1) if sequences else None), [h, c]


def _gates(z: jax.Array) -> tuple[jax.Array, ...]:
    i, f, g, o = jnp.split(z, 4, axis=-1)
    return jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _carried(sequences: bool, xs: jax.Array, h: jax.Array, c: jax.Array, recurrent: jax.Array) -> tuple:
    """All outputs (or None), the last output and the last cell state, for what the gates get from the inputs."""

    def step(carry: tuple, x: jax.Array) -> tuple:
        h, c = carry
        i, f, g, o = _gates(x + h @ recurrent)
        c = f * c + i * g
        h = o * jnp.tanh(c)
        return (h, c), (h if sequences else None)

    (h, c), outputs = lax.scan(step, (h, c), xs)
    return outputs, h, c


def _forward(sequences: bool, xs: jax.Array, h: jax.Array, c: jax.Array, recurrent: jax.Array) -> tuple:
    def step(carry: tuple, x: jax.Array) -> tuple:
        h, c = carry
        i, f, g, o = _gates(x + h @ recurrent)
        c = f * c + i * g
        h = o * jnp.tanh(c)
        return (h, c), (h, c, i, f, g, o)

    (last, cell), (hs, cs, *gates) = lax.scan(step, (h, c), xs)
    return (hs if sequences else None, last, cell), (hs, cs, gates, h, c, recurrent)


def _backward(sequences: bool, kept: tuple, upstream: tuple) -> tuple:
    hs, cs, (i, f, g, o), h, c, recurrent = kept
    d_outputs, dh, dc = upstream
    h_before, c_before = (jnp.concatenate([first[None], all_of[:-1]]) for first, all_of in ((h, hs), (c, cs)))
    # what does not depend on the step after is computed for all steps at once
    tanh_c = jnp.tanh(cs)
    into_cell = o * (1 - tanh_c * tanh_c)
    slopes = jnp.stack(
        [g * i * (1 - i), c_before * f * (1 - f), i * (1 - g * g), tanh_c * o * (1 - o)], axis=1
    )  # steps, gates, batch, units

    def step(carry: tuple, part: tuple) -> tuple:
        dh, dc = carry
        d_output, into_cell, slopes, f = part
        if d_output is not None:
            dh = dh + d_output
        dc = dc + dh * into_cell
        dz = jnp.concatenate([dc * slopes[0], dc * slopes[1], dc * slopes[2], dh * slopes[3]], axis=-1)
        return (dz @ recurrent.T, dc * f), dz

    parts = (d_outputs if sequences else None, into_cell, slopes, f)
    (dh, dc), dz = lax.scan(step, (dh, dc), parts, reverse=True)
    units, width = recurrent.shape
    d_recurrent = h_before.reshape(-1, units).T @ dz.reshape(-1, width)
    return dz, dh, dc, d_recurrent


_carried.defvjp(_forward, _backward)
