"""`Dense`: a linear map of the last axis."""

from __future__ import annotations

from typing import Any

from hornbeam import activations, constraints, initializers, ops, regularizers
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.layers.core.checks import known_size, no_quantization, positive_integer
from hornbeam.layers.core.lora import LowRankAdapted
from hornbeam.layers.input_spec import InputSpec
from hornbeam.ops.define import same_dtype


@wire("keras.layers.Dense")
class Dense(LowRankAdapted):
    """`activation(inputs @ kernel + bias)` over the last axis.

    Args:
        units: The size of the last axis of the outputs.
        activation: An activation or its name; None is none.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel [size of the last input axis, units].
        bias_initializer: Initializer of the bias [units].
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the outputs.
        kernel_constraint: Constraint on the kernel.
        bias_constraint: Constraint on the bias.
        lora_rank: The rank of a trained low-rank change of the kernel, which itself stands still; None for none.
        lora_alpha: The change counts `lora_alpha / lora_rank` times; `lora_rank` if None.
        quantization_config: Must be None: weights are not quantized.

    Raises:
        ValueError: If `units` is no positive integer.

    >>> import hornbeam as keras
    >>> keras.layers.Dense(4, activation="relu")(keras.ops.ones((2, 3))).shape
    (2, 4)
    """

    adapted_name = "kernel"

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        no_quantization(quantization_config, self)
        self.quantization_config = None
        self.units = positive_integer(units, "units", self)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.bias: Any = None
        self._init_lora(lora_rank, lora_alpha)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes kernel and bias; the last size of `input_shape` must be known."""
        size = known_size(input_shape[-1], "features", input_shape, self)
        self._add_adaptable(
            (size, self.units), self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = self.add_weight(
            (self.units,), self.bias_initializer, regularizer=self.bias_regularizer,
            constraint=self.bias_constraint, name="bias",
        ) if self.use_bias else None
        if self.lora_rank is not None:
            self.enable_lora(self.lora_rank, lora_alpha=self.lora_alpha)
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})

    @property
    def kernel(self) -> Any:
        """The kernel [size, units]; under low-rank adaptation the sum, as a tensor."""
        return self._adapted()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """The map of `inputs` [..., size] to [..., units]."""
        kernel = self._untracked_matrix.value  # type: ignore[union-attr]
        bias = None if self.bias is None else self.bias.value
        if inputs.dtype != kernel.dtype:  # integers
            inputs, kernel = same_dtype(inputs, kernel)
        outputs = backend.linear(inputs, kernel, bias)
        if self.lora_enabled:
            first, second = self._untracked_adaptation
            change = ops.matmul(ops.matmul(inputs, first), second)
            outputs = ops.add(outputs, ops.multiply(change, self._lora_scale))
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The input shape with `units` last."""
        return (*input_shape[:-1], self.units)
