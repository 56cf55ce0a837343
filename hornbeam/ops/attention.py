"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

from hornbeam.backend import active as backend
from hornbeam.dtypes import promote
from hornbeam.errors import ArgumentError, UnsupportedError
from hornbeam.ops.define import Tensor, TensorLike, as_floats, as_tensor, float_dtype, op
from hornbeam.ops.front import prepared
from hornbeam.symbolic import KerasTensor

xp = backend.xp

_HALF = ("float16", "bfloat16")
_LOWEST = -0.7 * 3.4028234663852886e38  # far below any logit, and still finite when a bias is added


def _fit(a: int | None, b: int | None) -> bool:
    return a is None or b is None or a == b


def _check(query: Any, key: Any, value: Any) -> None:
    where = "dot_product_attention"
    shapes = f"query.shape={tuple(query)}, key.shape={tuple(key)}, value.shape={tuple(value)}"
    if not len(query) == len(key) == len(value) == 4:
        raise ArgumentError("`query`, `key` and `value` of rank 4: [batch, length, heads, features]", shapes, where)
    groups = query[2] is None or key[2] is None or (key[2] and query[2] % key[2] == 0)
    if not (groups and all(_fit(a, b) for a, b in zip(key[:3], value[:3], strict=True)) and _fit(query[0], key[0])):
        raise ArgumentError(
            "one batch size, as many keys as values, and query heads a multiple of key heads", shapes, where
        )
    if not _fit(query[3], key[3]):
        raise ArgumentError("`query` and `key` with equally many features", shapes, where)


def _rule(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> KerasTensor:
    _check(query.shape, key.shape, value.shape)
    return KerasTensor((*query.shape[:3], value.shape[3]), promote(*(float_dtype(one) for one in (query, key, value))))


def _prepare(
    query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, scale: Any = None, is_causal: bool = False,
    flash_attention: bool | None = None, attn_logits_soft_cap: float | None = None,
) -> tuple:
    query, key, value = as_floats(query, key, value)
    _check(query.shape, key.shape, value.shape)
    if mask is not None:
        mask = as_tensor(mask)
        mask = mask if backend.dtype(mask) == "bool" else backend.cast(mask, "bool")
    if scale is None:
        scale = 1 / math.sqrt(query.shape[3]) if query.shape[3] else 1.0
    return query, key, value, bias, mask, scale, is_causal, flash_attention, attn_logits_soft_cap


@prepared(_prepare)
@op("keras.src.ops.nn.DotProductAttention", tensors=["query", "key", "value", "bias", "mask", "scale"], spec=_rule)
def dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """For each query, the values weighted by the softmax of its dot products with the keys.

    Logits and softmax are computed in single precision at least.

    Args:
        query: `[batch, queries, heads, features]`.
        key: `[batch, keys, key_heads, features]`; `heads` is a multiple of `key_heads`, whose neighbours share.
        value: `[batch, keys, key_heads, value_features]`.
        bias: Added to the logits; broadcasts to `[batch, heads, queries, keys]`.
        mask: True where a query may look; broadcasts likewise. A query that may look nowhere looks everywhere.
        scale: Factor of the dot products; None means `1 / sqrt(features)`.
        is_causal: Whether a query sees only keys up to its own position.
        flash_attention: True asks for a fused kernel and fails where there is none; None leaves it to the backend.
        attn_logits_soft_cap: Logits are bent smoothly so that none exceeds this.

    Returns:
        `[batch, queries, heads, value_features]`. See https://arxiv.org/abs/1706.03762.

    Raises:
        ValueError: If the shapes do not fit.
        NotImplementedError: If `flash_attention` is True and the backend has no such kernel.

    >>> import hornbeam as keras
    >>> x = keras.ops.ones((2, 5, 4, 8))
    >>> keras.ops.dot_product_attention(x, x, x).shape
    (2, 5, 4, 8)
    """
    if flash_attention:
        raise UnsupportedError(
            "a fused attention kernel on this device", f"the {backend.name} backend", "dot_product_attention",
            "Pass flash_attention=None.",
        )
    dtype = backend.dtype(query)
    work = "float32" if dtype in _HALF else dtype
    heads, key_heads = query.shape[2], key.shape[2]
    query, key, value = (xp.swapaxes(backend.cast(one, work), 1, 2) for one in (query, key, value))
    if heads != key_heads:
        key, value = (xp.repeat(one, heads // key_heads, axis=1) for one in (key, value))
    logits = xp.matmul(query, xp.swapaxes(key, 2, 3)) * scale
    if bias is not None:
        logits = logits + backend.cast(as_tensor(bias), work)
    if attn_logits_soft_cap is not None:
        logits = attn_logits_soft_cap * xp.tanh(logits / attn_logits_soft_cap)
    if is_causal:
        queries, keys = logits.shape[2:]
        causal = xp.arange(queries)[:, None] >= xp.arange(keys)
        mask = causal if mask is None else mask & causal
    if mask is not None:
        logits = xp.where(mask, logits, _LOWEST)
    powers = xp.exp(logits - backend.stop_gradient(xp.max(logits, axis=-1, keepdims=True)))
    weights = powers / xp.sum(powers, axis=-1, keepdims=True)
    return backend.cast(xp.swapaxes(xp.matmul(weights, value), 1, 2), dtype)
