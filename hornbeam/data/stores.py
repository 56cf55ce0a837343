"""Where `Dataset.cache` keeps elements: in memory, or in plain files that need no unpickling."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from hornbeam.data.elements import SKIPPED
from hornbeam.errors import ArgumentTypeError, FileFormatError, describe
from hornbeam.training.sources.convert import to_numpy

MISSING = object()


class Store:
    """Elements by number."""

    in_memory = True

    def __init__(self) -> None:
        self._elements: dict[int, Any] = {}
        self._count: int | None = None

    def get(self, index: int) -> Any:
        """The element, or MISSING."""
        return self._elements.get(index, MISSING)

    def has(self, index: int) -> bool:
        """Whether the element is there."""
        return index in self._elements

    def put(self, index: int, element: Any) -> None:
        """Keeps an element."""
        self._elements[index] = element

    @property
    def count(self) -> int | None:
        """How many elements there are in all, once that is known."""
        return self._count

    @count.setter
    def count(self, count: int) -> None:
        self._count = count


class FolderStore(Store):
    """Elements as files of a folder: one `.npz` each, with the nesting beside the arrays, as json.

    Args:
        folder: Made if need be. What is in it already is used.
    """

    in_memory = False

    def __init__(self, folder: str | os.PathLike) -> None:
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    def _place(self, index: int) -> Path:
        return self._folder / f"{index:08d}.npz"

    def get(self, index: int) -> Any:
        place = self._place(index)
        try:
            with np.load(place, allow_pickle=False) as file:
                return _unpack(json.loads(str(file["nesting"])), file)
        except FileNotFoundError:
            return MISSING
        except (OSError, ValueError, KeyError, EOFError) as problem:
            raise FileFormatError(
                "an element that Dataset.cache wrote", f"{type(problem).__name__}: {problem}", str(place),
                "Delete the folder; it is filled again.",
            ) from problem  # fmt: skip

    def has(self, index: int) -> bool:
        return self._place(index).exists()

    def put(self, index: int, element: Any) -> None:
        arrays: dict[str, np.ndarray] = {}
        nesting = _pack(element, arrays)
        place = self._place(index)
        fresh = place.with_suffix(f".{os.getpid()}.part")
        with fresh.open("wb") as file:
            np.savez(file, nesting=np.asarray(json.dumps(nesting)), **arrays)
        fresh.replace(place)

    @property
    def count(self) -> int | None:
        try:
            return int((self._folder / "count").read_text())
        except FileNotFoundError:
            return None

    @count.setter
    def count(self, count: int) -> None:
        (self._folder / "count").write_text(str(count))


def _pack(element: Any, arrays: dict[str, np.ndarray]) -> Any:
    if element is SKIPPED:
        return {"skipped": True}
    if element is None or isinstance(element, (bool, int, float, str)):
        return {"value": element}
    if isinstance(element, dict):
        if not all(isinstance(key, str) for key in element):
            raise ArgumentTypeError("strings as keys", str(list(element))[:100], "Dataset.cache on disk")
        return {"dict": {key: _pack(part, arrays) for key, part in element.items()}}
    if isinstance(element, (list, tuple)) and not hasattr(element, "_fields"):
        return {type(element).__name__: [_pack(part, arrays) for part in element]}
    array = to_numpy(element, "Dataset.cache")
    name = f"a{len(arrays)}"
    if array.dtype.kind in "OT":
        texts = array.ravel().tolist()
        if not all(isinstance(one, str) for one in texts):
            raise ArgumentTypeError("arrays of numbers or text", describe(element), "Dataset.cache on disk")
        return {"texts": texts, "shape": list(array.shape)}
    if array.dtype.kind == "V":  # bfloat16 and its kin, which .npy knows no name for
        arrays[name] = array.view(np.uint8 if array.dtype.itemsize == 1 else np.uint16)
        return {"array": name, "as": array.dtype.name}
    arrays[name] = array
    return {"array": name, "scalar": isinstance(element, np.generic)}


def _unpack(nesting: dict[str, Any], arrays: Any) -> Any:
    match nesting:
        case {"skipped": True}:
            return SKIPPED
        case {"value": value}:
            return value
        case {"dict": parts}:
            return {key: _unpack(part, arrays) for key, part in parts.items()}
        case {"list": parts}:
            return [_unpack(part, arrays) for part in parts]
        case {"tuple": parts}:
            return tuple(_unpack(part, arrays) for part in parts)
        case {"texts": texts, "shape": shape}:
            array = np.empty(len(texts), dtype=object)
            array[:] = texts
            return array.reshape(shape)
        case {"array": name, "as": dtype}:
            return arrays[name].view(np.dtype(getattr(ml_dtypes, dtype)))
        case {"array": name}:
            return arrays[name][()] if nesting.get("scalar") else arrays[name]
    raise ValueError(f"the nesting {str(nesting)[:80]}")
