"""Arrays of a data set from an `.npz` file in the cache: fetched if need be, checked by content, never unpickled."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hornbeam import _config
from hornbeam.errors import FileFormatError, UnsafeFileError
from hornbeam.utils.files import DownloadError, download


def load_arrays(
    title: str,
    path: str,
    origin: str,
    shapes: Mapping[str, tuple[int, ...]],
    digests: Mapping[str, str],
    dtype: str = "uint8",
) -> dict[str, np.ndarray]:
    """The arrays of a data set, once their content is known to be the right one.

    Args:
        title: The data set's name, for messages.
        path: A file's name in the cache, or an absolute path.
        origin: Where the file comes from.
        shapes: The arrays' names and shapes.
        digests: The sha256 of each array's bytes, row-major.
        dtype: The dtype of all arrays.

    Returns:
        The arrays by name.

    Raises:
        OSError: If there is no file and none can be fetched.
        ValueError: If the file holds anything else.
    """
    place = _config.home().expanduser() / "datasets" / path  # an absolute path stands for itself
    if not place.exists():
        place = _fetch(title, place, origin)
    arrays = _read(title, place, shapes, dtype)
    for name, array in arrays.items():
        if hashlib.sha256(np.ascontiguousarray(array).data).hexdigest() != digests[name]:
            raise UnsafeFileError(
                f"the array {name!r} of {title}", "other values", str(place), "Delete the file; it is fetched again."
            )
    return arrays


def _fetch(title: str, place: Path, origin: str) -> Path:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError:  # a home folder that cannot be written
        place = Path(tempfile.gettempdir()) / f"hornbeam-{place.name}"
    try:
        download(origin, place)
    except DownloadError as problem:
        raise DownloadError(
            f"{title} in the cache, or a network to fetch it",
            f"no file {place}, and {problem.got}",
            f"{title}: {origin}",
            f"Get the file on a machine with a network and put it at {place}",
        ) from problem
    return place


def _read(title: str, place: Path, shapes: Mapping[str, tuple[int, ...]], dtype: str) -> dict[str, np.ndarray]:
    advice = "Delete the file; it is fetched again."
    wanted = ", ".join(shapes)
    try:
        with zipfile.ZipFile(place) as archive:
            arrays = {}
            for name, shape in shapes.items():
                with archive.open(f"{name}.npy") as file:
                    # The header is read first: a file may declare a size that no memory has.
                    arrays[name] = _read_array(file, shape, dtype)
            return arrays
    except KeyError as problem:
        raise FileFormatError(f"an .npz file with {wanted}", str(problem), f"{title}: {place}", advice) from problem
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, RuntimeError) as problem:
        raise FileFormatError(
            f"a whole .npz file with {wanted}", f"{type(problem).__name__}: {problem}", f"{title}: {place}", advice
        ) from problem


def _read_array(file, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    found, column_major, kind = read_header(file)
    if found != shape or kind != np.dtype(dtype):
        raise ValueError(f"an array of shape={found}, dtype={kind} where shape={shape}, dtype={dtype} belongs")
    count = int(np.prod(shape)) * kind.itemsize
    content = file.read(count)
    if len(content) != count:
        raise ValueError(f"{len(content)} bytes where {count} belong")
    return np.frombuffer(bytearray(content), kind).reshape(shape, order="F" if column_major else "C")
