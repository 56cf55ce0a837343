"""`@op`: makes one function an op, with eager execution, graph recording, shape inference and a wire form.

The body of an op sees tensors of the active backend (or Python numbers) and plain configuration; everything
else, from variables to symbolic tensors, is settled here, once for all ops.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from hornbeam import _config, tree
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.dtypes import FLOATS, is_float, kind_of, promote
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.symbolic import KerasTensor, Operation, infer, record
from hornbeam.variable import Variable

Tensor = Any  # a tensor of the active backend
TensorLike = Any  # what becomes one: tensors, Variables, arrays, numbers, nested lists; or a KerasTensor
Axis = int | Sequence[int] | None

_Function = TypeVar("_Function", bound=Callable[..., Any])

# How an argument of a class is treated: as it is, by its `.value`, recorded, converted, looked into.
_PLAIN, _VARIABLE, _SYMBOLIC, _FOREIGN, _CONTAINER = range(5)
_kinds: dict[type, int] = dict.fromkeys((int, float, bool, complex, str, type(None), slice, type(...)), _PLAIN)
# those taken as they are, as a set, since an op asks for each of its arguments
_as_they_are: set[type] = set(_kinds)


def _classify(value: Any) -> int:
    cls = type(value)
    if issubclass(cls, KerasTensor):
        kind = _SYMBOLIC
    elif issubclass(cls, Variable):
        kind = _VARIABLE
    elif issubclass(cls, (list, tuple, dict)):
        kind = _CONTAINER
    elif backend.is_array(value):
        kind = _PLAIN
    else:
        kind = _FOREIGN
    _kinds[cls] = kind
    if kind == _PLAIN:
        _as_they_are.add(cls)
    return kind


class _Symbolic(Exception):
    """Raised inside `_convert` when a symbolic tensor turns up."""



def convert(value: Any) -> Any:
    """`value` as a tensor of the backend; numbers and None stay as they are."""
    cls = type(value)
    kind = _kinds.get(cls)
    if kind is None:
        kind = _classify(value)
    if kind == _PLAIN:
        return value
    if kind == _VARIABLE:
        return value.value
    if kind == _SYMBOLIC:
        raise _Symbolic
    if kind == _CONTAINER:
        parts = [convert(one) for one in tree.flatten(value)]
        if any(backend.is_array(one) for one in parts):
            return backend.xp.stack([backend.asarray(convert(one)) for one in value])
    try:
        return backend.asarray(value)
    except (TypeError, ValueError) as problem:
        if getattr(getattr(value, "dtype", None), "kind", "") not in "OSU" or not hasattr(value, "dtype"):
            raise
        raise ArgumentTypeError(
            "numbers", describe(value),
            fix="Texts go through TextVectorization, StringLookup or Hashing first; numbers that are objects through "
            "array.astype('float32').",
        ) from problem  # fmt: skip


def convert_each(values: Any) -> Any:
    """A list or tuple of tensors, each converted; a single tensor is converted as it is."""
    if isinstance(values, (list, tuple)):
        return [convert(one) for one in values]
    return convert(values)


class Op(Operation):
    """One application of an op in a graph: the op's function plus the configuration of this application."""

    definition: Definition

    def __init__(self, name: str | None = None, **config: Any) -> None:
        super().__init__(name=name)
        self.config = config

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the op on tensors."""
        return self.definition.eager(*args, **kwargs, **self.config)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self.call(*args, **kwargs)
        except _Symbolic:
            return self.symbolic_call(*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic result, by the op's rule if it has one, else by abstract evaluation."""
        rule = self.definition.spec
        if rule is not None:
            return rule(*args, **kwargs, **self.config)
        return infer(self.definition.eager, args, {**kwargs, **self.config})

    def get_config(self) -> dict[str, Any]:
        """Name and configuration."""
        return {"name": self.name, **self.config}

    def __reduce__(self) -> tuple:
        # its class stands in no module; the function that it applies does
        return _application, (self.definition.function,), self.__dict__


def _application(function: Any) -> Op:
    cls = function.definition.operation_class
    return cls.__new__(cls)


