"""What pictures of a model need to know about it, one question each; the only place where they touch its insides.

Models and layers are seen through their attributes alone, so nothing here imports them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from hornbeam import tree
from hornbeam.errors import ArgumentError

UNKNOWN_SHAPE = "?"


def layers_of(model: Any) -> list[Any]:
    """The layers directly inside a model, in the order in which they are shown."""
    return list(getattr(model, "layers", None) or ())


def operations_of(model: Any) -> list[Any]:
    """The layers directly inside a model and, for a graph, the ops between them."""
    operations = None if is_sequential(model) else getattr(model, "operations", None)
    return list(operations or layers_of(model))


def is_model(layer: Any) -> bool:
    """Whether a layer is a model, so that its own layers can be shown below it."""
    return isinstance(getattr(layer, "layers", None), (list, tuple))


def is_sequential(model: Any) -> bool:
    """Whether a model is a plain chain by its kind."""
    return any(one.__name__ == "Sequential" for one in type(model).__mro__)


def class_name(layer: Any) -> str:
    """The name of the layer's class."""
    return type(layer).__name__


def selected_layers(model: Any, layer_range: Sequence[str] | None, where: str) -> list[Any]:
    """The layers and ops of a model, or those from the one to the other name of `layer_range`, which are patterns.

    Raises:
        ArgumentError: If `layer_range` is not two names that some layers have.
    """
    layers = operations_of(model)
    if layer_range is None:
        return layers
    if isinstance(layer_range, str) or len(layer_range) != 2 or not all(isinstance(one, str) for one in layer_range):
        raise ArgumentError("layer_range to be two layer names", repr(layer_range), where)
    found = [[i for i, layer in enumerate(layers) if _matches(one, layer.name)] for one in layer_range]
    for wanted, places in zip(layer_range, found, strict=True):
        if not places:
            known = ", ".join(layer.name for layer in layers)
            raise ArgumentError(
                "layer_range to name layers of the model", repr(wanted), where, f"The layers are: {known}."
            )
    places = found[0] + found[1]
    return layers[min(places) : max(places) + 1]


def _matches(pattern: str, name: str) -> bool:
    if pattern == name:
        return True
    try:
        return re.match(pattern, name) is not None
    except re.error:
        return False


# The graph


def graph_nodes(model: Any) -> list[Any]:
    """The nodes between the symbolic inputs and outputs of a model, outputs first; none if it has no graph."""
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not inputs or not outputs:
        return []
    known = {id(tensor) for tensor in tree.flatten(inputs)}
    found: dict[int, Any] = {}
    waiting = list(tree.flatten(outputs))
    while waiting:
        tensor = waiting.pop()
        node = node_of(tensor)
        if node is None or id(node) in found:
            continue
        found[id(node)] = node
        if id(tensor) not in known:
            waiting.extend(node.input_tensors)
    return list(found.values())


def node_of(tensor: Any) -> Any:
    """The node that makes a symbolic tensor, or None."""
    history = getattr(tensor, "_keras_history", None)
    return None if history is None else history.operation._inbound_nodes[history.node_index]


def nodes_of(layer: Any, nodes: Iterable[Any]) -> list[Any]:
    """Those of `nodes` that apply `layer`, in the order in which it was applied."""
    wanted = {id(node) for node in nodes}
    return [node for node in getattr(layer, "_inbound_nodes", ()) if id(node) in wanted]


def is_chain(nodes: Iterable[Any]) -> bool:
    """Whether a graph is one line: each layer applied once, to the one tensor that the layer before it made."""
    layers: set[int] = set()
    taken: set[int] = set()
    starts = 0
    for node in nodes:
        sources = node.input_tensors
        made_by = {id(node_of(tensor)) for tensor in sources}
        if len(sources) > 1 or id(node.operation) in layers or made_by & taken:
            return False
        layers.add(id(node.operation))
        taken |= made_by
        starts += not sources
    return starts <= 1


def sources_of(node: Any) -> list[tuple[Any, int, int]]:
    """What a node is applied to: layer, which application of it, which of its outputs."""
    histories = [getattr(tensor, "_keras_history", None) for tensor in node.input_tensors]
    return [(one.operation, one.node_index, one.tensor_index) for one in histories if one is not None]


