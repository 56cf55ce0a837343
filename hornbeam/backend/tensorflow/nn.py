"""Ops for which TensorFlow owns a better kernel than their plain form, or no plain form of its own: one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.backend.tensorflow import control, indexing

OVERRIDES: dict[str, Callable[..., Any]] = {
    "jvp": control.jvp,
    "view": indexing.view,
}
