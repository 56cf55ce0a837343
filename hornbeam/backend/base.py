"""The interface between hornbeam and a framework: all that a new backend has to supply.

A member with a body here works on every backend; a backend replaces it where it owns something better. Code
above asks `"gradients" in backend.features`, never for a backend's name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import ml_dtypes
import numpy as np

from hornbeam import tree
from hornbeam.dtypes import standardize_dtype
from hornbeam.errors import ArgumentError, UnsupportedError

_NEXT = np.array([0, 1], np.uint32)


class Struct:
    """Shape and dtype of a tensor that does not exist; what abstract evaluation takes and gives.

    Args:
        shape: One int, or None where the size is open, per axis.
        dtype: A dtype name.
    """

    __slots__ = ("shape", "dtype")

    def __init__(self, shape: Sequence[int | None], dtype: str) -> None:
        self.shape = tuple(shape)
        self.dtype = dtype

    def __repr__(self) -> str:
        return f"Struct(shape={self.shape}, dtype={self.dtype!r})"


class LayerBase:
    """What layers derive from where the framework has no layers of its own.

    A framework that has them puts its own hooks around calls, and its own idea of the default of `training`.
    """

    _hooked: bool = False
    _default_training: bool | None = None

    def _call_with_hooks(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """`_apply_layer`, between the framework's hooks."""
        return self._apply_layer(*args, **kwargs)


class Recorder:
    """What `GradientTape` needs of a framework: to remember how tensors came about."""

    def start(self) -> None:
        """From here on, what is computed in this thread is remembered."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ends what `start` began."""
        raise NotImplementedError

    def pause(self, paused: bool) -> None:
        """Whether what is computed from here on is left out."""
        raise NotImplementedError

    def watch(self, value: Any) -> None:
        """Remembers what is computed from this tensor."""
        raise NotImplementedError

    def unshared(self, value: Any) -> Any:
        """A tensor of the same value that stands for one variable alone, at this moment."""
        return value

    def is_shared(self, value: Any) -> bool:
        """Whether memory of this value of a variable is written to when the variable is assigned."""
        return False

    def version(self, value: Any) -> int:
        """A number that grows when such memory is written to."""
        return 0

    def is_connected(self, value: Any) -> bool:
        """Whether a tensor is watched, or was computed from watched ones."""
        raise NotImplementedError

    def is_used(self, value: Any) -> bool:
        """Whether something was computed from this watched tensor, as far as the framework tells."""
        return True

    def pullback(
        self, targets: Sequence[Any], sources: Sequence[Any]
    ) -> tuple[list[bool] | None, Callable[[Sequence[Any]], list[Any]]]:
        """The way back from targets to sources.

        Returns:
            For each source whether some target depends on it, or None if the gradients say so by being None;
            and the function that takes a gradient for each target and gives one for each source.
        """
        raise NotImplementedError


