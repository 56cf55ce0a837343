"""CIFAR-100: 60,000 small photographs of a hundred kinds of things in twenty groups."""

from __future__ import annotations

from hornbeam.datasets.cached import Pair, fetched
from hornbeam.datasets.cifar import in_layout, read_batch
from hornbeam.errors import UnknownNameError

ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
FILE_HASH = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def load_data(label_mode: str = "fine") -> tuple[Pair, Pair]:
    """The CIFAR-100 data set (Krizhevsky, "Learning multiple layers of features from tiny images", 2009).

    The archive lies below `$KERAS_HOME/datasets`, else `~/.keras/datasets`.

    Args:
        label_mode: "fine" for a hundred classes, "coarse" for twenty groups of them.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: 50,000 and 10,000 images of shape `(32, 32, 3)`, or `(3, 32, 32)`
        where `keras.config` says channels first, uint8 from 0 to 255, and the numbers of their classes, int64 of
        shape `(images, 1)`.

    Raises:
        OSError: If the data is not in the cache and cannot be fetched, or is damaged.
        ValueError: If `label_mode` is unknown, or the archive holds more than plain data.
    """
    if label_mode not in ("fine", "coarse"):
        raise UnknownNameError("label mode", label_mode, ("fine", "coarse"), "cifar100.load_data")
    folder = fetched("cifar-100-python-target", ORIGIN, FILE_HASH, extract=True) / "cifar-100-python"
    labels = f"{label_mode}_labels".encode()
    (x_train, y_train), (x_test, y_test) = (read_batch(folder / name, labels) for name in ("train", "test"))
    return (in_layout(x_train), y_train), (in_layout(x_test), y_test)
