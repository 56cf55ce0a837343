"""Core ops, control flow and Python's operators: what they give, what they record, what they refuse."""

from __future__ import annotations

import importlib
import operator
import pkgutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hornbeam.ops
from hornbeam import KerasTensor, Variable, ops
from hornbeam.backend import active as backend
from tests.examples_in_docstrings import failures_of
from tests.needs import needs_gradients

pytestmark = pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")  # NumPy's, of overflows



def array(value: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(value))


# --- operators ---------------------------------------------------------------------------------------------------

A = np.array([[1.0, 2.0], [3.0, 5.0]], "float32")
B = np.array([[2.0, 2.0], [4.0, 3.0]], "float32")
BINARY = {
    "add": "Add", "sub": "Subtract", "mul": "Multiply", "truediv": "TrueDivide", "floordiv": "FloorDivide",
    "mod": "Mod", "pow": "Power", "matmul": "Matmul", "lt": "Less", "le": "LessEqual", "gt": "Greater",
    "ge": "GreaterEqual", "ne": "NotEqual",
}  # fmt: skip


def node_of(tensor: KerasTensor) -> Any:
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]


@pytest.mark.parametrize("name", BINARY)
def test_operators_of_two_tensors(name: str) -> None:
    apply = getattr(operator, name)
    wanted = apply(A, B)
    for left, right in ((Variable(A), B), (A, Variable(B)), (Variable(A), Variable(B)), (Variable(A), ops.array(B))):
        if name in ("lt", "le", "gt", "ge", "ne") and left is A:
            continue
        np.testing.assert_allclose(array(apply(left, right)), wanted, rtol=1e-6)
    x, y = KerasTensor((None, 2)), KerasTensor((2, 2))
    result = apply(x, y)
    assert type(node_of(result).operation).__name__ == BINARY[name]
    assert node_of(result).args == (x, y)
    if name != "matmul":
        assert apply(x, 2.0).shape == (None, 2)
        assert node_of(apply(x, 2.0)).args == (x, 2.0)
    if name not in ("matmul", "lt", "le", "gt", "ge", "ne"):
        assert node_of(apply(2.0, x)).args == (2.0, x)
        np.testing.assert_allclose(array(apply(3.0, Variable(A))), apply(np.float32(3), A), rtol=1e-6)
    assert apply(np.ones((2, 2), "float32"), y).shape == (2, 2)


def test_operators_of_one_tensor() -> None:
    x, v = KerasTensor((2,)), Variable([-1.5, 2.0])
    assert type(node_of(-x).operation).__name__ == "Negative"
    assert type(node_of(abs(x)).operation).__name__ == "Absolute"
    assert type(node_of(~KerasTensor((2,), "bool")).operation).__name__ == "LogicalNot"
    assert type(node_of(round(x, 1)).operation).__name__ == "Round"
    assert (+x) is x
    assert array(-v).tolist() == [1.5, -2.0]
    assert array(abs(v)).tolist() == [1.5, 2.0]
    assert array(round(v)).tolist() == [-2.0, 2.0]
    assert array(+v).tolist() == [-1.5, 2.0]
    assert array(~Variable([1, 2], dtype="int32")).tolist() == [-2, -3]


def test_logical_operators() -> None:
    x, v = KerasTensor((2,), "bool"), Variable([True, False], dtype="bool")
    for apply, name in ((operator.and_, "LogicalAnd"), (operator.or_, "LogicalOr"), (operator.xor, "LogicalXor")):
        assert type(node_of(apply(x, True)).operation).__name__ == name
        assert array(apply(v, True)).tolist() == apply(np.array([True, False]), True).tolist()
        assert array(apply(True, v)).tolist() == apply(np.array([True, False]), True).tolist()


