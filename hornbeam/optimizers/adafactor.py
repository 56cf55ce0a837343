"""`Adafactor`: Adam with little memory: the mean squares of a matrix are kept as those of its rows and columns."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.optimizers.clipping import wide
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.variable import Variable

xp = backend.xp


@wire("keras.optimizers.Adafactor")
class Adafactor(Optimizer):
    """N. Shazeer and M. Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018.

    Args:
        learning_rate: A number, a schedule, or a function without arguments.
        beta_2_decay: The power of the step count by which the weight of the present in the mean square falls.
        epsilon_1: What is added to squares of gradients.
        epsilon_2: The least size that weights count with.
        clip_threshold: The largest root mean square of a step, before the learning rate.
        relative_step: Whether the learning rate falls as one over the root of the step count.
        weight_decay: See `Optimizer`, as for all arguments that follow.

    >>> import hornbeam as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.Adafactor(0.1).apply([keras.ops.ones(1)], [v])
    >>> round(float(v[0]), 3)
    0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def _make_slots(self, variables: list[Variable]) -> None:
        self._slots = {"row": [], "column": [], "velocity": []}
        for one in variables:
            if one.overwrite_with_gradient:
                made: list[Any] = [None, None, None]
            else:
                # what has no rows and columns keeps its place in the state with a scalar
                shapes = (one.shape[:-1], (*one.shape[:-2], one.shape[-1])) if len(one.shape) >= 2 else ((), ())
                made = [
                    self.add_variable(shape, "zeros", one._dtype, name=f"{one.path.replace('/', '_')}_{name}")
                    for shape, name in zip(shapes, ("row", "column"), strict=True)
                ]
                made.append(self.add_variable_from_reference(one, "velocity"))
            for name, variable in zip(self._slots, made, strict=True):
                self._slots[name].append(variable)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """The gradient over its root mean square, limited in size, times the size of the weights."""
        step = backend.cast(self._count() + 1, "float32")
        if self.relative_step:
            learning_rate = xp.minimum(learning_rate, 1 / xp.sqrt(step))
        new = step**self.beta_2_decay
        square = xp.square(gradient) + self.epsilon_1
        velocity = self.slot("velocity", variable)
        if len(variable.shape) >= 2:
            row_slot, column_slot = self.slot("row", variable), self.slot("column", variable)
            rows = (1 - new) * row_slot.value + new * xp.mean(square, -1)
            columns = (1 - new) * column_slot.value + new * xp.mean(square, -2)
            row_slot.assign(rows)
            column_slot.assign(columns)
            square = (rows / xp.mean(rows, -1, keepdims=True))[..., None] * columns[..., None, :]
        else:
            square = (1 - new) * velocity.value + new * square
        velocity.assign(square)
        change = gradient / xp.sqrt(square)
        change = change / xp.maximum(1.0, _root_mean_square(change) / self.clip_threshold)
        size = xp.maximum(self.epsilon_2, _root_mean_square(wide(variable.value)))
        variable.assign(variable.value - size * learning_rate * change)


def _root_mean_square(value: Any) -> Any:
    return xp.sqrt(xp.mean(xp.square(value)))
