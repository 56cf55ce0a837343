"""`AUC`: the area under a curve of two rates over all thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam import ops
from hornbeam._config import epsilon
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, UnknownNameError
from hornbeam.metrics.alignment import as_tensor
from hornbeam.metrics.confusion_counts import Counts, Thresholds, counts, prepared
from hornbeam.metrics.confusion_metrics import checked_thresholds
from hornbeam.metrics.metric import Metric
from hornbeam.metrics.reduction_metrics import divide_or_zero

xp = backend.xp

_CURVES = ("ROC", "PR", "PRGAIN")
_METHODS = ("interpolation", "minoring", "majoring")


@wire("keras.metrics.AUC")
class AUC(Metric):
    """The area under the ROC curve, the precision-recall curve or the precision-recall-gain curve.

    Davis & Goadrich, "The relationship between precision-recall and ROC curves", 2006; Flach & Kull,
    "Precision-recall-gain curves", 2015.

    Args:
        num_thresholds: How many thresholds approximate the curve, at least 2.
        curve: "ROC", "PR" or "PRGAIN".
        summation_method: "interpolation" between thresholds; "minoring" and "majoring" take the smaller and the
            larger of two neighbours.
        name: A name; None counts up from "auc".
        dtype: The dtype name; None takes the default float type.
        thresholds: Thresholds in [0, 1] in place of `num_thresholds` evenly spaced ones; the ends are added.
        multi_label: Whether predictions [batch, labels] make one curve for each label, whose areas are averaged.
        num_labels: The number of labels; None takes it from the first batch.
        label_weights: A weight for each label: of its area with `multi_label`, else of its predictions.
        from_logits: Whether predictions are scores before the sigmoid, and not in [0, 1].

    Raises:
        ValueError: For unknown names of curve or method, and numbers out of range.

    >>> import hornbeam as keras
    >>> float(keras.metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
    0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if str(curve).upper() not in _CURVES:
            raise UnknownNameError("curve", curve, _CURVES, self._where())
        if summation_method not in _METHODS:
            raise UnknownNameError("summation method", summation_method, _METHODS, self._where())
        if num_labels is not None and not multi_label:
            raise ArgumentError("num_labels together with multi_label=True", repr(num_labels), self._where())
        self.curve = str(curve).upper()
        self.summation_method = summation_method
        self.multi_label = bool(multi_label)
        self.num_labels = num_labels
        self.from_logits = bool(from_logits)
        self.label_weights = None if label_weights is None else [float(one) for one in label_weights]
        if self.label_weights is not None and min(self.label_weights, default=-1.0) < 0:
            raise ArgumentError("label_weights of at least 0", repr(label_weights), self._where())
        if thresholds is None:
            if isinstance(num_thresholds, bool) or not hasattr(num_thresholds, "__index__") or num_thresholds < 2:
                raise ArgumentError("an integer num_thresholds of at least 2", repr(num_thresholds), self._where())
            self._own_thresholds = None
            inner = [one / (num_thresholds - 1) for one in range(1, num_thresholds - 1)]
        else:
            inner = sorted(checked_thresholds(thresholds, 0.5, self._where()))
            self._own_thresholds = inner
        # a little outside, so that 0 counts as above the first and 1 as not above the last
        self._limits = Thresholds([-epsilon(), *inner, 1.0 + epsilon()])
        self.num_thresholds = len(self._limits)
        self._built = False
        if num_labels is not None or not multi_label:
            self._build(num_labels)

    @property
    def thresholds(self) -> list[float]:
        """All thresholds, the added ends included."""
        return list(self._limits.values)

    def _build(self, labels: int | None) -> None:
        shape = (self.num_thresholds,) if labels is None else (self.num_thresholds, labels)
        if labels is not None and self.label_weights is not None and len(self.label_weights) != labels:
            raise ArgumentError(f"{labels} label_weights", f"{len(self.label_weights)}", self._where())
        for name in Counts._fields:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))
        self.num_labels = labels
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: Targets; what is not 0 is positive.
            y_pred: Predictions of the same shape, in [0, 1] unless `from_logits`.
            sample_weight: Weights that broadcast to the predictions from the first axis on.
        """
        positive, y_pred, weight = prepared(y_true, y_pred, sample_weight, self.dtype, self._where())
        shape = tuple(y_pred.shape)
        if self.multi_label and len(shape) < 2:
            raise ArgumentError("predictions [batch, labels]", f"shape={shape}", self._where())
        if not self._built:
            self._build(int(shape[-1]))
        if self.multi_label and shape[-1] != self.num_labels:
            raise ArgumentError(f"predictions for {self.num_labels} labels", f"shape={shape}", self._where())
        if self.label_weights is not None and not self.multi_label:
            labels = len(self.label_weights)
            if not shape or shape[-1] != labels:
                raise ArgumentError(f"{labels} labels, as label_weights", f"shape={shape}", self._where())
            by_label = xp.broadcast_to(as_tensor(self.label_weights, self.dtype), shape)
            weight = by_label if weight is None else weight * by_label
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        found = counts(positive, y_pred, weight, self._limits, self.dtype, self.multi_label)
        for name, value in found._asdict().items():
            getattr(self, name).assign_add(value)

    def result(self) -> Any:
        """The area so far; the (weighted) mean of the labels' areas with `multi_label`."""
        if not self._built:
            return as_tensor(0.0, self.dtype)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self.interpolate_pr_auc()
        x, y = self._curve()
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2
        elif self.summation_method == "minoring":
            heights = xp.minimum(y[:-1], y[1:])
        else:
            heights = xp.maximum(y[:-1], y[1:])
        return self._averaged(xp.sum((x[:-1] - x[1:]) * heights, axis=0))

    def _counts(self) -> Counts:
        return Counts(*(getattr(self, name).value for name in Counts._fields))

    def _curve(self) -> tuple[Any, Any]:
        """The curve's points, one for each threshold."""
        true_positives, false_positives, true_negatives, false_negatives = self._counts()
        recall = divide_or_zero(true_positives, true_positives + false_negatives)
        if self.curve == "ROC":
            return divide_or_zero(false_positives, false_positives + true_negatives), recall
        if self.curve == "PR":
            return recall, divide_or_zero(true_positives, true_positives + false_positives)
        # gains: harmonically scaled so that always saying yes gives 0, and 1 is perfect
        odds = divide_or_zero(true_positives + false_negatives, false_positives + true_negatives)
        nothing = xp.zeros_like(recall)
        precision_gain = 1 - odds * divide_or_zero(false_positives, true_positives)
        recall_gain = xp.maximum(1 - odds * divide_or_zero(false_negatives, true_positives), nothing)
        return xp.where(true_positives > 0, recall_gain, nothing), precision_gain

    def interpolate_pr_auc(self) -> Any:
        """The area under the precision-recall curve, with true positives linear in the positives between thresholds.

        Between neighbours `true = slope * positives + intercept`, so precision is `slope + intercept / positives`,
        and its integral over recall has a logarithm (Davis & Goadrich, section 3).
        """
        true_positives, false_positives, _, false_negatives = self._counts()
        positives = true_positives + false_positives
        true_steps, steps = true_positives[:-1] - true_positives[1:], positives[:-1] - positives[1:]
        slope = divide_or_zero(true_steps, xp.maximum(steps, xp.zeros_like(steps)))
        intercept = true_positives[1:] - slope * positives[1:]
        both = (positives[:-1] > 0) & (positives[1:] > 0)
        one = xp.ones_like(steps)
        ratio = xp.where(both, positives[:-1], one) / xp.where(both, positives[1:], one)
        parts = slope * (true_steps + intercept * xp.log(ratio))
        return self._averaged(xp.sum(divide_or_zero(parts, (true_positives + false_negatives)[1:]), axis=0))

    def _averaged(self, areas: Any) -> Any:
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return xp.mean(areas)
        weights = as_tensor(self.label_weights, self.dtype)
        return divide_or_zero(xp.sum(areas * weights), xp.sum(weights))

    def get_config(self) -> dict[str, Any]:
        """Name, dtype and the arguments; thresholds only where the user gave them."""
        config = super().get_config()
        if self._own_thresholds is None:
            del config["thresholds"]
        else:
            config["thresholds"] = list(self._own_thresholds)
        if not isinstance(self._given_arguments().get("num_labels"), int):
            config["num_labels"] = None
        return config
