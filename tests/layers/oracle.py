"""What Keras gave for the table of layers, as record_oracle.py wrote it down, and our layers in the same state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from tests.conformance.check_layer import Program, as_settings, build_by_shape
from tests.conformance.layers_table import Row
from tests.known_gaps import LAYER_ORACLE_GAPS

ARRAYS: dict[str, np.ndarray] = {}
FACTS: dict[str, Any] = {}
for _path in sorted(Path(__file__).parent.glob("oracle*.npz")):
    with np.load(_path) as _loaded:
        ARRAYS |= dict(_loaded)
    FACTS |= json.loads(str(ARRAYS.pop("facts")))
FAILS_IN_KERAS = {name for name, facts in FACTS.items() if "fails" in facts}


def rows(table: list[Row], aspect: str, which: Any) -> Any:
    """The rows of a table that Keras has, those with a known gap in this aspect marked."""
    picked = []
    for row in table:
        if row.name in FAILS_IN_KERAS or not which(row):
            continue
        reason = LAYER_ORACLE_GAPS.get(f"{row.name}/{aspect}") or LAYER_ORACLE_GAPS.get(f"*/{aspect}/{row.layer}")
        marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
        picked.append(pytest.param(row, id=row.name, marks=marks))
    return pytest.mark.parametrize("row", picked)


def recorded(row: Row, kind: str) -> list[np.ndarray]:
    found = []
    while f"{row.name}|{kind}|{len(found)}" in ARRAYS:
        found.append(ARRAYS[f"{row.name}|{kind}|{len(found)}"])
    return found


def made(row: Row) -> tuple[keras.Layer, tuple, dict[str, Any]]:
    """The layer with the weights that Keras's had, its inputs, and the settings of the call."""
    layer, inputs = row.make(keras), given(row)
    build_by_shape(layer, inputs)
    layer.set_weights(row.values([one.shape for one in layer.weights]))
    return layer, inputs, as_settings(row.settings)


def given(row: Row) -> tuple:
    """The positional arguments of the call."""
    return tuple(row.data()) if row.spread else (row.data(),)


def compared(row: Row, kind: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What our layer gives of this kind, and what Keras gave."""
    if row.name not in _ANSWERS:
        program(row)
    return _ANSWERS[row.name][kind], recorded(row, kind)


def program(row: Row) -> Program:
    """The program of a row; what it gives with the weights that Keras's layer had is kept."""
    layer, inputs, settings = made(row)
    asked = not row.random and row.name not in FAILS_IN_KERAS
    made_now = Program(layer, inputs, settings, asked or row.gradients, asked and row.differs)
    answers = made_now(layer.get_weights())
    trained = len(layer.trainable_variables)
    for kind in [one for one in answers if one.endswith("gradients")]:
        both = answers.pop(kind)
        kind = kind.removesuffix("gradients")
        answers |= {f"{kind}by_weights": both[:trained], f"{kind}by_inputs": both[trained:]}
    _ANSWERS[row.name] = answers
    return made_now


_ANSWERS: dict[str, dict[str, list[np.ndarray]]] = {}


def close(got: list[Any], wanted: list[np.ndarray], tolerance: float = 1e-5) -> None:
    assert len(got) == len(wanted)
    for one, other in zip(got, wanted, strict=True):
        one = np.asarray(backend.to_numpy(one))
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        scale = max(1.0, float(np.max(np.abs(other)))) if other.size else 1.0
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * scale)
