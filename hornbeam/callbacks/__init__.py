"""`hornbeam.callbacks`: what users hook into training, evaluation and prediction."""

from hornbeam.callbacks.callback import Callback, CallbackList
from hornbeam.callbacks.history import History
from hornbeam.callbacks.progbar_logger import ProgbarLogger

__all__ = ["Callback", "CallbackList", "History", "ProgbarLogger"]
