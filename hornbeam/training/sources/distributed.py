"""Batches of a distributed dataset of `tf.distribute`, put together from the parts that it made for the replicas."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam import tree


def is_distributed(value: Any) -> bool:
    """Whether `value` came from `experimental_distribute_dataset` or `distribute_datasets_from_function`."""
    made_by = getattr(sys.modules.get("tensorflow"), "distribute", None)
    return made_by is not None and isinstance(value, made_by.DistributedDataset)


def whole_batches(dataset: Any) -> Iterator[Any]:
    """The batches of all replicas together, in the order of the replicas; steps divide them among these again."""
    for batch in dataset:
        yield tree.map_structure(_together, batch)


def batch_count(dataset: Any) -> int | None:
    """How many batches there are: None if that is not known, -1 for endless data."""
    found = int(dataset.cardinality)
    if found == -1:  # tf.data.INFINITE_CARDINALITY
        return -1
    # one that a function made counts the batches of single replicas
    return None if found < 0 or type(dataset).__name__ == "DistributedDatasetsFromFunction" else found


def _together(value: Any) -> Any:
    """The rows of one part of a batch, from all replicas that this process feeds."""
    parts = getattr(value, "values", None)
    if not isinstance(parts, tuple):
        return value
    filled = [np.asarray(one) for one in parts if one.shape[0]] or [np.asarray(parts[0])]
    return np.concatenate(filled)
