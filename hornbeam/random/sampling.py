"""From random bits to numbers: the few transformations that all distributions share. Works on raw tensors."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam import _config
from hornbeam.backend import active as backend
from hornbeam.scope import context

xp = backend.xp

# How many of a word's 32 bits fill the significand of a float type.
_BITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 32}


def equal_everywhere() -> bool:
    """Whether random bits are to be those of Threefry, equal on all backends, or the backend's fastest."""
    chosen = _config.reproducible_random()
    return backend.reproducible_random if chosen is None else chosen


def bits(key: Any, shape: Sequence[int]) -> Any:
    """uint32 random bits under a key: the same ones whenever it is the same key."""
    return (backend.random_bits if equal_everywhere() else backend.fast_bits)(key, tuple(shape))


def mask(key: Any, shape: Sequence[int], threshold: int) -> Any:
    """Where random bits under a key are at least `threshold`."""
    return (backend.random_mask if equal_everywhere() else backend.fast_mask)(key, tuple(shape), threshold)


def together(key: Any, *parameters: Any) -> tuple:
    """A key and parameters of a distribution, brought to where the key lies; None stays."""
    with backend.beside(key):
        return key, *[None if one is None else backend.brought(one) for one in parameters]


def run(kernel: Callable[..., Any], tensors: tuple, *fixed: Any) -> Any:
    """`kernel(*tensors, *fixed)`, compiled once per `fixed` where the backend compiles and nothing is traced yet."""
    if not backend.compile_kernels or context.trace is not None or any(map(backend.is_traced, tensors)):
        with backend.beside(tensors[0]):  # the key
            return kernel(*tensors, *fixed)
    return _compiled(kernel, fixed, equal_everywhere())(*tensors)


@functools.lru_cache(maxsize=512)
def _compiled(kernel: Callable[..., Any], fixed: tuple, _equal: bool) -> Callable[..., Any]:
    return backend.compile(lambda *tensors: kernel(*tensors, *fixed))


def draw(key: Any, count: int, shape: tuple[int, ...]) -> tuple[Any, list[Any]]:
    """A key for the draws to come, and `count` tensors of random words; `key` itself must not be drawn from again.

    One call to the generator makes it all, since each call is a large piece of program to compile.
    """
    size = math.prod(shape)
    words = bits(key, (2 + count * size,))
    return words[:2], [xp.reshape(words[2 + i * size : 2 + (i + 1) * size], shape) for i in range(count)]


def unit(words: Any, dtype: str) -> Any:
    """Uniform numbers in [0, 1), each a multiple of 2**-n where n is the precision of `dtype`."""
    dtype = backend.narrowed.get(dtype, dtype)
    count = _BITS[dtype]
    if count == 32:
        return backend.cast(words, dtype) * np.float64(2.0**-32)
    # signed integers turn into floats faster, and what is left of the word is positive
    small = backend.cast(xp.right_shift(words, np.uint32(32 - count)), "int32")
    return backend.cast(small, dtype) * scalar(2.0**-count, dtype)


def open_unit(words: Any, dtype: str) -> Any:
    """Uniform numbers in (0, 1), symmetric around 1/2; float32 or float64."""
    return (symmetric(words, dtype) + scalar(1.0, dtype)) * scalar(0.5, dtype)


def symmetric(words: Any, dtype: str) -> Any:
    """Uniform numbers in (-1, 1), symmetric around 0 and never 0; float32 or float64."""
    words = backend.cast(words, "int32")
    if backend.narrowed.get(dtype, dtype) == "float64":
        return (backend.cast(words, dtype) + 0.5) * 2.0**-31
    # an odd signed number of 24 bits: exact in float32
    odd = xp.bitwise_or(xp.right_shift(words, np.int32(8)), np.int32(1))
    return backend.cast(odd, dtype) * np.float32(2.0**-23)


def standard_normal(words: Any, dtype: str) -> Any:
    """Normal numbers of mean 0 and deviation 1, by the inverse of the distribution function."""
    wide = "float64" if dtype == "float64" else "float32"
    sample = inverse_erf(symmetric(words, wide)) * scalar(np.sqrt(2.0), wide)
    return sample if wide == dtype else backend.cast(sample, dtype)


def standard_gumbel(words: Any) -> Any:
    """Numbers of the standard Gumbel distribution, float32."""
    return -xp.log(-xp.log(open_unit(words, "float32")))


# M. Giles, "Approximating the erfinv function", GPU Computing Gems (Jade edition), 2011: relative error 1e-6.
# Two polynomials in w = -log(1 - x**2), highest power first: for the middle, and for the tails.
_MIDDLE = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164,
    0.246640727, 1.50140941,
)
_TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
    1.00167406, 2.83297682,
)


def inverse_erf(x: Any) -> Any:
    """The inverse error function in (-1, 1), by Giles's polynomials."""
    dtype = backend.dtype(x)
    w = -xp.log1p(-x * x)
    in_middle = w < scalar(5.0, dtype)
    w = xp.where(in_middle, w - scalar(2.5, dtype), xp.sqrt(xp.maximum(w, scalar(5.0, dtype))) - scalar(3.0, dtype))
    total = xp.where(in_middle, scalar(_MIDDLE[0], dtype), scalar(_TAIL[0], dtype))
    for middle, tail in zip(_MIDDLE[1:], _TAIL[1:], strict=True):
        total = total * w + xp.where(in_middle, scalar(middle, dtype), scalar(tail, dtype))
    return total * x


def integers_below(span: Any, key: Any, shape: Sequence[int], words: int) -> Any:
    """uint32 integers in [0, span): the product of a random fraction of 32 or 64 bits and `span`, rounded down.

    Args:
        span: uint32 scalar or tensor.
        key: The key.
        shape: The shape of the result.
        words: How many random words make a fraction. No value is likelier than another by more than a factor
            of 1 + span * 2**(-32 * words).
    """
    if words == 1:
        return _product(bits(key, shape), span)[0]
    first, second = bits(key, (2, *shape))
    high, low = _product(first, span)
    carried = xp.add(low, _product(second, span)[0])
    return xp.add(high, backend.cast(xp.less(carried, low), "uint32"))


def _product(a: Any, b: Any) -> tuple[Any, Any]:
    """The high and the low word of a product of two uint32, from products of halves."""
    # by the functions of `xp`, not by operators: frameworks have few kernels for unsigned integers
    half, mask = np.uint32(16), np.uint32(0xFFFF)
    a1, a0 = xp.right_shift(a, half), xp.bitwise_and(a, mask)
    b1, b0 = xp.right_shift(b, half), xp.bitwise_and(b, mask)
    low, middle = xp.multiply(a0, b0), xp.multiply(a1, b0)
    middle = xp.add(middle, xp.right_shift(low, half))
    other = xp.add(xp.multiply(a0, b1), xp.bitwise_and(middle, mask))
    high = xp.add(xp.add(xp.multiply(a1, b1), xp.right_shift(middle, half)), xp.right_shift(other, half))
    return high, xp.bitwise_or(xp.left_shift(other, half), xp.bitwise_and(low, mask))


def scalar(value: float, dtype: str) -> Any:
    """A number that keeps tensors it meets in `dtype`, made once for each place where tensors lie."""
    return _scalar(value, dtype, backend.place())


@functools.lru_cache(maxsize=512)
def _scalar(value: float, dtype: str, _place: Any) -> Any:
    with backend.constants():
        return backend.scalar(value, dtype)
