"""The JAX backend: compiles whole training steps, on CPU, GPU and TPU."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbeam import tree
from hornbeam.backend.base import Backend, Recorder, Struct, is_numeric
from hornbeam.backend.jax import cache, convolution, native, nn
from hornbeam.backend.jax.tape import JaxRecorder
from hornbeam.dtypes import standardize_dtype
from hornbeam.errors import ArgumentError, StateError

_NARROWED = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}
_NARROW = {np.dtype(wide): np.dtype(narrow) for wide, narrow in _NARROWED.items()}


class JaxBackend(Backend):
    """`jax.Array`s as tensors; a variable's handle is the array itself."""

    name = "jax"
    xp = jnp
    features = frozenset({"gradients", "compile", "fusion", "jax_functions"})
    compile_default = True
    compile_kernels = True
    overrides = nn.OVERRIDES
    variable_base = native.VariableBase
    # nothing is computed in abstract evaluation, so the sizes may be large and rich in divisors
    probe_sizes = (840, 1680)
    weak_numbers = True

    @property
    def narrowed(self) -> dict[str, str]:
        return {} if jax.config.jax_enable_x64 else _NARROWED

    def is_array(self, value: Any) -> bool:
        return isinstance(value, jax.Array)

    def asarray(self, value: Any, dtype: str | None = None) -> Any:
        if dtype is not None:
            if isinstance(value, jax.Array) and value.dtype == self.native_dtype(dtype):
                return value
            if type(value) is np.ndarray:
                return _transferred(value.astype(self.native_dtype(dtype)))
            return jnp.asarray(value, self.native_dtype(dtype))
        if isinstance(value, jax.Array):
            return value
        if type(value) is np.ndarray:
            return _transferred(value.astype(self.narrowed.get(value.dtype.name, value.dtype)))
        if hasattr(value, "detach"):  # a torch tensor, perhaps one that tracks gradients
            return self.asarray(value.detach().cpu().numpy())
        if isinstance(value, (list, tuple)):
            return jnp.asarray(value, dtype=None if not _only_floats(value) else standardize_dtype(float))
        return jnp.asarray(value)

    def cast(self, value: Any, dtype: str) -> Any:
        return lax.convert_element_type(value, self.native_dtype(dtype))

    def native_dtype(self, dtype: str) -> Any:
        return jnp.dtype(self.narrowed.get(dtype, dtype))

    def filled(self, shape: tuple[int, ...], value: float, dtype: str) -> Any:
        if math.prod(shape) > 4096:
            return super().filled(shape, value, dtype)
        return _filled(shape, value, self.native_dtype(dtype))

    def new_variable(
        self, value: Any, dtype: str, trainable: bool, name: str, aggregation: str | None = "none",
        synchronization: str | None = "auto",
    ) -> Any:
        # not a copy: the variable counts its first value as lent, and copies before it would destroy it
        with jax.ensure_compile_time_eval():
            return self.asarray(value, dtype)

    def write(self, handle: Any, value: Any) -> Any:
        if isinstance(value, jax.core.Tracer):  # it would be left in the variable, of no use after the function
            raise StateError(
                "a function that JAX traces to leave variables as they are",
                f"one that gives a variable of shape={value.shape} a new value",
                "assignment to a variable",
                "Use `hornbeam.jit`, `hornbeam.grad` and `hornbeam.value_and_grad`, which carry variables, in place of "
                "those of JAX; or `stateless_call` and `stateless_apply`, which take their values and return new ones.",
            )
        return value

    def lacks_values(self, problem: Exception) -> bool:
        return isinstance(problem, (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError))

    def to_numpy(self, value: Any) -> np.ndarray:
        return np.asarray(value)

    def written(self, target: Any, index: tuple, updates: Any, reduction: str | None) -> Any:
        names = {None: "set", "add": "add", "max": "max", "min": "min", "mul": "multiply"}
        return getattr(target.at[index], names[reduction])(updates)

    def copy(self, value: Any) -> Any:
        if isinstance(value, jax.Array) and not isinstance(value, jax.core.Tracer) and value.device.platform == "cpu":
            return _transferred(np.array(value))
        return jnp.array(value, copy=True)

    def probe(self, function: Callable[..., Any], leaves: list[Any], description: Any) -> Any:
        structs = [leaf for leaf in leaves if isinstance(leaf, Struct)]
        fixed: list[Any] = []

        def pure(*values: Any) -> list[Any]:
            rest = iter(values)
            args, kwargs = tree.unflatten(
                description, [next(rest) if isinstance(leaf, Struct) else leaf for leaf in leaves]
            )
            outputs, out_description = tree.flatten_and_structure(function(*args, **kwargs))
            fixed[:] = [out_description, [None if isinstance(one, jax.Array) else (one,) for one in outputs]]
            return [one for one in outputs if isinstance(one, jax.Array)]

        shapes = jax.eval_shape(
            pure, *(jax.ShapeDtypeStruct(one.shape, self.native_dtype(one.dtype)) for one in structs)
        )
        found = iter(Struct(one.shape, standardize_dtype(one.dtype)) for one in shapes)
        return tree.unflatten(fixed[0], [next(found) if one is None else one[0] for one in fixed[1]])

    def cond(self, predicate: Any, true_function: Callable[[], Any], false_function: Callable[[], Any]) -> Any:
        return lax.cond(predicate, lambda: true_function(), lambda: false_function())

    def while_loop(self, condition: Callable, body: Callable, values: tuple, limit: int | None) -> tuple:
        if limit is None:
            return lax.while_loop(lambda carry: condition(*carry), lambda carry: tuple(body(*carry)), values)
        _, values = lax.while_loop(
            lambda state: (state[0] < limit) & condition(*state[1]),
            lambda state: (state[0] + 1, tuple(body(*state[1]))),
            (0, values),
        )
        return values

    def scan(self, step: Callable, carry: Any, xs: Any, length: int, reverse: bool, unroll: int | bool) -> tuple:
        return lax.scan(step, carry, xs, length=length, reverse=reverse, unroll=unroll)

    def vectorized_map(self, function: Callable, elements: Any) -> Any:
        return jax.vmap(function)(elements)

    def stop_gradient(self, value: Any) -> Any:
        return lax.stop_gradient(value)

    def custom_gradient(self, function: Callable) -> Callable:
        return jax.custom_gradient(function)

    def remat(self, function: Callable) -> Callable:
        return jax.checkpoint(function)

    def value_and_grad(
        self, function: Callable, arguments: Sequence[Any], handles: Sequence[Any] = ()
    ) -> tuple[Any, Any, list[Any]]:
        (value, aux), gradients = jax.value_and_grad(lambda parts: function(*parts), has_aux=True)(list(arguments))
        return value, aux, gradients

    def recorder(self, persistent: bool) -> Recorder:
        return JaxRecorder()

    def compile(self, function: Callable, donate: Sequence[int] = (), optimize: bool | None = None) -> Callable:
        cache.enable()
        return jax.jit(function, donate_argnums=tuple(donate), compiler_options=nn.compiler_options() or None)

    def repeat(self, body: Callable, start: Any, stop: Any, carry: Any) -> Any:
        return lax.fori_loop(start, stop, body, carry)

    def put(self, batch: Any) -> Any:
        return tree.map_structure(_put, batch)

    def feed(self, value: Any) -> Any:
        # a program takes a host array to the device by itself, for a fraction of what `device_put` costs
        return value if value is None or isinstance(value, jax.Array) else _narrowed(np.asarray(value))

    def linear(self, inputs: Any, kernel: Any, bias: Any) -> Any:
        return _linear(inputs, kernel, bias)

    def add_bias(self, outputs: Any, bias: Any) -> Any:
        return convolution.add_bias(outputs, bias)

    def slice_rows(self, value: Any, start: Any, count: int) -> Any:
        return lax.dynamic_slice_in_dim(value, start, count)

    def take_rows(self, value: Any, rows: Any) -> Any:
        return jnp.take(value, rows, axis=0, mode="clip", unique_indices=True)

    def constants(self) -> AbstractContextManager:
        return jax.ensure_compile_time_eval()

    def is_traced(self, value: Any) -> bool:
        return isinstance(value, jax.core.Tracer)

    def random_bits(self, key: Any, shape: Sequence[int]) -> Any:
        return jax.random.bits(jax.random.wrap_key_data(key, impl="threefry2x32"), tuple(shape), "uint32")

    def flatten_pytree(self, value: Any) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        # variables count as leaves here, not as the nodes that they are elsewhere
        leaves, description = jax.tree_util.tree_flatten(value, lambda one: isinstance(one, native.VariableBase))
        return leaves, lambda new: jax.tree_util.tree_unflatten(description, new)

    def device(self, name: str) -> AbstractContextManager:
        kind, _, index = str(name).lower().partition(":")
        try:
            found = jax.devices("gpu" if kind == "cuda" else kind)[int(index or 0)]
        except (RuntimeError, IndexError, ValueError):
            raise ArgumentError(f"one of the devices {self.devices()}", repr(name), "device") from None
        return jax.default_device(found)

    def devices(self, kind: str | None = None) -> list[str]:
        found = [f"{one.platform}:{one.id}" for one in jax.devices()]
        return found if kind is None else [one for one in found if one.startswith(kind.lower().replace("cuda", "gpu"))]

    def wait(self, value: Any) -> None:
        jax.block_until_ready(value)

    def start_profile(self, folder: str) -> None:
        jax.profiler.start_trace(folder)

    def stop_profile(self) -> None:
        jax.profiler.stop_trace()


