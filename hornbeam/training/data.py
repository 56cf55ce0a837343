"""Picks the source for the data that `fit`, `evaluate` and `predict` are given; the only place that does.

Knows no model and no backend. A kind of data is one small class in `sources`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hornbeam import tree
from hornbeam.data.dataset import Dataset
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, describe
from hornbeam.training.sources.arrays import ArraySource, LazyRowSource, RowSource
from hornbeam.training.sources.base import Source
from hornbeam.training.sources.convert import is_a, is_array_like, standardize_whole
from hornbeam.training.sources.dataset import DatasetPlace
from hornbeam.training.sources.distributed import batch_count, is_distributed, whole_batches
from hornbeam.training.sources.grain import GrainPlace, is_grain
from hornbeam.training.sources.lazy import LazyRows
from hornbeam.training.sources.py_dataset import PyDatasetSource, is_py_dataset
from hornbeam.training.sources.streams import StreamSource
from hornbeam.training.sources.weights import ClassWeights, spread_sample_weight

__all__ = ["ArraySource", "Source", "open_source", "split_validation"]

_DEFAULT_BATCH_SIZE = 32
_KINDS = (
    "arrays (NumPy, JAX, torch, TensorFlow, pandas, HDF5), lists or dicts of them, a generator, a PyDataset, "
    "a hornbeam.data.Dataset, a torch DataLoader or a tf.data.Dataset"
)


def open_source(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    shuffle: bool | str = False,
    class_weight: Mapping[int, float] | None = None,
    steps: int | None = None,
    rng: np.random.Generator | int | None = None,
) -> Source:
    """Opens data of any kind as a `Source` of batches.

    Args:
        x: Inputs: one array of any framework or a nesting of several, a pandas frame or series, rows of an HDF5
            file, a generator or other iterable of batches, a `Dataset`, a `PyDataset`, torch `DataLoader` or
            `tf.data.Dataset`, also one that a strategy distributes. Lists of numbers are arrays; lists of arrays are
            several inputs.
        y: Targets of the same length, for arrays only; other kinds bring them in their batches.
        sample_weight: A weight for each sample, for arrays only: one array, or one for each output.
        batch_size: Samples in a batch, for arrays only; None for 32.
        shuffle: True draws a new order for each pass (of the samples for arrays, of the batches for a
            `PyDataset`); "batch" shuffles within each batch. Other kinds come in their own order.
        class_weight: From class number to the weight of its samples; multiplies `sample_weight`.
        steps: Batches in an epoch. The next epoch goes on where the last stopped. None for all there are.
        rng: Draws all that is random here, or is the seed of what does. None for one that differs from run to run.

    Returns:
        A source; close it after use.

    Raises:
        ValueError: For data that are empty, of unequal lengths or of no known kind, and for arguments that do
            not go with this kind of data.
        TypeError: For arguments of a wrong type.

    >>> source = open_source([[1.0], [2.0], [3.0]], [0, 1, 0], batch_size=2)
    >>> [y.tolist() for x, y in source.batches()]
    [[0, 1], [0]]
    """
    steps = _whole_number(steps, "steps")
    batch_size = _whole_number(batch_size, "batch_size")
    shuffle = _check_shuffle(shuffle)
    weights = ClassWeights(class_weight) if class_weight else None
    if class_weight is not None and not isinstance(class_weight, Mapping):
        ClassWeights(class_weight)  # raises
    if is_py_dataset(x):
        _refuse_targets("PyDataset", y, sample_weight)
        return PyDatasetSource(x, bool(shuffle), steps, rng, weights)
    if is_array_like(x):
        return _open_arrays((x, y, sample_weight), batch_size or _DEFAULT_BATCH_SIZE, shuffle, weights, steps, rng)
    stream = _open_stream(x, steps, weights)
    if stream is None:
        raise _unknown(x)
    _refuse_targets(stream.kind, y, sample_weight)
    return stream


def split_validation(arrays: tuple, validation_split: float) -> tuple[tuple, tuple]:
    """Splits off the last samples, before any shuffling.

    Args:
        arrays: ``(x, y, sample_weight)`` as `fit` gets them; parts may be None.
        validation_split: The fraction to split off, above 0 and below 1.

    Returns:
        Two tuples of the same form: for training, and for validation.

    Raises:
        ValueError: If the fraction is out of range or leaves one side empty, or if the data are no arrays.

    >>> train, validation = split_validation((np.arange(10), None, None), 0.25)
    >>> train[0].shape, validation[0].shape
    ((7,), (3,))
    """
    where = "validation_split"
    if isinstance(validation_split, bool) or not isinstance(validation_split, (int, float, np.integer, np.floating)):
        raise ArgumentTypeError("a fraction between 0 and 1", repr(validation_split), where)
    if not 0 < validation_split < 1:
        raise ArgumentError("a fraction above 0 and below 1", repr(validation_split), where)
    for part in arrays:
        if part is not None and (is_py_dataset(part) or not is_array_like(part)):
            fix = "Split such data yourself, and give the rest as validation_data."
            raise ArgumentError("arrays to split", describe(part), where, fix)
    arrays = _standardize(arrays)
    count = _common_length(arrays)
    split = math.floor(count * (1.0 - validation_split))
    if not 0 < split < count:
        raise ArgumentError(
            "a fraction that leaves samples on both sides", f"{validation_split} of {count} samples", where
        )
    return _slice(arrays, 0, split), _slice(arrays, split, count)


def _open_arrays(
    arrays: tuple,
    batch_size: int,
    shuffle: bool | str,
    class_weight: ClassWeights | None,
    steps: int | None,
    rng: np.random.Generator | int | None,
) -> RowSource:
    # A list or tuple as x stays wrapped, so that unpacking never takes its first part for x.
    bare = arrays[1] is None and arrays[2] is None and class_weight is None and not isinstance(arrays[0], (list, tuple))
    x, y, sample_weight = _standardize(arrays)
    sample_weight = spread_sample_weight(y, sample_weight)
    count = _common_length((x, y, sample_weight))
    if class_weight is not None:
        sample_weight = class_weight.of(_in_memory(y), _in_memory(sample_weight))
    parts = (x, y, sample_weight) if sample_weight is not None else (x, y) if y is not None else (x,)
    lazy = any(isinstance(leaf, LazyRows) for part in parts for leaf in _leaves(part))
    return (LazyRowSource if lazy else ArraySource)(parts, count, batch_size, shuffle, steps, rng, bare)


def _leaves(part: Any) -> list[Any]:
    """The arrays in x, y or the weights; most often it is one, and then there is nothing to walk through."""
    if part is None:
        return []
    return [part] if hasattr(part, "shape") else [leaf for leaf in tree.flatten(part) if leaf is not None]


def _standardize(arrays: tuple) -> tuple:
    x, y, sample_weight = arrays
    x = standardize_whole(x, "x")
    y = None if y is None else standardize_whole(y, "y")
    return x, y, None if sample_weight is None else standardize_whole(sample_weight, "sample_weight")


def _in_memory(part: Any) -> Any:
    return tree.map_structure(lambda leaf: leaf[:] if isinstance(leaf, LazyRows) else leaf, part)


def _slice(arrays: tuple, start: int, stop: int) -> tuple:
    def cut(leaf: Any) -> Any:
        if leaf is None:
            return None
        return leaf.window(start, stop) if isinstance(leaf, LazyRows) else leaf[start:stop]

    return tree.map_structure(cut, arrays)


def _common_length(arrays: tuple) -> int:
    """The number of samples that all parts have; an error names each part if they differ or if there are none."""
    leaves = [_leaves(part) for part in arrays]
    counts = {leaf.shape[0] for part in leaves for leaf in part}
    if leaves[0] and len(counts) == 1 and 0 not in counts:
        return counts.pop()
    shapes = {}
    for (part, *path), leaf in tree.flatten_with_path(arrays):
        if leaf is not None:
            name = ("x", "y", "sample_weight")[part] + "".join(f"[{key!r}]" for key in path)
            shapes[name] = tuple(leaf.shape)
    listed = ", ".join(f"{name} of shape {shape}" for name, shape in shapes.items())
    lengths = {shape[0] for shape in shapes.values()}
    if not any(name.startswith("x") for name in shapes):
        raise ArgumentError("at least one array as x", listed or "none", "data")
    if len(lengths) > 1:
        fix = "Each needs one row for each sample."
        if sum(name.startswith("x[") for name in shapes) > 1 and isinstance(arrays[0], (list, tuple)):
            fix += " A list of arrays means several inputs; np.stack(x) makes one input of a list of samples."
        raise ArgumentError("arrays with the same number of samples", listed, "data", fix)
    count = lengths.pop()
    if count == 0:
        raise ArgumentError("at least one sample", listed, "data")
    return count


def _open_stream(x: Any, steps: int | None, class_weight: ClassWeights | None) -> StreamSource | None:
    if is_a(x, "tensorflow", "Tensor", "RaggedTensor", "SparseTensor") or isinstance(x, (str, bytes, set, frozenset)):
        return None
    if isinstance(x, Dataset):
        return _open_dataset(x, steps, class_weight)
    if callable(getattr(x, "as_numpy_iterator", None)):
        return _open_tf_dataset(x, steps, class_weight)
    if is_distributed(x):
        return _open_distributed(x, steps, class_weight)
    if not hasattr(x, "__iter__"):
        return None
    if is_grain(x):
        return _open_grain(x, steps, class_weight)
    stateful = x if hasattr(x, "state_dict") and hasattr(x, "load_state_dict") else None
    if is_a(x, "torch.utils.data", "DataLoader") or (stateful is not None and hasattr(x, "batch_size")):
        size = getattr(x, "batch_size", None)
        return StreamSource(
            "torch DataLoader" if is_a(x, "torch.utils.data", "DataLoader") else type(x).__name__,
            lambda: iter(x),
            rewinds=True,
            limit=steps,
            count=_length(x),
            batch_size=size if isinstance(size, int) else None,
            class_weight=class_weight,
            copy=False,  # a loader collates each batch into memory of its own
            stateful=stateful,
        )
    once = isinstance(x, Iterator)
    name = "generator" if hasattr(x, "gi_frame") else type(x).__name__
    return StreamSource(
        name,
        lambda: iter(x),
        rewinds=not once,
        limit=steps,
        count=None if once else _length(x),
        class_weight=class_weight,
        bare=not once,
        stateful=stateful,
    )


def _open_dataset(dataset: Dataset, steps: int | None, class_weight: ClassWeights | None) -> StreamSource:
    size = dataset.size
    if size == math.inf and steps is None:
        raise ArgumentError("a number of steps for endless data", "None", "Dataset", "Give steps_per_epoch.")
    if size == 0:
        raise ArgumentError("at least one batch", "none", "Dataset")
    place = DatasetPlace(dataset)
    return StreamSource(
        "Dataset",
        place.open_pass,
        rewinds=True,
        limit=steps,
        count=None if size is None or size == math.inf else int(size),
        batch_size=dataset.batch_size,
        class_weight=class_weight,
        copy=False,  # each batch is memory of its own
        stateful=place,
    )


def _open_tf_dataset(dataset: Any, steps: int | None, class_weight: ClassWeights | None) -> StreamSource:
    kind = "tf.data.Dataset"
    cardinality = int(dataset.cardinality())
    if cardinality == -1 and steps is None:  # tf.data.INFINITE_CARDINALITY
        raise ArgumentError("a number of steps for endless data", "None", kind, "Give steps_per_epoch.")
    if cardinality == 0:
        raise ArgumentError("at least one batch", "none", kind)
    return StreamSource(
        kind,
        lambda: iter(dataset.as_numpy_iterator()),
        rewinds=True,
        limit=steps,
        count=cardinality if cardinality > 0 else None,
        class_weight=class_weight,
    )


def _open_distributed(dataset: Any, steps: int | None, class_weight: ClassWeights | None) -> StreamSource:
    kind = "distributed tf.data.Dataset"
    count = batch_count(dataset)
    if count == -1 and steps is None:
        raise ArgumentError("a number of steps for endless data", "None", kind, "Give steps_per_epoch.")
    return StreamSource(
        kind,
        lambda: whole_batches(dataset),
        rewinds=True,
        limit=steps,
        count=None if count == -1 else count,
        class_weight=class_weight,
    )


def _open_grain(loader: Any, steps: int | None, class_weight: ClassWeights | None) -> StreamSource:
    place = GrainPlace(loader)
    return StreamSource(
        "grain loader",
        place.open_pass,
        rewinds=True,
        limit=steps,
        count=_length(loader),
        class_weight=class_weight,
        stateful=place,
    )


def _length(x: Any) -> int | None:
    try:
        return len(x)
    except (TypeError, OverflowError):  # no __len__, a DataLoader over an IterableDataset, or endless
        return None


def _refuse_targets(kind: str, y: Any, sample_weight: Any) -> None:
    for name, value, form in (("y", y, "(x, y)"), ("sample_weight", sample_weight, "(x, y, sample_weight)")):
        if value is not None:
            raise ArgumentError(
                f"no {name} beside a {kind}", describe(value), name, f"Let the {kind} give {form} in each batch."
            )


def _unknown(x: Any) -> ArgumentError:
    fix = ""
    if callable(x):
        fix = "If it makes a generator, call it."
    elif hasattr(x, "__getitem__") and hasattr(x, "__len__") and not isinstance(x, (str, bytes)):
        fix = "Wrap a torch Dataset in a DataLoader; let other classes derive from keras.utils.PyDataset."
    elif isinstance(x, (int, float, complex, np.generic)):
        fix = "A single sample has a first axis of one: np.array([[value]])."
    return ArgumentError(_KINDS, describe(x), "x", fix)


def _whole_number(value: Any, name: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ArgumentTypeError("a positive int or None", repr(value), name)
    if value < 1:
        raise ArgumentError("a positive int or None", repr(value), name)
    return int(value)


def _check_shuffle(shuffle: Any) -> bool | str:
    if isinstance(shuffle, str):
        if shuffle != "batch":
            raise UnknownNameError("kind of shuffle", shuffle, ["batch", "True", "False"], "shuffle")
        return shuffle
    return bool(shuffle)
