"""`CompileLoss`: what `compile` was given as losses, brought to the outputs of a model; knows no model and no loop.

Outputs are known with the first batch, or from the structure of a functional model. Until then only the names are
checked; after that each output has its loss and its weight.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hornbeam import losses, metrics as metrics_module, tree
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.losses.loss import LossFunctionWrapper
from hornbeam.training.labels import check_labels
from hornbeam.training.per_output import (
    Output,
    Spreader,
    check_leaves,
    free_name,
    is_config,
    is_tensor,
    note,
    outputs_of,
    predictions_of,
    sample_weights_of,
    targets_of,
)


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
        check_leaves(loss, _is_loss, _ready_loss, "loss", "a loss, its name, a function, or a list or dict of them")
        check_leaves(
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
            label = free_name(f"{_label(output, name)}_loss", taken)
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
        predictions = predictions_of(y_pred, self._outputs)
        targets = targets_of(y_true, self._outputs, "y")
        weights = sample_weights_of(sample_weight, self._outputs)
        total = None
        for position, output, loss, weight, tracker in self._parts or ():
            target, prediction = targets[position], predictions[position]
            if target is None:
                raise ArgumentError(f"targets for {output}, which has a loss", "None", "y")
            try:
                value = loss(target, prediction, sample_weight=weights[position])
            except Exception as problem:
                note(problem, f"loss {getattr(loss, 'name', '')!r}", output, target, prediction)
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
        targets = Spreader("y", is_tensor)(y, self._outputs)
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


def _batch_size(tensor: Any) -> float:
    shape = tuple(tensor.shape)
    return float(shape[0]) if shape else 1.0


def _is_loss(value: Any) -> bool:
    return isinstance(value, str) or callable(value) or is_config(value)


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
