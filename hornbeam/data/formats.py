"""The datasets of other packages, made from ours: grain, tf.data and torch."""

from __future__ import annotations

import importlib
from typing import Any

from hornbeam.data.dataset import Dataset
from hornbeam.data.elements import SKIPPED
from hornbeam.errors import MissingDependencyError, UnknownNameError, UnsupportedError

FORMATS = ("hornbeam", "grain", "tf", "torch")


def check_format(format: str, where: str) -> str:
    """`format`, if it is known."""
    if format not in FORMATS:
        raise UnknownNameError("dataset format", format, FORMATS, where)
    return format


def in_format(
    single: Dataset, seed: int | None, batch_size: int | None, format: str, workers: int, about: dict[str, Any]
) -> Any:
    """A dataset of single elements, shuffled and batched, as a dataset of one of `FORMATS`.

    Args:
        single: The elements.
        seed: Of the shuffle; None for no shuffle.
        batch_size: Elements in a batch; None for single ones.
        format: One of `FORMATS`.
        workers: How many threads grain should use.
        about: Attributes for the result, such as `class_names`.
    """
    if format == "grain":
        made = _grain(single, seed, batch_size, workers)
    else:
        data = single if seed is None else single.shuffle(seed)
        made = data if batch_size is None else data.batch(batch_size)
        if format != "hornbeam":
            made = _framework(made, "tensorflow" if format == "tf" else format)
    if made is not single and not isinstance(made, Dataset):
        for name, value in about.items():
            setattr(made, name, value)
    return made


def _framework(data: Dataset, name: str) -> Any:
    try:
        module = importlib.import_module(f"hornbeam.backend.{name}.datasets")
    except ModuleNotFoundError as problem:
        if problem.name and problem.name.startswith("hornbeam"):
            raise UnsupportedError(f"hornbeam's {name} backend", "a hornbeam without it", f"format={name!r}") from None
        raise MissingDependencyError(name, f"a dataset of {name}", name) from None
    if name == "torch":
        return module.as_dataset(data)
    # Where files may be left out, how many elements there are shows at the end only.
    exact = isinstance(data.size, int) and all(getattr(one, "exact", True) for one in data._node.chain())
    return module.as_dataset(data, int(data.size) if exact else None)  # type: ignore[arg-type]


class GrainRows:
    """A dataset with numbers as what grain calls a random access data source; a skipped element is None."""

    def __init__(self, data: Dataset) -> None:
        self._node = data._node

    def __len__(self) -> int:
        return int(self._node.size)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> Any:
        element = self._node.get((0,), int(index))  # type: ignore[attr-defined]
        return None if element is SKIPPED else element

    def __repr__(self) -> str:  # grain writes it into its states
        return f"GrainRows({self._node.title})"


def _grain(single: Dataset, seed: int | None, batch_size: int | None, workers: int) -> Any:
    try:
        import grain
    except ImportError:
        raise MissingDependencyError("grain", "format='grain'", "data") from None
    data = grain.MapDataset.source(GrainRows(single))
    if seed is not None:
        data = data.shuffle(seed=seed % 2**32)
    options = grain.ReadOptions(num_threads=workers, prefetch_buffer_size=max(2, 2 * workers) if workers else 0)
    stream = data.to_iter_dataset(options)  # leaves out what is None
    return stream if batch_size is None else stream.batch(batch_size)
