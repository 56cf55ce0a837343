"""Schedules whose rate falls: by a power, by a fraction, along a polynomial, in stairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.optimizers.schedules.schedule import OwnSchedule, as_float

xp = backend.xp


@wire("keras.optimizers.schedules.ExponentialDecay")
class ExponentialDecay(OwnSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: After how many steps the rate has fallen by `decay_rate`.
        decay_rate: The factor.
        staircase: Whether the rate falls all at once each `decay_steps` steps.
        name: A name.

    Raises:
        ValueError: For `decay_steps` that are not above 0.

    >>> import hornbeam as keras
    >>> schedule = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
    >>> round(float(schedule(20)), 3)
    0.025
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name
        self._check_positive("decay_steps")

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step."""
        return self.initial_learning_rate * xp.power(self.decay_rate, _part(step, self.decay_steps, self.staircase))


@wire("keras.optimizers.schedules.InverseTimeDecay")
class InverseTimeDecay(OwnSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: The unit of time, in steps.
        decay_rate: How fast the rate falls.
        staircase: Whether the rate falls all at once each `decay_steps` steps.
        name: A name.

    Raises:
        ValueError: For `decay_steps` that are not above 0.

    >>> import hornbeam as keras
    >>> schedule = keras.optimizers.schedules.InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)
    >>> round(float(schedule(10)), 3)
    0.05
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name
        self._check_positive("decay_steps")

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step."""
        return self.initial_learning_rate / (1 + self.decay_rate * _part(step, self.decay_steps, self.staircase))


def _part(step: Any, decay_steps: float, staircase: bool) -> Any:
    part = as_float(step) / decay_steps
    return xp.floor(part) if staircase else part


@wire("keras.optimizers.schedules.PiecewiseConstantDecay")
class PiecewiseConstantDecay(OwnSchedule):
    """`values[0]` up to and with step `boundaries[0]`, then `values[1]`, and so on.

    Args:
        boundaries: Steps, rising.
        values: One rate more than boundaries.
        name: A name.

    Raises:
        ValueError: If the numbers of boundaries and values do not fit.

    >>> import hornbeam as keras
    >>> schedule = keras.optimizers.schedules.PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.25])
    >>> [float(schedule(step)) for step in (10, 11, 21)]
    [1.0, 0.5, 0.25]
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(values) != len(boundaries) + 1:
            raise ArgumentError(
                "one value more than boundaries", f"{len(boundaries)} boundaries and {len(values)} values",
                "PiecewiseConstantDecay",
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step."""
        passed = xp.sum(as_float(step) > backend.asarray(list(self.boundaries), "float32"))
        return xp.take(backend.asarray(list(self.values), "float32"), passed)


@wire("keras.optimizers.schedules.PolynomialDecay")
class PolynomialDecay(OwnSchedule):
    """`(initial - end) * (1 - step / decay_steps) ** power + end`, and `end_learning_rate` after that.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: When the end is reached.
        end_learning_rate: The rate at the end.
        power: The power of the polynomial; 1 is a line.
        cycle: Whether, each time the end is reached, the fall starts again from above, over a longer time.
        name: A name.

    Raises:
        ValueError: For `decay_steps` that are not above 0.

    >>> import hornbeam as keras
    >>> schedule = keras.optimizers.schedules.PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)
    >>> round(float(schedule(5)), 3)
    0.05
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, end_learning_rate: float = 0.0001, power: float = 1.0,
        cycle: bool = False, name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name
        self._check_positive("decay_steps")

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step."""
        step = as_float(step)
        total = self.decay_steps * (xp.maximum(xp.ceil(step / self.decay_steps), 1.0) if self.cycle else 1.0)
        left = 1 - xp.minimum(step, total) / total
        return (self.initial_learning_rate - self.end_learning_rate) * left**self.power + self.end_learning_rate
