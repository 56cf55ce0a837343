"""Objects to JSON-ready values and back, in the form Keras 3 writes; knows objects only by their protocol.

An object is `module`, `class_name`, `config`, `registered_name`, and where it has them `build_config`,
`compile_config` and `shared_object_id`. What a file may name is settled in `registration`.
"""

from __future__ import annotations

import base64
import inspect
import json
import marshal
import sys
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import ml_dtypes
import numpy as np

from hornbeam import _wire, dtypes
from hornbeam.backend import active as backend
from hornbeam.errors import (
    ArgumentTypeError,
    HornbeamError,
    UnsafeFileError,
    describe,
    nearest,
)
from hornbeam.saving import registration
from hornbeam.saving.files import MAX_CONFIG_BYTES, MAX_CONFIG_DEPTH, DamagedFileError
from hornbeam.symbolic import KerasTensor
from hornbeam.variable import Variable

# --- scopes ------------------------------------------------------------------------------------------------------

_unsafe_allowed = False


def enable_unsafe_deserialization() -> None:
    """Lets loading run code that files carry, in this process, also where `safe_mode` is left at its default."""
    global _unsafe_allowed
    _unsafe_allowed = True


class _Loading:
    """What holds for everything that is made from one config."""

    def __init__(self, safe: bool, with_compile: bool) -> None:
        self.safe = safe
        self.with_compile = with_compile
        self.shared: dict[int, tuple[dict[str, Any], Any]] = {}


_loading: ContextVar[_Loading | None] = ContextVar("loading", default=None)


@contextmanager
def loading(safe_mode: bool | None = True, compile: bool = True) -> Iterator[None]:
    """Inside, objects are made under one set of rules; an inner `loading` cannot loosen those of an outer one.

    Args:
        safe_mode: Only an explicit False allows code from files. None is as safe as True.
        compile: Whether models are compiled as they were when saved.
    """
    outer = _loading.get()
    safe = (safe_mode is not False and not _unsafe_allowed) if outer is None else outer.safe
    token = _loading.set(_Loading(safe, compile if outer is None else outer.with_compile))
    try:
        yield
    finally:
        _loading.reset(token)


def in_safe_mode() -> bool:
    """Whether objects made now must refuse to run code, open files or reach addresses that a config names.

    True unless a load with `safe_mode=False` is under way, or the user called `enable_unsafe_deserialization`.
    """
    state = _loading.get()
    return not _unsafe_allowed if state is None else state.safe


def is_loading() -> bool:
    """Whether an object is being made from a config right now, not by the user's own call."""
    return _loading.get() is not None


class ObjectSharingScope:
    """Inside, an object that is written several times carries one number each time, so that it is one again."""

    def __enter__(self) -> ObjectSharingScope:
        self._token = _sharing.set({})
        return self

    def __exit__(self, *_: Any) -> None:
        _sharing.reset(self._token)


_sharing: ContextVar[dict[int, list[Any]] | None] = ContextVar("sharing", default=None)


# --- writing -----------------------------------------------------------------------------------------------------


