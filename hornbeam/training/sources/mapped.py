"""`MappedSource`: batches of another source, each put through a function ahead of the one who trains on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hornbeam.training.sources.ahead import Ahead
from hornbeam.training.sources.base import Source


class MappedSource(Source):
    """Batches of a source with a function applied to x; a thread does it ahead.

    Args:
        inner: The source.
        function: Takes x of one batch.
    """

    def __init__(self, inner: Source, function: Callable[[Any], Any]) -> None:
        self.inner, self._function = inner, function
        self.kind, self.batch_size, self.exact = inner.kind, inner.batch_size, inner.exact
        self._used = 0
        self._ahead: Ahead | None = None

    @property
    def steps(self) -> int | None:  # type: ignore[override]
        """Batches in one epoch, as the inner source knows by now."""
        return self.inner.steps

    def batches(self) -> Iterator[tuple]:
        function = self._function
        self._used = 0
        self._ahead = Ahead(self.inner.batches(), [lambda batch: (function(batch[0]), *batch[1:])], limit=3)
        try:
            for batch in self._ahead:
                self._used += 1
                yield batch
        finally:
            self._stop()

    def _stop(self) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.stop()
            ahead.join(5.0)

    def begin_epoch(self, epoch: int) -> None:
        self.inner.begin_epoch(epoch)

    def end_epoch(self) -> None:
        self.inner.end_epoch()

    def reset(self) -> None:
        self.inner.reset()

    def close(self) -> None:
        self._stop()
        self.inner.close()

    def state(self, used: int | None = None) -> dict[str, Any]:
        return self.inner.state(self._used if used is None else used)

    def restore(self, state: dict[str, Any]) -> None:
        self.inner.restore(state)
