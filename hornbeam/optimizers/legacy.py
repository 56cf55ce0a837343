"""`hornbeam.optimizers.legacy`: the optimizers under the names of older programs."""

from hornbeam.optimizers.adagrad import Adagrad
from hornbeam.optimizers.adam import Adam
from hornbeam.optimizers.ftrl import Ftrl
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.optimizers.rmsprop import RMSprop
from hornbeam.optimizers.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop"]
