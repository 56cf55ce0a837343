"""Objects as Keras wrote them before modules stood beside class names: `{"class_name": ..., "config": ...}`.

Older programs call these two functions from a `get_config` and `from_config` of their own. Whole files in that form are
read in `legacy.py` and `archive.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hornbeam.errors import ArgumentError, nearest
from hornbeam.saving.registration import CustomObjectScope, get_registered_name, get_registered_object

# Keras marks objects that stand in the config of another one so.
_PASSIVE = "__passive_serialization__"


def serialize_keras_object(instance: Any) -> Any:
    """The older form of an object with `get_config`, or the name of a function.

    Args:
        instance: An object with `get_config`, a function, or None.

    Returns:
        `{"class_name": ..., "config": ...}`, a name, or None.

    Raises:
        ValueError: For anything else.

    >>> import hornbeam as keras
    >>> serialize_keras_object(keras.regularizers.L2(0.5))
    {'class_name': 'L2', 'config': {'l2': 0.5}}
    >>> serialize_keras_object(keras.activations.relu)
    'relu'
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        if isinstance(instance, type):
            raise ArgumentError("an object", f"the class {instance.__name__}", "serialize_keras_object")
        config = {name: _inside(value) for name, value in instance.get_config().items()}
        return {"class_name": get_registered_name(type(instance)), "config": config}
    if hasattr(instance, "__name__"):
        return get_registered_name(instance)
    raise ArgumentError("an object with get_config(), a function or None", repr(instance), "serialize_keras_object")


def _inside(value: Any) -> Any:
    """A value in a config; what has no older form stays as it is."""
    if isinstance(value, str) or not (hasattr(value, "get_config") or hasattr(value, "__name__")):
        return value
    found = serialize_keras_object(value)
    return {**found, _PASSIVE: True} if isinstance(found, dict) else found


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object that `serialize_keras_object` wrote.

    Args:
        identifier: `{"class_name": ..., "config": ...}`, a name, a function, which comes back, or None.
        module_objects: Classes and functions by name, such as `vars(keras.layers)`.
        custom_objects: Further ones, which come before those.
        printable_module_name: What to call the object in errors.

    Returns:
        The object. A class that is named alone is called without arguments.

    Raises:
        ValueError: For names that are not known, and for anything else.

    >>> import hornbeam as keras
    >>> deserialize_keras_object({"class_name": "L2", "config": {"l2": 0.5}}, vars(keras.regularizers)).l2
    0.5
    """
    if identifier is None:
        return None
    if isinstance(identifier, Mapping):
        if "class_name" not in identifier or "config" not in identifier:
            raise ArgumentError("a dict with 'class_name' and 'config'", repr(identifier), "deserialize_keras_object")
        found = _named(identifier["class_name"], module_objects, custom_objects, printable_module_name)
        config = {name: _read(value, custom_objects) for name, value in identifier["config"].items()}
        with CustomObjectScope(custom_objects):
            return found.from_config(config) if hasattr(found, "from_config") else found(**config)
    if isinstance(identifier, str):
        found = _named(identifier, module_objects, custom_objects, printable_module_name)
        return found() if isinstance(found, type) else found
    if callable(identifier) and hasattr(identifier, "__name__") and not isinstance(identifier, type):
        return identifier
    raise ArgumentError(
        f"a name, a function or the config of {printable_module_name}", repr(identifier), "deserialize_keras_object"
    )


def _read(value: Any, custom_objects: Mapping[str, Any] | None) -> Any:
    """A value in a config, made where it was marked as an object."""
    if isinstance(value, Mapping) and value.get(_PASSIVE):
        return deserialize_keras_object(value, custom_objects=custom_objects)
    return value


def _named(
    name: str, module_objects: Mapping[str, Any] | None, custom_objects: Mapping[str, Any] | None, kind: str
) -> Any:
    found = get_registered_object(name, custom_objects, module_objects)
    if found is None and module_objects and "__getattr__" in module_objects:  # a package whose names load late
        with suppress(AttributeError):
            found = module_objects["__getattr__"](name)
    if found is None:
        raise ArgumentError(
            f"the name of a known {kind}", repr(name), "deserialize_keras_object",
            nearest(name, {*(module_objects or ()), *(custom_objects or ())})
            or "Pass it in custom_objects, or register it with keras.saving.register_keras_serializable().",
        )  # fmt: skip
    return found
