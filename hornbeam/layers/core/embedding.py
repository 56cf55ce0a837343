"""`Embedding`: a vector for each of a number of integers."""

from __future__ import annotations

from typing import Any

from hornbeam import constraints, dtypes, initializers, ops, regularizers
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.layers.core.checks import no_quantization, positive_integer
from hornbeam.layers.core.lora import LowRankAdapted
from hornbeam.symbolic import KerasTensor


@wire("keras.layers.Embedding")
class Embedding(LowRankAdapted):
    """A trained vector for each integer from 0 to `input_dim` - 1.

    Args:
        input_dim: How many integers there are.
        output_dim: The size of a vector.
        embeddings_initializer: Initializer of the matrix [input_dim, output_dim].
        embeddings_regularizer: Regularizer of the matrix.
        embeddings_constraint: Constraint on the matrix.
        mask_zero: Whether 0 stands for padding, which is masked.
        weights: A matrix to start from.
        lora_rank: The rank of a trained low-rank change of the matrix, which itself stands still; None for none.
        lora_alpha: The change counts `lora_alpha / lora_rank` times; `lora_rank` if None.
        quantization_config: Must be None: weights are not quantized.

    >>> import hornbeam as keras
    >>> keras.layers.Embedding(10, 4)(keras.ops.array([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    adapted_name = "embeddings"

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        if "input_length" in kwargs:  # from before Keras 3; lengths are known from the data
            kwargs.pop("input_length")
        super().__init__(**kwargs)
        no_quantization(quantization_config, self)
        self.quantization_config = None
        self.input_dim = positive_integer(input_dim, "input_dim", self)
        self.output_dim = positive_integer(output_dim, "output_dim", self)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self._init_lora(lora_rank, lora_alpha)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False  # large integers must not pass through small floats
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: Any = None) -> None:
        """Makes the matrix."""
        self._add_adaptable(
            (self.input_dim, self.output_dim), self.embeddings_initializer, regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )
        if self.lora_rank is not None:
            self.enable_lora(self.lora_rank, lora_alpha=self.lora_alpha)

    @property
    def embeddings(self) -> Any:
        """The matrix [input_dim, output_dim]; under low-rank adaptation the sum, as a tensor."""
        return self._adapted()

    def call(self, inputs: Any) -> Any:
        """The vector of each integer of `inputs`: one axis more."""
        if not dtypes.is_int(backend.dtype(inputs)):
            inputs = ops.cast(inputs, "int32")
        outputs = ops.take(self._untracked_matrix, inputs, axis=0)
        if self.lora_enabled:
            first, second = self._untracked_adaptation
            change = ops.matmul(ops.take(first, inputs, axis=0), second)
            outputs = ops.add(outputs, ops.multiply(change, self._lora_scale))
        return ops.cast(outputs, self.compute_dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Where `inputs` is not 0, if that stands for padding."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    @property
    def _makes_masks(self) -> bool:
        return self.mask_zero

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The input shape and `output_dim`."""
        return (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs: Any) -> Any:
        """The symbolic output."""
        return KerasTensor(self.compute_output_shape(inputs.shape), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments; a matrix given as `weights` is saved with the weights."""
        config = super().get_config()
        config.pop("weights", None)
        config.setdefault("activity_regularizer", None)
        return config
