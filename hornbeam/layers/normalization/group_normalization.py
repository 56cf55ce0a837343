"""`GroupNormalization`: zero mean and unit variance over the features of a group, within each sample."""

from __future__ import annotations

from typing import Any

from hornbeam import constraints, initializers, ops, regularizers
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import known_size, where
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer
from hornbeam.ops.define import normalized_axis


@wire("keras.layers.GroupNormalization")
class GroupNormalization(Layer):
    """Brings each group of channels of each sample to mean 0 and variance 1.

    Y. Wu and K. He, "Group normalization", 2018.

    Args:
        groups: The number of groups, a divisor of the number of channels; -1 makes each channel a group. 1 is close
            to layer normalization, -1 is instance normalization.
        axis: The axis of the channels.
        epsilon: What is added to the variance.
        center: Whether a trained `beta` is added.
        scale: Whether a trained `gamma` multiplies.
        beta_initializer: Initializer of `beta`.
        gamma_initializer: Initializer of `gamma`.
        beta_regularizer: Regularizer of `beta`.
        gamma_regularizer: Regularizer of `gamma`.
        beta_constraint: Constraint on `beta`.
        gamma_constraint: Constraint on `gamma`.

    >>> import hornbeam as keras
    >>> keras.layers.GroupNormalization(2)(keras.ops.ones((2, 3, 4))).shape
    (2, 3, 4)
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(groups, bool) or not hasattr(groups, "__index__") or (groups < 1 and groups != -1):
            raise ArgumentError("a positive number of groups, or -1", repr(groups), where(self))
        self.supports_masking = True
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma = self.beta = None

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes `gamma` and `beta`, one number for each channel."""
        axis = normalized_axis(self.axis, len(input_shape), where(self))
        size = known_size(input_shape[axis], "channels", input_shape, self)
        groups = size if self.groups == -1 else self.groups
        if size % groups:
            raise ArgumentError(f"channels divisible by groups={groups}", f"{size} channels", where(self))
        self.groups = groups
        if self.scale:
            self.gamma = self.add_weight(
                (size,), self.gamma_initializer, regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint, name="gamma",
            )
        if self.center:
            self.beta = self.add_weight(
                (size,), self.beta_initializer, regularizer=self.beta_regularizer, constraint=self.beta_constraint,
                name="beta",
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: size})

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        axis = normalized_axis(self.axis, len(inputs.shape), where(self))
        shape = tuple(inputs.shape)
        inputs = ops.cast(inputs, self.compute_dtype)
        work = "float32" if self.compute_dtype in ("float16", "bfloat16") else self.compute_dtype
        grouped = ops.reshape(
            ops.cast(inputs, work), (*shape[:axis], self.groups, shape[axis] // self.groups, *shape[axis + 1 :])
        )
        over = tuple(one for one in range(1, len(shape) + 1) if one != axis)
        mean, variance = ops.moments(grouped, axes=over, keepdims=True)
        normal = ops.multiply(ops.subtract(grouped, mean), ops.rsqrt(ops.add(variance, self.epsilon)))
        outputs = ops.reshape(normal, shape)
        along = tuple(shape[axis] if one == axis else 1 for one in range(len(shape)))
        if self.gamma is not None:
            outputs = ops.multiply(outputs, ops.cast(ops.reshape(self.gamma, along), work))
        if self.beta is not None:
            outputs = ops.add(outputs, ops.cast(ops.reshape(self.beta, along), work))
        return outputs if work == self.compute_dtype else backend.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape
