"""Gives a package names that load the module behind them on first touch (PEP 562); knows none of the names."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from hornbeam.errors import UnknownAttributeError, nearest


def attach(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Makes the `__getattr__` and `__dir__` of a package whose names live in modules loaded later.

    Args:
        package: The package's `__name__`.
        names: Each public name with the full name of the module that defines it; a module whose own last
            part is the name stands for itself.

    Returns:
        `__getattr__` and `__dir__`, to be bound in the package.

    >>> get, _ = attach("hornbeam", {"standardize_dtype": "hornbeam.dtypes"})
    >>> get("standardize_dtype")(float)
    'float32'
    """

    def load(name: str) -> Any:
        home = names.get(name)
        if home is None:
            if name.startswith("__"):  # asked by inspect, pickle and others about every module
                raise AttributeError(f"module {package!r} has no attribute {name!r}")
            raise UnknownAttributeError("a public name", repr(name), package, nearest(name, names))
        module = importlib.import_module(home)
        found = module if home == f"{package}.{name}" else getattr(module, name)
        setattr(sys.modules[package], name, found)  # the next touch is a plain attribute
        return found

    def listed() -> list[str]:
        return sorted({*vars(sys.modules[package]), *names})

    return load, listed
