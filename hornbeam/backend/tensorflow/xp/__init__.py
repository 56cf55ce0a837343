"""NumPy's names over TensorFlow: what `backend.xp` is on this backend.

Each function takes and gives tensors, in the dtypes that hornbeam's ops have settled before. It covers what hornbeam
uses, with NumPy's meaning; TensorFlow's own NumPy module widens dtypes and wraps tensors in its own way.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.backend.tensorflow.xp import (
    common,
    creating,
    elementwise,
    fft,
    linalg,
    mapping,
    ordering,
    padding,
    products,
    reducing,
    shaping,
)

__all__ = ["fft", "linalg"]  # and what NumPy has of the names in these files:
for _part in (common, creating, elementwise, mapping, ordering, padding, products, reducing, shaping):
    for _name, _value in vars(_part).items():
        if not _name.startswith("_") and hasattr(np, _name) and not isinstance(_value, ModuleType):
            globals()[_name] = _value

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
