"""CIFAR-10: 60,000 small photographs of ten kinds of animals and vehicles."""

from __future__ import annotations

import numpy as np

from hornbeam.datasets.cached import Pair, fetched
from hornbeam.datasets.cifar import in_layout, read_batch

ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
FILE_HASH = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"


def load_data() -> tuple[Pair, Pair]:
    """The CIFAR-10 data set (Krizhevsky, "Learning multiple layers of features from tiny images", 2009).

    The archive lies below `$KERAS_HOME/datasets`, else `~/.keras/datasets`. The classes are airplane, automobile,
    bird, cat, deer, dog, frog, horse, ship and truck.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: 50,000 and 10,000 images of shape `(32, 32, 3)`, or `(3, 32, 32)`
        where `keras.config` says channels first, with values from 0 to 255, and the numbers of their classes, of
        shape `(images, 1)`; all uint8.

    Raises:
        OSError: If the data is not in the cache and cannot be fetched, or is damaged.
        ValueError: If the archive holds more than plain data.
    """
    folder = fetched("cifar-10-batches-py-target", ORIGIN, FILE_HASH, extract=True) / "cifar-10-batches-py"
    parts = [read_batch(folder / f"data_batch_{number}", b"labels") for number in range(1, 6)]
    x_train, y_train = (np.concatenate(one) for one in zip(*parts))
    x_test, y_test = read_batch(folder / "test_batch", b"labels")
    return (in_layout(x_train), y_train.astype("uint8")), (in_layout(x_test), y_test.astype("uint8"))
