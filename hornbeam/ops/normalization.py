"""Normalisation ops: moments, and tensors shifted and scaled by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam import _config
from hornbeam.backend import active as backend
from hornbeam.dtypes import promote
from hornbeam.errors import ArgumentError, UnknownNameError, UnsupportedError
from hornbeam.ops.define import (
    Axis,
    Tensor,
    TensorLike,
    as_float,
    as_tensor,
    float_dtype,
    like_float,
    normalized_axis,
    op,
    reduced,
)
from hornbeam.ops.front import positional, settled
from hornbeam.symbolic import KerasTensor

xp = backend.xp

_HALF = ("float16", "bfloat16")


def _epsilon(epsilon: float | None) -> float:
    return _config.epsilon() if epsilon is None else epsilon


def _axes(axis: Any, rank: int, where: str) -> tuple[int, ...]:
    values = tuple(axis) if isinstance(axis, Sequence) else (axis,)
    return tuple(sorted(normalized_axis(one, rank, where) for one in values))


def _widened(x: Any) -> tuple[Any, str]:
    """`x` as a float tensor of at least single precision, and the float dtype it stands for."""
    x = as_float(x)
    dtype = backend.dtype(x)
    return (backend.cast(x, "float32") if dtype in _HALF else x), dtype


def _narrowed(x: Any, dtype: str) -> Any:
    return x if backend.dtype(x) == dtype else backend.cast(x, dtype)


def rsqrt_of(x: Any) -> Any:
    """1 / sqrt(x)."""
    return 1 / xp.sqrt(x)


# --- moments -----------------------------------------------------------------------------------------------------


def _moments_rule(x: Any, axes: Any, keepdims: bool = False, **_: Any) -> tuple:
    result = reduced(x, list(axes) if isinstance(axes, tuple) else axes, keepdims, float_dtype(x))
    return result, KerasTensor(result.shape, result.dtype)


@op("keras.src.ops.nn.Moments", tensors=["x"], spec=_moments_rule)
def moments(x: TensorLike, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple[Tensor, Tensor]:
    """Mean and variance of `x` over `axes`.

    Half precision is summed in single precision, then clipped to what its type can hold.

    Args:
        x: Any tensor; integers become floats.
        axes: One axis or several.
        keepdims: Whether reduced axes stay, with size 1.
        synchronized: Whether to use all replicas of a distributed program.

    Returns:
        Mean and variance, of the float dtype of `x`.

    Raises:
        NotImplementedError: If `synchronized` is asked for where there are no replicas to see.

    >>> import hornbeam as keras
    >>> [float(one) for one in keras.ops.moments(keras.ops.array([1.0, 3.0]), axes=[0])]
    [2.0, 1.0]
    """
    if synchronized:
        # arrays that lie on several devices are one array to the whole program: their moments are global anyway
        if "compile" not in backend.features:
            got = f"the {backend.name} backend"
            raise UnsupportedError("a backend with replicas", got, "moments(synchronized=True)")
    x, dtype = _widened(x)
    axis = tuple(axes) if isinstance(axes, Sequence) else axes
    mean = xp.mean(x, axis=axis, keepdims=True)
    variance = xp.mean(xp.square(x - backend.stop_gradient(mean)), axis=axis, keepdims=True)
    # the mean kept out of the gradient changes nothing: deviations sum to 0
    if not keepdims:
        mean, variance = xp.squeeze(mean, axis=axis), xp.squeeze(variance, axis=axis)
    if dtype == "float16":
        mean, variance = xp.clip(mean, -65504.0, 65504.0), xp.clip(variance, -65504.0, 65504.0)
    return _narrowed(mean, dtype), _narrowed(variance, dtype)


# --- by given moments --------------------------------------------------------------------------------------------


def _batch_rule(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, **_: Any
) -> KerasTensor:
    normalized_axis(axis, len(x.shape), "batch_normalization")
    given = [one for one in (x, mean, variance, offset, scale) if one is not None]
    return KerasTensor(x.shape, float_dtype(*(one if hasattr(one, "dtype") else backend.asarray(one) for one in given)))


@positional
@op("keras.src.ops.nn.BatchNorm", tensors=["x", "mean", "variance", "offset", "scale"], spec=_batch_rule)
def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    axis: int,
    offset: TensorLike | None = None,
    scale: TensorLike | None = None,
    epsilon: float = 0.001,
) -> Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, with one of each per index of `axis`.

    Args:
        x: Any tensor.
        mean: `[n]`, n being the size of `x` along `axis`.
        variance: `[n]`.
        axis: The axis that stays apart, such as -1 for channels.
        offset: `[n]`, added at the end, or None.
        scale: `[n]`, the factor, or None.
        epsilon: Keeps the division finite.

    Returns:
        A tensor like `x`, of the promoted float dtype. See https://arxiv.org/abs/1502.03167.

    Raises:
        ValueError: If `mean` or another does not fit `x` along `axis`.

    >>> import hornbeam as keras
    >>> x = keras.ops.array([[1.0, 4.0]])
    >>> y = keras.ops.batch_normalization(x, [1.0, 2.0], [1.0, 4.0], axis=-1, epsilon=0.0)
    >>> keras.ops.convert_to_numpy(y).tolist()
    [[0.0, 1.0]]
    """
    x = as_tensor(x)
    axis = normalized_axis(axis, len(x.shape), "batch_normalization")
    size = x.shape[axis]
    others = []
    for name, one in (("mean", mean), ("variance", variance), ("scale", scale), ("offset", offset)):
        one = None if one is None else as_tensor(one)
        if one is not None and tuple(one.shape) != (size,):
            raise ArgumentError(
                f"`{name}` of shape ({size},), the size of `x` along axis {axis}", f"shape={tuple(one.shape)}",
                "batch_normalization",
            )
        others.append(one)
    dtype = promote(float_dtype(x), *(backend.dtype(one) for one in others if one is not None))
    work = "float32" if dtype in _HALF else dtype
    mean, variance, scale, offset = (None if one is None else _narrowed(one, work) for one in others)
    # everything per channel is computed on n numbers first, so that x is read only once
    factor = rsqrt_of(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    shift = -mean * factor
    if offset is not None:
        shift = shift + offset
    shape = [size if i == axis else 1 for i in range(len(x.shape))]
    result = _narrowed(x, work) * xp.reshape(factor, shape) + xp.reshape(shift, shape)
    return _narrowed(result, dtype)


# --- by the tensor's own moments ---------------------------------------------------------------------------------


def _own_rule(x: Any, *_: Any, axis: Any = -1, **__: Any) -> KerasTensor:
    _axes(axis, len(x.shape), "normalization")
    return like_float(x)


def _fitting(parameter: Any, x: Any, axes: tuple[int, ...], name: str, where: str) -> Any:
    """A parameter given for the normalised axes, shaped to broadcast against `x`."""
    parameter = _narrowed(as_tensor(parameter), backend.dtype(x))
    sizes = tuple(x.shape[one] for one in axes)
    if tuple(parameter.shape) not in (sizes, ()):
        if len(parameter.shape) == len(x.shape):
            return parameter
        expected = f"`{name}` of shape {sizes}, that of `x` along axis {axes}"
        raise ArgumentError(expected, f"shape={tuple(parameter.shape)}", where)
    if parameter.shape == () or axes == tuple(range(len(x.shape) - len(axes), len(x.shape))):
        return parameter
    return xp.reshape(parameter, [size if i in axes else 1 for i, size in enumerate(x.shape)])


@settled(rms_scaling=bool)
@op("keras.src.ops.nn.LayerNorm", tensors=["x", "gamma", "beta"], spec=_own_rule)
def layer_normalization(
    x: TensorLike,
    gamma: TensorLike | None = None,
    beta: TensorLike | None = None,
    axis: Axis = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Tensor:
    """`x` with mean 0 and variance 1 over `axis`, times `gamma`, plus `beta`.

    Half precision is computed in single precision.

    Args:
        x: Any tensor; integers become floats.
        gamma: The factor, with the sizes of `x` along `axis`, or None.
        beta: What is added, likewise.
        axis: One axis or several.
        epsilon: Keeps the division finite; None means the one of the settings.
        **kwargs: Only `rms_scaling`, which Keras still accepts: divide by the deviation without subtracting the mean.

    Returns:
        A float tensor like `x`. See https://arxiv.org/abs/1607.06450.

    Raises:
        ValueError: If `gamma` or `beta` does not fit, or an argument is unknown.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.layer_normalization(keras.ops.array([[1.0, 3.0]]), epsilon=0.0)).tolist()
    [[-1.0, 1.0]]
    """
    rms_scaling = kwargs.pop("rms_scaling", False)
    if kwargs:
        known = ("axis", "epsilon", "rms_scaling")
        raise UnknownNameError("argument", next(iter(kwargs)), known, "layer_normalization")
    if not rms_scaling:
        axes = _axes(axis, len(x.shape), "layer_normalization")
        found = backend.normalized(as_float(x), gamma, beta, axes, _epsilon(epsilon))
        if found is not None:
            return found
    x, dtype = _widened(x)
    axes = _axes(axis, len(x.shape), "layer_normalization")
    mean = xp.mean(x, axis=axes, keepdims=True)
    centred = x - mean
    factor = rsqrt_of(xp.mean(xp.square(centred), axis=axes, keepdims=True) + _epsilon(epsilon))
    if gamma is not None:
        factor = factor * _fitting(gamma, x, axes, "gamma", "layer_normalization")
    result = (x if rms_scaling else centred) * factor
    if beta is not None and not rms_scaling:
        result = result + _fitting(beta, x, axes, "beta", "layer_normalization")
    return _narrowed(result, dtype)


@op("keras.src.ops.nn.RMSNorm", tensors=["x", "scale"], spec=_own_rule)
def rms_normalization(
    x: TensorLike, scale: TensorLike | None = None, axis: Axis = -1, epsilon: float | None = None
) -> Tensor:
    """`x` divided by the root of its mean square over `axis`, times `scale`.

    Half precision is computed in single precision.

    Args:
        x: Any tensor; integers become floats.
        scale: The factor; it broadcasts against `x`. None means 1.
        axis: One axis or several.
        epsilon: Keeps the division finite; None means the one of the settings.

    Returns:
        A float tensor like `x`. See https://arxiv.org/abs/1910.07467.

    >>> import hornbeam as keras
    >>> y = keras.ops.rms_normalization(keras.ops.array([[1.0, 7.0]]), epsilon=0.0)
    >>> [round(float(one), 4) for one in y[0]]
    [0.2, 1.4]
    """
    x, dtype = _widened(x)
    axes = _axes(axis, len(x.shape), "rms_normalization")
    result = x * rsqrt_of(xp.mean(xp.square(x), axis=axes, keepdims=True) + _epsilon(epsilon))
    if scale is not None:
        result = result * _narrowed(as_tensor(scale), backend.dtype(x))
    return _narrowed(result, dtype)


def _normalize_rule(x: Any, axis: Axis = -1, **_: Any) -> KerasTensor:
    _axes(axis, len(x.shape), "normalize")
    return like_float(x)


@op("keras.src.ops.nn.Normalize", spec=_normalize_rule)
def normalize(x: TensorLike, axis: Axis = -1, order: int = 2, epsilon: float | None = None) -> Tensor:
    """`x` divided by its norm over `axis`, so that the norm becomes 1; where all is 0 it stays 0.

    Args:
        x: Any tensor; integers become floats.
        axis: One axis or several.
        order: Which norm, an integer from 1 on: 1 sums sizes, 2 is Euclid's.
        epsilon: The least norm to divide by; None means the one of the settings.

    Returns:
        A float tensor like `x`.

    Raises:
        ValueError: If `order` is not a positive integer.

    >>> import hornbeam as keras
    >>> [round(float(one), 4) for one in keras.ops.normalize(keras.ops.array([3.0, 4.0]))]
    [0.6, 0.8]
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ArgumentError("`order` to be an integer from 1 on", f"order={order!r}", "normalize")
    x, dtype = _widened(x)
    axes = _axes(axis, len(x.shape), "normalize")
    epsilon = _epsilon(epsilon)
    if order == 2:
        total = xp.sum(xp.square(x), axis=axes, keepdims=True)
        return _narrowed(x * rsqrt_of(xp.maximum(total, xp.full_like(total, epsilon**2))), dtype)
    total = xp.sum(xp.abs(x) ** order, axis=axes, keepdims=True)
    # the root has no slope at 0, so 0 takes another way
    zero = total == 0
    norm = xp.where(zero, 0, xp.where(zero, 1, total) ** (1 / order))
    return _narrowed(x / xp.maximum(norm, xp.full_like(norm, epsilon)), dtype)
