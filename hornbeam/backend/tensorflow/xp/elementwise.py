"""Element by element: arithmetic, comparison, logic, bits, and the functions of one number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.xp.common import Tensor, binary, finfo, pair, widened

# --- one argument ------------------------------------------------------------------------------------------------

sin, cos, tan = tf.sin, tf.cos, tf.tan
arcsin, arccos, arctan = (widened(one, "h") for one in (tf.asin, tf.acos, tf.atan))
sinh, cosh, tanh = widened(tf.sinh, "h"), widened(tf.cosh, "h"), tf.tanh
arcsinh, arccosh, arctanh = (widened(one, "h") for one in (tf.asinh, tf.acosh, tf.atanh))
exp, expm1, log, log1p = tf.exp, tf.math.expm1, tf.math.log, tf.math.log1p
sqrt, square = tf.sqrt, widened(tf.square, "iu")
floor, ceil = tf.floor, tf.math.ceil
real, imag, conjugate = tf.math.real, tf.math.imag, tf.math.conj
logical_not = tf.logical_not
i0 = widened(tf.math.bessel_i0, "h")


def _of_floats(function: Any, of_others: Any) -> Any:
    return lambda x: function(x) if x.dtype.is_floating else of_others(x)


isnan = _of_floats(tf.math.is_nan, lambda x: x != x)
isinf = _of_floats(tf.math.is_inf, lambda x: tf.math.is_inf(tf.abs(x)) if x.dtype.is_complex else x != x)
isfinite = _of_floats(tf.math.is_finite, lambda x: tf.math.is_finite(tf.abs(x)) if x.dtype.is_complex else x == x)


def abs(x: Tensor) -> Tensor:
    if x.dtype == tf.bool or x.dtype.is_unsigned:
        return x
    return tf.abs(x)


absolute = abs


def negative(x: Tensor) -> Tensor:
    return tf.cast(tf.negative(tf.cast(x, tf.int64)), x.dtype) if x.dtype.is_unsigned else tf.negative(x)


def sign(x: Tensor) -> Tensor:
    if x.dtype.is_unsigned:
        return tf.cast(x != 0, x.dtype)
    if x.dtype.is_complex:
        size = tf.cast(tf.abs(x), x.dtype)
        return where(size == 0, tf.zeros_like(x), x / where(size == 0, tf.ones_like(x), size))
    if x.dtype.is_floating:
        return tf.sign(x)
    return tf.cast(tf.sign(tf.cast(x, tf.int32) if x.dtype != tf.int64 else x), x.dtype)


def trunc(x: Tensor) -> Tensor:
    return tf.where(x < 0, tf.math.ceil(x), tf.floor(x))


def round(x: Tensor, decimals: int = 0) -> Tensor:
    if decimals == 0:
        return tf.round(x)
    if x.dtype.is_integer:
        if decimals > 0:
            return x
        factor = 10**-decimals
        return tf.cast(tf.round(tf.cast(x, tf.float64) / factor) * factor, x.dtype)
    factor = 10.0 ** builtin_abs(decimals)
    return tf.round(x * factor) / factor if decimals > 0 else tf.round(x / factor) * factor


def builtin_abs(number: int) -> int:
    return number if number >= 0 else -number


def reciprocal(x: Tensor) -> Tensor:
    return 1 / x


def exp2(x: Tensor) -> Tensor:
    return tf.pow(tf.cast(2, x.dtype), x)


def log2(x: Tensor) -> Tensor:
    return tf.math.log(x) / tf.cast(math.log(2), x.dtype)


def log10(x: Tensor) -> Tensor:
    return tf.math.log(x) / tf.cast(math.log(10), x.dtype)


def cbrt(x: Tensor) -> Tensor:
    return tf.sign(x) * tf.pow(tf.abs(x), tf.cast(1 / 3, x.dtype))


def sinc(x: Tensor) -> Tensor:
    safe = tf.where(x == 0, tf.ones_like(x), x * tf.cast(math.pi, x.dtype))
    return tf.where(x == 0, tf.ones_like(x), tf.sin(safe) / safe)


def rad2deg(x: Tensor) -> Tensor:
    return x * tf.cast(180 / math.pi, x.dtype)


def deg2rad(x: Tensor) -> Tensor:
    return x * tf.cast(math.pi / 180, x.dtype)


def angle(x: Tensor) -> Tensor:
    return tf.math.angle(x) if x.dtype.is_complex else tf.where(signbit(x), tf.cast(math.pi, x.dtype), 0 * x)


def signbit(x: Tensor) -> Tensor:
    if x.dtype.is_unsigned or x.dtype == tf.bool:
        return tf.zeros_like(x, tf.bool)
    if x.dtype.is_integer:
        return x < 0
    x = x if x.dtype == tf.float64 else tf.cast(x, tf.float32)
    return tf.bitcast(x, tf.int64 if x.dtype == tf.float64 else tf.int32) < 0


def isposinf(x: Tensor) -> Tensor:
    return x == tf.cast(math.inf, x.dtype)


def isneginf(x: Tensor) -> Tensor:
    return x == tf.cast(-math.inf, x.dtype)


def isreal(x: Tensor) -> Tensor:
    return tf.math.imag(x) == 0 if x.dtype.is_complex else tf.ones_like(x, tf.bool)


def nan_to_num(x: Tensor, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    if not x.dtype.is_floating:
        return x
    largest = float(finfo(x.dtype).max)
    x = where(tf.math.is_nan(x), nan, x)
    x = where(isposinf(x), largest if posinf is None else posinf, x)
    return where(isneginf(x), -largest if neginf is None else neginf, x)


# --- two arguments -----------------------------------------------------------------------------------------------

add, subtract, multiply = (binary(widened(one, "b")) for one in (tf.add, tf.subtract, tf.multiply))
equal, not_equal = binary(tf.equal), binary(tf.not_equal)
less, less_equal, greater, greater_equal = (
    binary(widened(one, "b", back=False)) for one in (tf.less, tf.less_equal, tf.greater, tf.greater_equal)
)
logical_and, logical_or, logical_xor = (binary(one) for one in (tf.logical_and, tf.logical_or, tf.math.logical_xor))
arctan2 = binary(widened(tf.atan2, "h"))




maximum, minimum = binary(widened(tf.maximum, "b")), binary(widened(tf.minimum, "b"))


@binary
def fmax(x1: Tensor, x2: Tensor) -> Tensor:
    if not x1.dtype.is_floating:
        return maximum(x1, x2)
    return tf.where(tf.math.is_nan(x1), x2, tf.where(tf.math.is_nan(x2), x1, tf.maximum(x1, x2)))


@binary
def fmin(x1: Tensor, x2: Tensor) -> Tensor:
    if not x1.dtype.is_floating:
        return minimum(x1, x2)
    return tf.where(tf.math.is_nan(x1), x2, tf.where(tf.math.is_nan(x2), x1, tf.minimum(x1, x2)))


@binary
def true_divide(x1: Tensor, x2: Tensor) -> Tensor:
    if x1.dtype.is_integer or x1.dtype == tf.bool:
        x1, x2 = tf.cast(x1, tf.float32), tf.cast(x2, tf.float32)
    return tf.divide(x1, x2)


divide = true_divide


def _safe(x2: Tensor) -> tuple[Tensor, Tensor]:
    """Where integers are 0, and themselves with 1 instead: TensorFlow raises where NumPy gives 0."""
    zero = x2 == 0
    return zero, tf.where(zero, tf.ones_like(x2), x2)


@binary
@widened
def floor_divide(x1: Tensor, x2: Tensor) -> Tensor:
    if not x1.dtype.is_integer:
        return tf.floor(x1 / x2)
    zero, x2 = _safe(x2)
    return tf.where(zero, tf.zeros_like(x1), tf.math.floordiv(x1, x2))


@binary
@widened
def mod(x1: Tensor, x2: Tensor) -> Tensor:
    if not x1.dtype.is_integer:
        return tf.math.floormod(x1, x2)
    zero, x2 = _safe(x2)
    return tf.where(zero, tf.zeros_like(x1), tf.math.floormod(x1, x2))


remainder = mod


@binary
@widened
def fmod(x1: Tensor, x2: Tensor) -> Tensor:
    if not x1.dtype.is_integer:
        half = x1.dtype in (tf.float16, tf.bfloat16)
        wide = [tf.cast(one, tf.float32) if half else one for one in (x1, x2)]
        return tf.cast(tf.raw_ops.TruncateMod(x=wide[0], y=wide[1]), x1.dtype)
    zero, x2 = _safe(x2)
    return tf.where(zero, tf.zeros_like(x1), tf.raw_ops.TruncateMod(x=x1, y=x2))


@binary
@widened
def power(x1: Tensor, x2: Tensor) -> Tensor:
    return tf.pow(x1, x2)


@binary
def hypot(x1: Tensor, x2: Tensor) -> Tensor:
    x1, x2 = tf.abs(x1), tf.abs(x2)
    large, small = tf.maximum(x1, x2), tf.minimum(x1, x2)
    zero = large == 0
    ratio = small / tf.where(zero, tf.ones_like(large), large)
    found = tf.where(zero, large, large * tf.sqrt(1 + ratio * ratio))
    return tf.where(tf.math.is_inf(x1) | tf.math.is_inf(x2), tf.cast(math.inf, x1.dtype), found)


def _log_of_sum(x1: Tensor, x2: Tensor) -> Tensor:
    gap = x1 - x2
    found = tf.maximum(x1, x2) + tf.math.log1p(tf.exp(-tf.abs(gap)))
    return tf.where(tf.math.is_nan(gap), x1 + x2, found)  # equal infinities


@tf.custom_gradient
def _logaddexp(x1: Tensor, x2: Tensor) -> Any:
    # that of the formula above is wrong where both are equal: the maximum and the size each choose a side
    def gradient(upstream: Tensor) -> tuple[Tensor, Tensor]:
        share = tf.sigmoid(x1 - x2)
        return upstream * share, upstream * (1 - share)

    return _log_of_sum(x1, x2), gradient


@binary
def logaddexp(x1: Tensor, x2: Tensor) -> Tensor:
    if x1.shape != x2.shape or not x1.shape.is_fully_defined():
        x1, x2 = x1 + tf.zeros_like(x2), x2 + tf.zeros_like(x1)
    return _logaddexp(x1, x2)


@binary
def logaddexp2(x1: Tensor, x2: Tensor) -> Tensor:
    half = tf.cast(math.log(2), x1.dtype)
    return logaddexp(x1 * half, x2 * half) / half


@binary
def heaviside(x1: Tensor, x2: Tensor) -> Tensor:
    steps = tf.where(x1 > 0, tf.ones_like(x1), tf.zeros_like(x1))
    return tf.where(tf.math.is_nan(x1), x1, tf.where(x1 == 0, x2, steps))


@binary
def nextafter(x1: Tensor, x2: Tensor) -> Tensor:
    if x1.dtype in (tf.float32, tf.float64):
        return tf.math.nextafter(x1, x2)
    # a neighbour differs by one in the bits; both zeros meet in the smallest number
    bits = tf.bitcast(x1, tf.int16)
    away = tf.where((x1 > 0) == (x2 > x1), tf.ones_like(bits), -tf.ones_like(bits))
    smallest = tf.where(x2 > 0, tf.constant(1, tf.int16), tf.constant(np.int16(-32767)))
    beside = tf.cast(tf.cast(bits, tf.int32) + tf.cast(away, tf.int32), tf.int16)
    moved = tf.bitcast(tf.where(x1 == 0, smallest, beside), x1.dtype)
    return tf.where(tf.math.is_nan(x1) | tf.math.is_nan(x2), x1 + x2, tf.where(x1 == x2, x2, moved))


def ldexp(x1: Tensor, x2: Tensor) -> Tensor:
    # in two steps, since a power of two may overflow where the product does not
    half = tf.math.floordiv(x2, 2)
    two = tf.cast(2, x1.dtype)
    return x1 * tf.pow(two, tf.cast(half, x1.dtype)) * tf.pow(two, tf.cast(x2 - half, x1.dtype))


@binary
@widened
def gcd(x1: Tensor, x2: Tensor) -> Tensor:
    x1, x2 = tf.abs(x1), tf.abs(x2)
    x1, x2 = x1 + tf.zeros_like(x2), x2 + tf.zeros_like(x1)

    def step(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        done = b == 0
        safe = tf.where(done, tf.ones_like(b), b)
        return tf.where(done, a, b), tf.where(done, b, tf.math.floormod(a, safe))

    return tf.while_loop(lambda _, b: tf.reduce_any(b != 0), step, (x1, x2))[0]


@binary
@widened
def lcm(x1: Tensor, x2: Tensor) -> Tensor:
    common = gcd(x1, x2)
    safe = tf.where(common == 0, tf.ones_like(common), common)
    return tf.abs(tf.math.floordiv(x1, safe) * x2)


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    if x1 is None:
        return tuple(tf.unstack(tf.where(condition), axis=1))
    return tf.where(condition, *pair(x1, x2))


def clip(x: Tensor, low: Any, high: Any) -> Tensor:
    if low is not None:
        x = maximum(x, low)
    return x if high is None else minimum(x, high)


def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    x1, x2 = pair(x1, x2)
    if not (x1.dtype.is_floating or x1.dtype.is_complex):
        x1, x2 = tf.cast(x1, tf.float32), tf.cast(x2, tf.float32)
    size = tf.abs(x2)
    near = tf.abs(x1 - x2) <= tf.cast(atol, size.dtype) + tf.cast(rtol, size.dtype) * size
    infinite = tf.math.is_inf(size) | tf.math.is_inf(tf.abs(x1))
    found = tf.where(infinite, x1 == x2, near)
    if equal_nan:
        found = found | ((x1 != x1) & (x2 != x2))
    return found


# --- bits --------------------------------------------------------------------------------------------------------


def _bits(bitwise: Any, logical: Any) -> Any:
    return binary(lambda x1, x2: logical(x1, x2) if x1.dtype == tf.bool else bitwise(x1, x2))


bitwise_and = _bits(tf.bitwise.bitwise_and, tf.logical_and)
bitwise_or = _bits(tf.bitwise.bitwise_or, tf.logical_or)
bitwise_xor = _bits(tf.bitwise.bitwise_xor, tf.math.logical_xor)


def bitwise_not(x: Tensor) -> Tensor:
    return tf.logical_not(x) if x.dtype == tf.bool else tf.bitwise.invert(x)


left_shift, right_shift = binary(tf.bitwise.left_shift), binary(tf.bitwise.right_shift)


