"""How an object finds the variables, layers, metrics and seed generators in its attributes, at any depth of
lists, tuples and dicts. Knows of them only the mark they carry.
"""

from __future__ import annotations

from typing import Any

from hornbeam.backend import active as backend
from hornbeam.variable import Variable

_CONTAINERS = (list, tuple, dict, set)


class Tracking:
    """An object whose attributes may hold trackable things.

    A class of things to be found sets `tracked_kind`: "layer", "metric", "seed" or "optimizer". Variables are
    found by their class. Attributes whose names start with "_untracked" are left out.
    """

    tracked_kind: str = ""

    def __setattr__(self, name: str, value: Any) -> None:
        tracked = self.__dict__.get("_tracked")
        if tracked is None:
            tracked = self.__dict__["_tracked"] = {}
        untracked = name.startswith("_untracked")
        if not untracked and (isinstance(value, (Variable, *_CONTAINERS)) or getattr(value, "tracked_kind", "")):
            tracked[name] = None
            value = self._tracked_value(name, value)
        elif not untracked and backend.native_types and isinstance(value, backend.native_types):
            value = self._native_value(name, value)
        elif name in tracked:
            del tracked[name]
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self.__dict__.get("_tracked", {}).pop(name, None)
        super().__delattr__(name)

    def _tracked_value(self, name: str, value: Any) -> Any:
        """What is stored for a trackable value; a hook for checks."""
        return value

    def _native_value(self, name: str, value: Any) -> Any:
        """What is stored for something of the framework that holds state; a hook for layers."""
        return value

    def _children(self) -> list[tuple[str, Any]]:
        """Names and values of the attributes that hold, or may hold, trackable things."""
        values = self.__dict__
        return [(name, values[name]) for name in values.get("_tracked", ()) if name in values]

    def _found(self, kind: str) -> list[Any]:
        """The things of one kind in the attributes, in order of assignment, each once."""
        found = [one for one in self._tracked_leaves() if getattr(one, "tracked_kind", "") == kind]
        return unique(found) if len(found) > 1 else found

    def _found_variables(self) -> list[Variable]:
        """The variables that stand directly in the attributes."""
        return unique([one for one in self._tracked_leaves() if isinstance(one, Variable)])

    def _tracked_leaves(self) -> list[Any]:
        """All that the tracked attributes hold, at any depth of containers."""
        # runs for each layer before each step that is not fused: plain lists, no generators
        leaves: list[Any] = []
        for _, value in self._children():
            if isinstance(value, _CONTAINERS):
                _collect(value, leaves)
            else:
                leaves.append(value)
        return leaves


def _collect(container: Any, leaves: list[Any]) -> None:
    for one in container.values() if isinstance(container, dict) else container:
        if isinstance(one, _CONTAINERS):
            if one:
                _collect(one, leaves)
        else:
            leaves.append(one)


def unique(items: list[Any]) -> list[Any]:
    """The items in order, each object once."""
    return list({id(one): one for one in items}.values())
