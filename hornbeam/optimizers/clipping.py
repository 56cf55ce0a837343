"""The three ways of clipping gradients, and the precision in which updates are worked out; knows no optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.backend import active as backend

xp = backend.xp


def wide(tensor: Any) -> Any:
    """A float16 or bfloat16 tensor as float32, any other as it is.

    Updates are small beside weights and decay rates are close to 1: in half precision both would be lost.
    """
    return backend.cast(tensor, "float32") if backend.dtype(tensor) in ("float16", "bfloat16") else tensor


def norm(gradients: Sequence[Any]) -> Any:
    """The Euclidean norm of all numbers in all gradients."""
    return xp.sqrt(sum(xp.sum(xp.square(one)) for one in gradients))


def clip_norm(gradients: Sequence[Any], limit: float) -> list[Any]:
    """Each gradient, scaled down to a norm of at most `limit`."""
    return [_scaled(one, norm([one]), limit) for one in gradients]


def clip_global_norm(gradients: Sequence[Any], limit: float) -> list[Any]:
    """All gradients, scaled down by one factor to a common norm of at most `limit`."""
    total = norm(gradients)
    return [_scaled(one, total, limit) for one in gradients]


def clip_value(gradients: Sequence[Any], limit: float) -> list[Any]:
    """Each gradient with its numbers between `-limit` and `limit`."""
    return [xp.clip(one, -limit, limit) for one in gradients]


def _scaled(gradient: Any, length: Any, limit: float) -> Any:
    # no division by a norm of zero; one that is NaN or infinite stays visible in the update
    return gradient * (limit / xp.maximum(length, limit))
