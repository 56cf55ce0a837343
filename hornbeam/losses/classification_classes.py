"""The losses of class probabilities as objects, with weights and reduction; see the functions for what they compute."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.losses import classification as functions
from hornbeam.losses.loss import LossFunctionWrapper

_MEAN = "sum_over_batch_size"


@wire("keras.losses.BinaryCrossentropy")
class BinaryCrossentropy(LossFunctionWrapper):
    """The cross-entropy of yes-or-no labels.

    Args:
        from_logits: Whether `y_pred` holds logits instead of probabilities.
        label_smoothing: How far labels are moved towards 1/2, from 0 to 1.
        axis: The axis, or axes, of the mean.
        reduction: As in `Loss`.
        name: As in `Loss`.
        dtype: As in `Loss`.

    >>> round(float(BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
    0.693
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: Any = -1,
        reduction: str | None = _MEAN,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            functions.binary_crossentropy, reduction, name, dtype, from_logits=from_logits,
            label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


@wire("keras.losses.BinaryFocalCrossentropy")
class BinaryFocalCrossentropy(LossFunctionWrapper):
    """The cross-entropy of yes-or-no labels in which those already well predicted count little.

    Args:
        apply_class_balancing: Whether yes counts `alpha` and no counts `1 - alpha`.
        alpha: The weight of yes.
        gamma: How strongly good predictions are discounted.
        from_logits: As in `BinaryCrossentropy`.
        label_smoothing: As in `BinaryCrossentropy`.
        axis: As in `BinaryCrossentropy`.
        reduction: As in `Loss`.
        name: As in `Loss`.
        dtype: As in `Loss`.

    >>> round(float(BinaryFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
    0.173
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: Any = -1,
        reduction: str | None = _MEAN,
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            functions.binary_focal_crossentropy, reduction, name, dtype, from_logits=from_logits,
            label_smoothing=label_smoothing, axis=axis, apply_class_balancing=apply_class_balancing, alpha=alpha,
            gamma=gamma,
        )  # fmt: skip


@wire("keras.losses.CategoricalCrossentropy")
class CategoricalCrossentropy(LossFunctionWrapper):
    """The cross-entropy of class probabilities, such as one-hot labels.

    Args:
        from_logits: Whether `y_pred` holds logits instead of probabilities.
        label_smoothing: How far labels are moved towards equal probabilities, from 0 to 1.
        axis: The axis of the classes.
        reduction: As in `Loss`.
        name: As in `Loss`.
        dtype: As in `Loss`.

    >>> round(float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
    0.693
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = _MEAN,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            functions.categorical_crossentropy, reduction, name, dtype, from_logits=from_logits,
            label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


@wire("keras.losses.CategoricalFocalCrossentropy")
class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """The cross-entropy of class probabilities in which those already well predicted count little.

    Args:
        alpha: A factor, or one for each class.
        gamma: How strongly good predictions are discounted.
        from_logits: As in `CategoricalCrossentropy`.
        label_smoothing: As in `CategoricalCrossentropy`.
        axis: As in `CategoricalCrossentropy`.
        reduction: As in `Loss`.
        name: As in `Loss`.
        dtype: As in `Loss`.

    >>> round(float(CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.0433
    """

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = _MEAN,
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            functions.categorical_focal_crossentropy, reduction, name, dtype, from_logits=from_logits,
            label_smoothing=label_smoothing, axis=axis, alpha=alpha, gamma=gamma,
        )  # fmt: skip


@wire("keras.losses.SparseCategoricalCrossentropy")
class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """The cross-entropy of class numbers.

    Args:
        from_logits: Whether `y_pred` holds logits instead of probabilities.
        ignore_class: A class number that counts for nothing, such as -1 or 255 for unlabelled pixels.
        reduction: As in `Loss`.
        axis: The axis of the classes.
        name: As in `Loss`.
        dtype: As in `Loss`.

    >>> round(float(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 3)
    0.693
    """

    _unwritten = {"axis": -1}

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = _MEAN,
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            functions.sparse_categorical_crossentropy, reduction, name, dtype, from_logits=from_logits,
            ignore_class=ignore_class, axis=axis,
        )  # fmt: skip


@wire("keras.losses.CategoricalGeneralizedCrossEntropy")
class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """`(1 - p**q) / q` for the probability p of the true class; wrong labels do less harm.

    Args:
        q: Between 0 (cross-entropy) and 1 (absolute error).
        reduction: As in `Loss`.
        name: As in `Loss`.
        dtype: As in `Loss`.

    Raises:
        ValueError: If q is not between 0 and 1.

    >>> float(CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]]))
    1.0
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = _MEAN,
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if isinstance(q, bool) or not isinstance(q, (int, float)) or not 0 < q < 1:
            raise ArgumentError("q between 0 and 1", f"q={q!r}", type(self).__name__)
        super().__init__(functions.categorical_generalized_cross_entropy, reduction, name, dtype, q=q)


@wire("keras.losses.Hinge")
class Hinge(LossFunctionWrapper):
    """The mean of `max(0, 1 - y_true y_pred)` for labels -1 and 1, or 0 and 1.

    Args:
        reduction: As in `Loss`.
        name: As in `Loss`.
        dtype: As in `Loss`.

    >>> float(Hinge()([[-1.0, 1.0]], [[-2.0, 0.0]]))
    0.5
    """

    def __init__(self, reduction: str | None = _MEAN, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(functions.hinge, reduction, name, dtype)


@wire("keras.losses.SquaredHinge")
class SquaredHinge(LossFunctionWrapper):
    """The mean of `max(0, 1 - y_true y_pred)**2`; arguments as in `Hinge`.

    >>> float(SquaredHinge()([[-1.0, 1.0]], [[-2.0, 0.5]]))
    0.125
    """

    def __init__(self, reduction: str | None = _MEAN, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(functions.squared_hinge, reduction, name, dtype)


@wire("keras.losses.CategoricalHinge")
class CategoricalHinge(LossFunctionWrapper):
    """How much the right score falls short of 1 more than the best wrong one; arguments as in `Hinge`.

    >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.5]]))
    0.75
    """

    def __init__(
        self, reduction: str | None = _MEAN, name: str | None = "categorical_hinge", dtype: Any = None
    ) -> None:
        super().__init__(functions.categorical_hinge, reduction, name, dtype)
