"""The one loop over batches that `fit`, `evaluate` and `predict` share.

It decides how many steps go into one dispatch and when results are looked at; what a step does, and where
batches come from, it does not know.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from hornbeam import tree
from hornbeam.backend import active as backend
from hornbeam.training.data import ArraySource, Source
from hornbeam.training.execution import Execution, fits_on_device

# How long one dispatch of many fused steps should take, in seconds: short enough for a lively progress bar and
# a prompt Ctrl-C, long enough that dispatching, and on a CPU the first touch of its memory, costs next to nothing.
DISPATCH_SECONDS = 1.6
# Up to so long, a dispatch has one more queued behind it, so that nothing waits for Python; a longer one has none,
# since a millisecond between two is nothing beside it, and Ctrl-C would have to wait for both.
_QUEUED_SECONDS = 0.2
# How long steps run one after the other before somebody looks; nothing is gained by more.
_EAGER_SECONDS = 0.8


class Loop:
    """Runs the batches of a source through an execution, epoch by epoch.

    Args:
        execution: What runs the steps.
        source: Where batches come from.
        steps_per_execution: How many steps go into one dispatch; None lets the loop choose.
        every_batch: Whether somebody wants the result of each batch.
        begin: Called with the number of the batch before a dispatch.
        end: Called with the number of the last batch of a dispatch and its result.
        stopped: Asked after each dispatch whether to end the epoch.
    """

    def __init__(
        self,
        execution: Execution,
        source: Source,
        steps_per_execution: int | None,
        every_batch: bool,
        begin: Callable[[int], None],
        end: Callable[[int, Any], None],
        stopped: Callable[[], bool],
    ) -> None:
        self.execution = execution
        self.source = source
        self.steps_per_execution = steps_per_execution
        self.every_batch = every_batch
        self.begin, self.end, self.stopped = begin, end, stopped
        self._on_device: Any = None
        self._step_seconds = 0.0  # as last measured
        self._resident = (
            isinstance(source, ArraySource)
            and (backend.eager_rows or (execution.can_fuse and (not every_batch or steps_per_execution is not None)))
            and source.sample_count >= source.batch_size
            and fits_on_device(source.arrays)
        )

    def epoch(self, number: int, limit: int | None = None) -> Any:
        """Runs one epoch; gives the result of the last step, or None if there was no batch."""
        self.source.begin_epoch(number)
        try:
            return self._over_rows(limit) if self._resident else self._over_batches(limit)
        finally:
            self.source.end_epoch()

    def _over_batches(self, limit: int | None) -> Any:
        result = None
        step = 0
        size = self.steps_per_execution or 1
        for group in _groups(self.source, size if self.execution.can_fuse else 1, limit):
            self.begin(step)
            result = self.execution.batch(group[0]) if len(group) == 1 else self.execution.stacked(group)
            step += len(group)
            self.end(step - 1, result)
            if self.stopped():
                break
        return result

    def _over_rows(self, limit: int | None) -> Any:
        source: Any = self.source
        if self._on_device is None:
            self._on_device = backend.put(source.arrays)
        order = source.order()
        rows = source.sample_count if order is None else len(order)
        full, rest = divmod(rows, source.batch_size)
        steps = full + (rest > 0)
        if limit is not None and limit < steps:
            steps = limit
            full, rest = min(full, limit), rest if limit > full else 0
        on_device = None if order is None else backend.put(order)
        result = None
        step = 0
        queued: list[tuple[Any, int]] = []  # dispatches that may not be over yet, and how many steps each has
        since = time.perf_counter()
        while step < full:
            self.begin(step)
            stop = min(step + (self.steps_per_execution or self.execution.steps_per_dispatch), full)
            result = self.execution.rows(self._on_device, on_device, source.batch_size, step, stop, source.bare)
            if self.steps_per_execution is None and not self.execution.can_fuse and not self.every_batch:
                now = time.perf_counter()
                self._adapt((now - since) / (stop - step), stop - step, _EAGER_SECONDS)
                since = now
            elif self.execution.can_fuse:
                queued.append((result, stop - step))
                while len(queued) > (self._step_seconds * (stop - step) < _QUEUED_SECONDS):
                    done, count = queued.pop(0)
                    backend.wait(done)
                    now = time.perf_counter()
                    self._adapt((now - since) / count, count, DISPATCH_SECONDS)
                    since = now
            step = stop
            self.end(step - 1, result)
            if self.stopped():
                return result
        if rest:
            self.begin(step)
            picked = slice(full * source.batch_size, rows) if order is None else order[full * source.batch_size :]
            batch = tree.map_structure(lambda one: None if one is None else one[picked], source.arrays)
            result = self.execution.batch(batch[0] if source.bare else batch)
            self.end(step, result)
        return result

    def _adapt(self, seconds_per_step: float, done: int, seconds: float) -> None:
        """Sizes the coming dispatches by how long one took; the first of all also compiled."""
        self._step_seconds = seconds_per_step
        if self.steps_per_execution is None:
            wanted = max(1, round(seconds / max(seconds_per_step, 1e-7)))
            self.execution.steps_per_dispatch = min(wanted, done * 16)


def _groups(source: Source, size: int, limit: int | None) -> Iterator[list[Any]]:
    """Batches in groups of at most `size` that have one structure and shape."""
    group: list[Any] = []
    key: Any = None
    for count, packed in enumerate(source.batches(), 1):
        batch = packed[0] if source.bare else packed
        if size == 1:
            yield [batch]
        else:
            mine = (tree.structure_of(batch), tuple(getattr(one, "shape", None) for one in tree.flatten(batch)))
            if group and mine != key:
                yield group
                group = []
            key = mine
            group.append(batch)
            if len(group) == size:
                yield group
                group = []
        if limit is not None and count >= limit:
            break
    if group:
        yield group
