"""`Metric`: a number (or several) gathered over batches; it knows variables, not models, losses or training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam import _config, dtype_policies, dtypes, initializers, scope
from hornbeam._arguments import Recorded
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnsupportedError, ValueStateError
from hornbeam.saving.config import deserialize_value, serialize_value
from hornbeam.scope import Trace
from hornbeam.tracking import Tracking, unique
from hornbeam.variable import Variable, standardize_shape


class Metric(Recorded, Tracking):
    """What is gathered over batches: `update_state` takes a batch in, `result` gives the value so far.

    A subclass makes its variables with `add_variable` in `__init__` and writes `update_state` and `result`.
    Metrics assigned to attributes, also in lists and dicts, belong to it.

    Args:
        dtype: The dtype name (or policy) of the variables and of the result; None takes the default float type.
        name: A name; None counts up from the class's name in snake case.

    >>> import hornbeam as keras
    >>> class Largest(keras.metrics.Metric):
    ...     def __init__(self, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.largest = self.add_variable((), "zeros", name="largest")
    ...     def update_state(self, values, sample_weight=None):
    ...         self.largest.assign(keras.ops.maximum(self.largest, keras.ops.max(values)))
    ...     def result(self):
    ...         return self.largest.value
    >>> float(Largest()([1.0, 3.0, 2.0]))
    3.0
    """

    tracked_kind = "metric"

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        if name is None:
            name = scope.auto_name(scope.to_snake_case(type(self).__name__))
        elif not isinstance(name, str) or "/" in name:
            raise ArgumentError("a name without '/'", repr(name), type(self).__name__)
        self.name = name
        # results are worth their digits also where the global policy computes in half precision
        self._dtype = _config.floatx() if dtype is None else _dtype_name(dtype)
        self.__dict__["_own_variables"] = []

    @property
    def dtype(self) -> str:
        """The dtype name of the variables and of the result."""
        return self._dtype

    # --- state -----------------------------------------------------------------------------------------------

    def add_variable(
        self, shape: Any, initializer: Any, dtype: Any = None, aggregation: str | None = "sum", name: str | None = None
    ) -> Variable:
        """Makes a variable that belongs to the metric.

        Args:
            shape: The shape, without None.
            initializer: An initializer, its name, a callable `(shape, dtype)` or a value.
            dtype: The dtype name; by default that of the metric.
            aggregation: How replicas are merged, as in `Variable`.
            name: A name; None counts up from "variable".

        Returns:
            The variable; it is never trained.
        """
        self._check_super_called()
        shape = standardize_shape(shape)
        if None in shape:
            raise ArgumentError("a shape without None", f"shape={shape}", f"add_variable of {self._where()}")
        if initializer is None or isinstance(initializer, (str, dict)):
            initializer = initializers.get("zeros" if initializer is None else initializer)
        with scope.name_scope(self.name):
            variable = Variable(
                initializer, shape, self.dtype if dtype is None else dtypes.standardize_dtype(dtype),
                trainable=False, autocast=False, aggregation=aggregation, name=name,
                # each replica gathers what it sees itself; a sum is over all that all have seen
                synchronization="on_read" if aggregation == "sum" else "auto",
            )
        self._own_variables.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None,
        aggregation: str | None = "sum",
    ) -> Variable:
        """As `add_variable`; a scalar that starts at 0 by default."""
        return self.add_variable(shape, initializer, dtype, aggregation, name)

    @property
    def variables(self) -> list[Variable]:
        """The variables of the metric, then those of the metrics inside."""
        self._check_super_called()
        found = [*self._own_variables, *self._found_variables()]
        for metric in self._found("metric"):
            found.extend(metric.variables)
        return unique(found)

    def reset_state(self) -> None:
        """Sets all variables to 0: nothing has been seen."""
        for variable in unique([*self._own_variables, *self._found_variables()]):
            variable.assign(backend.xp.zeros(variable.shape, dtype=backend.native_dtype(variable.dtype)))
        for metric in self._found("metric"):
            metric.reset_state()

    def reset_states(self) -> None:
        """Older name of `reset_state`."""
        self.reset_state()

    # --- values ----------------------------------------------------------------------------------------------

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Takes a batch in; written by subclasses."""
        raise UnsupportedError("a metric with an `update_state` method", "none", self._where())

    def result(self) -> Any:
        """The value so far, a tensor or a dict of tensors; written by subclasses."""
        raise UnsupportedError("a metric with a `result` method", "none", self._where())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Takes a batch in and gives the value so far, that batch included."""
        self._check_super_called()
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """`update_state` as a pure function.

        Args:
            metric_variables: A value for each of `variables`.
            *args: Arguments of `update_state`.
            **kwargs: Keyword arguments of `update_state`.

        Returns:
            The new values of the variables.

        >>> import hornbeam as keras
        >>> metric = keras.metrics.Mean()
        >>> state = metric.stateless_update_state(metric.stateless_reset_state(), [1.0, 3.0])
        >>> float(metric.stateless_result(state)), float(metric.result())
        (2.0, 0.0)
        """
        with self._standing_for(metric_variables, "stateless_update_state") as trace:
            self.update_state(*args, **kwargs)
            return [trace.get(variable) for variable in self.variables]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """`result` for these values of `variables`."""
        with self._standing_for(metric_variables, "stateless_result"):
            return self.result()

    def stateless_reset_state(self) -> list[Any]:
        """The values that `variables` have before anything is seen."""
        with Trace() as trace:
            self.reset_state()
            return [trace.get(variable) for variable in self.variables]

    def _standing_for(self, values: Sequence[Any], what: str) -> Trace:
        variables = self.variables
        if len(values) != len(variables):
            raise ArgumentError(
                f"{len(variables)} values, one for each variable", f"{len(values)}", f"{what} of {self._where()}"
            )
        return Trace([
            (variable, value if backend.is_array(value) else backend.asarray(_value_of(value), variable.dtype))
            for variable, value in zip(variables, values, strict=True)
        ])

    # --- saving ----------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric, derived from those it was made with.

        An argument that the metric keeps as an attribute of the same name is taken from there, so that it is in
        its settled form. Subclasses override it only where a file needs another form.
        """
        config: dict[str, Any] = {"name": self.name, "dtype": self.dtype}
        for name, value in self._settled_arguments(without=config).items():
            config[name] = serialize_value(value)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A metric made from what `get_config` gave; nested objects are made from their own configs first."""
        from_wire = {key: deserialize_value(value) for key, value in config.items()}
        try:
            return cls(**from_wire)
        except TypeError as problem:
            raise ArgumentTypeError(
                f"a config that {cls.__name__} can be made from", f"{sorted(config)} ({problem})",
                f"{cls.__name__}.from_config", "Override get_config to return exactly the arguments of __init__.",
            ) from problem

    def save_own_variables(self, store: Any) -> None:
        """Writes the metric's own variables into a mapping of names to arrays."""
        for index, variable in enumerate(unique([*self._own_variables, *self._found_variables()])):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads the metric's own variables from a mapping of names to arrays."""
        own = unique([*self._own_variables, *self._found_variables()])
        if len(store.keys()) != len(own):
            raise ArgumentError(f"{len(own)} variables", f"{len(store.keys())} in the file", self._where())
        for index, variable in enumerate(own):
            variable.assign(store[str(index)])

    # --- helpers ---------------------------------------------------------------------------------------------

    def _check_super_called(self) -> None:
        if "_own_variables" not in self.__dict__:
            raise ValueStateError(
                "super().__init__() to be called at the start of __init__", "a metric without it", type(self).__name__
            )

    def _where(self) -> str:
        return f"{type(self).__name__} {self.__dict__.get('name')!r}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.__dict__.get('name')}>"


def _dtype_name(dtype: Any) -> str:
    if isinstance(dtype, (dtype_policies.DTypePolicy, dict)) or (isinstance(dtype, str) and dtype.startswith("mixed")):
        return dtype_policies.get(dtype).compute_dtype
    return dtypes.standardize_dtype(dtype)


def _value_of(value: Any) -> Any:
    return value.value if isinstance(value, Variable) else value
