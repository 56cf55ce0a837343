"""`Variable`: a named tensor that lives on between calls; the only mutable tensor there is."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import dtypes, scope, tree
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.scope import context

_AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")
_SYNCHRONIZATIONS = (None, "auto", "none", "on_write", "on_read")

_Base: type = backend.variable_base
_told_dtype, _told_shape = backend.told_dtype, backend.told_shape


class Variable(_Base):
    """A tensor with a name that keeps its value between calls and can be assigned.

    It can be used wherever a tensor can: in operators, in `hornbeam.ops`, in NumPy and in the framework's own
    functions.

    Args:
        initializer: The first value (array, number, nested list), or a callable `(shape, dtype) -> value`.
        shape: The shape, needed with a callable.
        dtype: A dtype name; None takes that of the value, or the default float type.
        trainable: Whether optimizers update it.
        autocast: Whether a layer with mixed precision reads it in the compute dtype.
        aggregation: How replicas of a distributed variable are merged: "none", "mean", "sum" or
            "only_first_replica".
        synchronization: When replicas are merged: "auto", "none", "on_write" or "on_read".
        name: A name without "/"; None counts up from "variable".

    Raises:
        ValueError: For a callable without a shape, a name with "/", or an unknown aggregation or synchronization.

    >>> v = Variable([1.0, 2.0], name="v")
    >>> v.assign_add([1.0, 1.0]).numpy().tolist()
    [2.0, 3.0]
    """

    __array_priority__ = 1000  # NumPy arrays give way to our operators

    def __init__(
        self,
        initializer: Any,
        shape: tuple[int, ...] | None = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ) -> None:
        self.constraint: Callable | None = kwargs.pop("constraint", None)
        self.regularizer: Callable | None = kwargs.pop("regularizer", None)
        if kwargs:
            raise ArgumentTypeError("known arguments", str(sorted(kwargs)), "Variable")
        name = name if name is not None else scope.auto_name("variable")
        if not isinstance(name, str) or "/" in name:
            raise ArgumentError("a name without '/'", repr(name), "Variable")
        if aggregation not in _AGGREGATIONS:
            raise ArgumentError(f"an aggregation out of {_AGGREGATIONS}", repr(aggregation), f"variable {name!r}")
        if synchronization not in _SYNCHRONIZATIONS:
            raise ArgumentError(
                f"a synchronization out of {_SYNCHRONIZATIONS}", repr(synchronization), f"variable {name!r}"
            )
        self.name = name
        self.path = "/".join((*context.path, name))
        self._trainable = _checked_flag(trainable, "trainable", name)
        self._autocast = bool(autocast)
        self.aggregation = aggregation
        self.synchronization = synchronization
        self.layout = layout
        self.overwrite_with_gradient = False
        self._lent = True
        if callable(initializer) and not hasattr(initializer, "shape"):
            if shape is None:
                raise ArgumentError("a shape together with a callable initializer", "shape=None", f"variable {name!r}")
            shape = standardize_shape(shape)
            self._dtype = dtypes.standardize_dtype(dtype)
            with backend.constants():
                value = initializer(shape, dtype=self._dtype)
        else:
            value = initializer.value if isinstance(initializer, Variable) else initializer
            if dtype is None:
                with backend.constants():
                    value = backend.asarray(value)
                dtype = backend.dtype(value)
            self._dtype = dtypes.standardize_dtype(dtype)
        self._handle = backend.new_variable(
            value, self._dtype, self._trainable, self.path, aggregation, synchronization
        )
        self._shape = backend.shape(backend.read(self._handle))
        if context.made is not None:
            context.made.append(weakref.ref(self))
        if shape is not None and self._shape != standardize_shape(shape):
            raise ArgumentError(f"a value of shape={tuple(shape)}", f"shape={self._shape}", f"variable {self.path!r}")

    @classmethod
    def around(cls, handle: Any, name: str) -> Variable:
        """A variable for one of the framework's own, which goes on being used as such; they share the value."""
        value = backend.read(handle)
        trainable = backend.is_trainable(handle)
        variable = cls(np.zeros((), np.float32), trainable=trainable, name=name.replace("/", "_"))
        variable._handle = handle
        variable._dtype, variable._shape = backend.dtype(value), backend.shape(value)
        return variable

    # --- pickle and copy: by value, so that it comes back where variables are made, on whatever device ---------

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handle": backend.to_numpy(backend.read(self._handle))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lent=True)
        self._handle = backend.new_variable(
            state["_handle"], self._dtype, self._trainable, self.path, self.aggregation, self.synchronization
        )

    # --- value ---------------------------------------------------------------------------------------------

    @property
    def stored(self) -> Any:
        """The true tensor, whatever is being traced; whoever asks may keep it, so it is not given away."""
        self._lent = True
        return backend.read(self._handle)

    @property
    def value(self) -> Any:
        """The tensor, as the code that asks should see it: traced, or cast for mixed precision."""
        reader = context.reader
        if reader is None:
            self._lent = True
            return backend.read(self._handle)
        return reader(self)

    def autocasted(self, value: Any, dtype: str) -> Any:
        """`value` in `dtype` if this variable takes part in mixed precision."""
        if self._autocast and self._dtype != dtype and dtypes.is_float(self._dtype):
            return backend.cast(value, dtype)
        return value

    def assign(self, value: Any) -> Variable:
        """Replaces the value.

        Args:
            value: Anything that becomes a tensor of the variable's shape; it is cast to its dtype.

        Returns:
            The variable itself.

        Raises:
            ValueError: If the shape differs. The variable keeps its value.
        """
        value = self._fitting(value)
        if context.trace is not None:
            context.trace.set(self, value)
        else:
            self._handle = backend.write(self._handle, value)
            self._lent = True
        return self

    def give(self, value: Any) -> None:
        """Replaces the value by a tensor that the caller gives away and that fits already."""
        if context.trace is not None:
            context.trace.set(self, value)
        else:
            self._handle = backend.write(self._handle, value)
            self._lent = False

    def take(self) -> Any:
        """The tensor, for a caller that will destroy it and then `give` a new one."""
        value = backend.read(self._handle)
        if self._lent:
            # somebody may still look at the present tensor: let that one be, and destroy a copy
            value = backend.copy(value)
        return value

    def assign_add(self, value: Any) -> Variable:
        """Adds `value` to the value."""
        if context.trace is None and backend.increase(self._handle, value):
            self._lent = True
            return self
        return self.assign(backend.xp.add(self._plain(), _operand(value)))

    def assign_sub(self, value: Any) -> Variable:
        """Subtracts `value` from the value."""
        return self.assign(backend.xp.subtract(self._plain(), _operand(value)))

    def _plain(self) -> Any:
        trace = context.trace
        return self.stored if trace is None else trace.get(self)

    def _fitting(self, value: Any) -> Any:
        if isinstance(value, Variable):
            value = value.value
        try:
            if value is None:  # to NumPy it would be NaN
                raise TypeError("None is no value")
            if not backend.is_array(value):
                value = backend.asarray(value, self._dtype)
            elif backend.dtype(value) != backend.dtype(self._plain()):
                value = backend.cast(value, self._dtype)
        except (TypeError, ValueError) as problem:
            raise ArgumentTypeError(
                f"a value of dtype {self._dtype} and shape={self._shape}", f"{describe(value)} ({problem})",
                f"variable {self.path!r}",
            ) from problem
        if backend.shape(value) != self._shape:
            raise ArgumentError(
                f"a value of shape={self._shape}", f"shape={backend.shape(value)}", f"assign to variable {self.path!r}",
                "The variable keeps its value.",
            )
        return value

    def numpy(self) -> np.ndarray:
        """The value as a NumPy array of its own."""
        return np.array(backend.to_numpy(self._plain()))

    # --- facts ---------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return _told_shape(self._shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._shape)

    @property
    def dtype(self) -> str:
        """The dtype name; inside a mixed-precision layer that in which it is read."""
        autocast = context.autocast
        if autocast is not None and self._autocast and dtypes.is_float(self._dtype):
            return _told_dtype(autocast)
        return _told_dtype(self._dtype)

    @property
    def trainable(self) -> bool:
        """Whether optimizers update it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = _checked_flag(value, "trainable", self.path)
        backend.set_trainable(self._handle, self._trainable)

    def __repr__(self) -> str:
        text = "traced" if context.trace is not None else np.array2string(self.numpy(), separator=", ", threshold=20)
        return f"<Variable path={self.path}, shape={self._shape}, dtype={self._dtype}, value={text}>"

    # --- protocols -----------------------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        result = np.asarray(backend.to_numpy(self.value))
        return result.astype(dtype, copy=False) if dtype is not None else result

    def __jax_array__(self) -> Any:
        return self.value

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        # a function of torch that was given variables among its arguments
        args, kwargs = tree.map_structure(_plain_value, (args, kwargs or {}))
        return function(*args, **kwargs)

    def __bool__(self) -> bool:
        return bool(self._item())

    def _item(self) -> Any:
        value = self.value
        return value if backend.is_traced(value) else backend.to_numpy(value).item()

    def __float__(self) -> float:
        return float(self._item())

    def __int__(self) -> int:
        return int(self._item())

    def __index__(self) -> int:
        return self.value.__index__()

    def __len__(self) -> int:
        if not self._shape:
            raise ArgumentTypeError("a variable with axes", "shape=()", f"len of variable {self.path!r}")
        return self._shape[0]

    def __getitem__(self, key: Any) -> Any:
        return self.value[key]

    def __iter__(self) -> Any:
        return iter(self.value)

    def __hash__(self) -> int:
        return id(self)


def assign_all(pairs: list[tuple[Variable, Any]]) -> None:
    """Assigns to many variables at once; for values that fit but perhaps for their dtype."""
    fitting = [
        value if backend.dtype(value) == variable._dtype else variable._fitting(value) for variable, value in pairs
    ]
    if context.trace is not None:
        for (variable, _), value in zip(pairs, fitting, strict=True):
            context.trace.set(variable, value)
        return
    handles = backend.write_all([variable._handle for variable, _ in pairs], fitting)
    for (variable, _), handle in zip(pairs, handles, strict=True):
        variable._handle = handle
        variable._lent = True


def _plain_value(value: Any) -> Any:
    return value.value if isinstance(value, Variable) else value


def _operand(value: Any) -> Any:
    if isinstance(value, Variable):
        return value.value
    return value if backend.is_array(value) or isinstance(value, (int, float)) else backend.asarray(value)


def _checked_flag(value: Any, what: str, where: str) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentTypeError(f"{what} to be True or False", repr(value), where)
    return bool(value)


def standardize_shape(shape: Any) -> tuple:
    """`shape` as a tuple of ints and Nones, checked."""
    if isinstance(shape, (int, np.integer)):
        shape = (shape,)
    if not hasattr(shape, "__iter__"):
        raise ArgumentTypeError("a shape: a tuple of integers and Nones", describe(shape))
    result = []
    for axis in shape:
        if axis is None:
            result.append(None)
            continue
        if isinstance(axis, bool) or not hasattr(axis, "__index__"):
            raise ArgumentTypeError("a shape of integers and Nones", repr(tuple(shape)))
        if axis.__index__() < 0:
            raise ArgumentError("a shape without negative sizes", repr(tuple(shape)))
        result.append(axis.__index__())
    return tuple(result)
