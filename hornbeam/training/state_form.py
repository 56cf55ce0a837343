"""Keras's form of steps for JAX, `step(state, data) -> (logs, state)`, as steps that write variables.

Knows the form and which variables the state holds; not what a step does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from hornbeam.errors import ArgumentTypeError, describe


def takes_state(method: Callable[..., Any]) -> bool:
    """Whether a step wants the state beside the data."""
    names = [
        one.name
        for one in inspect.signature(method).parameters.values()
        if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) and one.default is one.empty
    ]
    return len(names) == 2


def with_state(model: Any, method: Callable[..., Any], phase: str) -> Callable[[Any], Any]:
    """A step of the data alone that hands the values of variables to `method` and assigns what comes back.

    Args:
        model: The model.
        method: `(state, data)`, where the state is a tuple of lists of values: of the trainable and non-trainable
            variables, then of the optimizer (for "train") and of the metrics (for "train" and "test").
        phase: "train", "test" or "predict".
    """

    def step(data: Any) -> Any:
        groups = [model.trainable_variables, model.non_trainable_variables]
        if phase == "train":
            if model.optimizer is not None and not model.optimizer.built:
                model.optimizer.build(groups[0])
            groups.append([] if model.optimizer is None else model.optimizer.variables)
        if phase != "predict":
            groups.append(model.metrics_variables)
        returned = method(tuple([one.value for one in group] for group in groups), data)
        result, state = returned if isinstance(returned, tuple) and len(returned) == 2 else (returned, None)
        if phase == "predict":  # gives back only what a prediction may change
            groups, state = [groups[1]], (state,)
        sizes = [len(group) for group in groups]
        if not isinstance(state, (tuple, list)) or sizes != [len(one) if _is_list(one) else None for one in state]:
            what = "outputs" if phase == "predict" else "logs"
            raise ArgumentTypeError(
                f"a tuple of the {what} and the new state, with {sizes} values", _shown(returned, what),
                f"what {type(model).__name__}.{phase}_step(state, data) returns",
                "Return the state in the form in which it came.",
            )  # fmt: skip
        for group, values in zip(groups, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return result

    return step


def _shown(returned: Any, what: str) -> str:
    """What a step gave, in the words in which it is asked for."""
    if not isinstance(returned, tuple) or len(returned) != 2:
        return describe(returned)
    if isinstance(returned[0], tuple) and isinstance(returned[1], dict):
        return "the two the other way round"
    if not isinstance(returned[1], (tuple, list)):
        return describe(returned[1])
    return f"{what} and a state with {[len(one) if _is_list(one) else describe(one) for one in returned[1]]} values"


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))
