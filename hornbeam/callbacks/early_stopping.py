"""`EarlyStopping` and `ReduceLROnPlateau`: what to do when a number no longer improves; `TerminateOnNaN`."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import _terminal
from hornbeam.callbacks.callback import Callback
from hornbeam.callbacks.monitor import MonitorCallback
from hornbeam.errors import ArgumentError, warn


class EarlyStopping(MonitorCallback):
    """Ends training when a number has not improved for some epochs.

    Args:
        monitor: The name of the number in the logs.
        min_delta: The smallest change that counts.
        patience: How many epochs without improvement are tolerated.
        verbose: Whether a line says that training ended.
        mode: "min", "max" or "auto".
        baseline: A value that must be reached for an epoch to count as an improvement.
        restore_best_weights: Whether the weights of the best epoch come back at the end.
        start_from_epoch: The number of the first epoch that is watched.

    >>> EarlyStopping(patience=3).patience
    3
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._begin()

    def _begin(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets earlier runs."""
        self._begin()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compares, and asks for the end if the patience is over."""
        value = self._value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self._is_better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_better(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the best weights back if asked to."""
        if self.stopped_epoch > 0 and self.verbose:
            _terminal.say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                _terminal.say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(MonitorCallback):
    """Lowers the learning rate when a number has not improved for some epochs.

    Args:
        monitor: The name of the number in the logs.
        factor: By what the learning rate is multiplied, below 1.
        patience: How many epochs without improvement are tolerated.
        verbose: Whether a line says so.
        mode: "min", "max" or "auto".
        min_delta: The smallest change that counts.
        cooldown: How many epochs are not watched after a reduction.
        min_lr: The smallest learning rate.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if kwargs:
            raise ArgumentError("known arguments", str(sorted(kwargs)), "ReduceLROnPlateau")
        if not 0 < factor < 1:
            raise ArgumentError("a factor between 0 and 1", f"factor={factor}", "ReduceLROnPlateau")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._begin()

    def _begin(self) -> None:
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets earlier runs."""
        self._begin()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compares, and lowers the learning rate if the patience is over."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        value = self._value(logs)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_better(value, self.best):
            self.best, self.wait = value, 0
            return
        if self.cooldown_counter > 0:
            return
        self.wait += 1
        if self.wait < self.patience:
            return
        old = float(self.model.optimizer.learning_rate)
        if old > self.min_lr:
            new = max(old * self.factor, self.min_lr)
            self.model.optimizer.learning_rate = new
            if self.verbose:
                _terminal.say(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
            self.cooldown_counter = self.cooldown
            self.wait = 0


class TerminateOnNaN(Callback):
    """Ends training when the loss is NaN or infinite.

    Args:
        raise_error: Whether that is an error rather than a quiet end.
    """

    every_batch = False  # the loss is a running mean: once NaN, it stays so until somebody looks

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(float(loss)):
            return
        if self.raise_error:
            raise RuntimeError(f"The loss at batch {batch} is {float(loss)}: training ends.")
        warn(f"Batch {batch}: invalid loss {float(loss)}, training ends.")
        self.model.stop_training = True
