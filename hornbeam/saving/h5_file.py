"""Reading and writing HDF5 so that a hostile file can do nothing: the only place that touches h5py.

A file is walked link by link. Only hard links are followed, and only data that lies in the file itself is read:
no soft or external links, no external or virtual storage, no plugins. A dataset is read only if its bytes are
really there, so that a small file cannot make us hold a large array. Knows nothing of models.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import ml_dtypes
import numpy as np

from hornbeam.backend import active as backend
from hornbeam.dtypes import standardize_dtype
from hornbeam.errors import ArgumentError, ArgumentTypeError, HornbeamError, UnsafeFileError, describe
from hornbeam.saving.files import FREE_BYTES, MAX_RATIO, DamagedFileError, MissingFileError, check_exists

_FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 6: "scaleoffset"}  # built into HDF5; others would load plugins
_MAGIC = b"\x89HDF\r\n\x1a\n"


# --- reading -----------------------------------------------------------------------------------------------------


class H5Group:
    """A group of an open file, with checks in front of everything it gives.

    Args:
        group: The group of h5py.
        file: The open file it belongs to.
        path: Where it is, for errors.
    """

    def __init__(self, group: Any, file: H5Reader, path: str) -> None:
        self._group, self._file, self.path = group, file, path

    def names(self) -> list[str]:
        """The names of what is in the group."""
        with self._file.errors(self.path):
            return list(self._group.keys())

    def _item(self, name: str) -> Any | None:
        import h5py

        path = f"{self.path}/{name}"
        with self._file.errors(path):
            if name in ("", ".", "..") or "/" in name:
                raise UnsafeFileError("a plain name in an HDF5 group", repr(name), self._file.where)
            link = self._group.get(name, getlink=True)
            if link is None:
                return None
            if not isinstance(link, h5py.HardLink):
                raise UnsafeFileError(
                    "data inside the file", f"{type(link).__name__} at {path!r}, which points elsewhere",
                    self._file.where, "Such a link can read other files of this machine. Do not use this file.",
                )
            return self._group[name]

    def group(self, path: str) -> H5Group | None:
        """The group at a "/"-separated path below this one, or None."""
        import h5py

        here: H5Group = self
        for name in path.split("/") if path else ():
            item = here._item(name)
            if not isinstance(item, h5py.Group):
                return None
            here = H5Group(item, self._file, f"{here.path}/{name}")
        return here

    def has_data(self, name: str) -> bool:
        """Whether there is a dataset with this name."""
        import h5py

        return isinstance(self._item(name), h5py.Dataset)

    def attribute(self, name: str) -> Any:
        """A small attribute: text, a number, or a list of texts; None if there is none."""
        with self._file.errors(f"{self.path} (attribute {name})"):
            if name not in self._group.attrs:
                return None
            space = self._group.attrs.get_id(name).shape
            if len(space) > 1 or int(np.prod(space, dtype=object)) > 10**6:
                raise UnsafeFileError("a small attribute", f"shape={space}", f"{self._file.where}, {self.path}/{name}")
            value = self._group.attrs[name]
        if isinstance(value, np.ndarray):
            return [_text(one) for one in value.tolist()]
        return _text(value)

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The shape a dataset claims to have, without reading it; None if there is none."""
        import h5py

        item: Any = self._item(name)
        return tuple(cast(Any, item).shape or ()) if isinstance(item, h5py.Dataset) else None

    def read(self, name: str) -> np.ndarray:
        """A dataset as an array.

        Raises:
            KeyError: If there is none with this name.
            ValueError: If the file may not be read safely.
        """
        import h5py

        item: Any = self._item(name)
        if not isinstance(item, h5py.Dataset):
            raise KeyError(name)
        item = cast(Any, item)
        path = f"{self.path}/{name}"
        with self._file.errors(path):
            self._file.check_dataset(item, path)
            array = np.asarray(item[()])
            marked = item.attrs.get("dtype") if array.dtype.kind == "V" else None
        if array.dtype.kind != "V":
            return array
        # dtypes that HDF5 does not know are stored as raw bytes; old files do not say which they are
        wanted = standardize_dtype(_text(marked)) if marked is not None else "bfloat16"
        try:
            dtype = _extension_dtype(wanted)
        except (TypeError, AttributeError):
            raise DamagedFileError("a known dtype", repr(wanted), f"{self._file.where}, {path}") from None
        if dtype.itemsize != array.dtype.itemsize:
            raise DamagedFileError(
                f"{dtype.itemsize} bytes per value of {wanted}", str(array.dtype.itemsize),
                f"{self._file.where}, {path}",
            )
        return array.view(dtype)


