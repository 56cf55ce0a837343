"""`Adagrad`: steps that shrink where gradients have been large."""

from __future__ import annotations

from typing import Any

from hornbeam import initializers
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.variable import Variable

xp = backend.xp


@wire("keras.optimizers.Adagrad")
class Adagrad(Optimizer):
    """J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
    2011.

    Args:
        learning_rate: A number, a schedule, or a function without arguments.
        initial_accumulator_value: Where the sums of squares start.
        epsilon: What keeps the division finite.
        weight_decay: See `Optimizer`, as for all arguments that follow.

    >>> import hornbeam as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.Adagrad(0.1).apply([keras.ops.ones(1)], [v])
    >>> round(float(v[0]), 3)
    0.905
    """

    slots = (("accumulator",),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
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
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def _slot_start(self) -> Any:
        return initializers.Constant(self.initial_accumulator_value)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """The gradient over the root of the sum of all squares so far."""
        accumulator = self.slot("accumulator", variable)
        total = accumulator.value + xp.square(gradient)
        accumulator.assign(total)
        variable.assign(variable.value - learning_rate * gradient / xp.sqrt(total + self.epsilon))
