"""`.weights.h5` files, whole or in shards: writing and reading the arrays of an object and all its parts.

Which part lies where is settled in `layout`. Reading is all or nothing: everything is read and checked first, and
only then do variables get their new values.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from hornbeam._atomic import written_atomically
from hornbeam.errors import ArgumentError, ArgumentTypeError, HornbeamError, UnsafeFileError, ValueStateError, warn
from hornbeam.saving import layout
from hornbeam.saving.config import from_text, to_text
from hornbeam.saving.files import (
    DamagedFileError,
    as_path,
    check_exists,
    may_write,
    safe_parts,
)
from hornbeam.saving.h5_file import CollectedStore, H5Group, H5Reader, VariableStore, new_file, write_array
from hornbeam.scope import Trace

_GIB = 2**30

# Other kinds of file from which weights can be read, by ending; their modules put themselves here.
readers: dict[str, Callable[..., None]] = {}


# --- public ------------------------------------------------------------------------------------------------------


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None, **kwargs: Any
) -> None:
    """Writes the weights of a model, its optimizer's state included, so that Keras 3 can read them.

    The file is whole or not there: a failed save leaves an older file at the path as it was.

    Args:
        model: A built model or layer.
        filepath: Where to; ends in ".weights.h5", or ".weights.json" with `max_shard_size`.
        overwrite: Whether an existing file is replaced without asking.
        max_shard_size: If given, the weights are spread over files of at most this many GiB, beside an index.
        **kwargs: None are known.

    Raises:
        ValueError: For another ending, or a model that is not built.
    """
    if kwargs:
        raise ArgumentError("known arguments", str(sorted(kwargs)), "save_weights")
    path = as_path(filepath, "save_weights")
    if max_shard_size is not None:
        if not isinstance(max_shard_size, (int, float)) or max_shard_size <= 0:
            raise ArgumentError("a max_shard_size above 0, in GiB", repr(max_shard_size), "save_weights")
        if path.name.endswith(".weights.h5"):
            path = path.with_name(path.name.removesuffix("h5") + "json")
    ending = ".weights.json" if max_shard_size is not None else ".weights.h5"
    if not path.name.endswith(ending):
        raise ArgumentError(f"a path that ends in {ending!r}", repr(str(filepath)), "save_weights")
    check_built(model, "save_weights", "saving its weights")
    if not may_write(path, overwrite, "save_weights"):
        return
    if max_shard_size is not None:
        _save_shards(model, path, int(max_shard_size * _GIB))
        return
    with written_atomically(path) as temporary, new_file(temporary) as file:
        write_parts(model, file)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Reads the weights of a model from a file written by `save_weights`, by `save_model` or by Keras.

    Args:
        model: A built model or layer.
        filepath: A ".weights.h5", ".weights.json", ".keras" or (legacy) ".h5" file.
        skip_mismatch: Whether objects that do not fit are left as they are, with a warning.
        **kwargs: `objects_to_skip`, a list of layers to leave as they are.

    Raises:
        ValueError: If something does not fit; then no variable has changed.
        OSError: If the file is missing, truncated or damaged.
    """
    path = as_path(filepath, "load_weights")
    other = readers.get(path.suffix) if not path.name.endswith(".weights.h5") else None
    if other is not None:
        check_exists(path, "load_weights", "a file")
        check_built(model, "load_weights", "loading weights into it")
        other(model, path, skip_mismatch=skip_mismatch, **kwargs)
        return
    skip = kwargs.pop("objects_to_skip", None)
    if kwargs.pop("by_name", False):
        raise ArgumentError(
            "by_name=False for this kind of file", "by_name=True", f"load_weights from {path.name!r}",
            "Loading by name works with whole-model '.h5' files.",
        )
    if kwargs:
        raise ArgumentError("known arguments", str(sorted(kwargs)), "load_weights")
    if not path.name.endswith((".weights.h5", ".weights.json")):
        raise ArgumentError(
            "a path that ends in '.weights.h5', '.weights.json', '.keras' or '.h5'", repr(str(filepath)), "load_weights"
        )
    check_exists(path, "load_weights", "a weights file")
    check_built(model, "load_weights", "loading weights into it")
    with opened(path) as roots:
        read_parts(model, roots, f"load_weights from {path.name!r}", skip_mismatch, skip)


def check_built(model: Any, where: str, purpose: str) -> None:
    """Raises unless the model has its variables."""
    if not hasattr(model, "save_own_variables"):
        raise ArgumentTypeError("a model or a layer", repr(model), where)
    if getattr(model, "built", True) is False:
        raise ValueStateError(
            f"a built model before {purpose}", f"{getattr(model, 'name', type(model).__name__)!r}, which is not built",
            where, "Call the model on some data, or call `build(input_shape)`.",
        )


# --- writing -----------------------------------------------------------------------------------------------------


