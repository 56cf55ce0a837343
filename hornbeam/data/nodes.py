"""The parts of a dataset whose elements have numbers: any of them can be made at any time, by any worker, alone.

A place in such a dataset is one number, so that saving and restoring it costs nothing. A `key` says which pass over
the data it is: orders that are drawn anew for each pass follow from the seed and the key, and from nothing else.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from hornbeam.data.elements import SKIPPED, ArraySpec, call, concatenate, map_leaves, spec_of, stack
from hornbeam.data.stores import MISSING, Store
from hornbeam.data.workers import in_processes, in_threads, read_ahead
from hornbeam.errors import StateError
from hornbeam.training.sources.lazy import LazyRows

Key = tuple[int, ...]
Address = tuple[Key, int]
Rows = slice | np.ndarray


class Node:
    """A part of a dataset.

    Attributes:
        parents: What it takes its elements from.
        size: Elements in a pass: a number, `math.inf`, or None where that shows only at the end.
        indexed: Whether elements have numbers.
        gathers: Whether many elements can be made at once, as a batch.
        fills: Whether several threads can make one batch together, by `begin`, `fill` and `finish`.
        rows_at_once: How many rows of a batch a thread then makes before another takes some.
        workers: How many threads should make its elements.
        local: Whether it holds memory that other processes cannot see.
        batch_size: Samples in each element, where elements are batches.
    """

    title = ""
    parents: tuple[Any, ...] = ()
    size: int | float | None = None
    indexed = False
    gathers = False
    fills = False
    rows_at_once = 8
    workers = 0
    batch_size: int | None = None

    @property
    def local(self) -> bool:
        return any(parent.local for parent in self.parents)

    def pairs(self, key: Key, place: Any) -> Iterator[tuple[Any, Any]]:
        """The elements of a pass with the place behind each, from a place on; None is the start."""
        raise NotImplementedError

    def spec(self) -> Any:
        """The nesting, shapes and dtypes of an element, as the first one has them."""
        with closing(self.pairs((0,), None)) as pairs:
            for element, _ in pairs:
                return spec_of(element)
        raise StateError("at least one element, to see what it is", "none", "Dataset.element_spec")

    def chain(self) -> Iterator[Node]:
        """This node and all that are below it."""
        for parent in self.parents:
            yield from parent.chain()
        yield self


class Indexed(Node):
    """A node whose elements have numbers."""

    indexed = True
    size: int | float

    def get(self, key: Key, index: int) -> Any:
        """Element number `index` of a pass, or SKIPPED. Called by any thread."""
        raise NotImplementedError

    def gather(self, key: Key, rows: Rows) -> Any:
        """Several elements as a batch, or SKIPPED if none of them is there; for nodes that say `gathers`."""
        raise NotImplementedError

    def begin(self, key: Key, rows: Rows) -> Any:
        """A batch that is yet to be filled; for nodes that say `fills`."""
        raise NotImplementedError

    def fill(self, batch: Any, start: int, stop: int) -> None:
        """Makes the rows from `start` to `stop` of a batch that `begin` gave. Called by any thread."""
        raise NotImplementedError

    def finish(self, batch: Any) -> Any:
        """The batch when all is filled, or SKIPPED."""
        raise NotImplementedError

    def batch_spec(self, leading: int | None) -> Any:
        """The spec of a batch of such elements with `leading` rows."""
        return map_specs(lambda one: ArraySpec((leading, *one.shape), one.dtype), self.spec())

    def name(self, key: Key, index: int) -> str:
        """What to call an element in an error: its file's path, or its number."""
        return f"element {index}"

    def read(self, addresses: Iterable[Address]) -> Iterator[Any]:
        """The elements with these addresses, in this order."""
        if self.workers:
            return in_threads(addresses, lambda address: self.get(*address), self.workers, 2 * self.workers)
        return (self.get(key, index) for key, index in addresses)

    def pairs(self, key: Key, place: Any) -> Iterator[tuple[Any, Any]]:
        start = place or 0
        numbers = itertools.count(start) if self.size == math.inf else range(start, int(self.size))
        with closing(self.read(zip(itertools.repeat(key), numbers))) as elements:
            for count, element in enumerate(elements, start + 1):
                if element is not SKIPPED:
                    yield element, count


