"""`Function`: the recorded graph between symbolic inputs and outputs, sorted once and replayed on tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import tree
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.symbolic import KerasTensor, Node, Operation


class Function(Operation):
    """The computation that leads from some symbolic tensors to others.

    Args:
        inputs: Symbolic tensors in any structure.
        outputs: Symbolic tensors in any structure, reached from the inputs.
        name: A name.

    Raises:
        ValueError: If an output does not depend on the inputs alone.

    >>> import hornbeam as keras
    >>> a = keras.KerasTensor((None, 2))
    >>> double = keras.Function(a, a * 2.0)
    >>> double(keras.ops.ones((1, 2))).shape
    (1, 2)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        for what, structure in (("inputs", inputs), ("outputs", outputs)):
            leaves = tree.flatten(structure)
            wrong = [one for one in leaves if not isinstance(one, KerasTensor)]
            if wrong or not leaves:
                raise ArgumentTypeError(
                    f"symbolic tensors as {what}", describe(wrong[0]) if wrong else "none", f"Function {self.name!r}",
                    "Start from hornbeam.Input(shape) and apply layers and hornbeam.ops to it.",
                )
        self._inputs_struct = inputs
        self._outputs_struct = outputs
        self._inputs: list[KerasTensor] = tree.flatten(inputs)
        self._outputs: list[KerasTensor] = tree.flatten(outputs)
        self._nodes, self._operations, self._operations_by_depth = sort(self._inputs, self._outputs)
        count = iter(range(len(self._outputs)))
        self._output_form = tree.map_structure(lambda _: _Slot(next(count)), outputs)
        self._plan = _Plan(self._inputs, self._outputs, self._nodes)

    @property
    def operations(self) -> list[Operation]:
        """The operations of the graph, each once, from the inputs to the outputs."""
        return list(self._operations)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input tensors, flat."""
        return list(self._inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output tensors, flat."""
        return list(self._outputs)

    @property
    def input(self) -> Any:
        """The input tensors in their structure."""
        return self._inputs_struct

    @property
    def output(self) -> Any:
        """The output tensors in their structure."""
        return self._outputs_struct

    def call(self, inputs: Any) -> Any:
        """The outputs for tensors in the structure of the inputs."""
        return self.run(tree.flatten(inputs))

    def run(self, values: list[Any], apply: Callable[[Operation], Callable] | None = None) -> Any:
        """The outputs for a flat list of inputs.

        Args:
            values: One value for each input.
            apply: Called with each operation, gives what is called in its place.
        """
        if len(values) != len(self._inputs):
            raise ArgumentError(f"{len(self._inputs)} input(s)", f"{len(values)}", f"Function {self.name!r}")
        return _filled(self._output_form, self._plan.run(values, apply))

    def compute_output_spec(self, inputs: Any) -> Any:
        """The symbolic outputs for symbolic inputs of other shapes."""
        return self.run(tree.flatten(inputs), lambda operation: operation.compute_output_spec)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for the shapes of the inputs."""
        shapes = tree.flatten(tree.map_shape_structure(lambda shape: KerasTensor(shape), input_shape))
        specs = [KerasTensor(one.shape, mine.dtype) for one, mine in zip(shapes, self._inputs, strict=True)]
        if all(one.shape == mine.shape for one, mine in zip(specs, self._inputs, strict=True)):
            return tree.map_structure(lambda one: one.shape, self._outputs_struct)
        return tree.map_structure(
            lambda one: one.shape, self.run(specs, lambda operation: operation.compute_output_spec)
        )


class _Slot:
    """Where a tensor of the graph stands in a list of values."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


def _filled(form: Any, values: list[Any]) -> Any:
    """`form` with values for its slots. Plain Python, which compilers that read Python can follow."""
    kind = type(form)
    if kind is _Slot:
        return values[form.number]
    if kind is list or kind is tuple:
        return kind([_filled(one, values) for one in form])
    if kind is dict:
        return {key: _filled(one, values) for key, one in form.items()}
    if isinstance(form, (list, tuple, dict)):
        return tree.map_structure(lambda one: values[one.number] if type(one) is _Slot else one, form)
    return form


