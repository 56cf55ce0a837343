"""Data and helpers that the tests of data for training share."""

import threading
import time
import warnings

import numpy as np
import pytest

from hornbeam import tree
from hornbeam.data.py_dataset import PyDataset
from hornbeam.training.data import open_source

X = np.arange(6.0).reshape(3, 2)
Y = np.arange(3)


def describe(data):
    return tree.map_structure(
        lambda leaf: None if leaf is None else f"{leaf.dtype}{list(leaf.shape)}", data
    )


def read(*args, **kwargs):
    source = open_source(*args, **kwargs)
    try:
        return list(source.batches())
    finally:
        source.close()


def first_values(batches):
    return [int(np.ravel(tree.flatten(batch)[0])[0]) for batch in batches]


def no_thread_left():
    until = time.monotonic() + 5
    while any(thread.name == "hornbeam-data" for thread in threading.enumerate()):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


class Counted(PyDataset):
    def __init__(self, item=lambda i: (np.full((2, 1), i),), count=3, **kwargs):
        super().__init__(**kwargs)
        self.item, self.count = item, count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return self.item(index)


def loader():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.arange(3).repeat_interleave(2))
    return torch.utils.data.DataLoader(data, batch_size=2)


def tf_dataset():
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices(np.arange(3).repeat(2)).batch(2)


def epochs(source, count):
    """The first values of the batches, epoch by epoch, as the loop reads them; then how many warnings came."""
    seen = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for epoch in range(count):
            source.begin_epoch(epoch)
            seen.append(first_values(source.batches()))
            source.end_epoch()
    source.close()
    assert all("ran out of data" in str(one.message) and one.category is UserWarning for one in caught)
    return seen, len(caught)
