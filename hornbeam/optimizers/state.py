"""`OptimizerState`: the variables that an optimizer keeps, their order, and how files hold them; knows no updates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hornbeam import initializers, scope
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe, warn
from hornbeam.optimizers.together import Together
from hornbeam.saving.weights import load_variables
from hornbeam.tracking import Tracking
from hornbeam.variable import Variable

_Base: type = backend.state_base


class OptimizerState(Tracking, _Base):
    """The part of an optimizer that is state: step count, learning rate, and variables beside the trained ones."""

    tracked_kind = "optimizer"

    def __init__(self, name: str) -> None:
        self.name = name
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._places: dict[int, int] = {}
        self._slots: dict[str, list[Variable | None]] = {}

    def _where(self) -> str:
        return f"optimizer {self.name!r}"

    def add_variable(
        self, shape: Any, initializer: Any = "zeros", dtype: Any = None, aggregation: str = "none",
        layout: Any = None, name: str | None = None,
    ) -> Variable:
        """Makes a variable that belongs to the optimizer's state.

        Args:
            shape: Its shape.
            initializer: An initializer or its name.
            dtype: Its dtype; the default float type if None.
            aggregation: How replicas are merged, see `Variable`.
            layout: Kept for distribution.
            name: Its name.
        """
        with scope.name_scope(self.name):
            variable = Variable(
                initializers.get(initializer), tuple(shape), dtype, trainable=False,
                # an update reads what is kept in half precision as it reads the variable: in single precision
                autocast=dtype in ("float16", "bfloat16"), aggregation=aggregation, layout=layout, name=name,
            )
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Makes a variable of the shape and dtype of a trained one, called after it."""
        name = f"{reference_variable.path.replace('/', '_')}_{name or 'slot'}"
        return self.add_variable(reference_variable.shape, initializer, reference_variable._dtype, name=name)

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: str | Sequence[str], initializer: Any = "zeros"
    ) -> Any:
        """Makes one variable, or one for each name, for each trained variable.

        Args:
            trainable_variables: The trained variables.
            name: A name, or a list of names.
            initializer: An initializer for all, or a list with one for each name.

        Returns:
            A list with an entry for each trained variable, or a tuple of such lists, one for each name. The entry is
            None for variables that are overwritten by their gradient.
        """
        names = [name] if isinstance(name, str) else list(name)
        starts = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        made: tuple[list[Any], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for found, one, start in zip(made, names, starts, strict=True):
                plain = not variable.overwrite_with_gradient
                found.append(self.add_variable_from_reference(variable, one, start) if plain else None)
        return made[0] if isinstance(name, str) else made

    def _register(self, variables: Iterable[Variable]) -> None:
        trained = list(variables)
        for one in trained:
            if not isinstance(one, Variable):
                raise ArgumentTypeError("variables", describe(one), f"build of {self._where()}")
        self.__dict__.pop("_known_slots", None)
        self.__dict__.pop("_known_variables", None)
        self._know(trained)

    def _know(self, trained: list[Variable]) -> None:
        self._trainable_variables = trained
        self._places = {id(one): place for place, one in enumerate(trained)}

    # `pickle` and `copy`: the copy knows the copied variables, and gathers anew what it remembers of them
    def __getstate__(self) -> dict[str, Any]:
        left_out = ("_places", "_known_slots", "_known_variables", "_grouped")
        return {name: value for name, value in self.__dict__.items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._know(self._trainable_variables)

    def slot(self, name: str, variable: Variable) -> Variable:
        """The variable called `name` that the optimizer keeps for a trained variable."""
        if type(variable) is Together:
            return variable.slot(name, self)  # type: ignore[return-value]
        return self._slots[name][self._places[id(variable)]]  # type: ignore[return-value]

    def _get_variable_index(self, variable: Variable) -> int:
        self._refuse_unknown([variable])
        return self._places[id(variable)]

    def _refuse_unknown(self, variables: list[Variable]) -> None:
        unknown = [repr(one.path) for one in variables if id(one) not in self._places]
        if unknown:
            raise ArgumentError(
                "the variables that the optimizer was built with", ", ".join(unknown), self._where(),
                "Make a new optimizer, or build this one with all variables that it is to train.",
            )

    @property
    def variables(self) -> list[Variable]:
        """The state: step count, learning rate, and what is kept for each trained variable."""
        return list(self._variables)

    def assign(self, variable: Variable, value: Any) -> None:
        """Assigns to a variable."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Adds to a variable."""
        variable.assign(variable.value + value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtracts from a variable."""
        variable.assign(variable.value - value)

    # --- files -----------------------------------------------------------------------------------------------------

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets all variables of the state; if a number or shape does not fit, none is changed."""
        store = {str(place): one if hasattr(one, "shape") else np.asarray(one) for place, one in enumerate(weights)}
        load_variables(store, self.variables, self._where())

    def save_own_variables(self, store: Any) -> None:
        """Writes the state into a mapping of names to arrays."""
        for place, variable in enumerate(self.variables):
            store[str(place)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads the state from a mapping of names to arrays; one of another optimizer is left aside with a warning."""
        if len(store.keys()) != len(self.variables):
            warn(
                f"The state of {self._where()} is not loaded: it has {len(self.variables)} variables, the file has "
                f"{len(store.keys())}.",
            )
            return
        load_variables(store, self.variables, self._where())

    def _children(self) -> list[tuple[str, Any]]:
        return []  # the variables are in `variables`, in the order of files

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
