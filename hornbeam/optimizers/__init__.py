"""`hornbeam.optimizers`: what turns gradients into updates."""

from hornbeam.optimizers.adam import Adam
from hornbeam.optimizers.adamw import AdamW
from hornbeam.optimizers.loss_scale_optimizer import LossScaleOptimizer
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.optimizers.rmsprop import RMSprop
from hornbeam.optimizers.sgd import SGD
from hornbeam.saving.lookup import make_registry_functions

__all__ = ["SGD", "Adam", "AdamW", "LossScaleOptimizer", "Optimizer", "RMSprop", "deserialize", "get", "serialize"]

get, serialize, deserialize = make_registry_functions("optimizer", "keras.optimizers", any_case=True)
