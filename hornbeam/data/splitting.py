"""Arrays as windows over time, and datasets in two parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from hornbeam.data.dataset import Dataset
from hornbeam.data.elements import stack
from hornbeam.data.formats import check_format, in_format
from hornbeam.data.nodes import Indexed, Key, Rows, as_range
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, describe
from hornbeam.training.sources.convert import is_a, to_numpy


class Windows(Indexed):
    """Windows over the rows of an array, each `stride` rows behind the last."""

    gathers = True

    def __init__(self, data: np.ndarray, targets: np.ndarray | None, starts: range, offsets: np.ndarray) -> None:
        self._data, self._targets, self._starts, self._offsets = data, targets, starts, offsets
        self.size = len(starts)
        self.title = f"windows({self.size})"

    def get(self, key: Key, index: int) -> Any:
        start = self._starts[index]
        window = self._data[start + self._offsets]
        return window if self._targets is None else (window, self._targets[start])

    def gather(self, key: Key, rows: Rows) -> Any:
        starts = self._starts.start + np.asarray(as_range(rows)) * self._starts.step
        windows = self._data[starts[:, None] + self._offsets]
        return windows if self._targets is None else (windows, self._targets[starts])


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "hornbeam",
) -> Any:
    """Windows over an array of consecutive values, as a dataset of batches.

    Window number `i` has the rows `i * sequence_stride + sampling_rate * (0, 1, ..., sequence_length - 1)`.

    Args:
        data: Rows in the order of time, an array of any rank.
        targets: A target for each row: that of a window is the one at its first row. None for windows alone.
        sequence_length: Rows in a window.
        sequence_stride: Rows between the starts of windows.
        sampling_rate: Rows from one of a window to the next.
        batch_size: Windows in a batch; None for single ones.
        shuffle: Whether windows come in random order, a new one for each pass.
        seed: Of the order.
        start_index: The first row that is used; None for 0.
        end_index: The row behind the last that is used; None for all.
        format: "hornbeam" for a `hornbeam.data.Dataset`, "grain", "tf" or "torch" for a dataset of these packages.

    Returns:
        A dataset of `windows` or `(windows, targets)`.

    Raises:
        ValueError: If an argument is out of range, or if no window fits.

    >>> data = timeseries_dataset_from_array(np.arange(6), np.arange(6) * 10, sequence_length=3, sequence_stride=2)
    >>> [(x.tolist(), y.tolist()) for x, y in data]
    [([[0, 1, 2], [2, 3, 4]], [0, 20])]
    """
    where = "timeseries_dataset_from_array"
    format = check_format(format, where)
    rows = to_numpy(np.asarray(data) if isinstance(data, (list, tuple)) else data, where)
    if rows.ndim == 0:
        raise ArgumentError("an array of rows", describe(data), where)
    values = None
    if targets is not None:
        values = to_numpy(np.asarray(targets) if isinstance(targets, (list, tuple)) else targets, f"{where}: targets")
    count = len(rows)
    start = 0 if start_index is None else _whole(start_index, "start_index", where)
    end = count if end_index is None else _whole(end_index, "end_index", where)
    if start < 0 or start >= count:
        raise ArgumentError(f"a start_index from 0 to below {count}, the rows of the data", str(start_index), where)
    if end > count or end < 1:
        raise ArgumentError(f"an end_index from 1 to {count}, the rows of the data", str(end_index), where)
    if end <= start:
        raise ArgumentError("an end_index above start_index", f"start_index={start}, end_index={end}", where)
    for name, value in (
        ("sequence_length", sequence_length), ("sequence_stride", sequence_stride), ("sampling_rate", sampling_rate),
    ):  # fmt: skip
        if not _whole(value, name, where) > 0 or value > end - start:
            raise ArgumentError(f"{name} from 1 to {end - start}, the rows that are used", str(value), where)
    if batch_size is not None and _whole(batch_size, "batch_size", where) < 1:
        raise ArgumentError("a positive batch_size", str(batch_size), where)
    # As many as fit, and no more than there are targets.
    last = end - (sequence_length - 1) * sampling_rate
    if values is not None:
        last = min(last, len(values))
    starts = range(start, max(start, last), sequence_stride)
    if not starts:
        raise ArgumentError(
            f"at least {(sequence_length - 1) * sampling_rate + 1} rows for one window", f"{end - start}", where,
            "Use a shorter sequence_length or a smaller sampling_rate.",
        )  # fmt: skip
    node = Windows(rows, values, starts, np.arange(sequence_length) * sampling_rate)
    drawn = None
    if shuffle:
        drawn = int(np.random.randint(2**31)) if seed is None else _whole(seed, "seed", where)
    return in_format(Dataset(node), drawn, batch_size, format, 0, {})


def split_dataset(
    dataset: Any,
    left_size: float | int | None = None,
    right_size: float | int | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """A dataset in two parts, such as for training and validation.

    Args:
        dataset: A `hornbeam.data.Dataset` of single elements, an array, a list or tuple of arrays, a torch Dataset,
            or a `tf.data.Dataset`, which is read into memory.
        left_size: Elements of the first part: a number, or a fraction of all; None for the rest.
        right_size: As `left_size`, for the second part, which is taken from the end.
        shuffle: Whether to put the elements in random order first, the same in each pass.
        seed: Of that order.
        preferred_backend: What to make: None for `hornbeam.data.Dataset`s, "tensorflow" for `tf.data.Dataset`s,
            "torch" for torch datasets.

    Returns:
        Two datasets.

    Raises:
        ValueError: If a size is out of range or a part would be empty.
        TypeError: If it is nothing that can be split.

    >>> left, right = split_dataset(np.arange(10), left_size=0.7)
    >>> [int(x) for x in right]
    [7, 8, 9]
    """
    where = "split_dataset"
    known = {None: "hornbeam", "hornbeam": "hornbeam", "tensorflow": "tf", "torch": "torch", "jax": "hornbeam"}
    if preferred_backend not in known:
        raise UnknownNameError("preferred_backend", preferred_backend, [one for one in known if one], where)
    whole = _as_dataset(dataset, where)
    count = len(whole)
    if left_size is None and right_size is None:
        raise ArgumentError("left_size, right_size or both", "neither", where)
    left = None if left_size is None else _part(left_size, count, "left_size", where)
    right = None if right_size is None else _part(right_size, count, "right_size", where)
    if left is None:
        left = count - right  # type: ignore[operator]
    if right is None:
        right = count - left
    if left + right > count:
        raise ArgumentError(f"parts of at most {count} elements together", f"{left} and {right}", where)
    if not left or not right:
        raise ArgumentError("at least one element in each part", f"{left} and {right} of {count}", where)
    if shuffle:
        drawn = int(np.random.randint(2**31)) if seed is None else _whole(seed, "seed", where)
        whole = whole.shuffle(drawn, reshuffle_each_iteration=False)
    parts = (whole.take(left), whole.skip(count - right))
    first, second = (in_format(one, None, None, known[preferred_backend], 0, {}) for one in parts)
    return first, second


def _as_dataset(dataset: Any, where: str) -> Dataset:
    if isinstance(dataset, Dataset):
        if dataset._node.indexed:
            return dataset
        elements = list(dataset)
    elif isinstance(dataset, np.ndarray) or hasattr(dataset, "__array__") or is_a(dataset, "torch", "Tensor"):
        return Dataset.from_arrays(dataset)
    elif isinstance(dataset, (list, tuple)) and dataset and all(hasattr(one, "shape") for one in dataset):
        return Dataset.from_arrays(tuple(dataset))
    elif isinstance(dataset, list):
        return Dataset.from_arrays(np.asarray(dataset))
    elif callable(getattr(dataset, "as_numpy_iterator", None)):
        elements = list(dataset.as_numpy_iterator())
    elif is_a(dataset, "torch.utils.data", "Dataset") and hasattr(dataset, "__len__"):
        return Dataset.from_items(dataset)
    elif is_a(dataset, "torch.utils.data", "Dataset") and isinstance(dataset, Iterable):
        elements = list(dataset)
    else:
        raise ArgumentTypeError(
            "a hornbeam.data.Dataset, an array, a list or tuple of arrays, a torch Dataset or a tf.data.Dataset",
            describe(dataset), where,
        )  # fmt: skip
    return Dataset.from_arrays(stack(elements, where)) if elements else Dataset.from_items([])


def _part(size: Any, count: int, name: str, where: str) -> int:
    if isinstance(size, bool) or not isinstance(size, (int, float, np.integer, np.floating)):
        raise ArgumentTypeError("an int or a fraction", f"{name}={size!r}", where)
    if isinstance(size, (float, np.floating)):
        if not 0 < size < 1:
            raise ArgumentError("a fraction between 0 and 1, or an int", f"{name}={size}", where)
        return round(size * count)
    if not 0 < size < count:
        raise ArgumentError(f"a fraction, or an int from 1 to {count - 1}", f"{name}={size}", where)
    return int(size)


def _whole(value: Any, name: str, where: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ArgumentTypeError("an int", f"{name}={value!r}", where)
    return int(value)
