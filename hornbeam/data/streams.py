"""The parts of a dataset whose elements only come one after the other: generators, filters, and what stands on them.

The place behind an element is the place of the parent behind it, with a count or two where that is needed. Where
elements cannot be found again (a generator), they are made again and thrown away.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from hornbeam.data.elements import SKIPPED, ArraySpec, call, is_row
from hornbeam.data.nodes import Key, Node, Task, function_name, map_specs, stacked
from hornbeam.data.stores import Store
from hornbeam.data.workers import in_processes, in_threads, read_ahead
from hornbeam.errors import ArgumentError

Pairs = Iterator[tuple[Any, Any]]


class Generated(Node):
    """What a function's iterator gives; a place in it is found again by counting."""

    def __init__(self, make: Callable[[], Any], size: int | None) -> None:
        self._make, self.size, self.title = make, size, "generator"

    def pairs(self, key: Key, place: Any) -> Pairs:
        skip = place or 0
        for count, element in enumerate(self._make(), 1):
            if count > skip:
                yield element, count


class Filtered(Node):
    """The elements for which a function says yes."""

    def __init__(self, parent: Node, predicate: Callable[..., Any]) -> None:
        self.parents, self._parent, self.title = (parent,), parent, "filter"
        self._predicate, self.batch_size = predicate, parent.batch_size

    def pairs(self, key: Key, place: Any) -> Pairs:
        with closing(self._parent.pairs(key, place)) as pairs:
            for number, (element, behind) in enumerate(pairs):
                try:
                    good = bool(call(self._predicate, element))
                except Exception as problem:
                    problem.add_note(
                        f"In Dataset.filter({function_name(self._predicate)}), {number} elements after the start."
                    )
                    raise
                if good:
                    yield element, behind


class StreamMapped(Node):
    """A function of each element."""

    def __init__(
        self, parent: Node, function: Callable[..., Any], workers: int, processes: bool, seed: int | None
    ) -> None:
        self.parents, self._parent, self.title, self.size = (parent,), parent, "map", parent.size
        self._function, self.workers, self._processes, self.seed = function, workers, processes, seed
        self.batch_size = parent.batch_size

    def apply(self, key: Key, number: int, pair: tuple[Any, Any]) -> tuple[Any, Any]:
        """The function of one element, with the place behind it."""
        element, behind = pair
        try:
            if self.seed is None:
                made = call(self._function, element)
            else:
                made = call(self._function, element, np.random.default_rng([self.seed, *key, number]))
        except Exception as problem:
            problem.add_note(self._place((key, number)))
            raise
        return made, [number + 1, behind]

    def _place(self, task: tuple) -> str:
        return f"In Dataset.map({function_name(self._function)}), element {task[1]}."

    def pairs(self, key: Key, place: Any) -> Pairs:
        start, below = place or (0, None)
        with closing(self._parent.pairs(key, below)) as pairs:
            tasks = (Task((key, number, pair)) for number, pair in enumerate(pairs, start))
            name = f"Dataset.map({function_name(self._function)})"
            if not self.workers:
                made = (self.apply(*task) for task in tasks)
            elif self._processes:
                served = _Applied(self._apply_alone())
                made = in_processes(tasks, served, self.workers, 2 * self.workers, name, self._place)
            else:
                made = in_threads(tasks, lambda task: self.apply(*task), self.workers, 2 * self.workers)
            with closing(made):
                yield from made

    def _apply_alone(self) -> StreamMapped:
        """The same function without what is below it, which no worker process needs."""
        return StreamMapped(_NOTHING, self._function, 0, False, self.seed)


class _Applied:
    """What worker processes hold: they are sent elements."""

    def __init__(self, node: StreamMapped) -> None:
        self._apply = node.apply

    def __getitem__(self, task: Task) -> Any:
        return self._apply(*task)


_NOTHING = Node()


