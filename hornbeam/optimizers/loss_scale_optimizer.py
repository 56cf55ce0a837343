"""`LossScaleOptimizer`: wraps another optimizer, so that small gradients of float16 are not lost."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Sequence
from typing import Any

from hornbeam import initializers
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.optimizers.conditional import when
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.saving.config import serialize_value
from hornbeam.variable import Variable

xp = backend.xp


@wire("keras.optimizers.LossScaleOptimizer")
class LossScaleOptimizer(Optimizer):
    """Scales the loss as far up as float16 gradients allow, and leaves steps out in which they overflow.

    The scale is halved when a gradient is infinite or NaN, and doubled after `dynamic_growth_steps` steps in which
    none was. P. Micikevicius et al., "Mixed precision training", 2017.

    Args:
        inner_optimizer: The optimizer that makes the updates. It holds all other options.
        initial_scale: The factor by which the loss is multiplied at first.
        dynamic_growth_steps: After how many steps with finite gradients the factor is doubled.
        name: A name.

    Raises:
        ValueError: For options that belong to the inner optimizer.

    >>> import hornbeam as keras
    >>> v = keras.Variable([1.0])
    >>> optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), initial_scale=4.0)
    >>> optimizer.apply([4.0 * keras.ops.ones(1)], [v])
    >>> float(v[0])
    0.5
    >>> optimizer.apply([float("nan") * keras.ops.ones(1)], [v])
    >>> float(v[0]), float(optimizer.dynamic_scale)
    (0.5, 2.0)
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise ArgumentError(
                "only inner_optimizer, initial_scale, dynamic_growth_steps and name", ", ".join(sorted(kwargs)),
                "LossScaleOptimizer", "Give the other arguments to the inner optimizer.",
            )
        if not isinstance(inner_optimizer, Optimizer):
            raise ArgumentTypeError("an optimizer as inner_optimizer", describe(inner_optimizer), "LossScaleOptimizer")
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        self.step_counter: Variable | None = None
        self.dynamic_scale: Variable | None = None

    def build(self, variables: Iterable[Variable]) -> None:
        """Makes the state of both optimizers for these variables."""
        if self.built:
            return
        self._register(variables)
        self.inner_optimizer.build(self._trainable_variables)
        self.step_counter = self.add_variable((), "zeros", "int32", name="step_counter")
        self.dynamic_scale = self.add_variable(
            (), initializers.Constant(self.initial_scale), "float32", name="dynamic_scale"
        )
        self.built = True

    @property
    def variables(self) -> list[Variable]:
        """The state: its own, then that of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Variable:
        """How many steps were done; those left out do not count."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the present scale."""
        scale = self.initial_scale if self.dynamic_scale is None else self.dynamic_scale.value
        return self.inner_optimizer.scale_loss(loss * scale)

    def check_finite(self, grads: Sequence[Any]) -> Any:
        """Whether all numbers in all gradients are finite, a boolean scalar tensor."""
        checks = [xp.all(xp.isfinite(backend.asarray(one))) for one in grads if one is not None]
        return functools.reduce(operator.and_, checks) if checks else True

    def _step(self, pairs: list[tuple[Any, Variable]]) -> None:
        grads, variables = [gradient for gradient, _ in pairs], [variable for _, variable in pairs]
        count, scale = self.step_counter, self.dynamic_scale
        assert count is not None and scale is not None  # made by build
        finite, now = self.check_finite(grads), scale.value
        when(finite, lambda: self.inner_optimizer.apply([gradient / now for gradient in grads], variables))
        grown = count.value + 1 >= self.dynamic_growth_steps
        scale.assign(xp.where(finite, xp.where(grown, now * 2, now), now / 2))
        count.assign(xp.where(finite & ~grown, count.value + 1, 0))

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leaves variables out of the weight decay of the inner optimizer."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Called at the end of training."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def _children(self) -> list[tuple[str, Any]]:
        return [("inner_optimizer", self.inner_optimizer)]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            "name": self.name, "inner_optimizer": serialize_value(self.inner_optimizer),
            "initial_scale": self.initial_scale, "dynamic_growth_steps": self.dynamic_growth_steps,
        }
