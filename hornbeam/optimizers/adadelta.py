"""`Adadelta`: steps in proportion to recent steps, over recent gradients."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.variable import Variable

xp = backend.xp


@wire("keras.optimizers.Adadelta")
class Adadelta(Optimizer):
    """M. D. Zeiler, "ADADELTA: an adaptive learning rate method", 2012; the paper's own learning rate is 1.

    Args:
        learning_rate: A number, a schedule, or a function without arguments.
        rho: The weight of the past in both mean squares.
        epsilon: What keeps the division finite, and the first step above zero.
        weight_decay: See `Optimizer`, as for all arguments that follow.

    >>> import hornbeam as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.Adadelta(1.0).apply([keras.ops.ones(1)], [v])
    >>> round(float(v[0]), 3)
    0.999
    """

    slots = (("accumulated_grad", "accumulated_delta_var"),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
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
        self.rho = rho
        self.epsilon = epsilon

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """The gradient, times the root mean square of past steps over that of gradients."""
        g, d = self.slot("accumulated_grad", variable), self.slot("accumulated_delta_var", variable)
        squares = self.rho * g.value + (1 - self.rho) * xp.square(gradient)
        change = -xp.sqrt(d.value + self.epsilon) / xp.sqrt(squares + self.epsilon) * gradient
        g.assign(squares)
        d.assign(self.rho * d.value + (1 - self.rho) * xp.square(change))
        variable.assign(variable.value + learning_rate * change)
