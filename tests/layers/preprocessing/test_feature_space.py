"""`FeatureSpace` against Keras's recorded answers and files, inside models and pipelines, and on bad input."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import tree
from hornbeam.backend import active as backend
from hornbeam.data import Dataset
from tests.layers.preprocessing.space_cases import CASES, NEW, TABLE, batches, columns
from tests.needs import needs_gradients

FOLDER = Path(__file__).parent
ORACLE: dict[str, Any] = json.loads((FOLDER / "oracle_space.json").read_text())
FeatureSpace = keras.utils.FeatureSpace
ROWS = {"age": np.array([20.0, 30.0, 40.0, 50.0], "float32"), "city": np.array(["Rome", "Bern", "Rome", "Oslo"])}


def adapted(name: str, data: Any = None) -> Any:
    keras.utils.clear_session()
    space = CASES[name].make(FeatureSpace)
    space.adapt(iter(batches(CASES[name])) if data is None else data)
    return space


def small(**kwargs: Any) -> Any:
    space = FeatureSpace({"age": "float_normalized", "city": "string_categorical"}, **kwargs)
    space.adapt(ROWS)
    return space


def values(outputs: Any) -> Any:
    return tree.map_structure(lambda one: np.asarray(backend.to_numpy(one)), outputs)


def check(got: Any, wanted: dict[str, Any]) -> None:
    if "shape" not in wanted:
        assert set(got) == set(wanted)
        for name, one in wanted.items():
            check(got[name], one)
        return
    got = np.asarray(got if isinstance(got, np.ndarray) else backend.to_numpy(got))
    assert list(got.shape) == wanted["shape"]
    assert got.dtype.name == backend.narrowed.get(wanted["dtype"], wanted["dtype"])
    np.testing.assert_allclose(got, np.array(wanted["values"]), rtol=1e-5, atol=1e-6)


# --- the oracle --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*CASES])
def test_values(name: str) -> None:
    case, answer = CASES[name], ORACLE[name]
    space = adapted(name)
    check(space(columns(TABLE, case)), answer["table"])
    check(space(columns(NEW, case)), answer["new"])
    check(space({column: one[:, None] for column, one in columns(NEW, case).items()}), answer["new"])
    check(space({column: one.tolist() for column, one in columns(NEW, case).items()}), answer["new"])
    check(space({column: one[0] for column, one in columns(TABLE, case).items()}), answer["one"])
    found = {column: [list(one.shape), one.dtype, one.name] for column, one in space.get_inputs().items()}
    assert found == answer["inputs"]


@pytest.mark.parametrize("name", [*CASES])
def test_the_layers_as_nodes_of_a_model_give_the_same(name: str) -> None:
    space = adapted(name)
    model = keras.Model(space.get_inputs(), space.get_encoded_features())
    data = columns(NEW, CASES[name])
    check(model.predict(data, verbose=0), ORACLE[name]["new"])
    check(model({column: one[:, None] for column, one in data.items()}), ORACLE[name]["new"])


@pytest.mark.parametrize("name", [*CASES])
def test_config(name: str) -> None:
    def compared(config: Any) -> Any:  # but for places in memory, and shapes for layers that need none
        if isinstance(config, dict):
            left_out = ("shared_object_id", "build_config")
            return {key: compared(one) for key, one in config.items() if key not in left_out}
        return [compared(one) for one in config] if isinstance(config, (list, tuple)) else config

    space = adapted(name)
    config = json.loads(json.dumps(space.get_config()))
    assert compared(config) == compared(ORACLE[name]["config"])
    copy = FeatureSpace.from_config(json.loads(json.dumps(config)))
    assert json.loads(json.dumps(copy.get_config()))["crosses"] == config["crosses"]


# --- data to adapt to --------------------------------------------------------------------------------------------


def test_adapt_takes_data_of_any_kind() -> None:
    name = "methods"
    table = columns(TABLE, CASES[name])
    for data in (
        table,
        {column: one.tolist() for column, one in table.items()},
        {column: one[:, None] for column, one in table.items()},
        Dataset.from_arrays(table).batch(4),
        Dataset.from_arrays(table),
        [{column: one[place] for column, one in table.items()} for place in range(6)],
        {**table, "another": np.zeros(6)},
    ):
        check(adapted(name, data)(columns(NEW, CASES[name])), ORACLE[name]["new"])


def test_adapt_takes_frames_and_tensorflows_datasets() -> None:
    frames = pytest.importorskip("pandas", reason="frames are those of pandas")
    name = "methods"
    table = columns(TABLE, CASES[name])
    check(adapted(name, frames.DataFrame(table))(frames.DataFrame(columns(NEW, CASES[name]))), ORACLE[name]["new"])


def test_adapting_again_forgets_the_first_time() -> None:
    space = small()
    assert tuple(space(ROWS).shape) == (4, 5)
    space.adapt({"age": [1.0, 3.0], "city": ["a", "b"]})
    np.testing.assert_allclose(values(space({"age": [1.0], "city": ["b"]})), [[-1.0, 0.0, 1.0, 0.0]])
    model = keras.Model(space.get_inputs(), space.get_encoded_features())
    np.testing.assert_allclose(model.predict({"age": np.ones(1), "city": np.array(["b"])}, verbose=0), [[-1, 0, 1, 0]])


# --- more than Keras ---------------------------------------------------------------------------------------------


def test_three_features_cross() -> None:
    names = ("a", "b", "c")
    space = FeatureSpace(dict.fromkeys(names, "string_hashed"), crosses=[names], crossing_dim=50, output_mode="dict")
    data = {name: ["x", "x", "y"] for name in names}
    found = values(space(data))["a_X_b_X_c"]
    assert found.shape == (3, 50) and (found.sum(-1) == 1).all()
    assert (found[0] == found[1]).all() and (found[0] != found[2]).any()


def test_known_boundaries_need_no_adapt() -> None:
    space = FeatureSpace({"x": FeatureSpace.float_discretized(None, bin_boundaries=[0.0, 1.0])})
    np.testing.assert_array_equal(values(space({"x": [-1.0, 0.5, 9.0]})), np.eye(3))
    space.adapt({"x": [1.0]})
    np.testing.assert_array_equal(values(space({"x": [-1.0, 0.5, 9.0]})), np.eye(3))


def test_symbolic_columns() -> None:
    space = small()
    inputs = {"age": keras.Input((1,)), "city": keras.Input((1,), dtype="string")}
    model = keras.Model(inputs, space(inputs))
    np.testing.assert_allclose(model.predict(ROWS, verbose=0), values(space(ROWS)))


def test_layers_of_ones_own() -> None:
    words = keras.layers.TextVectorization(output_mode="multi_hot")
    space = FeatureSpace({
        "text": FeatureSpace.feature("string", words, "float"),
        "n": FeatureSpace.feature("int32", keras.layers.IntegerLookup(vocabulary=[7, 9]), "one_hot"),
        "x": FeatureSpace.feature("float32", keras.layers.Rescaling(2.0), "float"),
    }, output_mode="dict")
    space.adapt({"text": ["a b", "a"], "n": [7, 9], "x": [1.0, 2.0]})
    found = values(space({"text": ["b b", "a"], "n": [9, 7], "x": [1.0, 2.0]}))
    np.testing.assert_array_equal(found["text"], [[0, 0, 1], [0, 1, 0]])
    np.testing.assert_array_equal(found["n"], [[0, 0, 1], [0, 1, 0]])
    np.testing.assert_array_equal(found["x"], [[2], [4]])


# --- in pipelines and models -------------------------------------------------------------------------------------


def test_in_a_map() -> None:
    space = small()
    data = Dataset.from_arrays(ROWS).batch(2).map(space)
    np.testing.assert_allclose(np.concatenate([np.asarray(one) for one in data]), values(space(ROWS)), rtol=1e-6)


@needs_gradients
def test_model_trains_and_is_saved(tmp_path: Path) -> None:
    space = small()
    outputs = keras.layers.Dense(1, activation="sigmoid")(space.get_encoded_features())
    model = keras.Model(space.get_inputs(), outputs)
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    data = {name: np.tile(one, 8) for name, one in ROWS.items()}
    labels = (data["city"] == "Rome").astype("float32")
    model.fit(data, labels, epochs=20, verbose=0)
    assert model.evaluate(data, labels, verbose=0)[1] == 1.0
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(ROWS, verbose=0), model.predict(ROWS, verbose=0), rtol=1e-6)


# --- files -------------------------------------------------------------------------------------------------------


def test_reads_a_space_that_keras_wrote(tmp_path: Path) -> None:
    case, answer = CASES["methods"], ORACLE["methods"]
    space = keras.models.load_model(FOLDER / "keras_space.keras")
    check(space(columns(TABLE, case)), answer["table"])
    space.save(tmp_path / "again.keras")
    check(keras.models.load_model(tmp_path / "again.keras")(columns(NEW, case)), answer["new"])


def test_reads_a_model_with_a_space_that_keras_wrote() -> None:
    model = keras.models.load_model(FOLDER / "keras_space_model.keras")
    found = model.predict(columns(NEW, CASES["methods"]), verbose=0)
    np.testing.assert_allclose(found, np.load(FOLDER / "keras_space_model.npy"), rtol=1e-5, atol=1e-6)


def test_a_space_that_learnt_nothing_can_be_saved_and_adapted_later(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="not built"):
        FeatureSpace({"age": "float_normalized", "city": "string_categorical"}).save(tmp_path / "space.keras")
    space = keras.models.load_model(tmp_path / "space.keras")
    with pytest.raises(ValueError, match="adapt"):
        space(ROWS)
    space.adapt(ROWS)
    np.testing.assert_allclose(values(space(ROWS)), values(small()(ROWS)))


def test_a_file_that_another_process_moved_is_read(tmp_path: Path) -> None:
    small().save(tmp_path / "a.keras")
    shutil.move(tmp_path / "a.keras", tmp_path / "b.keras")
    np.testing.assert_allclose(values(keras.models.load_model(tmp_path / "b.keras")(ROWS)), values(small()(ROWS)))


# --- bad input ---------------------------------------------------------------------------------------------------

BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "unknown kind": (lambda: FeatureSpace({"a": "float_normalised"}), ValueError, "float_normalized"),
    "no kind": (lambda: FeatureSpace({"a": 3}), ValueError, "feature 'a'"),
    "no features": (lambda: FeatureSpace({}), ValueError, "at least one"),
    "output mode": (lambda: FeatureSpace({"a": "float"}, output_mode="list"), ValueError, "concat"),
    "mode of a feature": (lambda: FeatureSpace.float_discretized(3, output_mode="count"), ValueError, "one_hot"),
    "mode of a cross": (lambda: FeatureSpace.cross(("a", "b"), 3, output_mode="float"), ValueError, "one_hot"),
    "cross of the unknown": (
        lambda: FeatureSpace({"age": "float", "city": "string_hashed"}, crosses=[("city", "agee")]),
        ValueError, "'age'",
    ),
    "cross of one": (lambda: FeatureSpace({"a": "string_hashed"}, crosses=[("a",)]), ValueError, "at least two"),
    "cross of floats": (
        lambda: FeatureSpace({"a": "float", "b": "string_hashed"}, crosses=[("a", "b")])({"a": [0.5], "b": ["x"]}),
        ValueError, "Discretization",
    ),
    "never adapted": (lambda: FeatureSpace({"a": "string_categorical"})({"a": ["x"]}), ValueError, "adapt"),
    "never adapted, inputs": (lambda: FeatureSpace({"a": "float_normalized"}).get_inputs(), ValueError, "adapt"),
    "no data": (lambda: FeatureSpace({"a": "float_normalized"}).adapt(iter([])), ValueError, "at least one batch"),
    "targets": (lambda: small().adapt(iter([(ROWS, [1])])), TypeError, "map"),
    "an array": (lambda: small().adapt(np.ones(3)), TypeError, "dict of columns"),
    "missing to adapt": (lambda: small().adapt({"age": [1.0], "cyti": ["x"]}), KeyError, "Known: age, cyti"),
    "missing column": (lambda: small()({"age": [1.0]}), KeyError, "city"),
    "too many columns": (lambda: small()({**ROWS, "job": ["x"] * 4}), KeyError, "job"),
    "no dict": (lambda: small()(np.ones((2, 2))), ValueError, "dict"),
    "lengths": (lambda: small()({"age": [1.0, 2.0], "city": ["x"]}), ValueError, "one length"),
    "None among texts": (lambda: small()({"age": [1.0], "city": [None]}), TypeError, "'city'"),
    "texts for numbers": (lambda: small()({"age": ["x"], "city": ["x"]}), (TypeError, ValueError), "age|float"),
    "numbers to concatenate": (
        lambda: FeatureSpace({"a": FeatureSpace.integer_hashed(3, output_mode="int")})({"a": [1]}),
        ValueError, "one_hot",
    ),
    "unknown token": (
        lambda: _without_unknowns()({"a": ["x", "zzz"]}), ValueError, "zzz",
    ),
    "out of range": (
        lambda: FeatureSpace({"a": FeatureSpace.feature("int32", _Plus(), "one_hot")})({"a": [3]}), ValueError, "bound",
    ),
}  # fmt: skip


class _Plus(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs + 1


def _without_unknowns() -> Any:
    space = FeatureSpace({"a": FeatureSpace.string_categorical(num_oov_indices=0)})
    space.adapt({"a": ["x", "y"]})
    return space


@pytest.mark.parametrize("name", [*BAD])
def test_bad_input(name: str) -> None:
    function, error, text = BAD[name]
    with pytest.raises(error, match=text):
        function()


def test_nan_is_refused_and_nothing_changes() -> None:
    space = small()
    before = values(space(ROWS))
    with pytest.raises(ValueError, match="NaN") as caught:
        space.adapt({"age": [1.0, np.nan], "city": ["new", "new"]})
    assert any("feature 'age'" in one for one in caught.value.__notes__)
    np.testing.assert_allclose(values(space(ROWS)), before)
    with pytest.raises(KeyError):
        space.adapt({"age": [1.0, 2.0]})
    np.testing.assert_allclose(values(space(ROWS)), before)


@pytest.mark.parametrize("mode", ["concat", "dict"])
def test_outputs_do_not_change_with_what_the_caller_writes_later(mode: str) -> None:
    space = FeatureSpace({"age": "float", "city": "string_categorical"}, output_mode=mode)
    space.adapt(ROWS)
    rows = {"age": np.zeros((100_000, 1), "float32"), "city": np.full(100_000, "Rome")}
    outputs = space(rows)
    before = tree.map_structure(np.copy, values(outputs))
    rows["age"][:] = 7
    space(rows)  # new vectors lie elsewhere
    tree.map_structure(np.testing.assert_array_equal, values(outputs), before)


@pytest.mark.parametrize("offset", [0, 16])
def test_large_host_arrays_become_tensors_wherever_they_lie(offset: int) -> None:
    memory = np.zeros(2**21 + 128, np.uint8)
    start = -memory.ctypes.data % 64 + offset
    array = memory[start : start + 2**21].view("float32").reshape(-1, 64)
    array[:] = np.arange(64)
    tensor = backend.put(array)
    del array, memory
    np.testing.assert_array_equal(backend.to_numpy(tensor[5:7] + 1), np.tile(np.arange(64) + 1, (2, 1)))
