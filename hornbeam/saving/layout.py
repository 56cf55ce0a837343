"""The order and the names under which the parts of a model lie in weight files: the rules of Keras 3.15.

What Keras writes, found by writing files with it (tests/saving/test_layout.py holds us to it):

- An object's own arrays lie in the group `vars` below its group, which has the attribute `name`, the object's
  name. An object without arrays has an empty `vars`. The root object's group is the root.
- Below an object come its attributes, by attribute name: first those that do not start with "_", then those that
  do, each sorted by character codes ("Z" < "a", "y10" < "y9"). Attributes that hold neither an object with
  variables nor a list, tuple or dict are passed over; so are sets and deques. Properties count, too.
- An object that was met before is not written again, wherever it turns up: who comes first in that order has it.
  So a subclassed Model writes what sorts before "layers" under the attribute, and the rest under `layers`.
- The members of a list, tuple or dict (in its order, by value; keys do not matter) are named by their class in
  snake case, numbered by class from the second on: `dense`, `dense_1`. A nested list, tuple or dict counts as
  `container`, also if there is nothing in it to write. Members met before count, but are not written.
- Metrics and seed generators are passed over, everywhere; so are losses, regularizers and other things without
  variables.
- The optimizer of a compiled model is an attribute like others: `optimizer/vars/0` is the iteration.
- Groups are made where an object is written, so an empty container leaves no trace.
- Dtypes that HDF5 does not know are raw bytes, `V2` for bfloat16, with the attribute `dtype` at the dataset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from hornbeam import _wire
from hornbeam.backend import active as backend
from hornbeam.scope import to_snake_case

_PASSED_OVER = ("metric", "seed")
_OWN_PACKAGE = __name__.partition(".")[0]

Rename = Callable[[str, list[tuple[str, Any]]], dict[str, str]]


class Part(NamedTuple):
    """One object of a model and the path of its group."""

    path: str
    obj: Any


def is_saveable(value: Any) -> bool:
    """Whether `value` is an object with variables of its own that files hold."""
    return (
        hasattr(type(value), "save_own_variables")
        and not isinstance(value, type)
        and getattr(value, "tracked_kind", "") not in _PASSED_OVER
    )


def attributes(obj: Any) -> list[tuple[str, Any]]:
    """The attributes of an object that may hold parts, in the order of files."""
    children = getattr(obj, "_children", None)
    found = dict(children() if children is not None else ())
    if isinstance(getattr(type(obj), "layers", None), property):  # models
        found["layers"] = obj.layers
    for name in _own_properties(type(obj)):
        if name not in found:
            try:
                found[name] = getattr(obj, name)
            except Exception:  # noqa: BLE001, S112 - a property of the user may do anything; then it holds no part
                continue
    return sorted(found.items(), key=lambda item: (item[0].startswith("_"), item[0]))


def _own_properties(cls: type) -> Iterator[str]:
    for one in cls.__mro__:
        module = one.__module__.partition(".")[0]
        of_framework = issubclass(backend.layer_base, one)
        if not of_framework and module not in (_OWN_PACKAGE, "builtins") and _wire.name_of(one) is None:
            for name, value in vars(one).items():
                if isinstance(value, property) and not name.startswith("__"):
                    yield name


def parts(root: Any, rename: Rename | None = None) -> Iterator[Part]:
    """Every object of `root`, itself first, each once, with the path that files have for it.

    Args:
        root: The object that is saved or loaded.
        rename: Given the path of a container and its members with their names, their names in an old file.
    """
    yield from _object(root, "", {}, rename)


# `visited` has what was met by its id, and keeps it alive: `layers` is a new list each time, and the id of one that is
# gone may be that of the next.
def _object(obj: Any, path: str, visited: dict[int, Any], rename: Rename | None) -> Iterator[Part]:
    visited[id(obj)] = obj
    yield Part(path, obj)
    for name, value in attributes(obj):
        below = f"{path}/{name}" if path else name
        if is_saveable(value):
            if id(value) not in visited:
                yield from _object(value, below, visited, rename)
        elif isinstance(value, (list, tuple, dict)):
            yield from _container(value, below, visited, rename)


def _container(values: Any, path: str, visited: dict[int, Any], rename: Rename | None) -> Iterator[Part]:
    if id(values) in visited:
        return  # a list that holds itself
    visited[id(values)] = values
    members = named_members(values)
    if rename is not None:
        new = [(name, one) for name, one in members if is_saveable(one) and id(one) not in visited]
        renamed = rename(path, new) if new else {}
        members = [(renamed.get(name, name), one) for name, one in members]
    for name, value in members:
        if not is_saveable(value):
            yield from _container(value, f"{path}/{name}", visited, rename)
        elif id(value) not in visited:
            yield from _object(value, f"{path}/{name}", visited, rename)


def named_members(values: Any) -> list[tuple[str, Any]]:
    """The members of a container that are written, or hold what is, with their names in files."""
    counts: dict[str, int] = {}
    result = []
    for value in values.values() if isinstance(values, dict) else values:
        if is_saveable(value):
            name = class_name_in_files(type(value))
        elif isinstance(value, (list, tuple, dict)):
            name = "container"
        else:
            continue
        count = counts.get(name, 0)
        counts[name] = count + 1
        result.append((f"{name}_{count}" if count else name, value))
    return result


def class_name_in_files(cls: type) -> str:
    """The class's name in snake case, as files have it."""
    return to_snake_case(cls.__name__)


def base_names(cls: type) -> list[str]:
    """The names in files of the classes that `cls` derives from, nearest first."""
    return [class_name_in_files(one) for one in cls.__mro__[1:] if hasattr(one, "save_own_variables")]


def matched(expected: list[tuple[str, Any]], present: dict[str, str | None]) -> dict[str, str]:
    """Finds out under which names a file has the members of a container, where a class was renamed since.

    A layer that became an object of a subclass, or whose class got a new name, has another name in new files than
    in old ones (keras-team/keras#20322). Then members are found by the names of base classes, or by their own
    names, which files have as well.

    Args:
        expected: The names that the members have in new files, with the members.
        present: The names in the file, each with the name of the object written there.

    Returns:
        For each expected name the one in the file; itself where nothing better is known.
    """
    same = {name: name for name, _ in expected}
    missing = {type(one) for name, one in expected if name not in present}
    if not missing:
        return same
    for depth in range(max(len(base_names(one)) for one in missing)):
        counts: dict[str, int] = {}
        renamed: dict[str, str] = {}
        for name, one in expected:
            bases = base_names(type(one))
            stem = bases[depth] if type(one) in missing and depth < len(bases) else class_name_in_files(type(one))
            count = counts.get(stem, 0)
            counts[stem] = count + 1
            renamed[name] = f"{stem}_{count}" if count else stem
        if all(one in present for one in renamed.values()):
            return renamed
    by_own_name: dict[str | None, list[str]] = {}
    for name, own in present.items():
        by_own_name.setdefault(own, []).append(name)
    chosen = {name: by_own_name.get(getattr(one, "name", None), []) for name, one in expected}
    if all(len(found) == 1 for found in chosen.values()):
        return {name: found[0] for name, found in chosen.items()}
    return same
