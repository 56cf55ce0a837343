"""Gives a `Dataset` the two methods by which loaders tell and take their place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hornbeam.data.dataset import Dataset, DatasetIterator


class DatasetPlace:
    """The place in a `Dataset` of the one pass that training reads.

    Args:
        dataset: What `iter` is called on for each pass.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._iterator: DatasetIterator | None = None

    def open_pass(self) -> Iterator[Any]:
        """The next pass, or the rest of the one that `load_state_dict` told of."""
        self._iterator = iter(self._dataset)
        return self._iterator

    def state_dict(self) -> dict[str, Any]:
        """The place of the present pass."""
        return self._dataset.state() if self._iterator is None else self._iterator.state()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The next pass starts at this place."""
        self._iterator = None
        self._dataset.restore(state)
