"""What `MultiHeadAttention` and `GroupQueryAttention` share: projections, masks, the weighing of values.

Everything here sees tensors of rank 4, [batch, length, heads, features]; how a layer gets there is its own matter.
"""

from __future__ import annotations

import math
from typing import Any

from hornbeam import _config, constraints, initializers, ops, regularizers
from hornbeam.errors import ArgumentError
from hornbeam.initializers.initializer import Initializer
from hornbeam.layers.activations.activations import Softmax
from hornbeam.layers.core.checks import positive_integer, rate, where
from hornbeam.layers.core.einsum_dense import EinsumDense
from hornbeam.layers.layer import Layer
from hornbeam.layers.regularization.dropout import Dropout


class AttentionWithHeads(Layer):
    """Arguments and steps of the layers with heads; see `MultiHeadAttention` for what they mean."""

    def __init__(
        self,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        use_gate: bool,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.dropout = rate(dropout, self, "dropout")
        self.use_bias = use_bias
        self.use_gate = use_gate
        self.sliding_window = (
            None if sliding_window is None else positive_integer(sliding_window, "sliding_window", self)
        )
        self.flash_attention = flash_attention
        if flash_attention and self.dropout > 0:
            raise ArgumentError(
                "dropout=0 with flash_attention=True", f"dropout={dropout}", where(self),
                "A fused kernel never has the weights that dropout would act on.",
            )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        # of the projections, whose outputs are the activity; the layer's own outputs are those of the last of them
        self._projected_regularizer = regularizers.get(activity_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.seed = seed

    def _projection(self, name: str, equation: str, shape: Any, bias_axes: str, activation: Any = None) -> EinsumDense:
        """One of the linear maps; each draws its own first values."""
        return EinsumDense(
            equation, shape, activation, bias_axes if self.use_bias else None, _copy(self.kernel_initializer),
            _copy(self.bias_initializer), self.kernel_regularizer, self.bias_regularizer, self.kernel_constraint,
            self.bias_constraint, activity_regularizer=self._projected_regularizer, dtype=self.dtype_policy, name=name,
        )

    def _make_weighing(self, width: int, axis: Any = -1) -> None:
        self._scale = 1 / math.sqrt(width)
        self._softmax = Softmax(axis, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)

    def _check_scores_wanted(self, return_attention_scores: bool) -> None:
        if return_attention_scores and self.flash_attention:
            raise ArgumentError(
                "flash_attention=None or False where attention scores are asked for", "flash_attention=True",
                self._where(), "A fused kernel never has the scores.",
            )

    def _allowed(
        self, queries: int, keys: int, key_masks: list[Any], attention_mask: Any, causal: bool
    ) -> tuple[Any, bool]:
        """The mask that all demands together make, of rank 4, or None; and whether to look back only besides.

        Args:
            queries: The number of queries.
            keys: The number of keys.
            key_masks: Masks [batch, keys], or None in place of one.
            attention_mask: A mask of rank 4 that broadcasts to [batch, heads, queries, keys], or None.
            causal: Whether a query looks back only.
        """
        masks = [
            ops.cast(ops.expand_dims(one, (1, 2)), "bool") for one in key_masks if one is not None
        ]
        if attention_mask is not None:
            masks.append(ops.cast(attention_mask, "bool"))
        if self.sliding_window is not None:
            distance = ops.subtract(ops.expand_dims(ops.arange(queries), 1), ops.arange(keys))
            masks.append(ops.less(ops.abs(distance), self.sliding_window))
        if not masks:
            return None, causal
        if causal:
            masks.append(_backward(queries, keys))
        mask = masks[0]
        for one in masks[1:]:
            mask = ops.logical_and(mask, one)
        return (mask if len(mask.shape) == 4 else ops.expand_dims(mask, (0, 1))), False

    def _attend(
        self, query: Any, key: Any, value: Any, mask: Any, causal: bool, scores: bool, training: bool | None
    ) -> tuple[Any, Any]:
        """Values weighted for each query, and the weights [batch, heads, queries, keys] if they are asked for.

        Args:
            query: [batch, queries, heads, features].
            key: [batch, keys, heads or a divisor, features].
            value: [batch, keys, as many heads as `key`, value features].
            mask: Broadcasts to the weights, True where a query may look; or None.
            causal: Whether a query looks back only; never with a mask.
            scores: Whether the weights are asked for.
            training: Whether dropout acts on the weights.
        """
        if not scores and not (training and self.dropout > 0):
            flash = self.flash_attention if self.flash_attention is not None else _config.is_flash_attention_enabled()
            return ops.dot_product_attention(
                query, key, value, mask=mask, scale=self._scale, is_causal=causal, flash_attention=flash
            ), None
        heads, key_heads = query.shape[2], key.shape[2]
        if heads != key_heads:
            key, value = (ops.repeat(one, heads // key_heads, axis=2) for one in (key, value))
        if causal:
            mask = _backward(query.shape[1], key.shape[1])
        weights = self._softmax(
            ops.einsum("btnh,bsnh->bnts", ops.multiply(query, self._scale), key), mask=mask
        )
        weighed = self._dropout_layer(weights, training=training)
        return ops.einsum("bnts,bsnh->btnh", weighed, value), weights

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        config = super().get_config()
        config["activity_regularizer"] = regularizers.serialize(self._projected_regularizer)
        if self.flash_attention is None:
            config.pop("flash_attention")
        return config


def _backward(queries: int, keys: int) -> Any:
    """The mask [queries, keys] of looking at one's own place and before."""
    return ops.greater_equal(ops.expand_dims(ops.arange(queries), 1), ops.arange(keys))


def _copy(initializer: Any) -> Any:
    """The initializer for one weight among several: if it has no seed of its own, one with another."""
    return initializer.clone() if isinstance(initializer, Initializer) else initializer
