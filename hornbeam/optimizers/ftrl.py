"""`Ftrl`: follows the regularised leader; for sparse, wide, shallow models."""

from __future__ import annotations

from typing import Any

from hornbeam import initializers
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.variable import Variable

xp = backend.xp


@wire("keras.optimizers.Ftrl")
class Ftrl(Optimizer):
    """H. B. McMahan et al., "Ad click prediction: a view from the trenches", 2013.

    Args:
        learning_rate: A number, a schedule, or a function without arguments.
        learning_rate_power: How the rate falls with the sum of squares, at most 0; 0 keeps it fixed.
        initial_accumulator_value: Where the sums of squares start, at least 0.
        l1_regularization_strength: How strongly weights are pulled to zero, at least 0.
        l2_regularization_strength: How strongly large weights are held down, at least 0.
        l2_shrinkage_regularization_strength: The same, by way of the gradient, at least 0.
        beta: The paper's beta, added to the root of the sum of squares.
        weight_decay: See `Optimizer`, as for all arguments that follow.

    >>> import hornbeam as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.Ftrl(0.1).apply([keras.ops.ones(1)], [v])
    >>> round(float(v[0]), 3)
    0.603
    """

    slots = (("accumulator", "linear"),)
    _AT_LEAST_ZERO = (
        "initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength",
        "l2_shrinkage_regularization_strength", "beta",
    )

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        for one in self._AT_LEAST_ZERO:
            if getattr(self, one) < 0:
                raise ArgumentError("a number of at least 0", f"{one}={getattr(self, one)!r}", self._where())
        if learning_rate_power > 0:
            raise ArgumentError("a number of at most 0", f"learning_rate_power={learning_rate_power!r}", self._where())

    def _slot_start(self) -> Any:
        return [initializers.Constant(self.initial_accumulator_value), "zeros"]

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """The minimum of all gradients so far as linear functions, plus a quadratic one and the penalties."""
        n, z = self.slot("accumulator", variable), self.slot("linear", variable)
        power = -self.learning_rate_power
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * variable.value
        total = n.value + xp.square(gradient)
        linear = z.value + shrunk - (total**power - n.value**power) / learning_rate * variable.value
        quadratic = (total**power + self.beta) / learning_rate + 2 * self.l2_regularization_strength
        n.assign(total)
        z.assign(linear)
        limit = self.l1_regularization_strength
        variable.assign((xp.clip(linear, -limit, limit) - linear) / quadratic)