class H5Reader:
    """An HDF5 file open for reading; a context manager that gives the root group.

    Args:
        source: A path, or an open binary file.
        where: What the file is, for errors.
    """

    def __init__(self, source: Path | BinaryIO, where: str) -> None:
        self.where = where
        self._source = source
        self._budget = 0

    def __enter__(self) -> H5Group:
        import h5py

        if isinstance(self._source, Path):
            check_exists(self._source, self.where, "a file")
            if self._source.is_dir():
                raise DamagedFileError("an HDF5 file", f"the folder {str(self._source)!r}", self.where)
            self._stream: BinaryIO = self._source.open("rb")
        else:
            self._stream = self._source
        try:
            size = self._stream.seek(0, io.SEEK_END)
            self._stream.seek(0)
            if self._stream.read(len(_MAGIC)) != _MAGIC:
                raise DamagedFileError(
                    "an HDF5 file", f"{size} bytes that do not begin like one", self.where,
                    "The file is damaged or of another kind." if size else "The file is empty.",
                )
            self._stream.seek(0)
            self._size = size
            self._budget = max(FREE_BYTES, MAX_RATIO * size)
            self._plain = size
            with self.errors("the header"):
                # through our own stream: HDF5 itself never opens a file
                self._file = h5py.File(self._stream, "r")
        except BaseException:
            self._close_stream()
            raise
        return H5Group(self._file["/"], self, "")

    def __exit__(self, *_: Any) -> None:
        self._file.close()
        self._close_stream()

    def _close_stream(self) -> None:
        if isinstance(self._source, Path):
            self._stream.close()

    @contextmanager
    def errors(self, path: str) -> Iterator[None]:
        """What h5py raises about damage becomes our error, with the place in the file."""
        try:
            yield
        except HornbeamError:
            raise
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, UnicodeDecodeError, OverflowError) as problem:
            raise DamagedFileError(
                "a whole HDF5 file", f"an error at {path or '/'!r}: {_first_line(problem)}", self.where,
                "The file is truncated or damaged: copy or download it again.",
            ) from problem

    def check_dataset(self, item: Any, path: str) -> None:
        """Raises unless a dataset can be read without harm and its bytes are there."""
        import h5py

        where = f"{self.where}, {path}"
        plist = item.id.get_create_plist()
        if item.is_virtual or plist.get_layout() == h5py.h5d.VIRTUAL or plist.get_external_count() or item.external:
            raise UnsafeFileError(
                "data inside the file", "a dataset whose data lies in another file", where,
                "It can read other files of this machine. Do not use this file.",
            )
        if item.dtype.kind not in "biufcV" or item.dtype.hasobject or item.dtype.names or item.dtype.subdtype:
            raise UnsafeFileError("an array of numbers", f"dtype={item.dtype}", where)
        for index in range(plist.get_nfilters()):
            number = plist.get_filter(index)[0]
            if number not in _FILTERS:
                raise UnsafeFileError(f"compression out of {sorted(_FILTERS.values())}", f"filter {number}", where)
        count = 1
        for axis in item.shape or ():
            count *= int(axis)
        wanted, stored = count * item.dtype.itemsize, item.id.get_storage_size()
        if plist.get_nfilters() or plist.get_layout() == h5py.h5d.CHUNKED:
            self._budget -= wanted
            fits = self._budget >= 0 and wanted <= max(FREE_BYTES, MAX_RATIO * stored)
        else:
            # each byte of the file can be in one dataset only, however many claim it
            self._plain -= wanted
            fits = wanted <= stored and self._plain >= 0
        if not fits:
            raise UnsafeFileError(
                "a dataset whose data is in the file",
                f"shape={item.shape}, {wanted} bytes, of which {stored} are stored", where,
                "The file is damaged, or made to exhaust the memory.",
            )