def as_range(rows: Rows) -> Sequence[int] | np.ndarray:
    """The numbers that `rows` stand for."""
    if isinstance(rows, slice):
        start, stop, step = rows.start or 0, rows.stop, rows.step or 1
        return range(start, stop, step)
    return rows


class ArrayRows(Indexed):
    """The rows of arrays in memory or on disk."""

    gathers = True

    def __init__(self, arrays: Any, size: int) -> None:
        self._arrays, self.size, self.title = arrays, size, f"arrays({size})"

    def get(self, key: Key, index: int) -> Any:
        return map_leaves(lambda leaf: _own(leaf[index : index + 1][0] if isinstance(leaf, LazyRows) else leaf[index]),
                          self._arrays)  # fmt: skip

    def gather(self, key: Key, rows: Rows) -> Any:
        return map_leaves(lambda leaf: _take(leaf, rows), self._arrays)


def _own(row: Any) -> Any:
    # A row is a copy: a function that works in place must not change the user's arrays.
    return row.copy() if isinstance(row, np.ndarray) else row


def _take(leaf: Any, rows: Rows) -> np.ndarray:
    if isinstance(leaf, LazyRows):
        return leaf.take(np.asarray(as_range(rows)))
    return leaf[rows].copy() if isinstance(rows, slice) else np.take(leaf, rows, axis=0)


class Numbers(Indexed):
    """The numbers of a Python range."""

    def __init__(self, numbers: range) -> None:
        self._numbers, self.size, self.title = numbers, len(numbers), repr(numbers)

    def get(self, key: Key, index: int) -> int:
        return self._numbers[index]


class Items(Indexed):
    """The items of anything with a length and numbers, such as a list or a user's own class."""

    def __init__(self, items: Any) -> None:
        self._items, self.size, self.title = items, len(items), f"items({len(items)})"

    def get(self, key: Key, index: int) -> Any:
        return self._items[index]


class Mapped(Indexed):
    """A function of each element."""

    def __init__(
        self, parent: Indexed, function: Callable[..., Any], workers: int, processes: bool, seed: int | None
    ) -> None:
        self.parents, self.size, self.title = (parent,), parent.size, "map"
        self._parent, self._function = parent, function
        self.workers, self._processes, self.seed = workers, processes, seed
        self.batch_size = parent.batch_size

    def get(self, key: Key, index: int) -> Any:
        return self.apply(key, index, self._parent.get(key, index))

    def apply(self, key: Key, index: int, element: Any) -> Any:
        """The function of one element."""
        if element is SKIPPED:
            return SKIPPED
        try:
            if self.seed is None:
                return call(self._function, element)
            return call(self._function, element, np.random.default_rng([self.seed, *key, index]))
        except Exception as problem:
            problem.add_note(self._place((key, index)))
            raise

    def _place(self, task: tuple) -> str:
        return f"In Dataset.map({function_name(self._function)}), {self._parent.name(*task[:2])}."

    def name(self, key: Key, index: int) -> str:
        return self._parent.name(key, index)

    def read(self, addresses: Iterable[Address]) -> Iterator[Any]:
        if not self.workers:
            return self._one_by_one(addresses)
        if not self._processes:
            return super().read(addresses)
        if self.local:  # what this process remembers, no other process sees
            served: Any = _Applied(self)
            keys: Iterable[Any] = self._with_elements(addresses)
        else:
            served, keys = _Made(self), addresses
        name = f"Dataset.map({function_name(self._function)})"
        return in_processes(keys, served, self.workers, 2 * self.workers, name, self._place)

    def _one_by_one(self, addresses: Iterable[Address]) -> Iterator[Any]:
        for task in self._with_elements(addresses):
            yield self.apply(*task)

    def _with_elements(self, addresses: Iterable[Address]) -> Iterator[Task]:
        passed: deque[Address] = deque()
        with closing(self._parent.read(noted(addresses, passed))) as elements:
            for element in elements:
                yield Task((*passed.popleft(), element))


class Task(tuple):
    """An element on its way to a worker: its key, its number and itself; in messages the numbers alone."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{self[1]} of pass {'.'.join(map(str, self[0]))}"


class _Made:
    """What worker processes hold: they make the whole element."""

    def __init__(self, node: Indexed) -> None:
        self._node = node

    def __getitem__(self, address: Address) -> Any:
        return self._node.get(*address)


class _Applied:
    """What worker processes hold where they are sent elements."""

    def __init__(self, node: Any) -> None:
        self._apply = node.apply

    def __getitem__(self, task: Task) -> Any:
        return self._apply(*task)


def function_name(function: Any) -> str:
    """What to call a user's function."""
    return getattr(function, "__qualname__", None) or getattr(function, "name", None) or type(function).__name__


