"""evaluate and predict: forms of results, structures, masks, sources; on every backend."""

import json
from pathlib import Path

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from tests.training import cases
from tests.training.test_fit import LISTED_TWICE, assert_equal

ORACLE = json.loads(Path(__file__).with_name("oracle.json").read_text(encoding="utf-8"))
X, Y = cases.data("plain")
# what the kinds of models give when they are not trained; the rest of the rows differ in training only
ROWS = [
    "metrics",
    "sample_weight",
    "accuracy_sparse",
    "accuracy_one_hot",
    "two",
    "dict",
    "masked",
    "regularized",
    "added",
]


def with_weights(name):
    """The model of a row of cases.FIT, with the weights that keras had after training."""
    model = cases.compiled(keras, name)
    wanted = ORACLE[f"fit/{name}"]
    model.set_weights([np.asarray(one, "float32") for one in wanted["weights"]])
    return model, wanted, cases.data(cases.FIT[name][0])


@pytest.mark.parametrize("name", ROWS)
def test_as_keras(name):
    model, wanted, (x, y) = with_weights(name)
    found = cases.numbers(model.evaluate(x, y, batch_size=5, verbose=0, return_dict=True))
    assert_equal(found, wanted["evaluate_dict"])
    if f"fit/{name}" not in LISTED_TWICE:
        assert_equal(cases.numbers(model.evaluate(x, y, batch_size=5, verbose=0)), wanted["evaluate"])
    assert_equal(cases.numbers(model.test_on_batch(x, y, return_dict=True)), wanted["test_on_batch"])
    predicted = cases.numbers(model.predict(x, batch_size=5, verbose=0))
    if isinstance(predicted, dict):
        predicted = {key: predicted[key] for key in wanted["predict"]}
    assert_equal(predicted, wanted["predict"])


def test_forms_of_results():
    model = cases.compiled(keras, "plain")
    alone = model.evaluate(X, Y, verbose=0)
    assert isinstance(alone, float)
    assert model.evaluate(X, Y, verbose=0, return_dict=True) == {"loss": alone}
    model = cases.compiled(keras, "metrics")
    loss, mae, mse = model.evaluate(X, Y, verbose=0)
    assert loss == pytest.approx(mse, rel=1e-6) and mae != mse
    assert list(model.test_on_batch(X, Y, return_dict=True)) == ["loss", "mae", "mse"]
    assert model.metrics_names == ["loss", "compile_metrics"]


def test_weights_change_the_loss():
    model = cases.compiled(keras, "metrics")
    half = np.r_[np.ones(11), np.zeros(11)].astype("float32")
    weighted = model.evaluate(X, Y, sample_weight=half, verbose=0, return_dict=True)
    first = model.evaluate(X[:11], Y[:11], verbose=0, return_dict=True)
    whole = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert weighted["loss"] == pytest.approx(first["loss"] / 2, rel=1e-5)
    assert weighted["mae"] == pytest.approx(whole["mae"], rel=1e-6)  # metrics do not see weights


@pytest.mark.parametrize("size", [1, 5, 22, 100, None])
def test_size_of_batches_makes_no_difference(size):
    model = cases.compiled(keras, "regularized")
    np.testing.assert_allclose(
        model.evaluate(X, Y, batch_size=size, verbose=0), model.evaluate(X, Y, batch_size=11, verbose=0), rtol=1e-5
    )
    np.testing.assert_allclose(model.predict(X, batch_size=size, verbose=0), model.predict_on_batch(X), rtol=1e-5)


@pytest.mark.parametrize("rows", [1, 2, 6, 7, 22])
@pytest.mark.parametrize("kind", ["plain", "two", "dict"])
def test_predict(kind, rows):
    model = cases.model(keras, kind)
    x, _ = cases.data(kind)
    x = {name: one[:rows] for name, one in x.items()} if isinstance(x, dict) else x[:rows]
    found = model.predict(x, batch_size=6, verbose=0)
    direct = model(x)
    assert type(found) is type(direct) or kind == "plain"
    flat, wanted = keras.tree.flatten(found), keras.tree.flatten(direct)
    assert len(flat) == len(wanted)
    for mine, theirs in zip(flat, wanted, strict=True):
        assert isinstance(mine, np.ndarray) and mine.shape[0] == rows
        np.testing.assert_allclose(mine, keras.ops.convert_to_numpy(theirs), rtol=2e-5, atol=1e-6)
    for mine, theirs in zip(keras.tree.flatten(model.predict_on_batch(x)), flat, strict=True):
        assert isinstance(mine, np.ndarray)
        np.testing.assert_allclose(mine, theirs, rtol=2e-5, atol=1e-6)


def test_predict_nested_outputs():
    class Nested(keras.Model):
        def call(self, inputs):
            return {"a": [inputs, (inputs * 2,)], "b": inputs[:, 0]}

    found = Nested().predict(X, batch_size=6, verbose=0)
    assert isinstance(found["a"], list) and isinstance(found["a"][1], tuple)
    np.testing.assert_allclose(found["a"][1][0], X * 2)
    assert found["b"].shape == (22,)


def batches(with_targets):
    for start in range(0, 22, 6):
        part = slice(start, start + 6)
        yield (X[part], Y[part]) if with_targets else (X[part],)


