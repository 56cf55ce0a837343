"""Process-wide settings: default float type, epsilon, image layout, backend choice, verbosity.

They start from `~/.keras/keras.json` (or `$KERAS_HOME`), as Keras users expect, and from the environment.
"""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError

BACKENDS = ("jax", "torch", "tensorflow", "numpy")
_FLOATS = ("float16", "bfloat16", "float32", "float64")
_LAYOUTS = ("channels_last", "channels_first")


def home() -> Path:
    """The folder that holds `keras.json` and cached data sets: `$KERAS_HOME`, else `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def _read_file() -> dict[str, Any]:
    try:
        values = json.loads((home() / "keras.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _chosen_random() -> bool | None:
    """The choice in the environment, else in the file; None where there is none."""
    text = os.environ.get("HORNBEAM_REPRODUCIBLE_RANDOM", "")
    if text and text not in ("0", "1"):
        raise ArgumentError("0 or 1", repr(text), "environment variable HORNBEAM_REPRODUCIBLE_RANDOM")
    own = _file.get("reproducible_random")
    return text == "1" if text else own if isinstance(own, bool) else None


_file = _read_file()
_floatx: str = _file["floatx"] if _file.get("floatx") in _FLOATS else "float32"
_epsilon: float = float(_file["epsilon"]) if isinstance(_file.get("epsilon"), float) else 1e-7
_layout: str = _file["image_data_format"] if _file.get("image_data_format") in _LAYOUTS else "channels_last"
_interactive = True
_flash_attention: bool | None = None
_reproducible_random: bool | None = _chosen_random()
_traceback_filtering = True


def choose_backend() -> str:
    """The name of the backend this process uses.

    That of `$HORNBEAM_BACKEND`, else `$KERAS_BACKEND`, else the first of jax, torch, tensorflow, numpy that is
    installed and that hornbeam has. A name asked for is never replaced by another. The backend in `keras.json`
    does not count: Keras writes it there unasked when it is first imported.
    """
    for variable in ("HORNBEAM_BACKEND", "KERAS_BACKEND"):
        name = os.environ.get(variable)
        if name:
            if name not in BACKENDS:
                raise UnknownNameError("backend", name, BACKENDS, f"environment variable {variable}")
            return name
    return next(name for name in BACKENDS if name in available() and importlib.util.find_spec(name) is not None)


def available() -> tuple[str, ...]:
    """The names of the backends that hornbeam has, whether or not their frameworks are installed."""
    return tuple(name for name in BACKENDS if (Path(__file__).parent / "backend" / name / "__init__.py").exists())


def floatx() -> str:
    """The default float type, such as ``"float32"``."""
    return _floatx


def set_floatx(value: str) -> None:
    """Sets the default float type: "float16", "bfloat16", "float32" or "float64"."""
    global _floatx
    if value not in _FLOATS:
        raise UnknownNameError("float type", value, _FLOATS, "set_floatx")
    _floatx = str(value)


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite."""
    return _epsilon


def set_epsilon(value: float) -> None:
    """Sets the value of `epsilon`."""
    global _epsilon
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ArgumentTypeError("a number", repr(value), "set_epsilon")
    _epsilon = float(value)


def image_data_format() -> str:
    """The default layout of images: "channels_last" or "channels_first"."""
    return _layout


def set_image_data_format(data_format: str) -> None:
    """Sets the default layout of images: "channels_last" or "channels_first"."""
    global _layout
    if data_format not in _LAYOUTS:
        raise UnknownNameError("image layout", data_format, _LAYOUTS, "set_image_data_format")
    _layout = str(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """`data_format` checked, or the default layout for None."""
    if data_format is None:
        return _layout
    name = str(data_format).lower()
    if name not in _LAYOUTS:
        raise UnknownNameError("image layout", data_format, _LAYOUTS, "data_format")
    return name


def enable_interactive_logging() -> None:
    """Progress goes to standard output (the default)."""
    global _interactive
    _interactive = True


def disable_interactive_logging() -> None:
    """Progress goes to Python's `logging` instead of standard output."""
    global _interactive
    _interactive = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress goes to standard output."""
    return _interactive


def enable_traceback_filtering() -> None:
    """Tracebacks hide hornbeam's own frames (the default)."""
    global _traceback_filtering
    _traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Tracebacks show all frames."""
    global _traceback_filtering
    _traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Whether tracebacks hide hornbeam's own frames."""
    return _traceback_filtering


def enable_flash_attention() -> None:
    """Makes attention layers ask for a fused kernel; where a device has none, they then fail."""
    global _flash_attention
    _flash_attention = True


def disable_flash_attention() -> None:
    """Makes attention layers take no fused kernel."""
    global _flash_attention
    _flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """Whether attention layers ask for a fused kernel; None, as at first, leaves it to the backend."""
    return _flash_attention


def set_reproducible_random(value: bool | None) -> None:
    """Says whether random numbers of a seed are to be equal on all backends.

    They are drawn from Threefry-2x32 then (J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC
    2011), else from the generator that is fastest on the backend; a seed gives the same numbers each time in either
    case. First values of weights and the order of shuffled data are equal on all backends always. Functions that are
    compiled already keep the choice that held when they were.

    Args:
        value: True or False; None leaves it to the backend, which chooses Threefry where it costs next to nothing.

    Raises:
        TypeError: For anything else.

    >>> import hornbeam as keras
    >>> keras.config.set_reproducible_random(True)
    >>> float(keras.random.uniform((), seed=42)) > 0.5667
    True
    >>> keras.config.set_reproducible_random(None)
    """
    global _reproducible_random
    if value is not None and not isinstance(value, bool):
        raise ArgumentTypeError("True, False or None", repr(value), "set_reproducible_random")
    _reproducible_random = value


def reproducible_random() -> bool | None:
    """What was chosen by `set_reproducible_random`, the environment or the settings file."""
    return _reproducible_random


def _positive(value: int | None, where: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ArgumentError("a positive integer or None", repr(value), where)
    return value


def max_epochs() -> int | None:
    """The most epochs any `fit` runs, or None; first `$KERAS_MAX_EPOCHS`."""
    return _max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Limits the epochs of every `fit`, for quick trials of long programs."""
    global _max_epochs
    _max_epochs = _positive(max_epochs, "set_max_epochs")


def max_steps_per_epoch() -> int | None:
    """The most steps an epoch runs, or None; first `$KERAS_MAX_STEPS_PER_EPOCH`."""
    return _max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limits the steps of every epoch, for quick trials of long programs."""
    global _max_steps_per_epoch
    _max_steps_per_epoch = _positive(max_steps_per_epoch, "set_max_steps_per_epoch")


def _from_environment(name: str) -> int | None:
    text = os.environ.get(name)
    return _positive(int(text), name) if text and text.isdigit() else None


# Read once, as Keras does: each `predict` asks for the steps.
_max_epochs = _from_environment("KERAS_MAX_EPOCHS")
_max_steps_per_epoch = _from_environment("KERAS_MAX_STEPS_PER_EPOCH")
