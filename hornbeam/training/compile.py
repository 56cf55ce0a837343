"""What `compile` was given for losses and metrics, brought to the outputs of a model; knows losses and metrics,
no model and no loop.

Outputs are known with the first batch, or from the structure of a functional model. Until then only the names are
checked; after that each output has its loss, its weight and its metrics.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hornbeam import losses, metrics as metrics_module, tree
from hornbeam.backend import active as backend
from hornbeam.errors import (
    ArgumentError,
    ArgumentTypeError,
    UnknownNameError,
    describe,
)
from hornbeam.losses.loss import LossFunctionWrapper
from hornbeam.metrics.alignment import as_tensor
from hornbeam.metrics.metric import Metric


class Output(NamedTuple):
    """One tensor that a model gives.

    Attributes:
        path: The keys and indices that lead to it in what the model returns.
        name: The name of the layer that makes it, where that is known.
    """

    path: tuple[Any, ...]
    name: str | None

    def __str__(self) -> str:
        return f"output {self.short}" if self.path or self.name else "the output"

    @property
    def short(self) -> str:
        """The keys that lead to it, its layer's name or its number."""
        keys = "/".join(map(str, self.path))
        return repr(keys if self.path and all(isinstance(one, str) for one in self.path) else self.name or keys)


def _listed(outputs: list[Output]) -> str:
    return ", ".join(one.short for one in outputs)


def outputs_of(y_pred: Any, names: Sequence[str] | None) -> list[Output]:
    """The outputs in a structure of predictions, in the order in which it is flattened."""
    paths = [path for path, _ in tree.flatten_with_path(y_pred)]
    known: Sequence[str | None] = names if names is not None and len(names) == len(paths) else [None] * len(paths)
    return [Output(path, name) for path, name in zip(paths, known, strict=True)]


class Spreader:
    """Brings what was given for losses, weights, metrics or targets to the outputs.

    What is given may be one thing for all outputs; a dict by key or name of the output, not all of them needed; a
    list in the order of the outputs; or a structure like that of the outputs.

    Args:
        what: The argument in words, for errors.
        single: Says whether a value is one thing and no structure of them.
        lists: Whether a list may be the entry of one output, as with metrics.
    """

    def __init__(self, what: str, single: Callable[[Any], bool], lists: bool = False) -> None:
        self.what, self.single, self.lists = what, single, lists

    def __call__(self, given: Any, outputs: list[Output], depth: int = 0) -> list[Any]:
        """One entry for each of `outputs`, which lie below one node, `depth` steps down; None where nothing is.

        Raises:
            ValueError: For keys that name no output, and for lists of another length.
        """
        if given is None or self.single(given):
            return [given] * len(outputs)
        alone = len(outputs) == 1
        if isinstance(given, Mapping):
            return self._from_dict(given, outputs, depth)
        if alone and self.lists:
            return [given]
        groups = _groups(outputs, depth)
        if len(given) == len(groups):
            result: list[Any] = [None] * len(outputs)
            for value, members in zip(given, groups.values(), strict=True):
                self._put(result, value, members, outputs, depth + 1)
            return result
        if len(given) == len(outputs):
            return [self(value, [one], len(one.path))[0] for value, one in zip(given, outputs, strict=True)]
        raise ArgumentError(
            f"one entry for {outputs[0]}"
            if alone
            else f"{len(groups)} entries, one for each of the outputs {_listed(outputs)}",
            f"{len(given)}",
            self.what,
            "" if alone else "Put None where an output has nothing.",
        )

    def _put(self, result: list[Any], value: Any, members: list[int], outputs: list[Output], depth: int) -> None:
        parts = self(value, [outputs[one] for one in members], depth)
        for one, part in zip(members, parts, strict=True):
            result[one] = part

    def _from_dict(self, given: Mapping[str, Any], outputs: list[Output], depth: int) -> list[Any]:
        result: list[Any] = [None] * len(outputs)
        groups = _groups(outputs, depth)
        for key, value in given.items():
            if isinstance(key, str) and key in groups:
                self._put(result, value, groups[key], outputs, depth + 1)
                continue
            members = [i for i, one in enumerate(outputs) if key in (one.name, "/".join(map(str, one.path)))]
            if not members:
                raise self._unknown(key, outputs, groups)
            for one in members:
                self._put(result, value, [one], outputs, len(outputs[one].path))
        return result

    def _unknown(self, key: Any, outputs: list[Output], groups: dict[Any, list[int]]) -> ArgumentError:
        known = [str(one) for one in groups if isinstance(one, str)]
        known += [one.name for one in outputs if one.name is not None and not any(isinstance(k, str) for k in one.path)]
        if known:
            return UnknownNameError("output", key, known, self.what)
        fix = "Give it without a dict." if len(outputs) == 1 else "Give a list in the order of the outputs."
        return ArgumentError("no dict, since the outputs have no names", f"the key {key!r}", self.what, fix)


