"""What the recorder of families_table.py and its tests share: strange inputs, weights, numbers as json has them."""

from __future__ import annotations

from typing import Any

import numpy as np

STRANGE = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, 1e30, -1e30]


def strange(tensors: list[np.ndarray]) -> list[np.ndarray]:
    """Float tensors with special values, one in each row, so that rows stay apart."""
    result = []
    for one in tensors:
        if one.dtype == np.float32 and one.ndim > 1:
            one = np.repeat(one[:1], len(STRANGE), axis=0)
            one[:, 0] = np.reshape(STRANGE, (-1, *(1,) * (one.ndim - 2)))
        result.append(one)
    return result


def weights_like(shape: Any) -> np.ndarray:
    """Numbers that make a sum depend on every element."""
    return np.cos(np.arange(int(np.prod(shape)), dtype="float32")).reshape(shape)


def as_numbers(value: Any) -> Any:
    """An array as nested lists of numbers; complex ones as a pair of lists."""
    array = np.asarray(value)
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag])
    if array.dtype.kind in "iub":
        return array.tolist()
    return _rounded(array.astype("float64").tolist())


def _rounded(value: Any) -> Any:
    return [_rounded(one) for one in value] if isinstance(value, list) else float(f"{value:.7g}")
