"""Picks one backend for the process, on first import, and holds it as `active`."""

from __future__ import annotations

import importlib

from hornbeam import _config
from hornbeam.backend.base import Backend, Struct
from hornbeam.errors import MissingDependencyError

__all__ = ["Backend", "Struct", "active"]


def _load(name: str) -> Backend:
    try:
        module = importlib.import_module(f"hornbeam.backend.{name}")
    except ModuleNotFoundError as missing:
        if missing.name and missing.name.startswith("hornbeam"):
            raise
        raise MissingDependencyError(name, f"the {name} backend", name) from missing
    return module.backend


active: Backend = _load(_config.choose_backend())