def test_equality_and_hash() -> None:
    x, v = KerasTensor((2,)), Variable([1.0, 2.0])
    assert array(v == 1).tolist() == [True, False]
    assert array(v != 1).tolist() == [False, True]
    assert (v == None) is False  # noqa: E711
    assert x == x and (x == KerasTensor((2,))) is False
    assert x in [KerasTensor((2,)), x]
    assert (x == None) is False  # noqa: E711
    assert {x: 1, v: 2}[v] == 2


def test_items() -> None:
    x = KerasTensor((None, 3, 4))
    assert x[0].shape == (3, 4)
    assert x[:, 1:, ::2].shape == (None, 2, 2)
    assert x[..., None, -1].shape == (None, 3, 1)
    assert node_of(x[0, 1:]).args == (x, (0, slice(1, None)))
    assert type(node_of(x[0]).operation).__name__ == "GetItem"
    assert x[:, KerasTensor((5,), "int32")].shape == (None, 5, 4)
    assert x[:, [0, 2]].shape == (None, 2, 4)
    with pytest.raises(ValueError, match=r"index in \[-3, 3\)"):
        x[:, 3]
    with pytest.raises(ValueError, match="at most 3 indices"):
        x[0, 0, 0, 0]
    with pytest.raises(TypeError):
        iter(x)
    v = Variable(A)
    assert array(v[1]).tolist() == [3.0, 5.0]
    assert array(v[Variable([1, 0], dtype="int32")]).tolist() == [[3.0, 5.0], [1.0, 2.0]]
    assert array(v[[1, 0], 0]).tolist() == [3.0, 1.0]


def test_methods_of_symbolic_tensors() -> None:
    x = KerasTensor((None, 1, 4))
    assert x.reshape((-1, 2)).shape == (None, 2)
    assert x.squeeze(1).shape == (None, 4)
    with pytest.raises(TypeError):
        _ = x + object()


# --- conversion --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "dtype", "wanted"),
    [
        ([1.7, -1.7], "int32", [1, -1]),
        ([0, 2], "bool", [False, True]),
        ([True, False], "float16", [1.0, 0.0]),
        ([1, 2], float, [1.0, 2.0]),
    ],
)
def test_cast(values: list, dtype: Any, wanted: list) -> None:
    assert array(ops.cast(values, dtype)).tolist() == wanted
    assert ops.cast(KerasTensor((None,)), dtype).dtype == ops.dtype(ops.cast(values, dtype))
    node = node_of(ops.cast(KerasTensor((None,)), "int32"))
    assert node.operation.get_config() == {"name": node.operation.name, "dtype": "int32"}


@pytest.mark.parametrize(
    ("values", "source", "dtype", "wanted"),
    [
        ([300.0, -5.0, np.nan, np.inf], "float32", "uint8", [255, 0, 0, 255]),
        ([3e9, -3e9, 1.5], "float32", "int32", [2**31 - 1, -(2**31), 1]),
        ([300, -300], "int32", "int8", [127, -128]),
        ([-1, 5], "int32", "uint8", [0, 5]),
        ([1e6, -1e6], "float32", "float16", [65504.0, -65504.0]),
        ([200, 5], "uint8", "int8", [127, 5]),
        ([70000.0], "bfloat16", "int32", [70144]),
    ],
)
def test_saturate_cast(values: list, source: str, dtype: str, wanted: list) -> None:
    got = ops.saturate_cast(ops.cast(np.array(values), source), dtype)
    assert ops.dtype(got) == dtype
    assert array(got).tolist() == wanted


def test_convert_to_tensor() -> None:
    assert ops.dtype(ops.convert_to_tensor([1.0, 2])) == "float32"
    assert ops.dtype(ops.convert_to_tensor([1, 2])) == "int32"
    assert ops.dtype(ops.convert_to_tensor(Variable([1.5]), dtype="int32")) == "int32"
    assert array(ops.convert_to_tensor([[Variable(1.0), 2.0]])).tolist() == [[1.0, 2.0]]
    assert ops.is_tensor(ops.convert_to_tensor(1))
    assert not ops.is_tensor(Variable(1.0)) and not ops.is_tensor(KerasTensor((1,)))
    with pytest.raises(TypeError, match="something that can be a tensor"):
        ops.convert_to_tensor(None)
    with pytest.raises(NotImplementedError, match="sparse"):
        ops.convert_to_tensor([1.0], sparse=True)
    with pytest.raises(TypeError, match="a tensor with values"):
        ops.convert_to_numpy(KerasTensor((2,)))


