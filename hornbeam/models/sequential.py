"""`Sequential`: layers one after the other."""

from __future__ import annotations

from typing import Any

from hornbeam import dtypes, scope, tree
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownAttributeError, describe
from hornbeam.graph import Function
from hornbeam.layers.core.input_layer import InputLayer
from hornbeam.layers.layer import Layer
from hornbeam.models.host_split import HostResults, HostSplit
from hornbeam.models.model import Model, _texts_as_arrays
from hornbeam.saving.config import deserialize_keras_object, serialize_keras_object, serialize_value
from hornbeam.symbolic import KerasTensor
from hornbeam.training.data import ArraySource


@wire("keras.Sequential", "keras.models.Sequential", "keras.src.models.sequential.Sequential")
class Sequential(Model):
    """Layers of which each takes what the one before gives.

    With an `Input` first, the shapes are known at once; without, they follow from the first data.

    Args:
        layers: The layers.
        trainable: Whether the variables may be trained.
        name: A name.

    >>> import hornbeam as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> model.output_shape
    (None, 2)
    """

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(trainable=trainable, name=name, autocast=kwargs.pop("autocast", False), **kwargs)
        self._stack: list[Layer] = []
        self._untracked_input_layer: InputLayer | None = None
        self._untracked_last: Any = None
        for layer in _as_list(layers):
            self.add(layer, rebuild=False)
        if self.built:
            self._count()

    @property
    def _input_layer(self) -> InputLayer | None:
        return self._untracked_input_layer

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Puts a layer at the end.

        Args:
            layer: A layer, or what `Input` gives, as the first.
            rebuild: Whether the graph is made anew now; shapes are up to date in either case.

        Raises:
            TypeError: If it is no layer.
            ValueError: If a layer of this name is there already.
        """
        if isinstance(layer, KerasTensor) and layer._keras_history is not None:
            layer = layer._keras_history.operation
        if not isinstance(layer, Layer):
            if callable(layer) and not isinstance(layer, type):
                raise ArgumentTypeError(
                    "a layer", describe(layer), f"Sequential {self.name!r}", "Wrap a function in a Lambda layer."
                )
            raise ArgumentTypeError(
                "a layer",
                describe(layer),
                f"Sequential {self.name!r}",
                "Make an instance of the class first." if isinstance(layer, type) else "",
            )
        if isinstance(layer, InputLayer):
            if self._stack or self._untracked_input_layer is not None:
                raise ArgumentError(
                    "an Input as the first layer only", f"{layer.name!r} later", f"Sequential {self.name!r}"
                )
            self._start(layer)
            return
        if any(layer.name == one.name for one in self._stack):
            raise ArgumentError(
                "layers with different names",
                f"a second {layer.name!r}",
                f"Sequential {self.name!r}",
                "Each layer may be added once.",
            )
        hint = getattr(layer, "_input_shape_hint", None)
        if not self._stack and self._untracked_input_layer is None:
            if hint is not None:
                self._start(InputLayer(batch_shape=hint))
            elif isinstance(layer, Model) and layer.inputs is not None and len(layer.inputs) == 1:
                first = layer.inputs[0]
                self._start(InputLayer(batch_shape=first.shape, dtype=first.dtype))
        if self._untracked_last is not None:
            with scope.name_scope(self.name):
                last = layer(self._untracked_last)  # raises before anything has changed
            self._stack.append(layer)
            self._untracked_last = last
            self.built = True
        else:
            self._stack.append(layer)
            self.built = False
        self._function = None
        if rebuild and self.built:
            self._count()

    @staticmethod
    def _count() -> None:
        """Counts one more graph, so that models made next are named as with Keras, which makes one here."""
        scope.auto_name("functional")

    def _start(self, layer: InputLayer) -> None:
        self._untracked_input_layer = layer
        self._untracked_last = layer.output
        self.built = bool(self._stack)

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes the last layer away and gives it back."""
        if not self._stack:
            raise ArgumentError("a layer to take away", "none", f"pop of Sequential {self.name!r}")
        layer = self._stack.pop()
        self._function = None
        if self._untracked_last is not None:
            node = self._untracked_last._keras_history
            self._untracked_last = layer._inbound_nodes[node.node_index].input_tensors[0]
            del layer._inbound_nodes[node.node_index]
        if not self._stack:
            self.built = False
        if self.built:
            self._count()
        return layer

    def build(self, input_shape: Any = None) -> None:
        """Fixes the shape of the inputs, batch axis first, and makes all variables."""
        if self._untracked_last is not None:
            self.built = True
            return
        if input_shape is None or not tree.is_shape(input_shape):
            raise ArgumentError("one shape", repr(input_shape), f"build of Sequential {self.name!r}")
        if not self._stack:
            raise ArgumentError("at least one layer", "none", f"build of Sequential {self.name!r}")
        self._apply_to(InputLayer(batch_shape=input_shape))

    def _build_from_call(self, args: tuple, kwargs: dict[str, Any]) -> None:
        inputs = args[0] if args else kwargs.get("inputs")
        shape = getattr(inputs, "shape", None)
        if shape is None:
            self.built = True  # nested inputs: the layers build as data comes
            return
        self._apply_to(InputLayer(batch_shape=(None, *tuple(shape)[1:]), dtype=_dtype_of(inputs)))
        self.built = True

    def _apply_to(self, start: InputLayer) -> None:
        """Follows the layers from an input, which makes their variables."""
        tensor = start.output
        with scope.own_scope(self.name):
            for layer in self._stack:
                tensor = layer(tensor)
        self._untracked_input_layer, self._untracked_last = start, tensor
        self._function = None
        self._count()

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The outputs of the last layer."""
        if isinstance(inputs, HostResults):
            return self.split_function().finish(inputs)  # type: ignore[union-attr]
        inputs = _texts_as_arrays(inputs)
        if self._untracked_input_layer is not None:
            leaves = tree.flatten(inputs)
            if len(leaves) == 1 and hasattr(leaves[0], "shape"):  # also within a list or dict of its own
                inputs = self._fitted(leaves[0], self._untracked_input_layer.output)
        first = True
        for layer in self._stack:
            if first and mask is not None and "mask" in layer._call_signature.masks.values():
                inputs = layer(inputs, mask=mask)
            else:
                inputs = layer(inputs)
            first = False
        return inputs

    def split_function(self) -> HostSplit | None:
        """The host part and the device part; None where all runs on the device, or no shape is known."""
        if self._untracked_last is None or not self._stack or type(self).call is not Sequential.call:
            return None
        return self._split_of(self._graph())

    def host_results(self, inputs: Any) -> HostResults:
        """What the host part of the model gives for inputs; the model takes it in their place."""
        self._graph()
        return super().host_results(inputs)

    def _prepare_split(self, source: Any) -> None:
        first = self._stack[0] if self._stack else None
        if self._untracked_last is None and getattr(first, "runs_on_host", False) and isinstance(source, ArraySource):
            self._build_from_call((source.arrays[0],), {})

    def compute_output_spec(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The symbolic outputs for symbolic inputs."""
        if self._untracked_input_layer is not None and isinstance(inputs, KerasTensor):
            inputs = self._fitted(inputs, self._untracked_input_layer.output)
        for layer in self._stack:
            inputs = layer.compute_output_spec(inputs) if layer.built else layer(inputs)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the outputs for the shape of the inputs."""
        for layer in self._stack:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def _graph(self) -> Function:
        if self._function is None:
            if self._untracked_last is None or not self._stack:
                raise UnknownAttributeError(
                    "a Sequential whose input shape is known",
                    "one without",
                    f"Sequential {self.name!r}",
                    "Start it with an Input, or call it on data first.",
                )
            self._function = Function(self._untracked_input_layer.output, self._untracked_last, name=self.name)  # type: ignore[union-attr]
        return self._function

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return list(self._stack)

    @layers.setter
    def layers(self, _: Any) -> None:
        raise ArgumentError("layers put in with `add`", "an assignment of `layers`", f"Sequential {self.name!r}")

    @property
    def input(self) -> Any:
        """The symbolic input."""
        return self._graph().input

    @property
    def output(self) -> Any:
        """The symbolic output."""
        return self._graph().output

    @property
    def inputs(self) -> Any:
        """The symbolic inputs, or None while the shape is unknown."""
        return None if self._untracked_last is None else self._graph().inputs if self._stack else [self._untracked_last]

    @property
    def outputs(self) -> Any:
        """The symbolic outputs, or None while the shape is unknown."""
        return (
            None if self._untracked_last is None else self._graph().outputs if self._stack else [self._untracked_last]
        )

    @property
    def operations(self) -> list[Any]:
        """The input layer and the layers."""
        first = [] if self._untracked_input_layer is None else [self._untracked_input_layer]
        return [*first, *self._stack]

    def get_config(self) -> dict[str, Any]:
        """The layers, each with its config."""
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_value(self.dtype_policy),
        }
        config["layers"] = [serialize_keras_object(one) for one in self.operations]
        if self._untracked_input_layer is not None:
            config["build_input_shape"] = list(self._untracked_input_layer.batch_shape)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """A model made from what `get_config` gave."""
        model = cls(name=config.get("name"))
        for one in config["layers"]:
            model.add(deserialize_keras_object(one, custom_objects=custom_objects), rebuild=False)
        if model.built:
            model._count()
        shape = config.get("build_input_shape")
        if model._untracked_last is None and shape and model._stack and tree.is_shape(shape):
            model.build(tuple(shape))
        if config.get("trainable") is False:
            model._trainable = False
        return model

    def get_build_config(self) -> dict[str, Any] | None:
        """The shape of the input, batch axis first."""
        layer = self._untracked_input_layer
        return None if layer is None else {"input_shape": list(layer.batch_shape)}

    def build_from_config(self, config: dict[str, Any] | None) -> None:
        """Builds for the shape that `get_build_config` gave."""
        if config and not self.built and config.get("input_shape") and self._stack:
            self.build(tuple(config["input_shape"]))


def _as_list(layers: Any) -> list[Any]:
    if layers is None:
        return []
    return list(layers) if isinstance(layers, (list, tuple)) else [layers]


def _dtype_of(value: Any) -> str:
    return dtypes.standardize_dtype(value.dtype)
