"""Every metric against keras: values over several batches, weights, variables, configs; then our own promises."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hornbeam
from hornbeam import metrics
from tests.metrics.table import FUNCTIONS, TABLE, batches, function_data

IDS = [f"{i}-{name}" for i, (name, _, _) in enumerate(TABLE)]
ROWS = pytest.mark.parametrize("row", range(len(TABLE)), ids=IDS)

# what keras leaves out of its files although it changes the result
MORE_THAN_KERAS = {("CosineSimilarity", "axis")}

# on its NumPy backend, which needs no compilation: four times as fast here as the others
PROGRAM = """
import json, sys, warnings
import numpy as np
warnings.filterwarnings("ignore")
import keras
out = {}
from table import FUNCTIONS, TABLE, batches, function_data

def plain(value):
    return np.asarray(value).tolist()

for row, (name, arguments, _) in enumerate(TABLE):
    for weighted in (0, 1):
        metric = getattr(keras.metrics, name)(**arguments)
        for step, (y_true, y_pred, weight) in enumerate(batches(row, weighted)):
            metric.update_state(y_true, y_pred, sample_weight=weight)
            out[f"result/{row}/{weighted}/{step}"] = metric.result()
        facts = [(one.name, tuple(one.shape), one.dtype) for one in metric.variables]
        out[f"variables/{row}"] = json.dumps(facts)
        for index, one in enumerate(metric.variables):
            out[f"variable/{row}/{weighted}/{index}"] = one.numpy()
    out[f"config/{row}"] = json.dumps(keras.metrics.serialize(metric), default=plain)
for row, (name, arguments, _) in enumerate(FUNCTIONS):
    out[f"function/{row}"] = getattr(keras.metrics, name)(*function_data(row), **arguments)
np.savez(sys.argv[1], **{name: np.asarray(value) for name, value in out.items()})
"""


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("oracle")
    environment = {**os.environ, "KERAS_BACKEND": "numpy", "KERAS_HOME": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["PYTHONPATH"] = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder / "out.npz")], env=environment, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr[-2000:]
    with np.load(folder / "out.npz") as loaded:
        return dict(loaded)


def made(row):
    name, arguments, _ = TABLE[row]
    return getattr(metrics, name)(**arguments)


def host(value):
    return np.asarray(hornbeam.ops.convert_to_numpy(value), "float64")


@pytest.mark.parametrize("weighted", [0, 1], ids=["plain", "weighted"])
@ROWS
def test_value(row, weighted, expected):
    metric = made(row)
    for step, (y_true, y_pred, weight) in enumerate(batches(row, weighted)):
        metric.update_state(y_true, y_pred, sample_weight=weight)
        wanted = expected[f"result/{row}/{weighted}/{step}"]
        np.testing.assert_allclose(host(metric.result()), wanted, rtol=2e-5, atol=2e-6)
    facts = json.loads(str(expected[f"variables/{row}"]))
    assert [[one.name, list(one.shape), one.dtype] for one in metric.variables] == facts
    assert not any(one.trainable for one in metric.variables)
    for index, one in enumerate(metric.variables):
        np.testing.assert_allclose(one.numpy(), expected[f"variable/{row}/{weighted}/{index}"], rtol=2e-5, atol=2e-5)


@ROWS
def test_config(row, expected):
    name, arguments, _ = TABLE[row]
    metric = made(row)
    written = metrics.serialize(metric)
    theirs = json.loads(str(expected[f"config/{row}"]))
    more = {key for owner, key in MORE_THAN_KERAS if owner == name and key in arguments}
    assert set(written["config"]) - more == set(theirs["config"])
    assert {key: written[key] for key in ("module", "class_name", "registered_name")} == {
        key: theirs[key] for key in ("module", "class_name", "registered_name")
    }
    y_true, y_pred, _ = batches(row, 0)[0]
    value = host(metric(y_true, y_pred))
    again = metrics.deserialize(json.loads(json.dumps(written)))
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()
    np.testing.assert_array_equal(host(again(y_true, y_pred)), value)
    if not more:
        np.testing.assert_allclose(host(metrics.deserialize(theirs)(y_true, y_pred)), value, rtol=1e-6)


@ROWS
def test_stateless_and_reset(row):
    stateful, pure = made(row), made(row)
    y_true, y_pred, weight = batches(row, 1)[0]
    first = host(stateful(y_true, y_pred, sample_weight=weight))
    pure(y_true, y_pred)  # some make their variables with the first batch
    before = [one.numpy() for one in pure.variables]
    state = pure.stateless_update_state(pure.stateless_reset_state(), y_true, y_pred, sample_weight=weight)
    np.testing.assert_array_equal(host(pure.stateless_result(state)), first)
    for variable, value in zip(pure.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    stateful.reset_state()
    assert all(not one.numpy().any() for one in stateful.variables)


@pytest.mark.skipif(hornbeam.backend.backend() == "numpy", reason="the numpy backend compiles nothing")
def test_compiled():
    """All in one function, so that there is one compilation."""
    compiled, eager = [made(row) for row in range(len(TABLE))], [made(row) for row in range(len(TABLE))]

    @hornbeam.jit
    def step(data):
        for metric, (y_true, y_pred, weight) in zip(compiled, data, strict=True):
            metric.update_state(y_true, y_pred, sample_weight=weight)
        return [metric.result() for metric in compiled]

    every = [batches(row, 1) for row in range(len(TABLE))]
    for index in range(2):
        data = [one[index] for one in every]
        found = step(data)
        for name, metric, (y_true, y_pred, weight), value in zip(IDS, eager, data, found, strict=True):
            wanted = host(metric(y_true, y_pred, sample_weight=weight))
            np.testing.assert_allclose(host(value), wanted, rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("row", range(len(FUNCTIONS)), ids=[name for name, _, _ in FUNCTIONS])
def test_function(row, expected):
    name, arguments, _ = FUNCTIONS[row]
    found, wanted = getattr(metrics, name)(*function_data(row), **arguments), expected[f"function/{row}"]
    assert tuple(found.shape) == wanted.shape
    np.testing.assert_allclose(host(found), wanted, rtol=2e-5, atol=2e-6)


def test_every_public_name_has_a_row(shared):
    api = json.loads((shared / "api" / "keras_api.json").read_text())
    names = {one.removeprefix("keras.metrics.") for one in api if one.startswith("keras.metrics.")}
    assert names <= set(metrics.__all__)
    tested = {name for name, _, _ in TABLE} | {name for name, _, _ in FUNCTIONS}
    rest = {"Mean", "MeanMetricWrapper", "Metric", "Sum", "deserialize", "get", "serialize"}  # in test_metric.py
    assert names - tested == rest
