"""How well predictions go up and down with the targets."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam._config import epsilon
from hornbeam._wire import wire
from hornbeam.losses.shapes import pair
from hornbeam.metrics.reduction_metrics import MeanMetricWrapper, divide_or_zero


def _centred(y_true: Any, y_pred: Any, axis: int) -> tuple[Any, Any, Any, Any]:
    means = [ops.mean(one, axis=axis, keepdims=True) for one in (y_true, y_pred)]
    return y_true - means[0], y_pred - means[1], means[0], means[1]


@wire("keras.metrics.pearson_correlation")
def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The Pearson correlation coefficient of targets and predictions.

    https://en.wikipedia.org/wiki/Pearson_correlation_coefficient

    Args:
        y_true: Targets.
        y_pred: Predictions of the same shape.
        axis: The axis along which they vary together.

    Returns:
        Values in [-1, 1], without that axis; 0 where one side does not vary.

    >>> import hornbeam as keras
    >>> found = keras.metrics.pearson_correlation([[0.0, 1.0, 2.0]], [[5.0, 3.0, 1.0]])
    >>> [round(one, 4) for one in keras.ops.convert_to_numpy(found).tolist()]
    [-1.0]
    """
    y_true, y_pred = pair(y_true, y_pred, "pearson_correlation")
    from_true, from_pred, _, _ = _centred(y_true, y_pred, axis)
    covariance = ops.sum(from_true * from_pred, axis=axis)
    # two roots, since the product of the sums may be too small for a float where the roots are not
    spread = ops.sqrt(ops.sum(ops.square(from_true), axis=axis)) * ops.sqrt(ops.sum(ops.square(from_pred), axis=axis))
    return divide_or_zero(covariance, spread)


@wire("keras.metrics.concordance_correlation")
def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Lin's concordance correlation coefficient: correlation that also wants the same mean and spread.

    https://en.wikipedia.org/wiki/Concordance_correlation_coefficient

    Args:
        y_true: Targets.
        y_pred: Predictions of the same shape.
        axis: The axis along which they vary together.

    Returns:
        Values in [-1, 1], without that axis.

    >>> import hornbeam as keras
    >>> found = keras.metrics.concordance_correlation([[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]])
    >>> [round(one, 4) for one in keras.ops.convert_to_numpy(found).tolist()]
    [1.0]
    """
    y_true, y_pred = pair(y_true, y_pred, "concordance_correlation")
    from_true, from_pred, mean_true, mean_pred = _centred(y_true, y_pred, axis)
    covariance = ops.mean(from_true * from_pred, axis=axis)
    spread = ops.mean(ops.square(from_true), axis=axis) + ops.mean(ops.square(from_pred), axis=axis)
    shift = ops.square(ops.squeeze(mean_true - mean_pred, axis=axis))
    return 2 * covariance / (spread + shift + epsilon())


@wire("keras.metrics.PearsonCorrelation")
class PearsonCorrelation(MeanMetricWrapper):
    """The mean Pearson correlation coefficient of targets and predictions.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.
        axis: The axis along which they vary together.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.PearsonCorrelation()([[0.0, 1.0, 2.0]], [[5.0, 3.0, 1.0]])), 4)
    -1.0
    """

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


@wire("keras.metrics.ConcordanceCorrelation")
class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of Lin's concordance correlation coefficient of targets and predictions.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.
        axis: The axis along which they vary together.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.ConcordanceCorrelation()([[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]])), 4)
    1.0
    """

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis
