"""Whole models in one `.h5` file, as Keras wrote them before `.keras`: reading and writing.

The file has the config as JSON in an attribute, without modules, and the weights by layer name under
`model_weights`, listed in the attribute `weight_names`. This module looks at `layers`, `trainable_weights`,
`non_trainable_weights`, `optimizer` and `path` of what it is given, because the format is made of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam._atomic import written_atomically
from hornbeam._wire import keras_version
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe, warn
from hornbeam.saving import archive, registration, weights
from hornbeam.saving.config import (
    deserialize_keras_object as _deserialize,
    from_text,
    loading,
    names_of_class,
    serialize_keras_object,
    to_text,
)
from hornbeam.saving.files import DamagedFileError
from hornbeam.saving.h5_file import H5Group, H5Reader, as_array, new_file, write_array
from hornbeam.saving.registration import CustomObjectScope
from hornbeam.scope import Trace

_TOP = "top_level_model_weights"
# HDF5 keeps an attribute in the header of its group, which holds 64 KiB; longer lists go in pieces.
_MAX_ATTRIBUTE = 60_000
_LONG_NAMES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
}


# --- names of that time ------------------------------------------------------------------------------------------


def serialize_legacy(instance: Any) -> Any:
    """An object as `{"class_name", "config"}`, a function as its name; `keras.legacy.saving` has this form."""
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        return {"class_name": names_of_class(type(instance))[1], "config": without_modules(instance.get_config())}
    if hasattr(instance, "__name__"):
        return registration.get_registered_name(instance)
    raise ArgumentTypeError("an object with get_config(), or a function", describe(instance), "serialize_keras_object")


def deserialize_legacy(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object that a name or `{"class_name", "config"}` stands for.

    Args:
        identifier: The name or config; None gives None.
        module_objects: The objects to look among, by name.
        custom_objects: Objects of the user, which come first.
        printable_module_name: What such an object is called in errors.
    """
    if identifier is None or not isinstance(identifier, (str, Mapping)):
        return identifier
    name = identifier if isinstance(identifier, str) else identifier.get("class_name")
    found = registration.get_registered_object(str(name), custom_objects, module_objects)
    if found is None and isinstance(identifier, Mapping):
        return _deserialize(with_modules(dict(identifier)), custom_objects)
    if found is None:
        raise ArgumentError(f"the name of a known {printable_module_name}", repr(name), "deserialize_keras_object")
    if isinstance(identifier, str) or not isinstance(found, type):
        return found() if isinstance(found, type) else found
    with CustomObjectScope(custom_objects):
        return found.from_config(dict(identifier["config"]))


def without_modules(config: Any) -> Any:
    """A serialized model in the older form: its layers, at any depth of models, without module and build config."""
    if not isinstance(config, Mapping):
        return config
    result = dict(config)
    if isinstance(result.get("layers"), list):
        result["layers"] = [
            {
                key: without_modules(value) if key == "config" else value
                for key, value in layer.items()
                if key not in ("module", "registered_name", "build_config", "compile_config", "shared_object_id")
            }
            for layer in result["layers"]
        ]
    return result