def _put(value: Any) -> Any:
    if value is None or isinstance(value, jax.Array) or not is_numeric(value):
        return value
    # no copy: batches are not written to while they are used
    return jax.device_put(_narrowed(np.asarray(value)))


def _narrowed(value: np.ndarray) -> np.ndarray:
    if not value.dtype.isnative:
        value = value.astype(value.dtype.newbyteorder("="))
    narrow = _NARROW.get(value.dtype)
    return value if narrow is None or jax.config.jax_enable_x64 else value.astype(narrow)


@functools.lru_cache(maxsize=1024)
def _filled(shape: tuple[int, ...], value: float, dtype: np.dtype) -> jax.Array:
    # arrays cannot change, so that all biases of one size may start as the same one
    with jax.ensure_compile_time_eval():
        return _transferred(np.full(shape, value, dtype))


def _transferred(own: np.ndarray) -> jax.Array:
    """A host array that nobody else holds, as a tensor.

    `jnp.asarray` would compile a program for each shape; and both may go on reading the memory they are given.
    """
    return jax.device_put(own)


@jax.jit
def _linear(inputs: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> jax.Array:
    # one dispatch instead of two when called eagerly
    outputs = jnp.matmul(inputs, kernel)
    return outputs if bias is None else outputs + bias


def _only_floats(values: Any) -> bool:
    leaves = tree.flatten(values)
    return any(type(leaf) is float for leaf in leaves) and all(type(leaf) in (int, float, bool) for leaf in leaves)


backend = JaxBackend()
