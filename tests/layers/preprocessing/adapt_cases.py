"""Data for `adapt`, the same for our layers and Keras's; knows neither."""

from __future__ import annotations

from typing import Any

import numpy as np

_draw = np.random.RandomState(11)
TABLE = _draw.normal(1.0, 2.0, (40, 3)).astype("float32")
CUBE = _draw.normal(-1.0, 2.0, (4, 3, 5)).astype("float32")

NORMALIZATION: dict[str, dict[str, Any]] = {
    "features": {"axis": -1, "data": [TABLE]},
    "everything": {"axis": None, "data": [TABLE]},
    "integers": {"axis": -1, "data": [np.arange(12).reshape(4, 3)]},
    "twice": {"axis": -1, "data": [TABLE * 3, TABLE]},
    "constant": {"axis": -1, "data": [np.ones((5, 2), "float32")]},
    "one axis": {"axis": None, "data": [np.arange(5.0)]},
    "samples": {"axis": 0, "data": [CUBE]},
    "middle": {"axis": 1, "data": [CUBE]},
    "two": {"axis": (1, 2), "data": [CUBE]},
    "first and last": {"axis": (0, -1), "data": [CUBE]},
}


def _pieces(*sizes: int) -> list[np.ndarray]:
    draw = np.random.RandomState(len(sizes))
    return [draw.normal(size=size).astype("float32") for size in sizes]


DISCRETIZATION: dict[str, dict[str, Any]] = {
    f"{name}, {epsilon}": {"data": data, "num_bins": bins, "epsilon": epsilon}
    for name, data, bins in (
        ("one piece", _pieces(1000), 10),
        ("round", _pieces(700), 6),
        ("pieces", _pieces(50, 3, 200, 17), 4),
        ("few", [np.array([1.0, 2.0], "float32")], 4),
        ("equal", [np.ones(50, "float32")], 4),
        ("integers", [np.arange(100)], 7),
        ("table", [TABLE], 3),
        ("long", _pieces(70000), 5),
    )
    for epsilon in (0.01, 0.03, 0.07, 0.15, 0.4)
}
