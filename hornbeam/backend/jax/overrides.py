"""Ops for which JAX owns a better kernel than their plain form over `jax.numpy`.

Each has the signature of the op's body and gets what that body would get: arrays or Python numbers, with
arguments completed where the op completes them. `OVERRIDES` at the end is the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from hornbeam import _config
from hornbeam.backend.jax.recurrent import lstm
from hornbeam.errors import UnsupportedError

Axis = int | Sequence[int] | None


def _float(x: Any) -> jax.Array:
    """`x` as an array of a float dtype: ints and bools become the default one."""
    if isinstance(x, jax.Array):
        return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(_config.floatx())
    return jnp.asarray(x, _config.floatx())


def _axes(axis: Axis) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


# --- activations -------------------------------------------------------------------------------------------------


def relu(x: Any) -> jax.Array:
    x = jnp.asarray(x)
    return jax.nn.relu(x.astype("int32") if x.dtype == bool else x)


def relu6(x: Any) -> jax.Array:
    return jax.nn.relu6(_float(x))


def leaky_relu(x: Any, negative_slope: float = 0.2) -> jax.Array:
    return jax.nn.leaky_relu(_float(x), negative_slope)


def elu(x: Any, alpha: float = 1.0) -> jax.Array:
    return jax.nn.elu(_float(x), alpha)


def selu(x: Any) -> jax.Array:
    return jax.nn.selu(_float(x))


def celu(x: Any, alpha: float = 1.0) -> jax.Array:
    return jax.nn.celu(_float(x), alpha)


def sigmoid(x: Any) -> jax.Array:
    return jax.nn.sigmoid(_float(x))


def log_sigmoid(x: Any) -> jax.Array:
    return jax.nn.log_sigmoid(_float(x))


def softplus(x: Any) -> jax.Array:
    return jax.nn.softplus(_float(x))


def softsign(x: Any) -> jax.Array:
    return jax.nn.soft_sign(_float(x))


def silu(x: Any) -> jax.Array:
    return jax.nn.silu(_float(x))


def hard_sigmoid(x: Any) -> jax.Array:
    return jax.nn.hard_sigmoid(_float(x))


def hard_silu(x: Any) -> jax.Array:
    return jax.nn.hard_silu(_float(x))


def gelu(x: Any, approximate: bool = True) -> jax.Array:
    return jax.nn.gelu(_float(x), approximate=approximate)


def sparse_plus(x: Any) -> jax.Array:
    return jax.nn.sparse_plus(_float(x))


def sparse_sigmoid(x: Any) -> jax.Array:
    return jax.nn.sparse_sigmoid(_float(x))


def softmax(x: Any, axis: Axis = -1) -> jax.Array:
    return jax.nn.softmax(_float(x), _axes(axis))


def log_softmax(x: Any, axis: Axis = -1) -> jax.Array:
    return jax.nn.log_softmax(_float(x), _axes(axis))


def glu(x: Any, axis: int = -1) -> jax.Array:
    return jax.nn.glu(_float(x), axis)


# --- special functions -------------------------------------------------------------------------------------------


def erf(x: Any) -> jax.Array:
    return lax.erf(_float(x))


def erfc(x: Any) -> jax.Array:
    return lax.erfc(_float(x))


def erfinv(x: Any) -> jax.Array:
    return lax.erf_inv(_float(x))


def rsqrt(x: Any) -> jax.Array:
    return lax.rsqrt(_float(x))


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    return jax.scipy.special.logsumexp(_float(x), axis=_axes(axis), keepdims=keepdims)


# --- choice and encoding -----------------------------------------------------------------------------------------


def top_k(x: jax.Array, k: int, sorted: bool = True) -> tuple[jax.Array, jax.Array]:
    values, indices = lax.top_k(x.astype("int8") if x.dtype == bool else x, k)
    return values.astype(x.dtype), indices


# --- segments ----------------------------------------------------------------------------------------------------


def _segments(reduce: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    def segment(data: jax.Array, segment_ids: jax.Array, num_segments: int, sorted: bool = False) -> jax.Array:
        return reduce(data, segment_ids, num_segments, indices_are_sorted=sorted)

    return segment


# --- linear algebra ----------------------------------------------------------------------------------------------


def _in_single(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, computed in single precision for half precision, which LAPACK does not know."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        dtype = args[0].dtype
        if dtype not in (jnp.float16, jnp.bfloat16):
            return function(*args, **kwargs)
        args = tuple(one.astype("float32") if isinstance(one, jax.Array) else one for one in args)
        result = function(*args, **kwargs)
        return jax.tree.map(lambda one: one.astype(dtype) if jnp.issubdtype(one.dtype, jnp.floating) else one, result)

    return wrapped


@_in_single
def solve_triangular(a: jax.Array, b: jax.Array, lower: bool = False) -> jax.Array:
    vector = b.ndim == a.ndim - 1
    result = lax.linalg.triangular_solve(
        a, b[..., None] if vector else b, left_side=True, lower=lower
    )
    return result[..., 0] if vector else result


@_in_single
def _lu(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    factors, pivots, _ = lax.linalg.lu(x)
    return factors, pivots.astype("int32")


def jvp(fun: Callable[..., Any], primals: tuple, tangents: tuple, has_aux: bool) -> tuple:
    return jax.jvp(fun, primals, tangents, has_aux=has_aux)


# --- attention ---------------------------------------------------------------------------------------------------


def dot_product_attention(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    bias: Any,
    mask: Any,
    scale: Any,
    is_causal: bool,
    flash_attention: bool | None,
    attn_logits_soft_cap: float | None,
) -> jax.Array:
    if flash_attention and jax.default_backend() != "gpu":
        raise UnsupportedError(
            "a GPU for a fused attention kernel", f"the device kind {jax.default_backend()!r}",
            "dot_product_attention", "Pass flash_attention=None.",
        )
    dtype = query.dtype
    if dtype == jnp.float16 and jax.default_backend() == "cpu":
        # XLA has no product of half precision summed in single precision on CPUs
        query, key, value = (one.astype("float32") for one in (query, key, value))
    return _fused_or_not(
        query, key, value, bias, mask, scale, is_causal, flash_attention, attn_logits_soft_cap
    ).astype(dtype)


def _fused_or_not(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    bias: Any,
    mask: Any,
    scale: Any,
    is_causal: bool,
    flash_attention: bool | None,
    attn_logits_soft_cap: float | None,
) -> jax.Array:
    if attn_logits_soft_cap is None and value.shape[-1] == key.shape[-1] and not isinstance(scale, jax.Array):
        mask, bias = (None if one is None else jnp.asarray(one) for one in (mask, bias))
        while mask is not None and mask.ndim < 4:
            mask = mask[None]
        while bias is not None and bias.ndim < 4:
            bias = bias[None]
        return jax.nn.dot_product_attention(
            query, key, value,
            bias=None if bias is None else bias.astype(query.dtype),
            mask=mask, scale=float(scale), is_causal=is_causal,
            implementation="cudnn" if flash_attention else None,
        )
    return _attention(query, key, value, bias, mask, scale, is_causal, attn_logits_soft_cap)


def _attention(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    bias: Any,
    mask: Any,
    scale: Any,
    is_causal: bool,
    soft_cap: float | None,
) -> jax.Array:
    """What `jax.nn` does not offer: bent logits, values of another width, a scale that is learnt."""
    groups = query.shape[2] // key.shape[2]
    key, value = (jnp.repeat(one, groups, axis=2) if groups > 1 else one for one in (key, value))
    logits = jnp.einsum("btnh,bsnh->bnts", query, key, preferred_element_type=jnp.float32) * scale
    if bias is not None:
        logits = logits + jnp.asarray(bias, logits.dtype)
    if soft_cap is not None:
        logits = soft_cap * jnp.tanh(logits / soft_cap)
    if is_causal:
        causal = jnp.tri(*logits.shape[2:], dtype=bool)
        mask = causal if mask is None else mask & causal
    if mask is not None:
        logits = jnp.where(mask, logits, -0.7 * float(jnp.finfo(logits.dtype).max))
    weights = jax.nn.softmax(logits, axis=-1).astype(query.dtype)
    return jnp.einsum("bnts,bsnh->btnh", weights, value)


OVERRIDES: dict[str, Callable[..., Any]] = {
    one.__name__: one
    for one in (
        relu, relu6, leaky_relu, elu, selu, celu, sigmoid, log_sigmoid, softplus, softsign, silu, hard_sigmoid,
        hard_silu, gelu, sparse_plus, sparse_sigmoid, softmax, log_softmax, glu, erf, erfc, erfinv, rsqrt, logsumexp,
        top_k, solve_triangular, dot_product_attention,
    )
} | {
    "jvp": jvp,
    "lstm": lstm,
    "lu_factor": lambda x: _lu(_float(x)),
    "segment_sum": _segments(jax.ops.segment_sum),
    "segment_prod": _segments(jax.ops.segment_prod),
    "segment_max": _segments(jax.ops.segment_max),
    "segment_min": _segments(jax.ops.segment_min),
}
