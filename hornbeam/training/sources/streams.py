"""Sources over what can only be iterated: generators, iterators, loaders, `tf.data.Dataset`."""

from __future__ import annotations

import base64
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hornbeam.errors import ArgumentError, describe
from hornbeam.training.sources.ahead import END, Ahead
from hornbeam.training.sources.base import Source, check_json
from hornbeam.training.sources.convert import standardize_batch
from hornbeam.training.sources.weights import ClassWeights

_AHEAD = 2  # batches that wait or are in the making while one is trained on
_REMEMBERED = 256  # states of a loader kept, for a loop that hands out more batches than it has trained on

FORM = "(x,), (x, y) or (x, y, sample_weight)"


def as_batch(item: Any, kind: str, bare: bool, copy: bool) -> tuple[tuple, bool]:
    """What a source yielded as a tuple of 1 to 3 standardised parts, and whether x came alone.

    Args:
        item: What came.
        kind: The kind of source, for errors.
        bare: Whether a list may stand for the tuple, and an array or dict for x alone.
        copy: See `standardize_batch`.
    """
    where = f"batch of the {kind}"
    alone = False
    if not isinstance(item, tuple):
        if isinstance(item, list) and bare:
            item = tuple(item)
        elif bare and (hasattr(item, "shape") or isinstance(item, dict)):
            item, alone = (item,), True
        else:
            fix = "Write `yield x, y`." if isinstance(item, list) else "Write `yield (x,)` for inputs without targets."
            raise ArgumentError(f"a tuple {FORM}", describe(item), where, fix)
    if not 1 <= len(item) <= 3:
        fix = "Several inputs or outputs go into a list or dict of their own, such as ([x1, x2], y)."
        raise ArgumentError(f"a tuple {FORM}", f"{len(item)} parts", where, fix)
    if item[0] is None:
        raise ArgumentError(f"a tuple {FORM}", "None as x", where)
    names = ("x", "y", "sample_weight")
    parts = [standardize_batch(part, f"{where}: {name}", copy) for part, name in zip(item, names, strict=False)]
    return tuple(parts), alone


def weigh(batch: tuple, weights: ClassWeights | None) -> tuple:
    """The batch with the weights of its classes put in, multiplied with those it has."""
    if weights is None:
        return batch
    x, y, sample_weight = (*batch, None, None)[:3]
    return x, y, weights.of(y, sample_weight)


