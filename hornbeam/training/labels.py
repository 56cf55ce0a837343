"""What the look at labels before training leaves out; knows arrays, no model."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import tree


def without_weightless(y: Any, sample_weight: Any) -> Any:
    """Labels, with zero wherever the weight is zero: labels without weight may be anything.

    Args:
        y: Labels, any nesting of arrays.
        sample_weight: One array of weights for all, or a nesting like that of the labels.

    >>> without_weightless(np.array([1, -1]), np.array([1.0, 0.0])).tolist()
    [1, 0]
    """

    def cleared(labels: Any, weights: Any) -> Any:
        if not all(isinstance(one, np.ndarray) for one in (labels, weights)) or weights.all():
            return labels
        common = min(labels.ndim, weights.ndim)
        if weights.shape[:common] != labels.shape[:common] or any(size != 1 for size in weights.shape[common:]):
            return labels
        weightless = weights.reshape(weights.shape[:common]) == 0
        labels = labels.copy()
        labels[weightless] = 0
        return labels

    flat_labels, description = tree.flatten_and_structure(y)
    flat_weights = tree.flatten(sample_weight)
    if len(flat_weights) == 1:
        flat_weights *= len(flat_labels)
    if len(flat_weights) != len(flat_labels):
        return y
    return tree.unflatten(description, [cleared(*pair) for pair in zip(flat_labels, flat_weights, strict=True)])
