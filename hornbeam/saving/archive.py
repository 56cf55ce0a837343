"""`.keras` files: a zip (or a folder) of metadata, config, weights and assets; and the public save and load.

A zip from elsewhere is not trusted: not its names, not the sizes it declares, not how well it compresses. Nothing
of it is unpacked to disk, except assets that an object of ours or of the user asks for by `load_assets`.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from hornbeam._atomic import folder_written_atomically, written_atomically
from hornbeam._wire import keras_version
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnsafeFileError, warn
from hornbeam.saving import layout, weights
from hornbeam.saving.config import (
    ObjectSharingScope,
    deserialize_keras_object,
    from_text,
    loading,
    serialize_keras_object,
    to_text,
)
from hornbeam.saving.files import (
    FREE_BYTES,
    MAX_CONFIG_BYTES,
    MAX_MEMBERS,
    MAX_RATIO,
    DamagedFileError,
    as_path,
    check_exists,
    may_write,
    safe_parts,
)
from hornbeam.saving.h5_file import new_file
from hornbeam.saving.registration import CustomObjectScope

_METADATA, _CONFIG, _WEIGHTS, _ASSETS = "metadata.json", "config.json", "model.weights.h5", "assets"
_KEPT_IN_MEMORY = 512 * 2**20
_EPOCH = (1980, 1, 1, 0, 0, 0)  # so that equal models give equal archives, but for the date in the metadata

# Savers and loaders of other formats, by ending; their modules put themselves here.
savers: dict[str, Callable[..., None]] = {}
loaders: dict[str, Callable[..., Any]] = {}


# --- saving ------------------------------------------------------------------------------------------------------


def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Writes a model, with its weights and the state of its training, to a file that Keras 3 can read as well.

    The file is whole or not there: a failed save leaves an older file at the path as it was.

    Args:
        model: The model, or a layer.
        filepath: A path that ends in ".keras", or in ".h5" or ".hdf5" for the older format.
        overwrite: Whether an existing file is replaced without asking.
        zipped: False writes a folder instead of one file. None means True.
        **kwargs: `include_optimizer=False` leaves the state of training out. `save_format` may repeat the ending.

    Raises:
        ValueError: For another ending or unknown arguments.
    """
    path = as_path(filepath, "save_model")
    include_optimizer = bool(kwargs.pop("include_optimizer", True))
    named = kwargs.pop("save_format", None)
    if kwargs:
        raise ArgumentError("known arguments", str(sorted(kwargs)), "save_model")
    kind = path.suffix.lower()
    if named is not None and f".{named}" != kind and not (named == "h5" and kind == ".hdf5"):
        raise ArgumentError(
            f"a path that ends in '.{named}', as save_format={named!r} says", repr(str(filepath)), "save_model"
        )
    if kind in savers and zipped is None:
        if may_write(path, overwrite, "save_model"):
            savers[kind](model, path, include_optimizer)
        return
    if kind != ".keras" and zipped is not False:
        raise ArgumentError(
            "a path that ends in '.keras' (or '.h5', the older format)", repr(str(filepath)), "save_model",
            "Add the ending. To serve the model elsewhere, use model.export().",
        )
    if not (hasattr(model, "get_config") and hasattr(model, "save_own_variables")):
        raise ArgumentTypeError("a model or a layer", repr(model), "save_model")
    if not may_write(path, overwrite, "save_model"):
        return
    if getattr(model, "built", True) is False:
        warn(
            f"save_model: {getattr(model, 'name', 'the model')!r} is not built, so it has no weights to save yet. "
            "Call it on some data first.",
        )
    with ObjectSharingScope():
        config = serialize_keras_object(model)
    skip: tuple[Any, ...] = ()
    if not include_optimizer:
        config.pop("compile_config", None)
        skip = tuple(one for one in (getattr(model, "optimizer", None),) if one is not None)
    texts = {_METADATA: to_text(_metadata()), _CONFIG: to_text(config)}
    if zipped is False:
        with folder_written_atomically(path) as folder:
            for name, text in texts.items():
                (folder / name).write_text(text, encoding="utf-8")
            with new_file(folder / _WEIGHTS) as file:
                weights.write_parts(model, file, skip)
            (folder / _ASSETS).mkdir()
            _save_assets(model, folder / _ASSETS)
        return
    with written_atomically(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), text)
        with tempfile.TemporaryDirectory(prefix="hornbeam-save-", dir=path.parent) as name:
            folder = Path(name)
            with new_file(folder / _WEIGHTS) as file:
                weights.write_parts(model, file, skip)
            _add(archive, folder / _WEIGHTS, _WEIGHTS)
            _save_assets(model, folder / _ASSETS)
            for one in sorted((folder / _ASSETS).rglob("*")):
                if one.is_file():
                    _add(archive, one, one.relative_to(folder).as_posix())


