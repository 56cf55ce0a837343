"""`Adamax`: Adam with the largest gradient, fading with time, in place of the mean square."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.variable import Variable

xp = backend.xp


@wire("keras.optimizers.Adamax")
class Adamax(Optimizer):
    """The variant of Adam by the infinity norm: D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization",
    2014.

    Args:
        learning_rate: A number, a schedule, or a function without arguments.
        beta_1: The weight of the past in the estimate of the mean.
        beta_2: The weight of the past in the largest gradient.
        epsilon: What keeps the division finite.
        weight_decay: See `Optimizer`, as for all arguments that follow.

    >>> import hornbeam as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.Adamax(0.1).apply([keras.ops.ones(1)], [v])
    >>> round(float(v[0]), 3)
    0.9
    """

    slots = (("momentum", "norm"),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
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

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """The step: the mean, corrected for its start at zero, over the largest gradient."""
        step = backend.cast(self._count() + 1, "float32")
        m, u = self.slot("momentum", variable), self.slot("norm", variable)
        mean = m.value + (gradient - m.value) * (1 - self.beta_1)
        largest = xp.maximum(self.beta_2 * u.value, xp.abs(gradient))
        m.assign(mean)
        u.assign(largest)
        variable.assign(variable.value - learning_rate * mean / ((1 - self.beta_1**step) * (largest + self.epsilon)))
