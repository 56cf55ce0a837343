"""Functions of mathematics that NumPy lacks: the error functions and the logarithm of a sum of exponentials."""

from __future__ import annotations

import math
from typing import Any

from hornbeam.backend import active as backend
from hornbeam.ops.define import Axis, Tensor, TensorLike, as_float, float_dtype, like_float, op, reduced
from hornbeam.ops.front import in_float
from hornbeam.symbolic import KerasTensor

xp = backend.xp

# Rational approximations of W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23
# (1969), highest power first; good for double precision.
_SMALL = (
    (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
_MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)
_LARGE = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
     1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
     2.33520497626869185e-3),
)
# A first guess at erfinv: M. Giles, "Approximating the erfinv function", GPU Computing Gems (2012), chapter 10.
_GUESS_NEAR = (2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
               -0.00417768164, 0.246640727, 1.50140941)  # fmt: skip
_GUESS_FAR = (-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
              0.00943887047, 1.00167406, 2.83297682)  # fmt: skip


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    value = coefficients[0] * xp.ones_like(x)
    for one in coefficients[1:]:
        value = value * x + one
    return value


def _ratio(fraction: tuple[tuple[float, ...], tuple[float, ...]], x: Any) -> Any:
    return _polynomial(fraction[0], x) / _polynomial(fraction[1], x)


def _both(x: Any) -> tuple[Any, Any]:
    """erf(x) where |x| is small, and erfc(|x|) where it is not."""
    size = xp.abs(x)
    small = size <= 0.46875
    near = xp.where(small, x, 0)
    inner = near * _ratio(_SMALL, near * near)
    # 28 is beyond the last x whose erfc is not 0 in float64; inf would give inf - inf below
    size = xp.clip(xp.where(small, 1, size), 0, 28)
    middle = xp.clip(size, 0, 4)
    far = xp.where(size > 4, size, 5)
    inverse_square = 1 / (far * far)
    tail = (1 / math.sqrt(math.pi) - inverse_square * _ratio(_LARGE, inverse_square)) / far
    # exp(-x²) with x² split in two, one of them exact, or the rounding of x² would cost digits
    coarse = xp.trunc(size * 16) / 16
    power = xp.exp(-coarse * coarse) * xp.exp(-(size - coarse) * (size + coarse))
    return inner, power * xp.where(size > 4, tail, _ratio(_MIDDLE, middle))


def _in_single_at_least(function: Any, x: Any) -> Any:
    dtype = backend.dtype(x)
    if dtype in ("float32", "float64"):
        return function(x)
    return backend.cast(function(backend.cast(x, "float32")), dtype)


def _erf(x: Any) -> Any:
    inner, outer = _both(x)
    return xp.where(xp.isnan(x), x, xp.where(xp.abs(x) <= 0.46875, inner, xp.sign(x) * (1 - outer)))


def _erfc(x: Any) -> Any:
    inner, outer = _both(x)
    return xp.where(xp.isnan(x), x, xp.where(xp.abs(x) <= 0.46875, 1 - inner, xp.where(x > 0, outer, 2 - outer)))


def _erfinv(x: Any) -> Any:
    size = xp.abs(x)
    inside = size < 1
    size = xp.where(inside, size, 0)
    rest = 1 - size
    w = -xp.log(rest * (1 + size))
    near = _polynomial(_GUESS_NEAR, xp.where(w < 5, w, 5) - 2.5)
    far = _polynomial(_GUESS_FAR, xp.sqrt(xp.where(w < 5, 5, w)) - 3)
    # beyond the reach of float32: from the asymptotic series of erfc
    beyond = xp.where(w > 16, w, 16) + math.log(2 / math.sqrt(math.pi))
    value = xp.where(w > 16, xp.sqrt(beyond - xp.log(beyond) / 2), size * xp.where(w < 5, near, far))
    for _ in range(2):
        # Halley's step; close to 1 the complement carries the digits
        error = xp.where(size < 0.5, _erf(value) - size, rest - _erfc(value))
        step = error * (math.sqrt(math.pi) / 2) * xp.exp(value * value)
        value = value - step / (1 + value * step)
    value = xp.where(xp.abs(x) == 1, math.inf, xp.where(inside, value, math.nan))
    return xp.where(xp.isnan(x), x, xp.where(x == 0, x, xp.sign(x) * value))


def erfc_of(x: Any) -> Any:
    """1 - erf of a float tensor, by the backend's kernel if it has one."""
    return erfc.definition.body(x)


# --- ops ---------------------------------------------------------------------------------------------------------


@op("keras.src.ops.math.Erf", spec=like_float)
def erf(x: TensorLike) -> Tensor:
    """The error function, 2/√π times the integral of `exp(-t²)` from 0 to `x`.

    Args:
        x: Any tensor; integers become floats.

    Returns:
        A float tensor like `x`, between -1 and 1.

    >>> import hornbeam as keras
    >>> round(float(keras.ops.erf(1.0)), 4)
    0.8427
    """
    return _in_single_at_least(_erf, as_float(x))


@op("keras.src.ops.math.Erfc", spec=like_float)
def erfc(x: TensorLike) -> Tensor:
    """`1 - erf(x)`, exact far on the right, where it is tiny.

    >>> import hornbeam as keras
    >>> float(keras.ops.erfc(9.0)) > 0
    True
    """
    return _in_single_at_least(_erfc, as_float(x))


@op("keras.src.ops.math.Erfinv", spec=like_float)
def erfinv(x: TensorLike) -> Tensor:
    """The inverse of the error function on [-1, 1]; NaN outside.

    >>> import hornbeam as keras
    >>> round(float(keras.ops.erfinv(0.8427008)), 3)
    1.0
    """
    return _in_single_at_least(_erfinv, as_float(x))


@op("keras.src.ops.math.Rsqrt", spec=like_float)
@in_float
def rsqrt(x: TensorLike) -> Tensor:
    """`1 / sqrt(x)`.

    >>> import hornbeam as keras
    >>> float(keras.ops.rsqrt(4.0))
    0.5
    """
    return 1 / xp.sqrt(x)


def _reduced_float(x: Any, axis: Axis = None, keepdims: bool = False) -> KerasTensor:
    return reduced(x, axis, keepdims, float_dtype(x))


@op("keras.src.ops.math.Logsumexp", spec=_reduced_float)
def logsumexp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The logarithm of the sum of `exp(x)` over `axis`, without overflow.

    Args:
        x: Any tensor; integers become floats.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A float tensor; of nothing, -inf.

    >>> import hornbeam as keras
    >>> round(float(keras.ops.logsumexp([1000.0, 1000.0])), 2)
    1000.69
    """
    x = as_float(x)
    axes = tuple(axis) if isinstance(axis, list) else axis
    if 0 in backend.shape(x):
        with_floor = xp.sum(xp.exp(x), axis=axes, keepdims=keepdims)
        return xp.where(with_floor == 0, -math.inf, xp.log(xp.where(with_floor == 0, 1, with_floor)))
    largest = xp.max(x, axis=axes, keepdims=True)
    # shifting by an infinite maximum would give inf - inf
    largest = backend.stop_gradient(xp.where(xp.isfinite(largest), largest, 0))
    total = xp.log(xp.sum(xp.exp(x - largest), axis=axes, keepdims=True)) + largest
    return total if keepdims else xp.squeeze(total, axis=axes)
