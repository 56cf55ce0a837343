"""What the signatures of a layer's methods say: which arguments are tensors, which masks, which shapes.

Knows no layer, only functions and classes that have the names of one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from hornbeam import tree
from hornbeam.variable import standardize_shape


class CallSignature:
    """What a class's `call` takes, looked up once per class."""

    def __init__(self, function: Callable) -> None:
        parameters = list(inspect.signature(function).parameters.values())[1:]
        kinds = inspect.Parameter
        self.names = [
            one.name for one in parameters if one.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)
        ]
        self.required = [one.name for one in parameters if one.default is kinds.empty and one.name in self.names]
        known = {one.name: one for one in parameters}
        self.any_keyword = any(one.kind is kinds.VAR_KEYWORD for one in parameters)
        self.has_training = "training" in known or self.any_keyword
        self.states_training = "training" in known
        self.first = self.names[0] if self.names else None
        # which parameter takes the mask of which tensor parameter
        self.masks = {
            (self.first if name == "mask" else name[: -len("_mask")]): name
            for name in known
            if (name == "mask" or name.endswith("_mask")) and name != self.first
        }
        self.training_position = self.names.index("training") if "training" in self.names else -1
        # settings of a call, which are never its tensors
        self.tensor_names = [name for name in self.names if name not in ("training", *self.masks.values())]


SHAPE_HINTS = ("input_shape", "input_dim", "batch_input_shape", "batch_shape", "batch_size")


def shape_hint(kwargs: dict[str, Any]) -> tuple | None:
    """The batch shape that older programs give to the first layer of a Sequential; taken out of `kwargs`."""
    batch_size = kwargs.pop("batch_size", None)
    for name in ("batch_input_shape", "batch_shape"):
        if name in kwargs:
            return standardize_shape(kwargs.pop(name))
    if "input_shape" in kwargs:
        return (batch_size, *standardize_shape(kwargs.pop("input_shape")))
    if "input_dim" in kwargs:
        return (batch_size, *standardize_shape(kwargs.pop("input_dim")))
    return None


@functools.cache
def build_parameters(cls: type) -> list[str]:
    parameters = list(inspect.signature(cls.build).parameters.values())[1:]
    return [one.name for one in parameters if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]


@functools.cache
def shape_parameters(cls: type) -> list[str]:
    return list(inspect.signature(cls.compute_output_shape).parameters)[1:]


def parameters_of(cls: type) -> list[str]:
    names: list[str] = []
    for one in cls.__mro__:
        if "__init__" in one.__dict__:
            names.extend(inspect.signature(one.__init__).parameters)
    return [name for name in names if name not in ("self", "args", "kwargs")]


def shape_structure(value: Any) -> Any:
    """The shapes in a structure of tensors, or None if it holds anything else."""
    shape = getattr(value, "shape", None)
    if shape is not None and not isinstance(value, (list, tuple, dict)):
        return tuple(shape)
    if isinstance(value, (list, tuple, dict)) and value:
        leaves = tree.flatten(value)
        if all(hasattr(one, "shape") for one in leaves):
            return tree.map_structure(lambda one: tuple(one.shape), value)
    return None


def as_shapes(value: Any) -> Any:
    """Lists of numbers from a file as shape tuples, at any depth."""
    if isinstance(value, (list, tuple)):
        return tuple(value) if tree.is_shape(value) else [as_shapes(one) for one in value]
    if isinstance(value, dict):
        return {key: as_shapes(one) for key, one in value.items()}
    return value
