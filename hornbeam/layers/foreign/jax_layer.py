"""`JaxLayer`: a layer around pure functions of JAX. The backend knows JAX; this file does not."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam import random, tree
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnsupportedError, describe
from hornbeam.layers.layer import Layer
from hornbeam.saving.config import serialize_value
from hornbeam.variable import Variable

_CALL = ("params", "state", "rng", "inputs", "training")
_INIT = ("rng", "inputs", "training")
# A count of keys that no generator reaches: the key for first values is none that a call is given.
_FIRST = 2**32 - 1


@wire("keras.layers.JaxLayer")
class JaxLayer(Layer):
    """Pure functions of JAX as a layer; their parameters and their state are weights of the layer.

    `call_fn` computes the outputs. It takes `inputs` and those of `params`, `state`, `rng` and `training` that it
    names, and gives the outputs, or `(outputs, new_state)` if it takes `state`. `params` and `state` are structures of
    arrays of any kind that JAX knows; `rng` is a key of JAX while training, a new one in each call, and None otherwise.

    `init_fn` makes the first values. It takes those of `rng`, `inputs` (arrays of ones of the shape of the inputs) and
    `training` that it names, and gives the parameters, or `(params, state)` if `call_fn` takes `state`.

    Floats among the parameters are trained; integers in them, and the state, are not.

    Args:
        call_fn: `call_fn(params, state, rng, inputs, training)`, or with fewer of these arguments.
        init_fn: `init_fn(rng, inputs, training)`, or with fewer; not needed with `params`.
        params: The parameters, in place of those that `init_fn` would make.
        state: The state, likewise.
        seed: An integer for the keys; None draws one.
        native_serialization_platforms: For Keras on TensorFlow, which exports the functions for these of "cpu",
            "cuda", "rocm" and "tpu"; kept in the config, and without effect on JAX.
        **kwargs: Further arguments of a layer.

    Raises:
        NotImplementedError: On another backend than JAX.
        ValueError: If a function has other arguments, or nothing gives the parameters.

    >>> import hornbeam as keras
    >>> if keras.backend.backend() == "jax":
    ...     import jax
    ...     layer = keras.layers.JaxLayer(
    ...         lambda params, inputs: inputs @ params["kernel"],
    ...         lambda rng, inputs: {"kernel": jax.random.normal(rng, (inputs.shape[-1], 4))},
    ...     )
    ...     assert layer(keras.ops.ones((2, 3))).shape == (2, 4) and len(layer.trainable_weights) == 1
    """

    def __init__(
        self,
        call_fn: Callable[..., Any],
        init_fn: Callable[..., Any] | None = None,
        params: Any = None,
        state: Any = None,
        seed: int | None = None,
        native_serialization_platforms: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        require_jax(type(self).__name__)
        super().__init__(**kwargs)
        self.call_fn, self.init_fn, self.seed = call_fn, init_fn, seed
        self.native_serialization_platforms = _checked_platforms(native_serialization_platforms, self)
        self._call_names = _names(call_fn, "call_fn", _CALL, self)
        self._init_names = () if init_fn is None else _names(init_fn, "init_fn", _INIT, self)
        self._prepare(params, state, seed)

    def _prepare(self, params: Any, state: Any, seed: int | None) -> None:
        """Settles where the values of the variables come from; makes them at once if they were given."""
        self.has_state = "state" in self._call_names
        needed = self.has_state or "params" in self._call_names
        if needed and self.init_fn is None and params is None and state is None:
            raise ArgumentError(
                "init_fn, params or state, since call_fn takes params or state", "none of them", type(self).__name__
            )
        if state is not None and not self.has_state:
            raise ArgumentError("a call_fn that takes state", "one that does not, and a state", type(self).__name__)
        self.params: Any = None
        self.state: Any = None
        self.seed_generator = random.SeedGenerator(seed)
        self._untracked_dtypes: Any = None
        if needed and (params is not None or state is not None):
            self._make_variables(params, state)
            self.built = self.init_fn is None or self._is_complete()

    def _is_complete(self) -> bool:
        missing = ("params" in self._call_names and self.params is None) or (self.has_state and self.state is None)
        return not missing

    # --- variables -------------------------------------------------------------------------------------------

    def _build_from_call(self, args: tuple, kwargs: dict[str, Any]) -> None:
        inputs = args[0] if args else kwargs.get("inputs")
        self._untracked_dtypes = tree.map_structure(lambda one: getattr(one, "dtype", None), inputs)
        super()._build_from_call(args, kwargs)

    def build(self, input_shape: Any) -> None:
        """Makes the parameters and the state by `init_fn`, where they were not given."""
        if self.init_fn is None or self._is_complete():
            return
        dtypes = iter(tree.flatten(self._untracked_dtypes))

        def example(shape: tuple) -> Any:
            dtype = next(dtypes, None)
            name = self.compute_dtype if dtype is None else dtype if isinstance(dtype, str) else str(np.dtype(dtype))
            return backend.filled(tuple(1 if one is None else one for one in shape), 1.0, name)

        with backend.constants():
            inputs = tree.map_shape_structure(example, input_shape)
            key = backend.asarray(np.array([self.seed_generator.seed, _FIRST], np.uint32), "uint32")
            params, state = self._first_values(key, inputs)
        self._make_variables(
            params if self.params is None else None, state if self.has_state and self.state is None else None
        )

    def _first_values(self, key: Any, inputs: Any) -> tuple[Any, Any]:
        """The parameters and the state that `init_fn` makes."""
        assert self.init_fn is not None
        given = {"rng": key, "inputs": inputs, "training": True}
        found = self.init_fn(*[given[name] for name in self._init_names])
        return self._pair(found, "init_fn", "(params, state)") if self.has_state else (found, None)

    def _pair(self, found: Any, function: str, what: str) -> tuple[Any, Any]:
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            raise ArgumentError(
                f"{what} from {function}, since call_fn takes state", describe(found), self._where()
            )
        return found[0], found[1]

    def _make_variables(self, params: Any, state: Any) -> None:
        if params is not None:
            self.params = self._variables_of(params, True)
        if state is not None:
            self.state = self._variables_of(state, False)

    def _variables_of(self, values: Any, trained: bool) -> Any:
        """The structure of values with a variable in place of each array."""
        leaves, rebuild = backend.flatten_pytree(values)
        made = []
        for leaf in leaves:
            if not hasattr(leaf, "dtype") and not isinstance(leaf, (int, float)):
                made.append(leaf)  # such as a text or a function: part of the structure
                continue
            value = backend.asarray(leaf)
            trainable = trained and "float" in backend.dtype(value)
            made.append(
                self.add_weight(
                    backend.shape(value), lambda *_, value=value, **__: value, backend.dtype(value), trainable,
                    autocast=trained,
                )
            )
        return rebuild(made)

    def _values_of(self, variables: Any) -> Any:
        leaves, rebuild = backend.flatten_pytree(variables)
        return rebuild([one.value if isinstance(one, Variable) else one for one in leaves])

    # --- calls -------------------------------------------------------------------------------------------------

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The outputs of `call_fn`; its new state takes effect."""
        given = {
            "params": self._values_of(self.params), "state": self._values_of(self.state), "inputs": inputs,
            "training": bool(training), "rng": None,
        }
        if training and "rng" in self._call_names:
            given["rng"] = self.seed_generator.next()
        found = self.call_fn(*[given[name] for name in self._call_names])
        if not self.has_state:
            return found
        outputs, state = self._pair(found, "call_fn", "(outputs, state)")
        self._assign_state(state)
        return outputs

    def _assign_state(self, state: Any) -> None:
        variables, values = backend.flatten_pytree(self.state)[0], backend.flatten_pytree(state)[0]
        if len(variables) != len(values):
            raise ArgumentError(
                f"a new state of {len(variables)} leaves, like the one before", f"{len(values)}", self._where()
            )
        for variable, value in zip(variables, values, strict=True):
            if isinstance(variable, Variable):
                variable.assign(value)

    # --- configs -----------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The arguments but for the values of parameters and state, which files hold as weights."""
        config = self._base_config()
        config["call_fn"] = serialize_value(self.call_fn)
        config["init_fn"] = serialize_value(self.init_fn)
        config["native_serialization_platforms"] = self.native_serialization_platforms
        return config

    def _base_config(self) -> dict[str, Any]:
        config = {"name": self.name, "trainable": self.trainable, "dtype": serialize_value(self.dtype_policy)}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = serialize_value(self.activity_regularizer)
        return config if self.seed is None else {**config, "seed": self.seed}


