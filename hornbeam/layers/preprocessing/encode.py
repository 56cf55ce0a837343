"""Numbers of categories as one-hot, multi-hot, count or tf-idf vectors: by NumPy on the host, by ops on a device."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.backend.base import shareable_zeros
from hornbeam.errors import UnknownNameError

INT, ONE_HOT, MULTI_HOT, COUNT, TF_IDF = "int", "one_hot", "multi_hot", "count", "tf_idf"


def checked_mode(mode: Any, allowed: tuple[str, ...], where: str) -> str:
    """An output mode, if it is one of those allowed.

    Raises:
        ValueError: If not; the text lists them.
    """
    if mode not in allowed:
        raise UnknownNameError("output_mode", mode, allowed, where)
    return mode


def encoded_shape(
    shape: tuple[int | None, ...], mode: str, depth: int | None, axis: int = -1
) -> tuple[int | None, ...]:
    """The shape of encoded categories: one vector for each element, or for all along an axis."""
    if mode == INT:
        return shape
    if mode != ONE_HOT:
        left = list(shape)
        if left:
            del left[min(axis, len(left) - 1)]
        return (*left, depth)
    if not shape:
        return (1, depth)
    return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)


def encode(
    indices: np.ndarray,
    mode: str,
    depth: int,
    dtype: str,
    weights: np.ndarray | None = None,
    axis: int = -1,
) -> np.ndarray:
    """Encodes whole numbers from 0 to before `depth` on the host.

    Args:
        indices: int64 of any shape. Numbers out of range count for nothing.
        mode: An output mode.
        depth: The length of the vectors.
        dtype: The dtype of the vectors.
        weights: For "count" a weight for each index, in the shape of `indices`; for "tf_idf" the weight of each
            category, of length `depth`.
        axis: In modes that put several numbers into one vector, the axis along which these lie.

    Returns:
        An array of `encoded_shape`.
    """
    if mode == INT:
        return indices
    if mode != ONE_HOT and indices.ndim > 1:
        indices = np.moveaxis(indices, min(axis, indices.ndim - 1), -1)
    shape = encoded_shape(indices.shape, mode, depth)
    if mode == ONE_HOT:
        rows = np.arange(indices.size)
        per_row = 1
    else:
        per_row = indices.shape[-1] if indices.ndim else 1
        rows = np.arange(indices.size) // max(per_row, 1)
    count = indices.size if mode == ONE_HOT else (indices.size // per_row if per_row else int(np.prod(shape[:-1])))
    flat = indices.ravel()
    known = (flat >= 0) & (flat < depth)
    if not known.all():
        rows, flat = rows[known], flat[known]
        if mode == COUNT and weights is not None:
            weights = np.asarray(weights).ravel()[known]
    return encode_rows(rows, flat, count, mode, depth, dtype, weights).reshape(shape)  # type: ignore[arg-type]


def encode_rows(
    rows: np.ndarray,
    indices: np.ndarray,
    count: int,
    mode: str,
    depth: int,
    dtype: str,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """The matrix of `count` vectors in which row `rows[i]` has category `indices[i]`, all of them in range."""
    if mode in (ONE_HOT, MULTI_HOT):
        result = shareable_zeros((count, depth), dtype)
        result[rows, indices] = 1
        return result
    places = rows * depth + indices
    given = np.asarray(weights).ravel() if mode == COUNT and weights is not None else None
    result = np.bincount(places, given, count * depth).reshape(count, depth)
    if mode == TF_IDF:
        result = result * weights
    return result.astype(dtype)


def encode_on_device(
    indices: Any, mode: str, depth: int, dtype: str, weights: Any = None, axis: int = -1
) -> Any:
    """`encode` for a tensor, or a symbolic one."""
    if mode == INT:
        return indices
    rank = len(indices.shape)
    if mode == ONE_HOT and rank > 1 and indices.shape[-1] == 1:
        indices = ops.squeeze(indices, -1)
    elif rank == 0:
        indices = ops.expand_dims(indices, 0)
    vectors = ops.one_hot(indices, depth, dtype=dtype)
    if mode == ONE_HOT:
        return vectors
    together = min(axis, len(indices.shape) - 1) if axis >= 0 else axis - 1
    if mode == MULTI_HOT:
        return ops.max(vectors, axis=together)
    if mode == COUNT and weights is not None:
        weights = ops.cast(weights, dtype)
        vectors = vectors * ops.expand_dims(ops.reshape(weights, ops.shape(indices)), -1)
    counts = ops.sum(vectors, axis=together)
    return counts * ops.cast(weights, dtype) if mode == TF_IDF else counts
