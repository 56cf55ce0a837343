"""Gives a grain loader the two methods by which other loaders tell and take their place; never imports grain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def is_grain(value: Any) -> bool:
    """Whether `value` is a loader or dataset of the package grain."""
    return type(value).__module__.partition(".")[0] == "grain" and hasattr(value, "__iter__")


class GrainPlace:
    """The place in a grain loader, which in grain the iterator keeps (`get_state`, `set_state`).

    Args:
        loader: What `iter` is called on for each pass.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._iterator: Any = None
        self._wanted: Any = None

    def open_pass(self) -> Iterator[Any]:
        """A new iterator, at the place that `load_state_dict` asked for or else at the start."""
        self._iterator = iter(self._loader)
        if self._wanted is not None:
            self._iterator.set_state(self._wanted)
            self._wanted = None
        return self._iterator

    def state_dict(self) -> dict[str, Any]:
        """The place of the present iterator; None in it is the start."""
        return {"place": self._wanted if self._iterator is None else self._iterator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The next iterator starts at this place."""
        self._iterator, self._wanted = None, state["place"]
