"""The rows of a table as elements of a dataset: whole in memory, or window by window where they are too many."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from hornbeam.data.elements import concatenate, map_leaves
from hornbeam.data.nodes import Indexed, Key, Rows, as_range
from hornbeam.data.table_source import Table

_WINDOWS = 3  # that are held: one in use, one coming, and one that a batch may reach back to


class Held:
    """Which rows of each block a dataset has: all, or those on one side of a split.

    Args:
        counts: Rows of each block.
        split: The share that is held back.
        seed: Draws which they are; None holds the last ones back.
        validation: Whether these are the ones that are held back.
    """

    def __init__(
        self, counts: Sequence[int], split: float | None = None, seed: int | None = None, validation: bool = False
    ) -> None:
        self._counts, self._seed, self._validation = counts, seed, validation
        total = sum(counts)
        left = 0 if split is None else int(split * total)
        self._held = []
        random = np.random.default_rng(seed)
        ends = list(itertools.accumulate(counts))
        for count, end in zip(counts, ends):
            behind = total - end  # rows in later blocks
            if seed is None:
                drawn = min(count, max(0, left - behind))
            else:
                drawn = int(random.hypergeometric(left, count + behind - left, count)) if left else 0
            self._held.append(drawn)
            left -= drawn
        self.counts = self._held if validation else [a - b for a, b in zip(counts, self._held)]

    def rows(self, block: int) -> np.ndarray | None:
        """The numbers of the rows of a block that count, in order; None for all."""
        count, held = self._counts[block], self._held[block]
        if self.counts[block] == count:
            return None
        last = np.zeros(count, bool)
        last[count - held :] = True
        if self._seed is not None:
            np.random.default_rng([self._seed, block]).shuffle(last)
        return np.flatnonzero(last if self._validation else ~last)


class TableRows(Indexed):
    """One element for each row: a dict of its columns, with its label beside it if there is one.

    Shuffled, blocks come in a new order for each pass, and rows are shuffled within windows of blocks that fit into
    memory together; a table that fits whole is one window.

    Args:
        table: Where rows come from.
        held: Which rows.
        element: Makes an element of the arrays of a block.
        seed: Of the orders; None for the order of the files.
        window_bytes: Of the files' bytes in a window; None for one window.
        workers: How many threads make batches.
    """

    gathers = True
    local = True  # type: ignore[assignment]  (what it remembers, no other process sees)

    def __init__(
        self,
        table: Table,
        held: Held,
        element: Callable[[dict[str, np.ndarray]], Any],
        seed: int | None,
        window_bytes: int | None,
        workers: int,
    ) -> None:
        self._table, self._held, self._element = table, held, element
        self.size, self.workers, self._window_bytes = sum(held.counts), workers, window_bytes
        if seed is not None:
            self.seed = seed
        shuffled = (
            f", shuffled{'' if window_bytes is None else f' by {window_bytes} bytes'}" if seed is not None else ""
        )
        self.title = f"table({self.size} rows{shuffled})"
        self._plans: dict[Key, tuple[list[tuple[int, ...]], np.ndarray]] = {}
        self._orders: dict[Any, np.ndarray] = {}
        self._told = False
        self._begin_process()

    def _begin_process(self) -> None:
        """What belongs to one process: its thread, and what that has read."""
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._reader = ThreadPoolExecutor(1, "hornbeam-table")
        self._loaded: dict[tuple[int, ...], Future] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_lock", "_reader", "_loaded")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin_process()

    # --- which rows come when ---

    def _plan(self, key: Key) -> tuple[list[tuple[int, ...]], np.ndarray]:
        """The windows of a pass, as numbers of blocks, and the numbers of their first rows, with the end."""
        seed = getattr(self, "seed", None)
        which = () if seed is None or self._window_bytes is None else (seed, *key)
        plan = self._plans.get(which)
        if plan is None:
            blocks = [one for one in self._table.order(which) if self._held.counts[one]]
            windows: list[tuple[int, ...]] = []
            group: list[int] = []
            size = 0
            for block in blocks:
                if (
                    group
                    and self._window_bytes is not None
                    and size + self._table.blocks[block].bytes > self._window_bytes
                ):
                    windows.append(tuple(group))
                    group, size = [], 0
                group.append(block)
                size += self._table.blocks[block].bytes
            windows.append(tuple(group))
            counts = [sum(self._held.counts[one] for one in window) for window in windows]
            plan = windows, np.concatenate([[0], np.cumsum(counts)])
            self._plans = {**dict(list(self._plans.items())[-1:]), which: plan}
        return plan

    def _order(self, key: Key, window: int, count: int) -> np.ndarray | None:
        seed = getattr(self, "seed", None)
        if seed is None:
            return None
        which = (seed, *key, window)
        order = self._orders.get(which)
        if order is None:
            order = np.random.default_rng(which).permutation(count)
            self._orders = {**dict(list(self._orders.items())[1 - _WINDOWS :]), which: order}
        return order

    # --- reading ---

    def _window(self, windows: list[tuple[int, ...]], number: int) -> Any:
        """The element of all rows of a window; the next window is begun."""
        coming = self._begin(windows[number])
        if number + 1 < len(windows):
            self._begin(windows[number + 1])
        return coming.result()

    def _begin(self, blocks: tuple[int, ...]) -> Future:
        if self._process != os.getpid():  # a fork, such as a worker of torch's DataLoader, has no thread of ours
            self._begin_process()
            self._table.begin_process()
        with self._lock:
            coming = self._loaded.pop(blocks, None)
            begun = coming is not None
            if coming is None or (coming.done() and coming.exception() is not None):
                coming, begun = Future(), False
            kept = dict(list(self._loaded.items())[1 - _WINDOWS :])
            self._loaded = {**kept, blocks: coming}
        if not begun:
            # One thread, so that the blocks of packed files are read in their order.
            self._reader.submit(self._load, blocks, coming)
        return coming

    def _load(self, blocks: tuple[int, ...], coming: Future) -> None:
        try:
            parts = []
            for block in blocks:
                part, rows = self._element(self._table.arrays(block)), self._held.rows(block)
                parts.append(part if rows is None else map_leaves(lambda leaf, rows=rows: leaf[rows], part))
            coming.set_result(concatenate(parts))
        except BaseException as problem:  # noqa: BLE001  (belongs to the one who waits)
            coming.set_exception(problem)

    def gather(self, key: Key, rows: Rows) -> Any:
        numbers = np.asarray(as_range(rows))
        windows, starts = self._plan(key)
        which = np.searchsorted(starts, numbers, side="right") - 1
        cuts = [0, *(np.flatnonzero(np.diff(which)) + 1).tolist(), len(numbers)]
        parts = []
        for first, last in itertools.pairwise(cuts):
            window = int(which[first])
            places = numbers[first:last] - starts[window]
            order = self._order(key, window, int(starts[window + 1] - starts[window]))
            places = places if order is None else order[places]
            parts.append(map_leaves(lambda leaf, places=places: leaf[places], self._window(windows, window)))
        return concatenate(parts)

    def get(self, key: Key, index: int) -> Any:
        return map_leaves(lambda leaf: leaf[0], self.gather(key, np.array([index])))

    def name(self, key: Key, index: int) -> str:
        windows, starts = self._plan(key)
        window = int(np.searchsorted(starts, index, side="right")) - 1
        order = self._order(key, window, int(starts[window + 1] - starts[window]))
        place = int(index - starts[window] if order is None else order[index - starts[window]])
        for block in windows[window]:
            count = self._held.counts[block]
            if place < count:
                rows = self._held.rows(block)
                return self._table.name(block, place if rows is None else int(rows[place]))
            place -= count
        raise IndexError(index)

    def news(self) -> str:
        """What to tell of rows that were left out, once; an empty text for none."""
        told, self._told = self._told, True
        return "" if told else self._table.news()
