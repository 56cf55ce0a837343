"""How far predicted probabilities are from targets."""

from __future__ import annotations

from typing import Any

from hornbeam import losses
from hornbeam._wire import wire
from hornbeam.metrics.reduction_metrics import MeanMetricWrapper


@wire("keras.metrics.KLDivergence")
class KLDivergence(MeanMetricWrapper):
    """The mean Kullback-Leibler divergence of predicted from true distributions.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.KLDivergence()([[0.5, 0.5]], [[0.9, 0.1]])), 4)
    0.5108
    """

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


@wire("keras.metrics.Poisson")
class Poisson(MeanMetricWrapper):
    """The mean Poisson loss `y_pred - y_true * log(y_pred)` of counts.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.Poisson()([[1.0]], [[2.0]])), 4)
    1.3069
    """

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(losses.poisson, name, dtype)


@wire("keras.metrics.BinaryCrossentropy")
class BinaryCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of yes-or-no targets and probabilities.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.
        from_logits: Whether predictions are scores before the sigmoid.
        label_smoothing: How much of the targets' weight is spread evenly, in [0, 1].

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]])), 4)
    0.6931
    """

    def __init__(
        self, name: str | None = "binary_crossentropy", dtype: Any = None, from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy, name, dtype, from_logits=from_logits,
            label_smoothing=label_smoothing,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


@wire("keras.metrics.CategoricalCrossentropy")
class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of one-hot targets and probabilities.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.
        from_logits: Whether predictions are scores before the softmax.
        label_smoothing: How much of the targets' weight is spread evenly, in [0, 1].
        axis: The axis of the classes.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.6931
    """

    def __init__(
        self, name: str | None = "categorical_crossentropy", dtype: Any = None, from_logits: bool = False,
        label_smoothing: float = 0, axis: int = -1,
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy, name, dtype, from_logits=from_logits,
            label_smoothing=label_smoothing, axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


@wire("keras.metrics.SparseCategoricalCrossentropy")
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of class numbers and probabilities.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.
        from_logits: Whether predictions are scores before the softmax.
        ignore_class: A class number that does not count, such as -1.
        axis: The axis of the classes.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 4)
    0.6931
    """

    def __init__(
        self, name: str | None = "sparse_categorical_crossentropy", dtype: Any = None, from_logits: bool = False,
        ignore_class: int | None = None, axis: int = -1,
    ) -> None:
        super().__init__(
            losses.sparse_categorical_crossentropy, name, dtype, from_logits=from_logits,
            ignore_class=ignore_class, axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis
