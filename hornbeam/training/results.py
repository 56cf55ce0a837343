"""Results of steps as users see them: numbers and arrays of the host, in a fixed order; knows no loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import tree
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.training.compile_metrics import CompileMetrics
from hornbeam.variable import Variable


def check_results(results: Any, where: str) -> None:
    """Checks what a step of the user's own gives for the logs.

    Raises:
        TypeError: If it is no dict of numbers and tensors.
        ValueError: If the loss is more than one number.
    """
    if not isinstance(results, dict):
        raise ArgumentTypeError(
            "a dict of results by name", describe(results), where,
            "Return for example {'loss': loss} or self.compute_metrics(x, y, y_pred).",
        )  # fmt: skip
    for name, value in results.items():
        if isinstance(value, dict):
            check_results(value, where)
        elif not (hasattr(value, "shape") or isinstance(value, (int, float, list, tuple))):
            raise ArgumentTypeError(
                f"a number or a tensor as {name!r}", describe(value), where, "Texts and other objects cannot be logged."
            )
        elif name == "loss" and any(axis != 1 for axis in getattr(value, "shape", ())):
            raise ArgumentError(
                "one number as 'loss'", describe(value), where, "Reduce it, for example with hornbeam.ops.mean."
            )


def on_host(outputs: Any) -> Any:
    """Outputs as NumPy arrays."""
    return tree.map_structure(lambda one: backend.to_numpy(one) if backend.is_array(one) else one, outputs)


def host_number(value: Any) -> Any:
    """A result as a Python number, or as a NumPy array if it has axes."""
    if isinstance(value, Variable):
        value = value.value
    if backend.is_array(value) or isinstance(value, np.generic):
        value = backend.to_numpy(value)
        return value.item() if value.ndim == 0 else value
    return value


def in_order(logs: dict[str, Any], metrics: list[Any]) -> Any:
    """The results in the order of the metrics, then those of other names; the only one bare."""
    names = [
        one.name for metric in metrics for one in (metric.metrics if isinstance(metric, CompileMetrics) else [metric])
    ]
    names = [name for name in dict.fromkeys(names) if name in logs]
    values = [logs[name] for name in [*names, *(one for one in logs if one not in names)]]
    return values[0] if len(values) == 1 else values


def nested_by_path(variables: list[Variable], read: Callable[[Variable], Any]) -> dict[str, Any]:
    """What `read` gives for variables, in dicts nested as their paths are."""
    result: dict[str, Any] = {}
    for variable in variables:
        place = result
        *parents, last = variable.path.split("/")
        for name in parents:
            place = place.setdefault(name, {})
        place[last] = read(variable)
    return result


def flat_paths(values: dict[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """The paths and values of such nested dicts."""
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        path = f"{before}{name}"
        found.extend(flat_paths(value, path + "/") if isinstance(value, dict) else [(path, value)])
    return found