def require_jax(class_name: str) -> None:
    """Raises unless functions of JAX take the backend's tensors."""
    if "jax_functions" not in backend.features:
        raise UnsupportedError(
            "the JAX backend", f"the {backend.name} backend", class_name, "Set HORNBEAM_BACKEND=jax."
        )


def _names(function: Any, what: str, known: tuple[str, ...], layer: Layer) -> tuple[str, ...]:
    """The arguments that a function wants, in its order; those with defaults that we do not know stay as they are."""
    where = f"{what} of {type(layer).__name__}"
    if not callable(function):
        raise ArgumentTypeError("a function", describe(function), where)
    names = []
    for one in inspect.signature(function).parameters.values():
        if one.name in known and one.kind is not one.KEYWORD_ONLY:
            names.append(one.name)
        elif one.kind is one.VAR_POSITIONAL and "inputs" not in names:
            names.append("inputs")
        elif one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) or one.default is not one.empty:
            break  # what comes after cannot be given by position
        else:
            raise ArgumentError(f"arguments out of {', '.join(known)}", repr(one.name), where)
    if "inputs" not in names and known is _CALL:
        raise ArgumentError("a function that takes `inputs`", str(inspect.signature(function)), where)
    return tuple(names)


def _checked_platforms(platforms: Any, layer: Layer) -> list[str] | None:
    known = ("cpu", "cuda", "rocm", "tpu")
    if platforms is None:
        return None
    if isinstance(platforms, str) or any(one not in known for one in platforms):
        raise ArgumentError(f"names out of {known}", repr(platforms), f"{type(layer).__name__} {layer.name!r}")
    return list(platforms)
