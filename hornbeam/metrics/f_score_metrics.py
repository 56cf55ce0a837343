"""F-scores: precision and recall in one number."""

from __future__ import annotations

from typing import Any

from hornbeam._config import epsilon
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.losses.shapes import check_equal
from hornbeam.metrics.alignment import as_tensor, fitting_weight
from hornbeam.metrics.metric import Metric

xp = backend.xp

_AVERAGES = (None, "micro", "macro", "weighted")


@wire("keras.metrics.FBetaScore")
class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall, `beta` times as much weight on recall.

    Args:
        average: How the scores of the outputs become one: None, not at all; "micro", from the counts of all
            together; "macro", their mean; "weighted", weighted by how often each output is true.
        beta: How much more recall counts than precision, above 0.
        threshold: A prediction above it says yes; None lets the largest one of a sample say yes.
        name: The name.
        dtype: The dtype name; None takes the default float type.

    Raises:
        ValueError: For another `average`, and numbers out of range.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.FBetaScore(beta=2.0, threshold=0.5)
    >>> found = metric([[1, 1], [1, 0], [1, 1]], [[0.2, 0.6], [0.2, 0.6], [0.6, 0.8]])
    >>> [round(one, 4) for one in keras.ops.convert_to_numpy(found).tolist()]
    [0.3846, 0.9091]
    """

    def __init__(
        self, average: str | None = None, beta: float = 1.0, threshold: float | None = None,
        name: str | None = "fbeta_score", dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if average not in _AVERAGES:
            raise ArgumentError(f"average to be one of {_AVERAGES}", repr(average), self._where())
        if isinstance(beta, bool) or not isinstance(beta, (int, float)) or beta <= 0:
            raise ArgumentError("a beta above 0", repr(beta), self._where())
        if threshold is not None and (
            isinstance(threshold, bool) or not isinstance(threshold, (int, float)) or not 0 < threshold <= 1
        ):
            raise ArgumentError("a threshold in (0, 1]", repr(threshold), self._where())
        self.average = average
        self.beta = float(beta)
        self.threshold = threshold
        self._built = False

    def _build(self, outputs: int) -> None:
        shape = () if self.average == "micro" else (outputs,)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", name="false_positives")
        self.false_negatives = self.add_variable(shape, "zeros", name="false_negatives")
        self.intermediate_weights = self.add_variable(shape, "zeros", name="intermediate_weights")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: Targets [batch, outputs], 0 or 1.
            y_pred: Predictions [batch, outputs].
            sample_weight: Weights [batch], or of the shape of the targets.
        """
        y_true, y_pred = as_tensor(y_true, self.dtype), as_tensor(y_pred, self.dtype)
        check_equal(y_true, y_pred, self._where())
        if len(y_pred.shape) != 2:
            raise ArgumentError("y_true and y_pred [batch, outputs]", f"shape={tuple(y_pred.shape)}", self._where())
        if not self._built:
            self._build(int(y_pred.shape[1]))
        if self.threshold is None:
            # several largest ones all say yes, unless they are 0
            largest = xp.max(y_pred, axis=-1, keepdims=True)
            said = (y_pred >= largest) & (xp.abs(y_pred) > 1e-9)
        else:
            said = y_pred > self.threshold
        said = backend.cast(said, self.dtype)
        weight = None
        if sample_weight is not None:
            weight = fitting_weight(as_tensor(sample_weight, self.dtype), tuple(y_true.shape), self._where())
        axis = None if self.average == "micro" else 0

        def total(values: Any) -> Any:
            return xp.sum(values if weight is None else values * weight, axis=axis)

        self.true_positives.assign_add(total(said * y_true))
        self.false_positives.assign_add(total(said * (1 - y_true)))
        self.false_negatives.assign_add(total((1 - said) * y_true))
        self.intermediate_weights.assign_add(total(y_true))

    def result(self) -> Any:
        """The score so far, or with `average=None` one for each output."""
        if not self._built:
            return as_tensor(0.0, self.dtype)
        true_positives = self.true_positives.value
        precision = true_positives / (true_positives + self.false_positives.value + epsilon())
        recall = true_positives / (true_positives + self.false_negatives.value + epsilon())
        product, square = precision * recall, self.beta**2
        score = (1 + square) * product / (square * precision + recall + epsilon())
        if self.average == "weighted":
            weights = self.intermediate_weights.value
            return xp.sum(score * weights / (xp.sum(weights) + epsilon()))
        return xp.mean(score) if self.average == "macro" else score


@wire("keras.metrics.F1Score")
class F1Score(FBetaScore):
    """The harmonic mean of precision and recall.

    Args:
        average: How the scores of the outputs become one: None, not at all; "micro", from the counts of all
            together; "macro", their mean; "weighted", weighted by how often each output is true.
        threshold: A prediction above it says yes; None lets the largest one of a sample say yes.
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> found = keras.metrics.F1Score(threshold=0.5)([[1, 1], [1, 0], [1, 1]], [[0.2, 0.6], [0.2, 0.6], [0.6, 0.8]])
    >>> [round(one, 4) for one in keras.ops.convert_to_numpy(found).tolist()]
    [0.5, 0.8]
    """

    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)
