"""Metrics of yes-or-no decisions: counts, precision, recall, and one of two at a value of the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.metrics.confusion_counts import NEVER, Counts, Thresholds, counts, prepared
from hornbeam.metrics.metric import Metric
from hornbeam.metrics.reduction_metrics import divide_or_zero

xp = backend.xp


def checked_thresholds(thresholds: Any, default: float, where: str) -> list[float]:
    """One threshold or several as a list of numbers in [0, 1].

    Raises:
        ValueError: For anything else.
    """
    if thresholds is None:
        return [default]
    values = list(thresholds) if isinstance(thresholds, (list, tuple)) or hasattr(thresholds, "shape") else [thresholds]
    for one in values:
        if one is None or isinstance(one, str) or not 0 <= one <= 1:
            raise ArgumentError("thresholds in [0, 1]", repr(thresholds), where)
    if not values:
        raise ArgumentError("at least one threshold", repr(thresholds), where)
    return [float(one) for one in values]


class _Count(Metric):
    """The number of one kind of decision; subclasses say which."""

    _which = ""

    def __init__(
        self, thresholds: float | Sequence[float] | None = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = checked_thresholds(thresholds, 0.5, self._where())
        self._limits = Thresholds(self.thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: Targets; what is not 0 is positive.
            y_pred: Predictions; those above a threshold say positive.
            sample_weight: Weights that broadcast to the predictions from the first axis on.
        """
        positive, y_pred, weight = prepared(y_true, y_pred, sample_weight, self.dtype, self._where())
        found = counts(positive, y_pred, weight, self._limits, self.dtype)
        self.accumulator.assign_add(getattr(found, self._which))

    def result(self) -> Any:
        """The number so far; one for each threshold if there are several."""
        value = self.accumulator.value
        return value[0] if len(self.thresholds) == 1 else value

    def get_config(self) -> dict[str, Any]:
        """Name, dtype and the thresholds as they were given."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


@wire("keras.metrics.FalsePositives")
class FalsePositives(_Count):
    """How often a prediction says yes where the target says no.

    Args:
        thresholds: A number in [0, 1] above which a prediction says yes, or several; 0.5 by default.
        name: A name; None counts up from "false_positives".
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> float(keras.metrics.FalsePositives()([0, 1, 0, 0], [0.9, 0.8, 0.7, 0.1]))
    2.0
    """

    _which = "false_positives"


@wire("keras.metrics.FalseNegatives")
class FalseNegatives(_Count):
    """How often a prediction says no where the target says yes.

    Args:
        thresholds: A number in [0, 1] above which a prediction says yes, or several; 0.5 by default.
        name: A name; None counts up from "false_negatives".
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> float(keras.metrics.FalseNegatives()([0, 1, 1, 1], [0.1, 0.8, 0.2, 0.3]))
    2.0
    """

    _which = "false_negatives"


@wire("keras.metrics.TrueNegatives")
class TrueNegatives(_Count):
    """How often a prediction rightly says no.

    Args:
        thresholds: A number in [0, 1] above which a prediction says yes, or several; 0.5 by default.
        name: A name; None counts up from "true_negatives".
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> float(keras.metrics.TrueNegatives()([0, 1, 0, 0], [0.1, 0.8, 0.7, 0.1]))
    2.0
    """

    _which = "true_negatives"


@wire("keras.metrics.TruePositives")
class TruePositives(_Count):
    """How often a prediction rightly says yes.

    Args:
        thresholds: A number in [0, 1] above which a prediction says yes, or several; 0.5 by default.
        name: A name; None counts up from "true_positives".
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> float(keras.metrics.TruePositives()([0, 1, 1, 1], [0.9, 0.8, 0.7, 0.3]))
    2.0
    """

    _which = "true_positives"


class _Share(Metric):
    """True positives as a share of what they are part of; subclasses say of what."""

    _others = ""

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        # among the k largest, by default every prediction says yes
        self.thresholds = checked_thresholds(thresholds, 0.5 if top_k is None else NEVER, self._where())
        self._limits = Thresholds(self.thresholds)
        self.true_positives = self.add_variable((len(self.thresholds),), "zeros", name="true_positives")
        others = self.add_variable((len(self.thresholds),), "zeros", name=self._others)
        setattr(self, self._others, others)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: Targets; what is not 0 is positive.
            y_pred: Predictions of the same shape.
            sample_weight: Weights that broadcast to the predictions from the first axis on.
        """
        positive, y_pred, weight = prepared(
            y_true, y_pred, sample_weight, self.dtype, self._where(), top_k=self.top_k, class_id=self.class_id
        )
        found = counts(positive, y_pred, weight, self._limits, self.dtype)
        self.true_positives.assign_add(found.true_positives)
        getattr(self, self._others).assign_add(getattr(found, self._others))

    def result(self) -> Any:
        """The share so far; one for each threshold if there are several; 0 of nothing."""
        found = self.true_positives.value
        value = divide_or_zero(found, found + getattr(self, self._others).value)
        return value[0] if len(self.thresholds) == 1 else value

    def get_config(self) -> dict[str, Any]:
        """Name, dtype and the arguments, the thresholds as they were given."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


@wire("keras.metrics.Precision")
class Precision(_Share):
    """Which share of the predictions that say yes is right.

    Args:
        thresholds: A number in [0, 1] above which a prediction says yes, or several; 0.5 by default.
        top_k: If given, only the `top_k` largest predictions of a sample can say yes, and do by default.
        class_id: If given, only this position of the last axis counts.
        name: A name; None counts up from "precision".
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> float(keras.metrics.Precision()([0, 1, 1, 1], [0.9, 0.8, 0.2, 0.3]))
    0.5
    """

    _others = "false_positives"


@wire("keras.metrics.Recall")
class Recall(_Share):
    """For which share of the targets that say yes the prediction does, too.

    Args:
        thresholds: A number in [0, 1] above which a prediction says yes, or several; 0.5 by default.
        top_k: If given, only the `top_k` largest predictions of a sample can say yes, and do by default.
        class_id: If given, only this position of the last axis counts.
        name: A name; None counts up from "recall".
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> float(keras.metrics.Recall()([0, 1, 1, 0], [0.9, 0.8, 0.2, 0.3]))
    0.5
    """

    _others = "false_negatives"


class _BestAt(Metric):
    """The best of one rate over the thresholds at which another rate has a wanted value or more."""

    _given = ""

    def __init__(
        self, value: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if not 0 <= value <= 1:
            raise ArgumentError(f"{self._given} in [0, 1]", repr(value), self._where())
        if num_thresholds <= 0:
            raise ArgumentError("num_thresholds of at least 1", repr(num_thresholds), self._where())
        self.value = value
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        if num_thresholds == 1:
            self.thresholds = [0.5]
        else:
            self.thresholds = [one / (num_thresholds - 1) for one in range(num_thresholds)]
        self._limits = Thresholds(self.thresholds)
        for name_of_count in Counts._fields:
            variable = self.add_variable((len(self.thresholds),), "zeros", name=name_of_count)
            setattr(self, name_of_count, variable)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: Targets; what is not 0 is positive.
            y_pred: Predictions of the same shape, in [0, 1].
            sample_weight: Weights that broadcast to the predictions from the first axis on.
        """
        positive, y_pred, weight = prepared(
            y_true, y_pred, sample_weight, self.dtype, self._where(), class_id=self.class_id
        )
        found = counts(positive, y_pred, weight, self._limits, self.dtype)
        for name, value in found._asdict().items():
            getattr(self, name).assign_add(value)

    def _rates(self) -> dict[str, Any]:
        true_positives, false_positives, true_negatives, false_negatives = (
            getattr(self, name).value for name in Counts._fields
        )
        return {
            "sensitivity": divide_or_zero(true_positives, true_positives + false_negatives),
            "specificity": divide_or_zero(true_negatives, true_negatives + false_positives),
            "precision": divide_or_zero(true_positives, true_positives + false_positives),
        }

    def _best(self, wanted: str, given: str) -> Any:
        rates = self._rates()
        reached = rates[given] >= self.value
        return xp.max(xp.where(reached, rates[wanted], xp.zeros_like(rates[wanted])))


