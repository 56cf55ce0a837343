"""Fashion-MNIST: 70,000 pictures of clothes in the form of MNIST."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from hornbeam.datasets.cached import STORE, Pair, fetched
from hornbeam.errors import FileFormatError

# The md5 of each file, as its makers state them: https://github.com/zalandoresearch/fashion-mnist
FILE_HASHES = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}


def load_data() -> tuple[Pair, Pair]:
    """The Fashion-MNIST data set (Xiao, Rasul, Vollgraf: https://arxiv.org/abs/1708.07747).

    The files lie below `$KERAS_HOME/datasets/fashion-mnist`, else `~/.keras/datasets/fashion-mnist`. The ten classes
    are T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag and ankle boot.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: 60,000 and 10,000 grey images of shape `(28, 28)` with values from 0
        to 255, and the numbers of their classes; all uint8.

    Raises:
        OSError: If the data is not in the cache and cannot be fetched, or is damaged.
    """
    found = {
        name: _read(fetched(name, STORE + name, file_hash, cache_subdir="datasets/fashion-mnist"))
        for name, file_hash in FILE_HASHES.items()
    }
    x_train, y_train, x_test, y_test = found.values()
    return (x_train, y_train), (x_test, y_test)


def _read(place: Path) -> np.ndarray:
    """An array in the format idx: two zeros, a byte for the kind of number, one for the rank, sizes, values."""
    try:
        content = gzip.decompress(place.read_bytes())
    except (OSError, EOFError, zlib.error) as problem:
        raise FileFormatError(
            "a whole gzip file", str(problem), str(place), "Delete it; it is fetched again."
        ) from None
    rank = content[3] if len(content) > 3 and content[:3] == b"\0\0\x08" else 0
    start = 4 + 4 * rank
    shape = np.frombuffer(content[4:start], ">i4").tolist() if len(content) >= start else []
    if not rank or len(shape) != rank or len(content) - start != int(np.prod(shape, dtype=object)):
        raise FileFormatError("an array of bytes in the format idx", "another content", str(place))
    return np.frombuffer(bytearray(content[start:]), np.uint8).reshape(shape)
