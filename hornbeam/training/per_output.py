"""What belongs to which output of a model: losses, metrics, targets and weights, in whatever structure they were given.

Knows structures and tensors, neither losses nor metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hornbeam import tree
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, describe
from hornbeam.metrics.alignment import as_tensor


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


def listed(outputs: list[Output]) -> str:
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
            else f"{len(groups)} entries, one for each of the outputs {listed(outputs)}",
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


# --- what was given to `compile` ------------------------------------------------------------------------------------


def is_config(value: Any) -> bool:
    return isinstance(value, Mapping) and "class_name" in value


def check_leaves(given: Any, single: Callable[[Any], bool], check: Callable[[Any], Any], what: str, hint: str) -> None:
    """Checks every entry in whatever structure was given to `compile`."""
    if given is None:
        return
    if single(given):
        check(given)
    elif isinstance(given, (list, tuple)):
        for one in given:
            check_leaves(one, single, check, what, hint)
    elif isinstance(given, Mapping):
        for one in given.values():
            check_leaves(one, single, check, what, hint)
    else:
        raise ArgumentTypeError(hint, describe(given), f"compile: {what}")


def free_name(name: str, taken: set[str]) -> str:
    """`name`, or with a number if it is taken."""
    free, count = name, 0
    while free in taken:
        count += 1
        free = f"{name}_{count}"
    taken.add(free)
    return free


# --- batches -------------------------------------------------------------------------------------------------------


def predictions_of(y_pred: Any, outputs: list[Output]) -> list[Any]:
    leaves = [y_pred] if backend.is_array(y_pred) else tree.flatten(y_pred)
    if len(leaves) != len(outputs):
        raise ArgumentError(
            f"predictions for the {len(outputs)} outputs {listed(outputs)}",
            f"{len(leaves)} tensors",
            "y_pred",
            "Compile the model again after its outputs have changed.",
        )
    return leaves


def is_tensor(value: Any) -> bool:
    if isinstance(value, (list, tuple)):  # a nested list of numbers is one tensor
        return len(value) > 0 and not any(hasattr(one, "shape") or one is None for one in tree.flatten(value))
    return not isinstance(value, Mapping)


def targets_of(y_true: Any, outputs: list[Output], what: str) -> list[Any]:
    """The targets, one for each output; None where there is none."""
    if y_true is not None and len(outputs) > 1 and is_tensor(y_true):
        raise ArgumentError(
            f"targets for {len(outputs)} outputs: {listed(outputs)}",
            f"one tensor of shape={tuple(getattr(y_true, 'shape', ()))}",
            what,
            "Give a list or a dict.",
        )
    if len(outputs) == 1 and backend.is_array(y_true):  # the common case, in every step
        return [y_true]
    return [_tensor(one) for one in Spreader(what, is_tensor)(y_true, outputs)]


def _tensor(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "OSU":
        raise ArgumentTypeError(
            "numbers as targets and weights", describe(value), "y",
            "Number classes that are texts, for example with np.unique(y, return_inverse=True)[1].",
        )  # fmt: skip
    return None if value is None else as_tensor(value)


def sample_weights_of(sample_weight: Any, outputs: list[Output]) -> list[Any]:
    if sample_weight is None:
        return [None] * len(outputs)
    return [_tensor(one) for one in Spreader("sample_weight", is_tensor)(sample_weight, outputs)]




def note(problem: Exception, what: str, output: Output, y_true: Any, y_pred: Any) -> None:
    problem.add_note(f"In the {what} of {output}: y_true is {describe(y_true)}, y_pred is {describe(y_pred)}.")
