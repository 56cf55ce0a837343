"""`jit`, `grad`, `value_and_grad`, `remat`, `custom_gradient`, `stop_gradient`: the border between stateful
Python and pure functions.

Here, and nowhere else, variables turn into arguments and results of a pure function: a `Trace` puts stand-ins
in their place, the Python runs, and what it wrote is collected. Knows no layer, no optimizer, no loop.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from hornbeam import scope, tree
from hornbeam._interrupts import interrupts_held
from hornbeam.backend import active as backend
from hornbeam.backend.base import Struct
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.scope import Trace, context
from hornbeam.symbolic import KerasTensor
from hornbeam.variable import Variable


def value_and_grad(
    fn: Callable[..., Any], variables: Any = None, has_aux: bool = False, argnums: int | Sequence[int] | None = None
) -> Any:
    """The value of a function and its gradient.

    With `variables` it runs `fn` now: `fn` takes nothing, reads the variables, and may write others (such as
    the statistics of batch normalisation); these writes take effect. Without, it gives a function like
    `jax.value_and_grad` does.

    Args:
        fn: Gives a scalar, or `(scalar, aux)` with `has_aux`.
        variables: A structure of variables to differentiate by, or None.
        has_aux: Whether `fn` gives something more beside the scalar.
        argnums: Without `variables`: the positions of the arguments to differentiate by; 0 by default.

    Returns:
        `(value, gradients)`, or `((value, aux), gradients)` with `has_aux`; the gradients have the structure of
        `variables`. Without `variables`, a function that returns this.

    Raises:
        ValueError: If `fn` gives no scalar.
        NotImplementedError: On a backend without gradients.

    >>> import hornbeam as keras
    >>> v = keras.Variable(3.0)
    >>> value, gradient = keras.value_and_grad(lambda: v * v, v)
    >>> float(value), float(gradient)
    (9.0, 6.0)
    """
    if not callable(fn):
        raise ArgumentTypeError(
            "a function that computes the value", describe(fn), "value_and_grad",
            "Compute the value inside it: value_and_grad(lambda: ..., variables).",
        )  # fmt: skip
    if variables is None:
        return functools.wraps(fn)(
            lambda *args, **kwargs: _by_arguments(fn, 0 if argnums is None else argnums, has_aux, args, kwargs)
        )
    if type(variables) is list and all(isinstance(one, Variable) for one in variables):  # as in every step
        value, aux, gradients = _by_variables(fn, variables, has_aux)
        gradients = list(gradients)
    else:
        leaves, description = tree.flatten_and_structure(variables)
        for one in leaves:
            if not isinstance(one, Variable):
                raise ArgumentTypeError("variables", describe(one), "value_and_grad")
        value, aux, gradients = _by_variables(fn, leaves, has_aux)
        gradients = tree.unflatten(description, gradients)
    return ((value, aux), gradients) if has_aux else (value, gradients)


def grad(
    fn: Callable[..., Any], variables: Any = None, has_aux: bool = False, argnums: int | Sequence[int] | None = None
) -> Any:
    """The gradient of a function; see `value_and_grad`.

    Returns:
        The gradients, or `(gradients, aux)` with `has_aux`; without `variables`, a function that returns this.

    >>> import hornbeam as keras
    >>> float(keras.grad(keras.grad(lambda x: x**3))(keras.ops.convert_to_tensor(2.0)))
    12.0
    """

    def only_gradient(result: Any) -> Any:
        value, gradients = result
        return (gradients, value[1]) if has_aux else gradients

    found = value_and_grad(fn, variables, has_aux, argnums)
    if variables is not None:
        return only_gradient(found)
    return functools.wraps(fn)(lambda *args, **kwargs: only_gradient(found(*args, **kwargs)))


def _by_variables(fn: Callable, variables: list[Variable], has_aux: bool) -> tuple[Any, Any, list[Any]]:
    kept: list[Any] = []

    def pure(*values: Any) -> tuple[Any, Any]:
        with Trace(list(zip(variables, values, strict=True))) as trace:
            result = fn()
            value, aux = _split(result, has_aux)
        written = trace.updates()
        losses = [(layer, list(values)) for layer, values in trace.losses.values()]
        if type(aux) is tuple and all(map(backend.is_array, aux)):  # as in every step
            aux_leaves, aux_description = list(aux), None
        else:
            aux_leaves, aux_description = tree.flatten_and_structure(aux)
        # only tensors may pass the border as results
        fixed = [None if backend.is_array(one) else (one,) for one in aux_leaves]
        kept[:] = [
            [variable for variable, _ in written],
            [(layer, len(values)) for layer, values in losses],
            aux_description,
            fixed,
        ]
        return value, (
            [one for one, other in zip(aux_leaves, fixed, strict=True) if other is None],
            [new for _, new in written],
            [one for _, values in losses for one in values],
        )

    values = [_current(variable) for variable in variables]
    handles = [one._handle for one in variables]
    value, (aux_tensors, new_values, loss_values), gradients = backend.value_and_grad(pure, values, handles)
    written, loss_layers, aux_description, fixed = kept
    for variable, new in zip(written, new_values, strict=True):
        if context.trace is None:
            variable.give(new)
        else:
            context.trace.set(variable, new)
    rest = iter(loss_values)
    for layer, count in loss_layers:
        scope.write_losses(layer, [next(rest) for _ in range(count)])
    tensors = iter(aux_tensors)
    leaves = [next(tensors) if one is None else one[0] for one in fixed]
    aux = tuple(leaves) if aux_description is None else tree.unflatten(aux_description, leaves)
    return value, aux, gradients


def _by_arguments(fn: Callable, argnums: int | Sequence[int], has_aux: bool, args: tuple, kwargs: dict) -> Any:
    positions = [argnums] if isinstance(argnums, int) else list(argnums)
    for position in positions:
        if not 0 <= position < len(args):
            raise ArgumentError(f"argnums below {len(args)}, the number of arguments", f"{argnums}", "grad")
    chosen = [tree.map_structure(_tensor, args[position]) for position in positions]
    leaves, description = tree.flatten_and_structure(chosen)
    kept: list[Any] = []

    def pure(*values: Any) -> tuple[Any, Any]:
        full = list(args)
        for position, part in zip(positions, tree.unflatten(description, values), strict=True):
            full[position] = part
        with Trace() as trace:
            value, aux = _split(fn(*full, **kwargs), has_aux)
        written = trace.updates()
        kept[:] = [[variable for variable, _ in written]]
        return value, (aux, [new for _, new in written])

    value, (aux, new_values), gradients = backend.value_and_grad(pure, leaves)
    for variable, new in zip(kept[0], new_values, strict=True):
        variable.assign(new)
    found = tree.unflatten(description, gradients)
    found = found[0] if isinstance(argnums, int) else tuple(found)
    return ((value, aux), found) if has_aux else (value, found)


def _split(result: Any, has_aux: bool) -> tuple[Any, Any]:
    if has_aux:
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise ArgumentError(
                "a function that gives (value, aux)", describe(result), "value_and_grad with has_aux=True"
            )
        value, aux = result
    else:
        value, aux = result, None
    if value is None:
        raise ArgumentTypeError("a function that gives a scalar", "None", "value_and_grad", "Return the loss from it.")
    value = _tensor(value)
    if backend.shape(value) != ():
        raise ArgumentError(
            "a function that gives a scalar",
            f"shape={backend.shape(value)}",
            "value_and_grad",
            "Reduce it, for example with hornbeam.ops.mean.",
        )
    return value, aux


def _tensor(value: Any) -> Any:
    if isinstance(value, Variable):
        return value.value
    return value if backend.is_array(value) or isinstance(value, KerasTensor) else backend.asarray(value)


def _current(variable: Variable) -> Any:
    return scope.read(variable)


class jit:
    """A function that uses variables, compiled as a whole.

    The variables that it reads and writes are found by following it once; their values travel in and out, and
    those it writes give up their old memory. It is compiled once for each structure, shape and dtype of the
    tensors, and value of everything else, among its arguments.

    Args:
        fn: Any function of tensors and other arguments. Python in it runs while it is followed, not later.

    Raises:
        NotImplementedError: On a backend that does not compile.

    >>> import hornbeam as keras
    >>> count = keras.Variable(0)
    >>> @keras.jit
    ... def step(x):
    ...     count.assign_add(1)
    ...     return x * 2
    >>> y = step(keras.ops.ones(2))
    >>> y = step(y)
    >>> int(count)
    2
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        functools.update_wrapper(self, fn)
        self._function = fn
        self._compiled: dict[Any, Compiled] = {}

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, description = tree.flatten_and_structure((args, kwargs))
        if context.trace is not None or context.tapes or any(backend.is_traced(leaf) for leaf in leaves):
            # part of a larger compiled function, or of what a tape has to see
            return self._function(*args, **kwargs)
        tensors, fixed, key = [], [], []
        for leaf in leaves:
            if _is_tensor_like(leaf):
                leaf = _tensor(leaf)
                tensors.append(leaf)
                fixed.append(None)
                key.append((backend.shape(leaf), backend.dtype(leaf)))
            else:
                fixed.append((leaf,))
                key.append(_hashable(leaf))
        signature = (description, tuple(key))
        compiled = self._compiled.get(signature)
        if compiled is None:

            def call(values: list[Any]) -> Any:
                rest = iter(values)
                a, k = tree.unflatten(description, [next(rest) if one is None else one[0] for one in fixed])
                return self._function(*a, **k)

            compiled = self._compiled[signature] = Compiled(call, (tensors,))
        return compiled(tensors)


