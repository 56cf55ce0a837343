"""Activation ops: elementwise ones in order of their names' families, then those over an axis.

The formulas are chosen so that they neither overflow nor lose their gradient; a backend with fused kernels
replaces them by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.ops.define import Axis, Tensor, TensorLike, as_float, as_tensor, like_float, normalized_axis, op
from hornbeam.ops.front import in_float, prepared
from hornbeam.ops.special import erfc_of
from hornbeam.symbolic import KerasTensor

xp = backend.xp

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
_SQRT_HALF, _SQRT_2_OVER_PI = 0.70710678118654752440, 0.79788456080286535588


def _as_number(x: Any) -> Any:
    x = as_tensor(x)
    return backend.cast(x, "int32") if backend.dtype(x) == "bool" else x


def _like_number(x: Any, *_: Any, **__: Any) -> KerasTensor:
    return KerasTensor(x.shape, "int32" if x.dtype == "bool" else x.dtype)


# --- rectifiers --------------------------------------------------------------------------------------------------


@op("keras.src.ops.nn.Relu", spec=_like_number)
def relu(x: TensorLike) -> Tensor:
    """The positive part: `max(x, 0)`; its gradient at 0 is 0.

    Args:
        x: Any tensor; integers stay integers.

    Returns:
        A tensor like `x`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.relu([-1.0, 0.0, 2.0])).tolist()
    [0.0, 0.0, 2.0]
    """
    x = _as_number(x)
    return xp.where(x <= 0, 0, x)


@op("keras.src.ops.nn.Relu6", spec=like_float)
@in_float
def relu6(x: TensorLike) -> Tensor:
    """`min(max(x, 0), 6)`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.relu6([-1.0, 2.0, 7.0])).tolist()
    [0.0, 2.0, 6.0]
    """
    return xp.clip(x, 0, 6)


@op("keras.src.ops.nn.LeakyRelu", spec=like_float)
@in_float
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """`x` where positive, else `negative_slope * x`.

    Args:
        x: Any tensor; integers become floats.
        negative_slope: The slope on the left of 0.

    Returns:
        A float tensor like `x`.
    """
    return xp.where(x >= 0, x, negative_slope * x)


@op("keras.src.ops.nn.Elu", spec=like_float)
@in_float
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """Exponential linear unit: `x` where positive, else `alpha * (exp(x) - 1)`.

    Args:
        x: Any tensor; integers become floats.
        alpha: Minus the value far on the left.

    Returns:
        A float tensor like `x`. See https://arxiv.org/abs/1511.07289.
    """
    return xp.where(x > 0, x, alpha * xp.expm1(_negative_part(x)))


@op("keras.src.ops.nn.Selu", spec=like_float)
@in_float
def selu(x: TensorLike) -> Tensor:
    """Scaled exponential linear unit, which keeps mean 0 and variance 1; https://arxiv.org/abs/1706.02515."""
    return _SELU_SCALE * xp.where(x > 0, x, _SELU_ALPHA * xp.expm1(_negative_part(x)))


@op("keras.src.ops.nn.Celu", spec=like_float)
@in_float
def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """Continuously differentiable ELU: `x` where positive, else `alpha * (exp(x / alpha) - 1)`.

    Args:
        x: Any tensor; integers become floats.
        alpha: Minus the value far on the left.

    Returns:
        A float tensor like `x`. See https://arxiv.org/abs/1704.07483.
    """
    return xp.where(x > 0, x, alpha * xp.expm1(_negative_part(x) / alpha))


# --- sigmoid and its relatives -----------------------------------------------------------------------------------


def _negative_part(x: Any) -> Any:
    # the branch that `where` throws away must not overflow, or its gradient is NaN
    return xp.where(x > 0, 0, x)


def _sigmoid(x: Any) -> Any:
    left = xp.exp(_negative_part(x))
    right = xp.exp(-xp.where(x > 0, x, 0))
    return xp.where(x > 0, 1 / (1 + right), left / (1 + left))


def _softplus(x: Any) -> Any:
    return xp.logaddexp(x, xp.zeros_like(x))


@op("keras.src.ops.nn.Sigmoid", spec=like_float)
@in_float
def sigmoid(x: TensorLike) -> Tensor:
    """`1 / (1 + exp(-x))`, between 0 and 1.

    >>> import hornbeam as keras
    >>> float(keras.ops.sigmoid(0.0))
    0.5
    """
    return _sigmoid(x)


@op("keras.src.ops.nn.LogSigmoid", spec=like_float)
@in_float
def log_sigmoid(x: TensorLike) -> Tensor:
    """The logarithm of the sigmoid, exact where the sigmoid itself is 0."""
    return -_softplus(-x)


@op("keras.src.ops.nn.Softplus", spec=like_float)
@in_float
def softplus(x: TensorLike) -> Tensor:
    """`log(1 + exp(x))`, a smooth rectifier."""
    return _softplus(x)


@op("keras.src.ops.nn.Softsign", spec=like_float)
@in_float
def softsign(x: TensorLike) -> Tensor:
    """`x / (1 + |x|)`."""
    return x / (1 + xp.abs(x))