def test_facts() -> None:
    assert ops.shape(KerasTensor((None, 3))) == (None, 3)
    assert ops.shape([[1, 2]]) == (1, 2)
    assert ops.size(np.ones((2, 3))) == 6
    assert ops.ndim(KerasTensor((None, 3))) == 2
    assert ops.dtype(Variable([1.0])) == "float32"
    assert ops.size(KerasTensor((None, 3))).shape == ()


@needs_gradients
def test_stop_gradient_and_custom_gradient() -> None:
    x = ops.array([2.0, 3.0])
    _, _, (gradient,) = backend.value_and_grad(lambda x: (ops.sum(x * ops.stop_gradient(x)), None), [x])
    assert array(gradient).tolist() == [2.0, 3.0]

    @ops.custom_gradient
    def doubled(x):
        return x * x, lambda upstream: upstream * 100.0

    _, _, (gradient,) = backend.value_and_grad(lambda x: (ops.sum(doubled(x)), None), [x])
    assert array(gradient).tolist() == [100.0, 100.0]


# --- parts -------------------------------------------------------------------------------------------------------


def test_unstack() -> None:
    assert [array(one).tolist() for one in ops.unstack(A, axis=1)] == [[1.0, 3.0], [2.0, 5.0]]
    assert [one.shape for one in ops.unstack(KerasTensor((None, 2)), num=3)] == [(2,)] * 3
    with pytest.raises(ValueError, match="Give `num`"):
        ops.unstack(KerasTensor((None, 2)))
    with pytest.raises(ValueError):
        ops.unstack(A, num=3)


def test_slices() -> None:
    x = np.arange(12).reshape(3, 4)
    assert array(ops.slice(x, (1, 1), (2, 2))).tolist() == [[5, 6], [9, 10]]
    assert array(ops.slice(x, ops.array([1, 1]), (2, 2))).tolist() == [[5, 6], [9, 10]]
    assert array(ops.slice(x, (2, 3), (2, 2))).tolist() == [[6, 7], [10, 11]]  # moved back inside
    assert ops.slice(KerasTensor((None, 4)), (0, 1), (2, 3)).shape == (2, 3)
    updated = ops.slice_update(x, (1, 1), np.full((2, 2), -1))
    assert array(updated).tolist() == [[0, 1, 2, 3], [4, -1, -1, 7], [8, -1, -1, 11]]
    assert array(ops.slice_update(x, ops.array([2, 3]), [[-1, -1]])).tolist()[2] == [8, 9, -1, -1]
    assert ops.slice_update(KerasTensor((None, 4)), (0, 1), KerasTensor((1, 1))).shape == (None, 4)
    with pytest.raises(ValueError, match="fits into"):
        ops.slice(x, (0, 0), (4, 4))
    with pytest.raises(ValueError, match="2 start indices"):
        ops.slice(x, (0,), (1, 1))


@pytest.mark.parametrize(
    ("reduction", "wanted"),
    [
        (None, [9, 2, 3, 7]),
        ("add", [10, 2, 3, 11]),
        ("max", [9, 2, 3, 7]),
        ("min", [1, 2, 3, 4]),
        ("mul", [9, 2, 3, 28]),
    ],
)
def test_scatter_update(reduction: str | None, wanted: list) -> None:
    assert array(ops.scatter_update([1, 2, 3, 4], [[0], [3]], [9, 7], reduction=reduction)).tolist() == wanted


