"""Picks one backend for the process, on first import, and holds it as `active`."""

from __future__ import annotations

import importlib

from hornbeam import _config
from hornbeam._lazy import attach
from hornbeam.backend.base import Backend, Struct
from hornbeam.errors import MissingDependencyError, UnsupportedError

__all__ = ["Backend", "Struct", "active"]

_HOW = "Set HORNBEAM_BACKEND to one of them."


def _load(name: str) -> Backend:
    if name not in _config.available():
        known = ", ".join(_config.available())
        raise UnsupportedError(f"a backend that hornbeam has: {known}", repr(name), "the backend", _HOW)
    try:
        module = importlib.import_module(f"hornbeam.backend.{name}")
    except ModuleNotFoundError as missing:
        if missing.name and missing.name.startswith("hornbeam"):
            raise
        raise MissingDependencyError(name, f"the {name} backend", name) from missing
    return module.backend


active: Backend = _load(_config.choose_backend())

# the public names of `keras.backend`, from higher floors, loaded on first touch
_NAMES = {
    "backend": "hornbeam.config",
    "clear_session": "hornbeam.utils.session",
    "epsilon": "hornbeam._config",
    "floatx": "hornbeam._config",
    "get_uid": "hornbeam.scope",
    "image_data_format": "hornbeam._config",
    "is_float_dtype": "hornbeam.utils.session",
    "is_int_dtype": "hornbeam.utils.session",
    "is_keras_tensor": "hornbeam.utils.session",
    "result_type": "hornbeam.dtypes",
    "set_epsilon": "hornbeam._config",
    "set_floatx": "hornbeam._config",
    "set_image_data_format": "hornbeam._config",
    "standardize_dtype": "hornbeam.dtypes",
}
__getattr__, __dir__ = attach(__name__, _NAMES)
