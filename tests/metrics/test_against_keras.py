"""Every metric against keras: values over several batches, weights, variables, configs; then our own promises."""

import json
from pathlib import Path

import numpy as np
import pytest

import hornbeam
from hornbeam import metrics
from tests import keras_oracle
from tests.metrics.table import BATCHES, FUNCTIONS, TABLE, batches, function_data

IDS = [f"{i}-{name}" for i, (name, _, _) in enumerate(TABLE)]
ROWS = pytest.mark.parametrize("row", range(len(TABLE)), ids=IDS)
COMPILES = hornbeam.backend.backend() != "numpy"
# running each row op by op takes a compiler minutes
SOME = range(0, len(TABLE), 16 if COMPILES else 1)
SOME_ROWS = pytest.mark.parametrize("row", SOME, ids=[IDS[row] for row in SOME])

# what keras leaves out of its files although it changes the result
MORE_THAN_KERAS = {("CosineSimilarity", "axis")}

PROGRAM = """
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
np.savez(folder + "/out.npz", **{name: np.asarray(value) for name, value in out.items()})
"""


@pytest.fixture(scope="module")
def expected():
    folder = keras_oracle.ask(PROGRAM, tables=(Path(__file__).with_name("table.py"),))
    with np.load(folder / "out.npz") as loaded:
        return dict(loaded)


def made(row):
    name, arguments, _ = TABLE[row]
    return getattr(metrics, name)(**arguments)


def host(value):
    return np.asarray(hornbeam.ops.convert_to_numpy(value), "float64")


@pytest.fixture(scope="module")
def found():
    """What the oracle gives, by us: eagerly, or where the backend compiles in one function, compiled once."""
    keys = [(row, weighted) for row in range(len(TABLE)) for weighted in (0, 1)]
    ours = {key: made(key[0]) for key in keys}
    every = {key: batches(*key) for key in keys}
    for key, metric in ours.items():
        if not metric.variables:  # it makes them with the first batch
            metric.stateless_update_state([], *every[key][0][:2])

    def step(data):
        for metric, (y_true, y_pred, weight) in zip(ours.values(), data, strict=True):
            metric.update_state(y_true, y_pred, sample_weight=weight)
        return [metric.result() for metric in ours.values()]

    run = hornbeam.jit(step) if COMPILES else step
    results = {}
    for index in range(BATCHES):
        for key, value in zip(keys, run([one[index] for one in every.values()]), strict=True):
            results[*key, index] = host(value)
    return results, ours


@pytest.mark.parametrize("weighted", [0, 1], ids=["plain", "weighted"])
@ROWS
def test_value(row, weighted, expected, found):
    results, ours = found
    metric = ours[row, weighted]
    for step in range(BATCHES):
        wanted = expected[f"result/{row}/{weighted}/{step}"]
        np.testing.assert_allclose(results[row, weighted, step], wanted, rtol=2e-5, atol=2e-6)
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
    again = metrics.deserialize(json.loads(json.dumps(written)))
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()
    from_theirs = metrics.deserialize(theirs)
    assert type(from_theirs) is type(metric)
    if row in SOME:
        y_true, y_pred, _ = batches(row, 0)[0]
        value = host(metric(y_true, y_pred))
        np.testing.assert_array_equal(host(again(y_true, y_pred)), value)
        if not more:
            np.testing.assert_allclose(host(from_theirs(y_true, y_pred)), value, rtol=1e-6)


@SOME_ROWS
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


@pytest.fixture(scope="module")
def values():
    """What each function gives, in one compiled function where the backend compiles."""

    def step(data):
        return [
            getattr(metrics, name)(*one, **arguments)
            for (name, arguments, _), one in zip(FUNCTIONS, data, strict=True)
        ]

    return (hornbeam.jit(step) if COMPILES else step)([function_data(row) for row in range(len(FUNCTIONS))])


@pytest.mark.parametrize("row", range(len(FUNCTIONS)), ids=[name for name, _, _ in FUNCTIONS])
def test_function(row, expected, values):
    wanted = expected[f"function/{row}"]
    assert tuple(values[row].shape) == wanted.shape
    np.testing.assert_allclose(host(values[row]), wanted, rtol=2e-5, atol=2e-6)


def test_every_public_name_has_a_row(shared):
    api = json.loads((shared / "api" / "keras_api.json").read_text())
    names = {one.removeprefix("keras.metrics.") for one in api if one.startswith("keras.metrics.")}
    assert names <= set(metrics.__all__)
    tested = {name for name, _, _ in TABLE} | {name for name, _, _ in FUNCTIONS}
    rest = {"Mean", "MeanMetricWrapper", "Metric", "Sum", "deserialize", "get", "serialize"}  # in test_metric.py
    assert names - tested == rest
