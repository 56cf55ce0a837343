"""Gradients for `GradientTape` by TensorFlow's own tapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hornbeam.backend.base import Recorder
from hornbeam.backend.tensorflow.framework import tf


class TensorflowRecorder(Recorder):
    """A `tf.GradientTape` that watches what it is told to.

    It is persistent in any case, since whether a tensor is connected is found by asking for its gradient.
    """

    def __init__(self, persistent: bool) -> None:
        self._keeps_way_back = persistent
        self._tape = tf.GradientTape(persistent=True, watch_accessed_variables=False)
        self._watched: list[Any] = []
        self._pause: Any = None
        self._recording = False

    def start(self) -> None:
        self._tape.__enter__()
        self._recording = True

    def stop(self) -> None:
        self.pause(False)
        self._tape.__exit__(None, None, None)
        self._recording = False

    def pause(self, paused: bool) -> None:
        if paused and self._pause is None and self._recording:
            self._pause = self._tape.stop_recording()
            self._pause.__enter__()
        elif not paused and self._pause is not None:
            self._pause.__exit__(None, None, None)
            self._pause = None

    def watch(self, value: Any) -> None:
        self._tape.watch(value)
        self._watched.append(value)

    def unshared(self, value: Any) -> Any:
        return tf.identity(value)

    def is_connected(self, value: Any) -> bool:
        if any(value is one for one in self._watched):
            return True
        if not self._watched:
            return False
        return any(one is not None for one in self._gradient([value], self._watched, None))

    def _gradient(
        self, targets: list[Any], sources: list[Any], upstream: list[Any] | None, recorded: bool = False
    ) -> list[Any]:
        # asking a tape that records puts the way back on it as well, which a gradient of the gradient wants
        paused = recorded or self._pause is not None or not self._recording
        if not paused:
            self.pause(True)
        try:
            found = self._tape.gradient(targets, sources, output_gradients=upstream)
        finally:
            if not paused:
                self.pause(False)
        return [one if one is None else tf.convert_to_tensor(one) for one in found]

    def pullback(
        self, targets: Sequence[Any], sources: Sequence[Any]
    ) -> tuple[list[bool] | None, Callable[[Sequence[Any]], list[Any]]]:
        def pull(upstream: Sequence[Any]) -> list[Any]:
            return self._gradient(list(targets), list(sources), list(upstream), self._keeps_way_back)

        return None, pull
