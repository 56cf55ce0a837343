"""The source over a `PyDataset`, or over anything with its methods: workers make its batches ahead, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hornbeam.errors import ArgumentError, ArgumentTypeError, StateError
from hornbeam.training.sources.ahead import Ahead
from hornbeam.training.sources.base import CountedSource, check_json
from hornbeam.training.sources.processes import WorkerPool
from hornbeam.training.sources.streams import as_batch, weigh
from hornbeam.training.sources.weights import ClassWeights

Task = tuple[int, int]  # the number of a batch, and the seed for the global random numbers of a process


def is_py_dataset(value: Any) -> bool:
    """Whether `value` has the methods of a `PyDataset`. Look-alikes count, such as the one of PyPI's keras."""
    kind = type(value)
    if not (hasattr(kind, "on_epoch_end") and hasattr(kind, "__getitem__")):
        return False
    return hasattr(kind, "num_batches") or hasattr(kind, "__len__") or hasattr(value, "num_batches")


def batch_count(dataset: Any) -> int | None:
    """How many batches a dataset has; None for no end."""
    told = hasattr(type(dataset), "num_batches") or "num_batches" in vars(dataset)
    count = dataset.num_batches if told else len(dataset)
    if count is not None and (isinstance(count, bool) or not hasattr(count, "__index__")):
        raise ArgumentTypeError("a whole number of batches, or None", repr(count), type(dataset).__name__)
    return None if count is None else int(count)


class PyDatasetSource(CountedSource):
    """Batches of a `PyDataset`.

    Args:
        dataset: The dataset.
        shuffle: Whether the batches come in an order drawn anew for each pass.
        limit: Batches in an epoch; None for all.
        rng: Draws the seed of the orders, and of the global random numbers in worker processes.
        class_weight: Weights to put into each batch.
    """

    kind = "PyDataset"

    def __init__(
        self,
        dataset: Any,
        shuffle: bool,
        limit: int | None,
        rng: np.random.Generator | int | None,
        class_weight: ClassWeights | None,
    ) -> None:
        count = batch_count(dataset)
        name = type(dataset).__name__
        if count is not None and count < 1:
            raise ArgumentError("at least one batch", f"{count}", name, "Is batch_size above the number of samples?")
        if count is None and limit is None:
            raise ArgumentError("a number of steps for endless data", "None", name, "Give steps_per_epoch.")
        super().__init__(count, limit, rng)
        self._dataset, self._shuffle, self._class_weight, self._name = dataset, shuffle, class_weight, name
        self._pool: WorkerPool | None = None
        self._ahead: Ahead | None = None

    def _tasks(self) -> list[Task]:
        first, last = self._start + self._skip, self._start + self._coming()
        if self._shuffle and self._count is not None:
            numbers = self._generator().permutation(self._count)[first:last].tolist()
        else:
            numbers = list(range(first, last))
        return [
            (number, int(np.random.SeedSequence([self._seed, self._pass, number]).generate_state(1)[0]))
            for number in numbers
        ]

    def batches(self) -> Iterator[tuple]:
        self._begin()
        self._used = self._skip
        workers = int(getattr(self._dataset, "workers", 1) or 0)
        processes = bool(getattr(self._dataset, "use_multiprocessing", False))
        tasks = self._tasks()
        if workers < 1 and not processes:
            results = map(_fetcher(self._name, _item_of(self._dataset), self._class_weight, copy=False), tasks)
        else:
            results = self._ahead = self._start_workers(tasks, max(workers, 1), processes)
        try:
            for batch, self.bare in results:
                self._used += 1
                yield batch
        except BaseException:
            self.close()
            raise
        self._ahead = None
        self._finish()

    def _start_workers(self, tasks: list[Task], workers: int, processes: bool) -> Ahead:
        self._stop_ahead()
        workers = min(workers, self._count or workers)
        limit = max(int(getattr(self._dataset, "max_queue_size", 10)), workers)
        if processes:
            if self._pool is None:
                self._pool = WorkerPool(workers, self._name)
            # Processes start before threads do, so that a fork has as few of them as can be.
            items = self._pool.refresh(self._dataset)
        else:
            items = [_item_of(self._dataset)] * workers
        # What came through a pipe is nobody else's memory; what a thread got may be a buffer that is filled again.
        fetchers = [_fetcher(self._name, item, self._class_weight, copy=not processes) for item in items]
        return Ahead(tasks, fetchers, limit)

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        if hasattr(self._dataset, "on_epoch_begin"):
            self._dataset.on_epoch_begin()

    def end_epoch(self) -> None:
        super().end_epoch()
        self._dataset.on_epoch_end()

    def _stop_ahead(self) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return
        ahead.stop()
        if not ahead.join(0.2 if self._pool is not None else 1.0) and self._pool is not None:
            self._pool.terminate()  # wakes the threads that wait for an item
            ahead.join(5.0)
            self._pool.close()
            self._pool = None

    def close(self) -> None:
        self._stop_ahead()
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def state(self, used: int | None = None) -> dict[str, Any]:
        state = super().state(used)
        if hasattr(self._dataset, "state_dict"):
            state["dataset"] = check_json(self._dataset.state_dict(), f"{self._name}.state_dict")
        return state

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        if "dataset" in state and hasattr(self._dataset, "load_state_dict"):
            self._dataset.load_state_dict(state["dataset"])

    def _identity(self) -> dict[str, Any]:
        return super()._identity() | {"shuffle": self._shuffle}


def _item_of(dataset: Any) -> Callable[[Task], Any]:
    def item(task: Task) -> Any:
        try:
            return dataset[task[0]]
        except Exception as problem:
            problem.add_note(f"In {type(dataset).__name__}[{task[0]}].")
            raise

    return item


def _fetcher(
    name: str, item: Callable[[Task], Any], class_weight: ClassWeights | None, copy: bool
) -> Callable[[Task], tuple[tuple, bool]]:
    # A function of its own, without the source, so that a thread never keeps the source alive.
    def fetch(task: Task) -> tuple[tuple, bool]:
        try:
            made = item(task)
        except StopIteration as problem:  # let out as it is, it would look like the end of the data
            raise StateError(f"batch {task[0]}", "StopIteration out of __getitem__", name) from problem
        batch, alone = as_batch(made, f"PyDataset {name}, index {task[0]}", True, copy)
        return weigh(batch, class_weight), alone

    return fetch
