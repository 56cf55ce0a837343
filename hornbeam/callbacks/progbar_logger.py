"""`ProgbarLogger`: shows progress while a model trains, evaluates or predicts."""

from __future__ import annotations

from typing import Any

from hornbeam import _terminal
from hornbeam.callbacks.callback import Callback, CallbackList
from hornbeam.training.progress import Progbar


class ProgbarLogger(Callback):
    """The progress bar of `fit`, `evaluate` and `predict`; they add one unless `verbose` is 0."""

    every_batch = False  # it is content with being called now and then

    def __init__(self) -> None:
        super().__init__()
        self.progbar: Progbar | None = None
        self._epoch_of_training = False

    @property
    def verbose(self) -> int:
        """0 for silence, 1 for a bar, 2 for a line per epoch."""
        return self.params.get("verbose", 1)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts a bar for the epoch."""
        self._epoch_of_training = True
        epochs = self.params.get("epochs", 1)
        if self.verbose and epochs > 1:
            _terminal.say(f"Epoch {epoch + 1}/{epochs}")
        self._start(self.params.get("steps"))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Moves the bar on."""
        self._update(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Ends the bar, with the results of the validation."""
        self._finish(logs)
        self._epoch_of_training = False

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts a bar, unless this is the validation within an epoch."""
        if not self._epoch_of_training:
            self._start(self.params.get("steps"))

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Moves the bar on."""
        if not self._epoch_of_training:
            self._update(batch + 1, logs)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Ends the bar."""
        if not self._epoch_of_training:
            self._finish(logs)

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts a bar."""
        self._start(self.params.get("steps"))

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Moves the bar on."""
        self._update(batch + 1, None)

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """Ends the bar."""
        self._finish(None)

    def on_interrupt(self) -> None:
        """Ends the line of an unfinished bar."""
        if self.progbar is not None:
            self.progbar.close()
            self.progbar = None

    def _start(self, target: int | None) -> None:
        self._seen = 0
        self.progbar = Progbar(target, verbose=self.verbose, unit_name="step") if self.verbose else None

    def _update(self, seen: int, logs: dict[str, Any] | None) -> None:
        self._seen = seen
        if self.progbar is not None:
            self.progbar.update(seen, sorted((logs or {}).items()), finalize=False)

    def _finish(self, logs: dict[str, Any] | None) -> None:
        if self.progbar is not None:
            if self.progbar.target is None:
                self.progbar.target = self._seen
            self.progbar.update(self._seen, _in_order(logs or {}), finalize=True)
            self.progbar = None


def _in_order(logs: dict[str, Any]) -> list[tuple[str, Any]]:
    """By name, results of the validation last."""
    return sorted(logs.items(), key=lambda item: (item[0].startswith("val_"), item[0]))


CallbackList.progress_class = ProgbarLogger
