"""The tests of a table of layers: each row through `check_layer`, and held against what Keras on JAX gave with the same
weights and inputs: outputs, gradients, statistics, losses, configs. tests/layers/record_oracle.py wrote that down.

Each test file asks for its tables, so that several processes share the work, and one has the program of a row for all.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import tree
from hornbeam.backend import active as backend
from tests.conformance.all_layers import TABLES
from tests.conformance.check_layer import build_by_shape, check_layer, symbolic
from tests.conformance.layers_table import Row
from tests.known_gaps import LAYER_GAPS
from tests.layers import oracle
from tests.layers.oracle import FACTS, close, compared, given, made, program
from tests.needs import needs_gradients


def _unnumbered(path: str) -> str:
    """A path without the numbers that layers inside have in a process."""
    return re.sub(r"_\d+(?=/)", "", path)


def _inner(path: str) -> str:
    return _unnumbered(path.split("/", 1)[1])


def _renamed(config: Any) -> Any:
    """A config without the names that count up."""
    if isinstance(config, dict):
        return {key: _renamed(value) for key, value in config.items() if key != "name"}
    return [_renamed(one) for one in config] if isinstance(config, list) else config


def make_tests(*tables: str) -> dict[str, Any]:
    """The tests of the rows of these tables, by name."""
    table = [row for name in tables for row in TABLES[name]]

    def rows(aspect: str, which: Any = lambda row: True) -> Any:
        return oracle.rows(table, aspect, which)

    def all_rows() -> list[Any]:
        rows = []
        for row in table:
            reason = LAYER_GAPS.get(f"{row.name}/{backend.name}") or LAYER_GAPS.get(row.name)
            rows.append(
                pytest.param(row, id=row.name, marks=[pytest.mark.xfail(reason=reason, strict=True)] if reason else [])
            )
        return rows

    @pytest.mark.parametrize("row", all_rows())
    def test_layer(row: Row, tmp_path: Path) -> None:
        check_layer(
            lambda: row.make(keras),
            row.data(),
            weights=row.weights,
            trainable=row.weights if row.trainable is None else row.trainable,
            call=row.settings,
            spread=row.spread,
            training_differs=row.differs,
            mixed=row.mixed,
            gradients=row.gradients,
            open_axes=row.open_axes,
            config=row.config,
            tmp_path=tmp_path if row.saved else None,
            program=program(row) if backend.compile_default else None,
        )

    @rows("outputs")
    def test_weights_outputs_and_losses(row: Row) -> None:
        layer, _, _ = made(row)
        facts = FACTS[row.name]
        assert [[_inner(one.path), list(one.shape), one.dtype, one.trainable] for one in layer.weights] == [
            [_unnumbered(path), *rest] for path, *rest in facts["weights"]
        ]
        assert [_inner(one.path) for one in layer.trainable_weights] == list(map(_unnumbered, facts["trainable"]))
        close(*compared(row, "out"))
        np.testing.assert_allclose(*compared(row, "losses"), rtol=1e-5, atol=1e-6)

    @rows("training", lambda row: row.differs and not row.random)
    def test_training_and_statistics(row: Row) -> None:
        close(*compared(row, "train"))
        close(*compared(row, "state"))

    @needs_gradients
    @rows("gradients", lambda row: not row.random)
    def test_gradients(row: Row) -> None:
        for kind in ("", "train_") if row.differs else ("",):
            close(*compared(row, f"{kind}by_weights"), 2e-5)
            close(*compared(row, f"{kind}by_inputs"), 2e-5)

    @rows("symbolic")
    def test_symbolic_shapes(row: Row) -> None:
        outputs = tree.flatten(row.make(keras)(*symbolic(given(row)), **row.call))
        assert [list(one.shape) for one in outputs] == FACTS[row.name]["symbolic"]

    @rows("config", lambda row: row.layer != "Lambda")
    def test_configs_are_those_of_keras(row: Row) -> None:
        theirs = FACTS[row.name]["serialized"]
        layer = row.make(keras)
        build_by_shape(layer, given(row))
        ours = json.loads(json.dumps(keras.layers.serialize(layer)))
        # nothing to build: Keras writes the shape for some of these layers; or built here without the states
        if layer.weights == [] or "initial_state" in row.call:
            theirs = {key: value for key, value in theirs.items() if key != "build_config"}
            ours.pop("build_config", None)
        assert _renamed(ours) == _renamed(theirs)
        again = keras.layers.deserialize(theirs)
        assert _renamed(json.loads(json.dumps(keras.layers.serialize(again)))["config"]) == _renamed(theirs)["config"]

    return {name: value for name, value in locals().items() if name.startswith("test_")}
