"""MNIST: 70,000 handwritten digits."""

from __future__ import annotations

import numpy as np

from hornbeam.datasets.archive import load_arrays

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
# sha256 of each array's bytes, rows first, as uint8
DIGESTS = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}
SHAPES = {"x_train": (60000, 28, 28), "y_train": (60000,), "x_test": (10000, 28, 28), "y_test": (10000,)}


def load_data(path: str = "mnist.npz") -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The MNIST data set (LeCun, Cortes, Burges: http://yann.lecun.com/exdb/mnist/).

    The file is fetched once. Any file whose four arrays are the known ones is taken, however it was packed.

    Args:
        path: The file's name in the cache, below `$KERAS_HOME/datasets`, else `~/.keras/datasets`; or the
            absolute path of a file.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: 60,000 and 10,000 grey images of shape `(28, 28)` with values
        from 0 (ground) to 255, and their digits; all uint8.

    Raises:
        OSError: If the data is not in the cache and cannot be fetched; the text says where to put it.
        ValueError: If the file in the cache holds other data.
    """
    arrays = load_arrays("MNIST", path, ORIGIN, SHAPES, DIGESTS)
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
