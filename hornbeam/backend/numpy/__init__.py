"""The NumPy backend: inference and preprocessing with nothing installed, and the reference for the others.

It has no gradients and compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import ml_dtypes
import numpy as np

from hornbeam import tree
from hornbeam.backend import threefry
from hornbeam.backend.base import Backend, Struct
from hornbeam.dtypes import standardize_dtype

_EXTENDED = {
    name: np.dtype(getattr(ml_dtypes, name)) for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2", "int4", "uint4")
}


class NumpyBackend(Backend):
    """NumPy arrays as tensors."""

    name = "numpy"
    xp = np
    features = frozenset({"strings"})

    def is_array(self, value: Any) -> bool:
        return isinstance(value, (np.ndarray, np.generic))

    def asarray(self, value: Any, dtype: str | None = None) -> Any:
        if dtype is None:
            if isinstance(value, (np.ndarray, np.generic)):
                return np.asarray(value)
            result = np.asarray(value)
            # Python numbers and lists take the default types, as on the other backends
            if result.dtype == np.float64 and not hasattr(value, "dtype"):
                return result.astype(standardize_dtype(float))
            if result.dtype == np.int64 and not hasattr(value, "dtype"):
                return result.astype(np.int32)
            return result
        return np.asarray(value).astype(self.native_dtype(dtype), copy=False)

    def native_dtype(self, dtype: str) -> Any:
        return _EXTENDED.get(dtype) or (np.dtype(object) if dtype == "string" else np.dtype(dtype))

    def new_variable(
        self, value: Any, dtype: str, trainable: bool, name: str, aggregation: str | None = "none",
        synchronization: str | None = "auto",
    ) -> Any:
        return np.array(self.asarray(value, dtype))

    def write(self, handle: Any, value: Any) -> Any:
        return np.array(value)

    def linear(self, inputs: Any, kernel: Any, bias: Any) -> Any:
        # NumPy multiplies bfloat16 in float32 and leaves it there
        return super().linear(inputs, kernel, bias).astype(inputs.dtype, copy=False)

    def probe(self, function: Callable[..., Any], leaves: list[Any], description: Any) -> Any:
        arrays = [self._zeros(leaf) if isinstance(leaf, Struct) else leaf for leaf in leaves]
        args, kwargs = tree.unflatten(description, arrays)
        with np.errstate(all="ignore"):
            result = function(*args, **kwargs)
        return tree.map_structure(
            lambda leaf: Struct(leaf.shape, standardize_dtype(leaf.dtype)) if self.is_array(leaf) else leaf, result
        )

    def _zeros(self, leaf: Struct) -> np.ndarray:
        shape = cast("tuple[int, ...]", leaf.shape)  # complete: the interface says so
        return np.full(shape, "", object) if leaf.dtype == "string" else np.zeros(shape, self.native_dtype(leaf.dtype))

    def random_bits(self, key: Any, shape: Sequence[int]) -> Any:
        return threefry.bits(key, shape)


backend = NumpyBackend()
