"""`History`: the record of a training run, which `fit` returns."""

from __future__ import annotations

from typing import Any

from hornbeam.callbacks.callback import Callback, CallbackList


class History(Callback):
    """Keeps the results of each epoch.

    Attributes:
        history: A list of numbers, one for each epoch, for each name in the logs.
        epoch: The numbers of the epochs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets earlier epochs."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Records the results of an epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


CallbackList.history_class = History
