"""Largest elements: `top_k` and the test whether a class is among them."""

from __future__ import annotations

from typing import Any

from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.ops.define import Tensor, TensorLike, as_tensor, op
from hornbeam.ops.front import prepared
from hornbeam.symbolic import KerasTensor

xp = backend.xp


def _check_k(shape: Any, k: Any) -> None:
    if len(shape) < 1:
        raise ArgumentError("`x` of rank 1 or more", f"shape={tuple(shape)}", "top_k")
    if isinstance(k, bool) or not hasattr(k, "__index__") or k < 0 or (shape[-1] is not None and k > shape[-1]):
        raise ArgumentError(f"an integer `k` in [0, {shape[-1]}], the size of the last axis", f"k={k!r}", "top_k")


def _top_k_rule(x: Any, k: Any, **_: Any) -> tuple:
    _check_k(x.shape, k)
    shape = (*x.shape[:-1], k)
    return KerasTensor(shape, x.dtype), KerasTensor(shape, "int32")


def _prepare_top_k(x: Any, k: Any, sorted: bool = True) -> tuple:
    x = as_tensor(x)
    _check_k(x.shape, k)
    return x, k.__index__(), sorted


@prepared(_prepare_top_k)
@op("keras.src.ops.math.TopK", tensors=["x"], spec=_top_k_rule)
def top_k(x: TensorLike, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The `k` largest elements along the last axis, and where they are.

    Args:
        x: A tensor of rank 1 or more. NaN counts as larger than all else.
        k: How many.
        sorted: Whether they come in falling order; if not, the order is the backend's choice.

    Returns:
        Values, and their int32 indices; of equal elements the first comes first.

    Raises:
        ValueError: If there are fewer than `k`.

    >>> import hornbeam as keras
    >>> values, indices = keras.ops.top_k(keras.ops.array([3, 1, 4, 1, 5]), 2)
    >>> keras.ops.convert_to_numpy(values).tolist(), keras.ops.convert_to_numpy(indices).tolist()
    ([5, 4], [4, 2])
    """
    # sorting the reversed tensor upwards and reading it backwards keeps equal elements in order
    order = xp.flip(xp.argsort(xp.flip(x, axis=-1), axis=-1, stable=True), axis=-1)[..., :k]
    indices = x.shape[-1] - 1 - order
    return xp.take_along_axis(x, indices, axis=-1), backend.cast(indices, "int32")


def _in_top_k_shapes(targets: Any, predictions: Any) -> None:
    fits = len(predictions) == len(targets) + 1 and all(
        a == b or a is None or b is None for a, b in zip(targets, predictions[:-1], strict=True)
    )
    if not fits:
        raise ArgumentError(
            "`predictions` with one axis more than `targets`",
            f"targets.shape={tuple(targets)} and predictions.shape={tuple(predictions)}", "in_top_k",
        )


def _in_top_k_rule(targets: Any, predictions: Any, **_: Any) -> KerasTensor:
    _in_top_k_shapes(targets.shape, predictions.shape)
    return KerasTensor(targets.shape, "bool")


@op("keras.src.ops.math.InTopK", tensors=["targets", "predictions"], spec=_in_top_k_rule)
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Tensor:
    """Whether each target class is among the `k` with the highest prediction.

    Args:
        targets: Class indices `[...]`. One that names no class is in no top k.
        predictions: `[..., classes]`. Classes as high as the k-th are all in.
        k: How many classes count as the top.

    Returns:
        A bool tensor of the shape of `targets`; False where the target's prediction is NaN.

    Raises:
        ValueError: If the shapes do not fit.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.in_top_k([2, 0], [[0.1, 0.2, 0.7], [0.1, 0.2, 0.7]], 2)).tolist()
    [True, False]
    """
    targets, predictions = as_tensor(targets), as_tensor(predictions)
    _in_top_k_shapes(targets.shape, predictions.shape)
    targets = backend.cast(targets, "int32")[..., None]
    count = predictions.shape[-1]
    chosen = xp.sum(xp.where(targets == xp.arange(count), predictions, 0), axis=-1, keepdims=True)
    # NaN is the largest of all
    above = xp.sum(xp.asarray((predictions > chosen) | xp.isnan(predictions)), axis=-1)
    return (above < k) & ~xp.isnan(chosen[..., 0]) & (targets[..., 0] >= 0) & (targets[..., 0] < count)
