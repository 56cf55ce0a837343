"""The TensorFlow backend: variables are `tf.Variable`s, layers `tf.Module`s, compiled steps `tf.function`s."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from hornbeam import _config, tree
from hornbeam.backend.base import Backend, Recorder, Struct, is_numeric
from hornbeam.backend.tensorflow import control, indexing, native, nn, programs, random, replicas, tape, updates, xp
from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.xp.common import sizes
from hornbeam.dtypes import standardize_dtype
from hornbeam.errors import ArgumentError, ArgumentTypeError, warn

_Tensor = tf.Tensor
_Symbolic = tf.__internal__.SymbolicTensor


class TensorflowBackend(Backend):
    """`tf.Tensor`s as tensors; a variable's handle is a `tf.Variable`."""

    name = "tensorflow"
    xp = xp
    features = frozenset({"gradients", "compile", "fusion", "inplace", "strings", "ragged"})
    overrides = nn.OVERRIDES
    kernels = updates.KERNELS
    # nothing is computed in abstract evaluation, so the sizes may be large and rich in divisors
    probe_sizes = (840, 1680)
    weak_numbers = True
    compile_default = True
    graphs = True
    variable_base = native.VariableBase
    layer_base = native.ModuleBase
    state_base = native.StateBase
    native_types = (tf.Variable, tf.Module)

    # --- tensors -------------------------------------------------------------------------------------------

    def is_array(self, value: Any) -> bool:
        return isinstance(value, _Tensor)

    def asarray(self, value: Any, dtype: str | None = None) -> Any:
        if isinstance(value, _Tensor):
            return value if dtype is None or value.dtype.name == dtype else self.cast(value, dtype)
        if hasattr(value, "detach"):  # a torch tensor, perhaps one that tracks gradients
            value = value.detach().cpu().numpy()
        if dtype is None:
            return _of_own_dtype(value)
        wanted = tf.as_dtype(dtype)
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind not in "OSU":
            return tf.convert_to_tensor(value.astype(wanted.as_numpy_dtype))
        if isinstance(value, (bool, int, float, complex)):
            return tf.convert_to_tensor(np.asarray(value).astype(wanted.as_numpy_dtype))
        found = _of_own_dtype(value)
        if found.dtype == tf.string != wanted and not isinstance(found, _Symbolic):
            # by NumPy, whose error says what is no number
            return tf.convert_to_tensor(found.numpy().astype(str).astype(wanted.as_numpy_dtype))
        return found if found.dtype == wanted else self.cast(found, dtype)

    def filled(self, shape: tuple[int, ...], value: float, dtype: str) -> Any:
        return tf.cast(tf.fill(shape, np.float32(value)), dtype)

    def to_numpy(self, value: Any) -> np.ndarray:
        if isinstance(value, _Symbolic):
            raise ArgumentTypeError(
                "a tensor with values", f"the symbolic {value!r}", "conversion to a NumPy array",
                "Inside a tf.function tensors have no values yet; use tf or hornbeam.ops functions on them.",
            )
        return value.numpy() if isinstance(value, _Tensor) else np.asarray(value)

    def put(self, batch: Any) -> Any:
        return tree.map_structure(_put, batch)

    def shape(self, value: Any) -> tuple[Any, ...]:
        static = tuple(value.shape)
        return static if None not in static else sizes(value)

    def dtype(self, value: Any) -> str:
        dtype = value.dtype
        return dtype.name if isinstance(dtype, tf.DType) else standardize_dtype(dtype)

    def cast(self, value: Any, dtype: str) -> Any:
        wanted = tf.as_dtype(dtype)
        if wanted == tf.string:
            return tf.strings.as_string(value)
        if value.dtype == tf.string:
            return tf.strings.to_number(value, wanted) if wanted in _PARSED else tf.cast(
                tf.strings.to_number(value, tf.float64), wanted
            )
        return tf.cast(value, wanted)

    def native_dtype(self, dtype: str) -> Any:
        return tf.as_dtype(dtype)

    def scalar(self, value: float, dtype: str) -> Any:
        return tf.constant(np.asarray(value).astype(tf.as_dtype(dtype).as_numpy_dtype))

    def complex(self, real: Any, imaginary: Any) -> Any:
        return tf.complex(real, imaginary)

    def picked(self, value: Any, key: Any) -> Any:
        return indexing.get_item(value, key)

    def written(self, target: Any, index: tuple, updates: Any, reduction: str | None) -> Any:
        return indexing.written(target, index, updates, reduction)

    # --- state ---------------------------------------------------------------------------------------------

    def new_variable(
        self, value: Any, dtype: str, trainable: bool, name: str, aggregation: str | None = "none",
        synchronization: str | None = "auto",
    ) -> Any:
        with tf.init_scope(), native.outside_of_functions():
            return tf.Variable(
                self.asarray(value, dtype), trainable=trainable, name=name,
                aggregation=replicas.AGGREGATIONS[aggregation],
                synchronization=replicas.SYNCHRONIZATIONS[synchronization],
            )

    def read(self, handle: Any) -> Any:
        return handle.value() if isinstance(handle, tf.Variable) else handle

    def write(self, handle: Any, value: Any) -> Any:
        replicas.own(handle).assign(value, read_value=False)
        return handle

    def increase(self, handle: Any, value: Any) -> bool:
        if isinstance(value, _Tensor) and (value.dtype != handle.dtype or value.shape != handle.shape):
            return False
        if not isinstance(value, (_Tensor, int, float)) or (isinstance(value, float) and handle.dtype.is_integer):
            return False
        if handle.dtype == tf.bool or isinstance(value, bool):
            return False
        if isinstance(value, (int, float)):
            value = tf.fill(handle.shape, tf.cast(value, handle.dtype))
        replicas.own(handle).assign_add(value, read_value=False)
        return True

    def set_trainable(self, handle: Any, trainable: bool) -> None:
        for one in getattr(handle, "values", (handle,)):
            one._trainable = trainable  # which tapes ask

    def told_dtype(self, name: str) -> str:
        return _told_dtype(name)

    def told_shape(self, shape: tuple) -> tuple:
        return native.Sizes(shape)

    def parts_of(self, value: Any) -> list[tuple[str, Any]] | None:
        return native.parts_of(value)

    def saved_functions(self, folder: str, names: Sequence[str]) -> tuple[list[Callable], list[tuple[str, Any]]]:
        return native.saved_functions(folder, names)

    def is_trainable(self, handle: Any) -> bool:
        return handle.trainable

    def copy(self, value: Any) -> Any:
        return tf.identity(value)

    # --- evaluation ----------------------------------------------------------------------------------------

    def probe(self, function: Callable[..., Any], leaves: list[Any], description: Any) -> Any:
        with tf.__internal__.FuncGraph("abstract").as_default():
            filled = [
                tf.compat.v1.placeholder(tf.as_dtype(leaf.dtype), leaf.shape) if isinstance(leaf, Struct) else leaf
                for leaf in leaves
            ]
            args, kwargs = tree.unflatten(description, filled)
            result = function(*args, **kwargs)
            return tree.map_structure(
                lambda leaf: Struct(tuple(leaf.shape), leaf.dtype.name) if isinstance(leaf, _Tensor) else leaf, result
            )

    def cond(self, predicate: Any, true_function: Callable[[], Any], false_function: Callable[[], Any]) -> Any:
        return control.cond(predicate, true_function, false_function)

    def while_loop(self, condition: Callable, body: Callable, values: tuple, limit: int | None) -> tuple:
        return control.while_loop(condition, body, values, limit)

    def scan(self, step: Callable, carry: Any, xs: Any, length: int, reverse: bool, unroll: int | bool) -> tuple:
        if tf.executing_eagerly() or unroll is True:
            return super().scan(step, carry, xs, length, reverse, unroll)
        return control.scan(step, carry, xs, length, reverse)

    def vectorized_map(self, function: Callable, elements: Any) -> Any:
        return control.vectorized_map(function, elements)

    def stop_gradient(self, value: Any) -> Any:
        return tf.stop_gradient(value)

    def custom_gradient(self, function: Callable) -> Callable:
        return control.custom_gradient(function)

    def remat(self, function: Callable) -> Callable:
        return control.remat(function)

    def value_and_grad(
        self, function: Callable, arguments: Sequence[Any], handles: Sequence[Any] = ()
    ) -> tuple[Any, Any, list[Any]]:
        arguments = list(arguments)
        with tf.GradientTape(watch_accessed_variables=False) as recorded:
            recorded.watch(arguments)
            for one in handles:
                recorded.watch(replicas.copies(one)[0][0])
            value, aux = function(*arguments)
        sources = [arguments, [replicas.copies(one)[0][0] for one in handles]]
        gradients, through_handles = recorded.gradient(value, sources)
        # `aux` as new tensors, as where functions are pure: what is attached to the old ones, a mask, stays there
        aux = tree.map_structure(lambda one: tf.identity(one) if isinstance(one, _Tensor) else one, aux)
        for place, more in enumerate(through_handles):
            if more is not None:
                gradients[place] = more if gradients[place] is None else gradients[place] + tf.convert_to_tensor(more)
        if arguments and tf.executing_eagerly() and all(one is None for one in gradients):
            warn(
                f"value_and_grad: the result follows from none of the {len(arguments)} tensors, so all gradients are "
                "zero. TensorFlow cannot follow values through NumPy or Python numbers: compute with hornbeam.ops."
            )
        # what looks rows up has a sparse gradient; optimizers and clipping want a tensor
        found = zip(gradients, arguments, strict=True)
        return value, aux, [tf.zeros_like(x) if one is None else tf.convert_to_tensor(one) for one, x in found]

    def recorder(self, persistent: bool) -> Recorder:
        return tape.TensorflowRecorder(persistent)

    def compile(self, function: Callable, donate: Sequence[int] = (), optimize: bool | None = None) -> Callable:
        return programs.Program(function, optimize)

    def repeat(self, body: Callable, start: Any, stop: Any, carry: Any) -> Any:
        _, carry = tf.while_loop(
            lambda index, _: index < stop,
            lambda index, before: (index + 1, body(index, before)),
            (start, carry),
            parallel_iterations=1,
        )
        return carry

    def ragged(self, rows: Sequence[np.ndarray]) -> Any:
        values = np.concatenate([*rows, np.zeros(0, np.int64)])
        return tf.RaggedTensor.from_row_lengths(values, [len(one) for one in rows])

    def linear(self, inputs: Any, kernel: Any, bias: Any) -> Any:
        outputs = xp.matmul(inputs, kernel)
        return outputs if bias is None else tf.nn.bias_add(outputs, bias)

    def add_bias(self, outputs: Any, bias: Any) -> Any:
        return tf.nn.bias_add(outputs, bias)

    def slice_rows(self, value: Any, start: Any, count: int) -> Any:
        rows = tf.slice(value, [start] + [0] * (len(value.shape) - 1), [count] + list(value.shape[1:]))
        return tf.ensure_shape(rows, [count, *value.shape[1:]])

    def take_rows(self, value: Any, rows: Any) -> Any:
        return tf.gather(value, rows)

    def constants(self) -> AbstractContextManager:
        return tf.init_scope()

    def lacks_values(self, problem: Exception) -> bool:
        known = isinstance(problem, (TypeError, NotImplementedError, AttributeError))
        return known and "symbolic" in str(problem).lower()

    def is_traced(self, value: Any) -> bool:
        return isinstance(value, _Symbolic)

    # --- randomness ----------------------------------------------------------------------------------------

    def random_bits(self, key: Any, shape: Sequence[int]) -> Any:
        return random.bits(key, shape)

    def fast_bits(self, key: Any, shape: Sequence[int]) -> Any:
        return random.fast_bits(key, shape)

    # --- placement -----------------------------------------------------------------------------------------

    def device(self, name: str) -> AbstractContextManager:
        known = self.devices()
        kind, _, index = str(name).lower().replace("cuda", "gpu").partition(":")
        if f"{kind}:{index or 0}" not in known:
            raise ArgumentError(f"one of the devices {known}", repr(name), "device")
        return tf.device(f"{kind}:{index or 0}")

    def devices(self, kind: str | None = None) -> list[str]:
        found = [":".join(one.name.lower().split(":")[-2:]) for one in tf.config.list_logical_devices()]
        return found if kind is None else [one for one in found if one.startswith(kind.lower().replace("cuda", "gpu"))]

    def wait(self, value: Any) -> None:
        tf.test.experimental.sync_devices()


    # --- replicas ------------------------------------------------------------------------------------------

    def strategy(self) -> Any:
        return replicas.strategy()

    def in_strategy(self, strategy: Any) -> AbstractContextManager:
        return nullcontext() if strategy is None else strategy.scope()

    def on_replicas(self, strategy: Any, step: Callable[[Any], Any], data: Any, kept: Sequence[Any]) -> list[Any]:
        return replicas.run(strategy, step, data, kept)

    def replica(self) -> int | None:
        return replicas.replica()

    def share(self) -> float:
        return replicas.share()

    def summed(self, gradients: Sequence[Any]) -> list[Any]:
        return replicas.summed(gradients)


