"""`StateTree`: the values of all variables of a model, its optimizer and its metrics as one tree by path."""

from __future__ import annotations

from typing import Any

from hornbeam.errors import ArgumentError
from hornbeam.training.results import flat_paths, nested_by_path
from hornbeam.variable import Variable


class StateTree:
    """The part of a `Trainer` that hands out its state and takes it back."""

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, dict[str, Any]]:
        """The values of all variables by path.

        Args:
            value_format: "backend_tensor" or "numpy_array".

        Returns:
            Trees for "trainable_variables", "non_trainable_variables", "optimizer_variables" and
            "metrics_variables".
        """
        if value_format not in ("backend_tensor", "numpy_array"):
            raise ArgumentError("'backend_tensor' or 'numpy_array'", repr(value_format), "get_state_tree")
        return {
            name: nested_by_path(variables, lambda one: one.numpy() if value_format == "numpy_array" else one.value)
            for name, variables in self._state_groups().items()
        }

    def set_state_tree(self, state_tree: dict[str, dict[str, Any]]) -> None:
        """Sets variables from what `get_state_tree` gave; names that are missing are left as they are."""
        for name, values in state_tree.items():
            groups = self._state_groups()
            if name not in groups:
                raise ArgumentError(f"one of {sorted(groups)}", repr(name), "set_state_tree")
            by_path = {one.path: one for one in groups[name]}
            for path, value in flat_paths(values):
                if path not in by_path:
                    raise ArgumentError("a path of a variable", repr(path), "set_state_tree")
                by_path[path].assign(value)

    def _state_groups(self) -> dict[str, list[Variable]]:
        return {
            "trainable_variables": self.trainable_variables,  # type: ignore[attr-defined]
            "non_trainable_variables": self.non_trainable_variables,  # type: ignore[attr-defined]
            "optimizer_variables": [] if self.optimizer is None else self.optimizer.variables,
            "metrics_variables": self.metrics_variables,
        }
