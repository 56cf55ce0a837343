"""The table of layers held against Keras on JAX: the same weights and inputs give the same outputs,
statistics, losses, masks and configs. What Keras gave was recorded by record_oracle.py."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import tree
from hornbeam.backend import active as backend
from tests import keras_oracle
from tests.conformance.all_layers import ROWS
from tests.conformance.check_layer import build_by_shape, symbolic, to_numpy
from tests.conformance.layers_table import Row
from tests.known_gaps import FAIL_IN_KERAS, LAYER_ORACLE_GAPS
from tests.layers.mask_cases import CASES
from tests.layers.oracle import ARRAYS, FACTS, FAILS_IN_KERAS, close, given, made, recorded, rows


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
def test_outputs_losses_and_weights(row: Row) -> None:
    layer, inputs, settings = made(row)
    facts = FACTS[row.name]
    assert [[_inner(one.path), list(one.shape), one.dtype, one.trainable] for one in layer.weights] == [
        [_unnumbered(path), *rest] for path, *rest in facts["weights"]
    ]
    assert [_inner(one.path) for one in layer.trainable_weights] == list(map(_unnumbered, facts["trainable"]))
    close(to_numpy(layer(*inputs, **settings)), recorded(row, "out"))
    np.testing.assert_allclose(
        float(sum(np.sum(backend.to_numpy(one)) for one in layer.losses)),
        recorded(row, "losses")[0],
        rtol=1e-5,
        atol=1e-6,
    )


@rows("training", lambda row: row.differs and not row.random)
def test_training_and_statistics(row: Row) -> None:
    layer, inputs, settings = made(row)
    close(to_numpy(layer(*inputs, training=True, **settings)), recorded(row, "train"))
    close([one.value for one in layer.non_trainable_variables], recorded(row, "state"))


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
