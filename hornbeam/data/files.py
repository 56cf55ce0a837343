"""Files as rows of a dataset: read by threads, with a label each, and left out or refused where they are damaged."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from hornbeam.data.elements import SKIPPED, ArraySpec, RaggedSpec, stack
from hornbeam.data.nodes import Indexed, Key, Rows, as_range
from hornbeam.errors import HornbeamError, UnknownNameError


def check_on_error(on_error: str, where: str) -> bool:
    """Whether damaged files are skipped."""
    if on_error not in ("raise", "skip"):
        raise UnknownNameError("way to treat damaged files", on_error, ("raise", "skip"), where)
    return on_error == "skip"


class Files(Indexed):
    """One element for each file: what a function reads from it, with its label if there are labels.

    Args:
        paths: The files.
        labels: A label for each, or None.
        read: Makes the element of a path. What it raises for damaged files is an `OSError` or `ValueError`.
        kind: What to call the files in messages, such as "image".
        skip: Whether damaged files are left out.
        workers: How many threads read.
        collate: Stacks elements to a batch.
        varying: The axes of an element along which its size differs from file to file.
        ragged: Whether batches keep the sizes of their elements.

    Attributes:
        skipped: From path to reason, of the files that were left out so far.
    """

    gathers = True

    def __init__(
        self,
        paths: Sequence[str],
        labels: np.ndarray | None,
        read: Callable[[str], Any],
        kind: str,
        skip: bool,
        workers: int,
        collate: Callable[[Sequence[Any]], Any] = stack,
        varying: Sequence[int] = (),
        ragged: bool = False,
    ) -> None:
        self.paths, self.labels, self.size = list(paths), labels, len(paths)
        self.title = f"{kind} files({self.size})"
        self._read, self._kind, self._skip, self.workers, self._collate = read, kind, skip, workers, collate
        self._varying, self._ragged, self.exact = tuple(varying), ragged, not skip
        self.skipped: dict[str, str] = {}
        self._lock = threading.Lock()
        self._told = 0

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_lock", "_memory")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock(), _memory=Memory(4))

    def _load(self, index: int, read: Callable[[str], Any] | None = None) -> Any:
        """What `read` makes of a file; SKIPPED for a damaged one that is to be left out."""
        path = self.paths[index]
        try:
            return (read or self._read)(path)
        except (OSError, ValueError) as problem:
            if not self._skip:
                raise
            with self._lock:
                self.skipped[path] = problem.got if isinstance(problem, HornbeamError) else str(problem)
            return SKIPPED

    def get(self, key: Key, index: int) -> Any:
        element = self._load(index)
        if element is SKIPPED or self.labels is None:
            return element
        return element, self.labels[index]

    def gather(self, key: Key, rows: Rows) -> Any:
        numbers = [int(index) for index in as_range(rows)]
        elements = [self._load(index) for index in numbers]
        good = [place for place, element in enumerate(elements) if element is not SKIPPED]
        if not good:
            return SKIPPED
        return self._with_labels(self._collate([elements[place] for place in good]), [numbers[one] for one in good])

    def _with_labels(self, batch: Any, numbers: list[int]) -> Any:
        return batch if self.labels is None else (batch, self.labels[numbers])

    def spec(self) -> Any:
        """That of the first file that can be read, with None where others may differ."""

        def loose(one: ArraySpec) -> ArraySpec:
            return ArraySpec(
                tuple(None if axis in self._varying else size for axis, size in enumerate(one.shape)), one.dtype
            )

        return self._of_first(loose, super().spec())

    def batch_spec(self, leading: int | None) -> Any:
        kind = RaggedSpec if self._ragged else ArraySpec
        with_rows = super().batch_spec(leading)
        return self._of_first(lambda one: kind(one.shape, one.dtype), with_rows)

    def _of_first(self, function: Callable[[ArraySpec], ArraySpec], specs: Any) -> Any:
        return function(specs) if self.labels is None else (function(specs[0]), specs[1])

    def name(self, key: Key, index: int) -> str:
        return repr(self.paths[index])

    def news(self) -> str:
        """What to tell of files that were left out since this was asked last; an empty text for none."""
        with self._lock:
            new = list(self.skipped.items())[self._told :]
            self._told = len(self.skipped)
        if not new:
            return ""
        shown = "; ".join(f"{path} ({reason})" for path, reason in new[:5])
        more = f"; and {len(new) - 5} more" if len(new) > 5 else ""
        return (
            f"{len(new)} of {self.size} {self._kind} files could not be read and were left out: {shown}{more}. "
            "`skipped_files` of the dataset has all of them."
        )


class Memory:
    """Arrays for batches, each used again once nobody else holds it.

    Fresh memory of the size of a batch costs a fault for each page, during which the threads of a process wait for
    each other: with it, two threads decode no more images than one.

    Args:
        most: How many arrays to remember.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: list[np.ndarray] = []
        self._lock = threading.Lock()

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """An array of this shape with any values."""
        with self._lock:
            place = next((one for one in range(len(self._known)) if self._free(one, shape, dtype)), None)
            if place is not None:
                return self._known[place]
            array = np.empty(shape, dtype)
            if _COUNTS_TELL:
                self._known = [*self._known[-self._most + 1 :], array]
            return array

    def _free(self, place: int, shape: tuple[int, ...], dtype: np.dtype) -> bool:
        alike = self._known[place].shape == shape and self._known[place].dtype == dtype
        return alike and sys.getrefcount(self._known[place]) <= _HELD_BY_LIST


