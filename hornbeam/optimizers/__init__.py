"""`hornbeam.optimizers`: what turns gradients into updates."""

from typing import Any

from hornbeam.optimizers import legacy, schedules
from hornbeam.optimizers.adadelta import Adadelta
from hornbeam.optimizers.adafactor import Adafactor
from hornbeam.optimizers.adagrad import Adagrad
from hornbeam.optimizers.adam import Adam
from hornbeam.optimizers.adamax import Adamax
from hornbeam.optimizers.adamw import AdamW
from hornbeam.optimizers.ftrl import Ftrl
from hornbeam.optimizers.lamb import Lamb
from hornbeam.optimizers.lion import Lion
from hornbeam.optimizers.loss_scale_optimizer import LossScaleOptimizer
from hornbeam.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap
from hornbeam.optimizers.muon import Muon
from hornbeam.optimizers.nadam import Nadam
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.optimizers.rmsprop import RMSprop
from hornbeam.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from hornbeam.optimizers.sgd import SGD
from hornbeam.saving.lookup import make_registry_functions

__all__ = [
    "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "LossScaleOptimizer",
    "MultiOptimizer", "Muon", "Nadam", "Optimizer", "OptimizerMap", "RMSprop", "ScheduleFreeAdamW", "deserialize",
    "get", "legacy", "schedules", "serialize",
]

get, _serialize, deserialize = make_registry_functions("optimizer", "keras.optimizers", any_case=True)


def serialize(optimizer: Optimizer) -> Any:
    """An optimizer as a value that JSON can hold and `deserialize` takes."""
    return _serialize(optimizer)
