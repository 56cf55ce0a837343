"""`when`: runs a function that writes variables, or leaves it out, as a scalar tensor says. Knows no optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.backend import active as backend
from hornbeam.scope import Trace


def when(predicate: Any, function: Callable[[], None]) -> None:
    """Runs `function` where `predicate` is true; in a compiled program its cost, too, arises only then.

    Args:
        predicate: A boolean scalar tensor, or a bool.
        function: Takes and returns nothing, and writes variables.
    """
    if not backend.is_traced(predicate):
        if bool(backend.to_numpy(predicate)):
            function()
        return
    with Trace() as found:  # both branches must give the same tensors: find out which those are
        backend.abstract(function)
    written = list(found.written.values())

    def run() -> list[Any]:
        with Trace() as trace:
            function()
        return [trace.values[id(variable)] for variable in written]

    values = backend.cond(predicate, run, lambda: [variable.value for variable in written])
    for variable, value in zip(written, values, strict=True):
        variable.assign(value)