def _metadata() -> dict[str, str]:
    now = datetime.datetime.now(tz=datetime.UTC).astimezone()
    return {
        "keras_version": keras_version,
        "date_saved": now.strftime("%Y-%m-%d@%H:%M:%S"),
        "hornbeam_version": getattr(sys.modules["hornbeam"], "__version__", ""),
    }


def _add(archive: zipfile.ZipFile, source: Path, name: str) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.file_size = source.stat().st_size  # lets zipfile choose its long form for large files
    with source.open("rb") as stream, archive.open(info, "w", force_zip64=info.file_size >= 2**31) as target:
        shutil.copyfileobj(stream, target, 2**20)


def _save_assets(root: Any, folder: Path) -> None:
    for part in layout.parts(root):
        save = getattr(part.obj, "save_assets", None)
        if save is None:
            continue
        # names of attributes and classes make the path; neither can lead out of the folder
        below = folder.joinpath(*safe_parts(part.path, "save_assets")) if part.path else folder
        below.mkdir(parents=True, exist_ok=True)
        save(str(below))
        while below != folder.parent and below.is_dir() and not any(below.iterdir()):
            below.rmdir()
            below = below.parent


# --- loading -----------------------------------------------------------------------------------------------------


def load_model(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool | None = True
) -> Any:
    """Reads a model that `save_model` or Keras 3 wrote.

    What a file may name is an allowlist: the classes and functions of Keras, and those that you registered or pass
    here. No code from the file runs, unless `safe_mode` is False.

    Args:
        filepath: A ".keras" file or folder, or an ".h5" or ".hdf5" file.
        custom_objects: Classes and functions of your own, by the names the file has for them.
        compile: Whether the model is compiled as it was when saved.
        safe_mode: Only an explicit False lets lambdas from the file become functions.

    Returns:
        The model, with its weights and the state of its optimizer.

    Raises:
        ValueError: If the file asks for something unsafe, or its weights do not fit.
        TypeError: If it names classes that are not known.
        OSError: If it is missing, truncated or damaged.
    """
    path = as_path(filepath, "load_model")
    kind = path.suffix.lower()
    if kind in loaders and not path.is_dir():
        check_exists(path, "load_model", "a model file")
        return loaders[kind](path, custom_objects, compile, safe_mode)
    if kind != ".keras" and not (path / _CONFIG).is_file():
        raise ArgumentError(
            "a path that ends in '.keras', '.h5' or '.hdf5'", repr(str(filepath)), "load_model",
            "A TensorFlow SavedModel folder is read with layers.TFSMLayer; weights alone with model.load_weights().",
        )
    check_exists(path, "load_model", "a model file")
    where = f"model file {path.name!r}"
    with opened(path, where) as box, CustomObjectScope(custom_objects), loading(safe_mode, compile):
        config = from_text(box.text(_CONFIG), f"{where}, {_CONFIG}")
        if not isinstance(config, dict) or "class_name" not in config:
            raise DamagedFileError("the config of a model", repr(config)[:80], where)
        model = deserialize_keras_object(config)
        if not hasattr(model, "load_own_variables"):
            raise UnsafeFileError("a model or a layer", f"the config of {config['class_name']!r}", where)
        if box.has(_WEIGHTS):
            with box.stream(_WEIGHTS) as stream, weights.opened(stream, f"{where}, {_WEIGHTS}") as roots:
                optimizer = None if compile else _dropped_optimizer(model)
                weights.read_parts(model, roots, f"loading {where}", objects_to_skip=optimizer)
        elif any(True for part in layout.parts(model) if getattr(part.obj, "variables", None)):
            raise DamagedFileError(f"a member {_WEIGHTS!r}", "none", where)
        _load_assets(model, box)
    return model


def _dropped_optimizer(model: Any) -> list[Any]:
    one = getattr(model, "optimizer", None)
    return [] if one is None else [one]


def _load_weights(model: Any, path: Path, skip_mismatch: bool = False, **kwargs: Any) -> None:
    skip = kwargs.pop("objects_to_skip", None)
    if kwargs:
        raise ArgumentError("known arguments", str(sorted(kwargs)), "load_weights")
    where = f"model file {path.name!r}"
    with opened(path, where) as box:
        if not box.has(_WEIGHTS):
            raise DamagedFileError(f"a member {_WEIGHTS!r}", "none", where)
        with box.stream(_WEIGHTS) as stream, weights.opened(stream, f"{where}, {_WEIGHTS}") as roots:
            weights.read_parts(model, roots, f"load_weights from {path.name!r}", skip_mismatch, skip)


weights.readers[".keras"] = _load_weights


def _load_assets(root: Any, box: Box) -> None:
    names = [name for name in box.names() if name.startswith(_ASSETS + "/")]
    if not names:
        return
    for part in layout.parts(root):
        load = getattr(part.obj, "load_assets", None)
        start = f"{_ASSETS}/{part.path}/" if part.path else f"{_ASSETS}/"
        mine = [name for name in names if name.startswith(start)]
        if load is None or not mine:
            continue
        with tempfile.TemporaryDirectory(prefix="hornbeam-assets-") as name:
            folder = Path(name)
            for one in mine:
                target = folder.joinpath(*safe_parts(one.removeprefix(start), box.where))
                target.parent.mkdir(parents=True, exist_ok=True)
                with box.stream(one) as source, target.open("xb") as copy:
                    shutil.copyfileobj(source, copy, 2**20)
            load(str(folder))