def _groups(outputs: list[Output], depth: int) -> dict[Any, list[int]]:
    """The positions of the outputs by the next step of their path."""
    groups: dict[Any, list[int]] = {}
    for position, output in enumerate(outputs):
        groups.setdefault(output.path[depth] if len(output.path) > depth else None, []).append(position)
    return groups


# --- losses --------------------------------------------------------------------------------------------------------


def _is_config(value: Any) -> bool:
    return isinstance(value, Mapping) and "class_name" in value


def _is_loss(value: Any) -> bool:
    return isinstance(value, str) or callable(value) or _is_config(value)


def _ready_loss(given: Any) -> tuple[Any, str]:
    """A loss object and its name: as the user spelt it, if as a string."""
    found = losses.get(given) if isinstance(given, (str, Mapping)) else given
    if inspect.isclass(found):
        found = found()
    if not callable(found):
        raise ArgumentTypeError("a loss, its name or a function (y_true, y_pred)", describe(given), "compile: loss")
    own = getattr(found, "name", None) or getattr(found, "__name__", None) or type(found).__name__
    name = given if isinstance(given, str) else str(own).strip("<>")
    return (found if isinstance(found, losses.Loss) else LossFunctionWrapper(found, name=name)), name


def _check_leaves(given: Any, single: Callable[[Any], bool], check: Callable[[Any], Any], what: str, hint: str) -> None:
    """Checks every entry in whatever structure was given to `compile`."""
    if given is None:
        return
    if single(given):
        check(given)
    elif isinstance(given, (list, tuple)):
        for one in given:
            _check_leaves(one, single, check, what, hint)
    elif isinstance(given, Mapping):
        for one in given.values():
            _check_leaves(one, single, check, what, hint)
    else:
        raise ArgumentTypeError(hint, describe(given), f"compile: {what}")


class _LossOfOutput(NamedTuple):
    position: int
    output: Output
    loss: Any
    weight: Any
    tracker: Any


