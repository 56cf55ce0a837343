"""`Together`: several variables that an `update_step` updates as if they were one.

A small operation for each variable costs an eager framework more than its arithmetic. Where the backend has bundles
of tensors, an update that works element by element runs once for all variables of a dtype. One that asks for a shape
or reduces finds out that it cannot, before anything has changed, and runs for each variable by itself from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.backend import active as backend
from hornbeam.errors import UnsupportedError
from hornbeam.variable import Variable


class Together:
    """Variables of one dtype, in the place of one.

    Args:
        members: The variables.
        decays: Whether their weights decay; the same for all.
    """

    overwrite_with_gradient = False

    def __init__(self, members: Sequence[Variable], decays: bool) -> None:
        self.members = list(members)
        self.decays = decays
        self._dtype = members[0]._dtype
        self._slots: dict[str, Together] = {}

    @property
    def value(self) -> Any:
        """A bundle of the values."""
        return backend.bundle([one.value for one in self.members])

    def assign(self, value: Any) -> Together:
        """Assigns the parts of a bundle."""
        for one, part in zip(self.members, backend.parts(value), strict=True):
            one.assign(part)
        return self

    def assign_add(self, value: Any) -> Together:
        """Adds a bundle."""
        return self.assign(self.value + value)

    def assign_sub(self, value: Any) -> Together:
        """Subtracts a bundle."""
        return self.assign(self.value - value)

    def slot(self, name: str, optimizer: Any) -> Together:
        """What the optimizer keeps for these variables under a name."""
        found = self._slots.get(name)
        if found is None:
            members = [optimizer.slot(name, one) for one in self.members]
            found = self._slots[name] = Together(members, self.decays)
        return found

    def __getattr__(self, name: str) -> Any:
        raise UnsupportedError("what several variables have in common", f"`.{name}`", "variables updated together")


def grouped(optimizer: Any, variables: Sequence[Variable]) -> list[tuple[list[int], Together]]:
    """The variables in groups that can be updated together, with their positions."""
    places: dict[Any, list[int]] = {}
    for place, one in enumerate(variables):
        places.setdefault((one._dtype, optimizer._use_weight_decay(one)), []).append(place)
    return [(found, Together([variables[one] for one in found], key[1])) for key, found in places.items()]
