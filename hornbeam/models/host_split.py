"""`HostSplit`: a graph in two parts, the layers that run on the host and what follows on the device.

The host part runs in the input pipeline. Its results travel as `HostResults` in place of the inputs, so that a
step, also one that a user wrote, calls the model on them as on any batch.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

from hornbeam import scope, tree
from hornbeam.errors import ArgumentError
from hornbeam.graph import Function, _filled, _Plan
from hornbeam.layers.layer import Layer
from hornbeam.layers.preprocessing.host_layer import HostLayer
from hornbeam.symbolic import KerasTensor


class HostResults(NamedTuple):
    """What the host part of a model gave for a batch: stands for the inputs of that model.

    A named tuple, since every framework walks into those by itself.
    """

    values: tuple[Any, ...]


class HostSplit:
    """The two parts of a graph.

    Args:
        function: The graph.
        name: The name of the model, for errors.

    Raises:
        ValueError: If a layer that must run on the host comes after one that runs on the device.
    """

    def __init__(self, function: Function, name: str) -> None:
        known = {id(one) for one in function._inputs}
        on_way = _ways_to_host(function)
        host: list[Any] = []
        device: list[Any] = []
        frontier: dict[int, KerasTensor] = {}
        for node in function._nodes:
            if all(id(one) in known for one in node.output_tensors):
                continue  # an input
            operation = node.operation
            available = all(id(one) in known for one in node.input_tensors)
            if id(node) in on_way and not available:
                raise _too_late(node, known, name)
            if split_of(operation) is not None:
                token = KerasTensor((None,))  # stands for the results of the model's host part
                host.append(_step(_HostHalf(operation), node.args, node.kwargs, token))
                device.append(_step(operation, (token,), {}, node.outputs))
                frontier[id(token)] = token
            elif available and (id(node) in on_way or isinstance(operation, HostLayer)):
                host.append(node)
                known.update(id(one) for one in node.output_tensors)
            else:
                device.append(node)
                for one in node.input_tensors:
                    if id(one) in known:
                        frontier[id(one)] = one
        for one in function._outputs:
            if id(one) in known:
                frontier[id(one)] = one
        self._frontier = list(frontier.values())
        self._host = _Plan(function._inputs, self._frontier, host)
        self._device = _Plan(self._frontier, function._outputs, device)
        self._outputs = function._output_form
        # open axes but the first make a batch's shape its own, so that batches cannot be joined
        self.fixed = all(None not in one.shape[1:] for one in self._frontier)
        self.bytes_per_row = sum(8 * _size(one.shape[1:]) for one in self._frontier)

    def to_host(self, values: list[Any]) -> HostResults:
        """Runs the host part on a flat list of inputs."""
        with scope.host_values():
            return HostResults(tuple(self._host.run(values, None)))

    def finish(self, results: HostResults) -> Any:
        """Runs the device part."""
        return _filled(self._outputs, self._device.run(list(results.values), None))


class _HostHalf:
    """The host part of a model inside another."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __call__(self, *args: Any, **_: Any) -> HostResults:
        return self.model.host_results(args[0])


def split_of(operation: Any) -> HostSplit | None:
    """The two parts of a model made from a graph, or None where nothing of it runs on the host."""
    function = getattr(operation, "split_function", None)
    return None if function is None else function()


def _step(operation: Any, args: tuple, kwargs: dict[str, Any], outputs: Any) -> SimpleNamespace:
    """What a plan needs to know of a node, without a node that operations would remember."""
    return SimpleNamespace(
        operation=operation, args=args, kwargs=kwargs, outputs=outputs,
        output_tensors=[one for one in tree.flatten(outputs) if isinstance(one, KerasTensor)],
    )  # fmt: skip


def _needs_host(node: Any) -> bool:
    if split_of(node.operation) is not None:
        return True
    if not isinstance(node.operation, HostLayer):
        return False
    texts = any(one.dtype == "string" for one in (*node.input_tensors, *node.output_tensors))
    return texts or type(node.operation).compute_on_device is HostLayer.compute_on_device


def _ways_to_host(function: Function) -> set[int]:
    """The nodes that need the host, and those without weights that they depend on."""
    made_by = {id(one): node for node in function._nodes for one in node.output_tensors}
    found: set[int] = set()
    pending = [node for node in function._nodes if _needs_host(node)]
    while pending:
        node = pending.pop()
        if id(node) in found or (isinstance(node.operation, Layer) and node.operation.variables):
            continue
        found.add(id(node))
        pending.extend(made_by[id(one)] for one in node.input_tensors if id(one) in made_by)
    needing = {id(node) for node in function._nodes if _needs_host(node)}
    return {one for one in found if one in needing or not _is_input(one, function)} | needing


def _is_input(key: int, function: Function) -> bool:
    return any(id(node) == key and node.is_input for node in function._nodes)


def _too_late(node: Any, known: set[int], name: str) -> ArgumentError:
    before = next(one for one in node.input_tensors if id(one) not in known)
    return ArgumentError(
        f"layers that run on the host, such as {node.operation.name!r}, before all that run on the device",
        f"it after {before._keras_history.operation.name!r}", f"Model {name!r}",
        "Move it to the front, right after the inputs; or apply it to the data before they go to the model.",
    )  # fmt: skip


def _size(shape: tuple) -> int:
    size = 1
    for one in shape:
        size *= one or 1
    return size
