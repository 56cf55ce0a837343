"""The ops for which the JAX backend owns a better kernel than the plain form over `jax.numpy`: one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.backend.jax import convolution, overrides, pooling
from hornbeam.backend.jax.convolution import compiler_options

__all__ = ["OVERRIDES", "compiler_options"]

OVERRIDES: dict[str, Callable[..., Any]] = {
    **overrides.OVERRIDES,
    "conv": convolution.conv,
    "depthwise_conv": convolution.depthwise_conv,
    "separable_conv": convolution.separable_conv,
    "conv_transpose": convolution.conv_transpose,
    "max_pool": pooling.max_pool,
    "average_pool": pooling.average_pool,
}
