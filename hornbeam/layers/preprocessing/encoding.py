"""How layers write the category numbers that they found: as they are, one-hot, multi-hot or counted."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.errors import ArgumentError, UnknownNameError

OUTPUT_MODES = ("int", "one_hot", "multi_hot", "count")


def check_output_mode(output_mode: Any, sparse: bool, where: str, allowed: tuple[str, ...] = OUTPUT_MODES) -> str:
    """`output_mode` if it is one of the allowed ones and goes together with `sparse`."""
    if output_mode not in allowed:
        raise UnknownNameError("output_mode", output_mode, allowed, where)
    if sparse and output_mode == "int":
        raise ArgumentError(
            "output_mode 'one_hot', 'multi_hot', 'count' or another with an axis of categories for sparse=True",
            "output_mode='int'", where,
        )
    return output_mode


def encode(indices: Any, output_mode: str, depth: int, dtype: str, sparse: bool = False, weights: Any = None) -> Any:
    """Category numbers as tensors with an axis of categories.

    Args:
        indices: Integer tensor of category numbers below `depth`, of any rank.
        output_mode: "int": as they are. "one_hot": a new last axis, in place of a last axis of size 1.
            "multi_hot" and "count": which categories came in each sample, and how often.
        depth: The number of categories.
        dtype: The dtype of the result, for all modes but "int".
        sparse: Whether the result is a sparse tensor.
        weights: For "count", what each number counts in place of 1; of the shape of `indices`.
    """
    if output_mode == "int":
        return indices
    shape = tuple(indices.shape)
    if output_mode == "one_hot":
        if not shape:
            indices = ops.expand_dims(indices, 0)
        elif len(shape) > 1 and shape[-1] == 1:
            indices = ops.squeeze(indices, -1)
        return ops.one_hot(indices, depth, dtype=dtype, sparse=sparse)
    hot = ops.one_hot(indices, depth, dtype=dtype, sparse=sparse)
    if weights is not None:
        hot = ops.multiply(hot, ops.expand_dims(ops.cast(weights, dtype), -1))
    if not shape:
        return hot
    axis = 1 if len(shape) > 1 else 0
    return ops.max(hot, axis=axis) if output_mode == "multi_hot" else ops.sum(hot, axis=axis)


def encoded_shape(shape: tuple[int | None, ...], output_mode: str, depth: int | None) -> tuple[int | None, ...]:
    """The shape of what `encode` gives for indices of a shape."""
    shape = tuple(shape)
    if output_mode == "int":
        return shape
    if output_mode == "one_hot":
        if not shape:
            return (1, depth)
        return (*shape[:-1], depth) if len(shape) > 1 and shape[-1] == 1 else (*shape, depth)
    if not shape:
        return (depth,)
    return (*shape[:1], *shape[2:], depth) if len(shape) > 1 else (depth,)