class _Plan:
    """The nodes as a flat list of steps: which slots an operation reads and which it fills."""

    def __init__(self, inputs: list[KerasTensor], outputs: list[KerasTensor], nodes: list[Node]) -> None:
        slots = {id(tensor): index for index, tensor in enumerate(inputs)}
        self.steps: list[tuple] = []
        for node in nodes:
            if all(id(tensor) in slots for tensor in node.output_tensors):
                continue  # an input, or a node whose outputs are inputs of this graph
            form = tree.map_structure(
                lambda leaf: _Slot(slots[id(leaf)]) if isinstance(leaf, KerasTensor) else leaf, (node.args, node.kwargs)
            )
            # most nodes take one tensor, or tensors only, and need no rebuilding of nested arguments
            direct = None
            if not node.kwargs and all(isinstance(one, KerasTensor) for one in node.args):
                direct = [slots[id(one)] for one in node.args]
            first = len(slots)
            for offset, tensor in enumerate(node.output_tensors):
                slots[id(tensor)] = first + offset
            single = isinstance(node.outputs, KerasTensor)
            self.steps.append((node.operation, direct, form, first, single))
        self.size = len(slots)
        self.input_count = len(inputs)
        self.results = [slots[id(tensor)] for tensor in outputs]

    def run(self, values: list[Any], apply: Callable[[Operation], Callable] | None) -> list[Any]:
        found: list[Any] = [None] * self.size
        found[: self.input_count] = values
        for operation, direct, form, first, single in self.steps:
            function = operation if apply is None else apply(operation)
            if direct is not None:
                result = function(*[found[slot] for slot in direct])
            else:
                args, kwargs = _filled(form, found)
                result = function(*args, **kwargs)
            if single:
                found[first] = result
            else:
                for offset, one in enumerate(tree.flatten(result)):
                    found[first + offset] = one
        return [found[slot] for slot in self.results]


def node_of(tensor: KerasTensor) -> Node | None:
    """The node that made a symbolic tensor."""
    history = tensor._keras_history
    return None if history is None else history.operation._inbound_nodes[history.node_index]


def sort(
    inputs: list[KerasTensor], outputs: list[KerasTensor]
) -> tuple[list[Node], list[Operation], dict[int, list[Operation]]]:
    """The nodes between inputs and outputs, each after those it needs, and their operations.

    Operations come by decreasing distance from the outputs, ties in the order in which a walk from the outputs
    meets them: the order of layers, and so of weights, in Keras's models and files.

    Raises:
        ValueError: If an output needs a tensor that is neither an input nor made from inputs.
    """
    given = {id(tensor) for tensor in inputs}
    order: list[Node] = []
    met: dict[int, int] = {}  # operation -> when the walk met it
    state: dict[int, int] = {}  # node -> 1 open, 2 done
    for output in outputs:
        start = node_of(output)
        if start is None:
            if id(output) in given:
                continue
            raise ArgumentError("outputs made from the inputs", f"{output!r}, which no operation made", "graph")
        stack: list[tuple[Node, Any]] = []
        if id(start) not in state:
            _open(start, state, met)
            stack.append((start, iter(() if _is_given(start, given) else start.input_tensors)))
        while stack:
            node, pending = stack[-1]
            for tensor in pending:
                parent = node_of(tensor)
                if parent is None:
                    if id(tensor) in given:
                        continue
                    raise ArgumentError(
                        "outputs made from the inputs alone",
                        f"{node.operation!r}, which needs {tensor!r} that is no input", "graph",
                    )
                if id(parent) not in state:
                    _open(parent, state, met)
                    stack.append((parent, iter(() if _is_given(parent, given) else parent.input_tensors)))
                    break
                if state[id(parent)] == 1:
                    raise ArgumentError("a graph without cycles", f"one through {parent.operation!r}", "graph")
            else:
                state[id(node)] = 2
                order.append(node)
                stack.pop()
    _check_connected(order, given)
    node_depths: dict[int, int] = {}
    operation_depths: dict[int, int] = {}
    operations: dict[int, Operation] = {}
    for node in reversed(order):
        key = id(node.operation)
        depth = max(node_depths.get(id(node), 0), operation_depths.get(key, 0))
        node_depths[id(node)] = operation_depths[key] = depth
        operations[key] = node.operation
        if not _is_given(node, given):
            for parent in node.parents:
                node_depths[id(parent)] = max(depth + 1, node_depths.get(id(parent), 0))
    for tensor in inputs:  # inputs that no output needs
        node = node_of(tensor)
        if node is not None and id(node.operation) not in operations:
            operations[id(node.operation)] = node.operation
            operation_depths[id(node.operation)] = 0
            met[id(node.operation)] = -1
            order.insert(0, node)
    by_depth: dict[int, list[Operation]] = {}
    for key, operation in operations.items():
        by_depth.setdefault(operation_depths[key], []).append(operation)
    ordered: list[Operation] = []
    for depth in sorted(by_depth, reverse=True):
        by_depth[depth].sort(key=lambda one: met[id(one)])
        ordered.extend(by_depth[depth])
    return order, ordered, by_depth


def _open(node: Node, state: dict[int, int], met: dict[int, int]) -> None:
    state[id(node)] = 1
    met.setdefault(id(node.operation), len(met))


def _is_given(node: Node, given: set[int]) -> bool:
    return bool(node.output_tensors) and all(id(tensor) in given for tensor in node.output_tensors)


def _check_connected(order: list[Node], given: set[int]) -> None:
    for node in order:
        if node.is_input and not _is_given(node, given):
            raise ArgumentError(
                "outputs made from the inputs alone",
                f"{node.operation.name!r}, an input that is not among the given ones", "graph",
                "Pass all inputs the outputs depend on.",
            )
