"""`LayerNormalization`: zero mean and unit variance within each sample."""

from __future__ import annotations

from typing import Any

from hornbeam import constraints, initializers, ops, regularizers
from hornbeam._wire import wire
from hornbeam.layers.core.checks import known_size, where
from hornbeam.layers.layer import Layer
from hornbeam.ops.define import normalized_axis


@wire("keras.layers.LayerNormalization")
class LayerNormalization(Layer):
    """Brings each sample to mean 0 and variance 1 over some axes.

    J. L. Ba et al., "Layer normalization", 2016.

    Args:
        axis: The axis or axes over which to normalise; each has its own `gamma` and `beta`.
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
    >>> keras.ops.convert_to_numpy(keras.layers.LayerNormalization()(keras.ops.ones((2, 3)))).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    def __init__(
        self,
        axis: Any = -1,
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
        # part of Keras's configs, although no longer of its signature
        self.rms_scaling = bool(kwargs.pop("rms_scaling", False))
        super().__init__(**kwargs)
        # `gamma` and `beta` have their axes in this order
        self.axis = sorted(axis) if isinstance(axis, (list, tuple)) else [axis]
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True
        self.gamma = self.beta = None

    def _axes(self, rank: int) -> list[int]:
        return [
            normalized_axis(one, rank, where(self))
            for one in self.axis
        ]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes `gamma` and `beta` of the sizes of the axes."""
        shape = tuple(
            known_size(input_shape[one], "features", input_shape, self) for one in self._axes(len(input_shape))
        )
        if self.scale:
            self.gamma = self.add_weight(
                shape,
                self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                name="gamma",
            )
        if self.center:
            self.beta = self.add_weight(
                shape,
                self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                name="beta",
            )

    def _fitting(self, parameter: Any, shape: tuple[int, ...]) -> Any:
        """`gamma` or `beta` in the shape of the input's axes.

        They are kept in the order of `axis` as it was given, negative numbers first. Files of Keras hold them so, and
        mean by it the same elements read in the input's order.
        """
        sizes = [shape[one] for one in sorted(self._axes(len(shape)))]
        return parameter if tuple(parameter.shape) == tuple(sizes) else ops.reshape(parameter, sizes)

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        gamma = None if self.gamma is None else self._fitting(self.gamma.value, inputs.shape)
        beta = None if self.beta is None else self._fitting(self.beta.value, inputs.shape)
        if self.rms_scaling:
            outputs = ops.rms_normalization(inputs, scale=gamma, axis=self.axis, epsilon=self.epsilon)
            return outputs if beta is None else ops.add(outputs, beta)
        return ops.layer_normalization(inputs, gamma=gamma, beta=beta, axis=self.axis, epsilon=self.epsilon)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        self._axes(len(input_shape))
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments, and whether only the scale is normalised."""
        return {**super().get_config(), "rms_scaling": self.rms_scaling}
