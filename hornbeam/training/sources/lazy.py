"""Rows of data that stay where they are (an HDF5 file, a memory map, a sparse matrix) until a batch needs them."""

from __future__ import annotations

from typing import Any

import numpy as np


class LazyRows:
    """A window on the rows of something that can be sliced along its first axis.

    Args:
        data: What to slice, such as an `h5py.Dataset`.
        dtype: The dtype in which rows are handed out.
        start: The first row of the window.
        stop: The row after the last one; None for all.
    """

    def __init__(self, data: Any, dtype: np.dtype, start: int = 0, stop: int | None = None) -> None:
        self._data, self.dtype, self._start = data, dtype, start
        self._stop = data.shape[0] if stop is None else stop

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the window."""
        return (self._stop - self._start, *self._data.shape[1:])

    @property
    def nbytes(self) -> int:
        """The memory that all rows together would take."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, rows: slice) -> np.ndarray:
        """The rows of a slice of step 1, in memory."""
        start, stop, _ = rows.indices(len(self))
        return self._finish(self._data[self._start + start : self._start + stop])

    def take(self, rows: np.ndarray) -> np.ndarray:
        """The rows with these numbers, in this order, in memory."""
        wanted, back = np.unique(np.asarray(rows), return_inverse=True)
        low, high = self._start + int(wanted[0]), self._start + int(wanted[-1]) + 1
        # HDF5 wants rising numbers, and reads one span many times faster than scattered rows.
        if high - low <= 4 * len(wanted):
            return self._finish(self._data[low:high])[wanted - wanted[0]][back]
        return self._finish(self._data[self._start + wanted])[back]

    def window(self, start: int, stop: int) -> LazyRows:
        """The same rows from `start` to before `stop`; nothing is read."""
        return type(self)(self._data, self.dtype, self._start + start, self._start + stop)

    def _finish(self, block: Any) -> np.ndarray:
        # np.array, not asarray: a batch must not change when the file or memory map does
        return np.array(block, dtype=self.dtype)


class SparseRows(LazyRows):
    """Rows of a `scipy.sparse` matrix in CSR form, handed out dense."""

    def _finish(self, block: Any) -> np.ndarray:
        return np.asarray(block.toarray(), dtype=self.dtype)
