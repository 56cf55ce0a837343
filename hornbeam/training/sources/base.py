"""Source: what the training loop asks of any kind of data; and the half of it that counted data share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from hornbeam.errors import ArgumentError, warn


class Source:
    """Data as batches, epoch after epoch. A batch is ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``.

    The order of calls is: `begin_epoch`, `batches` read to its end, `end_epoch`, once for each epoch; `close` at
    the end, whatever happens. With `limit` an epoch is that many batches and the next one goes on where it
    stopped; data that end earlier make the epoch end with a warning, and the next epoch starts them anew.

    Attributes:
        batch_size: Samples in a batch; None if that is not known before the batches come.
        steps: Batches in one epoch; None if unknown until it ends.
        bare: Whether x came alone and in no tuple, so that a user's `train_step` expects x itself and not
            ``(x,)``. Known once the first batch has come.
        exact: Whether `state` and `restore` find the exact place in the data again.
    """

    kind = "data"
    batch_size: int | None = None
    steps: int | None = None
    bare = False
    exact = False

    def batches(self) -> Iterator[tuple]:
        """The batches of one epoch: nested host arrays."""
        raise NotImplementedError

    def begin_epoch(self, epoch: int) -> None:
        """Called before the first batch of an epoch."""

    def end_epoch(self) -> None:
        """Called when the batches of an epoch are used."""

    def reset(self) -> None:
        """Makes the next epoch start at the first batch, as each validation run does; iterators cannot."""

    def close(self) -> None:
        """Stops threads and processes; may be called again."""

    def state(self, used: int | None = None) -> dict[str, Any]:
        """Where the data stand, as a dict that json can write.

        Args:
            used: How many batches of the present epoch have been trained on; None for all that were handed out.
        """
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes to where `state` says; the next epoch is then the rest of the interrupted one."""

    def _warn_ran_out(self, came: int, wanted: int | None) -> None:
        of = "" if wanted is None else f" of {wanted}"
        warn(
            f"The {self.kind} ran out of data after {came}{of} batches, so {'the epoch' if came else 'the run'} "
            "ends here. To go on, give data that last for steps_per_epoch * epochs batches, such as a generator that "
            "repeats."
        )


class CountedSource(Source):
    """The half that arrays and `PyDataset` share: batches have numbers, so any place can be found again.

    A pass is one trip over all data. Its order follows from the seed and the number of the pass alone.

    Args:
        count: Batches in a pass; None for endless data.
        limit: Batches in an epoch; None for the whole pass.
        rng: Draws the seed, or is one for what does; None for one that differs from run to run.
    """

    exact = True

    def __init__(self, count: int | None, limit: int | None, rng: np.random.Generator | int | None) -> None:
        self._count, self._limit = count, limit
        self.steps = count if limit is None else limit
        self._rng = rng
        self._pass = 0
        self._start = 0  # the batch of the pass with which the present epoch starts
        self._skip = 0  # batches of the present epoch that were used before an interruption
        self._used = 0  # batches of the present epoch that were handed out, those included
        self._open = False  # whether an epoch has begun and is not counted yet
        self._read = False  # whether all batches of the open epoch were handed out

    @cached_property
    def _seed(self) -> int:
        # drawn when it is first needed, since making a generator takes as long as a small step
        return int(np.random.default_rng(self._rng).integers(2**53))

    def _coming(self) -> int:
        """How many batches the present epoch has, those of `_skip` included."""
        if self._count is None:
            assert self._limit is not None  # checked when the source is opened
            return self._limit
        left = self._count - self._start
        return left if self._limit is None else min(left, self._limit)

    def _begin(self) -> None:
        """The epoch begins, unless it has begun already."""
        if self._read:
            self._count_epoch()
        self._open = True

    def _finish(self) -> None:
        """All batches of the epoch were handed out; it still counts as the present one, for `state`."""
        self._read = True
        coming = self._coming()
        if self._limit is not None and coming < self._limit:
            self._warn_ran_out(coming, self._limit)

    def _count_epoch(self) -> None:
        self._start += self._coming()
        if self._count is not None and self._start >= self._count:
            self._start, self._pass = 0, self._pass + 1
        self._skip, self._used, self._open, self._read = 0, 0, False, False

    def begin_epoch(self, epoch: int) -> None:
        self._begin()

    def end_epoch(self) -> None:
        if self._open and not self._read:
            self._finish()
        if self._open:
            self._count_epoch()

    def reset(self) -> None:
        self._start, self._skip, self._used, self._open, self._read = 0, 0, 0, False, False

    def _generator(self) -> np.random.Generator:
        """The random numbers of the present pass."""
        return np.random.default_rng([self._seed, self._pass])

    def _identity(self) -> dict[str, Any]:
        """What must be the same when a state is restored."""
        return {"kind": self.kind, "count": self._count, "limit": self._limit}

    def state(self, used: int | None = None) -> dict[str, Any]:
        used = self._used if used is None else int(used)
        return {**self._identity(), "seed": self._seed, "pass": self._pass, "start": self._start, "used": used}

    def restore(self, state: dict[str, Any]) -> None:
        identity = self._identity()
        try:
            values = {name: int(state[name]) for name in ("seed", "pass", "start", "used")}
        except (KeyError, TypeError, ValueError) as problem:
            got = f"{state!r} ({problem!r})"
            raise ArgumentError("a state of this kind of data", got, f"restore {self.kind}") from None
        for name, value in identity.items():
            if state.get(name) != value:
                raise ArgumentError(
                    f"a state of the same data, with {name}={value}",
                    f"{name}={state.get(name)}",
                    f"restore {self.kind}",
                    "Give the same data, batch_size and steps as in the interrupted run, or start anew.",
                )
        if values["start"] < 0 or values["used"] < 0 or (self._count and values["start"] >= self._count):
            raise ArgumentError("a place inside the data", f"{state!r}", f"restore {self.kind}")
        self._seed, self._pass, self._start = values["seed"], values["pass"], values["start"]
        self._skip, self._used, self._open, self._read = values["used"], values["used"], False, False
        if self._used >= self._coming():  # the epoch was at its end
            self._count_epoch()


def check_json(state: Any, where: str) -> Any:
    """`state` as json gives it back; raises a ValueError if json cannot hold it."""
    try:
        return json.loads(json.dumps(state))
    except (TypeError, ValueError) as problem:
        raise ArgumentError("a state_dict of numbers, strings, lists and dicts", str(problem), where) from None
