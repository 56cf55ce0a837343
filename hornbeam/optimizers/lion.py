"""`Lion`: steps of one size, in the direction of the sign of the momentum."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.variable import Variable

xp = backend.xp


@wire("keras.optimizers.Lion")
class Lion(Optimizer):
    """X. Chen et al., "Symbolic discovery of optimization algorithms", 2023. Use a rate 3 to 10 times smaller than for
    Adam, and a weight decay as much larger.

    Args:
        learning_rate: A number, a schedule, or a function without arguments.
        beta_1: The weight of the past in the direction of the step.
        beta_2: The weight of the past in the momentum.
        weight_decay: See `Optimizer`, as for all arguments that follow.

    >>> import hornbeam as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.Lion(0.1).apply([keras.ops.ones(1)], [v])
    >>> round(float(v[0]), 3)
    0.9
    """

    slots = (("momentum",),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        if not 0 < beta_1 <= 1:
            raise ArgumentError("a number above 0 and at most 1", f"beta_1={beta_1!r}", self._where())

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """The sign of gradient and momentum together."""
        m = self.slot("momentum", variable)
        variable.assign(
            variable.value - learning_rate * xp.sign(self.beta_1 * m.value + (1 - self.beta_1) * gradient)
        )
        m.assign(self.beta_2 * m.value + (1 - self.beta_2) * gradient)
