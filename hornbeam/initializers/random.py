"""Initializers that draw their values: plain distributions, those scaled by the size of a layer, orthogonal ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, describe
from hornbeam.initializers.initializer import RandomInitializer, checked_number, work_dtype
from hornbeam.random.seed_generator import SeedGenerator

# The standard deviation of a standard normal distribution cut off at two deviations.
_TRUNCATED_DEVIATION = 0.87962566103423978

Seed = int | SeedGenerator | None


def _truncated(generator: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Standard normal numbers, drawn again where they lie beyond two deviations."""
    kind = work_dtype(dtype)
    count = math.prod(shape)
    parts: list[np.ndarray] = []
    missing = count
    while missing > 0:
        # 4.6 % are refused: a few more than needed make one round suffice nearly always
        drawn = generator.standard_normal(missing + missing // 16 + 16, dtype=kind)
        drawn = drawn[np.abs(drawn) <= 2][:missing]
        parts.append(drawn)
        missing -= len(drawn)
    return np.concatenate(parts).reshape(shape) if parts else np.zeros(shape, kind)


def _uniform(generator: np.random.Generator, shape: tuple[int, ...], dtype: str, low: float, high: float) -> np.ndarray:
    values = generator.random(shape, dtype=work_dtype(dtype))
    values *= values.dtype.type(high - low)
    values += values.dtype.type(low)
    return values


@wire("keras.initializers.RandomNormal")
class RandomNormal(RandomInitializer):
    """Values of a normal distribution.

    Args:
        mean: The mean.
        stddev: The standard deviation.
        seed: As in `RandomInitializer`: an integer or None repeats the values, a `SeedGenerator` does not.

    >>> RandomNormal(stddev=0.1, seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        super().__init__(seed)
        self.mean = checked_number(mean, "mean", type(self).__name__)
        self.stddev = checked_number(stddev, "stddev", type(self).__name__)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        values = generator.standard_normal(shape, dtype=work_dtype(dtype))
        return values * values.dtype.type(self.stddev) + values.dtype.type(self.mean)


@wire("keras.initializers.TruncatedNormal")
class TruncatedNormal(RandomNormal):
    """Values of a normal distribution, given that they lie within two standard deviations of the mean.

    Args:
        mean: The mean.
        stddev: The standard deviation before truncation.
        seed: As in `RandomInitializer`.

    >>> TruncatedNormal(stddev=0.1, seed=1)((2, 3)).shape
    (2, 3)
    """

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        values = _truncated(generator, shape, dtype)
        return values * values.dtype.type(self.stddev) + values.dtype.type(self.mean)


@wire("keras.initializers.RandomUniform")
class RandomUniform(RandomInitializer):
    """Values that are equally likely everywhere in [minval, maxval).

    Args:
        minval: The lower bound.
        maxval: The upper bound.
        seed: As in `RandomInitializer`.

    >>> RandomUniform(-1.0, 1.0, seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Seed = None) -> None:
        super().__init__(seed)
        self.minval = checked_number(minval, "minval", type(self).__name__)
        self.maxval = checked_number(maxval, "maxval", type(self).__name__)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        return _uniform(generator, shape, dtype, self.minval, self.maxval)


# --- scaled by the number of inputs and outputs ----------------------------------------------------------------

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


@wire("keras.initializers.VarianceScaling")
class VarianceScaling(RandomInitializer):
    """Values of mean 0 whose variance is `scale` divided by the number of inputs or outputs of a unit.

    Args:
        scale: The factor, positive.
        mode: What it is divided by: "fan_in" (inputs), "fan_out" (outputs) or "fan_avg" (the mean of both).
        distribution: "truncated_normal", "untruncated_normal" or "uniform".
        seed: As in `RandomInitializer`.
        input_axes: The axes of the weights that count inputs, if they are given together with `output_axes`.
            By default the last axis is outputs, the one before is inputs, and those before are positions.
        output_axes: The axes of the weights that count outputs.

    Raises:
        ValueError: For a scale that is not positive, or unknown names.

    >>> VarianceScaling(2.0, "fan_out", "uniform", seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Seed = None,
        input_axes: int | Sequence[int] | None = None,
        output_axes: int | Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        where = type(self).__name__
        if checked_number(scale, "scale", where) <= 0:
            raise ArgumentError("a positive scale", f"scale={scale}", where)
        if mode not in _MODES:
            raise UnknownNameError("mode", mode, _MODES, where)
        distribution = str(distribution).lower()
        if distribution == "normal":
            distribution = "truncated_normal"
        if distribution not in _DISTRIBUTIONS:
            raise UnknownNameError("distribution", distribution, _DISTRIBUTIONS, where)
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes = _checked_axes(input_axes, "input_axes", where)
        self.output_axes = _checked_axes(output_axes, "output_axes", where)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        fan_in, fan_out = self._fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return _uniform(generator, shape, dtype, -limit, limit)
        if self.distribution == "truncated_normal":
            values = _truncated(generator, shape, dtype)
            return values * values.dtype.type(math.sqrt(variance) / _TRUNCATED_DEVIATION)
        values = generator.standard_normal(shape, dtype=work_dtype(dtype))
        return values * values.dtype.type(math.sqrt(variance))

    def _fans(self, shape: tuple[int, ...]) -> tuple[float, float]:
        if self.input_axes is not None and self.output_axes is not None:
            return _size(shape, self.input_axes), _size(shape, self.output_axes)
        return compute_fans(shape)


def compute_fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs a unit of the layer has and how many outputs an input feeds, for weights of `shape`.

    >>> compute_fans((3, 3, 16, 32))
    (144, 288)
    """
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    positions = math.prod(shape[:-2])
    return positions * shape[-2], positions * shape[-1]


def _checked_axes(axes: Any, name: str, where: str) -> Any:
    if axes is None or (isinstance(axes, int) and not isinstance(axes, bool)):
        return axes
    if not isinstance(axes, (tuple, list)) or not all(isinstance(one, int) for one in axes):
        raise ArgumentTypeError(f"an axis, a tuple of axes or None as {name}", describe(axes), where)
    return axes


def _size(shape: tuple[int, ...], axes: int | Sequence[int]) -> int:
    axes = [axes] if isinstance(axes, int) else axes
    for one in axes:
        if not -len(shape) <= one < len(shape):
            raise ArgumentError(f"axes of a shape={shape}", f"axis={one}", "VarianceScaling")
    return math.prod(shape[one] for one in axes)


class _Scaled(VarianceScaling):
    """A `VarianceScaling` with a name of its own for one choice of its first three arguments."""

    _choice: tuple[float, str, str]

    def __init__(self, seed: Seed = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(*self._choice, seed=seed, input_axes=input_axes, output_axes=output_axes)


@wire("keras.initializers.GlorotUniform")
class GlorotUniform(_Scaled):
    """Uniform values of variance 2 / (fan_in + fan_out), the default of most layers.

    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.

    Args:
        seed: As in `RandomInitializer`.
        input_axes: As in `VarianceScaling`.
        output_axes: As in `VarianceScaling`.

    >>> GlorotUniform(seed=1)((2, 3)).shape
    (2, 3)
    """

    _choice = (1.0, "fan_avg", "uniform")


@wire("keras.initializers.GlorotNormal")
class GlorotNormal(_Scaled):
    """Truncated normal values of variance 2 / (fan_in + fan_out); see `GlorotUniform`.

    >>> GlorotNormal(seed=1)((2, 3)).shape
    (2, 3)
    """

    _choice = (1.0, "fan_avg", "truncated_normal")


@wire("keras.initializers.LecunNormal")
class LecunNormal(_Scaled):
    """Truncated normal values of variance 1 / fan_in (Y. LeCun et al., "Efficient BackProp", 1998).

    >>> LecunNormal(seed=1)((2, 3)).shape
    (2, 3)
    """

    _choice = (1.0, "fan_in", "truncated_normal")


@wire("keras.initializers.LecunUniform")
class LecunUniform(_Scaled):
    """Uniform values of variance 1 / fan_in; see `LecunNormal`.

    >>> LecunUniform(seed=1)((2, 3)).shape
    (2, 3)
    """

    _choice = (1.0, "fan_in", "uniform")


@wire("keras.initializers.HeNormal")
class HeNormal(_Scaled):
    """Truncated normal values of variance 2 / fan_in, for layers before a ReLU.

    K. He et al., "Delving deep into rectifiers", ICCV 2015.

    >>> HeNormal(seed=1)((2, 3)).shape
    (2, 3)
    """

    _choice = (2.0, "fan_in", "truncated_normal")


@wire("keras.initializers.HeUniform")
class HeUniform(_Scaled):
    """Uniform values of variance 2 / fan_in; see `HeNormal`.

    >>> HeUniform(seed=1)((2, 3)).shape
    (2, 3)
    """

    _choice = (2.0, "fan_in", "uniform")


@wire("keras.initializers.Orthogonal", "keras.initializers.OrthogonalInitializer")
class Orthogonal(RandomInitializer):
    """A random matrix with orthonormal columns or rows, whichever are fewer, times a factor.

    All axes but the last count as one. A. M. Saxe et al., "Exact solutions to the nonlinear dynamics of learning
    in deep linear neural networks", ICLR 2014; F. Mezzadri, "How to generate random matrices from the classical
    compact groups", Notices of the AMS 54, 2007.

    Args:
        gain: The factor.
        seed: As in `RandomInitializer`.

    Raises:
        ValueError: When called with a shape of fewer than two axes.

    >>> Orthogonal(seed=1)((3, 2)).shape
    (3, 2)
    """

    def __init__(self, gain: float = 1.0, seed: Seed = None) -> None:
        super().__init__(seed)
        self.gain = checked_number(gain, "gain", "Orthogonal")

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        if len(shape) < 2:
            raise ArgumentError("a shape of two axes or more", f"shape={shape}", "Orthogonal")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        longer, shorter = max(rows, columns), min(rows, columns)
        matrix, triangle = np.linalg.qr(generator.standard_normal((longer, shorter), dtype=work_dtype(dtype)))
        # without the signs, not every matrix would be equally likely
        matrix *= np.where(np.diagonal(triangle) < 0, -1, 1).astype(matrix.dtype)
        if rows < columns:
            matrix = matrix.T
        return matrix.reshape(shape) * matrix.dtype.type(self.gain)
