"""Losses of real numbers, as functions: one loss per sample, over the last axis."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import _config, ops
from hornbeam._wire import wire
from hornbeam.losses.shapes import pair
from hornbeam.ops.define import Tensor, TensorLike, normalized_axis


@wire("keras.losses.mean_squared_error", "keras.metrics.mean_squared_error")
def mean_squared_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The mean of `(y_true - y_pred)**2` over the last axis.

    Args:
        y_true: Targets (batch, ..., n).
        y_pred: Predictions of the same shape.

    Returns:
        Tensor (batch, ...).

    Raises:
        ValueError: If the shapes do not fit.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(mean_squared_error([[0.0, 0.0]], [[1.0, 3.0]])).tolist()
    [5.0]
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_squared_error")
    return ops.mean(ops.square(ops.subtract(y_true, y_pred)), axis=-1)


@wire("keras.losses.mean_absolute_error", "keras.metrics.mean_absolute_error")
def mean_absolute_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The mean of `|y_true - y_pred|` over the last axis; arguments as in `mean_squared_error`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(mean_absolute_error([[0.0, 0.0]], [[1.0, 3.0]])).tolist()
    [2.0]
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_absolute_error")
    return ops.mean(ops.absolute(ops.subtract(y_true, y_pred)), axis=-1)


@wire("keras.losses.mean_absolute_percentage_error", "keras.metrics.mean_absolute_percentage_error")
def mean_absolute_percentage_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The mean of `100 |y_true - y_pred| / |y_true|` over the last axis; arguments as in `mean_squared_error`.

    Targets nearer to 0 than epsilon count as epsilon.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]])).tolist()
    [25.0]
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_absolute_percentage_error")
    size = ops.maximum(ops.absolute(y_true), _config.epsilon())
    return ops.multiply(100.0, ops.mean(ops.absolute(ops.divide(ops.subtract(y_true, y_pred), size)), axis=-1))


@wire("keras.losses.mean_squared_logarithmic_error", "keras.metrics.mean_squared_logarithmic_error")
def mean_squared_logarithmic_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The mean of `(log(y_true + 1) - log(y_pred + 1))**2` over the last axis; as `mean_squared_error`.

    Values below epsilon count as epsilon.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(mean_squared_logarithmic_error([[1.0]], [[1.0]])).tolist()
    [0.0]
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_squared_logarithmic_error")
    logs = [ops.log(ops.add(ops.maximum(one, _config.epsilon()), 1.0)) for one in (y_true, y_pred)]
    return ops.mean(ops.square(ops.subtract(*logs)), axis=-1)


@wire("keras.losses.huber", "keras.metrics.huber")
def huber(y_true: TensorLike, y_pred: TensorLike, delta: TensorLike = 1.0) -> Tensor:
    """Half the squared error where it is small, a linear function where it is large.

    P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35, 1964.

    Args:
        y_true: Targets (batch, ..., n).
        y_pred: Predictions of the same shape.
        delta: The error at which the square becomes linear.

    Returns:
        Tensor (batch, ...): the mean over the last axis.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(huber([[0.0]], [[3.0]])).tolist()
    [2.5]
    """
    y_true, y_pred = pair(y_true, y_pred, "huber")
    error = ops.absolute(ops.subtract(y_true, y_pred))
    delta = ops.cast(delta, y_pred.dtype)
    square = ops.multiply(0.5, ops.square(error))
    line = ops.subtract(ops.multiply(delta, error), ops.multiply(0.5, ops.square(delta)))
    return ops.mean(ops.where(ops.less_equal(error, delta), square, line), axis=-1)


@wire("keras.losses.log_cosh", "keras.metrics.log_cosh")
def log_cosh(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The mean of `log(cosh(y_pred - y_true))` over the last axis; arguments as in `mean_squared_error`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(log_cosh([[1.0]], [[1.0]])).tolist()
    [0.0]
    """
    y_true, y_pred = pair(y_true, y_pred, "log_cosh")
    error = ops.subtract(y_pred, y_true)
    return ops.mean(ops.subtract(ops.logaddexp(error, ops.negative(error)), math.log(2.0)), axis=-1)


@wire("keras.losses.poisson", "keras.metrics.poisson")
def poisson(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The mean of `y_pred - y_true log(y_pred)` over the last axis; arguments as in `mean_squared_error`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(poisson([[0.0]], [[2.0]])).tolist()
    [2.0]
    """
    y_true, y_pred = pair(y_true, y_pred, "poisson")
    log = ops.log(ops.add(y_pred, _config.epsilon()))
    return ops.mean(ops.subtract(y_pred, ops.multiply(y_true, log)), axis=-1)


@wire("keras.losses.kl_divergence", "keras.metrics.kl_divergence")
def kl_divergence(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The sum of `y_true log(y_true / y_pred)` over the last axis, of probabilities.

    S. Kullback and R. A. Leibler, "On information and sufficiency", Annals of Mathematical Statistics 22, 1951.

    Args:
        y_true: Probabilities (batch, ..., n); they are clipped to [epsilon, 1].
        y_pred: Probabilities of the same shape, likewise.

    Returns:
        Tensor (batch, ...).

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(kl_divergence([[0.5, 0.5]], [[0.5, 0.5]])).tolist()
    [0.0]
    """
    y_true, y_pred = pair(y_true, y_pred, "kl_divergence")
    y_true, y_pred = (ops.clip(one, _config.epsilon(), 1.0) for one in (y_true, y_pred))
    return ops.sum(ops.multiply(y_true, ops.log(ops.divide(y_true, y_pred))), axis=-1)


@wire("keras.losses.cosine_similarity")
def cosine_similarity(y_true: TensorLike, y_pred: TensorLike, axis: Any = -1) -> Tensor:
    """Minus the cosine of the angle between two vectors: -1 for the same direction, 1 for the opposite one.

    Args:
        y_true: Vectors.
        y_pred: Vectors of the same shape.
        axis: The axis of a vector.

    Returns:
        Tensor without `axis`; 0 where a vector is 0.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(cosine_similarity([[0.0, 1.0]], [[0.0, 2.0]])).tolist()
    [-1.0]
    """
    y_true, y_pred = pair(y_true, y_pred, "cosine_similarity")
    if isinstance(axis, int):
        normalized_axis(axis, len(y_pred.shape), "cosine_similarity")
    y_true, y_pred = ops.normalize(y_true, axis=axis), ops.normalize(y_pred, axis=axis)
    return ops.negative(ops.sum(ops.multiply(y_true, y_pred), axis=axis))
