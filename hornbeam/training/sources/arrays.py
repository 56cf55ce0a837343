"""Sources over rows: whole arrays in memory, and rows that stay on disk until a batch needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hornbeam import tree
from hornbeam.training.sources.ahead import Ahead
from hornbeam.training.sources.base import CountedSource
from hornbeam.training.sources.lazy import LazyRows


class RowSource(CountedSource):
    """Batches of consecutive rows, or of rows in an order drawn anew for each pass.

    Args:
        arrays: ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``, nested, all parts with the same length.
        count: That length.
        batch_size: Rows in a batch; the last batch of a pass may have fewer.
        shuffle: True draws an order of all rows; "batch" keeps the batches and shuffles within each.
        limit: Batches in an epoch; None for all.
        rng: Draws the seed of the orders.
        bare: Whether x came alone.
    """

    kind = "arrays"

    def __init__(
        self,
        arrays: tuple,
        count: int,
        batch_size: int,
        shuffle: bool | str,
        limit: int | None,
        rng: np.random.Generator | int | None,
        bare: bool,
    ) -> None:
        self.arrays = arrays
        self.batch_size: int = batch_size
        self.bare = bare
        self.sample_count = count
        self._shuffle = shuffle
        self._drawn: tuple[int, int, np.ndarray] | None = None
        super().__init__(-(-count // batch_size), limit, rng)

    def order(self) -> np.ndarray | None:
        """The numbers of the rows of the coming epoch (int32 or int64), cut into batches from the start.

        None means: all rows, in order. The order stays the same until `end_epoch`. After `restore`, and with a
        limit, it holds only the rows that this epoch still trains on.
        """
        self._begin()
        first = (self._start + self._skip) * self.batch_size
        last = min((self._start + self._coming()) * self.batch_size, self.sample_count)
        if not self._shuffle:
            return None if (first, last) == (0, self.sample_count) else self._numbers()[first:last]
        return self._permutation()[first:last]

    def replace_x(self, x: Any) -> None:
        """Puts other inputs, of as many rows, in place of x."""
        self.arrays = (x, *self.arrays[1:])
        self.bare = False  # x may be a tuple now, which unpacking must not take apart

    def _numbers(self) -> np.ndarray:
        return np.arange(self.sample_count, dtype=np.int32 if self.sample_count < 2**31 else np.int64)

    def _permutation(self) -> np.ndarray:
        key = (self._seed, self._pass)
        if self._drawn is None or self._drawn[:2] != key:
            rows = self._numbers()
            generator = self._generator()
            if self._shuffle == "batch":
                whole = self.sample_count // self.batch_size * self.batch_size
                blocks = rows[:whole].reshape(-1, self.batch_size)
                last = generator.permutation(rows[whole:])
                rows = np.concatenate([generator.permuted(blocks, axis=1).reshape(-1), last])
            else:
                generator.shuffle(rows)
            self._drawn = (*key, rows)
        return self._drawn[2]

    def _picks(self) -> Iterator[slice | np.ndarray]:
        """Which rows each batch of the coming epoch has."""
        rows = self.order()
        first = (self._start + self._skip) * self.batch_size
        count = self.sample_count - first if rows is None else len(rows)
        for low in range(0, count, self.batch_size):
            high = min(low + self.batch_size, count)
            yield rows[low:high] if self._shuffle and rows is not None else slice(first + low, first + high)

    def _gather(self, pick: slice | np.ndarray) -> tuple:
        return tree.map_structure(lambda leaf: _rows(leaf, pick), self.arrays)

    def batches(self) -> Iterator[tuple]:
        self._begin()
        self._used = self._skip
        for pick in self._picks():
            batch = self._gather(pick)
            self._used += 1
            yield batch
        self._finish()

    def _identity(self) -> dict[str, Any]:
        return super()._identity() | {"samples": self.sample_count, "shuffle": self._shuffle}


def _rows(leaf: Any, pick: slice | np.ndarray) -> Any:
    if leaf is None:
        return None
    if isinstance(pick, slice):
        return leaf[pick]
    return leaf.take(pick) if isinstance(leaf, LazyRows) else np.take(leaf, pick, axis=0)


class ArraySource(RowSource):
    """Whole arrays in memory. The loop may take `arrays` and `order` and cut batches on the device itself.

    `arrays` is ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``: nested NumPy arrays of `sample_count` rows each,
    where a None inside stands for a part that is not there. A loop that cuts batches itself calls `begin_epoch`,
    `order` and `end_epoch`, and never `batches`.
    """

    def _gather(self, pick: slice | np.ndarray) -> tuple:
        whole = isinstance(pick, slice) and pick.stop - pick.start == self.sample_count
        return self.arrays if whole else super()._gather(pick)


class LazyRowSource(RowSource):
    """Rows on disk or in a sparse matrix; a thread reads ahead."""

    _ahead: Ahead | None = None

    def batches(self) -> Iterator[tuple]:
        self._begin()
        self._used = self._skip
        gather: Callable[[Any], tuple] = self._gather
        self._ahead = ahead = Ahead(list(self._picks()), [gather], limit=2)
        try:
            for batch in ahead:
                self._used += 1
                yield batch
        finally:
            self.close()
        self._finish()

    def close(self) -> None:
        if self._ahead is not None:
            self._ahead.stop()
            self._ahead.join(5.0)
            self._ahead = None
