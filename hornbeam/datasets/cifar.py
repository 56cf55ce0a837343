"""What the CIFAR data sets share: images in pickles of Python 2, which are read without unpickling."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hornbeam._config import image_data_format
from hornbeam.datasets.pickled import read_pickled
from hornbeam.errors import FileFormatError

_FIX = "Delete the folder; the archive is fetched and unpacked again."


def read_batch(place: Path, labels: bytes) -> tuple[np.ndarray, np.ndarray]:
    """uint8 images `[count, 3, 32, 32]` and int64 labels `[count, 1]` of a file."""
    try:
        content = place.read_bytes()
    except OSError as problem:
        raise FileFormatError("a file of CIFAR", str(problem), str(place), _FIX) from problem
    found = read_pickled(content, str(place))
    keys = {key if isinstance(key, bytes) else str(key).encode(): value for key, value in found.items()} if isinstance(
        found, dict) else {}  # fmt: skip
    images, numbers = keys.get(b"data"), keys.get(labels)
    good = isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.ndim == 2 and images.shape[1] == 3072
    good = good and isinstance(numbers, list) and len(numbers) == len(images)
    if not good or not all(type(one) is int and 0 <= one < 256 for one in numbers):
        raise FileFormatError(f"images and {labels.decode()}", "other values", str(place), _FIX)
    return images.reshape(-1, 3, 32, 32), np.array(numbers, np.int64).reshape(-1, 1)


def in_layout(images: np.ndarray) -> np.ndarray:
    """The images in the layout of `keras.config`."""
    return images.transpose(0, 2, 3, 1) if image_data_format() == "channels_last" else images