# One layer


def output_shape(layer: Any, nodes: Sequence[Any]) -> Any:
    """The shape of a layer's output, or shapes of outputs; `UNKNOWN_SHAPE` if nothing says it.

    Args:
        layer: The layer.
        nodes: Its applications in the model that is shown, if that has a graph.
    """
    for node in reversed(list(nodes) or list(getattr(layer, "_inbound_nodes", ()))):
        shapes = [tuple(tensor.shape) for tensor in node.output_tensors]
        return shapes[0] if len(shapes) == 1 else shapes
    outputs = tree.flatten(getattr(layer, "outputs", None) or [])
    if outputs:
        shapes = [tuple(tensor.shape) for tensor in outputs]
        return shapes[0] if len(shapes) == 1 else shapes
    return _shape_as_built(layer)


def _shape_as_built(layer: Any) -> Any:
    """What the layer says about the shapes it was built with."""
    if not getattr(layer, "built", False):
        return UNKNOWN_SHAPE
    try:
        config = layer.get_build_config()
        if not config:
            return UNKNOWN_SHAPE
        shapes = config.get("shapes_dict", config)
        if list(shapes) == ["input_shape"]:
            return layer.compute_output_shape(shapes["input_shape"])
        return layer.compute_output_shape(**shapes)
    except Exception:  # noqa: BLE001  a user's layer may fail in any way here; a summary shows what it can
        return UNKNOWN_SHAPE


def input_shape(layer: Any, nodes: Sequence[Any]) -> Any:
    """The shape of a layer's input, or shapes of inputs; `UNKNOWN_SHAPE` if nothing says it."""
    for node in reversed(list(nodes) or list(getattr(layer, "_inbound_nodes", ()))):
        tensors = node.input_tensors or node.output_tensors
        shapes = [tuple(tensor.shape) for tensor in tensors]
        return shapes[0] if len(shapes) == 1 else shapes
    return UNKNOWN_SHAPE


def output_dtype(layer: Any, nodes: Sequence[Any]) -> str:
    """The dtype of a layer's output."""
    for node in reversed(list(nodes) or list(getattr(layer, "_inbound_nodes", ()))):
        return ", ".join(dict.fromkeys(str(tensor.dtype) for tensor in node.output_tensors))
    return str(getattr(layer, "compute_dtype", UNKNOWN_SHAPE))


def activation_name(layer: Any) -> str | None:
    """The name of a layer's activation, if it has one."""
    activation = getattr(layer, "activation", None)
    if activation is None:
        return None
    return getattr(activation, "__name__", None) or getattr(activation, "name", type(activation).__name__)


def weights_of(layer: Any) -> list[Any]:
    """The variables of a layer that are counted; an op in a graph has none."""
    return list(getattr(layer, "weights", None) or ())


def is_unbuilt(layer: Any) -> bool:
    """Whether a layer still waits for a shape to make variables.

    A layer that has no `build` of its own and no layers inside has nothing to wait for.
    """
    if getattr(layer, "built", True):
        return False
    has_no_build = getattr(layer, "_is_built_by_its_call", None)
    if has_no_build is None or not has_no_build():
        return True
    inner = getattr(layer, "_flatten_layers", None)
    return inner is not None and any(is_unbuilt(one) for one in inner(include_self=False))


def is_trainable(layer: Any) -> bool:
    """Whether a layer may be trained."""
    return bool(getattr(layer, "trainable", False))


def optimizer_variables(model: Any) -> list[Any]:
    """The variables of the optimizer a model is compiled with, once they exist."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not getattr(optimizer, "built", False):
        return []
    variables = optimizer.variables
    return list(variables() if callable(variables) else variables)


def count(variables: Iterable[Any]) -> int:
    """How many numbers variables hold."""
    return sum(math.prod(one.shape) for one in variables)


def size_in_bytes(variables: Iterable[Any]) -> int:
    """How much memory the numbers in variables take."""
    bits = sum(math.prod(one.shape) * _bits(str(one.dtype)) for one in variables)
    return -(-bits // 8)


def _bits(dtype: str) -> int:
    digits = re.search(r"\d+", dtype)  # the first number: 8 in "float8_e4m3fn"
    return int(digits.group()) if digits else 8  # bool
