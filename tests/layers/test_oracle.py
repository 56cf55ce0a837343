"""The table of layers held against Keras on JAX: the same weights and inputs give the same outputs, gradients,
statistics, losses, masks and configs. What Keras gave was recorded by record_oracle.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import tree
from hornbeam.backend import active as backend
from tests.conformance.check_layer import symbolic, to_numpy
from tests.conformance.layers_table import ROWS, Row
from tests.known_gaps import LAYER_ORACLE_GAPS
from tests.layers.mask_cases import CASES

with np.load(Path(__file__).with_name("oracle.npz")) as _loaded:
    ARRAYS = dict(_loaded)
FACTS: dict[str, Any] = json.loads(str(ARRAYS.pop("facts")))
FAILS_IN_KERAS = {name for name, facts in FACTS.items() if "fails" in facts}


def rows(aspect: str, which: Any = lambda row: True) -> Any:
    """The rows that Keras has, those with a known gap in this aspect marked."""
    picked = []
    for row in ROWS:
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


def made(row: Row) -> tuple[keras.Layer, Any, dict[str, Any]]:
    """The layer with the weights that Keras's had, its inputs, and the settings of the call."""
    layer, inputs = row.make(keras), row.data()
    layer.build(tree.map_structure(lambda one: one.shape, inputs))
    layer.set_weights(row.values([one.shape for one in layer.weights]))
    return layer, inputs, {} if row.mask is None else {"mask": backend.asarray(row.mask)}


def close(got: list[Any], wanted: list[np.ndarray], tolerance: float = 1e-5) -> None:
    assert len(got) == len(wanted)
    for one, other in zip(got, wanted, strict=True):
        one = np.asarray(backend.to_numpy(one))
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        scale = max(1.0, float(np.max(np.abs(other)))) if other.size else 1.0
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * scale)


def test_every_row_was_recorded() -> None:
    assert {row.name for row in ROWS} == {name for name in FACTS if not name.startswith("mask|")}
    # what Keras cannot do is listed, so that nothing is left out unseen
    assert {"Activation, float/integers"} == FAILS_IN_KERAS


@rows("outputs")
def test_outputs_losses_and_weights(row: Row) -> None:
    layer, inputs, settings = made(row)
    facts = FACTS[row.name]
    assert [[one.path.split("/", 1)[1], list(one.shape), one.dtype, one.trainable] for one in layer.weights] == facts[
        "weights"
    ]
    assert [one.path.split("/", 1)[1] for one in layer.trainable_weights] == facts["trainable"]
    close(to_numpy(layer(inputs, **settings)), recorded(row, "out"))
    np.testing.assert_allclose(
        float(sum(np.sum(backend.to_numpy(one)) for one in layer.losses)),
        recorded(row, "losses")[0],
        rtol=1e-5,
        atol=1e-6,
    )


@rows("training", lambda row: row.differs and not row.random)
def test_training_and_statistics(row: Row) -> None:
    layer, inputs, settings = made(row)
    close(to_numpy(layer(inputs, training=True, **settings)), recorded(row, "train"))
    close([one.value for one in layer.non_trainable_variables], recorded(row, "state"))


@pytest.mark.skipif("gradients" not in backend.features, reason="this backend has no gradients")
@rows("gradients", lambda row: not row.random)
def test_gradients(row: Row) -> None:
    layer, inputs, settings = made(row)
    leaves, description = tree.flatten_and_structure(inputs)
    moving = {i: keras.Variable(one) for i, one in enumerate(leaves) if one.dtype == np.float32}
    by = [*layer.trainable_variables, *moving.values()]
    if not by:
        return

    def gradients(training: bool) -> Any:
        def loss() -> Any:
            values = [moving[i].value if i in moving else backend.asarray(one) for i, one in enumerate(leaves)]
            more = {**settings, "training": True} if training else settings
            outputs = layer(tree.unflatten(description, values), **more)
            total = sum(keras.ops.sum(one) for one in layer.losses)
            for one in tree.flatten(outputs):
                if keras.backend.is_float_dtype(one.dtype):
                    weights = np.cos(np.arange(np.prod(one.shape), dtype="float32")).reshape(one.shape)
                    total = total + keras.ops.sum(one * weights)
            return total * 1.0

        return keras.value_and_grad(loss, by)[1]

    kinds = ["", "train_"] if row.differs else [""]
    found = keras.jit(lambda: [gradients(bool(kind)) for kind in kinds])()
    for kind, values in zip(kinds, found, strict=True):
        close(values, [*recorded(row, f"{kind}by_weights"), *recorded(row, f"{kind}by_inputs")], 2e-5)


@rows("symbolic")
def test_symbolic_shapes(row: Row) -> None:
    outputs = tree.flatten(row.make(keras)(symbolic(row.data())))
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
    layer.build(tree.map_structure(lambda one: one.shape, row.data()))
    ours = json.loads(json.dumps(keras.layers.serialize(layer)))
    if layer.weights == []:  # nothing to build: Keras writes the shape for some of these layers
        theirs = {key: value for key, value in theirs.items() if key != "build_config"}
        ours.pop("build_config", None)
    assert _renamed(ours) == _renamed(theirs)
    again = keras.layers.deserialize(theirs)
    assert _renamed(json.loads(json.dumps(keras.layers.serialize(again)))["config"]) == _renamed(theirs)["config"]


READ = """
import json, sys, warnings
warnings.simplefilter("ignore")
import keras
wrong = {}
for name, config in json.load(open(sys.argv[1])).items():
    try:
        layer = keras.layers.deserialize(config)
        again = json.loads(json.dumps(keras.layers.serialize(layer)))
        if again["config"] != config["config"]:
            wrong[name] = [again["config"], config["config"]]
    except Exception as problem:
        wrong[name] = str(problem)
print(json.dumps(wrong))
"""


def test_keras_reads_our_configs(tmp_path: Path) -> None:
    configs = {row.name: keras.layers.serialize(row.make(keras)) for row in ROWS if row.layer != "Lambda"}
    path = tmp_path / "configs.json"
    path.write_text(json.dumps(configs))
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, "KERAS_BACKEND": "numpy", "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {}


@pytest.mark.filterwarnings("ignore:.*does not support and so loses.*:UserWarning")
@pytest.mark.parametrize("name", [name for name in CASES if f"mask|{name}" in ARRAYS])
def test_masks(name: str) -> None:
    np.testing.assert_allclose(to_numpy(CASES[name](keras))[0], ARRAYS[f"mask|{name}"], rtol=1e-6, atol=1e-6)
