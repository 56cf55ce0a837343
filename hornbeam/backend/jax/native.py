"""Makes variables known to JAX, so that its own functions take them as they take arrays."""

from __future__ import annotations

from typing import Any

import jax


class VariableBase:
    """What variables derive from: to JAX's trees a node around the value.

    So `jax.jit`, `jax.grad` and functions of `jax.numpy` take lists of variables, or a variable, and see the values;
    what they give back has arrays in their place. JAX itself turns to `__jax_array__` in few functions only.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        jax.tree_util.register_pytree_node(cls, lambda variable: ((variable.value,), None), lambda _, values: values[0])


__all__ = ["VariableBase"]
