"""Control flow whose course depends on tensors: branches, loops, scans and maps over functions of tensors."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from hornbeam import tree
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError
from hornbeam.ops.define import Tensor, as_tensor, normalized_axis
from hornbeam.symbolic import KerasTensor, Operation, any_symbolic
from hornbeam.variable import Variable

xp = backend.xp


def _ready(value: Any) -> Any:
    """One leaf of a structure of tensors as a tensor; None and functions stay."""
    if value is None or callable(value):
        return value
    if isinstance(value, Variable):
        return value.value
    return value if backend.is_array(value) else backend.asarray(value)


def structured(wire_name: str, *, tensors: Sequence[str]) -> Callable[[Callable], Callable]:
    """Makes a function on nested structures of tensors an op; the functions among its arguments are configuration.

    Args:
        wire_name: The name that a graph node has in files.
        tensors: The parameters that take structures of tensors.
    """

    def decorate(function: Callable) -> Callable:
        signature = inspect.signature(function)

        def run(**arguments: Any) -> Any:
            variadic = ()
            for name in tensors:
                arguments[name] = tree.map_structure(_ready, arguments[name])
            positional = []
            for name, parameter in signature.parameters.items():
                if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                    variadic = arguments.pop(name)
                elif parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
                    positional.append(arguments.pop(name))
            return function(*positional, *variadic)

        class Structured(Operation):
            def __init__(self, name: str | None = None, **config: Any) -> None:
                super().__init__(name=name)
                self.config = config

            def call(self, *structures: Any) -> Any:
                return run(**self.config, **dict(zip(tensors, structures, strict=True)))

            def get_config(self) -> dict[str, Any]:
                return {"name": self.name, **self.config}

        class_name = wire_name.rpartition(".")[2]
        Structured.__name__ = Structured.__qualname__ = class_name
        Structured.__doc__ = function.__doc__
        wire(wire_name)(Structured)

        @functools.wraps(function)
        def apply(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            arguments = dict(bound.arguments)
            structures = tuple(arguments[name] for name in tensors)
            if any_symbolic(structures):
                config = {name: value for name, value in arguments.items() if name not in tensors}
                return Structured(**config).symbolic_call(*structures)
            return run(**arguments)

        apply.operation_class = Structured
        return apply

    return decorate


def _function(value: Any, name: str, where: str) -> None:
    if not callable(value):
        raise ArgumentTypeError(f"`{name}` to be a function", repr(value), where)


# --- branches ----------------------------------------------------------------------------------------------------


def _branch(function: Callable, operands: tuple) -> Callable[[], Any]:
    return lambda: tree.map_structure(_ready, function(*operands))


@structured("keras.src.ops.core.Cond", tensors=["pred"])
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """The result of one of two functions, chosen by a boolean.

    Where the boolean is known, only the chosen one runs. Inside compiled functions both are traced, so they should
    not write variables, and must return tensors of equal shapes and dtypes.

    Args:
        pred: A bool, or a bool tensor without axes.
        true_fn: Called without arguments if it is true.
        false_fn: Called without arguments if it is false.

    Returns:
        What the function returned.

    >>> import hornbeam as keras
    >>> keras.ops.cond(True, lambda: "yes", lambda: "no")
    'yes'
    """
    _function(true_fn, "true_fn", "cond")
    _function(false_fn, "false_fn", "cond")
    if not backend.is_traced(pred):
        return true_fn() if bool(pred) else false_fn()
    return backend.cond(xp.asarray(pred, dtype=bool), _branch(true_fn, ()), _branch(false_fn, ()))


@structured("keras.src.ops.core.Switch", tensors=["index", "operands"])
def switch(index: Any, branches: Sequence[Callable], *operands: Any) -> Any:
    """The result of one of several functions, chosen by a number.

    Args:
        index: An integer, or an integer tensor without axes; one out of range is moved to the nearest end.
        branches: Functions, called with the operands.
        *operands: Tensors, or structures of them.

    Returns:
        What the function returned.

    >>> import hornbeam as keras
    >>> int(keras.ops.switch(1, [lambda x: x, lambda x: x + 1], keras.ops.array(5)))
    6
    """
    if not branches:
        raise ArgumentError("at least one branch", "none", "switch")
    for one in branches:
        _function(one, "branches", "switch")
    if not backend.is_traced(index):
        return branches[min(max(int(index), 0), len(branches) - 1)](*operands)

    def choose(first: int) -> Any:
        if first == len(branches) - 1:
            return _branch(branches[first], operands)()
        return backend.cond(index <= first, _branch(branches[first], operands), lambda: choose(first + 1))

    return choose(0)


# --- loops -------------------------------------------------------------------------------------------------------


@structured("keras.src.ops.core.WhileLoop", tensors=["loop_vars"])
def while_loop(cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: int | None = None) -> Any:
    """Repeats a function on values while a condition holds.

    Args:
        cond: Called with the values; returns whether to go on.
        body: Called with the values; returns the next ones, of the same shapes and dtypes.
        loop_vars: The first values: one tensor, or a tuple or list of structures of them.
        maximum_iterations: After how many rounds to stop in any case.

    Returns:
        The last values: a tuple for a tuple or list, one for one.

    >>> import hornbeam as keras
    >>> int(keras.ops.while_loop(lambda i: i < 10, lambda i: i + 3, (keras.ops.array(0),))[0])
    12
    """
    _function(cond, "cond", "while_loop")
    _function(body, "body", "while_loop")
    several = isinstance(loop_vars, (tuple, list))
    values = tuple(loop_vars) if several else (loop_vars,)
    description = tree.structure_of(values)

    def proceed(*current: Any) -> tuple:
        result = body(*current)
        # a body may return a list for a tuple, and one value without a tuple around it
        packed = tuple(result) if isinstance(result, (tuple, list)) and (several or len(values) != 1) else (result,)
        leaves = [_ready(one) for one in tree.flatten(packed)]
        if len(leaves) != description.num_leaves:
            raise ArgumentError(
                f"a body that returns {description.num_leaves} tensors, as it takes", f"{len(leaves)}", "while_loop"
            )
        return tree.unflatten(description, leaves)

    result = backend.while_loop(lambda *current: as_tensor(cond(*current)), proceed, values, maximum_iterations)
    return tuple(result) if several else result[0]


@structured("keras.src.ops.core.ForiLoop", tensors=["lower", "upper", "init_val"])
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """Repeats a function on a value for each integer in a range.

    Args:
        lower: The first integer.
        upper: The end of the range, which is excluded.
        body_fun: Called with the integer and the value; returns the next value, of the same shape and dtype.
        init_val: The first value: a tensor, or a structure of them.

    Returns:
        The last value.

    >>> import hornbeam as keras
    >>> int(keras.ops.fori_loop(0, 4, lambda i, total: total + i, keras.ops.array(0)))
    6
    """
    _function(body_fun, "body_fun", "fori_loop")
    description = tree.structure_of(init_val)

    def step(i: Any, *leaves: Any) -> tuple:
        result = body_fun(i, tree.unflatten(description, leaves))
        return (i + 1, *(_ready(one) for one in tree.flatten(result)))

    start = as_tensor(lower)
    last = backend.while_loop(lambda i, *_: as_tensor(i < upper), step, (start, *tree.flatten(init_val)), None)
    return tree.unflatten(description, last[1:])


@structured("keras.src.ops.core.Scan", tensors=["init", "xs"])
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Carries a value along axis 0 of tensors.

    Args:
        f: Called with the carried value and a slice of `xs`; returns the next value, of the same shape and
            dtype, and an output.
        init: The first value: a tensor, or a structure of them.
        xs: Tensors with an equal first axis, in any structure; or None, with `length`.
        length: The number of steps, if there is no `xs` to tell it.
        reverse: Whether to go from the last slice to the first.
        unroll: How many steps are compiled as one; True for all.

    Returns:
        The last carried value, and the outputs, stacked.

    Raises:
        ValueError: If the number of steps is not known, or differs.

    >>> import hornbeam as keras
    >>> last, sums = keras.ops.scan(lambda total, x: (total + x, total + x), keras.ops.array(0), keras.ops.arange(4))
    >>> keras.ops.convert_to_numpy(sums).tolist()
    [0, 1, 3, 6]
    """
    _function(f, "f", "scan")
    if not isinstance(unroll, (int, bool)) or (not isinstance(unroll, bool) and unroll < 1):
        raise ArgumentError("`unroll` to be a positive integer or a bool", repr(unroll), "scan")
    lengths = {backend.shape(one)[0] for one in tree.flatten(xs) if one is not None}
    if length is not None:
        lengths.add(int(length))
    if len(lengths) != 1:
        raise ArgumentError(
            "one number of steps, from `xs` or `length`", f"{sorted(lengths) if lengths else 'neither'}", "scan"
        )

    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        result = f(carry, x)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise ArgumentError("a function that returns (carry, output)", repr(type(result)), "scan")
        return tuple(tree.map_structure(_ready, part) for part in result)

    return backend.scan(step, init, xs, lengths.pop(), bool(reverse), unroll)


