"""`ReversibleEmbedding`: vectors for integers, and from vectors back to scores of the integers."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam._wire import wire
from hornbeam.layers.core.embedding import Embedding
from hornbeam.symbolic import KerasTensor


@wire("keras.layers.ReversibleEmbedding")
class ReversibleEmbedding(Embedding):
    """An embedding that also goes the other way: called with `reverse=True` it gives a score for each integer.

    O. Press and L. Wolf, "Using the output embedding to improve language models", 2017.

    Args:
        input_dim: How many integers there are.
        output_dim: The size of a vector.
        tie_weights: Whether one matrix serves both ways.
        embeddings_initializer: Initializer of the matrices.
        embeddings_regularizer: Regularizer of the matrices.
        embeddings_constraint: Constraint on the matrices.
        mask_zero: Whether 0 stands for padding, which is masked.
        reverse_dtype: The dtype of the scores; that of the vectors if None.
        logit_soft_cap: Scores are bent smoothly so that none exceeds this.

    >>> import hornbeam as keras
    >>> layer = keras.layers.ReversibleEmbedding(10, 4)
    >>> vectors = layer(keras.ops.array([[1, 2, 3]]))
    >>> vectors.shape, layer(vectors, reverse=True).shape
    ((1, 3, 4), (1, 3, 10))
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            input_dim, output_dim, embeddings_initializer, embeddings_regularizer, embeddings_constraint, mask_zero,
            **kwargs,
        )
        self.tie_weights = tie_weights
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape: Any = None) -> None:
        """Makes the matrix, or both."""
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                (self.output_dim, self.input_dim), self.embeddings_initializer,
                regularizer=self.embeddings_regularizer, constraint=self.embeddings_constraint,
                name="reverse_embeddings",
            )

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        """The vector of each integer of `inputs`; or, if `reverse`, scores [..., input_dim] of vectors."""
        if not reverse:
            return super().call(inputs)
        matrix = ops.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings.value
        if self.reverse_dtype is not None:
            inputs, matrix = ops.cast(inputs, self.reverse_dtype), ops.cast(matrix, self.reverse_dtype)
        scores = ops.matmul(inputs, matrix)
        if self.logit_soft_cap is None:
            return scores
        return ops.multiply(ops.tanh(ops.divide(scores, self.logit_soft_cap)), self.logit_soft_cap)

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> Any:
        """The input shape and `output_dim`; or `input_dim` last, if `reverse`."""
        return (*input_shape[:-1], self.input_dim) if reverse else (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs: Any, reverse: bool = False) -> Any:
        """The symbolic output."""
        shape = self.compute_output_shape(inputs.shape, reverse)
        if not reverse:
            return KerasTensor(shape, self.compute_dtype)
        matrix = KerasTensor((self.output_dim, self.input_dim), self.variable_dtype)
        found = ops.matmul(KerasTensor(inputs.shape, inputs.dtype), matrix).dtype
        return KerasTensor(shape, self.reverse_dtype or found)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        config = super().get_config()
        config.setdefault("quantization_config", None)
        return config
