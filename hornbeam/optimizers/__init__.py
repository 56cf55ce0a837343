"""`hornbeam.optimizers`: what turns gradients into updates."""

from hornbeam.optimizers.adam import Adam
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.saving.lookup import make_registry_functions

__all__ = ["Adam", "Optimizer", "deserialize", "get", "serialize"]
