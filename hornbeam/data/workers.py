"""Functions run ahead in threads or processes, as generators that leave nothing running when they are closed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from hornbeam.training.sources.ahead import END, Ahead
from hornbeam.training.sources.processes import WorkerDiedError, WorkerPool

_PATIENCE = 1.0  # seconds that a thread in the middle of a user's function is waited for


class _Raised(NamedTuple):
    """An exception of the keys themselves; it is raised again at its place in the order."""

    problem: BaseException


def _guarded(keys: Iterable[Any]) -> Iterator[Any]:
    try:
        yield from keys
    except Exception as problem:  # noqa: BLE001  (belongs to the one who waits, not to the thread that met it)
        yield _Raised(problem)


def _of_key(fetch: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def guarded(key: Any) -> Any:
        if type(key) is _Raised:
            raise key.problem
        return fetch(key)

    return guarded


def in_threads(keys: Iterable[Any], fetch: Callable[[Any], Any], workers: int, limit: int) -> Iterator[Any]:
    """`fetch` of each key in order, made by `workers` threads, at most `limit` ahead."""
    ahead = Ahead(_guarded(keys), [_of_key(fetch)] * workers, limit)
    try:
        yield from ahead
    finally:
        ahead.stop()
        ahead.join(_PATIENCE)


def in_processes(
    keys: Iterable[Any], served: Any, workers: int, limit: int, name: str, place: Callable[[Any], str]
) -> Iterator[Any]:
    """`served[key]` of each key in order, made by `workers` processes that each hold a copy of `served`.

    An exception comes back as it was; the death of a process is an error at once, with `place` of the key it had.
    """
    pool = WorkerPool(workers, name)
    ahead: Ahead | None = None
    try:
        # Processes start before threads do, so that a fork has as few of them as can be.
        fetchers = [_of_key(_seeded(fetch, place)) for fetch in pool.refresh(served)]
        ahead = Ahead(_guarded(keys), fetchers, limit)
        yield from ahead
    finally:
        if ahead is not None:
            ahead.stop()
            if not ahead.join(0.2):
                pool.terminate()  # wakes the threads that wait for a process
                ahead.join(5.0)
        pool.close()


def _seeded(fetch: Callable[[tuple[Any, int]], Any], place: Callable[[Any], str]) -> Callable[[Any], Any]:
    def seeded(key: Any) -> Any:
        try:
            # The global random numbers of a worker follow from the key alone, not from which worker gets it.
            return fetch((key, zlib.crc32(repr(key).encode())))
        except WorkerDiedError as problem:
            problem.add_note(place(key))
            raise

    return seeded


def read_ahead(elements: Iterator[Any], limit: int) -> Iterator[Any]:
    """The same elements, pulled by a thread at most `limit` ahead."""

    def forever() -> Iterator[None]:
        while True:
            yield None

    ahead = Ahead(forever(), [lambda _: next(elements, END)], limit)
    try:
        yield from ahead
    finally:
        ahead.stop()
        if ahead.join(_PATIENCE) and hasattr(elements, "close"):
            elements.close()
