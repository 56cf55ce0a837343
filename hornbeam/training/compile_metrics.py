"""`CompileMetrics`: what `compile` was given as metrics, brought to the outputs of a model; knows metrics, no model.

Outputs and the metrics that fit them are known with the first batch.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hornbeam import metrics as metrics_module
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.metrics.metric import Metric
from hornbeam.training.per_output import (
    Output,
    Spreader,
    check_leaves,
    free_name,
    is_config,
    note,
    outputs_of,
    predictions_of,
    sample_weights_of,
    targets_of,
)

_ACCURACIES = ("accuracy", "acc")
_CROSSENTROPIES = ("crossentropy", "ce")


def _is_metric(value: Any) -> bool:
    return isinstance(value, str) or callable(value) or is_config(value)


def _check_metric(given: Any) -> None:
    if isinstance(given, str) and given.lower() not in (*_ACCURACIES, *_CROSSENTROPIES):
        metrics_module.get(given)


def _ready_metric(given: Any, y_true: Any, y_pred: Any) -> Metric:
    """A metric object that bears the name the user spelt, if as a string."""
    if isinstance(given, Metric):
        return given
    if isinstance(given, str):
        found = _by_shapes(given.lower(), y_true, y_pred) or metrics_module.get(given)
        name: str | None = given
    elif is_config(given):
        found, name = metrics_module.get(given), str(given["class_name"])
    elif inspect.isclass(given):
        found, name = given(), None
    else:
        found, name = given, None
    if not isinstance(found, Metric):
        if not callable(found):
            raise ArgumentTypeError("a metric, its name or a function", describe(given), "compile: metrics")
        own = getattr(found, "name", None) or getattr(found, "__name__", None) or type(found).__name__
        found = metrics_module.MeanMetricWrapper(found, name=str(own).strip("<>").replace("/", "_"))
    if name is not None:
        found.name = name
    return found


def _by_shapes(name: str, y_true: Any, y_pred: Any) -> Metric | None:
    """The accuracy or cross-entropy that fits targets and predictions of these shapes."""
    if name not in (*_ACCURACIES, *_CROSSENTROPIES):
        return None
    targets, scores = tuple(y_true.shape), tuple(y_pred.shape)
    binary, sparse, categorical = (
        (metrics_module.BinaryAccuracy, metrics_module.SparseCategoricalAccuracy, metrics_module.CategoricalAccuracy)
        if name in _ACCURACIES
        else (
            metrics_module.BinaryCrossentropy,
            metrics_module.SparseCategoricalCrossentropy,
            metrics_module.CategoricalCrossentropy,
        )
    )
    if len(scores) < 2 or scores[-1] == 1:
        return binary()
    return sparse() if len(targets) < len(scores) or targets[-1] == 1 else categorical()


class _MetricsOfOutput(NamedTuple):
    position: int
    output: Output
    plain: list[Metric]
    weighted: list[Metric]


class CompileMetrics(Metric):
    """The metrics of all outputs, as one metric whose result is a dict by name.

    Args:
        metrics: A list of metrics, names, functions or configs; for several outputs a list of lists, a dict by
            output, or a structure like that of the outputs. They do not see sample weights.
        weighted_metrics: Metrics in the same forms that do.
        output_names: The names of the layers that make the outputs, where they are known.
        name: The name.
        structure: The outputs of a functional model, or anything nested like them, if known. Then everything is
            checked at once and not at the first batch.

    Raises:
        ValueError: For names that are not known, and for what does not fit the outputs.

    >>> import numpy as np
    >>> metrics = CompileMetrics(["mae", "acc"], None)
    >>> metrics.update_state(np.array([[1.0], [0.0]]), np.array([[0.5], [0.0]]))
    >>> {name: float(value) for name, value in metrics.result().items()}
    {'mae': 0.25, 'acc': 0.5}
    """

    def __init__(
        self,
        metrics: Any,
        weighted_metrics: Any,
        output_names: Sequence[str] | None = None,
        name: str = "compile_metrics",
        structure: Any = None,
    ) -> None:
        super().__init__(name=name)
        self.output_names = None if output_names is None else list(output_names)
        self._untracked_given = (metrics, weighted_metrics)
        self._untracked_names: list[str] | None = None
        self._parts: list[_MetricsOfOutput] = []
        self._outputs: list[Output] = []
        self.built = False
        hint = "a metric, its name, a function, or a list or dict of them"
        for given, what in ((metrics, "metrics"), (weighted_metrics, "weighted_metrics")):
            check_leaves(given, _is_metric, _check_metric, what, hint)
        if structure is not None:
            self._spread(outputs_of(structure, self.output_names))

    def _spread(self, outputs: list[Output]) -> list[list[list[Any]]]:
        """For plain and weighted metrics: for each output a list of what was given for it."""
        result = []
        for given, what in zip(self._untracked_given, ("metrics", "weighted_metrics"), strict=True):
            where = f"compile: {what}"
            if len(outputs) == 1:
                result.append([_flat_metrics(given, where)])
                continue
            if given is not None and _is_metric(given):
                raise ArgumentError(
                    f"metrics for each of the {len(outputs)} outputs",
                    describe(given),
                    where,
                    "Give a list of lists, or a dict by output.",
                )
            if isinstance(given, (list, tuple, Mapping)) and not given:
                given = None
            parts = Spreader(where, _is_metric, lists=True)(given, outputs)
            result.append([_flat_metrics(one, where) for one in parts])
        return result

    def _build(self, y_true: list[Any], y_pred: list[Any], outputs: list[Output]) -> None:
        plain, weighted = self._spread(outputs)
        parts = []
        for position, output in enumerate(outputs):
            if not plain[position] and not weighted[position]:
                continue
            target = y_true[position]
            if target is None:
                raise ArgumentError(f"targets for {output}, which has metrics", "None", "y")
            made = [
                [_ready_metric(one, target, y_pred[position]) for one in group[position]] for group in (plain, weighted)
            ]
            parts.append(_MetricsOfOutput(position, output, *made))
        self._parts, self._outputs = parts, outputs
        self.built = True

    def prepare(self, y_true: Any, y_pred: Any) -> None:
        """Makes the metrics that fit these targets and predictions, so that their variables are there."""
        outputs = outputs_of(y_pred, self.output_names)
        targets, predictions = targets_of(y_true, outputs, "y"), predictions_of(y_pred, outputs)
        if not self.built:
            self._build(targets, predictions, outputs)

    @property
    def metrics(self) -> list[Metric]:
        """All metric objects, each once; empty before the first batch."""
        return self._found("metric")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: Targets: like the outputs in structure, or a dict or list of them.
            y_pred: What the model gave.
            sample_weight: One tensor of weights for all outputs, or a structure like that of the targets.

        Raises:
            ValueError: If the targets do not fit the outputs.
        """
        outputs = self._outputs if self.built else outputs_of(y_pred, self.output_names)
        predictions = predictions_of(y_pred, outputs)
        targets = targets_of(y_true, outputs, "y")
        if not self.built:
            self._build(targets, predictions, outputs)
        weights = sample_weights_of(sample_weight, outputs)
        for position, output, plain, weighted in self._parts:
            target, prediction, weight = targets[position], predictions[position], weights[position]
            if target is None:
                raise ArgumentError(f"targets for {output}, which has metrics", "None", "y")
            for group, extra in ((plain, {}), (weighted, {} if weight is None else {"sample_weight": weight})):
                for metric in group:
                    try:
                        metric.update_state(target, prediction, **extra)
                    except Exception as problem:
                        note(problem, f"metric {metric.name!r}", output, target, prediction)
                        raise

    def result(self) -> dict[str, Any]:
        """The value of each metric so far, by name."""
        results: dict[str, Any] = {}
        taken: set[str] = set()
        several = len(self._outputs) > 1
        by_output = several and self.output_names is not None
        groups = (
            [(part, kind) for part in self._parts for kind in (0, 1)]
            if by_output
            else [(part, kind) for kind in (0, 1) for part in self._parts]
        )
        for part, kind in groups:
            start = _prefix(part.output) if several else ""
            for metric in part.weighted if kind else part.plain:
                value = metric.result()
                if isinstance(value, dict):
                    results.update(value)
                    continue
                name = start + metric.name
                if kind and name in taken:
                    name = f"{start}weighted_{metric.name}"
                results[free_name(name, taken)] = value
        self._untracked_names = list(results)
        return results

    def result_names(self) -> list[str]:
        """The names of the results, in order; empty before the first batch."""
        if self._untracked_names is None and self.built:
            self.result()
        return self._untracked_names or []

    def get_config(self) -> dict[str, Any]:
        """Not written into files: what `compile` was given is."""
        raise ArgumentTypeError("a metric that can be saved", "the metrics of `compile`", self._where())


def _flat_metrics(given: Any, where: str) -> list[Any]:
    """The metrics in what was given for one output."""
    if given is None:
        return []
    if _is_metric(given):
        return [given]
    if isinstance(given, Mapping):
        if len(given) > 1:
            raise ArgumentError("metrics for one output", f"entries for {sorted(map(str, given))}", where)
        given = list(given.values())
    return [one for part in given for one in _flat_metrics(part, where)]


def _prefix(output: Output) -> str:
    """What the names of an output's metrics start with in the logs, where there are several outputs."""
    keys = all(isinstance(one, str) for one in output.path)
    if keys and (len(output.path) == 1 or output.name is None):
        return "/".join(output.path) + "_"
    return "" if output.name is None else f"{output.name}_"
