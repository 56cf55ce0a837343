"""`BatchNormalization`: zero mean and unit variance over the batch."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import constraints, initializers, ops, regularizers
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, UnsupportedError
from hornbeam.layers.core.checks import known_size, where
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer


@wire("keras.layers.BatchNormalization")
class BatchNormalization(Layer):
    """Brings each channel to mean 0 and variance 1: of the batch while training, of all batches so far at inference.

    S. Ioffe and C. Szegedy, "Batch normalization", 2015; renorm: S. Ioffe, "Batch renormalization", 2017.

    Args:
        axis: The axis of the channels.
        momentum: The weight of the past in the running mean and variance.
        epsilon: What is added to the variance.
        center: Whether a trained `beta` is added.
        scale: Whether a trained `gamma` multiplies.
        beta_initializer: Initializer of `beta`.
        gamma_initializer: Initializer of `gamma`.
        moving_mean_initializer: Initializer of the running mean.
        moving_variance_initializer: Initializer of the running variance.
        beta_regularizer: Regularizer of `beta`.
        gamma_regularizer: Regularizer of `gamma`.
        beta_constraint: Constraint on `beta`.
        gamma_constraint: Constraint on `gamma`.
        renorm: Whether training too follows the running statistics.
        renorm_clipping: Limits "rmin", "rmax" and "dmax" of the correction.
        renorm_momentum: The weight of the past in the statistics of renorm.
        synchronized: Whether replicas share the statistics of the batch.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.layers.BatchNormalization()(keras.ops.ones((2, 3)), training=True)).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, bool) or not hasattr(axis, "__index__"):
            raise ArgumentError("an integer", f"axis={axis!r}", where(self))
        if not 0 <= momentum <= 1:
            raise ArgumentError("a number between 0 and 1", f"momentum={momentum}", where(self))
        if synchronized and "synchronized" not in backend.features:
            raise UnsupportedError(
                "a backend that synchronises batch statistics", f"the {backend.name} backend", where(self)
            )
        unknown = set(renorm_clipping or ()) - {"rmin", "rmax", "dmax"}
        if unknown:
            raise ArgumentError(
                "the keys 'rmin', 'rmax' and 'dmax'", f"renorm_clipping with {sorted(unknown)}", where(self)
            )
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.renorm = renorm
        self.renorm_clipping = dict(renorm_clipping or {}) if renorm else renorm_clipping
        self.renorm_momentum = renorm_momentum
        self.synchronized = synchronized
        self.supports_masking = True
        self.gamma = self.beta = None

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the variables, one number for each channel."""
        rank = len(input_shape)
        if not -rank <= self.axis < rank:
            raise ArgumentError(f"an axis of an input of {rank} axes", f"axis={self.axis}", where(self))
        size = known_size(input_shape[self.axis], "channels", input_shape, self)
        shape = (size,)
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
        self.moving_mean = self.add_weight(
            shape, self.moving_mean_initializer, trainable=False, autocast=False, aggregation="mean",
            name="moving_mean",
        )
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, autocast=False, aggregation="mean",
            name="moving_variance",
        )
        if self.renorm:
            self.moving_stddev = self.add_weight(
                shape, self._initial_stddev, trainable=False, autocast=False, aggregation="mean",
                name="moving_stddev",
            )
            self.renorm_mean = self.add_weight(
                shape, self.moving_mean_initializer, trainable=False, autocast=False, aggregation="mean",
                name="renorm_mean",
            )
            self.renorm_stddev = self.add_weight(
                shape, self._initial_stddev, trainable=False, autocast=False, aggregation="mean",
                name="renorm_stddev",
            )
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: size})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The normalised inputs; with `training` the running statistics are brought up to date."""
        rank = len(inputs.shape)
        axis = self.axis % rank
        axes = [one for one in range(rank) if one != axis]
        # statistics of half floats over a batch would overflow
        wide = ops.cast(inputs, "float32" if self.compute_dtype in ("float16", "bfloat16") else self.compute_dtype)
        gamma, beta = self.gamma, self.beta
        if training and self.trainable:
            mean, variance = self._moments(wide, axes, mask)
            self.moving_mean.assign(self._moved(self.moving_mean, mean, self.momentum))
            if not self.renorm:
                self.moving_variance.assign(self._moved(self.moving_variance, variance, self.momentum))
            else:
                correction, shift = self._renorm(mean, variance)
                scale = correction if gamma is None else ops.multiply(correction, ops.cast(gamma, "float32"))
                offset = shift if gamma is None else ops.multiply(shift, ops.cast(gamma, "float32"))
                gamma = scale
                beta = offset if beta is None else ops.add(offset, ops.cast(beta, "float32"))
        else:
            mean, variance = self.moving_mean, self.moving_variance
        mean, variance = ops.cast(mean, wide.dtype), ops.cast(variance, wide.dtype)
        gamma = None if gamma is None else ops.cast(gamma, wide.dtype)
        beta = None if beta is None else ops.cast(beta, wide.dtype)
        outputs = ops.batch_normalization(
            wide, mean=mean, variance=variance, axis=axis, offset=beta, scale=gamma, epsilon=self.epsilon
        )
        return ops.cast(outputs, self.compute_dtype)

    def _initial_stddev(self, shape: Any, dtype: Any = None) -> Any:
        return ops.sqrt(self.moving_variance_initializer(shape, dtype))

    @staticmethod
    def _moved(variable: Any, value: Any, momentum: float) -> Any:
        return ops.add(ops.multiply(variable, momentum), ops.multiply(ops.cast(value, "float32"), 1.0 - momentum))

    def _moments(self, inputs: Any, axes: list[int], mask: Any) -> tuple[Any, Any]:
        if mask is None:
            return ops.moments(inputs, axes=axes)
        weights = ops.cast(mask, inputs.dtype)
        while len(weights.shape) < len(inputs.shape):
            weights = ops.expand_dims(weights, -1)
        weights = ops.broadcast_to(weights, inputs.shape)
        count = ops.maximum(ops.sum(weights, axis=axes, keepdims=True), self.epsilon)
        mean = ops.divide(ops.sum(ops.multiply(inputs, weights), axis=axes, keepdims=True), count)
        squares = ops.multiply(ops.square(ops.subtract(inputs, mean)), weights)
        variance = ops.divide(ops.sum(squares, axis=axes, keepdims=True), count)
        return ops.squeeze(mean, axes), ops.squeeze(variance, axes)

    def _renorm(self, mean: Any, variance: Any) -> tuple[Any, Any]:
        """By what the normalised batch is multiplied and what is added, so that it follows the running statistics."""
        stddev = ops.sqrt(ops.add(variance, self.epsilon))
        limits = self.renorm_clipping or {}
        running = ops.maximum(self.renorm_stddev, math.sqrt(self.epsilon))
        scale = ops.divide(stddev, running)
        scale = ops.clip(scale, limits.get("rmin", 0.0), limits.get("rmax", float("inf")))
        shift = ops.divide(ops.subtract(mean, self.renorm_mean), running)
        if "dmax" in limits:
            shift = ops.clip(shift, -limits["dmax"], limits["dmax"])
        # the variance for inference follows the standard deviation, as in the paper, not the variance
        self.moving_stddev.assign(self._moved(self.moving_stddev, stddev, self.momentum))
        squared = ops.subtract(ops.square(self.moving_stddev), self.epsilon)
        self.moving_variance.assign(ops.maximum(squared, 0.0))
        self.renorm_mean.assign(self._moved(self.renorm_mean, mean, self.renorm_momentum))
        self.renorm_stddev.assign(self._moved(self.renorm_stddev, stddev, self.renorm_momentum))
        return ops.stop_gradient(scale), ops.stop_gradient(shift)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape
