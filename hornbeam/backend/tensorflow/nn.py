"""Ops for which TensorFlow owns a better kernel than their plain form, or no plain form of its own: one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.backend.tensorflow import indexing

OVERRIDES: dict[str, Callable[..., Any]] = {
    "_get_item": indexing.get_item,
    "view": indexing.view,
}
