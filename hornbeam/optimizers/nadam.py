"""`Nadam`: Adam that looks one step ahead, as Nesterov's momentum does."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.optimizers.clipping import wide
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.variable import Variable

xp = backend.xp


@wire("keras.optimizers.Nadam")
class Nadam(Optimizer):
    """T. Dozat, "Incorporating Nesterov momentum into Adam", 2016, with its schedule of the momentum.

    Args:
        learning_rate: A number, a schedule, or a function without arguments.
        beta_1: The weight of the past in the estimate of the mean.
        beta_2: The weight of the past in the estimate of the mean square.
        epsilon: What keeps the division finite.
        weight_decay: See `Optimizer`, as for all arguments that follow.

    >>> import hornbeam as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.Nadam(0.1).apply([keras.ops.ones(1)], [v])
    >>> round(float(v[0]), 3)
    0.894
    """

    slots = (("momentum", "velocity"),)

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

    def _make_slots(self, variables: list[Variable]) -> None:
        super()._make_slots(variables)
        dtype = variables[0]._dtype if variables else "float32"
        self._product = self.add_variable((), "ones", dtype, name="momentum_product")

    def _before_updates(self, variables: list[Variable]) -> None:
        self._product.assign(wide(self._product.value) * self._momentum(self._count() + 1))

    def _momentum(self, step: Any) -> Any:
        """The weight of the past in the mean, which rises to `beta_1`."""
        return self.beta_1 * (1 - 0.5 * 0.96 ** backend.cast(step, "float32"))

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """The step of Adam, with the mean as it will be one step later."""
        step = backend.cast(self._count() + 1, "float32")
        # rounded once, so that the correction by `1 - beta_2**step` undoes exactly what the average does
        beta_2 = backend.asarray(self.beta_2, "float32")
        m, v = self.slot("momentum", variable), self.slot("velocity", variable)
        mean = m.value + (gradient - m.value) * (1 - self.beta_1)
        square = v.value + (xp.square(gradient) - v.value) * (1 - beta_2)
        m.assign(mean)
        v.assign(square)
        now, following, product = self._momentum(step), self._momentum(step + 1), wide(self._product.value)
        ahead = following * mean / (1 - product * following) + (1 - now) * gradient / (1 - product)
        variable.assign(variable.value - learning_rate * ahead / (xp.sqrt(square / (1 - beta_2**step)) + self.epsilon))
