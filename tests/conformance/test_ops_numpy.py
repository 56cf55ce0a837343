"""Every op with NumPy's names against NumPy and Keras: values, dtypes, shapes, gradients, edge cases, files.

All tests are generated from the table in ops_table.py; what Keras says was recorded by record_oracle.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hornbeam import KerasTensor, Variable, ops
from hornbeam._wire import find
from hornbeam.backend import active as backend
from hornbeam.symbolic import infer
from tests.conformance.ops_table import BY_NAME, FLOATS, ROWS, Row, emptied, opened
from tests.known_gaps import OP_GAPS
from tests.needs import needs_gradients

ORACLE = json.loads(Path(__file__).with_name("oracle_numpy.json").read_text())
NAMES = sorted(ops.numpy.__all__)

pytestmark = pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")  # NumPy's, of overflows and divisions by 0


def rows(aspect: str, which: Any = lambda row: True) -> Any:
    """The rows for which `which` holds, those with a known gap in this aspect marked."""
    picked = []
    for row in ROWS:
        if which(row):
            reason = OP_GAPS.get(f"{row.name}/{aspect}/{backend.name}") or OP_GAPS.get(f"{row.name}/{aspect}")
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
            picked.append(pytest.param(row, id=row.name, marks=marks))
    return pytest.mark.parametrize("row", picked)


def leaves(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (list, tuple)) else [result]


def arrays(result: Any) -> list[np.ndarray]:
    return [np.asarray(ops.convert_to_numpy(one)) for one in leaves(result)]


def run(row: Row, tensors: list[Any]) -> list[np.ndarray]:
    return arrays(row.call(getattr(ops, row.op), tensors))


def refer(row: Row, tensors: list[Any]) -> list[np.ndarray]:
    with np.errstate(all="ignore"):
        return [np.asarray(one) for one in leaves(row.call(row.reference, tensors))]


def close(got: list[np.ndarray], wanted: list[Any], tolerance: float) -> None:
    assert len(got) == len(wanted)
    for one, other in zip(got, wanted, strict=True):
        other = np.asarray(other)
        assert one.shape == other.shape
        if one.dtype.name in (*FLOATS, "float64"):
            one, other = one.astype(np.float64), other.astype(np.float64)
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance / 2)
        else:
            np.testing.assert_array_equal(one, other.astype(one.dtype))


def test_the_table_is_whole() -> None:
    # `vectorize` makes functions, and is tested with the core ops
    assert sorted({row.op for row in ROWS} | {"vectorize"}) == NAMES
    assert set(ORACLE["rows"]) == {row.name for row in ROWS}


# --- values ------------------------------------------------------------------------------------------------------


@rows("numpy", lambda row: row.reference is not None)
def test_values_are_those_of_numpy(row: Row) -> None:
    dtype = "float32" if "float32" in row.dtypes else row.dtypes[-1]
    tensors = row.tensors(dtype)
    close(run(row, tensors), refer(row, tensors), row.tolerance)


@rows("values", lambda row: "values_float32" in ORACLE["rows"][row.name] and not row.op.startswith("empty"))
def test_values_are_those_of_keras(row: Row) -> None:
    close(run(row, row.tensors("float32")), ORACLE["rows"][row.name]["values_float32"], row.tolerance)


@rows("int32", lambda row: "values_int32" in ORACLE["rows"][row.name] and not row.op.startswith("empty"))
def test_values_of_integers_are_those_of_keras(row: Row) -> None:
    close(run(row, row.tensors("int32")), ORACLE["rows"][row.name]["values_int32"], row.tolerance)


# --- dtypes ------------------------------------------------------------------------------------------------------


@rows("dtypes")
def test_dtypes_are_those_of_keras(row: Row) -> None:
    wanted = ORACLE["rows"][row.name]["dtypes"]
    got = {}
    for dtype in wanted:
        if row.symbolic:
            tensors = [KerasTensor(one.shape, one.dtype or dtype) for one in row.specs()]
        else:
            tensors = row.tensors(dtype)
        result = leaves(row.call(getattr(ops, row.op), tensors))
        got[dtype] = [ops.dtype(one) if hasattr(one, "dtype") else "int" for one in result]
    if row.op == "size":  # a number, except in a graph
        wanted = {dtype: ["int32"] for dtype in wanted}
    assert got == wanted


def paired() -> Any:
    for name in ORACLE["pairs"]:
        reason = OP_GAPS.get(f"{name}/promotion")
        yield pytest.param(name, marks=[pytest.mark.xfail(reason=reason)] if reason else [])


@pytest.mark.parametrize("name", list(paired()))
def test_promotion_is_that_of_keras(name: str) -> None:
    function = getattr(ops, name)
    if name == "where":
        function = lambda a, b: ops.where(True, a, b)  # noqa: E731
    got = {}
    for pair in ORACLE["pairs"][name]:
        first, second = pair.split(",")
        other: Any = {"int": 2, "float": 2.5}.get(second) or KerasTensor((2, 2), second)
        got[pair] = function(KerasTensor((2, 2), first), other).dtype
    assert got == ORACLE["pairs"][name]


@rows("half", lambda row: ":" not in row.name and row.reference and "bfloat16" in row.dtypes and row.specs())
def test_half_precision_is_close(row: Row) -> None:
    tensors = row.tensors("bfloat16")
    got = run(row, tensors)
    if not any(one.dtype.name == "bfloat16" for one in got):
        return
    wide = [one.astype(np.float32) if one.dtype.name == "bfloat16" else one for one in tensors]
    for one, other in zip(got, refer(row, wide), strict=True):
        np.testing.assert_allclose(one.astype(np.float32), other.astype(np.float32), rtol=3e-2, atol=3e-2)


# --- graphs ------------------------------------------------------------------------------------------------------


def symbols(row: Row, open_axes: bool = False) -> list[KerasTensor]:
    dtype = "float32" if "float32" in row.dtypes else row.dtypes[-1]
    return [KerasTensor(opened(one) if open_axes else one.shape, one.dtype or dtype) for one in row.specs()]


def signature(result: Any) -> list[tuple]:
    return [(tuple(one.shape), ops.dtype(one)) for one in leaves(result)]


@rows("symbolic", lambda row: row.symbolic)
def test_symbolic_equals_eager(row: Row) -> None:
    function = getattr(ops, row.op)
    dtype = "float32" if "float32" in row.dtypes else row.dtypes[-1]
    eager = [(np.shape(one), ops.dtype(one)) for one in leaves(row.call(function, row.tensors(dtype)))]
    assert signature(row.call(function, symbols(row))) == [
        (shape, "int32" if row.op == "size" else dtype) for shape, dtype in eager
    ] or row.op == "bincount"
    for (shape, _), (found, _) in zip(signature(row.call(function, symbols(row, True))), eager, strict=True):
        assert len(shape) == len(found)
        assert all(one in (None, other) for one, other in zip(shape, found, strict=True)), (shape, found)


@rows("spec", lambda row: row.symbolic and getattr(ops, row.op).definition.spec is not None and row.op != "bincount")
def test_shape_rules_equal_abstract_evaluation(row: Row) -> None:
    function = getattr(ops, row.op)
    if row.op == "size":
        pytest.skip("a number for abstract tensors, which have known shapes")
    for open_axes in (False, True):
        first = leaves(row.call(function, symbols(row, open_axes)))[0]
        node = first._keras_history.operation._inbound_nodes[first._keras_history.node_index]
        config = {**node.operation.config, **node.kwargs}
        assert signature(node.outputs) == signature(infer(function.definition.eager, node.args, config)), open_axes


@rows("node", lambda row: "node" in ORACLE["rows"][row.name])
def test_nodes_are_those_of_keras_and_survive_json(row: Row) -> None:
    first = leaves(row.call(getattr(ops, row.op), symbols(row)))[0]
    operation = first._keras_history.operation
    wire, wanted = ORACLE["rows"][row.name]["node"]
    assert find(wire) is type(operation)
    config = operation.get_config()
    assert {key: as_json(value) for key, value in config.items() if key != "name"} == wanted
    node = operation._inbound_nodes[0]
    again = type(operation).from_config({**json.loads(json.dumps(config)), "name": "again"})
    dtype = "float32" if "float32" in row.dtypes else row.dtypes[-1]
    tensors = [ops.convert_to_tensor(one) for one in row.tensors(dtype)]
    if row.op in ("empty_like",):
        return
    values = dict(zip(map(id, node.input_tensors), tensors, strict=True))

    def filled(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return type(value)(filled(one) for one in value)
        return values[id(value)] if isinstance(value, KerasTensor) else value

    replayed = again(*filled(node.args), **{key: filled(one) for key, one in node.kwargs.items()})
    close(arrays(replayed), run(row, tensors), 1e-6)


def as_json(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [as_json(one) for one in value]
    return value


# --- gradients ---------------------------------------------------------------------------------------------------


@needs_gradients
@rows("gradient", lambda row: row.grad and row.reference is not None)
def test_gradients_are_those_of_finite_differences(row: Row) -> None:
    tensors = row.tensors("float32")
    moving = [i for i, one in enumerate(tensors) if one.dtype == np.float32]
    weights = [np.cos(np.arange(one.size)).reshape(one.shape) for one in refer(row, tensors)]

    def scalar(*values: Any) -> tuple[Any, None]:
        filled = list(tensors)
        for i, value in zip(moving, values, strict=True):
            filled[i] = value
        results = leaves(row.call(getattr(ops, row.op), filled))
        total = sum(ops.sum(ops.multiply(one, w.astype("float32"))) for one, w in zip(results, weights, strict=True))
        return total, None

    # compiled as a whole, which also shows that each op can be
    gradients = backend.compile(lambda *values: backend.value_and_grad(scalar, values)[2])(
        *(ops.convert_to_tensor(tensors[i]) for i in moving)
    )
    step = 1e-5
    for i, gradient in zip(moving, gradients, strict=True):
        wanted = np.zeros(tensors[i].shape)
        wide = [one.astype(np.float64) if one.dtype == np.float32 else one for one in tensors]
        for place in np.ndindex(*tensors[i].shape):
            sides = []
            for sign in (1, -1):
                moved = list(wide)
                moved[i] = wide[i].copy()
                moved[i][place] += sign * step
                sides.append(sum(np.sum(one * w) for one, w in zip(refer(row, moved), weights, strict=True)))
            wanted[place] = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(np.asarray(gradient), wanted, rtol=2e-3, atol=2e-4)


# --- edges -------------------------------------------------------------------------------------------------------

STRANGE = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0]


@rows("nan", lambda row: row.nan)
def test_nan_and_infinities(row: Row) -> None:
    tensors = []
    for i, one in enumerate(row.tensors("float32")):
        if one.dtype == np.float32 and one.size:
            flat = one.ravel()
            # each pair of strange values meets in some place of two tensors
            flat[: len(STRANGE)] = np.roll(STRANGE, i)[: flat.size]
            one = flat.reshape(one.shape)
        tensors.append(one)
    close(run(row, tensors), refer(row, tensors), row.tolerance)


@rows("empty", lambda row: row.empty)
def test_tensors_without_elements(row: Row) -> None:
    row = emptied(row)
    tensors = row.tensors("float32" if "float32" in row.dtypes else row.dtypes[-1])
    try:
        wanted = refer(row, tensors)
    except (ValueError, IndexError):
        with pytest.raises(ValueError):
            run(row, tensors)
        return
    close(run(row, tensors), wanted, row.tolerance)


def _axis(row: Row) -> bool:
    return isinstance(row.kwargs.get("axis"), int) and bool(row.specs()) and row.op not in ("linspace",)


@rows("negative axis", _axis)
def test_negative_axes_count_from_the_end(row: Row) -> None:
    dtype = "float32" if "float32" in row.dtypes else row.dtypes[-1]
    tensors = row.tensors(dtype)
    rank, axis = len(row.specs()[0].shape) + row.extra_axes, row.kwargs["axis"]
    if row.op == "expand_dims":
        rank += 1
    turned = Row(row.name, row.args, {**row.kwargs, "axis": axis - rank if axis >= 0 else axis + rank})
    close(run(turned, tensors), run(row, tensors), 0)


@rows("axis", lambda row: _axis(row) and row.op not in ("tensordot",))
def test_axes_out_of_range_are_refused(row: Row) -> None:
    wrong = Row(row.name, row.args, {**row.kwargs, "axis": 9})
    dtype = "float32" if "float32" in row.dtypes else row.dtypes[-1]
    with pytest.raises((ValueError, IndexError)):
        run(wrong, wrong.tensors(dtype))
    if row.symbolic:
        with pytest.raises((ValueError, IndexError)):
            wrong.call(getattr(ops, row.op), symbols(row))


# --- what may stand for a tensor ---------------------------------------------------------------------------------


@rows("lists", lambda row: bool(row.specs()) and "float32" in row.dtypes and row.op != "get_item")
def test_nested_lists_and_variables_are_taken(row: Row) -> None:
    tensors = row.tensors("float32")
    wanted = run(row, tensors)
    if row.op.startswith("empty"):
        wanted = [one.shape for one in wanted]
        assert [one.shape for one in run(row, [one.tolist() for one in tensors])] == wanted
        return
    close(run(row, [one.tolist() for one in tensors]), wanted, 1e-6)
    variables = [Variable(one, dtype=one.dtype.name, trainable=False) for one in tensors]
    close(run(row, variables), wanted, 1e-6)


@rows("scalar", lambda row: row.scalar and "float32" in row.dtypes)
def test_python_numbers_are_taken(row: Row) -> None:
    spec = row.specs()
    numbers = [0.75 * one.high for one in spec]
    got = run(row, numbers)
    wanted = refer(row, [np.float32(one) for one in numbers])
    close(got, wanted, row.tolerance)
    assert got[0].dtype.name in ("float32", "bool")


@pytest.mark.parametrize("name", NAMES)
def test_signatures_are_those_of_keras(name: str, shared: Path) -> None:
    import inspect

    listed = json.loads((shared / "api" / "keras_api.json").read_text())[f"keras.ops.numpy.{name}"]["signature"]
    got = []
    for one in inspect.signature(getattr(ops, name)).parameters.values():
        text = ("*" if one.kind is one.VAR_POSITIONAL else "**" if one.kind is one.VAR_KEYWORD else "") + one.name
        got.append(text if one.default is one.empty else f"{text}={one.default!r}")
    assert got == listed


def test_rows_can_be_found_by_name() -> None:
    assert BY_NAME["sum"].op == "sum"