def test_scatter() -> None:
    assert array(ops.scatter([[0], [2], [0]], [5.0, 7.0, 1.0], (4,))).tolist() == [6.0, 0.0, 7.0, 0.0]
    rows = ops.scatter([[1]], [[1, 2]], (3, 2))
    assert array(rows).tolist() == [[0, 0], [1, 2], [0, 0]]
    assert ops.scatter(KerasTensor((None, 1), "int32"), KerasTensor((None,)), (4,)).shape == (4,)
    before = ops.array([1, 2])
    ops.scatter_update(before, [[0]], [5])
    assert array(before).tolist() == [1, 2]
    with pytest.raises(ValueError, match="reduction"):
        ops.scatter_update([1], [[0]], [1], reduction="mean")


# --- control flow ------------------------------------------------------------------------------------------------


def compiled(function: Any) -> Any:
    return backend.compile(function) if backend.compile_default else function


def test_branches() -> None:
    choose = lambda p, x: ops.cond(p, lambda: x + 1, lambda: x * 10)  # noqa: E731
    for run in (choose, compiled(choose)):
        assert float(run(ops.array(True), ops.array(2.0))) == 3.0
        assert float(run(ops.array(False), ops.array(2.0))) == 20.0
    pick = lambda i, x: ops.switch(i, [lambda x: x, lambda x: x + 1, lambda x: x + 2], x)  # noqa: E731
    for run in (pick, compiled(pick)):
        assert [int(run(ops.array(i), ops.array(5))) for i in (-1, 0, 1, 2, 9)] == [5, 5, 6, 7, 7]
    assert ops.cond(KerasTensor((), "bool"), lambda: ops.ones((2,)), lambda: ops.zeros((2,))).shape == (2,)
    with pytest.raises(TypeError, match="true_fn"):
        ops.cond(True, 1, 2)


def test_only_the_chosen_branch_runs() -> None:
    v = Variable(1.0)
    ops.cond(True, lambda: v.assign(5.0), lambda: v.assign(7.0))
    assert float(v) == 5.0


def test_while_loop() -> None:
    double = lambda n, x: ops.while_loop(lambda i, x: i < n, lambda i, x: [i + 1, x * 2], (0, x))[1]  # noqa: E731
    for run in (double, compiled(double)):
        assert float(run(ops.array(3), ops.array(1.5))) == 12.0
    assert int(ops.while_loop(lambda i: i < 9, lambda i: i + 1, 0, maximum_iterations=4)) == 4
    nested = ops.while_loop(lambda d: d["a"] < 3, lambda d: {"a": d["a"] + 1}, {"a": 0})
    assert int(nested["a"]) == 3
    assert ops.while_loop(lambda x: ops.all(x < 3), lambda x: x + 1, KerasTensor((2,))).shape == (2,)
    with pytest.raises(ValueError, match="2 tensors"):
        ops.while_loop(lambda i, x: i < 1, lambda i, x: (i,), (0, 1.0))


def test_fori_loop() -> None:
    total = lambda n: ops.fori_loop(0, n, lambda i, t: t + i, 0)  # noqa: E731
    for run in (total, compiled(total)):
        assert int(run(ops.array(5))) == 10
    a, b = ops.fori_loop(1, 3, lambda i, ab: (ab[0] + i, ab[1] * i), (0, 1))
    assert (int(a), int(b)) == (3, 2)


def test_scan() -> None:
    step = lambda c, x: (c + x, c * x)  # noqa: E731
    last, outputs = ops.scan(step, 0.0, ops.arange(4.0))
    assert float(last) == 6.0 and array(outputs).tolist() == [0.0, 0.0, 2.0, 9.0]
    _, outputs = ops.scan(lambda c, _: (c + 1, c), 0, length=3, reverse=True)
    assert array(outputs).tolist() == [2, 1, 0]
    last, outputs = ops.scan(step, KerasTensor((3,)), KerasTensor((5, 3)))
    assert last.shape == (3,) and outputs.shape == (5, 3)
    with pytest.raises(ValueError, match="one number of steps"):
        ops.scan(step, 0.0)
    with pytest.raises(ValueError, match="one number of steps"):
        ops.scan(step, 0.0, ops.arange(4.0), length=3)


