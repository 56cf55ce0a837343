"""Schedules whose rate falls along half a wave of the cosine, once or again and again."""

from __future__ import annotations

import math
from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.optimizers.schedules.schedule import OwnSchedule, as_float

xp = backend.xp


@wire("keras.optimizers.schedules.CosineDecay")
class CosineDecay(OwnSchedule):
    """A fall along a cosine, after a rise along a line if wanted.

    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", 2016.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: How many steps the fall takes.
        alpha: The rate at the end over the rate at the start of the fall.
        name: A name.
        warmup_target: The rate in which the rise ends; None for no rise.
        warmup_steps: How many steps the rise takes.

    Raises:
        ValueError: For `decay_steps` that are not above 0.

    >>> import hornbeam as keras
    >>> schedule = keras.optimizers.schedules.CosineDecay(0.0, 100, warmup_target=0.1, warmup_steps=10)
    >>> [round(float(schedule(step)), 3) for step in (5, 10, 60, 110)]
    [0.05, 0.1, 0.05, 0.0]
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, alpha: float = 0.0, name: str = "CosineDecay",
        warmup_target: float | None = None, warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps
        self._check_positive("decay_steps")

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step."""
        step = as_float(step)
        if self.warmup_target is None or not self.warmup_steps:
            top = self.initial_learning_rate if self.warmup_target is None else self.warmup_target
            return top * _fall(xp.minimum(step / self.decay_steps, 1.0), self.alpha)
        rise = step / self.warmup_steps
        warming = self.initial_learning_rate + (self.warmup_target - self.initial_learning_rate) * rise
        done = xp.clip((step - self.warmup_steps) / self.decay_steps, 0.0, 1.0)
        return xp.where(rise < 1, warming, self.warmup_target * _fall(done, self.alpha))


@wire("keras.optimizers.schedules.CosineDecayRestarts")
class CosineDecayRestarts(OwnSchedule):
    """Falls along a cosine, each longer and from a lower start than the one before.

    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", 2016.

    Args:
        initial_learning_rate: The rate at step 0.
        first_decay_steps: How many steps the first fall takes.
        t_mul: The length of each fall over that of the one before.
        m_mul: The start of each fall over that of the one before.
        alpha: The rate at the end of a fall, over `initial_learning_rate` times `m_mul` to the number of falls before.
        name: A name.

    Raises:
        ValueError: For `first_decay_steps` that are not above 0.

    >>> import hornbeam as keras
    >>> schedule = keras.optimizers.schedules.CosineDecayRestarts(0.1, first_decay_steps=10)
    >>> [round(float(schedule(step)), 3) for step in (0, 5, 10, 20)]
    [0.1, 0.05, 0.1, 0.05]
    """

    def __init__(
        self, initial_learning_rate: float, first_decay_steps: int, t_mul: float = 2.0, m_mul: float = 1.0,
        alpha: float = 0.0, name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name
        self._check_positive("first_decay_steps")

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step."""
        done = as_float(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            falls = xp.floor(done)
            part = done - falls
        else:  # falls take 1, t, t**2, ... of the first: sums of a geometric series
            falls = xp.floor(xp.log(1 - done * (1 - self.t_mul)) / math.log(self.t_mul))
            part = (done - (1 - self.t_mul**falls) / (1 - self.t_mul)) / self.t_mul**falls
        top = self.m_mul**falls
        return self.initial_learning_rate * (0.5 * top * (1 + xp.cos(math.pi * part)) * (1 - self.alpha) + self.alpha)


def _fall(done: Any, alpha: float) -> Any:
    return (1 - alpha) * 0.5 * (1 + xp.cos(math.pi * done)) + alpha
