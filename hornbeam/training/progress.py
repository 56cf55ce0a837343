"""The progress bar of `fit`, `evaluate`, `predict` and users' own loops; does not know what is being counted."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from time import monotonic as _now
from types import TracebackType
from typing import Any

import numpy as np

from hornbeam import _terminal
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe

Values = Mapping[str, Any] | Iterable[tuple[str, Any]] | Callable[[], Any]

# Where a line cannot be drawn over, a long epoch says this often (in seconds) that it is alive.
_PLAIN_INTERVAL = 10.0
# Values to be averaged wait unread, so that nobody waits for the device; but not more than this many.
_MOST_UNREAD = 1024
# A bar narrower than this shows nothing; the place is better used for the metrics.
_NARROWEST_BAR = 3

_BOLD, _GREEN, _WHITE, _RESET = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


class Progbar:
    """Shows how far a loop is, how fast it runs, and the latest metrics.

    On a terminal and in notebooks one line is drawn over and over, at most every `interval` seconds. Where
    standard output is a file, a pipe or a log, plain lines without control characters are written instead: one
    when the loop is done, and for a long one (`verbose=1`) one every ten seconds. After
    `config.disable_interactive_logging()` these lines go to the logger "hornbeam".

    Args:
        target: The number of steps to come; None if unknown.
        width: The width of the bar in characters.
        verbose: 0 for silence, 1 for the bar, 2 for one line at the end.
        interval: The shortest time between two drawings, in seconds.
        stateful_metrics: Names whose latest value is shown; all others are then averaged over the steps while the
            bar runs. Where neither this nor `stateless_metrics` is given, all show their latest value: what
            `fit` reports are running averages already.
        stateless_metrics: Names that are averaged; all others then show their latest value.
        unit_name: What one step is called, such as "step" or "sample".

    Raises:
        ArgumentError: If an argument is out of range.
        ArgumentTypeError: If `target` is not a number.

    >>> bar = Progbar(3, verbose=2)
    >>> bar.update(3, [("loss", 0.25)])  # doctest: +ELLIPSIS
    3/3 - 0s - .../step - loss: 0.2500
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int | str = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if verbose not in (0, 1, 2, "auto"):
            raise ArgumentError("verbose to be 0, 1, 2 or 'auto'", repr(verbose), "Progbar")
        if isinstance(width, bool) or not isinstance(width, int) or width < 0:
            raise ArgumentError("width to be an integer of at least 0", repr(width), "Progbar")
        self.target = _standardize_target(target)
        self.width = width
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.interval = float(interval)
        self.unit_name = unit_name
        self.stateful_metrics = None if stateful_metrics is None else set(stateful_metrics)
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._averages_some = not (self.stateful_metrics is None and self.stateless_metrics is None)
        self._line_length = 0  # of what is drawn on the line the cursor stands in
        self._restart()

    def _restart(self) -> None:
        self.seen = 0
        self._start = _now()
        self._last = self._start
        self._next_draw = 0.0  # the first update always asks what kind of output there is
        self._after_first: float | None = None
        self._first_drawn: tuple[float, int] | None = None
        self._finished = False
        self._output: _terminal.Output | None = None
        self._latest: dict[str, Any] = {}
        self._unread_all: Callable[[], Any] | None = None
        self._unread: dict[str, list[tuple[Any, int]]] = {}
        self._sums: dict[str, tuple[float, int]] = {}

    # What a loop calls

    def update(self, current: int, values: Values | None = None, finalize: bool | None = None) -> None:
        """Says that `current` steps are done.

        Args:
            current: The number of steps done since the start.
            values: The metrics: pairs of name and value, or a dict, or a callable that gives either. A value is a
                number, an array (its mean is shown) or a callable that gives one. Nothing is converted or called
                before a line is really drawn, so values may stay on the device.
            finalize: Whether this is the last update of the loop; None means once `target` is reached.

        Raises:
            ArgumentTypeError: If `values` is none of these.
        """
        if self._finished and current < self.seen:  # the same bar counts a second round
            self._restart()
        if values:
            self._store(values, max(current - self.seen, 1))
        self.seen = current
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        if not self.verbose:
            self._finished = self._finished or finalize
            return
        now = _now()
        if now < self._next_draw and not finalize:  # the common case: a fast step costs two comparisons
            return
        self._draw(now, finalize)

    def add(self, n: int, values: Values | None = None) -> None:
        """Says that `n` more steps are done; `values` as in `update`."""
        self.update(self.seen + n, values)

    def close(self) -> None:
        """Ends a line that was being drawn, so that what follows starts on its own; for loops that break off."""
        if self._line_length:
            _terminal.write("\n")
            self._line_length = 0

    def __enter__(self) -> Progbar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def seconds_per_step(self) -> float:
        """The time a step took on average, in seconds, up to the last update that looked at the clock.

        A first step reported by itself is left out where more followed: it compiles. 0.0 before the first step.
        """
        if self._after_first is not None and self.seen > 1:
            return (self._last - self._after_first) / (self.seen - 1)
        return (self._last - self._start) / self.seen if self.seen else 0.0

    @property
    def steps_per_second(self) -> float:
        """One over `seconds_per_step`; 0.0 before the first step."""
        seconds = self.seconds_per_step
        return 1.0 / seconds if seconds > 0 else 0.0

    # Values

    def _store(self, values: Values, steps: int) -> None:
        if callable(values):
            if not self._averages_some:
                self._unread_all = values
                return
            values = values()
        self._unread_all = None
        try:
            pairs = dict(values)
        except (TypeError, ValueError) as error:
            raise ArgumentTypeError("pairs of name and value, or a dict", describe(values), "Progbar.update") from error
        self._latest.update(pairs)
        if not self._averages_some:
            return
        for name, value in pairs.items():
            if self._is_averaged(name):
                unread = self._unread.setdefault(name, [])
                unread.append((value, steps))
                if len(unread) >= _MOST_UNREAD:
                    self._average(name)

    def _is_averaged(self, name: str) -> bool:
        if self.stateless_metrics is not None and name in self.stateless_metrics:
            return True
        return self.stateful_metrics is not None and name not in self.stateful_metrics

    def _average(self, name: str) -> float | str:
        total, count = self._sums.get(name, (0.0, 0))
        for value, steps in self._unread.pop(name, ()):
            number = _read(value)
            if isinstance(number, str):
                return number
            total, count = total + number * steps, count + steps
        self._sums[name] = (total, count)
        return total / count

    def _metrics(self, finalize: bool) -> list[str]:
        """The metrics as texts. Only here are values converted, which may wait for the device."""
        if self._unread_all is not None:
            unread, self._unread_all = self._unread_all, None
            self._store(unread() or {}, 1)
        texts = []
        for name, value in self._latest.items():
            averaged = not finalize and (name in self._unread or name in self._sums)
            number = self._average(name) if averaged else _read(value)
            texts.append(_printable(f"{name}: {_number(number)}"))
        return texts

    # Drawing

    def _draw(self, now: float, finalize: bool) -> None:
        if self._output is None or self._output.stream is not sys.stdout:
            self._output = _terminal.standard_output()
        redraws = self.verbose == 1 and self._output.kind != "plain"
        metrics: list[str] | None = None
        if redraws or finalize:
            metrics = self._metrics(finalize)
            now = _now()  # again: reading values waited for the steps that make them
        self._last = now
        if self.seen == 1 and self._after_first is None and not finalize:
            self._after_first = now
        if redraws:
            self._line(metrics or [], finalize)
            self._next_draw = now + self.interval
            if self._first_drawn is None:
                self._first_drawn = (now, self.seen)
        elif finalize:
            _terminal.say(self._plain_line(metrics or [], finalize=True))
        elif self.verbose == 2:
            self._next_draw = math.inf
        elif not self._next_draw:
            self._next_draw = self._start + _PLAIN_INTERVAL
        else:
            metrics = self._metrics(finalize)
            self._last = _now()
            _terminal.say(self._plain_line(metrics, finalize=False))
            self._next_draw = self._last + _PLAIN_INTERVAL
        if finalize:
            self._finished = True
            self._next_draw = 0.0

    def _plain_line(self, metrics: list[str], finalize: bool) -> str:
        elapsed = f"{self._last - self._start:.0f}s"
        if not finalize and self.target:
            elapsed = f"ETA {_duration(self._seconds_left())}"
        pace = f"{_step_time(self.seconds_per_step)}/{self.unit_name}"
        count = self._count() if self.target else self._count().lstrip()
        return " - ".join([count, elapsed, pace, *metrics])

    def _line(self, metrics: list[str], finalize: bool) -> None:
        """Draws over the line; a line that is still running never gets wider than the terminal."""
        assert self._output is not None
        count = self._count()
        running = self.target and not finalize
        time = _duration(self._seconds_left()) if running else f"{self._last - self._start:.0f}s"
        pace = f"{_step_time(self.seconds_per_step)}/{self.unit_name}"
        columns = _terminal.columns(self._output)
        room = columns - 1 if columns else 10_000  # the last column is left free: some terminals wrap there
        texts = [time + " " + pace, *metrics]
        while not finalize and len(texts) > 1 and len(count) + 1 + len(" - ".join(texts)) > room:
            texts.pop()
        # The last line of a loop is never drawn over, so it may wrap: better than a metric nobody sees.
        rest = len(count) + 1 + len(" - ".join(texts))
        if rest > room and not finalize:
            texts = [texts[0][: max(room - len(count) - 1, 0)]]
            rest = len(count) + 1 + len(texts[0])
            time = texts[0][: len(time)]
        bar_width = min(self.width, room - rest - 1)
        bar = self._bar(bar_width) + " " if self.target and bar_width >= _NARROWEST_BAR else ""
        visible = rest + (bar_width + 1 if bar else 0)
        after = " - ".join(texts)[len(time) :]
        if self._output.color:
            # An unknown target is not bold, as Keras shows it.
            count = f"{_BOLD}{count}{_RESET}" if self.target else count
            time = f"{_BOLD}{time}{_RESET}"
        padding = " " * max(min(self._line_length, room) - visible, 0)
        _terminal.write(f"\r{count} {bar}{time}{after}{padding}" + ("\n" if finalize else ""))
        self._line_length = 0 if finalize else visible

    def _count(self) -> str:
        if not self.target:
            return f"{self.seen:7d}/Unknown"
        return f"{self.seen:>{len(str(self.target))}d}/{self.target}"

    def _bar(self, width: int) -> str:
        assert self._output is not None and self.target
        done = min(width * self.seen // self.target, width)
        if not self._output.unicode:
            return "=" * done + "." * (width - done)
        if not self._output.color:
            return "━" * done + "─" * (width - done)
        parts = [(_GREEN, done), (_WHITE, width - done)]
        return "".join(f"{color}{'━' * count}{_RESET}" for color, count in parts if count)

    def _seconds_left(self) -> float:
        steps = max((self.target or 0) - self.seen, 0)
        if self._first_drawn is not None and self.seen > self._first_drawn[1]:
            # The pace since the first drawing: what came before it, compilation above all, does not come again.
            moment, seen = self._first_drawn
            return steps * (self._last - moment) / (self.seen - seen)
        return steps * self.seconds_per_step


def _standardize_target(target: Any) -> int | None:
    if target is None:
        return None
    try:
        whole = int(target)
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentTypeError("target to be a number of steps or None", describe(target), "Progbar") from error
    if whole != target or whole < 0:
        raise ArgumentError("target to be a whole number of at least 0, or None", repr(target), "Progbar")
    return whole


def _read(value: Any) -> float | str:
    """`value` as a number, the mean of an array, or a text if it is no number."""
    if callable(value):
        value = value()
    if isinstance(value, (float, int)):
        return float(value)
    try:
        if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
            return float(value.item())  # float(tensor) warns on torch where gradients are recorded
        if isinstance(value, (list, tuple)) or getattr(value, "ndim", 0):
            plain = value.tolist() if hasattr(value, "tolist") else value
            return float(np.mean(np.asarray(plain, dtype="float64")))
        return str(value) if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        return str(value)


def _number(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(one if one.isprintable() else "?" for one in text)


def _duration(seconds: float) -> str:
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole >= 60 else f"{whole}s"


def _step_time(seconds: float) -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"
