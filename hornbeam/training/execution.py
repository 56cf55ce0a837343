"""Runs one kind of step (train, test or predict) of a model: eagerly, compiled, or many in one program.

Knows how a step is run, not what it does, and not which batch comes when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hornbeam import tree
from hornbeam.backend import active as backend
from hornbeam.backend.base import Struct, is_numeric
from hornbeam.transforms import Compiled, CompiledLoop


class Execution:
    """One kind of step of one model.

    Args:
        step: Takes a batch on the device, gives a structure of tensors.
        compiled: Whether steps are compiled.
        quiet: Does what `step` does, but for computing results that nobody will look at.
        optimize: Whether a framework with graphs also uses its compiler; None leaves that to it.

    Attributes:
        steps_per_dispatch: How many fused steps the loop has found to fill one dispatch; kept from run to run.
    """

    def __init__(
        self, step: Callable[[Any], Any], compiled: bool, quiet: Callable[[Any], Any] | None = None,
        optimize: bool | None = None,
    ) -> None:
        self._step = step
        self._quiet = step if quiet is None else quiet
        self.compiled = compiled
        self._optimize = optimize
        self.steps_per_dispatch = 1
        self._programs: dict[Any, Any] = {}

    @property
    def can_fuse(self) -> bool:
        """Whether many steps can be one program."""
        return self.compiled and "fusion" in backend.features

    def batch(self, data: Any) -> Any:
        """Runs one step on a batch of host arrays or tensors."""
        if not self.compiled:
            return self._step(backend.put(data))
        leaves, description = tree.flatten_and_structure(data)
        if not all(is_numeric(one) for one in leaves):
            return self._step(backend.put(data))  # text is for the host
        leaves = [backend.feed(one) for one in leaves]
        key = (description, *[None if one is None else (backend.shape(one), one.dtype) for one in leaves])
        program = self._programs.get(key)
        if program is None:
            structs = [None if one is None else Struct(backend.shape(one), backend.dtype(one)) for one in leaves]
            example = tree.unflatten(description, structs)
            program = self._programs[key] = Compiled(self._step, (example,), self._optimize)
        return program(tree.unflatten(description, leaves))

    def rows(self, arrays: Any, order: Any, batch_size: int, start: int, stop: int, bare: bool) -> Any:
        """Runs the steps number `start` to `stop` of an epoch over arrays that lie on the device.

        Args:
            arrays: The whole data.
            order: The numbers of the rows in the order of the epoch, or None for their own.
            batch_size: Rows in a batch; all batches in the range are full.
            start: The first step.
            stop: The step after the last.
            bare: Whether the step takes x itself, not a tuple.

        Returns:
            The result of the last step.
        """
        if not self.can_fuse:
            return self._one_by_one(_batches(arrays, order, batch_size, start, stop, bare), stop - start)
        leaves, description = tree.flatten_and_structure((arrays, order))
        key = (description, batch_size, bare, tuple(None if one is None else backend.shape(one) for one in leaves))
        program = self._programs.get(key)
        if program is None:

            def step(index: Any, arrays: Any, order: Any) -> Any:
                return self._step(_picked(index, arrays, order, batch_size, bare))

            program = self._programs[key] = CompiledLoop(step, (arrays, order), self._optimize)
        return program(start, stop, arrays, order)

    def _one_by_one(self, batches: Iterator[Any], count: int) -> Any:
        run = self.batch if self.compiled else self._quiet
        for number, batch in enumerate(batches, 1):
            result = run(batch) if number < count else self.batch(batch)
        return result

    def stacked(self, batches: list[Any]) -> Any:
        """Runs one step for each of several batches of one shape, as one program; gives the last result."""
        data = backend.put(tree.map_structure(lambda *parts: None if parts[0] is None else _stack(parts), *batches))
        leaves, description = tree.flatten_and_structure(data)
        key = (
            "stacked",
            description,
            tuple(None if one is None else (backend.shape(one), backend.dtype(one)) for one in leaves),
        )
        program = self._programs.get(key)
        if program is None:

            def step(index: Any, data: Any) -> Any:
                return self._step(
                    tree.map_structure(lambda one: None if one is None else backend.slice_rows(one, index, 1)[0], data)
                )

            program = self._programs[key] = CompiledLoop(step, (data,), self._optimize)
        return program(0, len(batches), data)


def _picked(index: Any, arrays: Any, order: Any, batch_size: int, bare: bool) -> Any:
    """Batch number `index` out of arrays on the device."""
    first = index * batch_size
    if order is None:
        batch = tree.map_structure(
            lambda one: None if one is None else backend.slice_rows(one, first, batch_size), arrays
        )
    else:
        rows = backend.slice_rows(order, first, batch_size)
        batch = tree.map_structure(lambda one: None if one is None else backend.take_rows(one, rows), arrays)
    return batch[0] if bare else batch


# How many bytes of rows are gathered at a time where steps take less: one gathering costs as much as a small layer, but
# more than this would drive a small model and its optimizer's state out of the processor's cache.
_GATHERED = 1 << 17


def _batches(arrays: Any, order: Any, batch_size: int, start: int, stop: int, bare: bool) -> Iterator[Any]:
    """The batches number `start` to `stop`, of which several small ones are picked at once and then cut apart."""
    leaves, description = tree.flatten_and_structure(arrays)
    row = sum(one.nbytes // max(one.shape[0], 1) for one in leaves if one is not None)
    together = max(1, _GATHERED // max(row * batch_size, 1))
    for first in range(start, stop, together):
        count = min(together, stop - first)
        rows = None if order is None else backend.slice_rows(order, first * batch_size, count * batch_size)
        place = first * batch_size if order is None else 0
        picked = [one if one is None or rows is None else backend.take_rows(one, rows) for one in leaves]
        for index in range(count):
            begin = place + index * batch_size
            parts = [None if one is None else backend.slice_rows(one, begin, batch_size) for one in picked]
            batch = tree.unflatten(description, parts)
            yield batch[0] if bare else batch


def _stack(parts: tuple) -> Any:
    return np.stack([backend.to_numpy(one) for one in parts])


def fits_on_device(arrays: Any, limit: int = 2 << 30) -> bool:
    """Whether whole data may lie on the device: numbers only, and at most `limit` bytes."""
    leaves = [one for one in tree.flatten(arrays) if one is not None]
    return all(is_numeric(one) for one in leaves) and sum(one.nbytes for one in leaves) <= limit