_probe = [np.empty(0)]
_HELD_BY_LIST = sys.getrefcount(_probe[0])
# Without a global lock, counts of references are spread over threads.
_COUNTS_TELL = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()


class ImageFiles(Files):
    """Image files of one size; a batch is decoded straight into its own memory.

    Args:
        place: Writes the image of a path into an array `[height, width, channels]`.
        shape: `(height, width, channels)`.
        dtype: Of the arrays.
        channels_first: Whether batches are `[batch, channels, height, width]`.
        others: As for `Files`.
    """

    fills = True

    def __init__(
        self,
        place: Callable[[str, np.ndarray], None],
        shape: tuple[int, int, int],
        dtype: str,
        channels_first: bool,
        **others: Any,
    ) -> None:
        self._place, self._shape, self._dtype, self._channels_first = place, shape, np.dtype(dtype), channels_first
        super().__init__(read=self._read_one, kind="image", **others)
        # Enough work that handing it over costs nothing, and little enough that no thread waits at the end; measured.
        self.rows_at_once = max(4, 400_000 // (shape[0] * shape[1]))
        self._memory = Memory(2 * self.workers + 4)

    def _read_one(self, path: str) -> np.ndarray:
        image = np.empty(self._shape, self._dtype)
        self._place(path, image)
        return np.ascontiguousarray(image.transpose(2, 0, 1)) if self._channels_first else image

    def begin(self, key: Key, rows: Rows) -> _Batch:
        numbers = [int(index) for index in as_range(rows)]
        return _Batch(self._memory.empty((len(numbers), *self._shape), self._dtype), numbers, [False] * len(numbers))

    def fill(self, batch: _Batch, start: int, stop: int) -> None:
        for row in range(start, stop):
            image = batch.images[row]
            done = self._load(batch.numbers[row], lambda path: self._place(path, image))
            batch.good[row] = done is not SKIPPED

    def finish(self, batch: _Batch) -> Any:
        images, numbers = batch.images, batch.numbers
        if not all(batch.good):
            images = images[batch.good]
            numbers = [number for number, good in zip(numbers, batch.good, strict=True) if good]
        if not numbers:
            return SKIPPED
        if self._channels_first:
            images = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        return self._with_labels(images, numbers)

    def gather(self, key: Key, rows: Rows) -> Any:
        batch = self.begin(key, rows)
        self.fill(batch, 0, len(batch.numbers))
        return self.finish(batch)


class _Batch(NamedTuple):
    """A batch in the making: which files it has, and which of them are there."""

    images: np.ndarray
    numbers: list[int]
    good: list[bool]