class CompileLoss:
    """The weighted sum of the losses of all outputs.

    Args:
        loss: A loss, its name, its config or a function `(y_true, y_pred)`, for all outputs; or a dict by output, or
            a list, or a structure like that of the outputs, with None where there is no loss.
        loss_weights: Numbers, in any of these forms; 1 where nothing is given.
        output_names: The names of the layers that make the outputs, where they are known.
        structure: The outputs of a functional model, or anything nested like them, if known. Then everything is
            checked at once and not at the first batch.

    Raises:
        ValueError: For names that are not known, and for what does not fit the outputs.

    >>> import numpy as np
    >>> loss = CompileLoss(["mse", "mae"], loss_weights=[1.0, 2.0], output_names=["a", "b"])
    >>> float(loss([np.zeros((1, 1)), np.zeros((1, 1))], [np.full((1, 1), 3.0), np.ones((1, 1))]))
    11.0
    >>> [tracker.name for tracker in loss.metrics]
    ['a_loss', 'b_loss']
    """

    def __init__(
        self, loss: Any, loss_weights: Any = None, output_names: Sequence[str] | None = None, structure: Any = None
    ) -> None:
        self.loss = loss
        self.loss_weights = loss_weights
        self.output_names = None if output_names is None else list(output_names)
        self.metrics: list[Any] = []
        self._parts: list[_LossOfOutput] | None = None
        self._outputs: list[Output] = []
        _check_leaves(loss, _is_loss, _ready_loss, "loss", "a loss, its name, a function, or a list or dict of them")
        _check_leaves(
            loss_weights, _is_number, float, "loss_weights", "a number for each output, or a list or dict of them"
        )
        if structure is not None:
            self._resolve(outputs_of(structure, self.output_names))

    @property
    def built(self) -> bool:
        """Whether it is settled which output has which loss."""
        return self._parts is not None

    def _resolve(self, outputs: list[Output]) -> None:
        given = Spreader("compile: loss", _is_loss)(self.loss, outputs)
        weights = Spreader("compile: loss_weights", _is_number)(self.loss_weights, outputs)
        ready = [None if one is None else _ready_loss(one) for one in given]
        several = sum(one is not None for one in ready) > 1
        taken: set[str] = set()
        parts = []
        for position, (output, one, weight) in enumerate(zip(outputs, ready, weights, strict=True)):
            if one is None:
                continue
            loss, name = one
            label = _free(f"{_label(output, name)}_loss", taken)
            tracker = metrics_module.Mean(name=label.replace("/", "_")) if several else None
            if tracker is not None:
                tracker.name = label  # names of metrics have no "/", but keys of logs may
            parts.append(_LossOfOutput(position, output, loss, weight, tracker))
        self._parts, self._outputs = parts, outputs
        self.metrics = [one.tracker for one in sorted(parts, key=self._rank) if one.tracker is not None]

    def _rank(self, part: _LossOfOutput) -> int:
        """Results come in the order in which a dict of losses names the outputs."""
        keys = list(self.loss) if isinstance(self.loss, Mapping) else []
        return next((keys.index(one) for one in (*part.output.path[:1], part.output.name) if one in keys), 0)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss of a batch.

        Args:
            y_true: Targets: like the outputs in structure, or a dict or list of them. Outputs without loss need none.
            y_pred: What the model gave.
            sample_weight: One tensor of weights for all outputs, or a structure like that of the targets.

        Returns:
            A scalar tensor; None if no output has a loss.

        Raises:
            ValueError: If the targets do not fit the outputs.
        """
        if self._parts is None:
            self._resolve(outputs_of(y_pred, self.output_names))
        predictions = _predictions(y_pred, self._outputs)
        targets = _targets(y_true, self._outputs, "y")
        weights = _sample_weights(sample_weight, self._outputs)
        total = None
        for position, output, loss, weight, tracker in self._parts or ():
            target, prediction = targets[position], predictions[position]
            if target is None:
                raise ArgumentError(f"targets for {output}, which has a loss", "None", "y")
            try:
                value = loss(target, prediction, sample_weight=weights[position])
            except Exception as problem:
                _note(problem, f"loss {getattr(loss, 'name', '')!r}", output, target, prediction)
                raise
            if tracker is not None:
                share = backend.share()
                whole = value if share == 1.0 else value / share
                tracker.update_state(whole, sample_weight=_batch_size(prediction))
            if weight is not None and weight != 1:
                value = value * weight
            total = value if total is None else total + value
        return total

    def prepare(self, y_true: Any, y_pred: Any) -> None:
        """Settles which output has which loss, so that the trackers are there before the first batch."""
        if self._parts is None:
            self._resolve(outputs_of(y_pred, self.output_names))

    def check_labels(self, y: Any, structure: Any) -> None:
        """Checks targets on the host, for all outputs, before training; see the function `check_labels`.

        Args:
            y: The targets.
            structure: The outputs of the model, or anything nested like them whose leaves have a shape.
        """
        leaves = tree.flatten(structure)
        if self._parts is None:
            self._resolve(outputs_of(structure, self.output_names))
        if len(leaves) != len(self._outputs):
            return
        targets = Spreader("y", _is_tensor)(y, self._outputs)
        for position, output, loss, _, _ in self._parts or ():
            shape, axis = tuple(leaves[position].shape), loss.get_config().get("axis", -1)
            known = isinstance(axis, int) and -len(shape) <= axis < len(shape)
            check_labels(loss, targets[position], shape[axis] if known else None, str(output))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) or (hasattr(value, "shape") and tuple(value.shape) == ())


def _label(output: Output, fallback: str) -> str:
    """How the loss of an output is called in the logs: its keys, and its layer's name in place of an index."""
    *above, last = output.path or (0,)
    own = last if isinstance(last, str) else output.name or fallback
    return "/".join([*map(str, above), own])


def _free(name: str, taken: set[str]) -> str:
    """`name`, or with a number if it is taken."""
    free, count = name, 0
    while free in taken:
        count += 1
        free = f"{name}_{count}"
    taken.add(free)
    return free


# --- batches -------------------------------------------------------------------------------------------------------


def _predictions(y_pred: Any, outputs: list[Output]) -> list[Any]:
    leaves = [y_pred] if backend.is_array(y_pred) else tree.flatten(y_pred)
    if len(leaves) != len(outputs):
        raise ArgumentError(
            f"predictions for the {len(outputs)} outputs {_listed(outputs)}",
            f"{len(leaves)} tensors",
            "y_pred",
            "Compile the model again after its outputs have changed.",
        )
    return leaves


def _is_tensor(value: Any) -> bool:
    if isinstance(value, (list, tuple)):  # a nested list of numbers is one tensor
        return len(value) > 0 and not any(hasattr(one, "shape") or one is None for one in tree.flatten(value))
    return not isinstance(value, Mapping)


def _targets(y_true: Any, outputs: list[Output], what: str) -> list[Any]:
    """The targets, one for each output; None where there is none."""
    if y_true is not None and len(outputs) > 1 and _is_tensor(y_true):
        raise ArgumentError(
            f"targets for {len(outputs)} outputs: {_listed(outputs)}",
            f"one tensor of shape={tuple(getattr(y_true, 'shape', ()))}",
            what,
            "Give a list or a dict.",
        )
    if len(outputs) == 1 and backend.is_array(y_true):  # the common case, in every step
        return [y_true]
    return [_tensor(one) for one in Spreader(what, _is_tensor)(y_true, outputs)]