_told_dtype = functools.cache(native.DtypeName)
_PARSED = (tf.float32, tf.float64, tf.int32, tf.int64)


_LARGE = 1 << 20  # bytes from which memory is shared: fresh memory for a copy would cost more than all else


def _put(value: Any) -> Any:
    if value is None or not is_numeric(value):
        return value
    if type(value) is np.ndarray and value.nbytes >= _LARGE and value.dtype in _SHARED and not _accelerators():
        sound = value.ctypes.data % 64 == 0 and value.flags.c_contiguous and value.flags.writeable
        if sound and tf.executing_eagerly():
            return tf.experimental.dlpack.from_dlpack(value.__dlpack__())
    return backend.asarray(value)


_SHARED = frozenset(map(np.dtype, ("float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8")))


@functools.cache
def _accelerators() -> bool:
    return any(one.device_type != "CPU" for one in tf.config.list_logical_devices())


def _of_own_dtype(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return tf.convert_to_tensor(value)
    if isinstance(value, float):
        return tf.convert_to_tensor(value, _config.floatx())
    if isinstance(value, int) and not isinstance(value, bool):
        return tf.convert_to_tensor(value, tf.int32 if -(1 << 31) <= value < 1 << 31 else tf.int64)
    if isinstance(value, (list, tuple)):
        leaves = tree.flatten(value)
        if any(isinstance(leaf, _Tensor) for leaf in leaves):
            return tf.convert_to_tensor(value)
        own = np.asarray(value)
        if own.dtype == np.float64 and all(not hasattr(leaf, "dtype") for leaf in leaves):
            return tf.convert_to_tensor(own.astype(tf.as_dtype(_config.floatx()).as_numpy_dtype))
        if own.dtype == np.int64 and all(not hasattr(leaf, "dtype") for leaf in leaves):
            return tf.convert_to_tensor(own.astype(np.int32))
        return tf.convert_to_tensor(own)
    return tf.convert_to_tensor(value)


backend = TensorflowBackend()