def _collected(root: Any) -> Iterator[tuple[str, Any, CollectedStore]]:
    for path, obj in layout.parts(root):
        store = CollectedStore(describe_part(path, obj))
        obj.save_own_variables(store)
        yield path, obj, store


def write_parts(root: Any, file: Any, skip: tuple[Any, ...] = ()) -> None:
    """Writes the arrays of `root` and all its parts into an open file of h5py."""
    for path, obj, store in _collected(root):
        if not any(obj is one for one in skip):
            _write_part(file, path, obj, store)


def _write_part(file: Any, path: str, obj: Any, store: CollectedStore) -> None:
    group = file.create_group(f"{path}/vars" if path else "vars")
    name = getattr(obj, "name", None)
    if isinstance(name, str):
        group.attrs["name"] = name
    for key, array in store.items():
        write_array(group, key, array)


def describe_part(path: str, obj: Any) -> str:
    """An object and its place, for errors."""
    where = getattr(obj, "path", None) or getattr(obj, "name", "")
    return f"{type(obj).__name__} {where!r}" + (f" (in the file: {path!r})" if path else "")


def _save_shards(root: Any, path: Path, limit: int) -> None:
    stem = path.name.removesuffix(".weights.json")
    shards: list[list[tuple[str, Any, CollectedStore]]] = [[]]
    sizes = [0]
    index: dict[str, list[str]] = {}
    for entry in _collected(root):
        size = entry[2].size
        if sizes[-1] and sizes[-1] + size > limit:
            shards.append([])
            sizes.append(0)
        shards[-1].append(entry)
        sizes[-1] += size
        if len(entry[2]):
            place = f"/{entry[0]}/vars" if entry[0] else "/vars"
            index[place] = [f"{stem}_{len(shards) - 1:05d}.weights.h5"]
    for number, shard in enumerate(shards):
        target = path.with_name(f"{stem}_{number:05d}.weights.h5")
        with written_atomically(target) as temporary, new_file(temporary) as file:
            for part, obj, store in shard:
                _write_part(file, part, obj, store)
    # the index comes last: it never names a shard that is not there
    with written_atomically(path) as temporary:
        temporary.write_text(to_text({"metadata": {"total_size": sum(sizes)}, "weight_map": index}), encoding="utf-8")


# --- reading -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def opened(source: Path | BinaryIO, where: str = "") -> Iterator[list[H5Group]]:
    """The root groups of a weights file, or of all its shards."""
    if not isinstance(source, Path) or not source.name.endswith(".json"):
        with H5Reader(source, where or f"weights file {getattr(source, 'name', '')!r}") as root:
            yield [root]
        return
    where = f"weights index {source.name!r}"
    index = from_text(source.read_bytes(), where)
    places = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(places, dict):
        raise DamagedFileError("an index with a 'weight_map'", "none", where)
    names: dict[str, None] = {}
    for listed in places.values():
        for name in [listed] if isinstance(listed, str) else listed:
            if not isinstance(name, str) or len(safe_parts(name, where)) != 1:
                raise UnsafeFileError("names of files in the same folder", repr(name), where)
            names[name] = None
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(H5Reader(source.with_name(name), f"weights shard {name!r}")) for name in names]


class _Problem:
    def __init__(self, part: str, error: Exception) -> None:
        self.part, self.error = part, error


def read_parts(
    root: Any, files: list[H5Group], where: str, skip_mismatch: bool = False, objects_to_skip: Any = None
) -> None:
    """Gives the variables of `root` and all its parts the values in open files; all of them or none.

    Args:
        root: The model.
        files: The root groups of the files.
        where: What is being done, for errors.
        skip_mismatch: Whether parts that do not fit are left as they are, with a warning.
        objects_to_skip: Objects to leave as they are.
    """

    def names_in_files(path: str, expected: list[tuple[str, Any]]) -> dict[str, str]:
        groups = [one for one in (file.group(path) for file in files) if one is not None]
        if all(any(name in group.names() for group in groups) for name, _ in expected):
            return {}
        present: dict[str, str | None] = {}
        for group in groups:
            for name in group.names():
                own = group.group(f"{name}/vars")
                if own is not None:
                    present[name] = own.attribute("name") or present.get(name)
        return layout.matched(expected, present)

    skipped = {id(one) for one in objects_to_skip or ()}
    problems: list[_Problem] = []
    ignored: list[_Problem] = []
    read: set[str] = set()
    with Trace() as everything:
        for path, obj in layout.parts(root, names_in_files):
            place = f"{path}/vars" if path else "vars"
            groups = [one for one in (file.group(place) for file in files) if one is not None]
            read.add(place)
            if id(obj) in skipped:
                continue
            is_optimizer = getattr(obj, "tracked_kind", "") == "optimizer"
            if is_optimizer and not groups:
                continue  # the weights of a model that was not compiled
            if path == "optimizer" and not getattr(obj, "built", True) and hasattr(root, "trainable_variables"):
                obj.build(root.trainable_variables)
            store = VariableStore(*groups)
            with Trace() as one:
                try:
                    if not (is_optimizer and _load_unbuilt_optimizer(obj, store)):
                        obj.load_own_variables(store)
                except (UnsafeFileError, DamagedFileError):
                    raise
                except Exception as error:  # noqa: BLE001 - the user's own method may raise anything
                    problem = _Problem(describe_part(path, obj), error)
                    if is_optimizer:  # weights are worth having without it
                        ignored.append(problem)
                    else:
                        problems.append(problem)
                    continue
            for variable, value in one.updates():
                everything.set(variable, value)
    if problems:
        _report(problems, where, skip_mismatch)
    for one in ignored:
        warn(
            f"{where}: the state of {one.part} does not fit and is not loaded: {_message(one)}. Training goes on "
            "with a fresh optimizer.",
        )
    _warn_of_unread(files, read, where)
    for variable, value in everything.updates():
        variable.assign(value)


