"""Text, lookup and hashing layers against Keras's recorded answers: values, shapes, dtypes, vocabularies, configs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import scope, tree
from hornbeam.backend import active as backend
from tests.known_gaps import TEXT_ORACLE_GAPS
from tests.layers.preprocessing.text_cases import CASES, Case

ORACLE: dict[str, Any] = json.loads(Path(__file__).with_name("oracle_text.json").read_text())


def make(case: Case) -> Any:
    layer = getattr(keras.layers, case.layer)(**case.arguments)
    if case.adapt is not None:
        if len(case.adapt) == 1:
            layer.adapt(case.adapt[0])
        else:
            layer.adapt(iter(case.adapt))
    return layer


def plain(value: Any) -> Any:
    return tree.map_structure(
        lambda one: one.decode("utf-8", "surrogateescape") if isinstance(one, bytes) else one, value
    )


def check(got: Any, wanted: dict[str, Any], exact: bool) -> None:
    array = np.asarray(got if isinstance(got, np.ndarray) else backend.to_numpy(got))
    dtype = "string" if array.dtype.kind in "OUS" else array.dtype.name
    assert list(array.shape) == wanted["shape"]
    assert dtype == (wanted["dtype"] if exact else backend.narrowed.get(wanted["dtype"], wanted["dtype"]))
    if dtype == "string":
        assert plain(array.tolist()) == wanted["values"]
    else:
        np.testing.assert_allclose(array, np.array(wanted["values"]).reshape(array.shape), rtol=1e-6)


@pytest.mark.parametrize("name", [*CASES])
def test_values(name: str) -> None:
    case, answer = CASES[name], ORACLE[name]
    layer = make(case)
    if "vocabulary" in answer:
        found = layer.get_vocabulary()
        # NumPy's strings, in which Keras keeps tokens, have no zero bytes at their end
        assert [one.rstrip("\0") if isinstance(one, str) else one for one in found] == answer["vocabulary"]
    for position, (one, wanted) in enumerate(zip(case.inputs, answer["outputs"], strict=True)):
        if f"{name}/{position}" in TEXT_ORACLE_GAPS:
            continue
        check(layer(one), wanted, exact=False)
        with scope.host_values():
            check(layer(one), wanted, exact=True)


@pytest.mark.parametrize("name", [*CASES])
def test_config(name: str) -> None:
    case, wanted = CASES[name], ORACLE[name]["config"]
    layer = make(case)
    config = json.loads(json.dumps({**layer.get_config(), "name": None}))
    assert config == wanted
    copy = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    assert copy.get_config() == layer.get_config()


@pytest.mark.parametrize("name", [*CASES])
def test_symbolic_is_as_eager(name: str) -> None:
    case = CASES[name]
    layer = make(case)
    for one in case.inputs:
        parts = [np.asarray(part) for part in one] if isinstance(one, tuple) else np.asarray(one)
        if np.ndim(tree.flatten(parts)[0]) == 0:
            continue
        with scope.host_values():
            outputs = layer(one)
        symbols = tree.map_structure(
            lambda part: keras.Input(part.shape[1:], dtype="string" if part.dtype.kind in "OUS" else str(part.dtype)),
            parts,
        )
        spec = layer(symbols)
        shape = np.shape(outputs)
        # vectors over the last axis have no open batch where that axis is the batch
        assert len(spec.shape) == len(shape)
        assert all(a is None or a == b for a, b in zip(spec.shape, shape, strict=True))
        assert spec.dtype == ("string" if outputs.dtype.kind in "OUS" else str(outputs.dtype))


@pytest.mark.parametrize("length", [None, 1])
def test_ragged(length: int | None) -> None:
    layer = keras.layers.TextVectorization(vocabulary=["a", "b"], ragged=True, output_sequence_length=length)
    found = layer(["a b b", "", "c"])
    rows = found.to_list() if "ragged" in backend.features else [backend.to_numpy(one).tolist() for one in found]
    assert rows == [[2, 3, 3][:length], [], [1]]
    with scope.host_values():
        assert [one.tolist() for one in layer(["a b b", "", "c"])] == rows
    assert backend.to_numpy(layer("b a")).tolist() == [3, 2][:length]
    with pytest.raises(NotImplementedError, match="ragged=False"):
        layer(keras.Input((1,), dtype="string"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.layers.CategoryEncoding(3, output_mode="multi_hot", sparse=True),
        lambda: keras.layers.Discretization([1.0, 2.0], output_mode="one_hot", sparse=True),
        lambda: keras.layers.IntegerLookup(vocabulary=[1, 2], output_mode="one_hot", sparse=True),
        lambda: keras.layers.Hashing(3, output_mode="one_hot", sparse=True),
    ],
)
def test_sparse_vectors_are_dense_and_a_warning_says_so(make: Any) -> None:
    layer = make()
    with pytest.warns(UserWarning, match=r"sparse=True.*dense"):
        found = backend.to_numpy(layer(np.array([[1], [2]])))
    assert found.shape == (2, 3) and (found.sum(axis=-1) == 1).all()
