"""Every layer, every argument: the table of layers through `check_layer`, and held against what Keras on JAX gave with
the same weights and inputs: outputs, gradients, statistics, losses, masks, configs. record_oracle.py wrote that down.

One file, so that one process has the program of a row for all.
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
from hornbeam.layers.layer import Layer
from tests import keras_oracle
from tests.conformance.all_layers import ROWS
from tests.conformance.check_layer import build_by_shape, check_layer, symbolic, to_numpy
from tests.conformance.layers_table import Row
from tests.known_gaps import FAIL_IN_KERAS, LAYER_GAPS, LAYER_ORACLE_GAPS
from tests.layers.mask_cases import CASES
from tests.layers.oracle import ARRAYS, FACTS, FAILS_IN_KERAS, close, compared, given, made, program, rows
from tests.layers.preprocessing import image_cases, text_cases


def _rows() -> list[Any]:
    rows = []
    for row in ROWS:
        reason = LAYER_GAPS.get(f"{row.name}/{backend.name}") or LAYER_GAPS.get(row.name)
        rows.append(
            pytest.param(row, id=row.name, marks=[pytest.mark.xfail(reason=reason, strict=True)] if reason else [])
        )
    return rows


def test_the_table_is_whole() -> None:
    named = {
        value.__name__
        for value in (getattr(keras.layers, name) for name in keras.layers.__all__)
        if isinstance(value, type)
        and issubclass(value, Layer)
        and value not in (Layer, keras.layers.InputLayer, keras.layers.Wrapper)
    }
    # those that take text, and those that change at random unless told not to, have tables of their own; those around
    # what is another framework's are tested on its backend
    elsewhere = {case.layer for case in text_cases.CASES.values()} | {"TorchModuleWrapper", "Pipeline"}
    elsewhere |= {"FlaxLayer", "JaxLayer", "TFSMLayer"} | {name.split("/")[0] for name in image_cases.CASES}
    assert {row.layer for row in ROWS} == named - elsewhere
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", _rows())
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


def test_every_row_was_recorded() -> None:
    assert {row.name for row in ROWS} == {name for name in FACTS if not name.startswith("mask|")}
    # what Keras cannot do is listed, so that nothing is left out unseen
    assert set(FAIL_IN_KERAS) == FAILS_IN_KERAS


def _unnumbered(path: str) -> str:
    """A path without the numbers that layers inside have in a process."""
    return re.sub(r"_\d+(?=/)", "", path)


def _inner(path: str) -> str:
    return _unnumbered(path.split("/", 1)[1])


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


@pytest.mark.skipif("gradients" not in backend.features, reason="this backend has no gradients")
@rows("gradients", lambda row: not row.random)
def test_gradients(row: Row) -> None:
    for kind in ("", "train_") if row.differs else ("",):
        close(*compared(row, f"{kind}by_weights"), 2e-5)
        close(*compared(row, f"{kind}by_inputs"), 2e-5)


@rows("symbolic")
def test_symbolic_shapes(row: Row) -> None:
    outputs = tree.flatten(row.make(keras)(*symbolic(given(row)), **row.call))
    assert [list(one.shape) for one in outputs] == FACTS[row.name]["symbolic"]


def _renamed(config: Any) -> Any:
    """A config without the names that count up."""
    if isinstance(config, dict):
        return {key: _renamed(value) for key, value in config.items() if key != "name"}
    return [_renamed(one) for one in config] if isinstance(config, list) else config


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


READ = """
wrong = {}
for name, config in given.items():
    try:
        layer = keras.layers.deserialize(json.loads(json.dumps(config)))  # Keras takes parts out of what it gets
        again = json.loads(json.dumps(keras.layers.serialize(layer)))
        if again["config"] != config["config"]:
            wrong[name] = [again["config"], config["config"]]
    except Exception as problem:
        wrong[name] = str(problem)
print(json.dumps(wrong))
"""


def test_keras_reads_our_configs() -> None:
    keras.utils.clear_session()  # names that count up would make another question of it each time
    configs = {
        row.name: keras.layers.serialize(row.make(keras))
        for row in ROWS
        if row.layer != "Lambda" and f"{row.name}/config" not in LAYER_ORACLE_GAPS
    }
    assert keras_oracle.tell(READ, configs) == {}


@pytest.mark.filterwarnings("ignore:.*does not support and so loses.*:UserWarning")
@pytest.mark.parametrize("name", [name for name in CASES if f"mask|{name}" in ARRAYS])
def test_masks(name: str) -> None:
    np.testing.assert_allclose(to_numpy(CASES[name](keras))[0], ARRAYS[f"mask|{name}"], rtol=1e-6, atol=1e-6)