def noted(addresses: Iterable[Address], into: deque[Any]) -> Iterator[Address]:
    """The same addresses, each also put into a queue when it is taken."""
    for address in addresses:
        into.append(address)
        yield address


class Batched(Indexed):
    """Consecutive elements as one, stacked."""

    def __init__(self, parent: Indexed, size: int, drop_remainder: bool) -> None:
        self.parents, self._parent, self.batch_size, self._drop = (parent,), parent, size, drop_remainder
        self.title = f"batch({size})"
        count = parent.size
        self.size = count if count == math.inf else int(count // size if drop_remainder else -(-count // size))
        self.workers = parent.workers if parent.gathers else 0

    def _rows(self, index: int) -> tuple[int, int]:
        start = index * self.batch_size
        return start, int(min(start + self.batch_size, self._parent.size))

    def get(self, key: Key, index: int) -> Any:
        start, stop = self._rows(index)
        if self._parent.gathers:
            return self._parent.gather(key, slice(start, stop))
        return stacked([self._parent.get(key, row) for row in range(start, stop)])

    def read(self, addresses: Iterable[Address]) -> Iterator[Any]:
        if self._parent.fills and self.workers:
            return self._filled(addresses)
        return super().read(addresses) if self._parent.gathers else self._collected(addresses)

    def _filled(self, addresses: Iterable[Address]) -> Iterator[Any]:
        """Batches that all threads make together, a few rows each, so that none is idle at the end of a pass."""
        parent = self._parent
        at_once = parent.rows_at_once
        begun: deque[tuple[Any, int]] = deque()

        def parts() -> Iterator[tuple[Any, int, int]]:
            for key, index in addresses:
                start, stop = self._rows(index)
                batch, count = parent.begin(key, slice(start, stop)), stop - start
                begun.append((batch, -(-count // at_once)))
                for row in range(0, count, at_once):
                    yield batch, row, min(row + at_once, count)

        ahead = 2 * self.workers + -(-self.batch_size // at_once)
        with closing(in_threads(parts(), lambda part: parent.fill(*part), self.workers, ahead)) as filled:
            for _ in filled:
                batch, count = begun.popleft()
                for _ in itertools.islice(filled, count - 1):
                    pass
                yield parent.finish(batch)

    def _collected(self, addresses: Iterable[Address]) -> Iterator[Any]:
        sizes: deque[int] = deque()

        def rows() -> Iterator[Address]:
            for key, index in addresses:
                start, stop = self._rows(index)
                sizes.append(stop - start)
                for row in range(start, stop):
                    yield key, row

        with closing(self._parent.read(rows())) as elements:
            for first in elements:  # a batch is announced before its first element comes
                yield stacked([first, *itertools.islice(elements, sizes.popleft() - 1)])

    def name(self, key: Key, index: int) -> str:
        start, stop = self._rows(index)
        first, last = self._parent.name(key, start), self._parent.name(key, stop - 1)
        return f"batch {index} ({first} to {last})" if stop - start > 1 else f"batch {index} ({first})"

    def spec(self) -> Any:
        return self._parent.batch_spec(self.batch_size if self._drop else None)


def map_specs(function: Callable[[ArraySpec], ArraySpec], spec: Any) -> Any:
    """The same nesting of specs, changed."""
    if isinstance(spec, ArraySpec):
        return function(spec)
    if isinstance(spec, dict):
        return {key: map_specs(function, part) for key, part in spec.items()}
    if isinstance(spec, (list, tuple)):
        parts = [map_specs(function, part) for part in spec]
        return type(spec)(*parts) if hasattr(spec, "_fields") else type(spec)(parts)
    return spec


def stacked(elements: list[Any]) -> Any:
    """A batch of those elements that were not skipped."""
    if any(one is SKIPPED for one in elements):
        elements = [one for one in elements if one is not SKIPPED]
    return stack(elements, "Dataset.batch") if elements else SKIPPED


class Moved(Indexed):
    """The elements of one parent at other numbers; a subclass says where each comes from."""

    def __init__(self, parent: Indexed, size: int | float, title: str) -> None:
        self.parents, self._parent, self.size, self.title = (parent,), parent, size, title
        self.gathers, self.fills, self.rows_at_once = parent.gathers, parent.fills, parent.rows_at_once
        self.workers, self.batch_size = parent.workers, parent.batch_size

    def source(self, key: Key, index: int) -> Address:
        """The address in the parent of element number `index`."""
        raise NotImplementedError

    def get(self, key: Key, index: int) -> Any:
        return self._parent.get(*self.source(key, index))

    def read(self, addresses: Iterable[Address]) -> Iterator[Any]:
        source = self.source
        return self._parent.read(source(key, index) for key, index in addresses)

    def moved(self, key: Key, rows: Rows) -> Rows:
        """The parent's rows that these rows come from, where all have the same key."""
        raise NotImplementedError

    def gather(self, key: Key, rows: Rows) -> Any:
        return self._parent.gather(key, self.moved(key, rows))

    def begin(self, key: Key, rows: Rows) -> Any:
        return self._parent.begin(key, self.moved(key, rows))

    def fill(self, batch: Any, start: int, stop: int) -> None:
        self._parent.fill(batch, start, stop)

    def finish(self, batch: Any) -> Any:
        return self._parent.finish(batch)

    def name(self, key: Key, index: int) -> str:
        return self._parent.name(*self.source(key, index))

    def spec(self) -> Any:
        return self._parent.spec()

    def batch_spec(self, leading: int | None) -> Any:
        return self._parent.batch_spec(leading)


class Sliced(Moved):
    """Every `step`-th element from `start` on."""

    def __init__(self, parent: Indexed, start: int, size: int | float, step: int, title: str) -> None:
        super().__init__(parent, size, title)
        self._start, self._step = start, step

    def source(self, key: Key, index: int) -> Address:
        return key, self._start + index * self._step

    def moved(self, key: Key, rows: Rows) -> Rows:
        if isinstance(rows, slice):
            first, last = rows.start or 0, rows.stop
            step = self._step * (rows.step or 1)
            return slice(self._start + first * self._step, self._start + (last - 1) * self._step + 1, step)
        return self._start + np.asarray(rows) * self._step


class Shuffled(Moved):
    """All elements in an order drawn for each pass, or for all passes."""

    def __init__(self, parent: Indexed, seed: int, anew: bool) -> None:
        super().__init__(parent, parent.size, "shuffle")
        self.seed, self._anew = seed, anew
        self._drawn: dict[Any, np.ndarray] = {}

    def order(self, key: Key) -> np.ndarray:
        """The numbers of the parent's elements in the order of a pass."""
        which = (self.seed, *key) if self._anew else (self.seed,)
        order = self._drawn.get(which)
        if order is None:
            order = np.random.default_rng(which).permutation(int(self.size))
            self._drawn = {**dict(list(self._drawn.items())[-1:]), which: order}  # this pass and the one before
        return order

    def source(self, key: Key, index: int) -> Address:
        return key, int(self.order(key)[index])

    def moved(self, key: Key, rows: Rows) -> Rows:
        return self.order(key)[rows]


class Repeated(Moved):
    """All elements several times, each time with a key of its own."""

    def __init__(self, parent: Indexed, times: int | None) -> None:
        size = 0 if parent.size == 0 else math.inf if times is None else parent.size * times
        super().__init__(parent, size, f"repeat({times or ''})")
        self.fills = False  # a batch may have rows of two passes

    def source(self, key: Key, index: int) -> Address:
        turn, row = divmod(index, int(self._parent.size))
        return (*key, turn), row

    def gather(self, key: Key, rows: Rows) -> Any:
        numbers = np.asarray(as_range(rows))
        turns, places = np.divmod(numbers, int(self._parent.size))
        cuts = [0, *(np.flatnonzero(np.diff(turns)) + 1).tolist(), len(numbers)]
        parts = [
            self._parent.gather((*key, int(turns[first])), places[first:last])
            for first, last in itertools.pairwise(cuts)
        ]
        parts = [one for one in parts if one is not SKIPPED]
        return concatenate(parts) if parts else SKIPPED


class Concatenated(Indexed):
    """One dataset behind another."""

    def __init__(self, parents: Sequence[Indexed]) -> None:
        self.parents, self.title = tuple(parents), "concatenate"
        self._ends = list(itertools.accumulate(int(one.size) for one in parents))
        self.size = self._ends[-1]
        sizes = {one.batch_size for one in parents}
        self.batch_size = sizes.pop() if len(sizes) == 1 else None

    def _find(self, index: int) -> tuple[Indexed, int]:
        for parent, end in zip(self.parents, self._ends):
            if index < end:
                return parent, index - end + int(parent.size)
        raise IndexError(index)

    def get(self, key: Key, index: int) -> Any:
        parent, row = self._find(index)
        return parent.get(key, row)

    def name(self, key: Key, index: int) -> str:
        parent, row = self._find(index)
        return parent.name(key, row)

    def read(self, addresses: Iterable[Address]) -> Iterator[Any]:
        """Runs of addresses that fall into one parent are read by it, with its own workers."""
        located = ((*self._find(index), key) for key, index in addresses)
        for _, run in itertools.groupby(located, key=lambda one: id(one[0])):
            first = next(run)
            rows = itertools.chain([first], run)  # noqa: B031  (what is left of the run)
            with closing(first[0].read((key, row) for _, row, key in rows)) as elements:
                yield from elements


class Zipped(Indexed):
    """The elements of several datasets side by side, as tuples; as many as the shortest has."""

    def __init__(self, parents: Sequence[Indexed]) -> None:
        self.parents, self.title = tuple(parents), "zip"
        self.size = min(one.size for one in parents)
        self.batch_size = parents[0].batch_size

    def get(self, key: Key, index: int) -> Any:
        parts = tuple(parent.get(key, index) for parent in self.parents)
        return SKIPPED if any(one is SKIPPED for one in parts) else parts

    def name(self, key: Key, index: int) -> str:
        return " and ".join(dict.fromkeys(parent.name(key, index) for parent in self.parents))

    def read(self, addresses: Iterable[Address]) -> Iterator[Any]:
        streams = [parent.read(copy) for parent, copy in zip(self.parents, itertools.tee(addresses, len(self.parents)))]
        try:
            for parts in zip(*streams):
                yield SKIPPED if any(one is SKIPPED for one in parts) else parts
        finally:
            for stream in streams:
                stream.close()


class Cached(Indexed):
    """Elements that are made once, in the pass that needs them first, and then kept."""

    def __init__(self, parent: Indexed, store: Store) -> None:
        self.parents, self.size, self.title = (parent,), parent.size, "cache"
        self._parent, self._store, self.batch_size = parent, store, parent.batch_size

    @property
    def local(self) -> bool:
        return self._store.in_memory or self._parent.local

    def get(self, key: Key, index: int) -> Any:
        element = self._store.get(index)
        if element is MISSING:
            element = self._parent.get((0,), index)
            self._store.put(index, element)
        return element

    def read(self, addresses: Iterable[Address]) -> Iterator[Any]:
        coming = (index for _, index in addresses)
        found: list[int] = []  # the number at which a run of missing ones ended
        while True:
            index = found.pop() if found else next(coming, None)
            if index is None:
                return
            element = self._store.get(index)
            if element is not MISSING:
                yield element
            else:
                yield from self._make(index, coming, found)

    def _make(self, first: int, coming: Iterator[int], found: list[int]) -> Iterator[Any]:
        """A run of elements that are not there yet, up to one that is; the parent's workers make them."""
        asked: deque[int] = deque()

        def missing() -> Iterator[Address]:
            for index in itertools.chain([first], coming):
                if asked and self._store.has(index):
                    found.append(index)
                    return
                asked.append(index)
                yield (0,), index

        with closing(self._parent.read(missing())) as made:
            for element in made:
                self._store.put(asked.popleft(), element)
                yield element

    def name(self, key: Key, index: int) -> str:
        return self._parent.name((0,), index)


class ReadAhead(Moved):
    """The same elements, some of them made before they are asked for."""

    def __init__(self, parent: Indexed, count: int) -> None:
        super().__init__(parent, parent.size, f"prefetch({count})")
        self._count = count

    def source(self, key: Key, index: int) -> Address:
        return key, index

    def moved(self, key: Key, rows: Rows) -> Rows:
        return rows

    def read(self, addresses: Iterable[Address]) -> Iterator[Any]:
        return read_ahead(self._parent.read(addresses), self._count)
