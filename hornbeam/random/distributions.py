"""Random tensors of the common distributions, as arithmetic on the random bits under the key that a seed stands for.

With bits of Threefry-2x32 the numbers are the same on all backends, up to rounding; see `sampling.bits`. The rejection
methods, for gamma, beta and binomial numbers, are in `rejection.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam import dtypes
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.ops.define import Tensor, TensorLike, as_float, as_tensor, convert, normalized_axis, op
from hornbeam.random.sampling import (
    bits,
    integers_below,
    inverse_erf,
    mask,
    run,
    scalar,
    standard_gumbel,
    standard_normal,
    symmetric,
    together,
    unit,
)
from hornbeam.random.seed_generator import SeedGenerator, draw_seed
from hornbeam.symbolic import KerasTensor
from hornbeam.variable import standardize_shape

xp = backend.xp
Seed = int | SeedGenerator | None

_REAL = ("float16", "bfloat16", "float32", "float64")
# erf(sqrt(2)): how far the distribution function of numbers within two deviations reaches
_WITHIN_TWO = 0.9544997361036416


def normal(
    shape: Sequence[int], mean: TensorLike = 0.0, stddev: TensorLike = 1.0, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Numbers of a normal distribution.

    Args:
        shape: The shape of the result.
        mean: The mean; a number or a tensor that broadcasts to `shape`.
        stddev: The standard deviation, likewise.
        dtype: A float dtype; None is the default float type.
        seed: An integer, which gives the same numbers each time; a `SeedGenerator`; or None.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: For a dtype that is no float type, or for another kind of seed.

    >>> import hornbeam as keras
    >>> keras.random.normal((2, 3), seed=1).shape
    (2, 3)
    """
    shape, dtype = _checked(shape, dtype, "normal")
    key, stddev, mean = draw_seed(seed), _parameter(stddev, dtype, 1), _parameter(mean, dtype, 0)
    _check_parameters(shape, "normal", "mean and stddev", mean, stddev)
    return _fitting(run(_normal, together(key, stddev, mean), shape, dtype), shape, "normal", "mean and stddev")


def _normal(key: Any, stddev: Any, mean: Any, shape: tuple[int, ...], dtype: str) -> Any:
    return _scaled(standard_normal(bits(key, shape), dtype), stddev, mean)


def _scaled(sample: Any, stddev: Any, mean: Any) -> Any:
    if stddev is not None:
        sample = xp.multiply(sample, stddev)
    return sample if mean is None else xp.add(sample, mean)