@op("keras.src.ops.nn.Silu", spec=like_float)
@in_float
def silu(x: TensorLike) -> Tensor:
    """`x * sigmoid(x)`, also known as swish; https://arxiv.org/abs/1710.05941."""
    return x * _sigmoid(x)


swish = silu


@op("keras.src.ops.nn.HardSigmoid", spec=like_float)
@in_float
def hard_sigmoid(x: TensorLike) -> Tensor:
    """`relu6(x + 3) / 6`, a sigmoid of straight lines; https://arxiv.org/abs/1905.02244.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.hard_sigmoid([-4.0, 0.0, 4.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    return xp.clip(x + 3, 0, 6) / 6


@op("keras.src.ops.nn.HardSilu", spec=like_float)
@in_float
def hard_silu(x: TensorLike) -> Tensor:
    """`x * hard_sigmoid(x)`, also known as hard swish; https://arxiv.org/abs/1905.02244."""
    return x * (xp.clip(x + 3, 0, 6) / 6)


hard_swish = hard_silu


@op("keras.src.ops.nn.HardTanh", spec=_like_number)
def hard_tanh(x: TensorLike) -> Tensor:
    """`x` clipped to [-1, 1]; integers stay integers."""
    x = _as_number(x)
    if backend.dtype(x).startswith("uint"):
        return xp.where(x > 1, 1, x)
    return xp.where(x > 1, 1, xp.where(x < -1, -1, x))


@op("keras.src.ops.nn.SparsePlus", spec=like_float)
@in_float
def sparse_plus(x: TensorLike) -> Tensor:
    """0 up to -1, `(x + 1)² / 4` up to 1, `x` from there; the softplus that belongs to `sparsemax`."""
    return xp.where(x <= -1, 0, xp.where(x < 1, xp.square(xp.clip(x, -1, 1) + 1) / 4, x))


@op("keras.src.ops.nn.SparseSigmoid", spec=like_float)
@in_float
def sparse_sigmoid(x: TensorLike) -> Tensor:
    """`(x + 1) / 2` clipped to [0, 1]."""
    return xp.where(x <= -1, 0, xp.where(x >= 1, 1, 0.5 * (x + 1)))


@op("keras.src.ops.nn.Squareplus", spec=like_float)
@in_float
def squareplus(x: TensorLike, b: float = 4) -> Tensor:
    """`(x + sqrt(x² + b)) / 2`, a rectifier without exponentials.

    Args:
        x: Any tensor; integers become floats.
        b: How smooth the bend is; 0 gives `relu`.

    Returns:
        A float tensor like `x`. See https://arxiv.org/abs/2112.11687.
    """
    square = xp.square(x) + b
    # the root of exactly 0 has no slope that autodiff could use
    zero = square == 0
    return (x + xp.where(zero, 0, xp.sqrt(xp.where(zero, 1, square)))) / 2


# --- Gauss -------------------------------------------------------------------------------------------------------


@op("keras.src.ops.nn.Gelu", spec=like_float)
@in_float
def gelu(x: TensorLike, approximate: bool = True) -> Tensor:
    """Gaussian error linear unit: `x * P(X <= x)` for a standard normal X; https://arxiv.org/abs/1606.08415.

    Args:
        x: Any tensor; integers become floats.
        approximate: Whether to use the usual formula with tanh instead of the error function.

    Returns:
        A float tensor like `x`.
    """
    if approximate:
        return 0.5 * x * (1 + xp.tanh(_SQRT_2_OVER_PI * (x + 0.044715 * (x * x * x))))
    return 0.5 * x * erfc_of(-x * _SQRT_HALF)


# --- shrinkage ---------------------------------------------------------------------------------------------------


@op("keras.src.ops.nn.TanhShrink", spec=like_float)
@in_float
def tanh_shrink(x: TensorLike) -> Tensor:
    """`x - tanh(x)`."""
    return x - xp.tanh(x)


@op("keras.src.ops.nn.HardShrink", spec=like_float)
@in_float
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """`x` where its size exceeds `threshold`, else 0."""
    return xp.where(xp.abs(x) > threshold, x, 0)


@op("keras.src.ops.nn.SoftShrink", spec=like_float)
@in_float
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """`x` moved towards 0 by `threshold`, and 0 where it would pass it."""
    return xp.where(x > threshold, x - threshold, xp.where(x < -threshold, x + threshold, 0))


@op("keras.src.ops.nn.Threshold", tensors=["x"], spec=like_float)
@in_float
def threshold(x: TensorLike, threshold: float, default_value: float) -> Tensor:
    """`x` where it exceeds `threshold`, else `default_value`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.threshold([0.5, 2.0], 1.0, 9.0)).tolist()
    [9.0, 2.0]
    """
    return xp.where(x > threshold, x, default_value)


# --- over an axis ------------------------------------------------------------------------------------------------


