"""Files of data sets in Keras's cache, fetched if need be and checked by their hash, and arrays out of `.npz` files."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import _config
from hornbeam.datasets.pickled import read_pickled
from hornbeam.errors import ArgumentError, ArgumentTypeError, FileFormatError
from hornbeam.utils.files import get_file, validate_file

STORE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_FIX = "Delete the file; it is fetched again."
_MOST_BYTES = 1 << 32  # of an array; the largest here has 180 MB


def fetched(path: str | os.PathLike, origin: str, file_hash: str, **options: Any) -> Path:
    """The place of a file, in the cache or at an absolute path, once its content is the right one.

    Args:
        path: Its name in the cache; or an absolute path, which is never written to.
        origin: Where it comes from.
        file_hash: Its md5 or sha256.
        options: What else `get_file` takes.

    Raises:
        OSError: If there is no such file and none can be fetched.
        ValueError: If a file at an absolute path has other content.
    """
    if not Path(path).is_absolute():
        return Path(get_file(path, origin, file_hash=file_hash, cache_dir=_config.home(), **options))
    place = Path(path)
    if not place.is_file():
        raise FileFormatError("a file", "no such file", str(place), f"Get it from {origin}")
    if not validate_file(place, file_hash):
        raise ArgumentError(f"the content of {origin}", "another content", str(place), "Get the file anew.")
    return place


def arrays_of(place: Path, names: Sequence[str]) -> list[np.ndarray]:
    """Arrays of an `.npz` file by name; those of objects are read without unpickling.

    Raises:
        OSError: If the file is damaged or lacks one.
        ValueError: If it holds what is not plain data.
    """
    try:
        with zipfile.ZipFile(place) as archive:
            return [_read(archive, name, place) for name in names]
    except KeyError as problem:
        raise FileFormatError(f"an .npz file with {', '.join(names)}", str(problem), str(place), _FIX) from problem
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as problem:
        raise FileFormatError(
            "a whole .npz file", f"{type(problem).__name__}: {problem}", str(place), _FIX
        ) from problem


def _read(archive: zipfile.ZipFile, name: str, place: Path) -> np.ndarray:
    where = f"{place}: {name}"
    member = archive.getinfo(f"{name}.npy")
    if member.file_size > _MOST_BYTES:
        raise FileFormatError(f"an array of at most {_MOST_BYTES} bytes", f"{member.file_size}", where, _FIX)
    with archive.open(member) as file:
        try:
            version = np.lib.format.read_magic(file)
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, column_major, dtype = header(file)
        except ValueError as problem:
            raise FileFormatError("an array", str(problem), where, _FIX) from problem
        content = file.read()
    if dtype.hasobject:
        array = read_pickled(content, where)
        if not isinstance(array, np.ndarray) or array.shape != shape:
            raise FileFormatError(f"an array of shape {shape}", "another value", where, _FIX)
        return array
    count = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if len(content) != count:
        raise FileFormatError(f"{count} bytes of values", f"{len(content)}", where, _FIX)
    return np.frombuffer(bytearray(content), dtype).reshape(shape, order="F" if column_major else "C")


def word_index(path: str, origin: str, file_hash: str) -> dict[str, int]:
    """A dict from words to numbers out of a json file in the cache."""
    place = fetched(path, origin, file_hash)
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise FileFormatError("a json file", str(problem), str(place), _FIX) from problem
    if not isinstance(found, dict) or not all(isinstance(one, int) for one in found.values()):
        raise FileFormatError("a dict of numbers", "another value", str(place), _FIX)
    return found


def check_split(test_split: Any, where: str) -> float:
    """`test_split`, if it is a share that leaves something for training."""
    if isinstance(test_split, bool) or not isinstance(test_split, (int, float)):
        raise ArgumentTypeError("a test_split from 0 to below 1", repr(test_split), where)
    if not 0 <= test_split < 1:
        raise ArgumentError("a test_split from 0 to below 1", repr(test_split), where)
    return float(test_split)


Pair = tuple[np.ndarray, np.ndarray]


def shuffled_split(x: np.ndarray, y: np.ndarray, test_split: float, seed: int) -> tuple[Pair, Pair]:
    """Rows in the order that Keras draws for a seed, and cut."""
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y = x[order], y[order]
    cut = int(len(x) * (1 - test_split))
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])
