"""`ModelCheckpoint`: saves the model while it trains."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hornbeam import _terminal
from hornbeam.callbacks.monitor import MonitorCallback
from hornbeam.errors import ArgumentError, warn


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after each epoch or every so many batches.

    A file appears whole or not at all, so that a crash while saving leaves the last good one.

    Args:
        filepath: The path; `{epoch}` and names of the logs are filled in, such as
            ``"model_{epoch:02d}_{val_loss:.2f}.keras"``. Ends in `.keras`, or `.weights.h5` for weights.
        monitor: The name of the number by which the best is judged.
        verbose: Whether a line says what is saved.
        save_best_only: Whether to save only when the number is better than ever.
        save_weights_only: Whether to save the weights alone.
        mode: "min", "max" or "auto".
        save_freq: "epoch", or after how many batches.
        initial_value_threshold: The best value to begin with.
        keep: How many of the newest files to keep; None keeps all.

    Raises:
        ValueError: For a wrong ending of the path or a wrong `save_freq`.

    >>> ModelCheckpoint("best.keras", save_best_only=True).filepath
    'best.keras'
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        keep: int | None = None,
    ) -> None:
        super().__init__(monitor, mode, best=initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1):
            raise ArgumentError(
                "'epoch' or a positive number of batches", f"save_freq={save_freq!r}", "ModelCheckpoint"
            )
        self.save_freq = save_freq
        self.every_batch = save_freq != "epoch"
        if save_weights_only and not self.filepath.endswith(".weights.h5"):
            raise ArgumentError(
                "a path that ends in .weights.h5", repr(self.filepath), "ModelCheckpoint with save_weights_only"
            )
        if not save_weights_only and not self.filepath.endswith((".keras", ".h5")):
            # older programs name a folder; the file stands for it
            self.filepath += ".keras"
        if keep is not None and (isinstance(keep, bool) or not isinstance(keep, int) or keep < 1):
            raise ArgumentError("a positive number or None", f"keep={keep!r}", "ModelCheckpoint")
        self.keep = keep
        self._written: list[Path] = []
        self._epoch = 0
        self._batches = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves if enough batches have passed."""
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(self._epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves if that is the rhythm."""
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any] | None) -> None:
        path = self._path(epoch, batch, logs or {})
        say = _terminal.say if self.verbose else (lambda _: None)
        if self.save_best_only:
            value = self._value(logs)
            if value is None:
                return
            if not self._is_better(value, self.best):
                say(f"Epoch {epoch + 1}: {self.monitor} did not improve from {self.best:.5f}")
                return
            before = (
                "-inf" if self.best is None and self._larger else "inf" if self.best is None else f"{self.best:.5f}"
            )
            say(f"Epoch {epoch + 1}: {self.monitor} improved from {before} to {value:.5f}, saving model to {path}")
            self.best = value
        else:
            say(f"Epoch {epoch + 1}: saving model to {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        self._forget_old(path)

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> Path:
        values = {"epoch": epoch + 1, **logs}
        if batch is not None:
            values["batch"] = batch + 1
        try:
            return Path(self.filepath.format(**values))
        except KeyError as missing:
            raise ArgumentError(
                f"a path made of {sorted(values)}", f"{missing} in {self.filepath!r}", "ModelCheckpoint"
            ) from None

    def _forget_old(self, path: Path) -> None:
        if self.keep is None:
            return
        self._written = [one for one in self._written if one != path] + [path]
        while len(self._written) > self.keep:
            old = self._written.pop(0)
            try:
                old.unlink()
            except OSError as problem:
                warn(f"Could not remove the old checkpoint {old}: {problem}")

    def checkpoints(self) -> list[Path]:
        """The files that fit the path's pattern, the newest last."""
        pattern = re.sub(r"\{[^}]*\}", "*", Path(self.filepath).name)
        return sorted(Path(self.filepath).parent.glob(pattern), key=lambda one: one.stat().st_mtime)
