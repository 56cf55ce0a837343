"""Functions of trees as graphs of TensorFlow, which of them XLA compiles, and when.

XLA takes long to compile, so a graph runs as it is until it has run often. On a CPU XLA computes with one thread and
without TensorFlow's kernels: it wins where there are many small operations, and loses by far at convolutions.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from hornbeam import tree
from hornbeam.backend.tensorflow.framework import tf
from hornbeam.errors import UnsupportedError, warn

# After how many steps a graph that XLA suits is compiled: about as many as pay for the compilation. With loops inside a
# step, as recurrent layers have them, a twentieth of the steps gains as much.
STEPS_WITH_LOOPS, STEPS = 100, 2000

# On a CPU: multiplications in one product, over the number of cores, and elements that rows are added into, above which
# TensorFlow's kernels, which use all cores and update in place, are faster.
PRODUCT, ROWS = 100_000_000, 1_000_000

# How many shapes XLA compiles a function for, by the user's wish, before there is a warning.
_MANY_SHAPES = 16

# What those graphs are made of in which XLA was measured to be faster on a CPU, and more of these kinds. Not here:
# convolutions and pooling, which it computes slowly; checks of values, which it leaves out; what was not tried.
_SUITS = frozenset((
    "Abs", "Acos", "Acosh", "Add", "AddN", "AddV2", "All", "Any", "ArgMax", "ArgMin", "Asin", "Asinh",
    "AssignAddVariableOp", "AssignSubVariableOp", "AssignVariableOp", "Atan", "Atan2", "Atanh", "BatchMatMulV2",
    "BatchMatMulV3", "BiasAdd", "BiasAddGrad", "Bitcast", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BroadcastArgs",
    "BroadcastGradientArgs", "BroadcastTo", "Cast", "Ceil", "ClipByValue", "Concat", "ConcatV2", "ConcatOffset",
    "Const", "Cos", "Cosh", "DivNoNan", "Einsum", "Elu", "EluGrad", "EmptyTensorList", "EnsureShape", "Equal", "Erf",
    "Erfc", "Exp", "ExpandDims", "Expm1", "Fill", "Floor", "FloorDiv", "FloorMod", "Gather", "GatherNd", "GatherV2",
    "Greater", "GreaterEqual", "Identity", "IdentityN", "If", "Invert", "InvertPermutation", "IsFinite", "IsInf",
    "IsNan", "L2Loss", "LeakyRelu", "LeakyReluGrad", "LeftShift", "Less", "LessEqual", "LinSpace", "Log", "Log1p",
    "LogSoftmax", "LogicalAnd", "LogicalNot", "LogicalOr", "MatMul", "MatrixBandPart", "Max", "Maximum", "Mean",
    "Min", "Minimum", "Mod", "Mul", "MulNoNan", "Neg", "NoOp", "NotEqual", "OneHot", "OnesLike", "Pack", "Pad",
    "PadV2", "PartitionedCall", "Placeholder", "Pow", "PreventGradient", "Prod", "Range", "Rank", "ReadVariableOp",
    "RealDiv", "Reciprocal", "ReciprocalGrad", "Relu", "Relu6", "Relu6Grad", "ReluGrad", "Reshape",
    "ResourceApplyAdam", "ResourceApplyAdamWithAmsgrad", "ResourceApplyGradientDescent", "ResourceApplyKerasMomentum",
    "ResourceGather", "ReverseV2", "RightShift", "Rint", "Round", "Rsqrt", "RsqrtGrad", "Select", "SelectV2", "Selu",
    "SeluGrad", "Shape", "ShapeN", "Sigmoid", "SigmoidGrad", "Sign", "Sin", "Sinh", "Size", "Slice", "Softmax",
    "SoftmaxCrossEntropyWithLogits", "Softplus", "SoftplusGrad", "Softsign", "SoftsignGrad",
    "SparseSoftmaxCrossEntropyWithLogits", "Split", "SplitV", "Sqrt", "SqrtGrad", "Square", "SquaredDifference",
    "Squeeze", "StatefulPartitionedCall", "StatelessIf", "StatelessWhile", "StopGradient", "StridedSlice",
    "StridedSliceGrad", "Sub", "Sum", "Tan", "Tanh", "TanhGrad", "TensorListElementShape", "TensorListFromTensor",
    "TensorListGetItem", "TensorListLength", "TensorListPopBack", "TensorListPushBack", "TensorListReserve",
    "TensorListSetItem", "TensorListStack", "Tile", "Transpose", "TruncateDiv", "TruncateMod", "Unpack",
    "UnsortedSegmentSum", "While", "Where3", "Xdivy", "Xlog1py", "Xlogy", "ZerosLike",
))  # fmt: skip
_PRODUCTS = ("MatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum")


class Program:
    """A function of trees of tensors as a `tf.function`, traced once for each structure, shape and dtype.

    Variables that the function reads and writes stay where they are: the graph sees them.

    Args:
        function: Takes and gives trees; what is no tensor in them is constant.
        optimize: Whether XLA compiles the graph; None for where that is faster, once the function has run often.

    Attributes:
        room: How many steps from now the way it is run may change; a loop of more steps ends there first, so that the
            same steps are always computed in the same way.
    """

    def __init__(self, function: Callable, optimize: bool | None = None) -> None:
        self._function = function
        self._optimize = optimize
        self._graphs: dict[Any, _Graph] = {}
        self._steps = 0
        self._compiles = bool(optimize)
        self.room: float = STEPS_WITH_LOOPS if optimize is None and not tf.distribute.has_strategy() else math.inf

    def __call__(self, *args: Any) -> Any:
        leaves, description = tree.flatten_and_structure(args)
        key = (description, tuple(_kind(one) for one in leaves))
        graph = self._graphs.get(key)
        if graph is None:
            graph = self._graphs[key] = _Graph(self._function, leaves, description)
            if self._optimize and len(self._graphs) == _MANY_SHAPES:
                warn(
                    f"XLA compiles one function for the {_MANY_SHAPES}th shape of its arguments. Pad batches to few "
                    "shapes, or pass jit_compile=False."
                )
        tensors = [one for one in leaves if isinstance(one, tf.Tensor)]
        if not self._compiles:
            return graph.run(tensors)
        try:
            return graph.compiled(tensors)
        except tf.errors.OpError as problem:
            # XLA refuses a graph as a whole, before any of it has run
            if self._optimize:
                raise _refused(problem) or problem from None
            self._compiles = False
            return graph.run(tensors)

    def ran(self, steps: int) -> None:
        """Takes notice that the function ran for so many steps, at most `room`."""
        if self.room == math.inf or not tf.executing_eagerly():
            return
        self.room -= steps
        self._steps += steps
        if self.room > 0:
            return
        wanted = min(steps_before_compiling(one.graph) for one in self._graphs.values())
        self._compiles = self._steps >= wanted
        self.room = math.inf if self._compiles else wanted - self._steps


class _Graph:
    """One traced graph, as it is and compiled."""

    def __init__(self, function: Callable, leaves: list[Any], description: Any) -> None:
        def flat(*tensors: Any) -> list[Any]:
            rest = iter(tensors)
            filled = [next(rest) if isinstance(one, tf.Tensor) else one for one in leaves]
            found, self._structure = tree.flatten_and_structure(function(*tree.unflatten(description, filled)))
            self._fixed = [None if isinstance(one, tf.Tensor) else (one,) for one in found]
            return [one for one in found if isinstance(one, tf.Tensor)]

        specs = [tf.TensorSpec(one.shape, one.dtype) for one in leaves if isinstance(one, tf.Tensor)]
        # without autograph: hornbeam's own code, and train steps that users write, say what they mean
        self.graph = tf.function(flat, autograph=False).get_concrete_function(*specs)
        self._compiled: Any = None

    def run(self, tensors: list[Any]) -> Any:
        return self._result(self.graph(*tensors))

    def compiled(self, tensors: list[Any]) -> Any:
        if self._compiled is None:
            whole = tf.function(lambda *given: self.graph(*given), autograph=False, jit_compile=True)
            self._compiled = whole.get_concrete_function(*[tf.TensorSpec(one.shape, one.dtype) for one in tensors])
        return self._result(self._compiled(*tensors))

    def _result(self, found: Any) -> Any:
        rest = iter(found)
        return tree.unflatten(self._structure, [next(rest) if one is None else one[0] for one in self._fixed])


def _kind(value: Any) -> Any:
    if isinstance(value, tf.Tensor):
        return value.dtype, tuple(value.shape)
    try:
        hash(value)
    except TypeError:
        return id(value)
    return type(value), value


def steps_before_compiling(graph: Any) -> float:
    """How many steps of a graph are worth the time that XLA takes to compile it; infinite where it does not suit it."""
    loops = False
    on_cpu = not tf.config.list_logical_devices("GPU")
    most = PRODUCT / max(os.cpu_count() or 1, 2)
    largest = 0.0
    for node, shapes in _nodes(graph.graph.as_graph_def(add_shapes=True)):
        loops = loops or node.op.startswith("TensorList")
        if not on_cpu:
            continue
        if node.op not in _SUITS:
            return math.inf
        if node.op in _PRODUCTS:
            largest = max(largest, _multiplications(node, shapes))
        elif node.op == "UnsortedSegmentSum" and _count(shapes[-1]) > ROWS:
            return math.inf
    if largest > most and not loops:
        return math.inf
    return STEPS_WITH_LOOPS if loops else STEPS


def _nodes(definition: Any) -> Iterator[tuple[Any, list[Any]]]:
    """The nodes of a graph and of the functions in it, with the shapes of what goes in and of the first result."""
    for nodes, known in [
        (definition.node, {}),
        *(
            (one.node_def, {
                arg.name: one.arg_attr[place].attr["_output_shapes"].list.shape[:1]
                for place, arg in enumerate(one.signature.input_arg)
            })
            for one in definition.library.function
        ),
    ]:  # fmt: skip
        for node in nodes:
            known[node.name] = node.attr["_output_shapes"].list.shape[:1]
        for node in nodes:
            names = [one.partition(":")[0] for one in node.input if not one.startswith("^")]
            yield node, [*(known.get(one) for one in names), known[node.name]]


def _count(shape: Any) -> float:
    """How many elements there are, if that is known."""
    if not shape or shape[0].unknown_rank:
        return 0.0
    return float(math.prod(max(axis.size, 1) for axis in shape[0].dim))


def _multiplications(node: Any, shapes: list[Any]) -> float:
    """Those in a product, if they are known."""
    if not all(one and len(one[0].dim) > 0 for one in shapes):
        return 0.0
    sizes = [[axis.size for axis in one[0].dim] for one in shapes]
    if node.op == "Einsum":
        terms = node.attr["equation"].s.decode().partition("->")[0].split(",")
        by_label = dict(pair for term, of in zip(terms, sizes, strict=False) for pair in zip(term, of, strict=False))
        return float(math.prod(max(size, 1) for size in by_label.values()))
    if len(sizes[0]) < 2:
        return 0.0
    turned = node.attr["transpose_a"].b or node.attr["adj_x"].b
    return _count(shapes[-1]) * max(sizes[0][-2 if turned else -1], 1)


def _refused(problem: Exception) -> Exception | None:
    """What to tell a user who asked for XLA, if it was XLA that raised the error."""
    text = str(problem)
    found = re.search(r"([A-Za-z0-9_]+) \(No registered '\1' OpKernel for XLA_", text)
    if found is None and "XLA" not in text and "xla" not in text and "compile-time constant" not in text:
        return None
    names = re.findall(r"\{\{node ([^}]*)\}\}", text)
    what = found[1] if found is not None else "something that it cannot compile"
    where = f" ({names[-1]})" if names else ""
    return UnsupportedError(
        "operations that XLA can compile", f"{what}{where}", "jit_compile=True",
        f"Pass jit_compile=False, or 'auto', which compiles where it can. TensorFlow says: {text.splitlines()[0]}",
    )  # fmt: skip