class Rows(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[index * 6 : index * 6 + 6], Y[index * 6 : index * 6 + 6]


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        (lambda: ((batches(True),), {}), 22), (lambda: ((batches(False),), {}), 22), (lambda: ((Rows(),), {}), 22),
        (lambda: ((Rows(workers=2),), {}), 22), (lambda: ((batches(True),), {"steps": 2}), 12),
        (lambda: ((X,), {"steps": 2, "batch_size": 4}), 8), (lambda: ((X.tolist(),), {}), 22),
        (lambda: ((keras.ops.convert_to_tensor(X),), {}), 22),
    ],
    ids=["pairs", "inputs", "dataset", "workers", "steps", "array and steps", "list", "tensor"],
)  # fmt: skip
def test_predict_sources(source, rows):
    model = cases.model(keras, "plain")
    (x,), arguments = source()
    np.testing.assert_allclose(
        model.predict(x, verbose=0, **arguments), model.predict(X, verbose=0)[:rows], rtol=2e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    "source", [lambda: batches(True), Rows, lambda: Rows(workers=2)], ids=["generator", "dataset", "workers"]
)
def test_evaluate_sources(source):
    model = cases.compiled(keras, "metrics")
    np.testing.assert_allclose(
        model.evaluate(source(), verbose=0), model.evaluate(X, Y, batch_size=6, verbose=0), rtol=1e-5
    )


def test_evaluate_steps():
    model = cases.compiled(keras, "metrics")
    np.testing.assert_allclose(
        model.evaluate(X, Y, batch_size=6, steps=2, verbose=0), model.evaluate(X[:12], Y[:12], verbose=0), rtol=1e-5
    )


def test_evaluating_again_starts_anew_and_changes_no_weights():
    model = cases.compiled(keras, "metrics")
    weights = model.get_weights()
    assert model.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    model.evaluate(X * 3, Y, verbose=0)
    assert model.test_on_batch(X[:5], Y[:5]) == model.test_on_batch(X[:5], Y[:5])
    for mine, theirs in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_not_training():
    """Dropout drops nothing and batch normalisation takes and keeps its moving statistics."""
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dropout(0.9), keras.layers.BatchNormalization()])
    model.compile("sgd", "mse")
    before = model.get_weights()
    np.testing.assert_allclose(model.predict(X, verbose=0), X / np.sqrt(1.001), rtol=1e-5)
    model.evaluate(X, X, verbose=0)
    for mine, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_masks_leave_out_steps():
    words = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    model = keras.Sequential([keras.Input((4,)), keras.layers.Embedding(4, 1, mask_zero=True)])
    model.set_weights([np.array([[100.0], [1.0], [2.0], [3.0]], "float32")])
    model.compile("sgd", "mse", metrics=["mae"])
    loss, mae = model.evaluate(words, np.zeros((2, 4, 1), "float32"), verbose=0)
    # the three words that are there: 1, 2 and 3; keras takes the mean over all the places for the loss
    reference = ORACLE["fit/masked"]
    assert reference and mae == pytest.approx(2.0)
    assert loss == pytest.approx((1 + 4 + 9) / 3, rel=1e-5)


def test_callbacks_of_predict_see_outputs():
    seen = []

    class Looks(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            seen.append((batch, keras.ops.convert_to_numpy(logs["outputs"]).shape))

    cases.model(keras, "plain").predict(X, batch_size=6, verbose=0, callbacks=[Looks()])
    assert seen == [(0, (6, 1)), (1, (6, 1)), (2, (6, 1)), (3, (4, 1))]


def test_stopping():
    class Stops(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            self.model.stop_predicting = batch == 1

        def on_test_batch_end(self, batch, logs=None):
            self.model.stop_evaluating = batch == 1

    model = cases.compiled(keras, "metrics")
    assert model.predict(X, batch_size=6, verbose=0, callbacks=[Stops()]).shape == (12, 1)
    np.testing.assert_allclose(
        model.evaluate(X, Y, batch_size=6, verbose=0, callbacks=[Stops()]),
        model.evaluate(X[:12], Y[:12], batch_size=6, verbose=0), rtol=1e-6,
    )  # fmt: skip
    assert model.predict(X, batch_size=6, verbose=0).shape == (22, 1)


@pytest.mark.parametrize("way", [{"run_eagerly": True}, {"jit_compile": False}, {"steps_per_execution": 3}], ids=str)
def test_ways_of_running(way):
    model, plain = cases.compiled(keras, "metrics"), cases.compiled(keras, "metrics")
    model.compile("sgd", "mse", metrics=["mae", "mse"], **way)
    np.testing.assert_allclose(
        model.evaluate(X, Y, batch_size=6, verbose=0), plain.evaluate(X, Y, batch_size=6, verbose=0), rtol=1e-5
    )
    np.testing.assert_allclose(model.predict(X, verbose=0), plain.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


def test_jit_compile_where_nothing_compiles():
    if "compile" in backend.features:
        assert cases.compiled(keras, "plain").jit_compile is backend.compile_default
        return
    with pytest.raises(NotImplementedError, match=backend.name):
        cases.model(keras, "plain").compile("sgd", "mse", jit_compile=True)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", "uint8", "bool", ">f4"])
def test_batches_of_other_dtypes(dtype):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: keras.ops.cast(x, "float32") * 2.0)])
    x = (np.arange(6).reshape(2, 3) % 3).astype(dtype)
    wanted = x.astype("float32") * 2.0
    for way in (model.predict_on_batch, lambda x: model.predict(x, verbose=0), lambda x: model.predict([x], verbose=0)):
        np.testing.assert_array_equal(way(x), wanted)
        np.testing.assert_array_equal(way(x[::-1]), wanted[::-1])
    assert x.dtype == np.dtype(dtype)


def test_stop_of_an_earlier_run():
    """A run that was stopped leaves no mark on the next one, with callbacks or without."""
    model = cases.compiled(keras, "plain")
    model.stop_predicting = True
    assert model.predict(X, batch_size=6, verbose=0).shape == (22, 1)