def serialize_keras_object(obj: Any) -> Any:
    """A value that JSON can hold and that `deserialize_keras_object` makes an equal object of.

    Args:
        obj: None, numbers, strings, bytes, slices, `...`, arrays, tensors, dtypes, functions, classes, lists,
            tuples and dicts of such, and every object with a `get_config` method.

    Returns:
        Plain values; an object becomes a dict of `module`, `class_name`, `config`, `registered_name`.

    Raises:
        TypeError: For anything else.

    >>> serialize_keras_object({"axis": (1, 2), "rate": np.float32(0.5)})
    {'axis': (1, 2), 'rate': 0.5}
    """
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj.item() if isinstance(obj, np.generic) else obj
    if isinstance(obj, (list, tuple)):
        parts = [serialize_keras_object(one) for one in obj]
        return parts if isinstance(obj, list) else tuple(parts)
    if isinstance(obj, Mapping):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.dtype):
        return dtypes.standardize_dtype(obj)
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": _text_of_bytes(obj)}}
    if isinstance(obj, slice):
        parts = {name: serialize_keras_object(getattr(obj, name)) for name in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": parts}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, KerasTensor):
        return _serialize_symbolic(obj)
    if isinstance(obj, Variable):
        raise ArgumentTypeError(
            "something a config can hold", f"the variable {obj.path!r}", "serialize_keras_object",
            "Variables are saved as weights: keep them out of get_config().",
        )
    if isinstance(obj, np.ndarray):
        return _serialize_array(obj, "__numpy__")
    if backend.is_array(obj):
        return _serialize_array(np.asarray(backend.to_numpy(obj)), "__tensor__")
    if inspect.isclass(obj):
        return _serialize_class(obj)
    if hasattr(obj, "get_config"):
        return _serialize_object(obj)
    if isinstance(obj, types.LambdaType) and obj.__name__ == "<lambda>":
        return {"class_name": "__lambda__", "config": {"value": list(_parts_of_function(obj))}}
    if callable(obj) and isinstance(getattr(obj, "__name__", None), str):
        return _serialize_function(obj)
    as_list = getattr(obj, "as_list", None)
    if callable(as_list):  # tf.TensorShape
        return as_list()
    if type(obj).__name__ == "DType" or type(obj).__module__ == "torch":  # dtypes of frameworks
        return dtypes.standardize_dtype(obj)
    raise ArgumentTypeError(
        "an object that can be saved", describe(obj), "serialize_keras_object",
        f"Give {type(obj).__name__} a get_config() method that returns the arguments of its __init__.",
    )


def serialize_value(value: Any) -> Any:
    """As `serialize_keras_object`, in the form that an argument of a layer has: an activation is its bare name."""
    wired = _wire.name_of(value) if callable(value) and not inspect.isclass(value) else None
    if wired is not None and wired.startswith("keras.activations."):
        return wired.rpartition(".")[2]
    return serialize_keras_object(value)


def _text_of_bytes(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise ArgumentTypeError(
            "bytes that are UTF-8 text", repr(value[:40]), "serialize_keras_object", "Use a list of numbers or base64."
        ) from None


def _serialize_array(array: np.ndarray, kind: str) -> Any:
    if array.ndim == 0 and kind == "__numpy__":
        return array.item()
    if array.dtype.kind not in "biufcV":
        raise ArgumentTypeError("an array of numbers", describe(array), "serialize_keras_object", "Use a list.")
    dtype = dtypes.standardize_dtype(array.dtype)
    values = array.astype("float32") if array.dtype.kind == "V" or dtype.startswith(("bfloat", "float8")) else array
    return {"class_name": kind, "config": {"value": values.tolist(), "dtype": dtype}}


def _serialize_symbolic(tensor: KerasTensor) -> dict[str, Any]:
    history = getattr(tensor, "_keras_history", None)
    place = None if history is None else [history[0].name, history[1], history[2]]
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": list(tensor.shape), "dtype": tensor.dtype, "keras_history": place},
    }


def _serialize_function(function: Any) -> dict[str, Any]:
    wired = _wire.name_of(function)
    if registration.is_registered(function) or wired is None:
        name = registration.get_registered_name(function)
    else:
        name = wired.rpartition(".")[2]
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def _serialize_class(cls: type) -> Any:
    wired = _wire.name_of(cls)
    if wired is None and not registration.is_registered(cls):
        try:
            name = dtypes.standardize_dtype(cls)
        except (HornbeamError, TypeError, ValueError):
            name = cls.__name__
    else:
        name = registration.get_registered_name(cls) if registration.is_registered(cls) else wired
    return {"module": "builtins", "class_name": "type", "config": name, "registered_name": "type"}


def names_of_class(cls: type) -> tuple[str | None, str, str | None]:
    """Module, class name and registered name that files have for a class."""
    wired = _wire.name_of(cls)
    if wired is not None and not registration.is_registered(cls):
        module, _, short = wired.rpartition(".")
        # what has no public name in Keras is written with its place in the source and named once more
        return module, short, short if module.startswith("keras.src.") else None
    module = None if cls.__module__ in ("__main__", "builtins") else cls.__module__
    return module, cls.__name__, registration.get_registered_name(cls)


def _serialize_object(obj: Any) -> dict[str, Any]:
    module, class_name, registered_name = names_of_class(type(obj))
    result: dict[str, Any] = {"module": module, "class_name": class_name}
    given = obj.get_config()
    if not isinstance(given, Mapping):
        raise ArgumentTypeError(
            "get_config() to return a dict", describe(given), f"{class_name}.get_config",
            "Return the arguments of __init__ by name.",
        )
    try:
        result["config"] = {str(key): serialize_keras_object(value) for key, value in given.items()}
    except HornbeamError as problem:
        problem.add_note(f"In the config of {class_name} {getattr(obj, 'name', '')!r}.")
        raise
    result["registered_name"] = registered_name
    for key, method in (("build_config", "get_build_config"), ("compile_config", "get_compile_config")):
        extra = getattr(obj, method, None)
        if extra is not None:
            value = extra()
            if value is not None:
                result[key] = serialize_keras_object(value)
    _mark_if_shared(obj, class_name, result)
    return result


def _mark_if_shared(obj: Any, class_name: str, result: dict[str, Any]) -> None:
    seen = _sharing.get()
    if seen is None or class_name.endswith("DTypePolicy"):  # policies are values; nobody asks which is which
        return
    entry = seen.setdefault(id(obj), [obj, 0, []])  # holds the object, so that no other gets its id meanwhile
    entry[2].append(result)
    if len(entry[2]) == 1:
        return
    if not entry[1]:
        entry[1] = sum(1 for other in seen.values() if other[1]) + 1
    for one in entry[2]:
        one["shared_object_id"] = entry[1]


def lambda_config(function: types.FunctionType) -> dict[str, Any]:
    """A Python function without a name of its own, as a `Lambda` layer writes it: byte code, defaults, closure."""
    code, defaults, closure = _parts_of_function(function)
    return {"class_name": "__lambda__", "config": {"code": code, "defaults": defaults, "closure": closure}}


def _parts_of_function(function: types.FunctionType) -> tuple[str, Any, Any]:
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii")
    closure = tuple(cell.cell_contents for cell in function.__closure__) if function.__closure__ else None
    return code, serialize_keras_object(function.__defaults__), serialize_keras_object(closure)


# --- reading -----------------------------------------------------------------------------------------------------


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool | None = True, **kwargs: Any
) -> Any:
    """Makes the objects that a value of `serialize_keras_object`, or of a file, describes.

    Args:
        config: The value.
        custom_objects: Classes and functions of the user, by name.
        safe_mode: Only an explicit False lets a lambda from the config become a function. Inside a load, the
            mode of the load holds instead.
        **kwargs: `module_objects`, a dict of objects by name, as older programs pass it.

    Returns:
        The object, or the structure of objects.

    Raises:
        ValueError: For a config that carries code, in safe mode.
        TypeError: For names that are neither Keras's nor registered, and for configs that fit no object.

    >>> deserialize_keras_object({"class_name": "__slice__", "config": {"start": 1, "stop": None, "step": 2}})
    slice(1, None, 2)
    """
    module_objects = kwargs.pop("module_objects", None)
    if kwargs:
        raise ArgumentTypeError("known arguments", str(sorted(kwargs)), "deserialize_keras_object")
    if isinstance(config, str) and (custom_objects or module_objects):
        found = registration.get_registered_object(config, custom_objects, module_objects)
        return config if found is None else found
    with registration.CustomObjectScope({**(module_objects or {}), **(custom_objects or {})}):
        if _loading.get() is not None:
            return _made(config)
        with loading(safe_mode):
            return _made(config)