def _tensor(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "OSU":
        raise ArgumentTypeError(
            "numbers as targets and weights", describe(value), "y",
            "Number classes that are texts, for example with np.unique(y, return_inverse=True)[1].",
        )  # fmt: skip
    return None if value is None else as_tensor(value)


def _sample_weights(sample_weight: Any, outputs: list[Output]) -> list[Any]:
    if sample_weight is None:
        return [None] * len(outputs)
    return [_tensor(one) for one in Spreader("sample_weight", _is_tensor)(sample_weight, outputs)]


def _batch_size(tensor: Any) -> float:
    shape = tuple(tensor.shape)
    return float(shape[0]) if shape else 1.0


def _note(problem: Exception, what: str, output: Output, y_true: Any, y_pred: Any) -> None:
    problem.add_note(f"In the {what} of {output}: y_true is {describe(y_true)}, y_pred is {describe(y_pred)}.")


# --- labels on the host --------------------------------------------------------------------------------------------


def check_labels(loss: Any, y: Any, classes: int | None, output: str = "the model") -> None:
    """Checks labels that compiled code could not complain about; cheap, for arrays in memory.

    Args:
        loss: A loss, its name or its function; only hornbeam's own are checked, others may give NaN a meaning.
        y: The labels, a NumPy array; anything else is left unchecked.
        classes: The number of classes that the model tells apart, or None.
        output: Whose labels they are, in words, for the error.

    Raises:
        ValueError: For NaN, and for class numbers outside [0, classes) with sparse categorical losses; the text
            names the first such value and the number of classes.

    >>> check_labels("sparse_categorical_crossentropy", np.array([0, 7]), 3)
    Traceback (most recent call last):
    hornbeam.errors.ArgumentError: labels of the model: expected class numbers in [0, 3), got 7 at index 1. ...
    """
    if not isinstance(y, np.ndarray) or y.dtype.kind not in "iufb" or not y.size:
        return
    kind = _name_of_own_loss(loss)
    if kind is None:
        return
    if y.dtype.kind == "f" and np.isnan(y.min()):  # the minimum is NaN if any is
        where = np.argwhere(np.isnan(y))[0]
        raise ArgumentError("numbers", f"NaN at index {_index(where)}", f"labels of {output}")
    if kind != "sparse_categorical_crossentropy" or classes is None or y.dtype.kind == "b":
        return
    low, high = y.min(), y.max()
    if low >= 0 and high < classes:
        return
    wrong = (y < 0) | (y >= classes)
    ignored = loss.get_config().get("ignore_class") if isinstance(loss, losses.Loss) else None
    if ignored is not None:
        wrong &= y != ignored
    if wrong.any():
        where = np.argwhere(wrong)[0]
        raise ArgumentError(
            f"class numbers in [0, {classes})",
            f"{y[tuple(where)].item()!r} at index {_index(where)}",
            f"labels of {output}",
            f"The output has {classes} classes; number the labels from 0.",
        )


def _index(where: np.ndarray) -> str:
    return str(where[0]) if len(where) == 1 else str(tuple(int(one) for one in where))


def _name_of_own_loss(loss: Any) -> str | None:
    """The name of the function behind a loss of hornbeam's, or None for a loss of the user's."""
    if isinstance(loss, str):
        loss = losses.get(loss)
    function = loss.fn if isinstance(loss, LossFunctionWrapper) else loss
    if not getattr(function, "__module__", "").startswith("hornbeam.losses"):
        return None
    return getattr(function, "__name__", None)


# --- metrics -------------------------------------------------------------------------------------------------------

_ACCURACIES = ("accuracy", "acc")
_CROSSENTROPIES = ("crossentropy", "ce")


def _is_metric(value: Any) -> bool:
    return isinstance(value, str) or callable(value) or _is_config(value)


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
    elif _is_config(given):
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
            _check_leaves(given, _is_metric, _check_metric, what, hint)
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
        targets, predictions = _targets(y_true, outputs, "y"), _predictions(y_pred, outputs)
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
        predictions = _predictions(y_pred, outputs)
        targets = _targets(y_true, outputs, "y")
        if not self.built:
            self._build(targets, predictions, outputs)
        weights = _sample_weights(sample_weight, outputs)
        for position, output, plain, weighted in self._parts:
            target, prediction, weight = targets[position], predictions[position], weights[position]
            if target is None:
                raise ArgumentError(f"targets for {output}, which has metrics", "None", "y")
            for group, extra in ((plain, {}), (weighted, {} if weight is None else {"sample_weight": weight})):
                for metric in group:
                    try:
                        metric.update_state(target, prediction, **extra)
                    except Exception as problem:
                        _note(problem, f"metric {metric.name!r}", output, target, prediction)
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
                results[_free(name, taken)] = value
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
