"""Names of the user's own classes and functions, and the one place that turns a name from a file into an object.

What is found here is all that a file can name: what hornbeam declared with a wire name in the namespaces below,
and what the user registered or passed. Nothing is ever imported because a file says so.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from typing import Any, TypeVar, cast

from hornbeam import _wire
from hornbeam.errors import ArgumentError, ArgumentTypeError

_T = TypeVar("_T")

_global: dict[str, Any] = {}
_names: dict[int, tuple[Any, str]] = {}
_scopes: ContextVar[tuple[Mapping[str, Any], ...]] = ContextVar("custom_objects", default=())

# The namespaces whose members a file may name, in order of preference, with the package that declares them.
# Utilities, data sets, callbacks and settings are not here: a model is not made of them.
_PACKAGES: dict[str, str] = {
    "keras.layers": "hornbeam.layers",
    "keras": "hornbeam.models",
    "keras.models": "hornbeam.models",
    "keras.src.models.functional": "hornbeam.models",
    "keras.losses": "hornbeam.losses",
    "keras.metrics": "hornbeam.metrics",
    "keras.optimizers": "hornbeam.optimizers",
    "keras.optimizers.schedules": "hornbeam.optimizers",
    "keras.initializers": "hornbeam.initializers",
    "keras.regularizers": "hornbeam.regularizers",
    "keras.constraints": "hornbeam.constraints",
    "keras.activations": "hornbeam.activations",
    "keras.dtype_policies": "hornbeam.dtype_policies",
    "keras.quantizers": "hornbeam.quantizers",
    "keras.random": "hornbeam.random",
    "keras.ops": "hornbeam.ops",
    "keras.src.ops": "hornbeam.ops",
    "keras.utils": "hornbeam.layers.preprocessing.feature_space",  # the one layer there
    "keras.src.layers.preprocessing.feature_space": "hornbeam.layers.preprocessing.feature_space",
}
# Where Keras keeps its members is visible in files of some versions: the folder says the public namespace.
_SOURCE_FOLDERS: dict[str, str] = {
    "keras.src.layers": "keras.layers",
    "keras.src.models": "keras",
    "keras.src.engine": "keras",
    "keras.src.losses": "keras.losses",
    "keras.src.metrics": "keras.metrics",
    "keras.src.optimizers.schedules": "keras.optimizers.schedules",
    "keras.src.optimizers": "keras.optimizers",
    "keras.src.initializers": "keras.initializers",
    "keras.src.regularizers": "keras.regularizers",
    "keras.src.constraints": "keras.constraints",
    "keras.src.activations": "keras.activations",
    "keras.src.dtype_policies": "keras.dtype_policies",
    "keras.src.quantizers": "keras.quantizers",
    "keras.src.random": "keras.random",
}
_FUNCTION_NAMESPACES = ("keras.activations", "keras.losses", "keras.metrics")
_loaded: set[str] = set()
_loaded_fully: set[str] = set()


# --- the user's objects ----------------------------------------------------------------------------------------


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[_T], _T]:
    """Makes a class or function of the user known to loading, under `package>name`.

    Args:
        package: A word that keeps the names of different projects apart.
        name: The name; None takes that of the class or function.

    Returns:
        A decorator that registers its argument and returns it unchanged. A second registration of the same
        name replaces the first, so that a notebook cell can be run again.

    Raises:
        ValueError: For a class without `get_config`.

    >>> @register_keras_serializable("doctest")
    ... def double(x):
    ...     return 2 * x
    >>> get_registered_name(double)
    'doctest>double'
    """

    def register(target: _T) -> _T:
        own_name = getattr(target, "__name__", None)
        if not callable(target) or own_name is None:
            raise ArgumentTypeError("a class or a function", repr(target), "register_keras_serializable")
        if isinstance(target, type) and not hasattr(target, "get_config"):
            raise ArgumentError(
                "a class with a get_config() method", f"{own_name} without one", "register_keras_serializable",
                "Define get_config() so that it returns the arguments of __init__ as a dict.",
            )
        full = f"{package}>{name if name is not None else own_name}"
        old = _global.get(full)
        if old is not None:
            _names.pop(id(old), None)
        _global[full] = target
        _names[id(target)] = (target, full)
        return cast(_T, target)

    return register


def get_custom_objects() -> dict[str, Any]:
    """The dict of all globally registered objects by name; it may be changed in place."""
    return _global


class CustomObjectScope:
    """Makes objects of the user known to loading inside a `with` block.

    Args:
        custom_objects: Classes and functions by the names that files have for them.

    >>> with CustomObjectScope({"twice": lambda x: 2 * x}):
    ...     get_registered_object("twice") is not None
    True
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        if custom_objects is not None and not isinstance(custom_objects, Mapping):
            raise ArgumentTypeError("a dict of names and objects", repr(custom_objects), "CustomObjectScope")
        self.custom_objects = dict(custom_objects or {})
        self._tokens: list[Token] = []

    def __enter__(self) -> CustomObjectScope:
        self._tokens.append(_scopes.set((self.custom_objects, *_scopes.get())))
        return self

    def __exit__(self, *_: Any) -> None:
        _scopes.reset(self._tokens.pop())


custom_object_scope = CustomObjectScope


def get_registered_name(obj: Any) -> str:
    """The name under which `obj` is registered, or its `__name__`."""
    entry = _names.get(id(obj))
    if entry is not None and entry[0] is obj:
        return entry[1]
    return obj.__name__


