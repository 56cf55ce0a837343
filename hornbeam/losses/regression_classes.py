"""The losses of real numbers as objects, with weights and reduction; what each computes stands at its function."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.losses import regression as functions
from hornbeam.losses.loss import LossFunctionWrapper

_MEAN = "sum_over_batch_size"


@wire("keras.losses.MeanSquaredError")
class MeanSquaredError(LossFunctionWrapper):
    """The mean of `(y_true - y_pred)**2`.

    Args:
        reduction: As in `Loss`.
        name: As in `Loss`.
        dtype: As in `Loss`.

    >>> float(MeanSquaredError()([[0.0, 0.0]], [[1.0, 3.0]]))
    5.0
    """

    def __init__(
        self, reduction: str | None = _MEAN, name: str | None = "mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(functions.mean_squared_error, reduction, name, dtype)


@wire("keras.losses.MeanAbsoluteError")
class MeanAbsoluteError(LossFunctionWrapper):
    """The mean of `|y_true - y_pred|`; arguments as in `MeanSquaredError`.

    >>> float(MeanAbsoluteError()([[0.0, 0.0]], [[1.0, 3.0]]))
    2.0
    """

    def __init__(
        self, reduction: str | None = _MEAN, name: str | None = "mean_absolute_error", dtype: Any = None
    ) -> None:
        super().__init__(functions.mean_absolute_error, reduction, name, dtype)


@wire("keras.losses.MeanAbsolutePercentageError")
class MeanAbsolutePercentageError(LossFunctionWrapper):
    """The mean of `100 |y_true - y_pred| / |y_true|`; arguments as in `MeanSquaredError`.

    >>> float(MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]))
    25.0
    """

    def __init__(
        self, reduction: str | None = _MEAN, name: str | None = "mean_absolute_percentage_error", dtype: Any = None
    ) -> None:
        super().__init__(functions.mean_absolute_percentage_error, reduction, name, dtype)


@wire("keras.losses.MeanSquaredLogarithmicError")
class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """The mean of `(log(y_true + 1) - log(y_pred + 1))**2`; arguments as in `MeanSquaredError`.

    >>> float(MeanSquaredLogarithmicError()([[1.0]], [[1.0]]))
    0.0
    """

    def __init__(
        self, reduction: str | None = _MEAN, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None
    ) -> None:
        super().__init__(functions.mean_squared_logarithmic_error, reduction, name, dtype)


@wire("keras.losses.Huber")
class Huber(LossFunctionWrapper):
    """Half the squared error where it is below `delta`, a linear function above.

    Args:
        delta: Where the square becomes linear.
        reduction: As in `Loss`.
        name: As in `Loss`.
        dtype: As in `Loss`.

    >>> float(Huber()([[0.0]], [[3.0]]))
    2.5
    """

    _unwritten = {"delta": 1.0}

    def __init__(
        self, delta: float = 1.0, reduction: str | None = _MEAN, name: str | None = "huber_loss", dtype: Any = None
    ) -> None:
        super().__init__(functions.huber, reduction, name, dtype, delta=delta)


@wire("keras.losses.LogCosh")
class LogCosh(LossFunctionWrapper):
    """The mean of `log(cosh(y_pred - y_true))`; arguments as in `MeanSquaredError`.

    >>> float(LogCosh()([[1.0]], [[1.0]]))
    0.0
    """

    def __init__(self, reduction: str | None = _MEAN, name: str | None = "log_cosh", dtype: Any = None) -> None:
        super().__init__(functions.log_cosh, reduction, name, dtype)


@wire("keras.losses.Poisson")
class Poisson(LossFunctionWrapper):
    """The mean of `y_pred - y_true log(y_pred)`; arguments as in `MeanSquaredError`.

    >>> float(Poisson()([[0.0]], [[2.0]]))
    2.0
    """

    def __init__(self, reduction: str | None = _MEAN, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(functions.poisson, reduction, name, dtype)


@wire("keras.losses.KLDivergence")
class KLDivergence(LossFunctionWrapper):
    """The sum of `y_true log(y_true / y_pred)` of probabilities; arguments as in `MeanSquaredError`.

    >>> float(KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]))
    0.0
    """

    def __init__(self, reduction: str | None = _MEAN, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(functions.kl_divergence, reduction, name, dtype)


@wire("keras.losses.CosineSimilarity")
class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine of the angle between two vectors: -1 for the same direction.

    Args:
        axis: The axis of a vector.
        reduction: As in `Loss`.
        name: As in `Loss`.
        dtype: As in `Loss`.

    >>> float(CosineSimilarity()([[0.0, 1.0]], [[0.0, 2.0]]))
    -1.0
    """

    _unwritten = {"axis": -1}

    def __init__(
        self, axis: Any = -1, reduction: str | None = _MEAN, name: str | None = "cosine_similarity", dtype: Any = None
    ) -> None:
        super().__init__(functions.cosine_similarity, reduction, name, dtype, axis=axis)