def _is_tensor_like(value: Any) -> bool:
    return backend.is_array(value) or (
        hasattr(value, "shape")
        and hasattr(value, "dtype")
        and not isinstance(value, (Variable, KerasTensor))
        and not (hasattr(value.dtype, "kind") and value.dtype.kind in "OSU")
    )


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return ("id", id(value))
    return (type(value), value)


class Compiled:
    """A stateful function of trees of tensors, compiled, with the variables it uses carried in and out.

    Args:
        function: Takes trees of tensors, reads and writes variables, returns a tree of tensors and constants.
        example: Arguments of the right structure, shapes and dtypes, on which it is followed once.
        optimize: Whether a framework with graphs also uses its compiler; None leaves that to it.

    Attributes:
        read_only: The variables that it reads.
        written: The variables that it writes.
    """

    def __init__(self, function: Callable[..., Any], example: tuple, optimize: bool | None = None) -> None:
        self._function = function
        self._fixed: list[Any] = []
        self._stateful = "inplace" in backend.features
        if self._stateful:  # the framework's compiler sees the variables itself
            self._program = backend.compile(self._followed, optimize=optimize)
            return
        self.read_only, self.written, self._result = _discover(function, example)
        self._program = backend.compile(self._pure, donate=(0,), optimize=optimize)

    def _followed(self, args: tuple) -> list[Any]:
        before = [(layer, scope.read_losses(layer)) for layer in scope.layers_with_losses()]
        made_before, context.made = context.made, []
        try:
            tensors = self._tensors_of(self._function(*args))
            if any(one() is None for one in context.made):
                raise _new_variables("a variable that nothing keeps")
            return tensors
        finally:
            context.made = made_before
            # what layers add while they are followed has no values: it belongs to the program
            for layer in scope.layers_with_losses():
                scope.write_losses(layer, [])
            for layer, losses in before:
                scope.write_losses(layer, losses)

    def _pure(self, written_values: list[Any], read_values: list[Any], args: tuple) -> tuple:
        new_values, result = self._once(self._function, written_values, read_values, args)
        return new_values, self._tensors_of(result)

    def _once(self, function: Callable, written_values: list[Any], read_values: list[Any], args: tuple) -> tuple:
        pairs = [*zip(self.written, written_values, strict=True), *zip(self.read_only, read_values, strict=True)]
        with Trace(pairs) as trace:
            result = function(*args)
            new_values = [trace.get(variable) for variable in self.written]
        unknown = [one for one in trace.written.values() if all(one is not mine for mine in self.written)]
        if unknown:
            raise _new_variables(f"a new write of {unknown[0].path!r}")
        return new_values, result

    def _tensors_of(self, result: Any) -> list[Any]:
        """The tensors in a result; the rest is remembered, to be put back around them."""
        leaves, description = tree.flatten_and_structure(result)
        passes = [backend.is_array(one) for one in leaves]
        self._fixed = [description, [None if ok else (one,) for ok, one in zip(passes, leaves, strict=True)]]
        return [one for ok, one in zip(passes, leaves, strict=True) if ok]

    def __call__(self, *args: Any) -> Any:
        return self._run(args)

    def _run(self, *args: Any, steps: int = 1) -> Any:
        if self._stateful:
            tensors = self._program(*args)
            self._program.ran(steps)
        else:
            tensors = self._carried(*args)
        rest = iter(tensors)
        description, fixed = self._fixed
        return tree.unflatten(description, [next(rest) if one is None else one[0] for one in fixed])

    def _carried(self, *args: Any) -> list[Any]:
        """Runs the program with the values of the variables, and gives them their new ones; the tensors it gave."""
        if context.trace is None and not context.tapes:  # as `scope.read`, without a call for each of hundreds
            read = [variable.stored for variable in self.read_only]
        else:
            read = [scope.read(variable) for variable in self.read_only]
        if self._fixed and not self.written:
            tensors = self._program([], read, *args)[1]
        elif self._fixed:
            with interrupts_held():  # between `take` and `give` nobody holds the values
                new_values, tensors = self._program([variable.take() for variable in self.written], read, *args)
                self._give(new_values)
        else:
            # Following the function a second time may raise, and compiling takes long: nothing is given away until
            # that is over.
            new_values, tensors = self._program([backend.copy(one.stored) for one in self.written], read, *args)
            with interrupts_held():
                self._give(new_values)
        return tensors

    def _give(self, new_values: list[Any]) -> None:
        for variable, new in zip(self.written, new_values, strict=True):
            variable.give(new)