def with_modules(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry `{"class_name", "config"}` of the older form in the present one, its layers included."""
    result = dict(entry)
    inner = result.get("config")
    if "module" not in result and isinstance(inner, Mapping):
        name = str(result.get("class_name"))
        spaces = ["keras.src.models.functional", "keras", "keras.layers", "keras.optimizers", *_op_spaces()]
        if not {"trainable", "dtype", "batch_shape", "batch_input_shape", "layers"} & set(inner):
            spaces = [*_op_spaces(), *spaces]  # only ops have no more than a name: `Add` is the op then
        if registration.get_registered_object(name) is None:
            found = next((one for one in spaces if registration.find_class(one, name) is not None), None)
            if found is not None:
                result["module"] = found
        else:
            result["module"], result["registered_name"] = None, name
    if isinstance(inner, Mapping) and isinstance(inner.get("layers"), list):
        result["config"] = {
            **inner, "layers": [with_modules(one) if isinstance(one, dict) else one for one in inner["layers"]]
        }
    return result


def _op_spaces() -> list[str]:
    return ["keras.src.ops." + one for one in ("numpy", "nn", "math", "core", "linalg", "image")]


# --- writing -----------------------------------------------------------------------------------------------------


def _save(model: Any, path: Path, include_optimizer: bool) -> None:
    weights.check_built(model, "save_model", "saving it as '.h5'")
    if not hasattr(model, "layers"):
        raise ArgumentTypeError("a model", describe(model), "save_model to '.h5'", "Use a path that ends in '.keras'.")
    whole = serialize_keras_object(model)
    config = {"class_name": whole["class_name"], "config": without_modules(whole["config"])}
    optimizer = getattr(model, "optimizer", None) if include_optimizer else None
    with written_atomically(path) as temporary, new_file(temporary) as file:
        file.attrs["keras_version"] = keras_version
        file.attrs["backend"] = backend.name
        file.attrs["model_config"] = to_text(config)
        training = dict(whole.get("compile_config") or {})
        if include_optimizer and training:
            made = training.pop("optimizer", None)
            if isinstance(made, dict):
                made = {key: made[key] for key in ("class_name", "config")}
            training["optimizer_config"] = made
            training["loss"] = _with_long_names(training.get("loss"))
            file.attrs["training_config"] = to_text(training)
        group = file.create_group("model_weights")
        group.attrs["keras_version"] = keras_version
        group.attrs["backend"] = backend.name
        _set_names(group, "layer_names", [layer.name for layer in model.layers])
        for layer in model.layers:
            _write_weights(group.create_group(layer.name), _weights_of(layer))
        _write_weights(group.create_group(_TOP), _top_weights(model))
        if optimizer is not None and training:
            _write_weights(file.create_group("optimizer_weights"), list(optimizer.variables))


def _with_long_names(loss: Any) -> Any:
    # Keras 3.15 cannot read its own file if a loss goes by a short name
    if isinstance(loss, str):
        return _LONG_NAMES.get(loss.lower(), loss)
    if isinstance(loss, (list, tuple)):
        return [_with_long_names(one) for one in loss]
    if isinstance(loss, dict) and "class_name" not in loss:
        return {key: _with_long_names(one) for key, one in loss.items()}
    return loss


def _weights_of(layer: Any) -> list[Any]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _top_weights(model: Any) -> list[Any]:
    below = {id(one) for layer in model.layers for one in _weights_of(layer)}
    return [one for one in _weights_of(model) if id(one) not in below]


def _write_weights(group: Any, variables: list[Any]) -> None:
    names: list[str] = []
    for variable in variables:
        name = variable.path
        while name in names:  # two layers of one name inside another
            name += "_"
        names.append(name)
        write_array(group, name, as_array(variable, f"saving {variable.path!r}"))
    _set_names(group, "weight_names", names)


def _set_names(group: Any, key: str, names: list[str]) -> None:
    raw = [name.encode("utf-8") for name in names]
    longest = max((len(one) for one in raw), default=1)
    per_piece = max(1, _MAX_ATTRIBUTE // longest)
    if len(raw) <= per_piece:
        group.attrs[key] = raw
        return
    for number, start in enumerate(range(0, len(raw), per_piece)):
        group.attrs[f"{key}{number}"] = raw[start : start + per_piece]


# --- reading -----------------------------------------------------------------------------------------------------


def _names(group: H5Group, key: str) -> list[str]:
    whole = group.attribute(key)
    if whole is None:
        whole = []
        number = 0
        while (piece := group.attribute(f"{key}{number}")) is not None:
            whole.extend(piece)
            number += 1
    if not isinstance(whole, list):
        whole = [whole]
    return [str(one) for one in whole]


def _load(path: Path, custom_objects: Mapping[str, Any] | None, compile: bool, safe_mode: bool | None) -> Any:
    where = f"model file {path.name!r}"
    with H5Reader(path, where) as root, CustomObjectScope(custom_objects), loading(safe_mode, compile):
        text = root.attribute("model_config")
        if not isinstance(text, str):
            raise DamagedFileError(
                "a whole model, with the attribute 'model_config'", "none", where,
                "If the file has weights only, build the model and call model.load_weights().",
            )
        config = from_text(text, where)
        if not isinstance(config, dict):
            raise DamagedFileError("the config of a model", repr(config)[:80], where)
        model = _deserialize(with_modules(config))
        _read_weights(model, root, where, skip_mismatch=False, by_name=False)
        training = root.attribute("training_config")
        if compile and isinstance(training, str) and hasattr(model, "compile_from_config"):
            arguments = from_text(training, where)
            made = arguments.pop("optimizer_config", None)
            if isinstance(made, dict):
                arguments["optimizer"] = with_modules(made)
            model.compile_from_config(arguments)
            _read_optimizer(model, root, where)
    return model


def _read_optimizer(model: Any, root: H5Group, where: str) -> None:
    group = root.group("optimizer_weights")
    optimizer = getattr(model, "optimizer", None)
    if group is None or optimizer is None:
        return
    if not getattr(optimizer, "built", True):
        optimizer.build(model.trainable_variables)
    arrays = [_array(group, name) for name in _names(group, "weight_names")]
    variables = list(optimizer.variables)
    if arrays and all(one.shape == () for one in arrays):
        variables = variables[: len(arrays)]  # saved before it knew the model
    if [one.shape for one in arrays] != [tuple(one.shape) for one in variables]:
        warn(
            f"{where}: the state of the optimizer does not fit and is not loaded. Training goes on with a fresh one.",
        )
        return
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _array(group: H5Group, name: str) -> np.ndarray:
    above, _, last = name.rpartition("/")
    home = group.group(above)
    if home is None or not home.has_data(last):
        raise DamagedFileError(f"the array {name!r} that the file lists", "none", group.path)
    return home.read(last)


def _load_weights(model: Any, path: Path, skip_mismatch: bool = False, by_name: bool = False, **kwargs: Any) -> None:
    if kwargs:
        raise ArgumentError("known arguments", str(sorted(kwargs)), "load_weights")
    where = f"load_weights from {path.name!r}"
    with H5Reader(path, where) as root:
        _read_weights(model, root, where, skip_mismatch, by_name)


def _read_weights(model: Any, root: H5Group, where: str, skip_mismatch: bool, by_name: bool) -> None:
    group = root.group("model_weights") or root
    listed = _names(group, "layer_names")
    if not hasattr(model, "layers"):
        raise ArgumentTypeError("a model", describe(model), where)
    stored = [(name, inner) for name in listed if (inner := group.group(name)) is not None]
    stored = [(name, inner) for name, inner in stored if _names(inner, "weight_names")]
    wanted = [layer for layer in model.layers if _weights_of(layer)]
    if by_name:
        inner_of = dict(stored)
        pairs = [(layer.name, _weights_of(layer), inner_of[layer.name]) for layer in wanted if layer.name in inner_of]
    else:
        if len(stored) != len(wanted):
            raise ArgumentError(
                f"{len(wanted)} layers with weights", f"{len(stored)} in the file ({[one for one, _ in stored][:8]})",
                where, "Load into the model the file was written from, or pass by_name=True.",
            )
        pairs = [(layer.name, _weights_of(layer), inner) for layer, (_, inner) in zip(wanted, stored, strict=True)]
    top = group.group(_TOP)
    if top is not None and _top_weights(model):
        pairs.append((_TOP, _top_weights(model), top))
    problems: list[str] = []
    with Trace() as trace:
        for name, variables, inner in pairs:
            arrays = [_array(inner, one) for one in _names(inner, "weight_names")]
            shapes, fitting = [one.shape for one in arrays], [tuple(one.shape) for one in variables]
            if shapes != fitting:
                problems.append(f"layer {name!r}: expected shapes {fitting}, got {shapes}")
                continue
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(array)
    if problems and not skip_mismatch:
        raise ArgumentError(
            "weights that fit the model", "; ".join(problems[:5]), where,
            "No variable has changed. Pass skip_mismatch=True to load what fits.",
        )
    if problems:
        warn(f"{where}: {'; '.join(problems)}. These layers keep their values.")
    for variable, value in trace.updates():
        variable.assign(value)


def install() -> None:
    """Makes saving and loading know the endings of this format."""
    for ending in (".h5", ".hdf5"):
        archive.savers[ending] = _save
        archive.loaders[ending] = _load
        weights.readers[ending] = _load_weights
