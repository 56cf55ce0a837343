"""Errors and similarities of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import losses
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.losses.shapes import check_equal, of_one_rank
from hornbeam.metrics.alignment import as_tensor, fitting_weight
from hornbeam.metrics.metric import Metric
from hornbeam.metrics.reduction_metrics import Mean, MeanMetricWrapper, divide_or_zero

xp = backend.xp


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine of the angle between targets and predictions; unlike the loss, large where they agree.

    Args:
        y_true: Targets.
        y_pred: Predictions of the same shape.
        axis: The axis along which vectors lie.

    Returns:
        Values in [-1, 1], without that axis; 0 where a vector is 0.
    """
    return -losses.cosine_similarity(y_true, y_pred, axis=axis)


@wire("keras.metrics.MeanSquaredError")
class MeanSquaredError(MeanMetricWrapper):
    """The mean squared difference of targets and predictions.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]])), 4)
    2.5
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


@wire("keras.metrics.MeanAbsoluteError")
class MeanAbsoluteError(MeanMetricWrapper):
    """The mean distance of targets and predictions.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 3.0]])), 4)
    1.5
    """

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


@wire("keras.metrics.MeanAbsolutePercentageError")
class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean distance of targets and predictions, in percent of the targets.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 3.0]])), 4)
    37.5
    """

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


@wire("keras.metrics.MeanSquaredLogarithmicError")
class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean squared difference of `log(1 + x)` of targets and predictions.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.MeanSquaredLogarithmicError()([[0.0, 3.0]], [[1.0, 3.0]])), 4)
    0.2402
    """

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


@wire("keras.metrics.LogCoshError")
class LogCoshError(MeanMetricWrapper):
    """The mean logarithm of the hyperbolic cosine of the error: squared where small, linear where large.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.LogCoshError()([[0.0]], [[1.0]])), 4)
    0.4338
    """

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


@wire("keras.metrics.CosineSimilarity")
class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between targets and predictions; 1 is the same direction.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.
        axis: The axis along which vectors lie.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.CosineSimilarity()([[0.0, 1.0]], [[1.0, 1.0]])), 4)
    0.7071
    """

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)
        self.axis = axis

    def get_config(self) -> dict[str, Any]:
        """Name and dtype; the axis only where it is not the last, as files have it."""
        config = super().get_config()
        if self.axis == -1:
            del config["axis"]
        return config


@wire("keras.metrics.RootMeanSquaredError")
class RootMeanSquaredError(Mean):
    """The root of the mean squared difference of targets and predictions over all batches.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> float(keras.metrics.RootMeanSquaredError()([[0.0], [1.0]], [[1.0], [8.0]]))
    5.0
    """

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: Targets.
            y_pred: Predictions of the same shape.
            sample_weight: Weights that broadcast to the differences from the first axis on.
        """
        y_true, y_pred = of_one_rank(as_tensor(y_true, self.dtype), as_tensor(y_pred, self.dtype))
        self._add(xp.square(y_true - y_pred), sample_weight, None)

    def result(self) -> Any:
        """The root of the mean so far."""
        return xp.sqrt(super().result())


@wire("keras.metrics.R2Score")
class R2Score(Metric):
    """The coefficient of determination: the share of the targets' variance that predictions explain; 1 is best.

    https://en.wikipedia.org/wiki/Coefficient_of_determination

    Args:
        class_aggregation: How the scores of several outputs become one: "uniform_average", their mean;
            "variance_weighted_average", weighted by the variances; None, not at all.
        num_regressors: How many independent variables the model has, for the adjusted score; 0 is the plain one.
        name: The name.
        dtype: The dtype name; None takes the default float type.

    Raises:
        ValueError: For another `class_aggregation`, or a negative `num_regressors`.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 4)
    0.5714
    """

    def __init__(
        self, class_aggregation: str | None = "uniform_average", num_regressors: int = 0,
        name: str | None = "r2_score", dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ArgumentError(
                "class_aggregation to be 'uniform_average', 'variance_weighted_average' or None",
                repr(class_aggregation), self._where(),
            )
        if num_regressors < 0:
            raise ArgumentError("num_regressors of at least 0", repr(num_regressors), self._where())
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def _build(self, outputs: int) -> None:
        self.squared_sum = self.add_variable((outputs,), "zeros", name="squared_sum")
        self.sum = self.add_variable((outputs,), "zeros", name="sum")
        self.total_mse = self.add_variable((outputs,), "zeros", name="residual")
        self.count = self.add_variable((outputs,), "zeros", name="count")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: Targets [batch, outputs].
            y_pred: Predictions [batch, outputs].
            sample_weight: Weights [batch], or of the shape of the targets.
        """
        y_true, y_pred = as_tensor(y_true, self.dtype), as_tensor(y_pred, self.dtype)
        check_equal(y_true, y_pred, self._where())
        if len(y_pred.shape) != 2:
            raise ArgumentError("y_true and y_pred [batch, outputs]", f"shape={tuple(y_pred.shape)}", self._where())
        if not self._built:
            self._build(int(y_pred.shape[1]))
        weight = 1.0 if sample_weight is None else as_tensor(sample_weight, self.dtype)
        if sample_weight is not None:
            weight = fitting_weight(weight, tuple(y_true.shape), self._where())
        weighted = y_true * weight
        self.sum.assign_add(xp.sum(weighted, axis=0))
        self.squared_sum.assign_add(xp.sum(y_true * weighted, axis=0))
        self.total_mse.assign_add(xp.sum(xp.square(y_true - y_pred) * weight, axis=0))
        self.count.assign_add(xp.sum(xp.ones_like(y_true) * weight, axis=0))
        self.num_samples.assign_add(float(np.prod(y_true.shape)))

    def result(self) -> Any:
        """The score so far; 0 for targets without variance."""
        if not self._built:
            return as_tensor(0.0, self.dtype)
        total, count = self.sum.value, self.count.value
        variance = self.squared_sum.value - total * divide_or_zero(total, count)
        scores = 1 - self.total_mse.value / variance
        scores = xp.where(xp.isinf(scores), xp.zeros_like(scores), scores)
        if self.class_aggregation == "uniform_average":
            score = xp.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            score = xp.sum(scores * variance) / xp.sum(variance)
        else:
            score = scores
        if self.num_regressors:
            samples = self.num_samples.value
            rest = samples - self.num_regressors - 1
            # with too few samples the adjusted score does not exist
            adjusted = 1 - (1 - score) * (samples - 1) / xp.where(rest > 0, rest, xp.ones_like(rest))
            score = xp.where(rest > 0, adjusted, score)
        return score
