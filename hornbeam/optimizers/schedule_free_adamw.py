"""`ScheduleFreeAdamW`: AdamW that averages its own path instead of lowering the learning rate."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.optimizers.clipping import wide
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.variable import Variable

xp = backend.xp


@wire("keras.optimizers.ScheduleFreeAdamW")
class ScheduleFreeAdamW(Optimizer):
    """A. Defazio et al., "The road less scheduled", 2024.

    The paper's z is the slot "momentum"; the variable itself is its y, between z and the average x of all z, where
    gradients are taken.

    Args:
        learning_rate: A number, a schedule, or a function without arguments.
        beta_1: How close to the average gradients are taken; not 0.
        beta_2: The weight of the past in the estimate of the mean square.
        epsilon: What keeps the division finite.
        warmup_steps: Over how many steps the learning rate rises from 0.
        weight_decay: See `Optimizer`, as for all arguments that follow.

    >>> import hornbeam as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.ScheduleFreeAdamW(0.1).apply([keras.ops.ones(1)], [v])
    >>> round(float(v[0]), 3)
    0.9
    """

    slots = (("momentum", "velocity"),)

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps

        if not 0 < beta_1 <= 1:
            raise ArgumentError("a number above 0 and at most 1", f"beta_1={beta_1!r}", self._where())

    def _before_updates(self, variables: list[Variable]) -> None:
        # weights may have been loaded between build and the first step
        first = self._count() == 0
        for variable in variables:
            z = self.slot("momentum", variable)
            z.assign(xp.where(first, variable.value, z.value))

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """A step of z; then the average x takes z in, and the variable moves between the two."""
        step = backend.cast(self._count() + 1, "float32")
        # rounded once, so that the correction by `1 - beta_2**step` undoes exactly what the average does
        beta_2 = backend.asarray(self.beta_2, "float32")
        if self.warmup_steps:
            learning_rate = learning_rate * xp.minimum(step / self.warmup_steps, 1.0)
        z, v = self.slot("momentum", variable), self.slot("velocity", variable)
        now, value = wide(z.value), wide(variable.value)
        average = (value - (1 - self.beta_1) * now) / self.beta_1
        square = beta_2 * v.value + (1 - beta_2) * xp.square(gradient)
        now = now - learning_rate * gradient / (xp.sqrt(square / (1 - beta_2**step)) + self.epsilon)
        average = average + (now - average) / step
        z.assign(now)
        v.assign(square)
        variable.assign((1 - self.beta_1) * now + self.beta_1 * average)