@pytest.mark.parametrize("count", [1, 2, 3, 6, 7])
@pytest.mark.parametrize("reverse", [False, True])
def test_associative_scan(count: int, reverse: bool) -> None:
    x = np.arange(count * 2).reshape(2, count)
    got = ops.associative_scan(lambda a, b: a + b, x, reverse=reverse, axis=1)
    wanted = np.flip(np.cumsum(np.flip(x, 1), 1), 1) if reverse else np.cumsum(x, 1)
    assert array(got).tolist() == wanted.tolist()
    # matrix products are associative, but do not commute
    matrices = np.stack([np.array([[1, i], [0, 1 + i % 2]]) for i in range(count)])
    combine = (lambda a, b: ops.matmul(b, a)) if reverse else ops.matmul
    products, total = [], np.eye(2, dtype=int)
    for one in matrices[::-1] if reverse else matrices:
        total = one @ total if reverse else total @ one
        products.append(total)
    got = ops.associative_scan(combine, matrices, reverse=reverse)
    assert array(got).tolist() == [one.tolist() for one in (products[::-1] if reverse else products)]


def test_maps() -> None:
    x = ops.array(A)
    for spread in (ops.map, ops.vectorized_map):
        assert array(spread(lambda row: ops.sum(row), x)).tolist() == [3.0, 8.0]
        pairs = spread(lambda ab: {"s": ab[0] + ab[1]}, (x, x))
        assert array(pairs["s"]).tolist() == (A * 2).tolist()
        assert spread(lambda row: row[0], KerasTensor((4, 2))).shape == (4,)
    both = ops.vectorize(lambda a, b: a + b)
    assert array(both([1.0, 2.0], 2.0)).tolist() == [3.0, 4.0]
    assert array(ops.vectorize(ops.sum, signature="(n)->()")(A)).tolist() == [3.0, 8.0]


# --- rearrange ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "sizes", "wanted"),
    [
        ("a b c -> (a b) c", {}, lambda x: x.reshape(6, 4)),
        ("a b c -> c b a", {}, lambda x: x.transpose(2, 1, 0)),
        ("a b (c d) -> a d b c", {"d": 2}, lambda x: x.reshape(2, 3, 2, 2).transpose(0, 3, 1, 2)),
        ("a ... -> ... a", {}, lambda x: x.transpose(1, 2, 0)),
        ("a ... -> a (...)", {}, lambda x: x.reshape(2, 12)),
        ("a b c -> a 1 b c", {}, lambda x: x[:, None]),
        ("a b c -> a () (c b)", {}, lambda x: x.transpose(0, 2, 1).reshape(2, 1, 12)),
    ],
)
def test_rearrange(pattern: str, sizes: dict, wanted: Any) -> None:
    x = np.arange(24).reshape(2, 3, 4)
    assert array(ops.rearrange(x, pattern, **sizes)).tolist() == wanted(x).tolist()
    symbolic = ops.rearrange(KerasTensor((None, 3, 4)), pattern, **sizes)
    assert all(a in (None, b) for a, b in zip(symbolic.shape, wanted(x).shape, strict=True))
    node = node_of(symbolic)
    assert (type(node.operation).__name__, node.args[1], node.kwargs) == ("Rearrange", pattern, sizes)
    assert node.operation.get_config() == {"name": node.operation.name}


@pytest.mark.parametrize(
    "pattern", ["a b -> b a", "a b c -> a b", "a b c", "a (b c -> a", "a b (c d) -> a b c d", "a b ? -> a"]
)
def test_rearrange_refuses(pattern: str) -> None:
    with pytest.raises(ValueError, match="rearrange"):
        ops.rearrange(np.zeros((2, 3, 4)), pattern)


