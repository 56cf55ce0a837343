"""Dataset: elements one after the other, and what can be done with them; how they are made stands in the nodes."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from hornbeam.data import nodes, streams
from hornbeam.data.elements import map_leaves
from hornbeam.data.stores import FolderStore, Store
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe, warn
from hornbeam.training.sources.base import check_json
from hornbeam.training.sources.convert import is_a, to_numpy
from hornbeam.training.sources.lazy import LazyRows

_WINDOW = 10_000  # elements that are shuffled together where elements have no numbers


class DatasetIterator:
    """One pass over a dataset; it knows its place.

    Args:
        dataset: The dataset.
        number: Which pass it is.
        place: Where to start; None for the start.
    """

    def __init__(self, dataset: Dataset, number: int, place: Any) -> None:
        self._dataset = dataset
        self._pairs = dataset._node.pairs((number,), place)
        self._position = dataset._position = [number, place]

    def __iter__(self) -> DatasetIterator:
        return self

    def __next__(self) -> Any:
        try:
            element, self._position[1] = next(self._pairs)
        except StopIteration:
            self._position[:] = [self._dataset._next_pass, None]
            self._dataset._report()
            raise
        return element

    def state(self) -> dict[str, Any]:
        """The place behind the last element, as `Dataset.state` gives it."""
        return self._dataset._state(*self._position)

    def close(self) -> None:
        """Ends the pass and all threads and processes that work for it."""
        self._pairs.close()


class Dataset:
    """Elements (any nesting of arrays, numbers and text), made when they are needed, in the same order each time.

    Each method returns a new dataset that takes its elements from this one, so calls are chained. A dataset is
    iterated any number of times, and each time is a pass: `shuffle` draws a new order for each. The order depends
    on seeds and on nothing else, not on the number of workers. `state` and `restore` save and find the exact
    place, also in the middle of a pass. `fit`, `evaluate` and `predict` take datasets of batches.

    Datasets are made by `from_arrays`, `from_generator`, `from_items`, `range`, and by
    `hornbeam.utils.image_dataset_from_directory` and its kin.

    >>> data = Dataset.range(6).map(lambda x: x * x).shuffle(seed=1).batch(4)
    >>> len(data), sorted(x for batch in data for x in batch.tolist())
    (2, [0, 1, 4, 9, 16, 25])
    """

    def __init__(self, node: nodes.Node, about: Mapping[str, Any] | None = None) -> None:
        self._node = node
        self._about = dict(about or {})
        self._next_pass = 0
        self._resume: tuple[int, Any] | None = None
        self._position: list[Any] | None = None

    # --- making one -------------------------------------------------------------------------------------------

    @classmethod
    def from_arrays(cls, arrays: Any) -> Dataset:
        """The rows of arrays, as elements of the same nesting.

        Args:
            arrays: An array of any framework, a frame, a list of numbers, or a tuple, list or dict of these, all
                with the same number of rows. HDF5 datasets and memory maps stay on disk.

        Raises:
            ValueError: If there are no rows, or not equally many in all arrays.

        >>> list(Dataset.from_arrays(([1, 2], ["a", "b"])))
        [(np.int64(1), 'a'), (np.int64(2), 'b')]
        """
        if is_a(arrays, "pandas", "DataFrame"):
            arrays = {str(name): arrays[name].to_numpy() for name in arrays.columns}
        counts: list[int] = []

        def convert(leaf: Any) -> Any:
            array = _rows_of(leaf)
            if not array.shape:
                raise ArgumentError("arrays with a first axis", describe(leaf), "Dataset.from_arrays")
            counts.append(array.shape[0])
            return array

        converted = map_leaves(convert, arrays)
        if len(set(counts)) != 1 or not counts[0]:
            got = f"{counts} rows" if counts else "no array"
            raise ArgumentError("arrays with the same number of rows, at least one", got, "Dataset.from_arrays")
        return cls(nodes.ArrayRows(converted, counts[0]))

    from_tensor_slices = from_arrays

    @classmethod
    def from_items(cls, items: Any) -> Dataset:
        """The items of a list, or of anything else with `len` and `[number]`, such as a torch Dataset.

        >>> list(Dataset.from_items(["a.jpg", "b.jpg"]))
        ['a.jpg', 'b.jpg']
        """
        if not hasattr(items, "__len__") or not hasattr(items, "__getitem__") or isinstance(items, (str, Mapping)):
            raise ArgumentTypeError("a list, or another thing with len() and [number]", describe(items), "from_items")
        return cls(nodes.Items(items))

    @classmethod
    def from_generator(cls, make: Callable[[], Iterable[Any]] | Iterable[Any], size: int | None = None) -> Dataset:
        """What a generator function yields.

        Restoring a place calls the function anew and throws away as many elements as were used, so it should
        yield the same elements each time.

        Args:
            make: A function without arguments that returns an iterator, or anything that can be iterated again.
            size: How many elements there are, if that is known.

        Raises:
            TypeError: For an iterator, which can be read only once.

        >>> def letters():
        ...     yield from "abc"
        >>> [batch.tolist() for batch in Dataset.from_generator(letters).batch(2)]
        [['a', 'b'], ['c']]
        """
        if isinstance(make, Iterator) or not (callable(make) or isinstance(make, Iterable)):
            raise ArgumentTypeError(
                "a function that makes an iterator, or something that can be iterated again",
                describe(make),
                "Dataset.from_generator",
                "Pass the generator function itself: from_generator(f), not from_generator(f()).",
            )  # fmt: skip
        return cls(streams.Generated(make if callable(make) else lambda: iter(make), size))

    @classmethod
    def range(cls, *bounds: int) -> Dataset:
        """The numbers of Python's `range` with the same arguments.

        >>> list(Dataset.range(2, 8, 3))
        [2, 5]
        """
        return cls(nodes.Numbers(range(*bounds)))

    @classmethod
    def zip(cls, *datasets: Dataset) -> Dataset:
        """The elements of several datasets side by side, as tuples; as many as the shortest has.

        >>> list(Dataset.zip(Dataset.range(2), Dataset.range(5, 9)))
        [(0, 5), (1, 6)]
        """
        if len(datasets) == 1 and isinstance(datasets[0], (list, tuple)):
            datasets = tuple(datasets[0])
        parents = [_node_of(one, "Dataset.zip") for one in datasets]
        if not parents:
            raise ArgumentError("at least one dataset", "none", "Dataset.zip")
        node = nodes.Zipped(parents) if all(one.indexed for one in parents) else streams.StreamZipped(parents)  # type: ignore[arg-type]
        return cls(node)

    # --- changing elements ------------------------------------------------------------------------------------

    def map(
        self, function: Callable[..., Any], workers: int = 0, *, processes: bool = False, seed: int | None = None
    ) -> Dataset:
        """`function` of each element. A tuple is handed over as several arguments, all else as one.

        Args:
            function: Called with each element; layers do as well. An exception of it comes out with a note that
                names the element.
            workers: How many elements are made at the same time; -1 for one for each core. 0 makes each when it
                is needed. The order stays the same.
            processes: Whether the workers are processes instead of threads, for functions that cost Python time.
                With the start methods "spawn" and "forkserver" the function must be picklable.
            seed: If given, the function gets one more argument, a `numpy.random.Generator` of its own for each
                element and pass, so that random changes are the same with any number of workers.

        >>> list(Dataset.from_arrays(([1, 2], [10, 20])).map(lambda x, y: int(x + y)))
        [11, 22]
        """
        workers = workers_of(workers, "Dataset.map")
        _check_call(function, "Dataset.map")
        if processes and not workers:
            raise ArgumentError("workers of at least 1 with processes", "workers=0", "Dataset.map")
        seed = None if seed is None else _whole(seed, 0, "seed", "Dataset.map")
        kind = nodes.Mapped if self._node.indexed else streams.StreamMapped
        return self._on(kind(self._node, function, workers, bool(processes), seed))  # type: ignore[arg-type]

    def filter(self, predicate: Callable[..., bool]) -> Dataset:
        """The elements for which `predicate` is true; how many there are shows at the end of a pass.

        >>> list(Dataset.range(6).filter(lambda x: x % 2 == 0))
        [0, 2, 4]
        """
        _check_call(predicate, "Dataset.filter")
        return self._on(streams.Filtered(self._node, predicate))

    def batch(self, size: int, drop_remainder: bool = False) -> Dataset:
        """Consecutive elements stacked: each leaf gets a first axis. Text becomes arrays of dtype object.

        Args:
            size: Elements in a batch.
            drop_remainder: Whether a last batch with fewer is left out.

        >>> [batch.tolist() for batch in Dataset.range(5).batch(2)]
        [[0, 1], [2, 3], [4]]
        """
        size = _whole(size, 1, "size", "Dataset.batch")
        kind = nodes.Batched if self._node.indexed else streams.StreamBatched
        return self._on(kind(self._node, size, bool(drop_remainder)))  # type: ignore[arg-type]

    def unbatch(self) -> Dataset:
        """The rows of each element, one by one.

        >>> list(Dataset.range(3).batch(2).map(lambda x: x.tolist()).unbatch())
        [0, 1, 2]
        """
        return self._on(streams.Unbatched(self._node))

    # --- choosing and ordering --------------------------------------------------------------------------------

    def shuffle(
        self, seed: int | None = None, *, buffer_size: int | None = None, reshuffle_each_iteration: bool = True
    ) -> Dataset:
        """The elements in random order, drawn anew for each pass.

        Where elements have numbers the order is one of all elements. Behind a generator or a filter, windows of
        `buffer_size` elements are shuffled, one after the other.

        Args:
            seed: Fixes the orders; None draws a seed, which `hornbeam.utils.set_random_seed` makes repeatable.
            buffer_size: Elements in a window; None for all elements, or for 10,000 where they have no numbers.
            reshuffle_each_iteration: Whether each pass has an order of its own.

        >>> data = Dataset.range(4).shuffle(seed=3)
        >>> sorted(data) == sorted(data) == [0, 1, 2, 3]
        True
        """
        drawn = random.randrange(2**32) if seed is None else _whole(seed, 0, "seed", "Dataset.shuffle")
        window = None if buffer_size is None else _whole(buffer_size, 1, "buffer_size", "Dataset.shuffle")
        node = self._node
        if node.indexed and node.size != math.inf and (window is None or window >= node.size):  # type: ignore[operator]
            return self._on(nodes.Shuffled(node, drawn, bool(reshuffle_each_iteration)))  # type: ignore[arg-type]
        return self._on(streams.WindowShuffled(node, drawn, window or _WINDOW, bool(reshuffle_each_iteration)))

    def take(self, count: int) -> Dataset:
        """The first `count` elements of each pass; -1 for all.

        >>> list(Dataset.range(9).take(2))
        [0, 1]
        """
        count = _whole(count, -1, "count", "Dataset.take")
        node: Any = self._node
        if count == -1:
            return self._on(node)
        if node.indexed:
            return self._on(nodes.Sliced(node, 0, min(count, node.size), 1, f"take({count})"))
        return self._on(streams.Taken(node, count))

    def skip(self, count: int) -> Dataset:
        """All but the first `count` elements of each pass.

        >>> list(Dataset.range(4).skip(3))
        [3]
        """
        count = _whole(count, 0, "count", "Dataset.skip")
        node: Any = self._node
        if node.indexed:
            return self._on(nodes.Sliced(node, count, max(0, node.size - count), 1, f"skip({count})"))
        return self._on(streams.Strided(node, count, 1, f"skip({count})"))

    def shard(self, count: int, index: int) -> Dataset:
        """Every `count`-th element, from number `index` on: the share of one of `count` programs.

        >>> list(Dataset.range(7).shard(3, 1))
        [1, 4]
        """
        count = _whole(count, 1, "count", "Dataset.shard")
        index = _whole(index, 0, "index", "Dataset.shard")
        if index >= count:
            raise ArgumentError(f"an index below {count}", f"index={index}", "Dataset.shard")
        node: Any = self._node
        title = f"shard({count}, {index})"
        if node.indexed:
            left = node.size - index
            size = left if left == math.inf else max(0, -(-left // count))
            return self._on(nodes.Sliced(node, index, size, count, title))
        return self._on(streams.Strided(node, index, count, title))

    def repeat(self, times: int | None = None) -> Dataset:
        """All elements `times` times within one pass; None or -1 for ever.

        >>> list(Dataset.range(2).repeat(2))
        [0, 1, 0, 1]
        """
        times = None if times is None or times == -1 else _whole(times, 0, "times", "Dataset.repeat")
        node: Any = self._node
        if node.size == math.inf and times != 0:
            return self._on(node)
        return self._on(nodes.Repeated(node, times) if node.indexed else streams.StreamRepeated(node, times))

    def concatenate(self, other: Dataset) -> Dataset:
        """The elements of this dataset, then those of another.

        >>> list(Dataset.range(2).concatenate(Dataset.range(1)))
        [0, 1, 0]
        """
        parents: Any = [self._node, _node_of(other, "Dataset.concatenate")]
        if all(one.indexed and one.size != math.inf for one in parents):
            return self._on(nodes.Concatenated(parents))
        return self._on(streams.StreamConcatenated(parents))

    # --- keeping and making ahead -----------------------------------------------------------------------------

    def cache(self, folder: str | os.PathLike | None = None) -> Dataset:
        """Keeps each element once it was made, so that later passes need not make it again.

        What is before `cache` happens once: an order, or a random change, stays what it was.

        Args:
            folder: Where to keep them as files, for this program and later ones; delete it when what is before
                `cache` changes. None for memory.

        >>> data = Dataset.range(2).map(lambda x: print("made", x) or x).cache()
        >>> list(data) + list(data)
        made 0
        made 1
        [0, 1, 0, 1]
        """
        node: Any = self._node
        if node.size == math.inf:
            fix = "Cache, then repeat."
            raise ArgumentError("a dataset with an end", "one that repeats for ever", "Dataset.cache", fix)
        store = Store() if folder is None else FolderStore(folder)
        return self._on(nodes.Cached(node, store) if node.indexed else streams.StreamCached(node, store))

    def prefetch(self, count: int = 2) -> Dataset:
        """Elements made ahead by a thread, so that who uses them need not wait. `fit` does this by itself.

        Args:
            count: How many may wait; -1 for 2.

        >>> list(Dataset.range(3).prefetch(2))
        [0, 1, 2]
        """
        count = 2 if count == -1 else _whole(count, 0, "count", "Dataset.prefetch")
        node: Any = self._node
        if not count:
            return self._on(node)
        return self._on(nodes.ReadAhead(node, count) if node.indexed else streams.StreamReadAhead(node, count))

    # --- using it ---------------------------------------------------------------------------------------------

    def __iter__(self) -> DatasetIterator:
        if self._resume is not None:
            (number, place), self._resume = self._resume, None
        else:
            number, place = self._next_pass, None
        self._next_pass = number + 1
        return DatasetIterator(self, number, place)

    def __len__(self) -> int:
        size = self._node.size
        if size is None or size == math.inf:
            raise ArgumentTypeError(
                "a dataset whose length is known", "one without end" if size else "one that shows it at its end",
                "len(Dataset)", "Count its elements in a pass: sum(1 for _ in dataset).",
            )  # fmt: skip
        return int(size)

    def __bool__(self) -> bool:
        return True  # without this, `if dataset:` would ask for a length

    @property
    def size(self) -> int | float | None:
        """How many elements a pass has: a number, `math.inf`, or None where that shows only at its end."""
        return self._node.size

    @property
    def batch_size(self) -> int | None:
        """Samples in each element, where elements are batches of a known size."""
        return self._node.batch_size

    @property
    def element_spec(self) -> Any:
        """The nesting of an element with its shapes and dtypes, taken from the first; None is a size that varies.

        >>> Dataset.from_arrays([[1.0, 2.0]]).batch(3).element_spec
        ArraySpec(shape=(None, 2), dtype='float64')
        """
        return self._node.spec()

    def state(self) -> dict[str, Any]:
        """The place in the pass that began last, as a dict that json can write.

        >>> data = Dataset.range(4)
        >>> _ = next(iter(data))
        >>> again = Dataset.range(4)
        >>> again.restore(data.state())
        >>> list(again)
        [1, 2, 3]
        """
        if self._position is not None and self._resume is None:
            return self._state(*self._position)
        return self._state(*(self._resume or (self._next_pass, None)))

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes to a place: the next pass is the rest of the one that was interrupted, and later ones follow it.

        Raises:
            ValueError: If the state is not one of a dataset that was made by the same calls.
        """
        where = "Dataset.restore"
        if not isinstance(state, Mapping) or not {"pipeline", "seeds", "pass", "place"} <= set(state):
            raise ArgumentError("what Dataset.state gave", describe(state), where)
        if state["pipeline"] != self._pipeline():
            raise ArgumentError(
                f"a state of a dataset made by {self._pipeline()}", f"one of {state['pipeline']}", where,
                "Make the dataset as in the interrupted run, or start anew.",
            )  # fmt: skip
        random_nodes = self._random_nodes()
        if len(state["seeds"]) != len(random_nodes):
            raise ArgumentError(f"{len(random_nodes)} seeds", f"{len(state['seeds'])}", where)
        for node, seed in zip(random_nodes, state["seeds"], strict=True):
            node.seed = seed  # those that were drawn differ from program to program
        self._resume = (int(state["pass"]), state["place"])
        self._position = None

    def __repr__(self) -> str:
        size = self._node.size
        known = "unknown" if size is None else "endless" if size == math.inf else size
        return f"<Dataset {self._pipeline()}, length={known}>"

    def __getattr__(self, name: str) -> Any:
        about = self.__dict__.get("_about", {})
        if name in about:
            return about[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # --- inside -----------------------------------------------------------------------------------------------

    def _on(self, node: nodes.Node) -> Dataset:
        """A new dataset over `node`; what a loader told of the files goes along."""
        return Dataset(node, self._about)

    def _pipeline(self) -> str:
        return " > ".join(one.title for one in self._node.chain())

    def _random_nodes(self) -> list[Any]:
        return [one for one in self._node.chain() if getattr(one, "seed", None) is not None]

    def _state(self, number: int, place: Any) -> dict[str, Any]:
        seeds = [one.seed for one in self._random_nodes()]
        state = {"pipeline": self._pipeline(), "seeds": seeds, "pass": number, "place": place}
        return check_json(state, "Dataset.state")

    def _report(self) -> None:
        """Tells, at the end of a pass, of the files that were left out, once each."""
        for node in self._node.chain():
            news = getattr(node, "news", None)
            if news is not None and (text := news()):
                warn(text)


def _rows_of(leaf: Any) -> Any:
    if is_a(leaf, "h5py", "Dataset"):
        return LazyRows(leaf, leaf.dtype)
    if isinstance(leaf, LazyRows):
        return leaf
    array = to_numpy(leaf, "Dataset.from_arrays") if not isinstance(leaf, list) else _from_list(leaf)
    return array.astype(object) if array.dtype.kind in "US" else array


def _from_list(rows: list) -> np.ndarray:
    try:
        return np.asarray(rows)
    except ValueError:
        raise ArgumentError(
            "rows of one length", "a ragged list", "Dataset.from_arrays",
            "Pad them first, for example with keras.utils.pad_sequences.",
        ) from None  # fmt: skip


def _node_of(value: Any, where: str) -> nodes.Node:
    if not isinstance(value, Dataset):
        raise ArgumentTypeError("a Dataset", describe(value), where)
    return value._node


def _whole(value: Any, least: int, name: str, where: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ArgumentTypeError("an int", f"{name}={value!r}", where)
    if value < least:
        raise ArgumentError(f"{name} of at least {least}", repr(value), where)
    return int(value)


def workers_of(workers: Any, where: str) -> int:
    """How many workers a number of them means, where -1 stands for one for each core."""
    workers = _whole(workers, -1, "workers", where)
    return (os.cpu_count() or 1) if workers == -1 else workers


def _check_call(function: Any, where: str) -> None:
    if not callable(function):
        raise ArgumentTypeError("a function", describe(function), where)