def is_registered(obj: Any) -> bool:
    """Whether the user registered `obj` with `register_keras_serializable`."""
    entry = _names.get(id(obj))
    return entry is not None and entry[0] is obj


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any | None:
    """The object of the user with this name, or None.

    Args:
        name: The registered name, such as ``"Custom>MyLayer"``.
        custom_objects: Objects that are known for this call only.
        module_objects: Objects to fall back on.
    """
    for place in (custom_objects, *_scopes.get(), _global, module_objects):
        if place and name in place:
            return place[name]
    return None


# --- names from files ------------------------------------------------------------------------------------------


# Modules that declare members without being named by their package.
_MODULES = {"hornbeam.models": ("hornbeam.models.functional", "hornbeam.models.sequential")}


def load_namespace(module: str) -> None:
    """Imports the package of ours that declares the members of a namespace of the table above."""
    package = _PACKAGES.get(module)
    if package is None or package in _loaded:
        return
    for one in (package, *_MODULES.get(package, ())):
        try:
            importlib.import_module(one)
        except ModuleNotFoundError as missing:
            if missing.name not in _PACKAGES.values():  # a package of ours that is still to be written
                raise
            return
    _loaded.add(package)


def load_named(module: str, name: str) -> None:
    """Makes a package of ours load the member `name`, in CamelCase or snake_case, if its own table has it."""
    load_namespace(module)
    package = sys.modules.get(_PACKAGES.get(module, ""))
    wanted = name.replace("_", "").lower()
    for one in getattr(package, "_NAMES", ()):
        if one.replace("_", "").lower() == wanted:
            getattr(package, one)


def load_fully(module: str) -> None:
    """Makes a package of ours load what it loads on first touch, so that all its members are declared."""
    load_namespace(module)
    package = sys.modules.get(_PACKAGES.get(module, ""))
    if package is None or package.__name__ in _loaded_fully:
        return
    _loaded_fully.add(package.__name__)
    for name in dir(package):
        if not name.startswith("_"):
            try:
                getattr(package, name, None)
            except ModuleNotFoundError as missing:
                if not (missing.name or "").startswith("hornbeam."):  # ours that is still to be written
                    raise


def members(module: str) -> Mapping[str, Any]:
    """All objects that hornbeam declared in `module`, such as ``"keras.losses"``, by short name."""
    load_namespace(module)
    return _wire.members(module)


def find_class(
    module: str | None,
    class_name: str,
    registered_name: str | None = None,
    custom_objects: Mapping[str, Any] | None = None,
) -> Any | None:
    """The class that a file names, or None: the choke point of loading.

    Args:
        module: What the file gives as module: a public namespace, a place in Keras's source, or whatever the
            writer's program was called. It is compared, never imported.
        class_name: The short name.
        registered_name: The name under which the user registered the class, if any.
        custom_objects: Objects that are known for this call only.
    """
    of_keras = isinstance(module, str) and (module == "keras" or module.startswith("keras."))
    if of_keras:
        found = _declared(module or "", class_name)
        if found is not None:
            return found
    for name in (registered_name, class_name):
        if name:
            found = get_registered_object(name, custom_objects)
            if found is not None:
                return found
    return None if module else _declared_anywhere(class_name)


def _declared(module: str, class_name: str) -> Any | None:
    if "." in class_name or not class_name:
        return None
    if module.startswith("keras.src.ops."):
        load_namespace("keras.src.ops")
        return _wire.find(f"{module}.{class_name}")
    if module in _PACKAGES:
        found = members(module).get(class_name)
        if found is None:
            load_named(module, class_name)
            found = members(module).get(class_name)
        if found is None:  # what only a file can name
            load_fully(module)
            found = members(module).get(class_name)
        if found is not None:
            return found if inspect.isclass(found) else None
    if module in ("keras", "keras.models"):  # the same classes under several roofs
        for other in ("keras.models", "keras.src.models.functional", "keras.dtype_policies"):
            found = members(other).get(class_name) or members("keras").get(class_name)
            if inspect.isclass(found):
                return found
    for folder, namespace in _SOURCE_FOLDERS.items():
        if module == folder or module.startswith(folder + "."):
            return _declared(namespace, class_name)
    return None


def _declared_anywhere(class_name: str) -> Any | None:
    # older files give no module
    for module in _PACKAGES:
        found = _declared(module, class_name)
        if found is not None and inspect.isclass(found):
            return found
    return None


def find_function(name: str, module: str | None = None, custom_objects: Mapping[str, Any] | None = None) -> Any | None:
    """The function that a file names, or None. Files give short names for Keras's own functions."""
    for space in _FUNCTION_NAMESPACES if module in (None, "builtins") else (module,):
        if space in _FUNCTION_NAMESPACES:
            found = members(space).get(name)
            if found is not None and not inspect.isclass(found):
                return found
    found = get_registered_object(name, custom_objects)
    if found is not None and callable(found):
        return found
    return _op(name)


def _op(name: str) -> Any | None:
    """The op with this name as its function has it."""
    load_namespace("keras.src.ops")
    from_ops = getattr(importlib.import_module("hornbeam.ops"), name, None) if name.isidentifier() else None
    return from_ops if getattr(from_ops, "definition", None) is not None else None


def all_custom_objects() -> dict[str, Any]:
    """All objects of the user that are known now, by name; the innermost scope wins."""
    result = dict(_global)
    for scope in reversed(_scopes.get()):
        result.update(scope)
    return result


def known_class_names() -> list[str]:
    """All names that files may use for classes now, for error texts."""
    for module in _PACKAGES:
        load_fully(module)
    own = [name for module in _PACKAGES for name, one in members(module).items() if inspect.isclass(one)]
    return sorted({*own, *_global, *(name for scope in _scopes.get() for name in scope)})
