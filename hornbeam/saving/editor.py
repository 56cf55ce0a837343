"""`KerasFileEditor`: looks into the weights of a saved file, compares, renames and repairs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hornbeam._atomic import written_atomically
from hornbeam.errors import ArgumentError, UnknownNameError
from hornbeam.saving import archive, layout, weights
from hornbeam.saving.config import from_text
from hornbeam.saving.files import as_path, check_exists, safe_parts
from hornbeam.saving.h5_file import CollectedStore, H5Group, VariableStore, as_array, new_file, write_array


class KerasFileEditor:
    """The weights of a `.keras` or `.weights.h5` file, to be looked at, changed and written again.

    Objects are named by their path in the file, such as ``"layers/dense"``, or by the last part of it, which then
    means all objects with that part.

    Args:
        filepath: A path that ends in ".keras" or ".weights.h5".

    Attributes:
        weights_dict: For each object that has arrays, by path, its arrays by name.
        metadata: What a `.keras` file says of its origin; else None.
        config: The config in a `.keras` file; else None.

    Raises:
        ValueError: For another ending, or a file that cannot be read safely.
    """

    def __init__(self, filepath: Any) -> None:
        path = as_path(filepath, "KerasFileEditor")
        if not path.name.endswith((".keras", ".weights.h5")):
            raise ArgumentError("a path that ends in '.keras' or '.weights.h5'", repr(str(filepath)), "KerasFileEditor")
        check_exists(path, "KerasFileEditor", "a file")
        self.filepath = str(path)
        self.metadata: dict[str, Any] | None = None
        self.config: dict[str, Any] | None = None
        self.weights_dict: dict[str, dict[str, np.ndarray]] = {}
        self._names: dict[str, str] = {}
        if path.name.endswith(".weights.h5"):
            with weights.opened(path) as roots:
                self._read(roots[0], "")
            return
        where = f"model file {path.name!r}"
        with archive.opened(path, where) as box:
            self.config = from_text(box.text("config.json"), where)
            self.metadata = from_text(box.text("metadata.json"), where) if box.has("metadata.json") else {}
            with box.stream("model.weights.h5") as stream, weights.opened(stream, where) as roots:
                self._read(roots[0], "")

    def _read(self, group: H5Group, path: str) -> None:
        for name in group.names():
            inner = group.group(name)
            if inner is None:
                continue
            if name == "vars":
                own = inner.attribute("name")
                if isinstance(own, str):
                    self._names[path] = own
                store = dict(VariableStore(inner))
                if store:
                    self.weights_dict[path] = store
            else:
                self._read(inner, f"{path}/{name}" if path else name)

    def _paths(self, object_name: str) -> list[str]:
        wanted = str(object_name).strip("/")
        found = [one for one in self.weights_dict if one == wanted or one.startswith(wanted + "/")]
        if not found and "/" not in wanted:
            found = [one for one in self.weights_dict if one.split("/")[-1] == wanted]
        if not found:
            raise UnknownNameError("object in the file", object_name, self.weights_dict, "KerasFileEditor")
        return found

    def summary(self, print_fn: Callable[[str], Any] | None = None) -> None:
        """Prints the objects and the shapes and dtypes of their arrays."""
        say = print_fn or print
        say(f"Keras file {self.filepath!r}")
        if self.metadata:
            say(f"Saved with Keras {self.metadata.get('keras_version')}, {self.metadata.get('date_saved')}")
        for path, arrays in sorted(self.weights_dict.items()):
            say(f"  {path or '(the model itself)'}")
            for name, array in arrays.items():
                say(f"    {name}: shape={array.shape}, dtype={array.dtype}")

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Compares the file with a model and prints what differs.

        Args:
            reference_model: A built model.

        Returns:
            A dict with "status" ("success" or "error"), "error_count" and "match_count", the number of arrays
            that agree in place and shape.
        """
        theirs: dict[str, dict[str, Any]] = {}
        for path, obj in layout.parts(reference_model):
            store = CollectedStore(weights.describe_part(path, obj))
            obj.save_own_variables(store)
            if len(store):
                theirs[path] = dict(store)
        problems: list[str] = []
        matches = 0
        for path in sorted({*theirs, *self.weights_dict}):
            mine, other = self.weights_dict.get(path), theirs.get(path)
            if mine is None or other is None:
                where = "only in the model" if mine is None else "only in the file"
                problems.append(f"{path!r} is {where}: {sorted(mine or other or {})}")
                continue
            for name in sorted({*mine, *other}):
                if name not in mine or name not in other:
                    problems.append(f"{path}/{name} is only in the {'file' if name in mine else 'model'}")
                elif mine[name].shape != other[name].shape:
                    problems.append(f"{path}/{name}: model {other[name].shape}, file {mine[name].shape}")
                else:
                    matches += 1
        for line in problems:
            print(line)
        print(f"{matches} arrays agree, {len(problems)} things differ.")
        return {"status": "error" if problems else "success", "error_count": len(problems), "match_count": matches}

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Gives an object, with all below it, another last part of its path."""
        if len(safe_parts(str(new_name), "KerasFileEditor.rename_object")) != 1:
            raise ArgumentError("a name without '/'", repr(new_name), "KerasFileEditor.rename_object")
        wanted = str(object_name).strip("/")
        roots = {wanted} if any(one == wanted or one.startswith(wanted + "/") for one in self.weights_dict) else set()
        for root in roots or set(self._paths(object_name)):
            above = root.rpartition("/")[0]
            target = f"{above}/{new_name}" if above else new_name
            if any(one == target or one.startswith(target + "/") for one in self.weights_dict):
                raise ArgumentError("a name that is free", repr(target), "KerasFileEditor.rename_object")
            self.weights_dict = {_moved(one, root, target): arrays for one, arrays in self.weights_dict.items()}
            self._names = {_moved(one, root, target): name for one, name in self._names.items()}

    def delete_object(self, object_name: str) -> None:
        """Removes an object and all below it."""
        for path in self._paths(object_name):
            del self.weights_dict[path]
            self._names.pop(path, None)

    def add_object(self, object_path: str, weights: Mapping[str, Any]) -> None:
        """Puts a new object with arrays at a path."""
        path = "/".join(safe_parts(str(object_path).strip("/"), "KerasFileEditor.add_object"))
        if path in self.weights_dict:
            raise ArgumentError("a path that is free", repr(object_path), "add_object", "Use add_weights().")
        self.weights_dict[path] = _checked(weights, "add_object")

    def add_weights(self, object_name: str, weights: Mapping[str, Any]) -> None:
        """Adds arrays to an object, or replaces those of the same name."""
        for path in self._paths(object_name):
            self.weights_dict[path] = {**self.weights_dict[path], **_checked(weights, "add_weights")}

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Removes one array of an object."""
        paths = [path for path in self._paths(object_name) if str(weight_name) in self.weights_dict[path]]
        if not paths:
            known = {name for path in self._paths(object_name) for name in self.weights_dict[path]}
            raise UnknownNameError(f"array of {object_name!r}", weight_name, known, "KerasFileEditor.delete_weight")
        for path in paths:
            del self.weights_dict[path][str(weight_name)]

    def save(self, filepath: Any) -> None:
        """Writes the weights to a `.weights.h5` file."""
        path = as_path(filepath, "KerasFileEditor.save")
        if not path.name.endswith(".weights.h5"):
            raise ArgumentError("a path that ends in '.weights.h5'", repr(str(filepath)), "KerasFileEditor.save")
        with written_atomically(path) as temporary, new_file(temporary) as file:
            for place in dict.fromkeys([*self._names, *self.weights_dict]):
                group = file.create_group(f"{place}/vars" if place else "vars")
                if place in self._names:
                    group.attrs["name"] = self._names[place]
                for name, array in self.weights_dict.get(place, {}).items():
                    write_array(group, name, array)

    def resave_weights(self, filepath: Any) -> None:
        """As `save`."""
        self.save(filepath)


def _moved(path: str, old: str, new: str) -> str:
    return new + path[len(old) :] if path == old or path.startswith(old + "/") else path


def _checked(arrays: Mapping[str, Any], where: str) -> dict[str, np.ndarray]:
    store = CollectedStore(where)
    for name, value in arrays.items():
        store[name] = as_array(value, where)
    return dict(store)
