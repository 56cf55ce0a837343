"""Feature spaces for which Keras's answers are recorded beside this file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

TABLE: dict[str, Any] = {
    "size": np.array([1.0, 2.5, -3.0, 4.0, 7.25, 0.5], "float32"),
    "age": np.array([20.0, 31.0, 42.0, 31.0, 55.0, 80.0], "float32"),
    "zip": np.array([3, 5, 3, 8, -2, 5]),
    "city": np.array(["Rome", "Bern", "Rome", "Oslo", "", "Zürich"]),
    "job": np.array(["cook", "nurse", "cook", "a job with quite a long name of many words", "nurse", "cook"]),
}
NEW: dict[str, Any] = {
    "size": np.array([0.0, 100.0], "float32"),
    "age": np.array([19.0, 42.0], "float32"),
    "zip": np.array([4, 8]),
    "city": np.array(["Paris", "Oslo"]),
    "job": np.array(["cook", "smith"]),
}


class Case(NamedTuple):
    """One space.

    Attributes:
        make: Makes it, with `keras.utils.FeatureSpace`.
        names: The columns of `TABLE` that it uses.
    """

    make: Callable[[Any], Any]
    names: tuple[str, ...]


ALL = ("size", "age", "zip", "city", "job")
CASES: dict[str, Case] = {
    "by name": Case(
        lambda space: space({
            "size": "float_normalized", "age": "float_discretized", "zip": "integer_categorical",
            "city": "string_categorical", "job": "string_hashed",
        }),
        ALL,
    ),
    "other names": Case(
        lambda space: space(
            {"size": "float", "age": "float_rescaled", "zip": "integer_hashed", "city": "string_hashed"},
            hashing_dim=7,
        ),
        ("size", "age", "zip", "city"),
    ),
    "methods": Case(
        lambda space: space(
            {
                "size": space.float_rescaled(scale=0.5, offset=-1.0), "age": space.float_discretized(num_bins=3),
                "zip": space.integer_categorical(max_tokens=3, num_oov_indices=2),
                "city": space.string_categorical(num_oov_indices=2), "job": space.string_hashed(num_bins=5),
            },
            crosses=[("zip", "city"), space.cross(("age", "job"), crossing_dim=4)], crossing_dim=6,
        ),
        ALL,
    ),
    "dict": Case(
        lambda space: space(
            {
                "size": space.float_normalized(), "age": space.float_discretized(num_bins=4, output_mode="int"),
                "zip": space.integer_hashed(num_bins=5, output_mode="int"),
                "city": space.string_categorical(output_mode="int"), "job": "string_categorical",
            },
            output_mode="dict",
            crosses=[space.cross(("city", "zip"), crossing_dim=5, output_mode="int"), ("job", "city")],
        ),
        ALL,
    ),
    "hashed and crossed": Case(
        lambda space: space(
            {"zip": "integer_hashed", "city": "string_hashed", "job": "string_hashed"},
            crosses=[("job", "zip")], crossing_dim=9, hashing_dim=3,
        ),
        ("zip", "city", "job"),
    ),
}


def columns(table: dict[str, Any], case: Case) -> dict[str, Any]:
    """The columns that a case uses."""
    return {name: table[name] for name in case.names}


def batches(case: Case) -> list[dict[str, Any]]:
    """The table in batches of four rows and two."""
    return [{name: one[part] for name, one in columns(TABLE, case).items()} for part in (slice(4), slice(4, None))]