def deserialize_value(config: Any) -> Any:
    """As `deserialize_keras_object`, under the rules of the load that is under way, safe if there is none."""
    if config is None or isinstance(config, (bool, int, float, str)):
        return config
    if _loading.get() is not None:
        return _made(config)
    with loading():
        return _made(config)


def _made(config: Any) -> Any:
    if isinstance(config, (list, tuple)):
        parts = [_made(one) for one in config]
        return parts if isinstance(config, list) else tuple(parts)
    if not isinstance(config, Mapping):
        return config
    class_name = config.get("class_name")
    if class_name == "__tuple__" and "items" in config:
        return tuple(_made(one) for one in config["items"])
    if not isinstance(class_name, str) or "config" not in config:
        return {key: _made(value) for key, value in config.items()}
    if class_name in _SPECIAL:
        return _made_special(class_name, config)
    if config.get("module") in (None, "builtins") and class_name in ("function", "type"):
        return _made_name(class_name, config)
    if class_name == "function":
        return _made_name(class_name, config)
    return _made_object(class_name, config)


def _made_special(kind: str, config: Mapping[str, Any]) -> Any:
    inner = config["config"]
    try:
        return _SPECIAL[kind](inner)
    except HornbeamError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as problem:
        raise ArgumentTypeError(f"a config for {kind}", f"{_cut(inner)} ({problem!r})", "loading") from problem


