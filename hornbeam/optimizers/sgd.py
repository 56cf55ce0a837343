"""`SGD`: gradient descent, with momentum if wanted."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.variable import Variable


@wire("keras.optimizers.SGD")
class SGD(Optimizer):
    """Gradient descent with momentum; I. Sutskever et al., "On the importance of initialization and momentum in
    deep learning", 2013.

    Args:
        learning_rate: A number, a schedule, or a function without arguments.
        momentum: The weight of the last step in the next, in [0, 1].
        nesterov: Whether the gradient is taken as if the momentum had been applied already.
        weight_decay: See `Optimizer`, as for all arguments that follow.

    >>> import hornbeam as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.SGD(0.5).apply([keras.ops.ones(1)], [v])
    >>> float(v[0])
    0.5
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        if isinstance(momentum, bool) or not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ArgumentError("a number between 0 and 1", f"momentum={momentum!r}", self._where())
        self.momentum = momentum
        self.nesterov = nesterov
        if momentum:
            self.slots = (("momentum",),)

    def _kernel(self) -> Any:
        kernel = backend.kernels.get("sgd")
        if kernel is None or type(self).update_step is not SGD.update_step:
            return None

        def run(variables: list[Variable], gradients: list[Any], rate: Any, decaying: list[Any]) -> None:
            velocities = self._slots_of(variables, "momentum")[0] if self.momentum else []
            kernel(
                [one._handle for one in variables], gradients, velocities, rate, self._iterations._handle, decaying,
                self.weight_decay, self.momentum, self.nesterov,
            )

        return run

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """The step against the gradient."""
        step = -learning_rate * gradient
        if self.momentum:
            velocity = self.slot("momentum", variable)
            last = self.momentum * velocity.value + step
            velocity.assign(last)
            step = self.momentum * last + step if self.nesterov else last
        variable.assign(variable.value + step)
