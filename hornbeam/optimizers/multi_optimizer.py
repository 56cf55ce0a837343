"""`MultiOptimizer` and `OptimizerMap`: different optimizers for different variables of one model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownAttributeError, describe
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.saving.config import deserialize_value, names_of_class, serialize_value
from hornbeam.variable import Variable


@wire("keras.optimizers.OptimizerMap")
class OptimizerMap(MutableMapping):
    """Optimizers by regular expressions that match whole paths of variables.

    Args:
        default_optimizer: The optimizer of variables that no expression matches.
        optimizer_map: Optimizers by expression.

    Raises:
        ValueError: For an expression that is there already, or what is no optimizer.

    >>> import hornbeam as keras
    >>> found = keras.optimizers.OptimizerMap(keras.optimizers.SGD(), {".*/bias": keras.optimizers.Adam()})
    >>> type(found["dense/kernel"]).__name__, type(found["dense/bias"]).__name__
    ('SGD', 'Adam')
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: Mapping[str, Optimizer] | None = None) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise ArgumentTypeError("an optimizer as default_optimizer", describe(default_optimizer), "OptimizerMap")
        self._default_optimizer = default_optimizer
        self._optimizer_map: dict[str, Optimizer] = {}
        for pattern, optimizer in (optimizer_map or {}).items():
            self[pattern] = optimizer

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of variables that no expression matches."""
        return self._default_optimizer

    def __getitem__(self, key: str) -> Optimizer:
        """The optimizer for the variable with this path."""
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        found = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ArgumentError(f"one optimizer for the variable {key!r}", f"those of {found}", "OptimizerMap")
        return self._optimizer_map[found[0]] if found else self._default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if key in self._optimizer_map:
            raise ArgumentError("an expression that is not there yet", repr(key), "OptimizerMap", "Delete it first.")
        if not isinstance(optimizer, Optimizer):
            raise ArgumentError("an optimizer", describe(optimizer), f"OptimizerMap[{key!r}]")
        try:
            re.compile(key)
        except re.error as problem:
            raise ArgumentError("a regular expression", f"{key!r} ({problem})", "OptimizerMap") from problem
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __contains__(self, key: Any) -> bool:
        return key in self._optimizer_map

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal map."""
        return {
            "default_optimizer": serialize_value(self._default_optimizer),
            "optimizer_map": {pattern: serialize_value(one) for pattern, one in self._optimizer_map.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A map made from what `get_config` gave."""
        return cls(**{name: deserialize_value(value) for name, value in config.items()})


@wire("keras.optimizers.MultiOptimizer")
class MultiOptimizer(Optimizer):
    """Trains each variable with the optimizer that an `OptimizerMap` has for its path.

    Args:
        optimizer_map: An `OptimizerMap`.
        loss_scale_factor: The loss scale of all of them.
        name: A name.

    >>> import hornbeam as keras
    >>> a, b = keras.Variable([1.0], name="a"), keras.Variable([1.0], name="b")
    >>> chosen = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.5), {"b": keras.optimizers.SGD(0.25)})
    >>> keras.optimizers.MultiOptimizer(chosen).apply([keras.ops.ones(1)] * 2, [a, b])
    >>> float(a[0]), float(b[0])
    (0.5, 0.75)
    """

    def __init__(
        self, optimizer_map: OptimizerMap, loss_scale_factor: float | None = None, name: str | None = None
    ) -> None:
        if not isinstance(optimizer_map, OptimizerMap):
            raise ArgumentTypeError("an OptimizerMap", describe(optimizer_map), "MultiOptimizer")
        super().__init__(learning_rate=0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = optimizer_map
        if loss_scale_factor is not None:
            for one in self.optimizers:
                one.loss_scale_factor = loss_scale_factor

    @property
    def optimizers(self) -> list[Optimizer]:
        """All optimizers, each once; the default one last."""
        found = [*self.optimizer_map.values(), self.optimizer_map.default_optimizer]
        return list({id(one): one for one in found}.values())

    def build(self, variables: Iterable[Variable]) -> None:
        """Gives each optimizer its variables."""
        if self.built:
            return
        self._register(variables)
        self._optimizer_of = [self.optimizer_map[one.path] for one in self._trainable_variables]
        for optimizer in self.optimizers:
            pairs = zip(self._trainable_variables, self._optimizer_of, strict=True)
            optimizer.build([one for one, chosen in pairs if chosen is optimizer])
        self.built = True

    @property
    def variables(self) -> list[Variable]:
        """The state: its own, then that of each optimizer."""
        return [*self._variables, *(variable for one in self.optimizers for variable in one.variables)]

    @property
    def learning_rate(self) -> Any:
        """There is none: each optimizer has its own."""
        raise UnknownAttributeError(
            "one learning rate", "several optimizers, each with its own", self._where(),
            "Use the learning_rate of one of `optimizers`.",
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.learning_rate  # noqa: B018 - raises

    def _step(self, pairs: list[tuple[Any, Variable]]) -> None:
        for optimizer in self.optimizers:
            mine = [pair for pair in pairs if self._optimizer_of[self._places[id(pair[1])]] is optimizer]
            if mine:
                optimizer.apply_gradients(mine)
        self._iterations.assign(self._iterations.value + 1)

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leaves variables out of the weight decay of every optimizer."""
        var_list, var_names = list(var_list or ()), list(var_names or ())
        for one in self.optimizers:
            one.exclude_from_weight_decay(var_list, var_names)

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Called at the end of training."""
        var_list = list(var_list)
        for one in self.optimizers:
            one.finalize_variable_values(var_list)

    def _children(self) -> list[tuple[str, Any]]:
        return [("optimizers", self.optimizers)]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        # a map is a Mapping as well, and those are written as plain dicts
        module, class_name, registered_name = names_of_class(type(self.optimizer_map))
        written = {
            "module": module, "class_name": class_name, "config": self.optimizer_map.get_config(),
            "registered_name": registered_name,
        }
        return {
            "optimizer_map": written, "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }
