"""Callbacks of a few lines: `LambdaCallback`, `LearningRateScheduler`, `CSVLogger`, `SwapEMAWeights`."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import _terminal
from hornbeam.callbacks.callback import Callback
from hornbeam.errors import ArgumentError, ArgumentTypeError, ValueStateError, describe


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin: `(epoch, logs)`.
        on_epoch_end: `(epoch, logs)`.
        on_train_begin: `(logs)`.
        on_train_end: `(logs)`.
        on_train_batch_begin: `(batch, logs)`.
        on_train_batch_end: `(batch, logs)`.
        **kwargs: Any other hook by its name.

    >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch))
    >>> callback.on_epoch_end(3, {})
    3
    """

    def __init__(
        self,
        on_epoch_begin: Callable | None = None,
        on_epoch_end: Callable | None = None,
        on_train_begin: Callable | None = None,
        on_train_end: Callable | None = None,
        on_train_batch_begin: Callable | None = None,
        on_train_batch_end: Callable | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end, "on_train_begin": on_train_begin,
            "on_train_end": on_train_end, "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end, **kwargs,
        }
        members = {}
        for name, function in given.items():
            if function is None:
                continue
            if not name.startswith("on_") or not hasattr(Callback, name):
                raise ArgumentTypeError("names of hooks", repr(name), "LambdaCallback")
            if not callable(function):
                raise ArgumentTypeError(f"a function for {name}", describe(function), "LambdaCallback")
            members[name] = lambda _, *args, _function=function, **named: _function(*args, **named)
        # a class of its own, so that the loop knows which hooks are wanted
        self.__class__ = type("LambdaCallback", (LambdaCallback,), members)


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch.

    Args:
        schedule: `(epoch, learning_rate) -> learning_rate`, or `(epoch)`.
        verbose: Whether a line says the rate.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Asks the schedule and sets the rate."""
        optimizer = self.model.optimizer
        if not hasattr(optimizer, "learning_rate"):
            raise ValueStateError("an optimizer with a learning rate", describe(optimizer), "LearningRateScheduler")
        try:
            rate = self.schedule(epoch, float(optimizer.learning_rate))
        except TypeError:
            rate = self.schedule(epoch)
        if not isinstance(rate, (float, np.floating)) and not (hasattr(rate, "shape") and tuple(rate.shape) == ()):
            raise ArgumentError("a schedule that gives a float", describe(rate), "LearningRateScheduler")
        optimizer.learning_rate = float(rate)
        if self.verbose:
            _terminal.say(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {float(rate)}.")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Puts the rate into the logs."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class CSVLogger(Callback):
    """Writes the results of each epoch as a row of a CSV file.

    Args:
        filename: The file.
        separator: What stands between columns.
        append: Whether rows are added to an existing file.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self._file: Any = None
        self._names: list[str] | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Opens the file."""
        path = Path(self.filename)
        self._with_header = not (self.append and path.exists() and path.stat().st_size > 0)
        self._file = path.open("a" if self.append else "w", newline="", encoding="utf-8")
        self._names = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes a row."""
        logs = logs or {}
        if self._names is None:
            self._names = sorted(logs)
            if not any(name.startswith("val_") for name in self._names) and not self.model.stop_training:
                # validation may come in later epochs only
                self._names += [f"val_{name}" for name in self._names]
            self._writer = csv.writer(self._file, delimiter=self.sep)
            if self._with_header:
                self._writer.writerow(["epoch", *self._names])
        values = [logs.get(name, "NA") for name in self._names]
        self._writer.writerow([epoch, *(_as_text(value) for value in values)])
        self._file.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def on_interrupt(self) -> None:
        """Closes the file."""
        self.on_train_end()


def _as_text(value: Any) -> Any:
    if (hasattr(value, "ndim") and value.ndim) or isinstance(value, (list, tuple)):
        return "[" + ", ".join(str(one) for one in value) + "]"
    return value


class SwapEMAWeights(Callback):
    """Lets evaluation, and the end of each epoch if asked, see the averaged weights of an optimizer with `use_ema`.

    Args:
        swap_on_epoch: Whether the averages also stand in at the end of each epoch, as for checkpoints; they are
            swapped back when the next begins.
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def _swap(self) -> None:
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        if not getattr(optimizer, "use_ema", False):
            raise ValueStateError("an optimizer with use_ema=True", describe(optimizer), "SwapEMAWeights")
        if not optimizer.built:
            return
        for average, variable in zip(optimizer._averages, optimizer._trainable_variables, strict=True):
            if average is not None:
                kept = variable.numpy()
                variable.assign(average.value)
                average.assign(kept)
        self._swapped = not self._swapped

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Swaps back."""
        if self._swapped:
            self._swap()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Swaps in the averages."""
        if not self._swapped:
            self._swap()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Swaps back."""
        if self._swapped:
            self._swap()

    on_predict_begin = on_test_begin
    on_predict_end = on_test_end

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Swaps in the averages until the next epoch, if asked."""
        if self.swap_on_epoch and not self._swapped:
            self._swap()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Swaps back."""
        if self._swapped:
            self._swap()
