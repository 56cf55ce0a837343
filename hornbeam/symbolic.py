"""Symbolic tensors and the graph they record: `KerasTensor`, `Node` and `Operation`, what a node applies."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from hornbeam import dtypes, scope, tree
from hornbeam._arguments import Recorded
from hornbeam.backend import active as backend
from hornbeam.backend.base import Struct
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownAttributeError, describe
from hornbeam.scope import Trace
from hornbeam.variable import standardize_shape


class History(NamedTuple):
    """Where a symbolic tensor comes from."""

    operation: Any
    node_index: int
    tensor_index: int


class KerasTensor:
    """A tensor of which only shape and dtype are known; operations on it are recorded, not computed.

    Args:
        shape: One int, or None where the size is open, per axis.
        dtype: A dtype name.
        sparse: Whether it stands for sparse tensors.
        ragged: Whether it stands for ragged tensors.
        record_history: Kept for compatibility; a tensor gets its history from the operation that makes it.
        name: A name; None counts up from "keras_tensor".

    >>> import hornbeam as keras
    >>> x = keras.KerasTensor((None, 3))
    >>> keras.ops.sum(x, axis=-1).shape
    (None,)
    """

    __array_priority__ = 2000

    def __init__(
        self,
        shape: Any,
        dtype: str = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise ArgumentTypeError("known arguments", str(sorted(kwargs)), "KerasTensor")
        if sparse and ragged:
            raise ArgumentError("a tensor that is sparse or ragged", "both", "KerasTensor")
        self._shape = standardize_shape(shape)
        self._dtype = dtypes.standardize_dtype(dtype)
        self.sparse = bool(sparse)
        self.ragged = bool(ragged)
        self._name = name
        self.record_history = record_history
        self._keras_history: History | None = None

    @property
    def name(self) -> str:
        """Its name."""
        if self._name is None:  # most tensors are never asked
            self._name = scope.auto_name("keras_tensor")
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape, None where open."""
        return self._shape

    @shape.setter
    def shape(self, value: Any) -> None:
        self._shape = standardize_shape(value)

    @property
    def dtype(self) -> str:
        """The dtype name."""
        return self._dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._shape)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self._shape}, dtype={self._dtype}, sparse={self.sparse}, name={self.name}>"

    def _no_value(self, wanted: str) -> ArgumentTypeError:
        return ArgumentTypeError(
            "a tensor with values",
            f"the symbolic {self!r}",
            wanted,
            "A symbolic tensor stands for inputs that come later: use hornbeam.ops or layers on it, and call the "
            "model on real data to get values.",
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise self._no_value("conversion to a NumPy array")

    def __jax_array__(self) -> Any:
        raise self._no_value("use in a function of JAX")

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        found = next(one for one in tree.flatten((args, kwargs or {})) if isinstance(one, KerasTensor))
        raise found._no_value("use in a function of torch")

    def __tf_tensor__(self, *_: Any, **__: Any) -> Any:
        raise self._no_value("use in a function of TensorFlow")

    def __bool__(self) -> bool:
        raise self._no_value("use as a condition")

    def __float__(self) -> float:
        raise self._no_value("conversion to a number")

    def __int__(self) -> int:
        raise self._no_value("conversion to a number")

    def __iter__(self) -> Any:
        raise self._no_value("iteration")

    def __len__(self) -> int:
        if not self._shape or self._shape[0] is None:
            raise self._no_value("len")
        return self._shape[0]

    def __hash__(self) -> int:
        return id(self)


def is_symbolic(value: Any) -> bool:
    """Whether `value` is a symbolic tensor."""
    return isinstance(value, KerasTensor)


def any_symbolic(structure: Any) -> bool:
    """Whether some leaf of a nested structure is a symbolic tensor."""
    if isinstance(structure, (list, tuple)):
        return any(any_symbolic(one) for one in structure)
    if isinstance(structure, dict):
        return any(any_symbolic(one) for one in structure.values())
    return isinstance(structure, KerasTensor)


class Node:
    """One application of an operation to arguments, some of them symbolic tensors.

    Args:
        operation: What was applied.
        args: Positional arguments, any structure.
        kwargs: Keyword arguments, any structure.
        outputs: The symbolic tensors that came out, any structure.
    """

    def __init__(self, operation: Operation, args: tuple, kwargs: dict[str, Any], outputs: Any) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs
        self.input_tensors: list[KerasTensor] = [
            leaf for leaf in tree.flatten((args, kwargs)) if isinstance(leaf, KerasTensor)
        ]
        self.output_tensors: list[KerasTensor] = [
            leaf for leaf in tree.flatten(outputs) if isinstance(leaf, KerasTensor)
        ]
        index = len(operation._inbound_nodes)
        for position, tensor in enumerate(self.output_tensors):
            tensor._keras_history = History(operation, index, position)
        operation._inbound_nodes.append(self)
        for parent in self.parents:
            parent.operation._outbound_nodes.append(self)

    @property
    def is_input(self) -> bool:
        """Whether the node makes its outputs from nothing."""
        return not self.input_tensors

    @property
    def parents(self) -> list[Node]:
        """The nodes whose outputs this one takes."""
        nodes: dict[int, Node] = {}
        for tensor in self.input_tensors:
            history = tensor._keras_history
            if history is not None:
                node = history.operation._inbound_nodes[history.node_index]
                nodes[id(node)] = node
        return list(nodes.values())

    def __repr__(self) -> str:
        return f"<Node of {self.operation!r}>"


class Operation(Recorded):
    """Something that can be applied to tensors, symbolic ones included, and has a name.

    Subclasses write `call`. Shapes come from evaluating it abstractly, unless they write `compute_output_spec`.

    Args:
        name: A name; None counts up from the class's name in snake case.
    """

    name: str

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if args and isinstance(args[0], KerasTensor) and cls.__module__.startswith("hornbeam.layers."):
            raise ArgumentError(
                "settings of the layer", describe(args[0]), cls.__name__,
                f"A layer is made first, and then called with tensors: {cls.__name__}(...)(x).",
            )  # fmt: skip
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = scope.auto_name(scope.to_snake_case(type(self).__name__))
        elif not isinstance(name, str) or "/" in name:
            raise ArgumentError("a name without '/'", repr(name), type(self).__name__)
        self.name = name
        self.__dict__.setdefault("_inbound_nodes", [])
        self.__dict__.setdefault("_outbound_nodes", [])

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the operation computes."""
        raise NotImplementedError

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any_symbolic((args, kwargs)):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Records one application; returns symbolic tensors."""
        outputs = self.compute_output_spec(*args, **kwargs)
        return record(self, args, kwargs, outputs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic outputs for these arguments, unrecorded."""
        return infer(self.call, args, kwargs)

    def _history_property(self, which: str) -> Any:
        nodes = self.__dict__.get("_inbound_nodes") or []
        if not nodes:
            raise UnknownAttributeError(
                f"a layer that was called on symbolic tensors before asking its `{which}`",
                "one that was not",
                getattr(self, "name", type(self).__name__),
            )
        if len(nodes) > 1:
            firsts = [tree.flatten(node.outputs if which == "output" else node.args) for node in nodes]
            if any([id(one) for one in first] != [id(one) for one in firsts[0]] for first in firsts[1:]):
                raise UnknownAttributeError(
                    f"a layer with one `{which}`",
                    f"{len(nodes)} applications",
                    self.name,
                    f"Read the tensors from your own variables instead of `.{which}`.",
                )
        return nodes[0]

    @property
    def input(self) -> Any:
        """The symbolic tensor(s) the operation was called on, if it was called once."""
        node = self._history_property("input")
        tensors = node.input_tensors
        if len(node.args) == 1 and not any_symbolic(node.kwargs):
            return node.args[0]
        return tensors[0] if len(tensors) == 1 else (tensors or node.outputs)

    @property
    def output(self) -> Any:
        """The symbolic tensor(s) the operation gave, if it was called once."""
        return self._history_property("output").outputs

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs to make an equal operation."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """An operation made from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.__dict__.get('name')}>"


def record(operation: Operation, args: tuple, kwargs: dict[str, Any], outputs: Any) -> Any:
    """Makes the node for one application; returns the outputs, which now know it."""
    Node(operation, args, kwargs, outputs)
    return outputs


def infer(function: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """The symbolic result of `function`, found by evaluating it abstractly; variables stay as they are."""
    leaves, description = tree.flatten_and_structure((args, kwargs))
    structs = [Struct(leaf._shape, leaf._dtype) if isinstance(leaf, KerasTensor) else leaf for leaf in leaves]
    struct_args, struct_kwargs = tree.unflatten(description, structs)

    def followed(*given: Any, **named: Any) -> Any:
        with Trace():  # one for each time, so that nothing of an attempt that failed is left for the next
            return function(*given, **named)

    result = backend.abstract(followed, *struct_args, **struct_kwargs)
    return tree.map_structure(lambda one: KerasTensor(one.shape, one.dtype) if isinstance(one, Struct) else one, result)