def _lambda(inner: Any) -> Any:
    if in_safe_mode():
        raise UnsafeFileError(
            "a file without code of its own", "a Python lambda", "loading in safe mode",
            "Byte code from a file can do anything to this machine. If you trust its source, pass safe_mode=False; "
            "better, give the function a name and register it with @hornbeam.saving.register_keras_serializable().",
        )
    names = ("code", "defaults", "closure")
    code, defaults, closure = inner["value"] if "value" in inner else (inner[name] for name in names)
    raw = marshal.loads(base64.decodebytes(code.encode("ascii")))  # noqa: S302 - asked for by safe_mode=False
    cells = tuple(types.CellType(_made(one)) for one in closure) if closure else None
    values = tuple(_made(one) for one in defaults) if defaults else None
    # the globals of the program that wrote it are gone; these names are what such functions mostly use
    known = {"__builtins__": __builtins__, "np": np, "keras": sys.modules["hornbeam"]}
    return types.FunctionType(raw, known | registration.all_custom_objects(), "<lambda>", values, cells)


_SPECIAL: dict[str, Any] = {
    "__bytes__": lambda inner: inner["value"].encode("utf-8"),
    "__slice__": lambda inner: slice(_made(inner["start"]), _made(inner["stop"]), _made(inner["step"])),
    "__ellipsis__": lambda _: Ellipsis,
    "__numpy__": lambda inner: _array(inner),
    "__tensor__": lambda inner: backend.asarray(_array(inner), dtypes.standardize_dtype(inner["dtype"])),
    "__keras_tensor__": lambda inner: KerasTensor(inner["shape"], dtype=inner["dtype"]),
    "__lambda__": _lambda,
}


def _array(inner: Any) -> np.ndarray:
    name = dtypes.standardize_dtype(inner["dtype"])
    if name == "string":
        raise ArgumentTypeError("a dtype of numbers", repr(inner["dtype"]), "loading an array")
    small = name.startswith(("bfloat", "float8"))  # written as numbers of float32
    array = np.array(inner["value"], dtype="float32" if small else name)
    return array.astype(getattr(ml_dtypes, name)) if small else array


def _made_name(kind: str, config: Mapping[str, Any]) -> Any:
    name = config["config"]
    if not isinstance(name, str):
        raise ArgumentTypeError(f"the name of a {kind}", _cut(name), "loading")
    if kind == "function":
        found = registration.find_function(name, config.get("module"))
        if found is not None:
            return found
    else:
        module, _, short = name.rpartition(".")
        found = registration.find_class(module or None, short, name)
        if inspect.isclass(found):
            return found
        if name in ("int", "float", "bool"):
            return {"int": int, "float": float, "bool": bool}[name]
        try:
            return dtypes.standardize_dtype(name)
        except (HornbeamError, TypeError, ValueError):
            pass
    raise ArgumentTypeError(
        f"the name of a known {kind}", repr(name), "loading",
        f"Register it with @hornbeam.saving.register_keras_serializable() and import its module before loading, or "
        f"pass custom_objects={{{name!r}: ...}}.",
    )