class Definition:
    """What `@op` knows of one op.

    Attributes:
        body: The function as written, or the backend's own.
        plain: The function as written.
        tensors: Names of the parameters that take tensors.
        lists: Those of them that take a list of tensors.
        spec: A shape rule, or None.
        function: The function as users call it.
        operation_class: The class of its nodes, whose wire name files carry.
    """

    function: Callable[..., Any]

    def __init__(
        self, function: Callable, wire_name: str, tensors: Sequence[str] | None, lists: Sequence[str], spec: Any
    ) -> None:
        self.name = function.__name__
        self.signature = inspect.signature(function)
        parameters = list(self.signature.parameters.values())
        if tensors is None:
            tensors = [one.name for one in parameters if one.default is inspect.Parameter.empty]
        self.tensors = tuple(tensors)
        self.lists = frozenset(lists)
        self.variadic = any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters)
        # how each positional argument is converted; None is configuration
        self.positions = tuple(
            (convert_each if one.name in self.lists else convert) if one.name in self.tensors else None
            for one in parameters
        )
        self.plain = function
        self.body = backend.overrides.get(self.name, function)
        self.spec = spec
        class_name = wire_name.rpartition(".")[2]
        self.operation_class = type(class_name, (Op,), {"definition": self, "__doc__": function.__doc__})
        wire(wire_name)(self.operation_class)

    def eager(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the op; raises `_Symbolic` if an argument is symbolic."""
        if self.variadic:
            return self.body(*[convert(one) for one in args], **kwargs)
        ready = [
            one if position is None else position(one) for one, position in zip(args, self.positions, strict=False)
        ]
        if len(args) > len(self.positions):
            ready.extend(args[len(self.positions) :])  # let Python word the error
        for name in kwargs:
            if name in self.tensors:
                kwargs[name] = (convert_each if name in self.lists else convert)(kwargs[name])
        return self.body(*ready, **kwargs)

    def symbolic(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Records the op in the graph."""
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        positional: list[Any] = []
        named: dict[str, Any] = {}
        config: dict[str, Any] = {}
        for parameter in self.signature.parameters.values():
            value = bound.arguments[parameter.name]
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                positional.extend(value)
            elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
                config.update(value)
            elif parameter.name not in self.tensors:
                config[parameter.name] = value
            elif parameter.default is inspect.Parameter.empty:
                positional.append(value)
            elif value is not None:
                named[parameter.name] = value
        operation = self.operation_class(**config)
        return record(operation, tuple(positional), named, operation.compute_output_spec(*positional, **named))


def op(
    wire_name: str,
    *,
    tensors: Sequence[str] | None = None,
    lists: Sequence[str] = (),
    spec: Callable[..., Any] | None = None,
) -> Callable[[_Function], _Function]:
    """Makes a function an op.

    Args:
        wire_name: The name that a graph node has in files, such as ``"keras.src.ops.numpy.Mean"``.
        tensors: The parameters that take tensors; by default those without a default value.
        lists: The parameters among them that take a list of tensors.
        spec: A shape rule with the op's parameters that gives `KerasTensor`s; a speed-up over abstract
            evaluation, against which tests hold it.

    Returns:
        A decorator. The function it gives runs at once on tensors and records a node on symbolic ones.
    """

    def decorate(function: _Function) -> _Function:
        definition = Definition(function, wire_name, tensors, lists, spec)
        eager, symbolic = definition.eager, definition.symbolic
        named_tensors = frozenset(definition.tensors)

        @functools.wraps(function)
        def apply(*args: Any, **kwargs: Any) -> Any:
            if _as_they_are.issuperset(map(type, args)) and (not kwargs or named_tensors.isdisjoint(kwargs)):
                return definition.body(*args, **kwargs)  # as mostly inside a layer: tensors of the backend and settings
            try:
                return eager(*args, **dict(kwargs) if kwargs else kwargs)
            except _Symbolic:
                return symbolic(args, kwargs)

        definition.function = apply
        apply.definition = definition
        return apply  # type: ignore[return-value]

    return decorate


# --- the promotion rules, said once ------------------------------------------------------------------------------


def same_dtype(*values: Any) -> list[Any]:
    """Tensors and numbers, all cast to the dtype of an operation on them; numbers become tensors if need be."""
    first = getattr(values[0], "dtype", None)
    if first is not None and all(getattr(one, "dtype", None) == first for one in values[1:]):
        return list(values)
    dtype = promote(*(kind_of(one) for one in values))
    if backend.weak_numbers and any(backend.is_array(one) for one in values):
        return [one if type(one) in _NUMBERS else _cast_to(one, dtype) for one in values]
    return [_cast_to(one, dtype) for one in values]


_NUMBERS = frozenset({int, float, bool})


def _cast_to(value: Any, dtype: str) -> Any:
    if not backend.is_array(value):
        return backend.asarray(value, dtype)
    return value if backend.dtype(value) == dtype else backend.cast(value, dtype)


def as_tensor(value: Any) -> Any:
    """A tensor or number as a tensor."""
    return value if backend.is_array(value) else backend.asarray(value)


def as_float(value: Any) -> Any:
    """A tensor of a float (or complex) dtype: ints and bools become the default float type."""
    value = as_tensor(value)
    dtype = backend.dtype(value)
    if dtype in FLOATS or dtype.startswith("complex"):
        return value
    return backend.cast(value, _config.floatx())


def float_dtype(*values: Any) -> str:
    """The float dtype of an operation on these that gives floats."""
    dtype = promote(*(kind_of(one) for one in values))
    return dtype if is_float(dtype) or dtype.startswith("complex") else promote(dtype, "float")


def as_floats(*values: Any) -> list[Any]:
    """Tensors and numbers, all cast to one float dtype."""
    dtype = float_dtype(*values)
    return [_cast_to(one, dtype) for one in values]


# --- shape rules -----------------------------------------------------------------------------------------------


def like(x: Any, *_: Any, **__: Any) -> KerasTensor:
    """Rule: the result is like the first tensor."""
    return KerasTensor(x.shape, x.dtype, sparse=getattr(x, "sparse", False))


def like_float(x: Any, *_: Any, **__: Any) -> KerasTensor:
    """Rule: shape of the first tensor, its dtype made float."""
    return KerasTensor(x.shape, float_dtype(x))


def like_bool(x: Any, *_: Any, **__: Any) -> KerasTensor:
    """Rule: shape of the first tensor, bool."""
    return KerasTensor(x.shape, "bool")


def broadcast(x1: Any, x2: Any, *_: Any, **__: Any) -> KerasTensor:
    """Rule: two tensors broadcast and promoted."""
    return KerasTensor(broadcast_shapes(_shape(x1), _shape(x2)), promote(kind_of(_leafy(x1)), kind_of(_leafy(x2))))


def broadcast_float(x1: Any, x2: Any, *_: Any, **__: Any) -> KerasTensor:
    """Rule: two tensors broadcast, promoted and made float."""
    return KerasTensor(broadcast_shapes(_shape(x1), _shape(x2)), float_dtype(_leafy(x1), _leafy(x2)))


def broadcast_bool(x1: Any, x2: Any, *_: Any, **__: Any) -> KerasTensor:
    """Rule: two tensors broadcast, bool."""
    return KerasTensor(broadcast_shapes(_shape(x1), _shape(x2)), "bool")


def _leafy(value: Any) -> Any:
    return backend.asarray(value) if isinstance(value, (list, tuple)) else value


def _shape(value: Any) -> tuple[int | None, ...]:
    shape = getattr(value, "shape", None)
    return tuple(np.shape(value)) if shape is None else tuple(shape)


def broadcast_shapes(first: Sequence[int | None], second: Sequence[int | None]) -> tuple[int | None, ...]:
    """The shape of two tensors broadcast against each other; None meets 1 as None and n as n.

    Raises:
        ValueError: If the shapes do not fit.
    """
    result: list[int | None] = []
    for position in range(-max(len(first), len(second)), 0):
        a = first[position] if -position <= len(first) else 1
        b = second[position] if -position <= len(second) else 1
        if a == 1:
            result.append(b)
        elif b == 1 or a == b or b is None:
            result.append(a)
        elif a is None:
            result.append(b)
        else:
            raise ArgumentError("shapes that broadcast", f"{tuple(first)} and {tuple(second)}")
    return tuple(result)


def normalized_axis(axis: int, rank: int, where: str = "") -> int:
    """`axis` counted from the front.

    Raises:
        ValueError: If it lies outside a tensor of `rank` axes.
    """
    if isinstance(axis, bool) or not hasattr(axis, "__index__"):
        raise ArgumentTypeError("an integer axis", repr(axis), where)
    axis = axis.__index__()
    if not -rank <= axis < rank:
        raise ArgumentError(f"an axis in [{-rank}, {rank})", f"axis={axis}", where)
    return axis % rank


def reduced(x: Any, axis: Axis, keepdims: bool, dtype: str) -> KerasTensor:
    """The result of a reduction of `x` over `axis`."""
    rank = len(x.shape)
    axes = (
        range(rank)
        if axis is None
        else [normalized_axis(one, rank) for one in ([axis] if isinstance(axis, int) else axis)]
    )
    if keepdims:
        return KerasTensor([1 if i in axes else size for i, size in enumerate(x.shape)], dtype)
    return KerasTensor([size for i, size in enumerate(x.shape) if i not in axes], dtype)
