"""`LearningRateSchedule`: a learning rate that depends on the step."""

from __future__ import annotations

from typing import Any

from hornbeam.errors import UnsupportedError
from hornbeam.saving.config import deserialize_value


class LearningRateSchedule:
    """Base of schedules: a subclass writes `__call__(step)`, a function of tensors, and `get_config`."""

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step, a scalar integer tensor."""
        raise UnsupportedError("a schedule with a `__call__` method", "none", type(self).__name__)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule; written by subclasses."""
        raise UnsupportedError("a schedule with a `get_config` method", "none", type(self).__name__)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A schedule made from what `get_config` gave."""
        return cls(**{name: deserialize_value(value) for name, value in config.items()})
