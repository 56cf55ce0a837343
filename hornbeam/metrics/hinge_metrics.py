"""Margins by which predictions miss targets of -1 and 1."""

from __future__ import annotations

from typing import Any

from hornbeam import losses
from hornbeam._wire import wire
from hornbeam.metrics.reduction_metrics import MeanMetricWrapper


@wire("keras.metrics.Hinge")
class Hinge(MeanMetricWrapper):
    """The mean of `max(1 - y_true * y_pred, 0)`; targets are -1 and 1, or 0 and 1.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.Hinge()([[1.0], [-1.0]], [[0.5], [0.5]])), 4)
    1.0
    """

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(losses.hinge, name, dtype)


@wire("keras.metrics.SquaredHinge")
class SquaredHinge(MeanMetricWrapper):
    """The mean of `max(1 - y_true * y_pred, 0) ** 2`; targets are -1 and 1, or 0 and 1.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.SquaredHinge()([[1.0], [-1.0]], [[0.5], [0.5]])), 4)
    1.25
    """

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


@wire("keras.metrics.CategoricalHinge")
class CategoricalHinge(MeanMetricWrapper):
    """The mean of how much the best wrong class, and 1, exceed the right class.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.7]])), 4)
    0.8
    """

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)
