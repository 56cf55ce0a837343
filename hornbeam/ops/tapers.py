"""Window functions of signal processing: weights that fall off towards both ends."""

from __future__ import annotations

import math
from typing import Any

from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentTypeError
from hornbeam.ops.define import Tensor, TensorLike
from hornbeam.ops.rules import native
from hornbeam.symbolic import KerasTensor
from hornbeam.variable import Variable

xp = backend.xp


def _length(x: Any, where: str) -> int:
    if isinstance(x, KerasTensor):
        raise ArgumentTypeError("a number of points that is known now", repr(x), where)
    if isinstance(x, Variable):
        x = x.value
    if backend.is_array(x):
        x = backend.to_numpy(x)
    return int(x)


def _ramp(count: int) -> Any:
    """From -1 to 1 over `count` points, 0 for a single one."""
    points = xp.arange(count, dtype=native(None))
    return points * (2.0 / (count - 1)) - 1.0 if count > 1 else points


def _cosines(count: int, *weights: float) -> Any:
    angle = math.pi * _ramp(count)
    total = weights[0] * xp.ones_like(angle)
    for order, weight in enumerate(weights[1:], 1):
        total = total + weight * xp.cos(order * angle)
    return total


def bartlett(x: TensorLike) -> Tensor:
    """The triangular window.

    Args:
        x: The number of points.

    Returns:
        That many weights from 0 over 1 to 0, in the default float type.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.bartlett(3)).tolist()
    [0.0, 1.0, 0.0]
    """
    return 1.0 - xp.abs(_ramp(_length(x, "bartlett")))


def hanning(x: TensorLike) -> Tensor:
    """The Hann window: one period of a raised cosine.

    Args:
        x: The number of points.

    Returns:
        That many weights from 0 over 1 to 0, in the default float type.

    >>> import hornbeam as keras
    >>> keras.ops.hanning(5).shape
    (5,)
    """
    return _cosines(_length(x, "hanning"), 0.5, 0.5)


def hamming(x: TensorLike) -> Tensor:
    """The Hamming window: a raised cosine that does not quite reach 0.

    Args:
        x: The number of points.

    Returns:
        That many weights from 0.08 over 1 to 0.08, in the default float type.

    >>> import hornbeam as keras
    >>> keras.ops.hamming(5).shape
    (5,)
    """
    return _cosines(_length(x, "hamming"), 0.54, 0.46)


def blackman(x: TensorLike) -> Tensor:
    """The Blackman window: three cosine terms, with little leakage.

    Args:
        x: The number of points.

    Returns:
        That many weights from 0 over 1 to 0, in the default float type.

    >>> import hornbeam as keras
    >>> keras.ops.blackman(5).shape
    (5,)
    """
    return _cosines(_length(x, "blackman"), 0.42, 0.5, 0.08)


def kaiser(x: TensorLike, beta: float) -> Tensor:
    """The Kaiser window, made of Bessel functions.

    Args:
        x: The number of points.
        beta: How steep: 0 is a rectangle, 14 a good start.

    Returns:
        That many weights, in the default float type.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.kaiser(3, 0.0)).tolist()
    [1.0, 1.0, 1.0]
    """
    count = _length(x, "kaiser")
    if count < 2:
        return xp.ones((count,), native(None))
    return xp.asarray(xp.kaiser(count, float(beta)), dtype=native(None))
