"""`StatelessScope` and `SymbolicScope`: Keras's public names for running stateful code as a pure function."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, describe
from hornbeam.scope import Trace
from hornbeam.variable import Variable


class StatelessScope(Trace):
    """Inside it, variables are read from a mapping and writes stay in the scope.

    Args:
        state_mapping: Pairs of a variable and the value that stands for it.
        collect_losses: Whether losses added inside are kept in `losses`; they always are.
        initialize_variables: Whether variables made inside get values; they always do.

    >>> import hornbeam as keras
    >>> v = keras.Variable(1.0)
    >>> with keras.StatelessScope([(v, keras.ops.convert_to_tensor(5.0))]) as scope:
    ...     seen = float(v); _ = v.assign_add(1.0)
    >>> seen, float(scope.get_current_value(v)), float(v)
    (5.0, 6.0, 1.0)
    """

    def __init__(
        self, state_mapping: Iterable[tuple[Variable, Any]] | None = None, collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        pairs = []
        for variable, value in state_mapping or ():
            if not isinstance(variable, Variable):
                raise ArgumentError("pairs of a variable and a value", describe(variable), "StatelessScope")
            value = backend.asarray(value, variable._dtype)
            if backend.shape(value) != variable.shape:
                raise ArgumentError(
                    f"shape={variable.shape} for {variable.path!r}", f"shape={backend.shape(value)}", "StatelessScope"
                )
            pairs.append((variable, value))
        super().__init__(pairs)

    def get_current_value(self, variable: Variable) -> Any:
        """The value that stands for a variable now, or None if none was given or written."""
        return self.values.get(id(variable))

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Makes a value stand for a variable from here on."""
        self.set(*update)

    def add_loss(self, loss: Any) -> None:
        """Keeps a loss in the scope."""
        self.losses.setdefault(id(self), (self, []))[1].append(loss)


class SymbolicScope(Trace):
    """Inside it, nothing that is written to variables reaches them."""
