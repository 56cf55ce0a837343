"""`RMSprop`: steps scaled by a running mean square of the gradient."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.variable import Variable

xp = backend.xp


@wire("keras.optimizers.RMSprop")
class RMSprop(Optimizer):
    """T. Tieleman and G. Hinton, "Lecture 6.5: divide the gradient by a running average of its recent magnitude",
    2012.

    Args:
        learning_rate: A number, a schedule, or a function without arguments.
        rho: The weight of the past in the mean square.
        momentum: The weight of the last step in the next.
        epsilon: What keeps the division finite.
        centered: Whether the variance takes the place of the mean square.
        weight_decay: See `Optimizer`, as for all arguments that follow.

    >>> import hornbeam as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.RMSprop(0.1).apply([keras.ops.ones(1)], [v])
    >>> round(float(v[0]), 3)
    0.684
    """

    slots = (("velocity",),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
        if momentum > 0:
            self.slots = (*self.slots, ("momentum",))
        if centered:
            self.slots = (*self.slots, ("average_gradient",))

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """The gradient over its root mean square, or over its standard deviation."""
        v = self.slot("velocity", variable)
        square = self.rho * v.value + (1 - self.rho) * xp.square(gradient)
        v.assign(square)
        if self.centered:
            g = self.slot("average_gradient", variable)
            mean = self.rho * g.value + (1 - self.rho) * gradient
            g.assign(mean)
            square = square - xp.square(mean)
        step = learning_rate * gradient / xp.sqrt(square + self.epsilon)
        if self.momentum > 0:
            last = self.slot("momentum", variable)
            step = self.momentum * last.value + step
            last.assign(step)
        variable.assign(variable.value - step)
