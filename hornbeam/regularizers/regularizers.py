"""Penalties on weights and activations, to be added to the loss; knows neither layers nor training."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam._arguments import KeepsArguments
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, UnknownNameError, UnsupportedError, describe
from hornbeam.ops.define import Tensor, TensorLike


@wire("keras.regularizers.Regularizer", "keras.Regularizer")
class Regularizer:
    """Gives a scalar penalty for a tensor; subclasses write `__call__` and `get_config`.

    >>> class Total(Regularizer):
    ...     def __call__(self, x):
    ...         return 0.1 * ops.sum(x)
    >>> float(Total()([1.0, 2.0]))
    0.3...
    """

    def __call__(self, x: TensorLike) -> Any:
        """The penalty for `x`."""
        return 0.0

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal regularizer."""
        raise UnsupportedError(
            "a regularizer that can be saved", f"{type(self).__name__} without get_config", "regularizers",
            "Define get_config() so that it returns the arguments of __init__ as a dict.",
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A regularizer made from what `get_config` gave."""
        return cls(**config)


def _checked(value: Any, name: str, where: str) -> float:
    if not isinstance(value, (int, float, np.number)) or not math.isfinite(value) or value < 0:
        raise ArgumentError(f"a finite number of at least 0 as {name}", describe(value), where)
    return float(value)


def _single(value: float) -> float:
    # files carry some factors in single precision
    return float(np.float32(value))


@wire("keras.regularizers.L1")
class L1(KeepsArguments, Regularizer):
    """The penalty `l1 * sum(|x|)`, which drives weights to zero.

    Args:
        l1: The factor, at least 0; None is 0.01.

    Raises:
        ValueError: For another factor.

    >>> round(float(L1(0.1)([1.0, -2.0])), 4)
    0.3
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = _single(_checked(0.01 if l1 is None else l1, "l1", "L1"))

    def __call__(self, x: TensorLike) -> Tensor:
        return ops.multiply(self.l1, ops.sum(ops.absolute(x)))


@wire("keras.regularizers.L2")
class L2(KeepsArguments, Regularizer):
    """The penalty `l2 * sum(x**2)`, which keeps weights small.

    Args:
        l2: The factor, at least 0; None is 0.01.

    Raises:
        ValueError: For another factor.

    >>> round(float(L2(0.1)([1.0, -2.0])), 4)
    0.5
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = _checked(0.01 if l2 is None else l2, "l2", "L2")

    def __call__(self, x: TensorLike) -> Tensor:
        return ops.multiply(self.l2, ops.sum(ops.square(x)))


@wire("keras.regularizers.L1L2")
class L1L2(KeepsArguments, Regularizer):
    """The sum of the penalties of `L1` and `L2`.

    Args:
        l1: The factor of the absolute values, at least 0; None is 0.
        l2: The factor of the squares, likewise.

    Raises:
        ValueError: For other factors.

    >>> round(float(L1L2(0.1, 0.1)([1.0, -2.0])), 4)
    0.8
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _checked(0.0 if l1 is None else l1, "l1", "L1L2")
        self.l2 = _checked(0.0 if l2 is None else l2, "l2", "L1L2")

    def __call__(self, x: TensorLike) -> Tensor:
        if not self.l2:
            return ops.multiply(self.l1, ops.sum(ops.absolute(x)))
        squares = ops.multiply(self.l2, ops.sum(ops.square(x)))
        return ops.add(squares, ops.multiply(self.l1, ops.sum(ops.absolute(x)))) if self.l1 else squares


@wire("keras.regularizers.OrthogonalRegularizer")
class OrthogonalRegularizer(KeepsArguments, Regularizer):
    """The factor times the mean of |cosine| over all pairs of rows, or of columns, of a matrix.

    Args:
        factor: The factor, at least 0.
        mode: "rows" or "columns".

    Raises:
        ValueError: For another factor or mode, or when called with a tensor that is no matrix.

    >>> round(float(OrthogonalRegularizer(1.0)([[1.0, 0.0], [1.0, 1.0]])), 4)
    0.7071
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _single(_checked(factor, "factor", "OrthogonalRegularizer"))
        if mode not in ("rows", "columns"):
            raise UnknownNameError("mode", mode, ("rows", "columns"), "OrthogonalRegularizer")
        self.mode = mode

    def __call__(self, inputs: TensorLike) -> Tensor:
        shape = ops.shape(inputs)
        if len(shape) != 2:
            raise ArgumentError("a matrix", f"shape={tuple(shape)}", "OrthogonalRegularizer")
        vectors = inputs if self.mode == "rows" else ops.transpose(inputs)
        count = shape[0] if self.mode == "rows" else shape[1]
        if count is None:
            raise ArgumentError("a matrix of known size", f"shape={tuple(shape)}", "OrthogonalRegularizer")
        vectors = ops.normalize(vectors, axis=1)
        cosines = ops.matmul(vectors, ops.transpose(vectors))
        # a single vector has no partner
        pairs = max(count * (count - 1), 1)
        apart = ops.cast(1.0 - np.eye(count, dtype="float32"), cosines.dtype)
        return ops.multiply(self.factor / pairs, ops.sum(ops.absolute(ops.multiply(cosines, apart))))
