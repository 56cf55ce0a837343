"""`GroupQueryAttention`: attention in which several heads of queries share one head of keys and values."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.layers.attention.heads import AttentionWithHeads
from hornbeam.layers.core.checks import positive_integer, where
from hornbeam.symbolic import KerasTensor


@wire("keras.layers.GroupQueryAttention", "keras.layers.GroupedQueryAttention")
class GroupedQueryAttention(AttentionWithHeads):
    """Attention with heads, of which each group of query heads shares one head of keys and values.

    J. Ainslie et al., "GQA: training generalized multi-query transformer models from multi-head checkpoints", 2023.

    Args:
        head_dim: The size of a head.
        num_query_heads: The number of heads of queries.
        num_key_value_heads: The number of heads of keys and values, a divisor of `num_query_heads`; 1 is multi-query
            attention, all is multi-head attention.
        dropout: The part of the attention weights that is dropped while training.
        use_bias: Whether the projections have biases.
        sliding_window: A query looks at keys nearer than this many steps; at all if None.
        flash_attention: True asks for a fused kernel and fails where there is none, False for none; None leaves it
            to `keras.config.enable_flash_attention` and the backend.
        kernel_initializer: Initializer of the kernels.
        bias_initializer: Initializer of the biases.
        kernel_regularizer: Regularizer of the kernels.
        bias_regularizer: Regularizer of the biases.
        activity_regularizer: Regularizer of the outputs of each projection.
        kernel_constraint: Constraint on the kernels.
        bias_constraint: Constraint on the biases.
        use_gate: Whether what the heads give is multiplied by a sigmoid of a projection of the queries.
        seed: Seed of the dropout, or None for a random one.

    Raises:
        ValueError: For sizes that are no positive integers, or do not divide each other.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GroupQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2)
    >>> x = keras.ops.ones((1, 5, 8))
    >>> layer(x, x).shape
    (1, 5, 8)
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer,
            kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, use_gate,
            seed, **kwargs,
        )
        self.head_dim = positive_integer(head_dim, "head_dim", self)
        self.num_query_heads = positive_integer(num_query_heads, "num_query_heads", self)
        self.num_key_value_heads = positive_integer(num_key_value_heads, "num_key_value_heads", self)
        if self.num_query_heads % self.num_key_value_heads:
            raise ArgumentError(
                "num_query_heads divisible by num_key_value_heads", f"{num_query_heads} and {num_key_value_heads}",
                where(self),
            )

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Makes the projections; the last size of each shape must be known."""
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)

        def projection(name: str, shape: Any, heads: int, activation: Any = None) -> Any:
            layer = self._projection(name, "abc,cde->abde", (None, heads, self.head_dim), "de", activation)
            layer.build(tuple(shape))
            return layer

        self._query_dense = projection("query", query_shape, self.num_query_heads)
        self._key_dense = projection("key", key_shape, self.num_key_value_heads)
        if self.use_gate:
            self._gate_dense = projection("gate", query_shape, self.num_query_heads, "sigmoid")
        self._value_dense = projection("value", value_shape, self.num_key_value_heads)
        self._make_weighing(self.head_dim)
        self._output_dense = self._projection("attention_output", "abcd,cde->abe", (None, query_shape[-1]), "e")
        self._output_dense.build((*query_shape[:-1], self.num_query_heads, self.head_dim))

    def _check_shapes(self, query: Any, value: Any, key: Any) -> None:
        shapes = f"query.shape={tuple(query)}, value.shape={tuple(value)}, key.shape={tuple(key)}"
        if not len(query) == len(value) == len(key) == 3:
            raise ArgumentError("query, value and key [batch, steps, features]", shapes, where(self))
        if None in (query[-1], value[-1], key[-1]):
            raise ArgumentError("a known number of features in the last axis", shapes, where(self))
        pairs = [*zip(value[:-1], key[:-1], strict=True), (query[0], value[0])]
        if any(a != b for a, b in pairs if a is not None and b is not None):
            raise ArgumentError("one size of the batch, and as many keys as values", shapes, where(self))

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """What the queries find.

        Args:
            query: [batch, queries, features].
            value: [batch, keys, features].
            key: [batch, keys, features]; the values themselves if None.
            query_mask: Which queries count; the others look nowhere, and carry the mask on.
            value_mask: [batch, keys]: which values count.
            key_mask: [batch, keys]: which keys count.
            attention_mask: [batch, queries, keys], or what broadcasts: True or 1 where a query may look.
            return_attention_scores: Whether the weights are returned too.
            training: Whether dropout acts.
            use_causal_mask: Whether a query looks only at its own place and before.

        Returns:
            The outputs, of the query's shape, or `(outputs, scores)` with scores [batch, query heads, queries, keys].
        """
        self._check_scores_wanted(return_attention_scores)
        key = value if key is None else key
        self._check_shapes(query.shape, value.shape, key.shape)
        gate = self._gate_dense(query) if self.use_gate else None
        if attention_mask is not None:
            while len(attention_mask.shape) < 4:
                place = 1 if len(attention_mask.shape) == 3 else 0
                attention_mask = ops.expand_dims(attention_mask, place)
        if query_mask is not None:  # such queries look nowhere, as in Keras
            sees = ops.cast(ops.expand_dims(query_mask, (1, 3)), "bool")
            attention_mask = sees if attention_mask is None else ops.logical_and(sees, attention_mask)
        mask, causal = self._allowed(
            query.shape[1], key.shape[1], [value_mask, key_mask], attention_mask, use_causal_mask
        )
        found, scores = self._attend(
            self._query_dense(query), self._key_dense(key), self._value_dense(value), mask, causal,
            return_attention_scores, training,
        )
        outputs = self._output_dense(found if gate is None else ops.multiply(found, gate))
        return (outputs, scores) if return_attention_scores else outputs

    def compute_output_shape(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> Any:
        """The shape of the queries."""
        self._check_shapes(query_shape, value_shape, value_shape if key_shape is None else key_shape)
        return tuple(query_shape)

    def compute_output_spec(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """The symbolic outputs, and scores if asked for."""
        self._check_scores_wanted(return_attention_scores)
        key = value if key is None else key
        outputs = KerasTensor(self.compute_output_shape(query.shape, value.shape, key.shape), self.compute_dtype)
        if not return_attention_scores:
            return outputs
        shape = (query.shape[0], self.num_query_heads, query.shape[1], key.shape[1])
        return outputs, KerasTensor(shape, self.compute_dtype)


# The name under which Keras has it in its namespace
GroupQueryAttention = GroupedQueryAttention