def _new_variables(got: str) -> ArgumentError:
    return ArgumentError(
        "a function that writes the same variables each time",
        got,
        "jit",
        "Create all variables before the function is compiled.",
    )


class CompiledLoop(Compiled):
    """A stateful function of a step number and trees of tensors, run for a range of steps as one program.

    The range is given at each call, so that one compilation serves every number of steps.

    Args:
        function: `function(index, *args)`, as in `Compiled`.
        example: The arguments after `index`.
        optimize: As in `Compiled`.
    """

    def __init__(self, function: Callable[..., Any], example: tuple, optimize: bool | None = None) -> None:
        example = (backend.asarray(0, "int32"), *example)
        super().__init__(function, example, optimize)
        if self._stateful:
            *_, self._result = _discover(function, example)

    def _followed(self, args: tuple, start: Any = 0, stop: Any = 0) -> list[Any]:
        def body(index: Any, carry: list[Any]) -> list[Any]:
            tensors = Compiled._followed(self, (index, *args))
            return [_as_before(new, old) for new, old in zip(tensors, carry, strict=True)]

        return backend.repeat(body, start, stop, self._first())

    def _first(self) -> list[Any]:
        """What stands for the result before the first step."""
        return [
            backend.xp.zeros(one.shape, backend.native_dtype(one.dtype))
            for one in tree.flatten(self._result)
            if isinstance(one, Struct)
        ]

    def _pure(self, written_values: list[Any], read_values: list[Any], args: tuple, start: Any, stop: Any) -> tuple:
        def body(index: Any, carry: tuple) -> tuple:
            new_values, result = self._once(self._function, carry[0], read_values, (index, *args))
            tensors = self._tensors_of(result)
            return new_values, [_as_before(new, old) for new, old in zip(tensors, carry[1], strict=True)]

        return backend.repeat(body, start, stop, (written_values, self._first()))

    def __call__(self, start: int, stop: int, *args: Any) -> Any:
        """Runs the steps from `start` up to, not including, `stop`; gives the result of the last."""
        while self._stateful and stop - start > self._program.room:
            count = int(self._program.room)
            self._part(start, start + count, args)
            start += count
        return self._part(start, stop, args)

    def _part(self, start: int, stop: int, args: tuple) -> Any:
        return self._run(args, backend.asarray(start, "int32"), backend.asarray(stop, "int32"), steps=stop - start)