def _first_line(problem: BaseException) -> str:
    lines = str(problem).splitlines()
    return lines[0] if lines else type(problem).__name__


def _text(value: Any) -> Any:
    if isinstance(value, (bytes, np.bytes_)):
        return value.decode("utf-8", "replace")
    return value.item() if isinstance(value, np.generic) else value


class VariableStore(Mapping[str, np.ndarray]):
    """The arrays of one object in a file, by name; what `load_own_variables` gets.

    Args:
        groups: The groups that hold them; none for an object that the file does not have.
    """

    def __init__(self, *groups: H5Group) -> None:
        self._homes = {name: group for group in groups for name in group.names() if group.has_data(name)}

    def __getitem__(self, name: str) -> np.ndarray:
        name = str(name)
        if name not in self._homes:
            raise KeyError(name)
        return self._homes[name].read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)

    def __contains__(self, name: Any) -> bool:
        return str(name) in self._homes

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The shape of an array, without reading it."""
        home = self._homes.get(str(name))
        return None if home is None else home.shape(str(name))


# --- writing -----------------------------------------------------------------------------------------------------


class CollectedStore(MutableMapping[str, np.ndarray]):
    """What `save_own_variables` writes into: arrays by name, kept until the file is written.

    Args:
        where: Whose arrays they are, for errors.
    """

    def __init__(self, where: str) -> None:
        self._arrays: dict[str, np.ndarray] = {}
        self._where = where

    def __setitem__(self, name: str, value: Any) -> None:
        name = str(name)
        if not name or "/" in name or name in (".", ".."):
            raise ArgumentError("a name without '/'", repr(name), f"save_own_variables of {self._where}")
        self._arrays[name] = as_array(value, f"save_own_variables of {self._where}")

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[str(name)]

    def __delitem__(self, name: str) -> None:
        del self._arrays[str(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    @property
    def size(self) -> int:
        """The number of bytes."""
        return sum(one.nbytes for one in self._arrays.values())


def as_array(value: Any, where: str) -> np.ndarray:
    """Anything with numbers as an array that HDF5 can hold."""
    if hasattr(value, "numpy") and hasattr(value, "assign"):
        value = value.numpy()
    array = np.asarray(backend.to_numpy(value) if backend.is_array(value) else value)
    if array.dtype.kind not in "biufcV" or array.dtype.names:
        raise ArgumentTypeError("an array of numbers", describe(value), where)
    return array


def write_array(group: Any, name: str, array: np.ndarray) -> None:
    """Writes an array into a group of h5py; dtypes that HDF5 does not know become raw bytes with a mark."""
    if array.dtype.kind == "V":  # the dtypes of ml_dtypes
        data = group.create_dataset(name, data=np.array(array, order="C").view(f"V{array.dtype.itemsize}"))
        data.attrs["dtype"] = standardize_dtype(array.dtype)
    else:
        group.create_dataset(name, data=array)


def _extension_dtype(name: str) -> np.dtype:
    return np.dtype(getattr(ml_dtypes, name))


@contextmanager
def new_file(path: Path | io.BytesIO) -> Iterator[Any]:
    """A new, empty file of h5py to write into; the same contents give the same bytes."""
    import h5py

    if isinstance(path, Path) and not path.parent.is_dir():
        raise MissingFileError(f"an existing folder {str(path.parent)!r}", "no such folder", "save", "Make it first.")
    with h5py.File(os.fspath(path) if isinstance(path, Path) else path, "w") as file:
        yield file
