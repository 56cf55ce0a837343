"""`hornbeam.config`: settings of the process, and which backend runs."""

from __future__ import annotations

from contextlib import AbstractContextManager

import hornbeam
from hornbeam._config import (
    BACKENDS,
    disable_flash_attention,
    disable_interactive_logging,
    disable_traceback_filtering,
    enable_flash_attention,
    enable_interactive_logging,
    enable_traceback_filtering,
    epsilon,
    floatx,
    image_data_format,
    is_flash_attention_enabled,
    is_interactive_logging_enabled,
    is_traceback_filtering_enabled,
    max_epochs,
    max_steps_per_epoch,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    set_max_epochs,
    set_max_steps_per_epoch,
    set_reproducible_random,
)
from hornbeam.backend import active
from hornbeam.dtype_policies import dtype_policy, set_dtype_policy
from hornbeam.errors import StateError, UnknownNameError
from hornbeam.random.sampling import equal_everywhere
from hornbeam.saving.config import enable_unsafe_deserialization

__all__ = [
    "backend", "device", "disable_flash_attention", "disable_interactive_logging", "disable_traceback_filtering",
    "dtype_policy", "enable_flash_attention", "enable_interactive_logging", "enable_traceback_filtering",
    "enable_unsafe_deserialization", "epsilon", "floatx", "image_data_format", "is_flash_attention_enabled",
    "is_interactive_logging_enabled", "is_nnx_enabled", "is_reproducible_random", "is_traceback_filtering_enabled",
    "max_epochs", "max_steps_per_epoch", "set_backend", "set_dtype_policy", "set_epsilon", "set_floatx",
    "set_image_data_format", "set_max_epochs", "set_max_steps_per_epoch", "set_reproducible_random", "version",
]


def backend() -> str:
    """The name of the backend of this process.

    >>> backend() in ("jax", "torch", "tensorflow", "numpy")
    True
    """
    return active.name


def set_backend(backend: str) -> None:
    """Refuses any other backend than the one that runs: it is chosen once, before the first import.

    Raises:
        RuntimeError: If another backend is asked for.
    """
    if backend not in BACKENDS:
        raise UnknownNameError("backend", backend, BACKENDS, "set_backend")
    if backend != active.name:
        raise StateError(
            "the backend to be chosen before hornbeam is imported", f"{backend!r} while {active.name!r} runs",
            "set_backend", f"Start Python with HORNBEAM_BACKEND={backend}.",
        )


def is_nnx_enabled() -> bool:
    """Whether layers are Flax NNX modules; they are not."""
    return False


def is_reproducible_random() -> bool:
    """Whether random numbers of a seed are equal on all backends; see `set_reproducible_random`.

    >>> set_reproducible_random(True)
    >>> is_reproducible_random()
    True
    >>> set_reproducible_random(None)
    """
    return equal_everywhere()


def device(device_name: str) -> AbstractContextManager:
    """A scope in which new tensors lie on a device.

    Args:
        device_name: A name such as "cpu:0" or "gpu:1".

    Raises:
        ValueError: If there is no such device; the text lists those there are.
    """
    return active.device(device_name)


def version() -> str:
    """The version of hornbeam."""
    return hornbeam.__version__