def _load_unbuilt_optimizer(optimizer: Any, store: VariableStore) -> bool:
    """Loads the state of an optimizer that was saved before it knew the model: no more than the first variables."""
    variables = list(getattr(optimizer, "variables", ()))
    if not 0 < len(store) < len(variables) or set(store) != {str(number) for number in range(len(store))}:
        return False
    first = variables[: len(store)]
    if any(tuple(one.shape) != () or store.shape(str(number)) != () for number, one in enumerate(first)):
        return False
    load_variables(store, first, describe_part("optimizer", optimizer))
    return True


def _report(problems: list[_Problem], where: str, skip_mismatch: bool) -> None:
    lines = [f"{one.part}: {_message(one)}" for one in problems[:10]]
    if len(problems) > 10:
        lines.append(f"and {len(problems) - 10} more")
    listed = "\n  ".join(("", *lines))
    if skip_mismatch:
        warn(f"{where}: {len(problems)} objects do not fit and keep their values:{listed}")
        return
    raise ArgumentError(
        "a file that fits the model", f"{len(problems)} objects that differ:{listed}\n", where,
        "No variable has changed. Load into the model the file was written from, or pass skip_mismatch=True to "
        "load what fits.",
    ) from problems[0].error


def _message(problem: _Problem) -> str:
    error = problem.error
    if isinstance(error, HornbeamError):
        return f"expected {error.expected}" + (f", got {error.got}" if error.got else "")
    if isinstance(error, KeyError):
        return f"no array named {error} in the file"
    return f"{type(error).__name__}: {error}"


def _warn_of_unread(files: list[H5Group], read: set[str], where: str) -> None:
    # what the model has no place for is not an error in Keras, but seldom what is meant
    left = [
        place
        for file in files
        for place in _places(file, "")
        if place not in read and not re.match(r"(.*/)?_?optimizer(/|$)", place)
    ]
    if left:
        shown = ", ".join(repr(one.removesuffix("/vars")) for one in left[:5]) + (", ..." if len(left) > 5 else "")
        warn(
            f"{where}: the file has weights of {len(left)} objects that the model does not have: {shown}. "
            "They are not loaded.",
        )


def _places(group: H5Group, path: str) -> Iterator[str]:
    for name in group.names():
        below = f"{path}/{name}" if path else name
        inner = group.group(name)
        if inner is None:
            continue
        if name == "vars" and len(VariableStore(inner)):
            yield below
        elif name != "vars":
            yield from _places(inner, below)


# --- for classes with variables ----------------------------------------------------------------------------------


def load_variables(store: Any, variables: list[Any], where: str, built: bool = True) -> None:
    """Assigns the arrays "0", "1", ... of a store to variables, after checking that all fit.

    What `load_own_variables` of layers, optimizers and metrics is made of.

    Args:
        store: What `load_own_variables` was given.
        variables: The variables, in the order in which they were saved.
        where: Whose they are, for errors.
        built: Whether the object has made its variables; only changes the advice.

    Raises:
        ValueError: If the number or a shape differs; then nothing was assigned.
    """
    names = list(store.keys())
    if len(names) != len(variables):
        raise ArgumentError(
            f"{len(variables)} variables ({', '.join(one.name for one in variables[:6])})",
            f"{len(names)} in the file", where, "" if built else "Call it on data, or `build(input_shape)`, first.",
        )
    shape_of = getattr(store, "shape", None)
    for index, variable in enumerate(variables):
        key = str(index)
        if key not in names:
            raise ArgumentError(f"arrays named '0' to '{len(variables) - 1}'", f"{sorted(names)}", where)
        shape = tuple(shape_of(key) if shape_of is not None else store[key].shape)
        if shape != tuple(variable.shape):
            raise ArgumentError(f"{variable.name} of shape={tuple(variable.shape)}", f"shape={shape}", where)
    for index, variable in enumerate(variables):
        variable.assign(store[str(index)])
