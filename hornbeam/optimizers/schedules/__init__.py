"""`hornbeam.optimizers.schedules`: learning rates that depend on the step."""

from typing import Any

from hornbeam.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from hornbeam.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule
from hornbeam.saving.lookup import make_registry_functions

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule",
    "PiecewiseConstantDecay", "PolynomialDecay", "deserialize", "serialize",
]

_, _serialize, deserialize = make_registry_functions("learning rate schedule", "keras.optimizers.schedules")


def serialize(learning_rate_schedule: LearningRateSchedule) -> Any:
    """A schedule as a value that JSON can hold and `deserialize` takes."""
    return _serialize(learning_rate_schedule)
