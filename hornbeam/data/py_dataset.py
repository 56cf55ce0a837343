"""PyDataset: the class users derive from to hand over data batch by batch; knows nothing of who reads it.

Who reads it looks for the methods here, not for the class, so that a look-alike serves as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hornbeam.errors import ArgumentError, ArgumentTypeError, UnsupportedError


class PyDataset:
    """Data that knows how to make its batch number `index`.

    A subclass defines ``__getitem__(index)`` and ``__len__()`` (or `num_batches`, which may be None for endless
    data). Batches are read ahead of training, in order, by threads or by processes.

    Args:
        workers: How many batches are made at the same time. 0 makes each one in the thread that trains, when
            it is needed.
        use_multiprocessing: Whether the workers are processes instead of threads, for batches that cost Python
            time. They start by the method that `multiprocessing.set_start_method` chose. With "spawn" and
            "forkserver" the dataset must be picklable and the program guarded by ``if __name__ == "__main__":``.
            Each process sees the dataset as it is when the epoch begins; what it changes in it stays there.
            `random` and `numpy.random` are seeded anew for each batch, so no two workers draw the same.
        max_queue_size: How many batches may be made before they are needed.

    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         return np.full((2, 1), index), np.full((2, 1), index**2)
    >>> import numpy as np
    >>> Squares(workers=2).num_batches
    3
    """

    # Class-level values serve subclasses whose __init__ forgets to call this one's.
    _workers: int = 1
    _use_multiprocessing: bool = False
    _max_queue_size: int = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    @property
    def workers(self) -> int:
        """How many batches are made at the same time; 0 for none ahead."""
        return self._workers

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = _whole_number(value, 0, "workers")

    @property
    def use_multiprocessing(self) -> bool:
        """Whether the workers are processes."""
        return self._use_multiprocessing

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        if value not in (True, False):
            raise ArgumentTypeError("True or False", repr(value), "PyDataset.use_multiprocessing")
        self._use_multiprocessing = bool(value)

    @property
    def max_queue_size(self) -> int:
        """How many batches may be made before they are needed."""
        return self._max_queue_size

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = _whole_number(value, 1, "max_queue_size")

    def __getitem__(self, index: int) -> Any:
        """Batch number `index`: ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``, or x alone as array or dict."""
        raise UnsupportedError(
            f"{type(self).__name__} to define __getitem__(self, index)", "none", "PyDataset", "Return (x, y) from it."
        )

    @property
    def num_batches(self) -> int | None:
        """The number of batches; None in a subclass says that there is no end."""
        if not hasattr(type(self), "__len__"):
            raise UnsupportedError(
                f"{type(self).__name__} to define __len__(self) or the property num_batches",
                "neither",
                "PyDataset",
                "For endless data let num_batches be None, and give `fit` its steps_per_epoch.",
            )
        return len(self)  # type: ignore[arg-type]

    def on_epoch_begin(self) -> None:
        """Called before the first batch of an epoch is made; for subclasses."""

    def on_epoch_end(self) -> None:
        """Called after the last batch of an epoch is used, the place to reshuffle; for subclasses."""

    def __iter__(self) -> Iterator[Any]:
        """One pass over the batches, in order, made one by one in this thread."""
        count = self.num_batches
        index = 0
        while count is None or index < count:
            yield self[index]
            index += 1


Sequence = PyDataset


def _whole_number(value: Any, least: int, name: str) -> int:
    where = f"PyDataset.{name}"
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ArgumentTypeError("an int", repr(value), where)
    if value < least:
        raise ArgumentError(f"an int of at least {least}", repr(value), where)
    return int(value)
