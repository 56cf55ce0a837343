"""`Attention` and `AdditiveAttention`: attention without heads and projections."""

from __future__ import annotations

from typing import Any

from hornbeam import ops, random
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, UnknownNameError
from hornbeam.layers.core.checks import known_size, rate, where
from hornbeam.layers.layer import Layer
from hornbeam.symbolic import KerasTensor


@wire("keras.layers.Attention")
class Attention(Layer):
    """Values weighted by how well their keys fit each query, called with a list [query, value] or [query, value, key].

    M.-T. Luong et al., "Effective approaches to attention-based neural machine translation", 2015.

    Args:
        use_scale: Whether the scores are multiplied by a trained number.
        score_mode: "dot" takes the product of query and key; "concat" the sum of the tanh of their sum, times a
            trained number.
        dropout: The part of the weights that is dropped while training.
        seed: Seed of the dropout, or None for a random one.

    >>> import hornbeam as keras
    >>> query, value = keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 4))
    >>> keras.layers.Attention()([query, value]).shape
    (2, 3, 4)
    """

    def __init__(
        self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0, seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise UnknownNameError("score_mode", str(score_mode), ("dot", "concat"), where(self))
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = rate(dropout, self, "dropout")
        self.seed = seed
        if self.dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.scale = self.concat_score_weight = None

    def build(self, input_shape: Any) -> None:
        """Makes the trained numbers."""
        self._check(input_shape)
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def _check(self, shapes: Any) -> None:
        if not isinstance(shapes, (list, tuple)) or len(shapes) not in (2, 3) or not all(
            isinstance(one, (list, tuple)) for one in shapes
        ):
            raise ArgumentError("a list [query, value] or [query, value, key]", f"shapes {shapes}", where(self))

    def _scores(self, query: Any, key: Any) -> Any:
        """How well each key fits each query, [batch, queries, keys]."""
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        both = ops.add(ops.expand_dims(query, 2), ops.expand_dims(key, 1))
        if self.scale is not None:
            both = ops.multiply(both, self.scale)
        return ops.multiply(ops.sum(ops.tanh(both), axis=-1), self.concat_score_weight)

    def call(
        self, inputs: Any, mask: Any = None, training: bool = False, return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """What the queries find.

        Args:
            inputs: [query, value] or [query, value, key]: query [batch, queries, features], value
                [batch, keys, value features], key [batch, keys, features]; the values are the keys if none are given.
            mask: [query mask, value mask] or with a key mask, each [batch, steps] or None. Outputs of masked queries
                are 0.
            training: Whether dropout acts.
            return_attention_scores: Whether the weights are returned too.
            use_causal_mask: Whether a query looks only at its own place and before.

        Returns:
            The outputs [batch, queries, value features], or `(outputs, weights)` with weights
            [batch, queries, keys].
        """
        self._check([tuple(one.shape) for one in inputs] if isinstance(inputs, (list, tuple)) else inputs)
        if mask is not None and (not isinstance(mask, (list, tuple)) or not 2 <= len(mask) <= len(inputs)):
            raise ArgumentError(f"a list of 2 to {len(inputs)} masks", repr(mask), self._where())
        query, value = inputs[:2]
        key = inputs[2] if len(inputs) > 2 else value
        query_mask, value_mask = (None, None) if mask is None else mask[:2]
        scores = self._scores(query, key)
        allowed = None
        if value_mask is not None:
            allowed = ops.cast(ops.expand_dims(value_mask, 1), "bool")
        if use_causal_mask:
            back = ops.greater_equal(ops.expand_dims(ops.arange(query.shape[1]), 1), ops.arange(key.shape[1]))
            allowed = back if allowed is None else ops.logical_and(allowed, back)
        if allowed is not None:
            lowest = -65504.0 if backend.dtype(scores) == "float16" else -1e9
            scores = ops.add(scores, ops.multiply(ops.cast(ops.logical_not(allowed), scores.dtype), lowest))
        weights = ops.softmax(scores, axis=-1)
        if training and self.dropout > 0:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        found = ops.matmul(weights, value)
        if query_mask is not None:
            found = ops.multiply(found, ops.cast(ops.expand_dims(query_mask, -1), found.dtype))
        return (found, weights) if return_attention_scores else found

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the queries."""
        return mask[0] if isinstance(mask, (list, tuple)) and mask else None

    @property
    def _makes_masks(self) -> bool:
        return False

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the queries with the features of the values."""
        self._check(input_shape)
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(
        self, inputs: Any, mask: Any = None, return_attention_scores: bool = False, training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """The symbolic outputs, and weights if asked for."""
        shapes = [one.shape for one in inputs] if isinstance(inputs, (list, tuple)) else inputs
        outputs = KerasTensor(self.compute_output_shape(shapes), self.compute_dtype)
        if not return_attention_scores:
            return outputs
        return outputs, KerasTensor((*shapes[0][:2], shapes[1][1]), self.compute_dtype)


@wire("keras.layers.AdditiveAttention")
class AdditiveAttention(Attention):
    """Attention whose scores are the sum of the tanh of query plus key, called as `Attention` is.

    D. Bahdanau et al., "Neural machine translation by jointly learning to align and translate", 2015.

    Args:
        use_scale: Whether each feature counts by a trained factor.
        dropout: The part of the weights that is dropped while training.
        **kwargs: `seed`, and the arguments of every layer.

    >>> import hornbeam as keras
    >>> query, value = keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 4))
    >>> keras.layers.AdditiveAttention()([query, value]).shape
    (2, 3, 4)
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Makes the factors, one for each feature."""
        self._check(input_shape)
        if self.use_scale:
            size = known_size(input_shape[0][-1], "features", input_shape[0], self)
            self.scale = self.add_weight((size,), "glorot_uniform", name="scale")

    def _scores(self, query: Any, key: Any) -> Any:
        both = ops.tanh(ops.add(ops.expand_dims(query, 2), ops.expand_dims(key, 1)))
        return ops.sum(both if self.scale is None else ops.multiply(both, self.scale), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        config = super().get_config()
        config["seed"] = self.seed
        config.pop("score_mode", None)
        return config