@structured("keras.src.ops.core.AssociativeScan", tensors=["elems"])
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Running results of an associative function along an axis, in a number of rounds that is logarithmic.

    Args:
        f: Called with two slices of many elements each; returns their combination. It must be associative:
            f(f(a, b), c) == f(a, f(b, c)).
        elems: Tensors with an equal size along `axis`, in any structure.
        reverse: Whether to start at the end.
        axis: The axis.

    Returns:
        A structure like `elems`: at each position, everything up to there combined.

    >>> import hornbeam as keras
    >>> running = keras.ops.associative_scan(lambda a, b: a + b, keras.ops.arange(5))
    >>> keras.ops.convert_to_numpy(running).tolist()
    [0, 1, 3, 6, 10]
    """
    _function(f, "f", "associative_scan")
    leaves, description = tree.flatten_and_structure(elems)
    if not leaves:
        raise ArgumentError("at least one tensor", "none", "associative_scan")
    axes = [normalized_axis(axis, len(backend.shape(one)), "associative_scan") for one in leaves]
    counts = {backend.shape(one)[place] for one, place in zip(leaves, axes, strict=True)}
    if len(counts) != 1:
        raise ArgumentError(f"tensors of one size along axis {axis}", f"sizes {sorted(counts)}", "associative_scan")

    def cut(parts: list[Any], start: int | None, stop: int | None = None, step: int | None = None) -> list[Any]:
        part = slice(start, stop, step)
        return [one[(*(slice(None),) * place, part)] for one, place in zip(parts, axes, strict=True)]

    def combine(a: list[Any], b: list[Any]) -> list[Any]:
        result = f(tree.unflatten(description, a), tree.unflatten(description, b))
        return [_ready(one) for one in tree.flatten(result)]

    def length_of(parts: list[Any]) -> int:
        return backend.shape(parts[0])[axes[0]]

    def interleave(even: list[Any], odd: list[Any]) -> list[Any]:
        woven = []
        for a, b, place in zip(even, odd, axes, strict=True):
            short = backend.shape(b)[place]
            pairs = xp.stack([a[(*(slice(None),) * place, slice(0, short))], b], axis=place + 1)
            shape = list(backend.shape(b))
            shape[place] *= 2
            one = xp.reshape(pairs, shape)
            if backend.shape(a)[place] > short:
                one = xp.concatenate([one, a[(*(slice(None),) * place, slice(short, None))]], axis=place)
            woven.append(one)
        return woven

    def running(parts: list[Any]) -> list[Any]:
        # Blelloch's scan: combine neighbours, scan the half as long row, fill in between
        count = length_of(parts)
        if count < 2:
            return parts
        odd = running(combine(cut(parts, 0, -1, 2), cut(parts, 1, None, 2)))
        inner = combine(cut(odd, 0, -1) if count % 2 == 0 else odd, cut(parts, 2, None, 2)) if count > 2 else None
        first = cut(parts, 0, 1)
        if inner is None:
            even = first
        else:
            even = [xp.concatenate(pair, axis=place) for pair, place in zip(zip(first, inner), axes)]
        return interleave(even, odd)

    if reverse:
        leaves = [xp.flip(one, axis=place) for one, place in zip(leaves, axes, strict=True)]
    result = running(leaves)
    if reverse:
        result = [xp.flip(one, axis=place) for one, place in zip(result, axes, strict=True)]
    return tree.unflatten(description, result)


# --- maps --------------------------------------------------------------------------------------------------------


@structured("keras.src.ops.core.Map", tensors=["xs"])
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """A function on each slice along axis 0, one after the other; needs less memory than `vectorized_map`.

    Args:
        f: Called with a slice; returns a tensor, or a structure of them.
        xs: Tensors with an equal first axis, in any structure.

    Returns:
        The results, stacked.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.map(lambda x: x + 1, keras.ops.arange(3))).tolist()
    [1, 2, 3]
    """
    _function(f, "f", "map")
    count = backend.shape(tree.flatten(xs)[0])[0]
    return backend.scan(lambda carry, x: (carry, tree.map_structure(_ready, f(x))), None, xs, count, False, 1)[1]


@structured("keras.src.ops.core.VectorizedMap", tensors=["elements"])
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Tensor:
    """A function on each slice along axis 0, all at once.

    Args:
        function: Called with a slice; returns a tensor, or a structure of them.
        elements: Tensors with an equal first axis, in any structure.

    Returns:
        The results, stacked.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.vectorized_map(lambda x: x + 1, keras.ops.arange(3))).tolist()
    [1, 2, 3]
    """
    _function(function, "function", "vectorized_map")
    return backend.vectorized_map(lambda one: tree.map_structure(_ready, function(one)), elements)


def custom_gradient(f: Callable) -> Callable:
    """Gives a function a gradient of its own.

    Args:
        f: Returns its value, and a function from the gradient for the value to those for the arguments.

    Returns:
        A function that returns the value alone.

    >>> import hornbeam as keras
    >>> @keras.ops.custom_gradient
    ... def clipped_square(x):
    ...     return x * x, lambda upstream: keras.ops.clip(upstream * 2 * x, -1, 1)
    >>> float(clipped_square(keras.ops.array(3.0)))
    9.0
    """
    _function(f, "f", "custom_gradient")
    differentiable = backend.custom_gradient(f)

    @functools.wraps(f)
    def apply(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(one, KerasTensor) for one in tree.flatten((args, kwargs))):
            return f(*args, **kwargs)[0]
        return differentiable(*tree.map_structure(_ready, args), **tree.map_structure(_ready, kwargs))

    return apply