@wire("keras.metrics.SensitivityAtSpecificity")
class SensitivityAtSpecificity(_BestAt):
    """The best sensitivity (share of the positive found) at a threshold with at least a given specificity.

    Args:
        specificity: The least share of the negative to be told as such, in [0, 1].
        num_thresholds: How many thresholds are tried, evenly spaced in [0, 1].
        class_id: If given, only this position of the last axis counts.
        name: A name; None counts up from "sensitivity_at_specificity".
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> float(keras.metrics.SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]))
    0.5
    """

    _given = "specificity"

    def __init__(
        self, specificity: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def result(self) -> Any:
        """The sensitivity; 0 if no threshold has the specificity."""
        return self._best("sensitivity", "specificity")


@wire("keras.metrics.SpecificityAtSensitivity")
class SpecificityAtSensitivity(_BestAt):
    """The best specificity (share of the negative told as such) at a threshold with at least a given sensitivity.

    Args:
        sensitivity: The least share of the positive to be found, in [0, 1].
        num_thresholds: How many thresholds are tried, evenly spaced in [0, 1].
        class_id: If given, only this position of the last axis counts.
        name: A name; None counts up from "specificity_at_sensitivity".
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])), 4)
    0.6667
    """

    _given = "sensitivity"

    def __init__(
        self, sensitivity: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def result(self) -> Any:
        """The specificity; 0 if no threshold has the sensitivity."""
        return self._best("specificity", "sensitivity")


@wire("keras.metrics.PrecisionAtRecall")
class PrecisionAtRecall(_BestAt):
    """The best precision at a threshold with at least a given recall.

    Args:
        recall: The least share of the positive to be found, in [0, 1].
        num_thresholds: How many thresholds are tried, evenly spaced in [0, 1].
        class_id: If given, only this position of the last axis counts.
        name: A name; None counts up from "precision_at_recall".
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> float(keras.metrics.PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]))
    0.5
    """

    _given = "recall"

    def __init__(
        self, recall: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def result(self) -> Any:
        """The precision; 0 if no threshold has the recall."""
        return self._best("precision", "sensitivity")


@wire("keras.metrics.RecallAtPrecision")
class RecallAtPrecision(_BestAt):
    """The best recall at a threshold with at least a given precision.

    Args:
        precision: The least share of the predictions that say yes to be right, in [0, 1].
        num_thresholds: How many thresholds are tried, evenly spaced in [0, 1].
        class_id: If given, only this position of the last axis counts.
        name: A name; None counts up from "recall_at_precision".
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> float(keras.metrics.RecallAtPrecision(0.8)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
    0.5
    """

    _given = "precision"

    def __init__(
        self, precision: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def result(self) -> Any:
        """The recall; 0 if no threshold has the precision."""
        return self._best("sensitivity", "precision")
