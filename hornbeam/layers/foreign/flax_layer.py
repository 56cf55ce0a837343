"""`FlaxLayer`: a layer around a module of flax.linen, of which it uses `init` and `apply`; flax is not imported."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.layers.foreign.jax_layer import JaxLayer, require_jax
from hornbeam.layers.layer import Layer
from hornbeam.saving.config import deserialize_value, serialize_value

# What makes a second key of a first one.
_OTHER = np.array([0x9E3779B9, 0], np.uint32)


@wire("keras.layers.FlaxLayer")
class FlaxLayer(JaxLayer):
    """A `flax.linen.Module` as a layer.

    The collection "params" is trained; all others, such as "batch_stats", are state that each call may change. The
    module is given `training` if its method has an argument of this name. While training it has the streams of keys
    "params" and "dropout", of which flax makes all others.

    Args:
        module: The module.
        method: The name of the method to call, or a function `(module, inputs)`; `__call__` by default.
        variables: The collections by name, in place of those that `module.init` would make.
        **kwargs: `seed`, and further arguments of a layer.

    Raises:
        NotImplementedError: On another backend than JAX.
        TypeError: If `module` has no `init` and `apply`.
        ValueError: If it has no such method, or `variables` has no collections.

    >>> import hornbeam as keras
    >>> if keras.backend.backend() == "jax":
    ...     import flax.linen
    ...     layer = keras.layers.FlaxLayer(flax.linen.Dense(4))
    ...     assert layer(keras.ops.ones((2, 3))).shape == (2, 4) and len(layer.trainable_weights) == 2
    """

    def __init__(
        self, module: Any, method: str | Callable[..., Any] | None = None, variables: Any = None, **kwargs: Any
    ) -> None:
        require_jax(type(self).__name__)
        if not all(callable(getattr(module, one, None)) for one in ("init", "apply")) or inspect.isclass(module):
            raise ArgumentTypeError("a flax.linen.Module", describe(module), "FlaxLayer")
        if isinstance(method, str) and not callable(getattr(type(module), method, None)):
            raise ArgumentError(f"the name of a method of {type(module).__name__}", repr(method), "FlaxLayer")
        if variables is not None and not isinstance(variables, Mapping):
            raise ArgumentTypeError("collections by name, such as {'params': ...}", describe(variables), "FlaxLayer")
        called = method if callable(method) else getattr(type(module), method or "__call__")
        takes_training = "training" in inspect.signature(called).parameters

        def collections(params: Any, state: Any) -> dict[str, Any]:
            return {**({} if params is None else {"params": params}), **(state or {})}

        def keys(rng: Any) -> dict[str, Any]:
            return {} if rng is None else {"params": rng, "dropout": backend.xp.bitwise_xor(rng, _OTHER)}

        def flag(training: bool) -> dict[str, bool]:
            return {"training": training} if takes_training else {}

        def call_fn(params: Any, state: Any, rng: Any, inputs: Any, training: bool) -> Any:
            found = module.apply(
                collections(params, state), inputs, rngs=keys(rng), method=method, mutable=list(state or {}),
                **flag(training),
            )
            outputs, changed = found
            return outputs, {**(state or {}), **changed}

        def init_fn(rng: Any, inputs: Any, training: bool) -> Any:
            made = dict(module.init(keys(rng), inputs, method=method, **flag(training)))
            return made.pop("params", {}), made

        given = None if variables is None else dict(variables)
        params = None if given is None else given.pop("params", {})
        super().__init__(call_fn, init_fn, params, given, **kwargs)
        self._untracked_module, self.method = module, method

    @property
    def module(self) -> Any:
        """The module of flax."""
        return self._untracked_module

    def get_config(self) -> dict[str, Any]:
        """The arguments but for the variables, which files hold as weights; the module must have a config."""
        config = self._base_config()
        config["module"] = serialize_value(self.module)
        config["method"] = serialize_value(self.method)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """A layer made from what `get_config` gave."""
        return cls(**{key: deserialize_value(value) for key, value in config.items()})
