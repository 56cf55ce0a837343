"""`Model`: a layer that can be trained, saved, summarised, and made from a graph of symbolic tensors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from hornbeam import scope, tree
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, ValueStateError, describe
from hornbeam.graph import Function
from hornbeam.layers.core.input_layer import InputLayer
from hornbeam.layers.layer import Layer
from hornbeam.models.graph_config import graph_config, graph_from_config
from hornbeam.models.host_split import HostResults, HostSplit, _needs_host
from hornbeam.models.summary import print_summary
from hornbeam.saving import archive, weights
from hornbeam.saving.config import deserialize_keras_object, serialize_keras_object
from hornbeam.symbolic import KerasTensor
from hornbeam.training.trainer import Trainer


def is_functional(args: tuple, kwargs: dict[str, Any]) -> bool:
    """Whether arguments of a model are the inputs and outputs of a graph."""
    given = len(args) + ("inputs" in kwargs) + ("outputs" in kwargs)
    if given < 2 or len(args) > 2:
        return False
    parts = [*args, *(kwargs[name] for name in ("inputs", "outputs") if name in kwargs)]
    return all(any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(part)) for part in parts[:2])


@wire("keras.Model", "keras.src.models.model.Model", "keras.models.Model")
class Model(Trainer, Layer):
    """Layers grouped into something that can be trained and saved.

    Made from a graph, `Model(inputs, outputs)`, or by a subclass with layers in its attributes and a `call`.

    Args:
        inputs: Symbolic tensors in any structure.
        outputs: Symbolic tensors in any structure, made from the inputs.
        name: A name.
        trainable: Whether the variables may be trained.

    >>> import hornbeam as keras
    >>> x = keras.Input((3,))
    >>> model = keras.Model(x, keras.layers.Dense(2)(x))
    >>> model(keras.ops.ones((1, 3))).shape
    (1, 2)
    """

    # the class of models made from a graph; set by the module that defines it
    _functional_class: type[Model]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if cls is Model and is_functional(args, kwargs):
            return super().__new__(cls._functional_class, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        Trainer.__init__(self)
        if is_functional(args, kwargs):
            named = dict(zip(("inputs", "outputs"), args, strict=False))
            kwargs = {**named, **kwargs}
            self._init_graph(kwargs.pop("inputs"), kwargs.pop("outputs"), **kwargs)
            return
        if args:
            raise ArgumentTypeError(
                "keyword arguments, or symbolic inputs and outputs", describe(args[0]), type(self).__name__,
                "Make inputs with hornbeam.Input(shape).",
            )
        self._function: Function | None = None
        Layer.__init__(self, **kwargs)

    # --- models made from a graph ----------------------------------------------------------------------------

    def _init_graph(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("autocast", False)
        trainable = kwargs.pop("trainable", None)
        Layer.__init__(self, name=name, **kwargs)
        function = Function(inputs, outputs, name=self.name)
        for tensor in function.inputs:
            history = tensor._keras_history
            if history is None or not isinstance(history.operation, InputLayer):
                # a tensor from the middle of another graph becomes an input of this one
                return self._init_graph_from_middle(inputs, outputs, name, kwargs)
        self._function = function
        self._graph_layers = [one for one in function.operations if isinstance(one, Layer)]
        names = [one.name for one in function.operations]
        doubled = sorted({one for one in names if names.count(one) > 1})
        if doubled:
            raise ArgumentError(
                "layers with different names", f"several named {doubled}", f"Model {self.name!r}",
                "Give each layer a name of its own, or share one layer.",
            )
        self.built = True
        if trainable is not None:
            self.trainable = trainable
        return None

    def _init_graph_from_middle(self, inputs: Any, outputs: Any, name: str | None, kwargs: dict[str, Any]) -> None:
        function = Function(inputs, outputs)
        fresh = tree.map_structure(
            lambda one: one
            if one._keras_history is not None and isinstance(one._keras_history.operation, InputLayer)
            else InputLayer(batch_shape=one.shape, dtype=one.dtype, name=f"{one.name}CLONE").output,
            inputs,
        )
        self._init_graph(fresh, function.run(tree.flatten(fresh)), name, **kwargs)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The outputs for `inputs`; written by subclasses.

        Args:
            inputs: Tensors in the structure of the model's inputs.
            training: Whether the model runs for training.
            mask: Masks in the structure of the inputs.
        """
        if self._function is None:
            return super().call(inputs)
        if isinstance(inputs, HostResults):
            return self.split_function().finish(inputs)
        values = self._fitted_inputs(inputs)
        if mask is not None:
            for value, one in zip(values, tree.flatten(mask), strict=False):
                if one is not None:
                    scope.set_mask(value, one)
        return self._function.run(values)

    def split_function(self) -> HostSplit | None:
        """The host part and the device part of a model made from a graph; None where all runs on the device."""
        if self._function is None or type(self).call is not Model.call:
            return None
        return self._split_of(self._function)

    def _split_of(self, function: Function) -> HostSplit | None:
        kept = self.__dict__.get("_untracked_split")
        if kept is None or kept[0] is not function:
            found = any(_needs_host(node) for node in function._nodes)
            kept = self.__dict__["_untracked_split"] = (function, HostSplit(function, self.name) if found else None)
        return kept[1]

    def host_results(self, inputs: Any) -> HostResults:
        """What the host part of the model gives for inputs; the model takes it in their place."""
        split = self.split_function()
        assert split is not None
        return split.to_host(self._fitted_inputs(inputs))

    def _fitted_inputs(self, inputs: Any) -> list[Any]:
        """Inputs as a flat list in the order of the graph's, matched by name where dicts are used, and checked."""
        function = self._function
        assert function is not None
        structure = function._inputs_struct
        inputs = _texts_as_arrays(inputs)
        if isinstance(inputs, dict):
            names = self._input_names(structure)
            if names is not None:
                missing = [one for one in names if one not in inputs and not self._is_optional(one)]
                if missing:
                    raise ArgumentError(
                        f"inputs with the keys {names}", f"{sorted(map(str, inputs))}", f"Model {self.name!r}"
                    )
                values = [inputs.get(one) for one in names]
            else:
                values = tree.flatten(inputs)
        else:
            values = tree.flatten(inputs)
        if len(values) != len(function._inputs):
            raise ArgumentError(
                f"{len(function._inputs)} input(s)", f"{len(values)}", f"Model {self.name!r}",
                f"Their names are {[one.name for one in function._inputs]}.",
            )
        return [self._fitted(value, spec) for value, spec in zip(values, function._inputs, strict=True)]

    def _input_names(self, structure: Any) -> list[str] | None:
        """The keys by which a dict of inputs is read, in flat order, or None if nesting goes deeper."""
        if isinstance(structure, dict):
            return sorted(structure) if all(isinstance(one, KerasTensor) for one in structure.values()) else None
        flat = tree.flatten(structure)
        return [one._keras_history.operation.name for one in flat]

    def _is_optional(self, name: str) -> bool:
        assert self._function is not None
        return any(
            one._keras_history.operation.name == name and one._keras_history.operation.optional
            for one in self._function._inputs
        )

    def _fitted(self, value: Any, spec: KerasTensor) -> Any:
        layer = spec._keras_history.operation
        if value is None:
            if layer.optional:
                return None
            raise ArgumentError("a tensor", "None", f"input {layer.name!r} of model {self.name!r}")
        shape, wanted = tuple(value.shape), spec.shape
        if len(shape) == len(wanted) - 1 and wanted[-1] == 1:
            value = backend_expand(value)
        elif len(shape) == len(wanted) + 1 and shape[-1] == 1:
            value = backend_squeeze(value)
        shape = tuple(value.shape)
        if len(shape) != len(wanted) or any(
            a is not None and b is not None and a != b for a, b in zip(shape, wanted, strict=False)
        ):
            raise ArgumentError(f"shape={wanted}", f"shape={shape}", f"input {layer.name!r} of model {self.name!r}")
        if spec.dtype != "string" and getattr(getattr(value, "dtype", None), "kind", "") in ("O", "S", "U"):
            raise ArgumentTypeError(
                f"numbers of dtype {spec.dtype}", describe(value), f"input {layer.name!r} of model {self.name!r}",
                'Texts go into an Input(..., dtype="string") and a layer that takes them.',
            )  # fmt: skip
        if backend.is_array(value) and spec.dtype != "string" and backend.dtype(value) != spec.dtype:
            value = backend.cast(value, spec.dtype)
        return value

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic outputs for symbolic inputs."""
        if self._function is not None and type(self).call is Model.call:
            return self._function.run(
                self._fitted_inputs(args[0] if args else kwargs["inputs"]),
                lambda operation: operation.compute_output_spec,
            )
        return super().compute_output_spec(*args, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for the shapes of the inputs."""
        if self._function is not None:
            return self._function.compute_output_shape(input_shape)
        return super().compute_output_shape(input_shape)

    compute_output_shape.by_evaluation = True  # type: ignore[attr-defined]

    @property
    def input(self) -> Any:
        """The symbolic inputs of a model made from a graph."""
        return super().input if self._function is None else self._function.input

    @property
    def output(self) -> Any:
        """The symbolic outputs of a model made from a graph."""
        return super().output if self._function is None else self._function.output

    @property
    def inputs(self) -> Any:
        """The symbolic inputs, flat; None if the model is not made from a graph."""
        return None if self._function is None else self._function.inputs

    @property
    def outputs(self) -> Any:
        """The symbolic outputs, flat; None if the model is not made from a graph."""
        return None if self._function is None else self._function.outputs

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or a flat list of them."""
        return _shapes_of(self.input)

    @property
    def output_shape(self) -> Any:
        """The shape of the output, or a flat list of them."""
        return _shapes_of(self.output)

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [one._keras_history.operation.name for one in self.inputs or ()]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that make the outputs."""
        return [one._keras_history.operation.name for one in self.outputs or ()]

    @property
    def operations(self) -> list[Any]:
        """Layers and ops of the graph, from the inputs to the outputs."""
        return [] if self._function is None else self._function.operations

    # --- layers ------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers directly inside."""
        return self._sublayers()

    @layers.setter
    def layers(self, _: Any) -> None:
        raise ArgumentError("another attribute name", "`layers`, which the model derives", f"Model {self.name!r}")

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """One of the layers, by name or by position.

        Raises:
            ValueError: If there is none; the text lists the nearest names.
        """
        layers = self.layers
        if (name is None) == (index is None):
            raise ArgumentError("either a name or an index", "both" if name is not None else "neither", "get_layer")
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ArgumentError(f"an index below {len(layers)}", f"{index}", f"get_layer of model {self.name!r}")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise UnknownNameError("layer", name, [one.name for one in layers], f"model {self.name!r}")

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: list[str] | tuple[str, str] | None = None,
    ) -> None:
        """Prints a table of the layers, their output shapes and parameters.

        Args:
            line_length: The width in characters; that of the terminal by default.
            positions: The relative or absolute right edges of the columns.
            print_fn: Called with the text in place of printing it.
            expand_nested: Whether layers inside nested models get rows too.
            show_trainable: Whether a column says if a layer is trainable.
            layer_range: Names, or patterns, of the first and the last layer shown.
        """
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    # --- saving ------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs; for a model made from a graph, the graph."""
        if self._function is not None and not self._has_own_arguments():
            return graph_config(self)
        return super().get_config()

    def _has_own_arguments(self) -> bool:
        return not is_functional(*self.__dict__["_init_arguments"])

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """A model made from what `get_config` gave."""
        if "layers" in config and "input_layers" in config and "output_layers" in config:
            return graph_from_config(cls._functional_class if cls is Model else cls, config, custom_objects)
        return super().from_config(config)

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes of the inputs with which the model was built."""
        if self._function is not None:
            return {"input_shape": None}
        return super().get_build_config()

    def build_from_config(self, config: dict[str, Any] | None) -> None:
        """Builds the model for the shapes that `get_build_config` gave, as far as they say."""
        if self.built or not config or not any(config.values()):
            return
        super().build_from_config(config)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON, without weights."""
        return json.dumps(serialize_keras_object(self), **kwargs)

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Writes architecture, weights and, if compiled, optimizer state to a `.keras` file.

        The file appears whole or not at all; a failed save leaves an older file as it was.

        Args:
            filepath: A path that ends in `.keras` (or `.h5`, the older format).
            overwrite: Whether an existing file is replaced; else the user is asked.
            zipped: Whether the archive is one file rather than a folder; by the ending of the path if None.
            **kwargs: Further options of the format.
        """
        archive.save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None) -> None:
        """Writes the weights to a `.weights.h5` file."""
        weights.save_weights(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Reads the weights from a `.weights.h5` or `.keras` file; all of them or, if something is wrong, none.

        Args:
            filepath: The file.
            skip_mismatch: Whether layers whose number or shapes of weights differ are left as they are.
            **kwargs: Further options of the format.
        """
        weights.load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def _require_built(self, wanted: str) -> None:
        if not self.built:
            raise ValueStateError(
                "a built model", "an unbuilt one", f"{wanted} of model {self.name!r}",
                "Call it on data, call `build(input_shape)`, or start it with an Input.",
            )


def _shapes_of(tensors: Any) -> Any:
    shapes = [one.shape for one in tree.flatten(tensors)]
    return shapes[0] if len(shapes) == 1 else shapes


def _texts_as_arrays(inputs: Any) -> Any:
    """Texts in lists, or alone in a dict, as arrays."""
    if isinstance(inputs, dict):
        return {key: _texts_as_arrays(one) for key, one in inputs.items()}
    first = inputs
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    if isinstance(first, (str, bytes)) and not isinstance(inputs, (str, bytes)):
        return np.array(inputs, dtype=object)
    return inputs


def backend_expand(value: Any) -> Any:
    """`value` with a last axis of size 1 more."""
    if isinstance(value, KerasTensor):
        return KerasTensor((*value.shape, 1), value.dtype)
    return value[..., None]


def backend_squeeze(value: Any) -> Any:
    """`value` without its last axis, of size 1."""
    if isinstance(value, KerasTensor):
        return KerasTensor(value.shape[:-1], value.dtype)
    return value[..., 0]


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """A model of the architecture that `to_json` wrote, with new weights."""
    return deserialize_keras_object(json.loads(json_string), custom_objects=custom_objects)
