"""`MultiHeadAttention`: queries look at keys in several heads and take what their values say."""

from __future__ import annotations

import math
import string
from typing import Any

from hornbeam import ops
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, ArgumentTypeError
from hornbeam.layers.attention.heads import AttentionWithHeads
from hornbeam.layers.core.checks import positive_integer, where
from hornbeam.symbolic import KerasTensor


@wire("keras.layers.MultiHeadAttention")
class MultiHeadAttention(AttentionWithHeads):
    """Attention with heads, each of which looks with a projection of its own.

    A. Vaswani et al., "Attention is all you need", 2017.

    Args:
        num_heads: The number of heads.
        key_dim: The size of a head's queries and keys.
        value_dim: The size of a head's values; `key_dim` if None.
        dropout: The part of the attention weights that is dropped while training.
        use_bias: Whether the projections have biases.
        output_shape: The sizes of the last axes of the outputs; the last size of the queries if None.
        attention_axes: The axes over which attention goes; all but the batch and the features if None.
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
        ValueError: For sizes that are no positive integers.

    >>> import hornbeam as keras
    >>> layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)
    >>> x = keras.ops.ones((1, 5, 8))
    >>> layer(x, x, use_causal_mask=True).shape
    (1, 5, 8)
    >>> layer(x, x, return_attention_scores=True)[1].shape
    (1, 2, 5, 5)
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
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
        self.num_heads = positive_integer(num_heads, "num_heads", self)
        self.key_dim = positive_integer(key_dim, "key_dim", self)
        self.value_dim = self.key_dim if value_dim is None else positive_integer(value_dim, "value_dim", self)
        self.attention_axes = _axes(attention_axes, self)
        if output_shape is None:
            self._output_sizes = None
        else:
            sizes = output_shape if isinstance(output_shape, (list, tuple)) else (output_shape,)
            self._output_sizes = tuple(positive_integer(one, "output_shape", self) for one in sizes)

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Makes the projections; the last size of each shape must be known."""
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        rank = len(query_shape)
        self.attention_axes = self._settled_axes(rank)

        def projection(name: str, shape: Any, size: int, activation: Any = None) -> Any:
            axes, inner = string.ascii_lowercase[: len(shape) - 1], string.ascii_lowercase[len(shape) - 1]
            outer = string.ascii_lowercase[len(shape) : len(shape) + 2]
            layer = self._projection(
                name, f"{axes}{inner},{inner}{outer}->{axes}{outer}",
                (*(None,) * (len(shape) - 2), self.num_heads, size), outer, activation,
            )
            layer.build(tuple(shape))
            return layer

        self.query_dense = projection("query", query_shape, self.key_dim)
        self.key_dense = projection("key", key_shape, self.key_dim)
        if self.use_gate:
            self._gate_dense = projection("gate", query_shape, self.value_dim, "sigmoid")
        self.value_dense = projection("value", value_shape, self.value_dim)
        self._make_weighing(self.key_dim)
        axes, inner = string.ascii_lowercase[: rank - 1], string.ascii_lowercase[rank - 1 : rank + 1]
        sizes = self._output_sizes or (query_shape[-1],)
        outer = string.ascii_lowercase[rank + 1 : rank + 1 + len(sizes)]
        self.output_dense = self._projection(
            "attention_output", f"{axes}{inner},{inner}{outer}->{axes}{outer}", (*(None,) * (rank - 2), *sizes), outer
        )
        self.output_dense.build((*query_shape[:-1], self.num_heads, self.value_dim))

    def _settled_axes(self, rank: int) -> tuple[int, ...]:
        if self.attention_axes is None:
            return tuple(range(1, rank - 1))
        axes = tuple(sorted(axis % rank for axis in self.attention_axes if -rank <= axis < rank))
        if len(set(axes)) != len(self.attention_axes) or not set(axes) <= set(range(1, rank - 1)):
            raise ArgumentError(
                f"attention_axes out of 1 to {rank - 2}", f"attention_axes={self.attention_axes}", where(self)
            )
        return axes

    def _check_shapes(self, query: Any, value: Any, key: Any) -> None:
        shapes = f"query.shape={tuple(query)}, value.shape={tuple(value)}, key.shape={tuple(key)}"
        if not len(query) == len(value) == len(key) >= 3:
            raise ArgumentError("query, value and key of one rank of at least 3", shapes, where(self))
        if query[-1] is None or value[-1] is None or key[-1] is None:
            raise ArgumentError("a known number of features in the last axis", shapes, where(self))
        if any(a != b for a, b in zip(value[:-1], key[:-1], strict=True) if a is not None and b is not None):
            raise ArgumentError("as many keys as values", shapes, where(self))
        attended = self._settled_axes(len(query))
        for axis, (a, b) in enumerate(zip(query[:-1], value[:-1], strict=True)):
            if axis not in attended and a is not None and b is not None and a != b:
                raise ArgumentError(f"query and value of one size in axis {axis}", shapes, where(self))

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
            query: [batch, ..., features].
            value: [batch, ..., features], of the query's sizes along axes over which attention does not go.
            key: As many as values; the values themselves if None.
            query_mask: Which queries count; the outputs of the others mean nothing, and carry the mask on.
            value_mask: [batch, values]: which values count.
            key_mask: [batch, keys]: which keys count.
            attention_mask: [batch, queries, keys], or what broadcasts: True or 1 where a query may look.
            return_attention_scores: Whether the weights are returned too.
            training: Whether dropout acts.
            use_causal_mask: Whether a query looks only at its own place and before.

        Returns:
            The outputs, of the query's shape but for the last axis, or `(outputs, scores)` with scores
            [batch, heads, queries, keys].
        """
        self._check_scores_wanted(return_attention_scores)
        key = value if key is None else key
        self._check_shapes(query.shape, value.shape, key.shape)
        gate = self._gate_dense(query) if self.use_gate else None
        query, key, value = self.query_dense(query), self.key_dense(key), self.value_dense(value)
        folding = _Folding(query.shape, key.shape, self.attention_axes)
        if (use_causal_mask or self.sliding_window is not None) and len(self.attention_axes) > 1:
            raise ArgumentError(
                "one attention axis with use_causal_mask or sliding_window", f"attention_axes={self.attention_axes}",
                self._where(),
            )
        mask, causal = self._allowed(
            folding.queries, folding.keys, [folding.key_mask(one) for one in (value_mask, key_mask)],
            folding.attention_mask(attention_mask), use_causal_mask,
        )
        found, scores = self._attend(
            folding.fold(query), folding.fold(key), folding.fold(value), mask, causal, return_attention_scores,
            training,
        )
        found = folding.unfold(found)
        if gate is not None:
            found = ops.multiply(found, gate)
        outputs = self.output_dense(found)
        return (outputs, folding.unfold_scores(scores)) if return_attention_scores else outputs

    def compute_output_shape(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> Any:
        """The shape of the outputs, without scores."""
        self._check_shapes(query_shape, value_shape, value_shape if key_shape is None else key_shape)
        return (*query_shape[:-1], *(self._output_sizes or (query_shape[-1],)))

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
        shape = self.compute_output_shape(query.shape, value.shape, None if key is None else key.shape)
        outputs = KerasTensor(shape, self.compute_dtype)
        if not return_attention_scores:
            return outputs
        key = value if key is None else key
        axes = self._settled_axes(len(query.shape))
        free = [size for axis, size in enumerate(query.shape[:-1]) if axis not in axes]
        queries, keys = ([one.shape[axis] for axis in axes] for one in (query, key))
        return outputs, KerasTensor((*free, self.num_heads, *queries, *keys), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        config = super().get_config()
        config["output_shape"] = self._output_sizes
        return config


class _Folding:
    """Axes of [batch, ..., heads, features] folded so that one is left for all that attention goes over, and one
    for all others; nothing is moved where it is so already.
    """

    def __init__(self, query: tuple[int, ...], key: tuple[int, ...], axes: tuple[int, ...]) -> None:
        self.others = tuple(axis for axis in range(len(query) - 2) if axis not in axes)
        self.axes = axes
        self.free = tuple(query[axis] for axis in self.others)
        self.query_sizes, self.key_sizes = tuple(query[axis] for axis in axes), tuple(key[axis] for axis in axes)
        self.queries, self.keys = math.prod(self.query_sizes), math.prod(self.key_sizes)
        self.key_shape = key[:-2]
        self.trivial = len(query) == 4
        self.order = (*self.others, *axes, len(query) - 2, len(query) - 1)

    def fold(self, x: Any) -> Any:
        """[batch, ..., heads, features] as [all others, length, heads, features]."""
        if self.trivial:
            return x
        return ops.reshape(
            ops.transpose(x, self.order),
            (math.prod(self.free), math.prod(x.shape[axis] for axis in self.axes), *x.shape[-2:]),
        )

    def unfold(self, x: Any) -> Any:
        """The reverse of `fold`, for queries."""
        if self.trivial:
            return x
        moved = ops.reshape(x, (*self.free, *self.query_sizes, *x.shape[-2:]))
        return ops.transpose(moved, tuple(self.order.index(axis) for axis in range(len(self.order))))

    def key_mask(self, mask: Any) -> Any:
        """A mask of keys [batch, ...] as [all others, length]; axes that it lacks are the last ones."""
        if mask is None or self.trivial:
            return mask
        shape = self.key_shape
        mask = ops.expand_dims(mask, tuple(range(len(mask.shape), len(shape))))
        mask = ops.transpose(ops.broadcast_to(mask, shape), self.order[:-2])
        return ops.reshape(mask, (math.prod(self.free), self.keys))

    def attention_mask(self, mask: Any) -> Any:
        """A mask [..., queries, keys] as [all others, heads, queries, keys]; axes that it lacks stand before."""
        if mask is None:
            return None
        lengths = 2 * len(self.axes)
        while len(mask.shape) < len(self.others) + 1 + lengths:
            mask = ops.expand_dims(mask, max(-lengths, -len(mask.shape)) - 1)
        if self.trivial:
            return mask
        heads = mask.shape[len(self.others)]
        mask = ops.broadcast_to(mask, (*self.free, heads, *self.query_sizes, *self.key_sizes))
        return ops.reshape(mask, (math.prod(self.free), heads, self.queries, self.keys))

    def unfold_scores(self, scores: Any) -> Any:
        """Scores [all others, heads, queries, keys] with all axes again."""
        if self.trivial:
            return scores
        return ops.reshape(scores, (*self.free, scores.shape[1], *self.query_sizes, *self.key_sizes))


def _axes(value: Any, layer: Any) -> tuple[int, ...] | None:
    if value is None:
        return None
    axes = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    if not axes or any(isinstance(one, bool) or not hasattr(one, "__index__") for one in axes):
        raise ArgumentTypeError("attention_axes to be an integer or several", repr(value), where(layer))
    return axes