def truncated_normal(
    shape: Sequence[int], mean: TensorLike = 0.0, stddev: TensorLike = 1.0, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Numbers of a normal distribution, given that they lie within two standard deviations of the mean.

    Args:
        shape: The shape of the result.
        mean: The mean; a number or a tensor that broadcasts to `shape`.
        stddev: The standard deviation before truncation, likewise.
        dtype: A float dtype; None is the default float type.
        seed: As in `normal`.

    Returns:
        Tensor of `shape`.

    >>> import hornbeam as keras
    >>> float(keras.ops.max(abs(keras.random.truncated_normal((1000,), seed=1)))) <= 2.0
    True
    """
    shape, dtype = _checked(shape, dtype, "truncated_normal")
    key, stddev, mean = draw_seed(seed), _parameter(stddev, dtype, 1), _parameter(mean, dtype, 0)
    _check_parameters(shape, "truncated_normal", "mean and stddev", mean, stddev)
    value = run(_truncated_normal, together(key, stddev, mean), shape, dtype)
    return _fitting(value, shape, "truncated_normal", "mean and stddev")


def _truncated_normal(key: Any, stddev: Any, mean: Any, shape: tuple[int, ...], dtype: str) -> Any:
    wide = "float64" if dtype == "float64" else "float32"
    sample = inverse_erf(symmetric(bits(key, shape), wide) * scalar(_WITHIN_TWO, wide))
    sample = xp.clip(sample * scalar(np.sqrt(2.0), wide), scalar(-2.0, wide), scalar(2.0, wide))
    return _scaled(sample if wide == dtype else backend.cast(sample, dtype), stddev, mean)


def uniform(
    shape: Sequence[int], minval: TensorLike = 0.0, maxval: TensorLike = 1.0, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Numbers that are equally likely everywhere in [minval, maxval).

    Args:
        shape: The shape of the result.
        minval: The lower bound, which may come; a number or a tensor that broadcasts to `shape`.
        maxval: The upper bound, which never comes, likewise.
        dtype: A float dtype; None is the default float type. For integers use `randint`.
        seed: As in `normal`.

    Returns:
        Tensor of `shape`.

    >>> import hornbeam as keras
    >>> keras.random.uniform((3,), minval=2.0, maxval=3.0, seed=1).shape
    (3,)
    """
    shape, dtype = _checked(shape, dtype, "uniform", "Use `randint` for integers.")
    low, high = _parameter(minval, dtype, 0), _parameter(maxval, dtype, None)
    if low is None and _is(maxval, 1):
        high = None
    elif low is None:
        low = scalar(0.0, dtype)
    _check_parameters(shape, "uniform", "minval and maxval", low, high)
    value = run(_uniform, together(draw_seed(seed), low, high), shape, dtype)
    return _fitting(value, shape, "uniform", "minval and maxval")


def _uniform(key: Any, low: Any, high: Any, shape: tuple[int, ...], dtype: str) -> Any:
    sample = unit(bits(key, shape), dtype)
    if high is None:
        return sample
    value = xp.add(low, xp.multiply(sample, xp.subtract(high, low)))
    # rounding may lead up to maxval
    return xp.where(xp.logical_and(xp.greater_equal(value, high), xp.greater(high, low)), low, value)


def randint(
    shape: Sequence[int], minval: TensorLike, maxval: TensorLike, dtype: Any = "int32", seed: Seed = None
) -> Tensor:
    """Integers that are equally likely in [minval, maxval).

    Args:
        shape: The shape of the result.
        minval: The lower bound, which may come; an integer or a tensor that broadcasts to `shape`.
        maxval: The upper bound, which never comes, likewise. At most 2**32 - 1 above `minval`.
        dtype: An integer dtype.
        seed: As in `normal`.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: For a dtype that is no integer type, or for an empty or too wide range.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.random.randint((3,), 4, 5)).tolist()
    [4, 4, 4]
    """
    shape = _checked_shape(shape, "randint")
    dtype = dtypes.standardize_dtype(dtype)
    if not dtypes.is_int(dtype):
        raise ArgumentError("an integer dtype", f"dtype={dtype}", "randint", "Use `uniform` for floats.")
    key = draw_seed(seed)
    if _is_number(minval) and _is_number(maxval):
        minval, maxval = int(minval), int(maxval)
        span = maxval - minval
        if not 0 < span < 2**32:
            raise ArgumentError(
                "maxval above minval by 1 to 2**32 - 1", f"minval={minval}, maxval={maxval}", "randint"
            )
        start, words = np.uint32(minval % 2**32), 1 if span <= 4096 else 2
        value = run(_randint, (key, np.uint32(span), start), shape, words)
    else:
        low, high = (backend.cast(as_tensor(convert(one)), "uint32") for one in (minval, maxval))
        value = run(_randint, (key, xp.subtract(high, low), low), shape, 2)
        value = _fitting(value, shape, "randint", "minval and maxval")
    # words above 2**31 are negative numbers, unless the dtype has none
    value = value if dtype.startswith("u") else backend.cast(value, "int32")
    return backend.cast(value, dtype)


def _randint(key: Any, span: Any, low: Any, shape: tuple[int, ...], words: int) -> Any:
    return xp.add(integers_below(span, key, shape, words), low)


def _categorical_spec(logits: Any, num_samples: int, dtype: Any = "int32", **_: Any) -> KerasTensor:
    _checked_rank(logits)
    return KerasTensor((logits.shape[0], num_samples), dtypes.standardize_dtype(dtype))


@op("keras.src.ops.random.Categorical", tensors=["logits"], spec=_categorical_spec)
def categorical(logits: TensorLike, num_samples: int, dtype: Any = "int32", seed: Seed = None) -> Tensor:
    """Class numbers, drawn with the probabilities softmax(logits).

    Args:
        logits: Float tensor (batch, classes): logarithms of the probabilities, up to a constant per row.
        num_samples: How many are drawn for each row.
        dtype: The integer dtype of the result.
        seed: As in `normal`.

    Returns:
        Tensor (batch, num_samples).

    Raises:
        ValueError: If `logits` has not two axes.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.random.categorical([[0.0, 50.0]], 3, seed=1)).tolist()
    [[1, 1, 1]]
    """
    logits = as_float(logits)
    _checked_rank(logits)
    return run(_categorical, (_key_beside(seed, logits), logits), int(num_samples), dtypes.standardize_dtype(dtype))


def _categorical(key: Any, logits: Any, num_samples: int, dtype: str) -> Any:
    batch, classes = backend.shape(logits)
    noise = standard_gumbel(bits(key, (batch, num_samples, classes)))
    # the largest of logits plus Gumbel noise falls on each class with its probability
    return backend.cast(xp.argmax(backend.cast(logits, "float32")[:, None, :] + noise, axis=-1), dtype)


def _dropout_spec(inputs: Any, rate: float, **_: Any) -> KerasTensor:
    _checked_rate(rate)
    dtype = inputs.dtype if dtypes.is_float(inputs.dtype) else dtypes.standardize_dtype(None)
    return KerasTensor(inputs.shape, dtype)


@op("keras.src.ops.random.Dropout", tensors=["inputs"], spec=_dropout_spec)
def dropout(
    inputs: TensorLike, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Seed = None
) -> Tensor:
    """Sets elements to zero at random and scales the others up, so that the expected sum stays.

    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014.

    Args:
        inputs: Float tensor.
        rate: The probability of zero, from 0 to 1.
        noise_shape: The shape of the mask, which broadcasts to that of `inputs`; None in it means the size there.
        seed: As in `normal`.

    Returns:
        Tensor like `inputs`; kept elements are multiplied by 1 / (1 - rate).

    Raises:
        ValueError: For a rate outside of [0, 1], or a `noise_shape` that does not fit.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.random.dropout([1.0, 1.0], rate=0.0)).tolist()
    [1.0, 1.0]
    """
    rate = _checked_rate(rate)
    inputs = as_float(inputs)
    shape = backend.shape(inputs)
    mask_shape = shape if noise_shape is None else _mask_shape(noise_shape, shape)
    key = _key_beside(seed, inputs)  # also for a rate of 0, so that the count of keys does not depend on it
    if rate == 0.0:
        return inputs
    threshold = round(rate * 2**32)
    if threshold >= 2**32:
        return xp.zeros_like(inputs)
    return run(_dropout, (key, inputs), mask_shape, threshold, 1.0 / (1.0 - rate))


def _dropout(key: Any, inputs: Any, shape: tuple[int, ...], threshold: int, factor: float) -> Any:
    # bits are compared as integers: no conversion to floats
    kept = mask(key, shape, threshold)
    dtype = backend.dtype(inputs)
    return xp.where(kept, inputs * scalar(factor, dtype), scalar(0.0, dtype))


def _like(x: Any, axis: int = 0, **_: Any) -> KerasTensor:
    normalized_axis(axis, len(x.shape), "shuffle")
    return KerasTensor(x.shape, x.dtype)


@op("keras.src.ops.random.Shuffle", tensors=["x"], spec=_like)
def shuffle(x: TensorLike, axis: int = 0, seed: Seed = None) -> Tensor:
    """The slices of `x` along an axis in random order.

    Args:
        x: Tensor with at least one axis.
        axis: The axis.
        seed: As in `normal`.

    Returns:
        Tensor like `x`.

    >>> import hornbeam as keras
    >>> sorted(keras.ops.convert_to_numpy(keras.random.shuffle([3, 1, 2], seed=1)).tolist())
    [1, 2, 3]
    """
    x = as_tensor(x)
    axis = normalized_axis(axis, len(backend.shape(x)), "shuffle")
    return run(_shuffle, (_key_beside(seed, x), x), axis)


def _shuffle(key: Any, x: Any, axis: int) -> Any:
    order = xp.argsort(bits(key, (backend.shape(x)[axis],)))
    return xp.take(x, order, axis=axis)


# --- checks ------------------------------------------------------------------------------------------------------


def _checked_shape(shape: Any, where: str) -> tuple[int, ...]:
    result = standardize_shape(shape)
    if None in result:
        raise ArgumentError("a shape of known sizes", f"shape={result}", where)
    return result


def _checked(shape: Any, dtype: Any, where: str, fix: str = "") -> tuple[tuple[int, ...], str]:
    dtype = dtypes.standardize_dtype(dtype)
    if dtype not in _REAL:
        raise ArgumentError("a float dtype", f"dtype={dtype}", where, fix)
    return _checked_shape(shape, where), dtype


def _checked_rank(logits: Any) -> None:
    if len(logits.shape) != 2:
        raise ArgumentError("logits of shape (batch, classes)", f"shape={tuple(logits.shape)}", "categorical")


def _checked_rate(rate: Any) -> float:
    if isinstance(rate, bool) or not isinstance(rate, (int, float, np.number)):
        raise ArgumentTypeError("a number as rate", describe(rate), "dropout")
    if not 0 <= rate <= 1:
        raise ArgumentError("a rate from 0 to 1", f"rate={rate}", "dropout")
    return float(rate)


def _mask_shape(noise_shape: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    given = standardize_shape(noise_shape)
    sizes = shape[max(len(shape) - len(given), 0) :]
    result = tuple(size if one is None else one for one, size in zip(given, sizes, strict=False))
    if len(given) > len(shape) or any(one not in (1, size) for one, size in zip(result, sizes, strict=True)):
        raise ArgumentError(
            f"a noise_shape that broadcasts to the inputs of shape={shape}", f"noise_shape={given}", "dropout"
        )
    return result


def _key_beside(seed: Seed, value: Any) -> Any:
    """The key that a seed stands for, on the device of a tensor that it will decide about."""
    key = draw_seed(seed)
    with backend.beside(value):
        return backend.brought(key)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _is(value: Any, number: float) -> bool:
    return _is_number(value) and value == number


def _parameter(value: Any, dtype: str, neutral: float | None = None) -> Any:
    """A parameter of a distribution in the dtype of the result, or None for a number that changes nothing."""
    if _is_number(value):
        return None if value == neutral else scalar(float(value), dtype)
    tensor = as_tensor(convert(value))
    return tensor if backend.dtype(tensor) == dtype else backend.cast(tensor, dtype)


def _check_parameters(shape: tuple[int, ...], where: str, what: str, *given: Any) -> None:
    for one in given:
        have = tuple(getattr(one, "shape", ()))
        long = len(have) > len(shape)
        if long or any(
            size not in (1, None, wanted) for size, wanted in zip(reversed(have), reversed(shape), strict=False)
        ):
            raise ArgumentError(f"{what} that broadcast to shape={shape}", f"shape={have}", where)


def _fitting(value: Any, shape: tuple[int, ...], where: str, what: str) -> Any:
    if backend.shape(value) != shape:
        got = f"a result of shape={backend.shape(value)}"
        raise ArgumentError(f"{what} that broadcast to shape={shape}", got, where)
    return value
