"""Worker processes that make the batches of a dataset; knows nothing of epochs or of what a batch is.

A worker that dies is noticed at once, an exception in it comes back as it was, Ctrl-C is left to the parent, and
a worker whose parent is gone ends by itself. It works with each start method of `multiprocessing`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import random
import signal
import traceback
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np

from hornbeam.errors import ArgumentTypeError, StateError

_PATIENCE = 2.0  # seconds that a worker gets to end by itself


class WorkerDiedError(StateError):
    """A worker process ended in the middle of an item."""


class WorkerPool:
    """Processes that each hold a copy of a dataset and answer with its items.

    Args:
        count: How many processes.
        name: What to call the dataset in errors.
    """

    def __init__(self, count: int, name: str) -> None:
        self._context = multiprocessing.get_context()
        self._count, self._name = count, name
        self._workers: list[_Worker] = []
        self._sent: bytes | None = None

    def refresh(self, dataset: Any) -> list[Callable[[tuple[int, int]], Any]]:
        """Makes the workers hold the dataset as it is now.

        Returns:
            A function for each worker that takes (index, seed of the global random numbers) and returns the item.
            Each may be called by one thread at a time.
        """
        if self._context.get_start_method() == "fork":
            # A new fork sees the dataset as it is, without a copy of it through a pipe.
            self.close()
            self._workers = [_Worker(self._context, self._name, dataset) for _ in range(self._count)]
        else:
            try:
                payload = bytes(ForkingPickler.dumps(dataset))
            except (pickle.PicklingError, AttributeError, TypeError) as problem:
                raise ArgumentTypeError(
                    "a dataset that can be pickled, since its worker processes start by "
                    f"{self._context.get_start_method()!r}",
                    str(problem),
                    self._name,
                    "Define its class at the top of a module, or use threads: use_multiprocessing=False.",
                ) from problem
            if not self._workers:
                self._workers = [_Worker(self._context, self._name, None) for _ in range(self._count)]
                self._sent = None
            if payload != self._sent:
                for worker in self._workers:
                    worker.load(payload)
                self._sent = payload
        return [worker.fetch for worker in self._workers]

    def terminate(self) -> None:
        """Ends all workers at once, also those in the middle of an item."""
        for worker in self._workers:
            worker.process.terminate()

    def close(self) -> None:
        """Ends all workers, asking first."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.ask_to_end()
        for worker in workers:
            worker.end()


class _Worker:
    def __init__(self, context: Any, name: str, dataset: Any) -> None:
        self._name = name
        self._connection, theirs = context.Pipe()
        forked = context.get_start_method() == "fork"
        # A forked child inherits our end too and has to close it, or it would never see that we are gone.
        arguments = (theirs, self._connection if forked else None, dataset)
        self.process = context.Process(target=_serve, args=arguments, daemon=True, name="hornbeam-data")
        with warnings.catch_warnings():
            # JAX, and Python from 3.12, warn of forks beside threads; the child touches neither JAX nor a lock.
            warnings.simplefilter("ignore")
            self.process.start()
        theirs.close()

    def load(self, payload: bytes) -> None:
        with contextlib.suppress(OSError):  # a dead worker is reported by the next fetch
            self._connection.send_bytes(b"dataset")
            self._connection.send_bytes(payload)

    def fetch(self, task: tuple[int, int]) -> Any:
        index, seed = task
        try:
            self._connection.send_bytes(pickle.dumps((index, seed)))
            wait([self._connection, self.process.sentinel])
            if not self._connection.poll():
                raise EOFError
            good, value = _receive(self._connection)
        except (EOFError, OSError):
            raise self._died(index) from None
        if good:
            return value
        pickled, text = value
        if pickled is None:
            raise StateError(f"batch {index}", f"an exception in a worker process:\n{text}", self._name)
        problem = pickle.loads(pickled)  # noqa: S301  (from our own process)
        problem.add_note(f"In a worker process, with {self._name}[{index}]:\n{text}")
        raise problem

    def _died(self, index: int) -> WorkerDiedError:
        self.process.join(_PATIENCE)
        return WorkerDiedError(
            f"batch {index} from a worker process",
            f"the end of the process (exit code {self.process.exitcode})",
            self._name,
            "A negative code is a signal; -9 often means that memory ran out. A process that cannot start needs the "
            'program guarded by `if __name__ == "__main__":`. With workers=0 the same code runs in this process.',
        )

    def ask_to_end(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.send_bytes(b"end")

    def end(self) -> None:
        self.process.join(_PATIENCE)
        for stronger in (self.process.terminate, self.process.kill):
            if self.process.is_alive():
                stronger()
                self.process.join(_PATIENCE)
        self._connection.close()
        with contextlib.suppress(ValueError):  # still alive: in a system call that even kill cannot end
            self.process.close()


def _serve(connection: Connection, theirs: Connection | None, dataset: Any) -> None:
    """What a worker process does, until it is asked to end or the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    if theirs is not None:
        theirs.close()
    with contextlib.suppress(EOFError, OSError):
        while (message := connection.recv_bytes()) != b"end":
            if message == b"dataset":
                dataset = _try(lambda: pickle.loads(connection.recv_bytes()))  # noqa: S301  (from our own process)
                continue
            _send(connection, _answer(dataset, *pickle.loads(message)))  # noqa: S301  (from our own process)


class _Failed:
    """Stands for a dataset that did not arrive; gives its reason to each fetch."""

    def __init__(self, problem: BaseException) -> None:
        self.problem = problem

    def __getitem__(self, index: int) -> Any:
        raise self.problem


def _try(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except Exception as problem:  # noqa: BLE001  (told to the parent)
        return _Failed(problem)


def _answer(dataset: Any, index: int, seed: int) -> tuple[bool, Any]:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    try:
        return True, dataset[index]
    except BaseException as problem:  # noqa: BLE001  (told to the parent)
        text = "".join(traceback.format_exception(problem))
        try:
            pickled = pickle.dumps(problem)
            if type(pickle.loads(pickled)) is not type(problem):  # noqa: S301  (from our own process)
                pickled = None
        except Exception:  # noqa: BLE001  (told to the parent)
            pickled = None
        return False, (pickled, text)


def _send(connection: Connection, answer: tuple[bool, Any]) -> None:
    buffers: list[pickle.PickleBuffer] = []
    try:
        head = pickle.dumps(answer, protocol=5, buffer_callback=buffers.append)
        raw = [buffer.raw() for buffer in buffers]
    except Exception as problem:  # noqa: BLE001  (told to the parent)
        raw = []
        head = pickle.dumps((False, (None, "".join(traceback.format_exception(problem)))))
    # Arrays travel beside the pickle, uncopied.
    connection.send_bytes(pickle.dumps([one.nbytes for one in raw]))
    connection.send_bytes(head)
    for one in raw:
        connection.send_bytes(one)


def _receive(connection: Connection) -> tuple[bool, Any]:
    sizes = pickle.loads(connection.recv_bytes())  # noqa: S301  (from our own process)
    head = connection.recv_bytes()
    buffers = [bytearray(size) for size in sizes]
    for buffer in buffers:
        if buffer:
            connection.recv_bytes_into(buffer)
        else:
            connection.recv_bytes()
    return pickle.loads(head, buffers=buffers)  # noqa: S301  (from our own process)
