"""`LayerState`: what a layer owns (variables, layers inside, losses they add), and how that is read and set.

It knows nothing of calls.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam import constraints, dtypes, initializers, layers, regularizers, scope, tree
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, ValueStateError, describe
from hornbeam.tracking import Tracking, unique
from hornbeam.variable import Variable, standardize_shape

if TYPE_CHECKING:
    from hornbeam.layers.layer import Layer


def remembered(function: Callable[[Any], list[Any]]) -> Callable[[Any], list[Any]]:
    """A method that looks through all layers, and does so once while a trainer says that nothing moves (`_kept`)."""
    key = f"{function.__module__}.{function.__name__}"

    @functools.wraps(function)
    def look(self: Any) -> list[Any]:
        kept = self.__dict__.get("_kept")
        if kept is None:
            return function(self)
        found = kept.get(key)
        if found is None:
            found = kept[key] = function(self)
        return list(found)

    return look


class LayerState(Tracking):
    """The half of a layer that owns things; mixed into `Layer`."""

    _own_trainable: list[Variable]
    _own_frozen: list[Variable]

    @staticmethod
    def _keyed(layers: list[Any]) -> list[tuple[str, Any]]:
        """The layers in a list with the keys that a framework has for them: the names that they were given.

        Names that layers take by themselves count up in a process; here they count up in the list, so that two models
        made alike have the same keys.
        """
        counts: dict[str, int] = {}
        result = []
        for one in layers:
            if getattr(one, "tracked_kind", "") != "layer":
                continue
            key, own = one.name, scope.to_snake_case(type(one).__name__)
            if re.fullmatch(rf"{own}(_\d+)?", key):
                counts[own] = count = counts.get(own, -1) + 1
                key = f"{own}_{count}" if count else own
            result.append((key, one))
        return result

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Makes a variable that belongs to the layer.

        Args:
            shape: The shape; () by default.
            initializer: An initializer, its name, or a callable `(shape, dtype)`; by default Glorot uniform for
                floats and zeros otherwise.
            dtype: The dtype name; by default the variable dtype of the layer.
            trainable: Whether it is trained.
            autocast: Whether it is read in the compute dtype under mixed precision.
            regularizer: A regularizer or its name; its loss is in `losses`.
            constraint: A constraint or its name, applied after each update.
            aggregation: See `Variable`.
            overwrite_with_gradient: Whether an optimizer replaces the value by the gradient.
            name: The name; "variable" by default.

        Returns:
            The variable.
        """
        self._check_super_called()
        shape = standardize_shape(() if shape is None else shape)
        if None in shape:
            raise ArgumentError("a shape without None", f"shape={shape}", f"add_weight of {self._where()}")
        dtype = self.variable_dtype if dtype is None else dtypes.standardize_dtype(dtype)
        if initializer is None:
            initializer = "glorot_uniform" if dtypes.is_float(dtype) else "zeros"
        if isinstance(initializer, (str, dict)) or (not callable(initializer) and not hasattr(initializer, "shape")):
            initializer = initializers.get(initializer)
        with scope.own_scope(self.name):
            variable = Variable(
                initializer,
                shape,
                dtype,
                trainable,
                autocast,
                aggregation,
                name=name if name is not None else scope.auto_name("variable"),
                regularizer=regularizers.get(regularizer),
                constraint=constraints.get(constraint),
            )
        variable.overwrite_with_gradient = overwrite_with_gradient
        (self._own_trainable if trainable else self._own_frozen).append(variable)
        if not self._trainable:
            variable.trainable = False  # until the layer is
        return variable

    def add_variable(
        self, shape: Any, initializer: Any, dtype: Any = None, trainable: bool = True, **kwargs: Any
    ) -> Variable:
        """Older name of `add_weight`."""
        return self.add_weight(shape, initializer, dtype, trainable, **kwargs)

    def _tracked_value(self, name: str, value: Any) -> Any:
        if isinstance(value, Variable) and "_own_trainable" in self.__dict__:
            owned = self._own_trainable + self._own_frozen
            if not any(value is one for one in owned):
                (self._own_trainable if value.trainable else self._own_frozen).append(value)
        return value

    def _native_value(self, name: str, value: Any) -> Any:
        """Registers variables of the framework as the layer's own; the attribute stays what it is."""
        parts = backend.parts_of(value)
        if parts is None:  # a layer of the framework: one of ours around it
            value = getattr(layers, backend.module_wrapper)(value, name=name)
            self.__dict__["_tracked"][name] = None
            return value
        known = {id(one._handle) for one in self._own_variables()}
        for part, handle in parts:
            if id(handle) not in known:
                with scope.own_scope(self.name):
                    variable = Variable.around(handle, f"{name}_{part}" if part else name)
                (self._own_trainable if variable.trainable else self._own_frozen).append(variable)
        return value

    def __delattr__(self, name: str) -> None:
        value = self.__dict__.get(name)
        super().__delattr__(name)
        if isinstance(value, Variable):
            for own in (self._own_trainable, self._own_frozen):
                own[:] = [one for one in own if one is not value]

    def _own_variables(self) -> list[Variable]:
        """The variables that are not those of a layer inside: made here, in attributes, or in lists and dicts there."""
        known = {id(one) for own in (self._own_trainable, self._own_frozen) for one in own}
        for one in self._found_variables():
            if id(one) not in known:  # it came in a list or a dict, which may have grown since
                (self._own_trainable if one.trainable else self._own_frozen).append(one)
        return [*self._own_trainable, *self._own_frozen]

    def _trainable_flags(self) -> tuple[bool, ...]:
        """Whether the layer is trainable, and whether each variable is that it is known to have."""
        return (self._trainable, *[one._trainable for one in self._own_trainable + self._own_frozen])

    def _saved_variables(self) -> list[Variable]:
        """The own variables that files hold."""
        return self._own_variables()

    # --- state ---------------------------------------------------------------------------------------------

    def _sublayers(self) -> list[Layer]:
        """The layers directly inside, in order of assignment."""
        return self._found("layer")

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Layer]:
        """All layers inside at any depth, each once, outer before inner; or those directly inside. Programs call it."""
        if not recursive:
            return [self, *self._sublayers()] if include_self else self._sublayers()
        found: dict[int, Layer] = {id(self): self}
        stack = [self]
        while stack:
            for layer in reversed(stack.pop()._sublayers()):
                if id(layer) not in found:
                    found[id(layer)] = layer
                    stack.append(layer)
        layers = list(found.values())
        return layers if include_self else layers[1:]

    @property
    @remembered
    def variables(self) -> list[Variable]:
        """All variables of the layer and the layers inside, states of seed generators included."""
        found = self._own_variables()
        found.extend(generator.state for generator in self._found("seed"))
        for layer in self._sublayers():
            found.extend(layer.variables)
        return unique(found)

    @property
    @remembered
    def weights(self) -> list[Variable]:
        """Like `variables`, without the states of seed generators."""
        found = self._own_variables()
        for layer in self._sublayers():
            found.extend(layer.weights)
        return unique(found)

    @property
    @remembered
    def trainable_variables(self) -> list[Variable]:
        """The variables that are trained."""
        return [one for one in self.variables if one.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that are not trained, states of seed generators included."""
        return [one for one in self.variables if not one.trainable] if self.trainable else self.variables

    @property
    @remembered
    def trainable_weights(self) -> list[Variable]:
        """The weights that are trained."""
        return [one for one in self.weights if one.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that are not trained."""
        return [one for one in self.weights if not one.trainable] if self.trainable else self.weights

    @property
    @remembered
    def metrics(self) -> list[Any]:
        """The metrics of the layer and the layers inside."""
        found = self._found("metric")
        for layer in self._sublayers():
            found.extend(layer.metrics)
        return unique(found)

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of the metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether the variables may be trained; setting it sets it for all layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not isinstance(value, (bool, np.bool_)):
            raise ArgumentTypeError("trainable to be True or False", repr(value), self._where())
        self._trainable = bool(value)
        self._own_variables()
        for variable in self._own_trainable:
            variable.trainable = bool(value)
        for layer in self._sublayers():
            layer.trainable = bool(value)

    def get_weights(self) -> list[np.ndarray]:
        """The values of all weights, as NumPy arrays of their own."""
        return [one.numpy() for one in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Sets all weights at once, in the order of `get_weights`.

        Raises:
            ValueError: If their number or a shape differs; nothing is set then.
        """
        own = self.weights
        if len(own) != len(weights):
            raise ArgumentError(
                f"{len(own)} arrays, one for each weight", f"{len(weights)}", f"set_weights of {self._where()}"
            )
        values = [np.asarray(one) for one in weights]
        for variable, value in zip(own, values, strict=True):
            if tuple(variable.shape) != value.shape:
                raise ArgumentError(
                    f"shape={tuple(variable.shape)} for {variable.path!r}",
                    f"shape={value.shape}",
                    f"set_weights of {self._where()}",
                    "No weight was changed.",
                )
        # each is made to fit before the first is set
        fitting = [variable._fitting(value) for variable, value in zip(own, values, strict=True)]
        for variable, value in zip(own, fitting, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """How many numbers the weights hold.

        Raises:
            ValueError: If the layer is not built.
        """
        if not self.built:
            raise ValueStateError(
                "a built layer",
                "an unbuilt one",
                f"count_params of {self._where()}",
                "Call it on data or call `build(input_shape)`.",
            )
        return sum(int(np.prod(one.shape)) for one in self.weights)

    # --- losses --------------------------------------------------------------------------------------------

    def add_loss(self, loss: Any) -> None:
        """Adds a scalar tensor, or several, to `losses` for this forward pass.

        Args:
            loss: A scalar tensor or a list of them. In `fit` they are added to the loss.
        """
        added = [one for one in tree.flatten(loss) if one is not None]
        for one in added:
            if callable(one) and not backend.is_array(one):
                raise ArgumentTypeError("a scalar tensor", describe(one), f"add_loss of {self._where()}")
        scope.write_losses(self, [*scope.read_losses(self), *added])

    def _clear_losses(self) -> None:
        holders = scope.layers_with_losses()
        if holders:
            inside = {id(one) for one in self._flatten_layers()}
            for layer in holders:
                if id(layer) in inside:
                    scope.write_losses(layer, [])

    @property
    def losses(self) -> list[Any]:
        """What layers added in the last forward pass, and the losses of the regularizers of weights."""
        found: list[Any] = []
        if scope.layers_with_losses():
            for layer in self._flatten_layers():
                found.extend(scope.read_losses(layer))
        regularized = [one for one in self.trainable_weights if one.regularizer is not None]
        return found + [one.regularizer(one) for one in regularized]

    # --- files ---------------------------------------------------------------------------------------------

    def save_own_variables(self, store: Any) -> None:
        """Writes the layer's own variables into a mapping of names to arrays."""
        for index, variable in enumerate(self._saved_variables()):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads the layer's own variables from a mapping of names to arrays."""
        own = self._saved_variables()
        if len(store.keys()) != len(own):
            raise ArgumentError(
                f"{len(own)} variables",
                f"{len(store.keys())} in the file",
                self._where(),
                "" if self.built else "The layer is not built: call it on data or call `build(input_shape)` first.",
            )
        for index, variable in enumerate(own):
            variable.assign(store[str(index)])