# --- errors that the house words ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: ops.max(np.zeros((0, 2)), axis=0), ValueError, r"at least one element.*shape=\(0, 2\), axis=0"),
        (lambda: ops.reshape(A, (3,)), ValueError, r"newshape=\(3,\)"),
        (lambda: ops.reshape(KerasTensor((2, 2)), (3,)), ValueError, r"newshape=\(3,\)"),
        (lambda: ops.matmul(np.ones((2, 3)), np.ones((2, 3))), ValueError, r"shapes \(2, 3\) and \(2, 3\)"),
        (lambda: ops.matmul(KerasTensor((2, 3)), KerasTensor((2, 3))), ValueError, r"shapes \(2, 3\) and \(2, 3\)"),
        (lambda: ops.add(KerasTensor((2, 3)), KerasTensor((4,))), ValueError, r"shapes that broadcast"),
        (lambda: ops.concatenate([KerasTensor((2, 3)), KerasTensor((4, 2))]), ValueError, "other axes are equal"),
        (lambda: ops.concatenate([]), ValueError, "at least one tensor"),
        (lambda: ops.split(A, 3), ValueError, "3 equal parts"),
        (lambda: ops.pad(A, 1, mode="edges"), ValueError, "'edge'"),
        (lambda: ops.pad(A, 1, mode="edge", constant_values=1), ValueError, "constant_values"),
        (lambda: ops.take(A, [0.5]), TypeError, "integer type"),
        (lambda: ops.negative([True]), TypeError, "numbers"),
        (lambda: ops.bitwise_and([1.0], [2.0]), TypeError, "integers"),
        (lambda: ops.gcd(KerasTensor((2,)), 3), TypeError, "integers"),
        (lambda: ops.where([True], [1]), ValueError, "both"),
        (lambda: ops.quantile(A, 0.5, method="linaer"), ValueError, "'linear'"),
        (lambda: ops.bincount(A), TypeError, "integers"),
        (lambda: ops.histogram(A), ValueError, "one axis"),
        (lambda: ops.searchsorted(A, 1.0), ValueError, "one axis"),
        (lambda: ops.meshgrid([1], [2], indexing="ji"), ValueError, "'xy' or 'ij'"),
        (lambda: ops.cast(A, "flot32"), ValueError, "float32"),
        (lambda: ops.hanning(KerasTensor(())), TypeError, "known now"),
        (lambda: ops.squeeze(KerasTensor((2, 1)), axis=0), ValueError, "size 1"),
        (lambda: ops.sum(KerasTensor((2, 1)), axis=2), ValueError, r"axis in \[-2, 2\)"),
        (lambda: ops.average(A, weights=[1.0, 2.0]), ValueError, "weights"),
    ],
)
def test_errors(call: Any, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


# --- examples ----------------------------------------------------------------------------------------------------

MINE = (
    "arithmetic", "bitwise", "comparison", "control", "core", "creation", "cumulative", "elementwise", "indexing",
    "joining", "missing", "patterns", "products", "reductions", "shaping",
    "sorting", "statistics", "tapers", "trigonometry",
)  # fmt: skip


@pytest.mark.parametrize("name", MINE)
def test_examples_in_docstrings_run(name: str) -> None:
    module = importlib.import_module(f"hornbeam.ops.{name}")
    assert failures_of(module) == "" and ">>>" in Path(module.__file__).read_text()


def test_every_public_op_has_a_docstring_and_an_example() -> None:
    assert {*MINE} <= {one.name for one in pkgutil.iter_modules(hornbeam.ops.__path__)}
    for name in (*ops.numpy.__all__, *ops.core.__all__):
        text = getattr(ops, name).__doc__ or ""
        assert ">>>" in text, name
