"""Holds Ctrl-C back for the moment in which state must not be torn apart; knows nothing of that state."""

from __future__ import annotations

import signal
import threading
from typing import Any


class interrupts_held:
    """Inside, Ctrl-C waits; on the way out it takes effect as it would have.

    Python runs signal handlers between any two instructions of the main thread, so also between a call that
    destroyed old values and the line that stores the new ones.

    >>> try:
    ...     with interrupts_held():
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("whole")
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    whole
    interrupted
    """

    __slots__ = ("_before", "_arrived")

    def __enter__(self) -> None:
        self._before: Any = None
        self._arrived: tuple | None = None
        if threading.current_thread() is not threading.main_thread():
            return  # handlers run in the main thread only
        before = signal.getsignal(signal.SIGINT)
        if callable(before):  # else Ctrl-C is ignored, ends the process at once, or belongs to some C code
            self._before = before
            signal.signal(signal.SIGINT, self._note)

    def _note(self, *arguments: Any) -> None:
        self._arrived = arguments

    def __exit__(self, *_: Any) -> None:
        if self._before is None:
            return
        signal.signal(signal.SIGINT, self._before)
        if self._arrived is not None:
            self._before(*self._arrived)
