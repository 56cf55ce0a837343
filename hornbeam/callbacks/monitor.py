"""What callbacks that watch a number share: which way is better, and how to find the number in the logs."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.callbacks.callback import Callback
from hornbeam.errors import ArgumentError, nearest, warn

_LARGER_IS_BETTER = (
    "acc",
    "accuracy",
    "auc",
    "precision",
    "recall",
    "iou",
    "f1",
    "fbeta",
    "f_beta",
    "r2",
    "specificity",
    "sensitivity",
    "positives",
    "similarity",
    "correlation",
    "top_k",
)
_SMALLER_IS_BETTER = (
    "false_positives",
    "false_negatives",
    "loss",
    "error",
    "divergence",
    "entropy",
    "hinge",
    "poisson",
)


class MonitorCallback(Callback):
    """A callback that watches one number of the logs.

    Args:
        monitor: The name of the number.
        mode: "min", "max", or "auto": by the metric, else by what the name says.
        best: The best value so far, to begin with.
        min_delta: By how much a value must be better than the best to count.
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", best: float | None = None, min_delta: float = 0.0
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise ArgumentError("'auto', 'min' or 'max'", f"mode={mode!r}", type(self).__name__)
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self.best = best
        self._larger: bool | None = {"min": False, "max": True}.get(mode)
        self._warned = False

    def _value(self, logs: dict[str, Any] | None) -> Any:
        """The watched number, or None with a warning if it is not there."""
        value = (logs or {}).get(self.monitor)
        if value is None and not self._warned:
            self._warned = True
            warn(
                f"{type(self).__name__} watches {self.monitor!r}, which is not in the logs. "
                f"{nearest(self.monitor, logs or {})}",
            )
        return value

    def _is_better(self, value: Any, than: Any) -> bool:
        """Whether `value` is better by more than `min_delta`; anything is better than None."""
        if than is None:
            return not np.isnan(value)
        if self._larger is None:
            self._larger = self._direction()
        return bool(value - self.min_delta > than) if self._larger else bool(value + self.min_delta < than)

    def _direction(self) -> bool:
        name = self.monitor.removeprefix("val_")
        for metric in getattr(self.model, "metrics", ()):
            found = getattr(metric, "_direction", None)
            if metric.name == name and found in ("up", "down"):
                return found == "up"
        name = name.lower()
        if any(part in name for part in _SMALLER_IS_BETTER):
            return False
        return any(part in name for part in _LARGER_IS_BETTER)
