"""A hornbeam dataset as a torch one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from hornbeam import tree


class TorchDataset(torch.utils.data.IterableDataset):
    """The elements of a dataset with tensors in place of arrays; text stays text.

    For a `DataLoader` give `batch_size=None` if its elements are batches. Workers of a loader share the elements.
    """

    def __init__(self, data: Any) -> None:
        self._data = data

    def __iter__(self) -> Iterator[Any]:
        info = torch.utils.data.get_worker_info()
        data = self._data if info is None else self._data.shard(info.num_workers, info.id)
        for element in data:
            yield tree.map_structure(_tensor, element)

    def __len__(self) -> int:
        return len(self._data)


def _tensor(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biufc":
        return torch.from_numpy(leaf)
    return torch.as_tensor(leaf) if isinstance(leaf, np.generic) and leaf.dtype.kind in "biufc" else leaf


def as_dataset(data: Any) -> TorchDataset:
    """A `hornbeam.data.Dataset` as a torch `IterableDataset`."""
    return TorchDataset(data)