def _as_before(new: Any, old: Any) -> Any:
    return new if backend.dtype(new) == backend.dtype(old) else backend.cast(new, backend.dtype(old))


def _discover(function: Callable, example: tuple) -> tuple[list[Variable], list[Variable], Any]:
    """The variables that a function only reads, those it writes, and its result, by abstract evaluation."""
    structs = tree.map_structure(
        lambda one: Struct(backend.shape(one), backend.dtype(one)) if backend.is_array(one) else one, example
    )
    with Trace() as trace:
        result = backend.abstract(function, *structs)
    written = [variable for variable, _ in trace.updates()]
    ids = {id(one) for one in written}
    return [one for key, one in trace.read.items() if key not in ids], written, result


def stop_gradient(value: Any) -> Any:
    """`value`, a structure of tensors, through which no gradient flows."""
    return tree.map_structure(lambda one: backend.stop_gradient(_tensor(one)), value)


def custom_gradient(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A function with a gradient of its own.

    Args:
        fn: `fn(*args)` gives `(value, backward)`; `backward(upstream)` gives one gradient for each argument.

    Returns:
        A function of the same arguments that gives `value`.

    >>> import hornbeam as keras
    >>> @keras.ops.custom_gradient
    ... def clipped(x):
    ...     return x, lambda upstream: keras.ops.clip(upstream, -1.0, 1.0)
    >>> float(keras.grad(lambda x: clipped(x) * 5.0)(keras.ops.convert_to_tensor(2.0)))
    1.0
    """
    wrapped = backend.custom_gradient(fn)
    return functools.wraps(fn)(lambda *args, **kwargs: wrapped(*[_tensor(one) for one in args], **kwargs))


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f`, whose inner results are computed again for the gradient instead of kept in memory.

    T. Chen et al., "Training deep nets with sublinear memory cost", 2016.

    Args:
        f: A function of tensors, which may read and write variables; layers in it may add losses.

    Returns:
        A function of the same arguments that gives the same.

    >>> import hornbeam as keras
    >>> float(keras.grad(keras.remat(lambda x: keras.ops.sin(x) ** 2))(keras.ops.convert_to_tensor(0.0)))
    0.0
    """
    return remat_where(f, lambda _: True)


def remat_where(f: Callable[..., Any], worth: Callable[[Any], bool]) -> Callable[..., Any]:
    """As `remat`, but only where `worth` says so of the result without its values."""

    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        variables, written, found = _discover(lambda *values: f(*values, **kwargs), args)
        if not worth(found):
            return f(*args, **kwargs)
        used = [*variables, *written]
        lossy: list[Any] = []

        def pure(values: list[Any], inner: tuple) -> tuple[Any, list[Any], list[Any]]:
            with Trace(list(zip(used, values, strict=True))) as trace:
                for layer in scope.layers_with_losses():  # those of other calls: the second time there may be more
                    scope.write_losses(layer, [])
                result = f(*inner, **kwargs)
                new_values = [trace.get(variable) for variable in written]
            losses = [(layer, list(added)) for layer, added in trace.losses.values() if added]
            lossy[:] = [(layer, len(added)) for layer, added in losses]
            return result, new_values, [one for _, added in losses for one in added]

        result, new_values, losses = backend.remat(pure)([_current(one) for one in used], args)
        for variable, new in zip(written, new_values, strict=True):
            variable.assign(new)
        rest = iter(losses)
        for layer, count in lossy:
            scope.write_losses(layer, [*scope.read_losses(layer), *[next(rest) for _ in range(count)]])
        return result

    return wrapped