class Box:
    """The members of a saved model, by name. Subclasses: a zip, a folder."""

    where: str

    def names(self) -> list[str]:
        """The names of all members that are files."""
        raise NotImplementedError

    def stream(self, name: str) -> contextlib.AbstractContextManager[BinaryIO]:
        """A member as a binary file that can be read from any position."""
        raise NotImplementedError

    def has(self, name: str) -> bool:
        """Whether there is such a member."""
        return name in self.names()

    def text(self, name: str) -> bytes:
        """A small member as a whole."""
        if not self.has(name):
            raise DamagedFileError(
                f"a member {name!r}", f"{self.names()[:10]}", self.where, "The file is not a saved model, or damaged."
            )
        with self.stream(name) as source:
            return source.read(MAX_CONFIG_BYTES + 1)


class _Folder(Box):
    def __init__(self, path: Path, where: str) -> None:
        self._path, self.where = path, where

    def names(self) -> list[str]:
        return [one.relative_to(self._path).as_posix() for one in self._path.rglob("*") if self._is_inside(one)]

    def _is_inside(self, path: Path) -> bool:
        return path.is_file() and path.resolve().is_relative_to(self._path.resolve())

    @contextlib.contextmanager
    def stream(self, name: str) -> Iterator[BinaryIO]:
        with self._path.joinpath(*safe_parts(name, self.where)).open("rb") as source:
            yield source


class _Zip(Box):
    """A zip, checked before anything is read of it."""

    def __init__(self, archive: zipfile.ZipFile, size: int, where: str) -> None:
        self._archive, self.where = archive, where
        self._infos: dict[str, zipfile.ZipInfo] = {}
        listed = archive.infolist()
        if len(listed) > MAX_MEMBERS:
            raise UnsafeFileError(f"at most {MAX_MEMBERS} members", str(len(listed)), where)
        packed = unpacked = 0
        for info in listed:
            if info.is_dir():
                safe_parts(info.filename.rstrip("/"), where)
                continue
            name = "/".join(safe_parts(info.filename, where))
            if name in self._infos:
                raise UnsafeFileError("each member once", f"{name!r} twice", where, "Do not use this file.")
            if info.flag_bits & 1:
                raise UnsafeFileError("members without a password", repr(name), where)
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise UnsafeFileError("members that are stored or deflated", f"method {info.compress_type}", where)
            if info.external_attr >> 28 == 0xA:
                raise UnsafeFileError("plain files in the archive", f"the symbolic link {name!r}", where)
            packed += info.compress_size
            unpacked += info.file_size
            self._infos[name] = info
        # bytes of the file that several members claim, or data that grows without bound, are bombs
        if packed > size or unpacked > max(FREE_BYTES, MAX_RATIO * size):
            raise UnsafeFileError(
                "members that fit the size of the file", f"{unpacked} bytes unpacked out of a file of {size}", where,
                "The file is made to exhaust the memory. Do not use it.",
            )

    def names(self) -> list[str]:
        return list(self._infos)

    @contextlib.contextmanager
    def stream(self, name: str) -> Iterator[BinaryIO]:
        info = self._infos[name]
        with tempfile.SpooledTemporaryFile(max_size=_KEPT_IN_MEMORY) as copy:
            try:
                with self._archive.open(info) as source:
                    shutil.copyfileobj(source, copy, 2**20)  # zipfile gives no more than was declared
            except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as problem:
                raise _damaged(self.where, f"member {name!r}: {problem}") from problem
            copy.seek(0)
            yield copy  # type: ignore[misc]


@contextlib.contextmanager
def opened(path: Path, where: str) -> Iterator[Box]:
    """The members of a saved model at a path, checked."""
    if path.is_dir():
        yield _Folder(path, where)
        return
    with path.open("rb") as stream, contextlib.ExitStack() as stack:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        start = stream.read(4)
        stream.seek(0)
        if start != b"PK\x03\x04":
            advice = {
                b"\x89HDF": "It is an HDF5 file: give it the ending '.h5'.",
                b"vers": "It is a pointer of Git LFS: fetch the real file with `git lfs pull`.",
            }.get(start, "The file is damaged, or of another kind.")
            raise DamagedFileError("a '.keras' file, which is a zip", f"{size} bytes of something else", where, advice)
        try:
            box = _Zip(stack.enter_context(zipfile.ZipFile(stream)), size, where)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as problem:
            if isinstance(problem, UnsafeFileError):
                raise
            raise _damaged(where, str(problem)) from problem
        yield box


def _damaged(where: str, problem: str) -> DamagedFileError:
    return DamagedFileError("a whole zip file", problem, where, "The file is truncated or damaged: get it again.")
