"""Ops for which TensorFlow owns a better kernel than their plain form: one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

OVERRIDES: dict[str, Callable[..., Any]] = {}