class Backend:
    """One framework, seen through the members that hornbeam needs.

    Attributes:
        name: The name users choose it by.
        xp: A namespace with NumPy's functions, working on this backend's tensors.
        features: What it can do: "gradients", "compile", "fusion" (many steps per dispatch), "strings", "sparse",
            "ragged"; "inplace": its variables change in place and its compiler sees that, so that `compile` takes
            functions that read and write variables; "live": what a variable gives as its value changes with it;
            "jax_functions": functions of JAX take its tensors.
        layer_base: The class that layers derive from, such as torch's `nn.Module`.
        variable_base: The class that variables derive from.
        state_base: The class that optimizers derive from.
        native_types: Classes of the framework that may stand in a layer's attributes and hold state.
        compile_default: Whether programs compile unless somebody says otherwise.
        graphs: Whether steps are graphs of the framework even where its compiler is not wanted.
        overrides: Ops, by name, for which the backend owns a better kernel. Same signature as the op's body.
        probe_sizes: Two sizes that stand for None in abstract evaluation; both divisible by small numbers.
    """

    name: str = ""
    xp: Any = None
    features: frozenset[str] = frozenset()
    layer_base: type = LayerBase
    variable_base: type = object
    state_base: type = object
    native_types: tuple[type, ...] = ()
    compile_default: bool = False
    graphs: bool = False
    # whether a kernel of some twenty operations, such as a random distribution, is worth a program of its own
    compile_kernels: bool = False
    # whether steps that are not compiled take their batches from arrays that lie on the device
    eager_rows: bool = False
    # the layer that stands for a layer of the framework, see `parts_of`
    module_wrapper: str = ""
    # several tensors as one that elementwise arithmetic takes, and back; None where that gains nothing
    bundle: Callable[[Sequence[Any]], Any] | None = None
    # updates of optimizers in place, by name
    kernels: Mapping[str, Callable[..., None]] = {}
    overrides: Mapping[str, Callable[..., Any]] = {}
    probe_sizes: tuple[int, int] = (12, 24)
    # whether `xp` functions take Python numbers beside a tensor without widening its dtype
    weak_numbers: bool = False
    # the widest types that tensors have by default; larger requests are narrowed
    narrowed: Mapping[str, str] = {}

    # --- tensors -------------------------------------------------------------------------------------------

    def is_array(self, value: Any) -> bool:
        """Whether `value` is a tensor of this backend, concrete or traced."""
        raise NotImplementedError

    def asarray(self, value: Any, dtype: str | None = None) -> Any:
        """`value` (array of any kind, number, nested list) as a tensor; None keeps its own dtype."""
        raise NotImplementedError

    def filled(self, shape: tuple[int, ...], value: float, dtype: str) -> Any:
        """A tensor that holds one number everywhere, such as the first value of a bias."""
        return self.asarray(np.full(shape, value, np.float32), dtype)

    def to_numpy(self, value: Any) -> np.ndarray:
        """A tensor as a NumPy array that nobody else writes to."""
        return np.asarray(value)

    def shape(self, value: Any) -> tuple[int, ...]:
        """The static shape of a tensor."""
        return tuple(value.shape)

    def dtype(self, value: Any) -> str:
        """The dtype name of a tensor."""
        return standardize_dtype(value.dtype)

    def cast(self, value: Any, dtype: str) -> Any:
        """`value` with another dtype."""
        return self.asarray(value, dtype)

    def native_dtype(self, dtype: str) -> Any:
        """What `xp` functions take as `dtype=` for this name."""
        return self.narrowed.get(dtype, dtype)

    def scalar(self, value: float, dtype: str) -> Any:
        """A number that keeps tensors it meets in `dtype`."""
        dtype = self.narrowed.get(dtype, dtype)
        return np.asarray(value).astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)[()]

    def complex(self, real: Any, imaginary: Any) -> Any:
        """A complex tensor of two real ones of one dtype."""
        return real + 1j * imaginary

    def picked(self, value: Any, key: Any) -> Any:
        """`value[key]`, with all that NumPy allows in brackets: also tensors of integers or booleans."""
        return value[key]

    def written(self, target: Any, index: tuple, updates: Any, reduction: str | None) -> Any:
        """A copy of `target` with `updates` at `index`; equal positions are reduced by "add", "max", "min" or "mul"."""
        result = self.xp.array(target, copy=True)
        if reduction is None:
            result[index] = updates
        else:
            names = {"add": "add", "max": "maximum", "min": "minimum", "mul": "multiply"}
            getattr(self.xp, names[reduction]).at(result, index, updates)
        return result

    # --- state ---------------------------------------------------------------------------------------------

    def new_variable(
        self, value: Any, dtype: str, trainable: bool, name: str, aggregation: str | None = "none",
        synchronization: str | None = "auto",
    ) -> Any:
        """A handle that holds `value`; what it is only the backend knows.

        The last two say how the copies of a variable on several replicas are merged, and when.
        """
        return self.asarray(value, dtype)

    def read(self, handle: Any) -> Any:
        """The tensor in a handle."""
        return handle

    def write(self, handle: Any, value: Any) -> Any:
        """Puts `value`, of the same shape and dtype, into a handle; returns the handle to keep."""
        return value

    def increase(self, handle: Any, value: Any) -> bool:
        """Adds `value` to a handle in place, if the backend can for a value of this kind; whether it did."""
        return False

    def write_all(self, handles: Sequence[Any], values: Sequence[Any]) -> list[Any]:
        """Puts values into handles; returns the handles to keep."""
        return [self.write(handle, value) for handle, value in zip(handles, values, strict=True)]

    def alike(self, values: Sequence[Any], handles: Sequence[Any]) -> bool:
        """Whether all are tensors that lie and count as the variables do; False where that takes a longer look."""
        return False

    def copy(self, value: Any) -> Any:
        """A tensor with the same values and memory of its own."""
        return self.xp.array(value, copy=True)

    def snapshot(self, value: Any) -> Any:
        """The value of a variable in a form that the next assignment leaves as it is."""
        return value

    def set_trainable(self, handle: Any, trainable: bool) -> None:
        """Tells a handle whether its variable is trained."""

    def told_dtype(self, name: str) -> str:
        """A dtype's name as variables tell it: functions of the framework may ask it for more than the name."""
        return name

    def told_shape(self, shape: tuple) -> tuple:
        """A shape as variables tell it: functions of the framework may ask it for more than the sizes."""
        return shape

    def parts(self, bundle: Any) -> Sequence[Any]:
        """The tensors in a bundle."""
        raise NotImplementedError

    def parts_of(self, value: Any) -> list[tuple[str, Any]] | None:
        """The variables of the framework in a value of one of `native_types`, with names; None leaves it to layers."""
        return []

    def saved_functions(self, folder: str, names: Sequence[str]) -> tuple[list[Callable], list[tuple[str, Any]]]:
        """The functions with these names in a SavedModel, and its variables with names."""
        raise UnsupportedError(
            "the tensorflow backend", f"the {self.name} backend", "TFSMLayer", "Set HORNBEAM_BACKEND=tensorflow."
        )

    def is_trainable(self, handle: Any) -> bool:
        """Whether a variable of the framework is meant to be trained."""
        return True

    # --- evaluation ----------------------------------------------------------------------------------------

    def abstract(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What `function` would return, as `Struct`s, without computing it.

        Each None in the shape of a `Struct` among the arguments is replaced by two different sizes in turn;
        an axis of the result that differs between the two is None.
        """
        leaves, description = tree.flatten_and_structure((args, kwargs))
        open_axes = any(isinstance(leaf, Struct) and None in leaf.shape for leaf in leaves)
        results = []
        for size in self.probe_sizes if open_axes else self.probe_sizes[:1]:
            filled = [
                Struct([size if axis is None else axis for axis in leaf.shape], leaf.dtype)
                if isinstance(leaf, Struct)
                else leaf
                for leaf in leaves
            ]
            results.append(self.probe(function, filled, description))
        return tree.map_structure(_merge, *results)

    def probe(self, function: Callable[..., Any], leaves: list[Any], description: Any) -> Any:
        """Calls `function` with leaves whose `Struct`s have complete shapes; tensors come back as `Struct`s."""
        raise NotImplementedError

    def cond(self, predicate: Any, true_function: Callable[[], Any], false_function: Callable[[], Any]) -> Any:
        """One of two branches, chosen by a boolean tensor."""
        return true_function() if bool(self.to_numpy(predicate)) else false_function()

    def while_loop(self, condition: Callable, body: Callable, values: tuple, limit: int | None) -> tuple:
        """Runs `body` on a tuple of values while `condition` holds."""
        count = 0
        while bool(self.to_numpy(condition(*values))) and (limit is None or count < limit):
            values = tuple(body(*values))
            count += 1
        return values

    def scan(self, step: Callable, carry: Any, xs: Any, length: int, reverse: bool, unroll: int | bool) -> tuple:
        """Runs `step(carry, x) -> (carry, y)` along axis 0 of `xs`; returns the last carry and all y, stacked."""
        outputs = []
        for index in range(length - 1, -1, -1) if reverse else range(length):
            x = tree.map_structure(lambda part, i=index: None if part is None else part[i], xs)
            carry, output = step(carry, x)
            outputs.append(output)
        if reverse:
            outputs.reverse()
        if not outputs:
            return carry, None
        return carry, tree.map_structure(lambda *parts: None if parts[0] is None else self.xp.stack(parts), *outputs)

    def vectorized_map(self, function: Callable, elements: Any) -> Any:
        """`function` on each slice along axis 0, results stacked."""
        count = self.shape(tree.flatten(elements)[0])[0]
        rows = [function(tree.map_structure(lambda part, i=index: part[i], elements)) for index in range(count)]
        return tree.map_structure(lambda *parts: self.xp.stack(parts), *rows)

    def stop_gradient(self, value: Any) -> Any:
        """`value`, through which no gradient flows."""
        return value

    def custom_gradient(self, function: Callable) -> Callable:
        """`function(*args) -> (value, backward)` as a function whose gradient is `backward(upstream)`."""
        return lambda *args, **kwargs: function(*args, **kwargs)[0]

    def remat(self, function: Callable) -> Callable:
        """`function`, whose inner results are computed again for the gradient instead of kept."""
        return function

    def value_and_grad(
        self, function: Callable, arguments: Sequence[Any], handles: Sequence[Any] = ()
    ) -> tuple[Any, Any, list[Any]]:
        """`function(*arguments) -> (scalar, aux)`: the scalar, aux, and the gradient for each argument.

        `handles` are those of the variables that the arguments are the values of, if they are; the framework's own
        functions, called inside, may read these.
        """
        raise UnsupportedError(
            "a backend with gradients",
            f"the {self.name} backend",
            "value_and_grad",
            "Set HORNBEAM_BACKEND to jax, torch or tensorflow.",
        )

    def no_gradients(self) -> AbstractContextManager:
        """Nothing is recorded for gradients inside, unless a gradient is being taken around it."""
        return nullcontext()

    def recorder(self, persistent: bool) -> Recorder:
        """A new recorder; `persistent` if more than one gradient will be taken."""
        raise UnsupportedError(
            "a backend with gradients",
            f"the {self.name} backend",
            "GradientTape",
            "Set HORNBEAM_BACKEND to jax, torch or tensorflow.",
        )

    def compile(self, function: Callable, donate: Sequence[int] = (), optimize: bool | None = None) -> Callable:
        """`function`, a pure one on trees of tensors, compiled; arguments at `donate` give up their memory.

        Where the framework has a compiler beside its graphs, `optimize` says whether it is used; None leaves it open.
        What a backend with the feature "inplace" gives has besides `ran(steps)`, which is told how many steps each run
        was, and `room`, the number of steps after which it may change the way it runs: one run must not go beyond.
        """
        raise UnsupportedError(
            "a backend that compiles", f"the {self.name} backend", "jit", "Pass jit_compile=False or run_eagerly=True."
        )

    def repeat(self, body: Callable, start: Any, stop: Any, carry: Any) -> Any:
        """`carry = body(i, carry)` for each i from `start` to `stop`, inside a compiled function."""
        for index in range(int(start), int(stop)):
            carry = body(index, carry)
        return carry

    def ragged(self, rows: Sequence[np.ndarray]) -> Any:
        """One ragged tensor of arrays of unequal lengths; of backends with the feature "ragged"."""
        raise NotImplementedError

    def linear(self, inputs: Any, kernel: Any, bias: Any) -> Any:
        """`inputs @ kernel + bias` for tensors of one dtype; `bias` may be None. The commonest step of all."""
        outputs = self.xp.matmul(inputs, kernel)
        return outputs if bias is None else self.xp.add(outputs, bias)

    def add_bias(self, outputs: Any, bias: Any) -> Any:
        """`outputs` plus a bias along its last axis, for tensors of one dtype."""
        return self.xp.add(outputs, bias)

    def normalized(self, x: Any, gamma: Any, beta: Any, axes: Any, epsilon: float) -> Any:
        """A float tensor normalised over `axes` by a kernel of the backend; None if it has none for this case."""
        return None

    def slice_rows(self, value: Any, start: Any, count: int) -> Any:
        """`count` rows of a tensor from row `start` on, which may be a traced number."""
        return value[start : start + count]

    def take_rows(self, value: Any, rows: Any) -> Any:
        """The rows of a tensor with these numbers, all of them in range."""
        return value[rows]

    def constants(self) -> AbstractContextManager:
        """Inside it, computation gives true values even while a function is being traced."""
        return nullcontext()

    def is_traced(self, value: Any) -> bool:
        """Whether a tensor stands for values that come later, in a function that is being traced."""
        return False

    def lacks_values(self, problem: Exception) -> bool:
        """Whether an error says that somebody asked such a tensor for its value."""
        return False

    # --- randomness ----------------------------------------------------------------------------------------

    def random_bits(self, key: Any, shape: Sequence[int]) -> Any:
        """uint32 bits of Threefry-2x32 under `key`, a uint32 tensor [2]; equal on all backends."""
        raise NotImplementedError

    def random_mask(self, key: Any, shape: Sequence[int], threshold: int) -> Any:
        """Where the random bits under `key` are at least `threshold`."""
        return self.random_bits(key, shape) >= np.uint32(threshold)

    def next_key(self, key: Any) -> Any:
        """The key after `key`, a uint32 tensor [2]: its second word counts on, past the largest number from 0."""
        return self.xp.add(key, _NEXT)

    # whether the bits of Threefry are the default: where they cost less than 3 % of a step of training
    reproducible_random: bool = True

    def fast_bits(self, key: Any, shape: Sequence[int]) -> Any:
        """uint32 bits of the fastest generator there is, that depend on `key` alone."""
        return self.random_bits(key, shape)

    def fast_mask(self, key: Any, shape: Sequence[int], threshold: int) -> Any:
        """Where the bits of the fastest generator under `key` are at least `threshold`."""
        return self.fast_bits(key, shape) >= np.uint32(threshold)

    def flatten_pytree(self, value: Any) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        """The leaves of a structure of any kind that the framework knows, and what makes one of new leaves."""
        leaves, description = tree.flatten_and_structure(value)
        return leaves, lambda new: tree.unflatten(description, new)

    # --- placement -----------------------------------------------------------------------------------------

    def put(self, batch: Any) -> Any:
        """A tree of host arrays as tensors on the default device; runs ahead of the computation."""
        return tree.map_structure(
            lambda leaf: leaf if leaf is None or not is_numeric(leaf) else self.asarray(leaf), batch
        )

    def feed(self, value: Any) -> Any:
        """One leaf of a batch in the form in which a compiled function takes it soonest."""
        return self.put(value)

    def place(self) -> Any:
        """What tells the device on which tensors are made now from others; None where tensors meet across devices."""
        return None

    def beside(self, value: Any) -> AbstractContextManager:
        """A scope in which tensors are made on the device of `value`, where they would not meet otherwise."""
        return nullcontext()

    def brought(self, value: Any) -> Any:
        """A tensor on the device on which tensors are made now, where it would not meet them otherwise."""
        return value

    def device(self, name: str) -> AbstractContextManager:
        """A scope in which new tensors lie on the device named like "cpu:0" or "gpu:1"."""
        if not str(name).lower().startswith("cpu"):
            raise ArgumentError("a device of this backend", repr(name), f"device on the {self.name} backend")
        return nullcontext()

    def devices(self, kind: str | None = None) -> list[str]:
        """The names of the devices, such as ["cpu:0"]."""
        return ["cpu:0"] if kind in (None, "cpu") else []

    def wait(self, value: Any) -> None:
        """Returns when `value` is computed."""

    # --- replicas: the same step side by side on parts of a batch, as the framework spreads it ---------------

    def strategy(self) -> Any:
        """What spreads variables and steps over replicas, as chosen around this code; None if nothing does."""
        return None

    def in_strategy(self, strategy: Any) -> AbstractContextManager:
        """A scope in which a strategy, if there is one, makes the variables."""
        return nullcontext()

    def on_replicas(self, strategy: Any, step: Callable[[Any], Any], data: Any, kept: Sequence[Any]) -> list[Any]:
        """The results of a step on the replicas of a strategy, each of which gets its part of the rows of a batch.

        The handles in `kept` stay as they are in replicas for which there are no rows.
        """
        raise UnsupportedError("a backend with strategies", f"the {self.name} backend", "a step on replicas")

    def replica(self) -> int | None:
        """The number of the replica that runs here, if there are several."""
        return None

    def share(self) -> float:
        """The part of the loss of a whole batch that a mean over the rows seen here stands for."""
        return 1.0

    def summed(self, gradients: Sequence[Any]) -> list[Any]:
        """Gradients summed over the replicas that are in this step together."""
        return list(gradients)

    # --- profiling -----------------------------------------------------------------------------------------

    def start_profile(self, folder: str) -> None:
        """Begins to write down what the framework does and how long it takes, for TensorBoard, into a folder."""
        raise UnsupportedError(
            "a backend with a profiler", f"the {self.name} backend", "profiling", "Set profile_batch=0."
        )

    def stop_profile(self) -> None:
        """Ends what `start_profile` began, and writes its files."""


def is_numeric(value: Any) -> bool:
    """Whether an array can live on a device; strings and objects cannot."""
    dtype = getattr(value, "dtype", None)
    return not (isinstance(dtype, np.dtype) and dtype.kind in "OSUMm")


def shareable_zeros(shape: Sequence[int], dtype: Any) -> np.ndarray:
    """Zeros in host memory that begins where frameworks want it, so that `Backend.put` can take it without a copy."""
    dtype = np.dtype(dtype)
    count = math.prod(shape) * dtype.itemsize
    memory = np.zeros(count + _BOUNDARY, np.uint8)
    start = -memory.ctypes.data % _BOUNDARY
    return memory[start : start + count].view(dtype).reshape(shape)


_BOUNDARY = 64  # bytes


def _merge(first: Any, *others: Any) -> Any:
    if not others or not isinstance(first, Struct):
        return first
    (second,) = others
    if not isinstance(second, Struct) or len(first.shape) != len(second.shape):
        raise ArgumentError(
            "a function whose result has the same rank for every batch size",
            f"{first} and {second}",
            "shape inference",
            "Give the layer a compute_output_shape method.",
        )
    return Struct([a if a == b else None for a, b in zip(first.shape, second.shape, strict=True)], first.dtype)
