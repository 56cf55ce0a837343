"""`class_weight` and `sample_weight`: checks them and turns both into one weight for each sample."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hornbeam import tree
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe


class ClassWeights:
    """The weights that `class_weight` gives to labels.

    Args:
        class_weight: From class number to weight. A class that is not there weighs 1.

    Raises:
        TypeError: If it is no dict.
        ValueError: If a key is no whole number, or a weight is not finite.
    """

    def __init__(self, class_weight: Mapping[int, float]) -> None:
        fix = "Give it as {0: 1.0, 1: 2.5}."
        if not isinstance(class_weight, Mapping):
            raise ArgumentTypeError("a dict from class number to weight", describe(class_weight), "class_weight", fix)
        pairs = []
        for key, weight in class_weight.items():
            if isinstance(weight, Mapping):
                raise ArgumentError(
                    "one dict from class number to weight",
                    f"a dict of dicts with the key {key!r}",
                    "class_weight",
                    "Models with several outputs take sample_weight instead.",
                )
            if isinstance(key, (str, bytes)) or not _is_whole(key):
                raise ArgumentError("class numbers as keys", f"the key {key!r}", "class_weight", fix)
            if not _is_number(weight) or not math.isfinite(weight):
                raise ArgumentError("finite numbers as weights", f"{weight!r} for class {key}", "class_weight", fix)
            pairs.append((int(key), float(weight)))
        pairs.sort()
        self._classes = np.array([key for key, _ in pairs], dtype=np.int64)
        self._weights = np.array([weight for _, weight in pairs], dtype=np.float32)

    def of(self, y: Any, sample_weight: Any = None) -> np.ndarray:
        """The weight of each sample.

        Args:
            y: Class numbers of shape (samples,) or (samples, 1), or one-hot rows (samples, classes).
            sample_weight: Weights that multiply these, or None.

        Returns:
            float32 of shape (samples,), or of the shape of `sample_weight`.

        Raises:
            ValueError: If `y` is missing, has several parts or another rank, or holds NaN.
        """
        if y is None or tree.is_nested(y):
            raise ArgumentError(
                "one array of labels",
                "no labels" if y is None else f"labels nested as {tree.structure_of(y)}",
                "class_weight",
                "Models with several outputs take sample_weight instead.",
            )
        labels = np.asarray(y)
        if labels.ndim not in (1, 2) or labels.dtype.kind not in "biuf":
            form = "labels of shape (samples,), (samples, 1) or one-hot (samples, classes)"
            raise ArgumentError(form, describe(labels), "class_weight")
        if labels.dtype.kind == "f" and np.isnan(labels).any():
            row = int(np.argwhere(np.isnan(labels))[0][0])
            raise ArgumentError("labels that are class numbers", f"NaN in row {row}", "class_weight", "Clean y first.")
        labels = labels.argmax(axis=1) if labels.ndim == 2 and labels.shape[1] > 1 else labels.reshape(-1)
        weights = np.ones(labels.shape, dtype=np.float32)
        if len(self._classes):
            places = np.searchsorted(self._classes, labels).clip(max=len(self._classes) - 1)
            known = self._classes[places] == labels
            weights[known] = self._weights[places[known]]
        if sample_weight is None:
            return weights
        if tree.is_nested(sample_weight):
            raise ArgumentError("one array of weights beside class_weight", describe(sample_weight), "sample_weight")
        given = np.asarray(sample_weight)
        return (given * weights.reshape(-1, *[1] * (given.ndim - 1))).astype(np.float32)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and math.isfinite(value) and int(value) == value


def spread_sample_weight(y: Any, sample_weight: Any) -> Any:
    """`sample_weight` in the nesting of `y`: one array serves all outputs, else each output has its own (or None)."""
    if sample_weight is None:
        return None
    if not tree.is_nested(y):
        if tree.is_nested(sample_weight):
            raise ArgumentError("one array of weights, as y is one array", describe(sample_weight), "sample_weight")
        return sample_weight
    if not tree.is_nested(sample_weight):
        return tree.map_structure(lambda target: None if target is None else sample_weight, y)
    try:
        tree.assert_same_paths(y, sample_weight)
    except ArgumentError:
        raise ArgumentError(
            f"one array of weights, or one for each output: {tree.structure_of(y)}",
            f"{tree.structure_of(sample_weight)}",
            "sample_weight",
            "Put None where an output has no weights.",
        ) from None
    return sample_weight
