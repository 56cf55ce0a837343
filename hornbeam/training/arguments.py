"""Checks of what `fit`, `evaluate` and `predict` are given beside the data; knows no model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import tree
from hornbeam.errors import ArgumentError


def verbosity(verbose: str | int) -> int:
    """0, 1 or 2."""
    if verbose == "auto":
        return 1
    if verbose not in (0, 1, 2):
        raise ArgumentError("verbose to be 0, 1, 2 or 'auto'", repr(verbose))
    return int(verbose)


def whole_number(value: Any, name: str, where: str, least: int) -> int:
    """`value`, if it is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ArgumentError(f"an integer of at least {least} for {name}", repr(value), where)
    return int(value)


def smallest(*values: int | None) -> int | None:
    """The smallest of the numbers that are there."""
    known = [one for one in values if one is not None]
    return min(known) if known else None


def frequency_of(frequency: Any) -> Callable[[int], bool]:
    """Says after which epochs, counted from 1, to validate."""
    if isinstance(frequency, (list, tuple, set, range)):
        return lambda epoch: epoch in frequency
    number = whole_number(frequency, "validation_freq", "fit", 1)
    return lambda epoch: epoch % number == 0


def parts_of_validation(data: Any) -> tuple | None:
    """x, y and sample_weight of `validation_data`; a source of another kind is x."""
    if data is None:
        return None
    if isinstance(data, (tuple, list)) and 1 <= len(data) <= 3:
        return tuple([*data, None, None][:3])
    return data, None, None


def length_of(x: Any) -> int:
    """The number of samples in a batch of any nesting, at least 1."""
    for leaf in tree.flatten(x):
        if hasattr(leaf, "shape") and len(leaf.shape):
            return max(1, int(leaf.shape[0]))
        if hasattr(leaf, "__len__"):
            return max(1, len(leaf))
    return max(1, len(x)) if isinstance(x, (list, tuple)) else 1
