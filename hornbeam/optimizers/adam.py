"""`Adam`: steps scaled by running estimates of the first two moments of the gradient."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.variable import Variable

xp = backend.xp


@wire("keras.optimizers.Adam")
class Adam(Optimizer):
    """D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2014; see `Optimizer` for the rest.

    Args:
        learning_rate: A number, a schedule, or a function without arguments.
        beta_1: The weight of the past in the estimate of the mean.
        beta_2: The weight of the past in the estimate of the mean square.
        epsilon: What keeps the division finite.
        amsgrad: Whether the largest mean square so far is used (S. J. Reddi et al., 2018).
        weight_decay: See `Optimizer`, as for all arguments that follow.

    >>> import hornbeam as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.Adam(0.1).apply([keras.ops.ones(1)], [v])
    >>> round(float(v[0]), 3)
    0.9
    """

    slots = (("momentum", "velocity"),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.amsgrad = amsgrad
        if amsgrad:
            self.slots = (*self.slots, ("velocity_hat",))

    def _kernel(self) -> Any:
        kernel = backend.kernels.get("adam")
        if kernel is None or type(self).update_step is not Adam.update_step:
            return None

        def run(variables: list[Variable], gradients: list[Any], rate: Any, decaying: list[Any]) -> None:
            names = ("momentum", "velocity", "velocity_hat") if self.amsgrad else ("momentum", "velocity")
            means, squares, *largest = self._slots_of(variables, *names)
            kernel(
                [one._handle for one in variables], gradients, means, squares, largest[0] if largest else [], rate,
                self._iterations._handle, decaying, self.weight_decay, self.beta_1, self.beta_2, self.epsilon,
            )

        return run

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """The step: the mean over the root of the mean square, both corrected for their start at zero."""
        step = backend.cast(self._count() + 1, "float32")
        rate = learning_rate * xp.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        m, v = self.slot("momentum", variable), self.slot("velocity", variable)
        mean = m.value + (gradient - m.value) * (1 - self.beta_1)
        square = v.value + (xp.square(gradient) - v.value) * (1 - self.beta_2)
        m.assign(mean)
        v.assign(square)
        if self.amsgrad:
            largest = self.slot("velocity_hat", variable)
            square = xp.maximum(largest.value, square)
            largest.assign(square)
        variable.assign(variable.value - rate * mean / (xp.sqrt(square) + self.epsilon))
