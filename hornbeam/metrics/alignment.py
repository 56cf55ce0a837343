"""How the targets, predictions and weights of metrics are brought to fitting shapes; knows no metric."""

from __future__ import annotations

from typing import Any

from hornbeam import tree
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.symbolic import KerasTensor
from hornbeam.variable import Variable


def as_tensor(value: Any, dtype: str | None = None) -> Any:
    """Anything that becomes a tensor as one, cast if a dtype is given; symbolic tensors stay what they are."""
    if isinstance(value, KerasTensor):
        return value
    if isinstance(value, Variable):
        value = value.value
    if not backend.is_array(value):
        return backend.asarray(value, dtype)
    return value if dtype is None or backend.dtype(value) == dtype else backend.cast(value, dtype)


def as_tensors(structure: Any) -> Any:
    """A tensor, or the arrays in a structure as tensors; a nested list of numbers is one tensor."""
    if isinstance(structure, (list, tuple, dict)) and any(hasattr(one, "shape") for one in tree.flatten(structure)):
        return tree.map_structure(lambda one: None if one is None else as_tensor(one), structure)
    return structure if structure is None or isinstance(structure, dict) else as_tensor(structure)


def fitting_weight(weight: Any, shape: tuple[int, ...], where: str) -> Any:
    """`weight` with as many axes as `shape`, against which it broadcasts.

    A weight with fewer axes belongs to the first axes: one of shape [batch] weighs whole samples.

    Raises:
        ValueError: If it cannot be spread over `shape`.
    """
    given = tuple(weight.shape)
    if len(given) == len(shape) + 1 and given[-1] == 1:
        weight = weight[..., 0]
    elif len(given) < len(shape):
        weight = backend.xp.reshape(weight, given + (1,) * (len(shape) - len(given)))
    found = tuple(weight.shape)
    if len(found) > len(shape) or any(a not in (1, b) for a, b in zip(found, shape, strict=False)):
        raise ArgumentError(
            f"sample_weight that broadcasts to the values of shape={shape}", f"shape={given}", where,
            "Give one weight for each sample, or for each value.",
        )
    return weight