class StreamBatched(Node):
    """Consecutive elements as one, stacked."""

    def __init__(self, parent: Node, size: int, drop_remainder: bool) -> None:
        self.parents, self._parent, self.batch_size, self._drop = (parent,), parent, size, drop_remainder
        self.title = f"batch({size})"
        count = parent.size
        if count is not None:
            self.size = count if count == math.inf else int(count // size if drop_remainder else -(-count // size))

    def pairs(self, key: Key, place: Any) -> Pairs:
        with closing(self._parent.pairs(key, place)) as pairs:
            while group := list(itertools.islice(pairs, self.batch_size)):
                if len(group) == self.batch_size or not self._drop:
                    yield stacked([element for element, _ in group]), group[-1][1]

    def spec(self) -> Any:
        leading = self.batch_size if self._drop else None
        return map_specs(lambda one: ArraySpec((leading, *one.shape), one.dtype), self._parent.spec())


class Unbatched(Node):
    """The rows of each element, one by one."""

    def __init__(self, parent: Node) -> None:
        self.parents, self._parent, self.title = (parent,), parent, "unbatch"

    def pairs(self, key: Key, place: Any) -> Pairs:
        before, done = place or (None, 0)
        with closing(self._parent.pairs(key, before)) as pairs:
            for batch, behind in pairs:
                rows = list(_rows(batch))
                for number in range(done, len(rows)):
                    last = number == len(rows) - 1
                    yield rows[number], [behind, 0] if last else [before, number + 1]
                before, done = behind, 0


def _rows(batch: Any) -> Iterator[Any]:
    if isinstance(batch, dict):
        names = list(batch)
        for parts in zip(*(_rows(batch[name]) for name in names), strict=True):
            yield dict(zip(names, parts, strict=True))
    elif isinstance(batch, (tuple, list)) and not is_row(batch):
        for parts in zip(*(_rows(part) for part in batch), strict=True):
            yield type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    elif getattr(batch, "ndim", 1) == 0 or isinstance(batch, (str, bytes)):
        raise ArgumentError("batches: arrays with a first axis", repr(batch)[:80], "Dataset.unbatch")
    else:
        yield from batch


class WindowShuffled(Node):
    """Elements shuffled within windows: so many are read, then given out in an order drawn for the window."""

    def __init__(self, parent: Node, seed: int, window: int, anew: bool) -> None:
        self.parents, self._parent, self.size, self.title = (parent,), parent, parent.size, f"shuffle({window})"
        self.seed, self._window, self._anew, self.batch_size = seed, window, anew, parent.batch_size

    def pairs(self, key: Key, place: Any) -> Pairs:
        below, number, done = place or (None, 0, 0)
        with closing(self._parent.pairs(key, below)) as pairs:
            while window := list(itertools.islice(pairs, self._window)):
                which = [self.seed, *key, number] if self._anew else [self.seed, number]
                order = np.random.default_rng(which).permutation(len(window))
                behind = window[-1][1]
                for count in range(done, len(window)):
                    last = count == len(window) - 1
                    yield window[order[count]][0], [behind, number + 1, 0] if last else [below, number, count + 1]
                below, number, done = behind, number + 1, 0


class Taken(Node):
    """The first elements only."""

    def __init__(self, parent: Node, count: int) -> None:
        self.parents, self._parent, self._count, self.title = (parent,), parent, count, f"take({count})"
        self.size = count if parent.size == math.inf else None if parent.size is None else min(count, parent.size)
        self.batch_size = parent.batch_size

    def pairs(self, key: Key, place: Any) -> Pairs:
        done, below = place or (0, None)
        if done >= self._count:
            return
        with closing(self._parent.pairs(key, below)) as pairs:
            for number, (element, behind) in enumerate(pairs, done + 1):
                yield element, [number, behind]
                if number == self._count:
                    return


class Strided(Node):
    """Every `step`-th element from number `start` on, the others are made and thrown away."""

    def __init__(self, parent: Node, start: int, step: int, title: str) -> None:
        self.parents, self._parent, self.title = (parent,), parent, title
        self._start, self._step, self.batch_size = start, step, parent.batch_size
        if parent.size is not None:
            left = parent.size - start
            self.size = left if left == math.inf else max(0, -(-int(left) // step))

    def pairs(self, key: Key, place: Any) -> Pairs:
        with closing(self._parent.pairs(key, place)) as pairs:
            skip = self._start if place is None else self._step - 1
            yield from itertools.islice(pairs, skip, None, self._step)


class StreamRepeated(Node):
    """All elements several times, each time with a key of its own."""

    def __init__(self, parent: Node, times: int | None) -> None:
        self.parents, self._parent, self._times, self.title = (parent,), parent, times, f"repeat({times or ''})"
        self.size = math.inf if times is None else None if parent.size is None else parent.size * times
        self.batch_size = parent.batch_size

    def pairs(self, key: Key, place: Any) -> Pairs:
        first, below = place or (0, None)
        turns = itertools.count(first) if self._times is None else range(first, self._times)
        for turn in turns:
            came = below is not None
            with closing(self._parent.pairs((*key, turn), below)) as pairs:
                for element, behind in pairs:
                    came = True
                    yield element, [turn, behind]
            if not came:  # else an endless repetition of nothing
                return
            below = None


class StreamConcatenated(Node):
    """One dataset behind another."""

    def __init__(self, parents: Sequence[Node]) -> None:
        self.parents, self.title = tuple(parents), "concatenate"
        sizes = [one.size for one in parents]
        self.size = None if None in sizes else sum(sizes)

    def pairs(self, key: Key, place: Any) -> Pairs:
        first, below = place or (0, None)
        for number in range(first, len(self.parents)):
            with closing(self.parents[number].pairs(key, below)) as pairs:
                for element, behind in pairs:
                    yield element, [number, behind]
            below = None


class StreamZipped(Node):
    """The elements of several datasets side by side, as tuples; as many as the shortest has."""

    def __init__(self, parents: Sequence[Node]) -> None:
        self.parents, self.title, self.batch_size = tuple(parents), "zip", parents[0].batch_size
        sizes = [one.size for one in parents if one.size != math.inf]
        self.size = math.inf if not sizes else None if None in sizes else min(sizes)

    def pairs(self, key: Key, place: Any) -> Pairs:
        below = place or [None] * len(self.parents)
        streams = [parent.pairs(key, one) for parent, one in zip(self.parents, below)]
        try:
            for parts in zip(*streams):
                yield tuple(element for element, _ in parts), [behind for _, behind in parts]
        finally:
            for stream in streams:
                stream.close()


class StreamCached(Node):
    """Elements that are made in the first whole pass and then kept."""

    def __init__(self, parent: Node, store: Store) -> None:
        self.parents, self._parent, self._store, self.title = (parent,), parent, store, "cache"
        self.batch_size, self._size = parent.batch_size, parent.size

    @property
    def size(self) -> int | float | None:  # known once all elements were here
        return self._size if self._store.count is None else self._store.count

    @property
    def local(self) -> bool:
        return self._store.in_memory or self._parent.local

    def pairs(self, key: Key, place: Any) -> Pairs:
        start = place or 0
        if self._store.count is not None:
            for number in range(start, self._store.count):
                element = self._store.get(number)
                if element is not SKIPPED:
                    yield element, number + 1
            return
        number = 0
        with closing(self._parent.pairs((0,), None)) as pairs:
            for number, (element, _) in enumerate(pairs, 1):
                self._store.put(number - 1, element)
                if number > start:
                    yield element, number
        self._store.count = number


class StreamReadAhead(Node):
    """The same elements, some of them made before they are asked for."""

    def __init__(self, parent: Node, count: int) -> None:
        self.parents, self._parent, self._count, self.title = (parent,), parent, count, f"prefetch({count})"
        self.size, self.batch_size = parent.size, parent.batch_size

    def pairs(self, key: Key, place: Any) -> Pairs:
        return read_ahead(self._parent.pairs(key, place), self._count)

    def spec(self) -> Any:
        return self._parent.spec()
