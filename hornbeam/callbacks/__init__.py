"""`hornbeam.callbacks`: what users hook into training, evaluation and prediction."""

from hornbeam.callbacks.callback import Callback, CallbackList
from hornbeam.callbacks.early_stopping import EarlyStopping, ReduceLROnPlateau, TerminateOnNaN
from hornbeam.callbacks.history import History
from hornbeam.callbacks.model_checkpoint import ModelCheckpoint
from hornbeam.callbacks.progbar_logger import ProgbarLogger
from hornbeam.callbacks.small import CSVLogger, LambdaCallback, LearningRateScheduler, SwapEMAWeights
from hornbeam.callbacks.tensorboard import TensorBoard

__all__ = [
    "CSVLogger", "Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback", "LearningRateScheduler",
    "ModelCheckpoint", "ProgbarLogger", "ReduceLROnPlateau", "SwapEMAWeights", "TensorBoard", "TerminateOnNaN",
]
