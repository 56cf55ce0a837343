"""`LearningRateSchedule`: a learning rate that depends on the step."""

from __future__ import annotations

from typing import Any

from hornbeam._arguments import KeepsArguments
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, UnsupportedError
from hornbeam.saving.config import deserialize_value
from hornbeam.variable import Variable

xp = backend.xp


@wire("keras.optimizers.schedules.LearningRateSchedule")
class LearningRateSchedule:
    """Base of schedules: a subclass writes `__call__(step)`, a function of tensors, and `get_config`.

    >>> import hornbeam as keras
    >>> class Halved(keras.optimizers.schedules.LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5 ** keras.ops.cast(step, "float32")
    >>> optimizer = keras.optimizers.SGD(Halved())
    >>> round(float(optimizer.learning_rate), 3)
    0.1
    """

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step.

        Args:
            step: How many updates were done, a scalar integer tensor.

        Returns:
            A scalar float tensor.
        """
        raise UnsupportedError("a schedule with a `__call__(self, step)` method", "none", type(self).__name__)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule; written by subclasses."""
        raise UnsupportedError("a schedule with a `get_config` method", "none", type(self).__name__)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A schedule made from what `get_config` gave."""
        return cls(**{name: deserialize_value(value) for name, value in config.items()})


class OwnSchedule(KeepsArguments, LearningRateSchedule):
    """A schedule of hornbeam's own."""

    def _check_positive(self, *names: str) -> None:
        for name in names:
            if not getattr(self, name) > 0:
                raise ArgumentError("a number above 0", f"{name}={getattr(self, name)!r}", type(self).__name__)


def as_float(step: Any) -> Any:
    """A step, whatever it is given as, as a float32 tensor."""
    step = step.value if isinstance(step, Variable) else step
    return backend.asarray(step, "float32")
