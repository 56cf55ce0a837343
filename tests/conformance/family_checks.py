"""The tests of one family of ops, made from the rows of families_table.py; each test file asks for its family."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hornbeam import KerasTensor, ops
from hornbeam._wire import find
from hornbeam.backend import Struct, active as backend
from hornbeam.symbolic import infer
from tests.conformance.families_table import FAMILIES, FREE, Row, T
from tests.conformance.strange import as_numbers, strange, weights_like
from tests.known_gaps import OP_GAPS
from tests.needs import needs_gradients

ORACLE = json.loads(Path(__file__).with_name("oracle_families.json").read_text())["rows"]
COMPILES = backend.compile_default
FACES = {"nn": ops.nn, "math": ops, "linalg": ops.linalg, "image": ops.image}
# these compose other ops, so their nodes bear other names than their own
THIN = {"extract_patches": "patches", "extract_patches_3d": "patches"}


def leaves(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (list, tuple)) else [result]


def close(got: Any, wanted: Any, tolerance: float) -> None:
    for one, other in zip(got, wanted, strict=True):
        numbers = np.asarray(as_numbers(ops.convert_to_numpy(one)), "float64")
        np.testing.assert_allclose(numbers, np.asarray(other, "float64"), rtol=tolerance, atol=tolerance)


def opened(one: T) -> tuple[int | None, ...]:
    return (None, *one.shape[1:]) if one.open and one.shape else one.shape


def make_tests(family: str) -> dict[str, Any]:
    """The tests of a family, by name."""
    table = FAMILIES[family]
    face = FACES[family]

    def function_of(row: Row) -> Callable[..., Any]:
        return getattr(face, row.op)

    def definition_of(row: Row) -> Any:
        if row.op in THIN:
            from hornbeam.ops import image

            return getattr(image, THIN[row.op]).definition
        return function_of(row).definition

    def rows(aspect: str, which: Any = lambda row: True) -> Any:
        picked = []
        for row in table:
            if which(row):
                reason = OP_GAPS.get(f"{row.name}/{aspect}/{backend.name}") or OP_GAPS.get(f"{row.name}/{aspect}")
                marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
                picked.append(pytest.param(row, id=row.name, marks=marks))
        return pytest.mark.parametrize("row", picked)

    def run(row: Row, tensors: list[Any], function: Any = None) -> list[Any]:
        return leaves(row.call(function or function_of(row), tensors))

    def make_program(jobs: dict[str, tuple[Callable[..., Any], list[Any]]]) -> dict[str, Any]:
        """What each job gives for its inputs, all compiled as one program: many small ones would take minutes.

        A job that cannot be traced gives its exception.
        """
        results: dict[str, Any] = {}
        inputs = {name: [ops.convert_to_tensor(one) for one in values] for name, (_, values) in jobs.items()}

        def program(inputs: dict[str, list[Any]]) -> dict[str, Any]:
            found = {}
            for name, (job, _) in jobs.items():
                try:
                    found[name] = job(*inputs[name])
                except Exception as problem:
                    results[name] = problem
            return found

        compute = backend.compile(program) if COMPILES else program
        results.update(compute(inputs))
        return results

    programs: dict[str, dict[str, Any]] = {}

    def result(aspect: str, row: Row, jobs: Callable[[], dict[str, Any]]) -> Any:
        if aspect not in programs:
            with np.errstate(all="ignore"):
                programs[aspect] = make_program(jobs())
        found = programs[aspect][row.name]
        if isinstance(found, Exception):
            raise found
        return found

    def values_of(row: Row, dtype: str, change: Callable[[list[Any]], list[Any]] = lambda one: one) -> list[Any]:
        """What a row gives for its tensors of a dtype."""

        def jobs() -> dict[str, Any]:
            return {
                one.name: (lambda *values, one=one: run(one, list(values)), change(one.tensors(dtype)))
                for one in table
                if dtype in one.dtypes and (change is not strange or one.nan)
            }

        return result(f"{dtype}{change.__name__}", row, jobs)

    def true_signature(row: Row, dtype: str = "float32") -> list[tuple]:
        """Shapes and dtypes of what comes out for tensors."""
        if not COMPILES:
            return signature(run(row, row.tensors(dtype)))
        structs = [Struct(one.shape, one.dtype or dtype) for one in row.specs()]
        return [(one.shape, one.dtype) for one in backend.abstract(lambda *all: run(row, list(all)), *structs)]

    def symbols(row: Row, open_axes: bool = False) -> list[KerasTensor]:
        return [KerasTensor(opened(one) if open_axes else one.shape, one.dtype or "float32") for one in row.specs()]

    def signature(result: Any) -> list[tuple]:
        return [(tuple(one.shape), ops.dtype(one)) for one in leaves(result)]

    def test_every_op_has_a_row() -> None:
        known = {row.op for row in table}
        if family == "math":
            from hornbeam.ops import math

            assert set(math.__all__) == known
        else:
            assert set(face.__all__) - {"norm"} <= known | {"jvp"}

    @rows("values", lambda row: "values_float32" in ORACLE[row.name])
    def test_values_are_those_of_keras(row: Row) -> None:
        close(values_of(row, "float32"), ORACLE[row.name]["values_float32"], row.tolerance)

    @rows("int32", lambda row: "values_int32" in ORACLE[row.name])
    def test_values_of_integers_are_those_of_keras(row: Row) -> None:
        close(values_of(row, "int32"), ORACLE[row.name]["values_int32"], row.tolerance)

    @rows("dtypes")
    def test_dtypes_are_those_of_keras(row: Row) -> None:
        wanted = ORACLE[row.name]["dtypes"]
        assert {dtype: [one for _, one in true_signature(row, dtype)] for dtype in wanted} == wanted

    @rows("half", lambda row: "bfloat16" in row.dtypes and "values_float32" in ORACLE[row.name])
    def test_half_precision_is_close(row: Row) -> None:
        got = values_of(row, "float16")
        for one, wanted in zip(got, ORACLE[row.name]["values_float32"], strict=True):
            if "float" in ops.dtype(one):
                assert ops.dtype(one) == "float16"
                numbers = np.asarray(ops.convert_to_numpy(one), "float64")
                np.testing.assert_allclose(numbers, wanted, rtol=2e-2, atol=2e-2)

    @rows("plain", lambda row: row.op not in FREE and row.op not in THIN)
    def test_the_backends_kernel_equals_the_plain_form(row: Row) -> None:
        definition = definition_of(row)
        if backend.overrides.get(definition.name) is None:
            pytest.skip("this backend uses the plain form")

        def jobs() -> dict[str, Any]:
            return {
                one.name: (
                    lambda *values, one=one: run(one, list(values), definition_of(one).plain), one.tensors("float32")
                )
                for one in table
                if backend.overrides.get(definition_of(one).name)
            }

        wanted = [as_numbers(ops.convert_to_numpy(one)) for one in values_of(row, "float32")]
        close(result("plain", row, jobs), wanted, max(row.tolerance, 1e-5))

    @rows("symbolic")
    def test_symbolic_equals_eager(row: Row) -> None:
        eager = true_signature(row)
        assert signature(run(row, symbols(row))) == eager
        for (shape, dtype), (found, wanted) in zip(signature(run(row, symbols(row, True))), eager, strict=True):
            assert dtype == wanted and len(shape) == len(found)
            assert all(one in (None, other) for one, other in zip(shape, found, strict=True)), (shape, found)

    @rows("spec", lambda row: definition_of(row).spec is not None)
    def test_shape_rules_equal_abstract_evaluation(row: Row) -> None:
        definition = definition_of(row)
        for open_axes in (False, True):
            first = run(row, symbols(row, open_axes))[0]
            node = first._keras_history.operation._inbound_nodes[0]
            names = dict(zip(definition.tensors, node.args, strict=False))
            config = {**node.operation.config, **node.kwargs, **names}
            assert signature(node.outputs) == signature(infer(definition.eager, (), config)), open_axes

    @rows("node", lambda row: "node" in ORACLE[row.name])
    def test_nodes_are_those_of_keras_and_survive_json(row: Row) -> None:
        given = symbols(row)
        operation = run(row, given)[0]._keras_history.operation
        wire, wanted = ORACLE[row.name]["node"]
        assert find(wire) is type(operation)
        config = json.loads(json.dumps(operation.get_config()))
        assert {key: value for key, value in config.items() if key != "name"} == wanted
        again = type(operation).from_config({**config, "name": "again"})
        node = operation._inbound_nodes[0]
        tensors = [ops.convert_to_tensor(one) for one in row.tensors("float32")]

        def replay(*values: Any) -> list[Any]:
            known = dict(zip(map(id, given), values, strict=True))

            def filled(value: Any) -> Any:
                if isinstance(value, (list, tuple)):
                    return type(value)(filled(one) for one in value)
                return known[id(value)] if isinstance(value, KerasTensor) else value

            return leaves(again(*filled(node.args), **{key: filled(one) for key, one in node.kwargs.items()}))

        if COMPILES:
            structs = [Struct(one.shape, one.dtype or "float32") for one in row.specs()]
            assert [(one.shape, one.dtype) for one in backend.abstract(replay, *structs)] == true_signature(row)
        elif row.op not in FREE:
            close(replay(*tensors), [as_numbers(ops.convert_to_numpy(one)) for one in run(row, tensors)], 2e-6)

    @needs_gradients
    @rows("gradient", lambda row: "gradients" in ORACLE[row.name])
    def test_gradients_are_those_of_keras(row: Row) -> None:
        check_gradients(row, plain=False)

    @needs_gradients
    @rows("plain gradient", lambda row: "gradients" in ORACLE[row.name] and row.op not in THIN)
    def test_gradients_of_the_plain_form_are_those_of_keras(row: Row) -> None:
        if backend.overrides.get(definition_of(row).name) is None:
            pytest.skip("this backend uses the plain form")
        check_gradients(row, plain=True)

    def check_gradients(row: Row, plain: bool) -> None:
        def jobs() -> dict[str, Any]:
            picked = [one for one in table if "gradients" in ORACLE[one.name]]
            if plain:
                picked = [one for one in picked if backend.overrides.get(definition_of(one).name)]
            return {one.name: (gradients_of(one, plain), one.tensors("float32")) for one in picked}

        gradients = result(f"gradient {plain}", row, jobs)
        close(gradients, ORACLE[row.name]["gradients"], max(10 * row.tolerance, 2e-4))

    def gradients_of(row: Row, plain: bool) -> Callable[..., Any]:
        function = definition_of(row).plain if plain else function_of(row)

        def compute(*tensors: Any) -> list[Any]:
            moving = [i for i, one in enumerate(tensors) if ops.dtype(one) == "float32"]

            def scalar(*values: Any) -> tuple[Any, None]:
                filled = list(tensors)
                for i, value in zip(moving, values, strict=True):
                    filled[i] = value
                total = 0.0
                for one in leaves(row.call(function, filled)):
                    if "float" in ops.dtype(one):
                        total = total + ops.sum(ops.multiply(one, weights_like(one.shape)))
                return total, None

            return backend.value_and_grad(scalar, [tensors[i] for i in moving])[2]

        return compute

    @rows("nan", lambda row: "strange" in ORACLE[row.name])
    @pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")  # NumPy's, of overflows and invalid values
    def test_nan_infinities_and_huge_values(row: Row) -> None:
        got = values_of(row, "float32", strange)
        close(got, ORACLE[row.name]["strange"], max(row.tolerance, 1e-5))

    @rows("empty", lambda row: row.empty)
    def test_tensors_without_elements(row: Row) -> None:
        bare = [
            replace(one, shape=(0, *one.shape[1:]), values=None) if one.open else one for one in row.specs()
        ]
        full = run(row, row.tensors("float32"))
        got = run(row, [one.make("empty", "float32") for one in bare])
        assert [len(one.shape) for one in got] == [len(one.shape) for one in full]
        assert all(0 in one.shape for one in got)

    def by_axis(row: Row) -> bool:
        return type(row.kwargs.get("axis")) is int and row.op not in ("multi_hot",)

    @rows("axis", by_axis)
    def test_negative_axes_count_from_the_end_and_others_are_refused(row: Row) -> None:
        tensors = row.tensors("float32")
        place = 1 if row.op == "sparse_categorical_crossentropy" else 0  # the tensor whose axes are counted
        rank, axis = len(row.specs()[place].shape) + row.extra_axes, row.kwargs["axis"]
        turned = replace(row, kwargs={**row.kwargs, "axis": axis - rank if axis >= 0 else axis + rank})
        wanted = [as_numbers(ops.convert_to_numpy(one)) for one in values_of(row, "float32")]
        close(run(turned, tensors), wanted, 1e-6)
        wrong = replace(row, kwargs={**row.kwargs, "axis": 9})
        for arguments in (tensors, symbols(row)):
            with pytest.raises(ValueError, match="axis"):
                run(wrong, arguments)

    @rows("scalar", lambda row: row.scalar)
    def test_python_numbers_and_lists_are_taken(row: Row) -> None:
        number, one = run(row, [0.75])[0], run(row, [[0.75]])[0]
        assert tuple(number.shape) == () and tuple(one.shape) == (1,)
        close([one[0]], [as_numbers(ops.convert_to_numpy(number))], 1e-6)

    def named(name: str) -> list[str] | None:
        listed = json.loads((Path(__file__).resolve().parents[3] / "shared" / "api" / "keras_api.json").read_text())
        for prefix in (f"keras.ops.{family}.{name}", f"keras.ops.{name}"):
            if prefix in listed:
                return listed[prefix]["signature"]
        return None

    @pytest.mark.parametrize("name", sorted({row.op for row in table}))
    def test_signatures_are_those_of_keras(name: str) -> None:
        got = []
        for one in inspect.signature(getattr(face, name)).parameters.values():
            text = ("**" if one.kind is one.VAR_KEYWORD else "") + one.name
            got.append(text if one.default is one.empty else f"{text}={one.default!r}")
        assert got == named(name)

    return {name: value for name, value in locals().items() if name.startswith("test_")}