class StreamSource(Source):
    """What can only be iterated. A thread pulls a few batches ahead, and never more than the epoch has.

    Args:
        kind: What to call it in messages.
        open_pass: Returns an iterator over all data, or the one iterator there is, wherever it stands.
        rewinds: Whether `open_pass` starts anew each time.
        limit: Batches in an epoch; None for as many as come.
        count: Batches in a pass, if known.
        batch_size: Samples in a batch, if known.
        class_weight: Weights to put into each batch.
        bare: Whether an item may be x alone, or a list instead of a tuple.
        copy: Whether items may share memory that is filled again.
        stateful: The object whose `state_dict` and `load_state_dict` tell and set the place, if there is one.
    """

    def __init__(
        self,
        kind: str,
        open_pass: Callable[[], Iterator[Any]],
        *,
        rewinds: bool,
        limit: int | None,
        count: int | None = None,
        batch_size: int | None = None,
        class_weight: ClassWeights | None = None,
        bare: bool = True,
        copy: bool = True,
        stateful: Any = None,
    ) -> None:
        self.kind, self.batch_size = kind, batch_size
        self.steps = count if limit is None else limit
        self.exact = stateful is not None
        self._rewinds = rewinds
        self._open_pass, self._limit, self._class_weight = open_pass, limit, class_weight
        self._lenient, self._copy, self._stateful = bare, copy, stateful
        self._iterator: Iterator[Any] | None = None
        self._ahead: Ahead | None = None
        self._pending: deque[Any] = deque()
        self._came = 0  # batches since the source was opened
        self._used = 0  # batches of the present epoch
        self._resumed = False
        self._states: deque[tuple[int, Any]] = deque(maxlen=_REMEMBERED)
        if self.exact:
            self._states.append((0, self._stateful.state_dict()))

    def _pull(self, iterator: Iterator[Any]) -> Callable[[Any], Any]:
        """A function that makes the next batch; it holds no reference to this source, so a thread may keep it."""
        kind, lenient, copy, weights, stateful = (
            self.kind, self._lenient, self._copy, self._class_weight, self._stateful,
        )  # fmt: skip

        def pull(_: Any) -> Any:
            try:
                item = next(iterator)
            except StopIteration:
                return END
            batch, alone = as_batch(item, kind, lenient, copy)
            return weigh(batch, weights), alone, None if stateful is None else stateful.state_dict()

        return pull

    def _epoch(self, wanted: int | None) -> Iterator[Any]:
        """Items of the present pass, at most `wanted`."""
        left = wanted
        while self._pending and left != 0:
            yield self._pending.popleft()
            left = None if left is None else left - 1
        if left == 0 or self._iterator is None:
            return
        keys: Iterable[int] = itertools.count() if left is None else range(left)
        self._ahead = Ahead(keys, [self._pull(self._iterator)], _AHEAD)
        try:
            yield from self._ahead
        finally:
            self._stop_reading()

    def batches(self) -> Iterator[tuple]:
        skip = self._used if self._resumed else 0
        self._resumed, self._used = False, skip
        wanted = None if self._limit is None else self._limit - skip
        if self._iterator is None and not self._pending:
            self._iterator = self._open_pass()
        yield from self._read(wanted)
        if self._used == 0 and self._rewinds:
            # The last epoch took exactly the whole pass, which shows only now.
            self._iterator = self._open_pass()
            yield from self._read(wanted)
        short = self._limit is not None and self._used < self._limit
        if self._used == 0 and self._came == 0:
            fix = "Is it empty, or was it read to its end before?"
            raise ArgumentError("at least one batch", "none", self.kind, fix)
        if short or self._used == 0:
            self._warn_ran_out(self._used, self._limit)
        if short or self._limit is None:
            self._iterator = None  # the next epoch is a new pass, if there is one to be had
            if self._limit is None and self._used and self.steps is None:
                self.steps = self._used

    def _read(self, wanted: int | None) -> Iterator[tuple]:
        items = self._epoch(wanted)
        try:
            for batch, self.bare, state in items:
                self._used += 1
                self._came += 1
                if self.exact:
                    self._states.append((self._used, state))
                yield batch
        finally:
            items.close()

    def begin_epoch(self, epoch: int) -> None:
        if not self._resumed:
            self.end_epoch()

    def end_epoch(self) -> None:
        self._used = 0
        if self.exact:  # the last state of this epoch is where the next one starts
            last = self._states[-1][1]
            self._states.clear()
            self._states.append((0, last))

    def reset(self) -> None:
        if self._rewinds:
            self._pending.clear()
            self._iterator = None

    def close(self) -> None:
        ended = self._stop_reading()
        if self._rewinds and ended and hasattr(self._iterator, "close"):
            # the pass is ours: threads and processes that work for it end now, and not when nobody holds it any more,
            # which may be long after an error, whose traceback does
            self._iterator.close()
            self._iterator = None
            self._pending.clear()

    def _stop_reading(self) -> bool:
        """Stops the thread and keeps what it has read; whether it has ended."""
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return True
        ahead.stop()
        ended = ahead.join(1.0)  # a generator that waits cannot be woken; its thread ends with the process
        self._pending.extend(ahead.left_over())
        return ended

    def state(self, used: int | None = None) -> dict[str, Any]:
        if not self.exact:
            return {}
        used = self._used if used is None else int(used)
        where = f"state of the {self.kind}"
        for count, state in self._states:
            if count == used:
                return {"kind": self.kind, "used": used, "loader": check_json(_pack(state), where)}
        first, last = self._states[0][0], self._states[-1][0]
        raise ArgumentError(f"a count of batches from {first} to {last}", f"{used}", where)

    def restore(self, state: dict[str, Any]) -> None:
        if not self.exact:
            return
        if not isinstance(state, dict) or not {"used", "loader"} <= set(state) or state.get("kind") != self.kind:
            raise ArgumentError(f"a state of a {self.kind}", repr(state)[:200], f"restore {self.kind}")
        loader = _unpack(state["loader"])
        self.close()
        self._stateful.load_state_dict(loader)
        self._pending.clear()
        self._iterator = None
        self._used = int(state["used"])
        self._resumed = self._used > 0
        self._states.clear()
        self._states.append((self._used, loader))


def _pack(state: Any) -> Any:
    """`state` with what json cannot hold, bytes, as text."""
    if isinstance(state, bytes):
        return {"__bytes__": base64.b64encode(state).decode("ascii")}
    if isinstance(state, dict):
        return {key: _pack(value) for key, value in state.items()}
    if isinstance(state, (list, tuple)):
        return [_pack(value) for value in state]
    return state.item() if hasattr(state, "item") and getattr(state, "ndim", None) == 0 else state


def _unpack(state: Any) -> Any:
    if isinstance(state, dict):
        if set(state) == {"__bytes__"}:
            return base64.b64decode(state["__bytes__"])
        return {key: _unpack(value) for key, value in state.items()}
    return [_unpack(value) for value in state] if isinstance(state, list) else state
