"""Projections of weights after each step of an optimizer; knows neither layers nor optimizers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam import _config, ops
from hornbeam._arguments import KeepsArguments
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.ops.define import Tensor, TensorLike


@wire("keras.constraints.Constraint", "keras.Constraint")
class Constraint:
    """Maps weights to weights that are allowed; subclasses write `__call__` and `get_config`.

    >>> import hornbeam as keras
    >>> class AtMostOne(Constraint):
    ...     def __call__(self, w):
    ...         return ops.minimum(w, 1.0)
    >>> keras.ops.convert_to_numpy(AtMostOne()([0.5, 2.0])).tolist()
    [0.5, 1.0]
    """

    def __call__(self, w: TensorLike) -> Tensor:
        """The allowed weights nearest to `w`."""
        return w

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal constraint."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A constraint made from what `get_config` gave."""
        return cls(**config)


def _number(value: Any, name: str, where: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise ArgumentTypeError(f"a number as {name}", describe(value), where)
    if math.isnan(value) or value < 0:
        raise ArgumentError(f"{name} of at least 0", repr(value), where)
    return value.item() if isinstance(value, np.number) else value


def _norms(w: Any, axis: Any) -> Any:
    axes = tuple(axis) if isinstance(axis, list) else axis
    return ops.sqrt(ops.sum(ops.square(w), axis=axes, keepdims=True))


def _ratio(value: Any, norms: Any) -> Any:
    return ops.divide(value, ops.add(norms, _config.epsilon()))


@wire("keras.constraints.MaxNorm")
class MaxNorm(KeepsArguments, Constraint):
    """Scales down vectors that are longer than a bound.

    Args:
        max_value: The greatest length, at least 0.
        axis: The axis or axes that make one vector: 0 for the inputs of each unit of a dense layer, [0, 1, 2] for
            each filter of a 2D convolution.

    >>> import hornbeam as keras
    >>> [round(one, 3) for one in keras.ops.convert_to_numpy(MaxNorm(1.0)([3.0, 4.0])).tolist()]
    [0.6, 0.8]
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        self.max_value = _number(max_value, "max_value", "MaxNorm")
        self.axis = axis

    def __call__(self, w: TensorLike) -> Tensor:
        norms = _norms(w, self.axis)
        return ops.multiply(w, _ratio(ops.clip(norms, 0, self.max_value), norms))


@wire("keras.constraints.NonNeg")
class NonNeg(Constraint):
    """Sets negative weights to 0.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(NonNeg()([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __call__(self, w: TensorLike) -> Tensor:
        return ops.relu(w)


@wire("keras.constraints.UnitNorm")
class UnitNorm(KeepsArguments, Constraint):
    """Scales each vector to length 1.

    Args:
        axis: As in `MaxNorm`.

    >>> import hornbeam as keras
    >>> [round(one, 3) for one in keras.ops.convert_to_numpy(UnitNorm()([3.0, 4.0])).tolist()]
    [0.6, 0.8]
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = axis

    def __call__(self, w: TensorLike) -> Tensor:
        return _ratio(w, _norms(w, self.axis))


@wire("keras.constraints.MinMaxNorm")
class MinMaxNorm(KeepsArguments, Constraint):
    """Scales vectors so that their lengths come nearer to an interval.

    Args:
        min_value: The least length, at least 0.
        max_value: The greatest length, at least 0.
        rate: How far the length goes to the interval in one step: 1 is all the way.
        axis: As in `MaxNorm`.

    >>> import hornbeam as keras
    >>> [round(one, 3) for one in keras.ops.convert_to_numpy(MinMaxNorm(0.0, 1.0)([3.0, 4.0])).tolist()]
    [0.6, 0.8]
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | Sequence[int] = 0
    ) -> None:
        self.min_value = _number(min_value, "min_value", "MinMaxNorm")
        self.max_value = _number(max_value, "max_value", "MinMaxNorm")
        self.rate = _number(rate, "rate", "MinMaxNorm")
        self.axis = axis

    def __call__(self, w: TensorLike) -> Tensor:
        norms = _norms(w, self.axis)
        wanted = ops.clip(norms, self.min_value, self.max_value)
        if self.rate != 1:
            wanted = ops.add(ops.multiply(self.rate, wanted), ops.multiply(1 - self.rate, norms))
        return ops.multiply(w, _ratio(wanted, norms))
