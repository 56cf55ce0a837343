"""Activations with settings of their own: `ReLU`, `LeakyReLU`, `ELU`, `Softmax`, `PReLU`."""

from __future__ import annotations

from typing import Any

from hornbeam import activations, constraints, initializers, ops, regularizers
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import known_size, where
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer


class _Elementwise(Layer):
    """A layer whose output has the shape of its input."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape


def _not_negative(value: Any, name: str, layer: Layer) -> float:
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise ArgumentError("a number of at least 0", f"{name}={value!r}", where(layer))
    return value


@wire("keras.layers.ReLU")
class ReLU(_Elementwise):
    """`max(x, 0)`, with a ceiling, a slope below and a threshold if wanted.

    Args:
        max_value: The largest output; None for no limit.
        negative_slope: The slope below the threshold.
        threshold: Below it the slope begins.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.layers.ReLU(max_value=6)(keras.ops.array([-1.0, 3.0, 9.0]))).tolist()
    [0.0, 3.0, 6.0]
    """

    _keeps_dtype = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _not_negative(max_value, "max_value", self)
        self.negative_slope = _not_negative(negative_slope, "negative_slope", self)
        self.threshold = _not_negative(threshold, "threshold", self)

    def call(self, inputs: Any) -> Any:
        """The activation of `inputs`."""
        return activations.relu(
            inputs, negative_slope=self.negative_slope, max_value=self.max_value, threshold=self.threshold
        )


@wire("keras.layers.LeakyReLU")
class LeakyReLU(_Elementwise):
    """`x` above 0, `negative_slope * x` below.

    Args:
        negative_slope: The slope below 0.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.layers.LeakyReLU(0.5)(keras.ops.array([-2.0, 3.0]))).tolist()
    [-1.0, 3.0]
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:  # the name before Keras 3
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        self.negative_slope = _not_negative(negative_slope, "negative_slope", self)

    def call(self, inputs: Any) -> Any:
        """The activation of `inputs`."""
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)


@wire("keras.layers.ELU")
class ELU(_Elementwise):
    """`x` above 0, `alpha * (exp(x) - 1)` below; D.-A. Clevert et al., 2015.

    Args:
        alpha: The distance of the lower limit from 0.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Any) -> Any:
        """The activation of `inputs`."""
        return activations.elu(inputs, alpha=self.alpha)


@wire("keras.layers.Softmax")
class Softmax(_Elementwise):
    """Positive numbers that add up to 1 along an axis.

    Args:
        axis: The axis, or several.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.layers.Softmax()(keras.ops.zeros((1, 2)))).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The softmax of `inputs`; where `mask` is False the result is 0."""
        if mask is not None:
            # a finite number, so that rows without any True give no NaN
            lowest = -3e4 if backend.dtype(inputs) == "float16" else -1e9
            inputs = ops.add(inputs, ops.multiply(ops.cast(ops.logical_not(mask), inputs.dtype), lowest))
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        if isinstance(axis, tuple) and len(axis) > 1:
            outputs = ops.exp(ops.subtract(inputs, ops.logsumexp(inputs, axis=axis, keepdims=True)))
        else:
            outputs = activations.softmax(inputs, axis=axis[0] if isinstance(axis, tuple) else axis)
        # exactly 0, also where no element at all may count
        return outputs if mask is None else ops.multiply(outputs, ops.cast(mask, outputs.dtype))


@wire("keras.layers.PReLU")
class PReLU(_Elementwise):
    """`x` above 0, `alpha * x` below, with a trained `alpha` for each feature; K. He et al., 2015.

    Args:
        alpha_initializer: Initializer of `alpha`.
        alpha_regularizer: Regularizer of `alpha`.
        alpha_constraint: Constraint on `alpha`.
        shared_axes: Axes along which one `alpha` serves all.
    """

    def __init__(
        self, alpha_initializer: Any = "Zeros", alpha_regularizer: Any = None, alpha_constraint: Any = None,
        shared_axes: Any = None, **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = None if shared_axes is None else (
            list(shared_axes) if isinstance(shared_axes, (list, tuple)) else [shared_axes]
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes `alpha` of the shape of a sample, 1 along shared axes."""
        shared = set(self.shared_axes or ())
        shape = [
            1 if axis in shared else known_size(size, "features", input_shape, self)
            for axis, size in enumerate(input_shape)
            if axis > 0
        ]
        self.alpha = self.add_weight(
            tuple(shape), self.alpha_initializer, regularizer=self.alpha_regularizer, constraint=self.alpha_constraint,
            name="alpha",
        )
        self.input_spec = InputSpec(shape=tuple(
            None if axis == 0 or axis in shared else size for axis, size in enumerate(input_shape)
        ))

    def call(self, inputs: Any) -> Any:
        """The activation of `inputs`."""
        return ops.subtract(activations.relu(inputs), ops.multiply(self.alpha, activations.relu(ops.negative(inputs))))