def axes_of(x: Any, axis: Axis, where: str) -> int | tuple[int, ...]:
    """`axis` as one int or a tuple of ints from the front; None means all axes."""
    rank = len(x.shape)
    if axis is None:
        return tuple(range(rank))
    if isinstance(axis, Sequence):
        return tuple(normalized_axis(one, rank, where) for one in axis)
    return normalized_axis(axis, rank, where)


def _like_float_along(x: Any, axis: Axis = -1) -> KerasTensor:
    axes_of(x, axis, "softmax")
    return like_float(x)


def _prepare_softmax(x: Any, axis: Axis = -1) -> tuple:
    x = as_float(x)
    return x, axes_of(x, axis, "softmax")


def _prepare_glu(x: Any, axis: int = -1) -> tuple:
    x = as_float(x)
    axis = normalized_axis(axis, len(x.shape), "glu")
    _half(x.shape[axis])
    return x, axis


@prepared(_prepare_softmax)
@op("keras.src.ops.nn.Softmax", spec=_like_float_along)
@in_float
def softmax(x: TensorLike, axis: Axis = -1) -> Tensor:
    """`exp(x)` divided by its sum over `axis`, so that it sums to 1 there.

    Args:
        x: A tensor of rank 1 or more; integers become floats.
        axis: One axis, several, or None for all.

    Returns:
        A float tensor like `x`.

    Raises:
        ValueError: If `x` has no such axis.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.softmax([0.0, 0.0])).tolist()
    [0.5, 0.5]
    """
    if 0 in backend.shape(x):
        return x
    powers = xp.exp(x - backend.stop_gradient(xp.max(x, axis=axis, keepdims=True)))
    return powers / xp.sum(powers, axis=axis, keepdims=True)


@prepared(_prepare_softmax)
@op("keras.src.ops.nn.LogSoftmax", spec=_like_float_along)
@in_float
def log_softmax(x: TensorLike, axis: Axis = -1) -> Tensor:
    """The logarithm of `softmax`, exact where the softmax itself is 0.

    Args:
        x: A tensor of rank 1 or more; integers become floats.
        axis: One axis, several, or None for all.

    Returns:
        A float tensor like `x`.

    Raises:
        ValueError: If `x` has no such axis.
    """
    if 0 in backend.shape(x):
        return x
    shifted = x - backend.stop_gradient(xp.max(x, axis=axis, keepdims=True))
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))


@op("keras.src.ops.nn.Sparsemax", spec=_like_float_along)
@in_float
def sparsemax(x: TensorLike, axis: int = -1) -> Tensor:
    """The point of the probability simplex nearest to `x`; unlike `softmax` it has exact zeros.

    Args:
        x: A tensor of rank 1 or more; integers become floats.
        axis: The axis that sums to 1 afterwards.

    Returns:
        A float tensor like `x`. See https://arxiv.org/abs/1602.02068.

    Raises:
        ValueError: If `x` has no such axis.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sparsemax([1.0, 1.5, -3.0])).tolist()
    [0.25, 0.75, 0.0]
    """
    axis = normalized_axis(axis, len(x.shape), "sparsemax")
    count = backend.shape(x)[axis]
    if 0 in backend.shape(x):
        return x
    # the result does not change when a constant is added; this one keeps the sums small
    x = x - backend.stop_gradient(xp.max(x, axis=axis, keepdims=True))
    sorted_x = xp.flip(xp.sort(x, axis=axis), axis=axis)
    ranks = xp.reshape(xp.arange(1, count + 1), [count if i == axis else 1 for i in range(len(x.shape))])
    ranks = backend.cast(ranks, backend.dtype(x))
    sums = xp.cumsum(sorted_x, axis=axis)
    inside = sorted_x * ranks > sums - 1
    support = xp.sum(backend.cast(inside, backend.dtype(x)), axis=axis, keepdims=True)
    bound = (xp.sum(xp.where(inside, sorted_x, 0), axis=axis, keepdims=True) - 1) / support
    return xp.where(x <= bound, 0, x - bound)


def _half_along(x: Any, axis: int = -1) -> KerasTensor:
    axis = normalized_axis(axis, len(x.shape), "glu")
    return KerasTensor([_half(n) if i == axis else n for i, n in enumerate(x.shape)], like_float(x).dtype)


def _half(size: int | None) -> int | None:
    if size is not None and size % 2:
        raise ArgumentError("an axis whose size is even", f"size {size}", "glu")
    return None if size is None else size // 2


@prepared(_prepare_glu)
@op("keras.src.ops.nn.Glu", spec=_half_along)
@in_float
def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """Gated linear unit: the first half of `x` times the sigmoid of the second half.

    Args:
        x: A tensor whose size along `axis` is even; integers become floats.
        axis: The axis to halve.

    Returns:
        A float tensor of half the size along `axis`. See https://arxiv.org/abs/1612.08083.

    Raises:
        ValueError: If that size is odd.
    """
    size = x.shape[axis] // 2
    before = (slice(None),) * axis
    return x[(*before, slice(None, size))] * _sigmoid(x[(*before, slice(size, None))])
