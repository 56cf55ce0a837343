"""The form that the graph of a model has in files; knows graphs and operations, but not the model classes."""

from __future__ import annotations

from typing import Any

from hornbeam import tree
from hornbeam.errors import ArgumentError, UnknownNameError
from hornbeam.saving.config import deserialize_keras_object, serialize_keras_object
from hornbeam.symbolic import KerasTensor, Node


def graph_config(model: Any) -> dict[str, Any]:
    """The graph of a model as plain data: each operation with the nodes that apply it."""
    function = model._function
    assert function is not None
    kept = {id(node) for node in function._nodes}
    indices: dict[int, int] = {}  # node -> its number among those of its operation that this model uses
    for operation in function.operations:
        for number, node in enumerate(node for node in operation._inbound_nodes if id(node) in kept):
            indices[id(node)] = number

    def reference(tensor: KerasTensor) -> list[Any]:
        operation, node_index, tensor_index = tensor._keras_history  # type: ignore[misc]
        return [operation.name, indices[id(operation._inbound_nodes[node_index])], tensor_index]

    def argument(value: Any) -> Any:
        if isinstance(value, KerasTensor):
            return {
                "class_name": "__keras_tensor__",
                "config": {"shape": list(value.shape), "dtype": value.dtype, "keras_history": reference(value)},
            }
        if isinstance(value, list):
            return [argument(one) for one in value]
        if isinstance(value, tuple):
            parts = [argument(one) for one in value]
            if all(isinstance(one, (int, float, str, bool, type(None))) for one in value):
                return serialize_keras_object(value)
            return parts
        if isinstance(value, dict):
            return {key: argument(one) for key, one in value.items()}
        return serialize_keras_object(value)

    layers = []
    for operation in function.operations:
        entry = serialize_keras_object(operation)
        entry["name"] = operation.name
        entry["inbound_nodes"] = [
            {
                "args": [argument(one) for one in node.args],
                "kwargs": {key: argument(one) for key, one in node.kwargs.items()},
            }
            for node in operation._inbound_nodes
            if id(node) in kept and not node.is_input
        ]
        layers.append(entry)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": tree.map_structure(reference, function._inputs_struct),
        "output_layers": tree.map_structure(reference, function._outputs_struct),
    }


def graph_from_config(cls: type, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """A model of class `cls` made from what `graph_config` gave."""
    operations: dict[str, Any] = {}
    nodes: dict[str, list[Node]] = {}
    waiting: list[tuple[str, dict[str, Any]]] = []
    for entry in config["layers"]:
        operation = deserialize_keras_object(entry, custom_objects=custom_objects)
        name = entry.get("name") or operation.name
        operations[name] = operation
        nodes[name] = list(operation._inbound_nodes) if not entry.get("inbound_nodes") else []
        waiting.extend((name, node) for node in _as_nodes(entry.get("inbound_nodes") or []))

    def tensor(reference: Any) -> KerasTensor:
        name, node_index, tensor_index = reference[:3]
        if name not in operations:
            raise UnknownNameError("layer", name, operations, f"graph of model {config.get('name')!r}")
        if node_index >= len(nodes[name]):
            raise _NotYet
        return nodes[name][node_index].output_tensors[tensor_index]

    def argument(value: Any) -> Any:
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                return tensor(value["config"]["keras_history"])
            if "class_name" in value:
                return deserialize_keras_object(value, custom_objects=custom_objects)
            return {key: argument(one) for key, one in value.items()}
        if isinstance(value, list):
            return [argument(one) for one in value]
        return value

    while waiting:
        blocked: set[str] = set()
        later = []
        for name, node in waiting:
            if name in blocked:  # the nodes of one operation keep their order
                later.append((name, node))
                continue
            try:
                args = [argument(one) for one in node["args"]]
                kwargs = {key: argument(one) for key, one in (node.get("kwargs") or {}).items()}
            except _NotYet:
                blocked.add(name)
                later.append((name, node))
                continue
            operations[name](*args, **kwargs)
            nodes[name].append(operations[name]._inbound_nodes[-1])
        if len(later) == len(waiting):
            raise ArgumentError(
                "a graph in which every node can be reached",
                f"none for {sorted({name for name, _ in later})}",
                f"model {config.get('name')!r}",
            )
        waiting = later
    inputs = _map_references(tensor, config["input_layers"])
    outputs = _map_references(tensor, config["output_layers"])
    extra = {
        key: value for key, value in config.items() if key not in ("layers", "input_layers", "output_layers", "name")
    }
    trainable = extra.pop("trainable", None)
    extra.pop("dtype", None)
    model = cls(inputs=inputs, outputs=outputs, name=config.get("name"), **extra)
    if trainable is False:
        # layers carry their own flags; only a model frozen as a whole needs saying
        model._trainable = False
    return model


class _NotYet(Exception):
    """A tensor is asked for whose node is still to come."""


def _as_nodes(inbound: list[Any]) -> list[dict[str, Any]]:
    """Nodes in the present form; the older form lists ``[[name, node, tensor, kwargs], ...]`` per node."""
    result = []
    for node in inbound:
        if isinstance(node, dict):
            result.append(node)
            continue
        parts = node if isinstance(node[0], list) else [node]
        tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": part[:3]}} for part in parts]
        kwargs = parts[0][3] if len(parts[0]) > 3 else {}
        result.append({"args": [tensors if len(tensors) > 1 else tensors[0]], "kwargs": kwargs})
    return result


def _is_reference(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) >= 3
        and isinstance(value[0], str)
        and isinstance(value[1], int)
        and isinstance(value[2], int)
    )


def _map_references(function: Any, structure: Any) -> Any:
    if _is_reference(structure):
        return function(structure)
    if isinstance(structure, dict):
        return {key: _map_references(function, one) for key, one in structure.items()}
    return [_map_references(function, one) for one in structure]
