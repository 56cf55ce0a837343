"""What an element of a dataset is, any nesting of arrays, numbers and text: handed to functions, batched, described."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hornbeam.errors import ArgumentError
from hornbeam.training.sources.convert import to_numpy


class _Skipped:
    """Stands where an element was left out, such as a file that cannot be read; no user sees it."""

    def __reduce__(self) -> str:
        return "SKIPPED"  # the same object on the other side of a pipe

    def __repr__(self) -> str:
        return "SKIPPED"


SKIPPED = _Skipped()


class ArraySpec(NamedTuple):
    """The shape and dtype of a part of an element; None in the shape is a size that varies."""

    shape: tuple[int | None, ...]
    dtype: str


class RaggedSpec(ArraySpec):
    """The spec of a batch whose rows keep sizes of their own: an array of dtype object that holds arrays."""

    __slots__ = ()
    ragged = True


def call(function: Callable[..., Any], element: Any, *more: Any) -> Any:
    """`function` of an element; a tuple is handed over as several arguments, all else as one."""
    return function(*element, *more) if isinstance(element, tuple) else function(element, *more)


def map_leaves(function: Callable[[Any], Any], element: Any) -> Any:
    """The same nesting with `function` of each leaf; None stays."""
    if element is None:
        return None
    if isinstance(element, Mapping):
        return {key: map_leaves(function, part) for key, part in element.items()}
    if isinstance(element, tuple):
        parts = [map_leaves(function, part) for part in element]
        return type(element)(*parts) if hasattr(element, "_fields") else tuple(parts)
    if isinstance(element, list) and not is_row(element):
        return [map_leaves(function, part) for part in element]
    return function(element)


def is_row(element: Any) -> bool:
    """Whether a list is a row of numbers or words, which is one array, and no nesting."""
    first: Any = element
    while isinstance(first, list):
        if not first:
            return False
        first = first[0]
    return isinstance(first, (bool, int, float, complex, str, bytes, np.generic))


def stack(elements: Sequence[Any], where: str = "batch") -> Any:
    """One batch of elements: each leaf gets a first axis. Text becomes an array of dtype object.

    Raises:
        ValueError: If elements differ in nesting or shape.
    """
    return _combine(elements, _stack_leaves, where)


def concatenate(batches: Sequence[Any], where: str = "batch") -> Any:
    """Several batches as one, along the first axis."""
    return batches[0] if len(batches) == 1 else _combine(batches, lambda leaves, _: np.concatenate(leaves), where)


def _combine(elements: Sequence[Any], leaf: Callable[[Sequence[Any], str], Any], where: str) -> Any:
    first = elements[0]
    if isinstance(first, Mapping):
        _check_all(elements, lambda one: isinstance(one, Mapping) and one.keys() == first.keys(), where)
        return {key: _combine([one[key] for one in elements], leaf, f"{where}[{key!r}]") for key in first}
    if isinstance(first, tuple) or (isinstance(first, list) and not is_row(first)):
        _check_all(elements, lambda one: isinstance(one, type(first)) and len(one) == len(first), where)
        parts = [
            _combine([one[place] for one in elements], leaf, f"{where}[{place}]") for place in range(len(first))
        ]
        if hasattr(first, "_fields"):
            return type(first)(*parts)
        return tuple(parts) if isinstance(first, tuple) else parts
    if first is None:
        _check_all(elements, lambda one: one is None, where)
        return None
    return leaf(elements, where)


def _check_all(elements: Sequence[Any], alike: Callable[[Any], bool], where: str) -> None:
    for number, one in enumerate(elements):
        if not alike(one):
            raise ArgumentError(
                f"elements of one nesting, like {_short(elements[0])}", f"{_short(one)} at place {number}", where,
                "Let each element have the same keys or number of parts.",
            )  # fmt: skip


def _short(element: Any) -> str:
    return str(spec_of(element))[:200]


def _stack_leaves(leaves: Sequence[Any], where: str) -> np.ndarray:
    first = leaves[0]
    if isinstance(first, (str, bytes)):
        batch = np.empty(len(leaves), dtype=object)
        batch[:] = leaves
        return batch
    if isinstance(first, (bool, int, float, complex)):
        return np.asarray(leaves)
    arrays = [one if type(one) is np.ndarray else to_numpy(one, where) for one in leaves]
    shape = arrays[0].shape
    for number, one in enumerate(arrays):
        if one.shape != shape:
            raise ArgumentError(
                f"elements of one shape in a batch, as the first has: {shape}",
                f"shape={one.shape} at place {number} of the batch",
                where,
                "Resize, crop or pad them in a `map` before `batch`, or batch them one by one.",
            )
    return np.stack(arrays)


def spec_of(element: Any) -> Any:
    """The nesting of an element with an `ArraySpec` in place of each leaf."""
    return map_leaves(_leaf_spec, element)


def _leaf_spec(leaf: Any) -> ArraySpec:
    if isinstance(leaf, (str, bytes)):
        return ArraySpec((), "string")
    array = leaf if hasattr(leaf, "shape") and hasattr(leaf, "dtype") else np.asarray(leaf)
    kind = getattr(array.dtype, "kind", "")
    return ArraySpec(tuple(array.shape), "string" if kind in "OUST" and kind else str(array.dtype).split(".")[-1])
