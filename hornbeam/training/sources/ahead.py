"""Runs functions ahead of the one who needs their results, in threads, and hands the results over in order."""

from __future__ import annotations

import contextvars
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hornbeam.errors import StateError

END = object()  # what a fetcher returns when there is nothing more


class Ahead:
    """Results of `fetch(key)` for each key, made ahead by one thread for each fetcher, in the order of the keys.

    An exception of a fetcher comes out at its place in the order, with its own traceback. Iterating ends with
    the keys, or with the first `END`.

    Args:
        keys: What to fetch; read under a lock, so it should be quick.
        fetchers: Functions of a key. Each is called by one thread only; all are called at the same time.
        limit: How many results may be waiting, those in the making included.
    """

    def __init__(self, keys: Iterable[Any], fetchers: Iterable[Callable[[Any], Any]], limit: int) -> None:
        self._keys = iter(keys)
        self._limit = limit
        self._changed = threading.Condition()
        self._results: dict[int, tuple[Any, BaseException | None]] = {}
        self._started = 0
        self._handed_over = 0
        self._stopped = False
        self._threads = [
            # A copy of the context, so that the user's code sees the settings of the thread that asked for it.
            threading.Thread(
                target=contextvars.copy_context().run, args=(self._work, fetch), name="hornbeam-data", daemon=True
            )
            for fetch in fetchers
        ]
        for thread in self._threads:
            thread.start()

    def _work(self, fetch: Callable[[Any], Any]) -> None:
        while True:
            with self._changed:
                while not self._stopped and self._started - self._handed_over >= self._limit:
                    self._changed.wait()
                key = END if self._stopped else next(self._keys, END)
                if key is END:
                    self._stopped = True
                    self._changed.notify_all()
                    return
                place = self._started
                self._started += 1
            problem: BaseException | None = None
            result = None
            try:
                result = fetch(key)
            except BaseException as raised:  # noqa: BLE001  (whatever it is, it belongs to the one who waits)
                problem = raised
            with self._changed:
                self._results[place] = (result, problem)
                if problem is not None or result is END:
                    self._stopped = True  # later results would never be read
                self._changed.notify_all()
            del result, problem

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with self._changed:
            while self._handed_over not in self._results:
                if self._stopped and self._handed_over >= self._started:
                    raise StopIteration
                if not any(thread.is_alive() for thread in self._threads):
                    raise StateError("a batch from the worker threads", "none: all have ended", "data")
                self._changed.wait(1.0)  # with a limit, since a wait without one hides Ctrl-C on Windows
            result, problem = self._results.pop(self._handed_over)
            self._handed_over += 1
            self._changed.notify_all()
        if problem is not None:
            try:
                raise problem
            finally:
                del problem  # else the traceback would hold itself
        if result is END:
            raise StopIteration
        return result

    def stop(self) -> None:
        """Tells the threads to start nothing more; does not wait."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def join(self, timeout: float) -> bool:
        """Waits for the threads, at most `timeout` seconds in all; True if all have ended."""
        until = time.monotonic() + timeout
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def left_over(self) -> list[Any]:
        """The good results that nobody took, in order; for after `join`."""
        with self._changed:
            results = [self._results[place] for place in sorted(self._results)]
            self._results.clear()
        good = itertools.takewhile(lambda one: one[1] is None and one[0] is not END, results)
        return [result for result, _ in good]
