"""The only registry between wire names, as files write them, and the objects they name.

A wire name is declared where the object is defined and never derived from where the code lives, so that
folders can change without touching a saved file. Loading is an allowlist: what is not here is not loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from hornbeam.errors import ArgumentError

_T = TypeVar("_T")

keras_version = "3.15.1"
"""The Keras whose interface hornbeam has and whose files it writes; what those files and `keras.__version__` say."""

_by_name: dict[str, Any] = {}
_by_object: dict[Any, str] = {}
_by_module: dict[str, dict[str, Any]] = {}


def wire(name: str, *aliases: str) -> Callable[[_T], _T]:
    """Declares the name under which files refer to an object.

    Args:
        name: `module.ClassName` as Keras writes it, such as ``"keras.layers.Dense"``. This one is written.
        *aliases: Further names that files may carry for the same object. They are only read.

    Returns:
        A decorator that registers the class or function and returns it unchanged.
    """

    def register(target: _T) -> _T:
        for one in (name, *aliases):
            if _by_name.setdefault(one, target) is not target:
                raise ArgumentError("a wire name that is still free", repr(one), "wire")
            module, _, short = one.rpartition(".")
            _by_module.setdefault(module, {})[short] = target
        _by_object[target] = name
        return target

    return register


def name_of(target: Any) -> str | None:
    """The wire name of an object, or None if it has none."""
    try:
        return _by_object.get(target)
    except TypeError:  # unhashable
        return None


def find(name: str) -> Any | None:
    """The object with this full wire name, or None."""
    return _by_name.get(name)


def names() -> Iterator[str]:
    """All wire names, aliases included."""
    return iter(_by_name)


def members(module: str) -> Mapping[str, Any]:
    """All objects whose wire name lies directly in `module`, such as ``"keras.losses"``, by short name."""
    return MappingProxyType(_by_module.setdefault(module, {}))