def _made_object(class_name: str, config: Mapping[str, Any]) -> Any:
    module, registered_name = config.get("module"), config.get("registered_name")
    inner = config["config"]
    state = _loading.get()
    assert state is not None
    shared_id = config.get("shared_object_id")
    if isinstance(shared_id, int) and shared_id in state.shared:
        known, made = state.shared[shared_id]
        # Keras numbers by memory address, which may come again: one object only if all else is equal, too
        if known == config:
            return made
    cls = registration.find_class(
        module if isinstance(module, str) else None, class_name,
        registered_name if isinstance(registered_name, str) else None,
    )
    if cls is None or not (inspect.isclass(cls) or callable(cls)):
        raise ArgumentTypeError(
            "a class of Keras or one that you registered", f"{f'{module}.' if module else ''}{class_name}", "loading",
            "Classes of your own are registered with @hornbeam.saving.register_keras_serializable() in a module that "
            f"is imported before loading, or passed as custom_objects={{{class_name!r}: ...}}. "
            + nearest(class_name, registration.known_class_names()),
        )
    if not inspect.isclass(cls):
        return cls
    make = getattr(cls, "from_config", None)
    if make is None or not (hasattr(cls, "get_config") or registration.is_registered(cls)):
        raise ArgumentTypeError(
            "a class with a from_config() class method", f"{class_name} without one", "loading",
            "Add: @classmethod def from_config(cls, config): return cls(**config).",
        )
    if not isinstance(inner, Mapping):
        raise ArgumentTypeError("a dict as config", _cut(inner), f"loading {class_name}")
    where = f"loading {class_name} {str(inner.get('name', ''))!r}"
    advice = f"get_config() and __init__ of {class_name} must fit together."
    try:
        made = make(dict(inner))
        if config.get("build_config") and hasattr(made, "build_from_config"):
            made.build_from_config(_made(config["build_config"]))
        advice = "If it cannot be compiled as it was, load it with compile=False and call compile() yourself."
        if state.with_compile and config.get("compile_config") and hasattr(made, "compile_from_config"):
            made.compile_from_config(config["compile_config"])
    except HornbeamError as problem:
        problem.add_note(f"While {where}.")
        raise
    except RecursionError:
        raise DamagedFileError("objects nested less deeply", "a circle or a bomb", where) from None
    except Exception as problem:
        raise ArgumentTypeError(
            f"a config from which {class_name} can be made", f"{type(problem).__name__}: {_cut(str(problem))}", where,
            advice,
        ) from problem
    if isinstance(shared_id, int):
        state.shared[shared_id] = (dict(config), made)
    return made


def _cut(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 300 else text[:297] + "..."


# --- text --------------------------------------------------------------------------------------------------------


def to_text(value: Any) -> str:
    """A serialized value as JSON."""
    return json.dumps(value)


def from_text(text: str | bytes, where: str) -> Any:
    """The value in a JSON text from a file, refused if it is broken, too long or too deep."""
    if len(text) > MAX_CONFIG_BYTES:
        raise UnsafeFileError(f"a config of at most {MAX_CONFIG_BYTES} bytes", str(len(text)), where)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise DamagedFileError("a config in JSON", str(problem), where, "The file is damaged.") from problem
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MAX_CONFIG_DEPTH):
        level = [
            part
            for one in level
            for part in (one.values() if isinstance(one, dict) else one)
            if isinstance(part, (dict, list))
        ]
        if not level:
            return value
    raise UnsafeFileError(f"a config nested at most {MAX_CONFIG_DEPTH} deep", "a deeper one", where)
