"""`clone_model`: the same architecture with new layers and weights."""

from __future__ import annotations

from typing import Any

from hornbeam import tree
from hornbeam.errors import ArgumentError
from hornbeam.graph import Function
from hornbeam.layers.layer import Layer
from hornbeam.models.functional import Functional
from hornbeam.models.model import Model
from hornbeam.models.sequential import Sequential


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Any = None,
    call_function: Any = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """A model of the same architecture with new layers and new weights.

    Args:
        model: The model.
        input_tensors: Symbolic tensors to start from in place of new inputs.
        clone_function: Called with each layer (inputs aside), gives the layer for the copy; by default a layer
            made from its config.
        call_function: `(layer, *args, **kwargs)`, called in place of each layer of the copy.
        recursive: Whether layers of nested models are cloned by `clone_function` too.
        **kwargs: None are known; for a clear error.

    Returns:
        The copy, unbuilt variables initialised anew.
    """
    if kwargs:
        raise ArgumentError("known arguments", str(sorted(kwargs)), "clone_model")

    def copied(layer: Layer) -> Any:
        if recursive and isinstance(layer, (Functional, Sequential)):
            return clone_model(layer, clone_function=clone_function, call_function=call_function, recursive=True)
        return layer.__class__.from_config(layer.get_config()) if clone_function is None else clone_function(layer)

    if isinstance(model, Sequential):
        copies = [copied(layer) for layer in model.layers]
        if input_tensors is not None:
            start: Any = tree.flatten(input_tensors)[0]._keras_history.operation
            return Sequential([start, *copies], name=model.name)
        first = model._input_layer
        return Sequential(
            [first.__class__.from_config(first.get_config())] * (first is not None) + copies, name=model.name
        )
    if model._function is None:
        if clone_function is not None or input_tensors is not None:
            raise ArgumentError(
                "a Sequential or Functional model",
                type(model).__name__,
                "clone_model with clone_function or input_tensors",
            )
        return model.__class__.from_config(model.get_config())
    function: Function = model._function
    if input_tensors is None:
        inputs = tree.map_structure(
            lambda one: (lambda layer: layer.__class__.from_config(layer.get_config()).output)(
                one._keras_history.operation
            ),
            function._inputs_struct,
        )
    else:
        inputs = tree.pack_sequence_as(function._inputs_struct, tree.flatten(input_tensors))
    made: dict[int, Any] = {}

    def stand_in(operation: Any) -> Any:
        if id(operation) not in made:
            made[id(operation)] = (
                copied(operation)
                if isinstance(operation, Layer)
                else operation.__class__.from_config(operation.get_config())
            )
        copy = made[id(operation)]
        if call_function is not None and isinstance(copy, Layer):
            return lambda *args, **kwargs: call_function(copy, *args, **kwargs)
        return copy

    outputs = function.run(tree.flatten(inputs), stand_in)
    return type(model)(inputs=inputs, outputs=outputs, name=model.name)
