"""Bad input to compile, fit, evaluate and predict: an error that says what to do, and a model as it was before."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from hornbeam.errors import HornbeamError
from tests.needs import needs_gradients

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4)).astype("float32")
Y = RNG.integers(0, 3, 20)
NUMBERS = X[:, :1].copy()


def classifier(**arguments):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6, "relu"), keras.layers.Dense(3, "softmax")])
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"], **arguments)
    return model


def regressor(**arguments):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6, "relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.05), "mse", **arguments)
    return model


def assert_clear(problem, kind, *words):
    """The error is of the builtin kind that Keras raises, in the house's form, and says these words."""
    text = str(problem.value)
    assert isinstance(problem.value, HornbeamError) and isinstance(problem.value, kind), repr(problem.value)
    assert "expected" in text, text
    for word in words:
        assert word in text, text


def state(model):
    return [one.numpy() for one in [*model.variables, *model.optimizer.variables]]


def assert_as_before(model, before, x, y):
    """The error has changed nothing, and the model still trains."""
    now = state(model)
    for mine, theirs in zip(now, before, strict=False):
        np.testing.assert_array_equal(mine, theirs)
    losses = model.fit(x, y, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def with_(value, index, array=None):
    array = (Y if array is None else array).copy()
    array[index] = value
    return array


def dry():
    yield X[:5], Y[:5]


# what: (model, arguments of fit, builtin, words in the text)
FIT = {
    "shape of x": (classifier, {"x": X[:, :3], "y": Y}, ValueError, ["(None, 4)", "(20, 3)"]),
    "rank of x": (classifier, {"x": X[:, None, None], "y": Y}, ValueError, ["(None, 4)", "1, 1, 4"]),
    "strings": (classifier, {"x": np.array([["a"] * 4] * 20), "y": Y}, (ValueError, TypeError), ["numbers", "(20, 4)"]),
    "objects": (classifier, {"x": np.array([[None] * 4] * 20), "y": Y}, (ValueError, TypeError), ["x"]),
    "string labels": (
        classifier,
        {"x": X, "y": np.array(["a"] * 20)},
        (ValueError, TypeError),
        ["numbers", "(20,)", "y"],
    ),
    "number": (classifier, {"x": 3.0, "y": 1.0}, ValueError, ["x"]),
    "nothing": (classifier, {}, ValueError, ["x"]),
    "string as x": (classifier, {"x": "data.csv", "y": Y}, ValueError, ["data.csv"]),
    "label too large": (
        classifier,
        {"x": X, "y": with_(3, 7)},
        ValueError,
        ["[0, 3)", "3 at index 7", "number the labels"],
    ),
    "label negative": (classifier, {"x": X, "y": with_(-1, 0)}, ValueError, ["[0, 3)", "-1 at index 0"]),
    "label in a column": (classifier, {"x": X, "y": with_(9, 2)[:, None]}, ValueError, ["[0, 3)", "9 at index (2, 0)"]),
    "NaN label": (regressor, {"x": X, "y": with_(np.nan, 4, NUMBERS)}, ValueError, ["NaN at index (4, 0)"]),
    "shape of y": (classifier, {"x": X, "y": np.zeros((20, 2, 3))}, ValueError, ["(20, 3)", "2, 3)"]),
    "lengths": (classifier, {"x": X, "y": Y[:19]}, ValueError, ["(20, 4)", "(19,)"]),
    "length of weights": (classifier, {"x": X, "y": Y, "sample_weight": np.ones(3)}, ValueError, ["(3,)"]),
    "empty": (classifier, {"x": X[:0], "y": Y[:0]}, ValueError, ["at least one sample", "(0, 4)"]),
    "list of samples": (classifier, {"x": [X[0], X[1]], "y": Y[:2]}, ValueError, ["np.stack"]),
    "no targets": (classifier, {"x": X}, ValueError, ["targets", "None"]),
    "generator that ran dry": (classifier, {"x": iter(())}, ValueError, ["at least one batch"]),
    "generator with y": (classifier, {"x": dry, "y": Y}, ValueError, ["generator", "(x, y)"]),
    "generator with split": (
        classifier,
        {"x": dry, "validation_split": 0.5},
        ValueError,
        ["generator", "validation_data"],
    ),
    "generator of too many": (
        classifier,
        {"x": iter([(X, Y, Y, Y)])},
        ValueError,
        ["(x, y, sample_weight)", "4 parts"],
    ),
    "batch of another width": (classifier, {"x": lambda: iter([(X[:, :2], Y)])}, ValueError, ["(None, 4)", "(20, 2)"]),
    "split of 1": (classifier, {"x": X, "y": Y, "validation_split": 1.0}, ValueError, ["below 1", "1.0"]),
    "split of nothing": (classifier, {"x": X, "y": Y, "validation_split": 0.99}, ValueError, ["0.99 of 20"]),
    "validation labels": (classifier, {"x": X, "y": Y, "validation_data": (X, Y + 1)}, ValueError, ["[0, 3)"]),
    "validation lengths": (classifier, {"x": X, "y": Y, "validation_data": (X, Y[:3])}, ValueError, ["(3,)"]),
    "batch_size": (classifier, {"x": X, "y": Y, "batch_size": 0}, ValueError, ["batch_size", "0"]),
    "epochs": (classifier, {"x": X, "y": Y, "epochs": "two"}, ValueError, ["epochs", "'two'"]),
    "validation_freq": (classifier, {"x": X, "y": Y, "validation_freq": 0}, ValueError, ["validation_freq", "0"]),
    "verbose": (classifier, {"x": X, "y": Y, "verbose": 5}, ValueError, ["verbose", "5"]),
    "shuffle": (classifier, {"x": X, "y": Y, "shuffle": "bach"}, ValueError, ["'batch'", "'bach'"]),
    "callback class": (
        classifier,
        {"x": X, "y": Y, "callbacks": [keras.callbacks.EarlyStopping]},
        TypeError,
        ["callbacks", "instance"],
    ),
    "callback of no kind": (classifier, {"x": X, "y": Y, "callbacks": [lambda: 0]}, TypeError, ["callbacks"]),
    "class_weight without y": (classifier, {"x": X, "class_weight": {0: 1.0}}, ValueError, ["class_weight"]),
    "class_weight of a number": (
        classifier,
        {"x": X, "y": Y, "class_weight": 2.0},
        (ValueError, TypeError),
        ["class_weight"],
    ),
}


# what is found within a step only, so that it matters how steps run
WITHIN = ("shape of x", "no targets", "batch of another width", "shape of y")


@needs_gradients
@pytest.mark.parametrize(("name", "eager"), [*((name, False) for name in FIT), *((name, True) for name in WITHIN)])
def test_fit(name, eager):
    make, arguments, kind, words = FIT[name]
    if callable(arguments.get("x")):  # a fresh iterator
        arguments = {**arguments, "x": arguments["x"]()}
    model = make(run_eagerly=eager)
    before = state(model)
    with pytest.raises(Exception) as problem:
        model.fit(**{"verbose": 0, **arguments})
    assert_clear(problem, kind, *words)
    assert_as_before(model, before, X, Y if make is classifier else NUMBERS)


def test_inputs_of_two():
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    model = keras.Model([left, right], keras.layers.Dense(1)(keras.layers.Concatenate()([left, right])))
    model.compile("sgd", "mse")
    for x, words in (
        ([X[:, :2]], ["2 input(s)", "left", "right"]),
        ({"left": X[:, :2], "rigth": X[:, :2]}, ["left", "right", "rigth"]),
        ([X[:, :2], X[:, :3]], ["(None, 2)", "(20, 3)", "right"]),
    ):
        with pytest.raises(ValueError) as problem:
            model.predict(x, verbose=0)
        assert_clear(problem, ValueError, *words)
    assert model.predict([X[:, :2], X[:, 2:]], verbose=0).shape == (20, 1)


# --- evaluate and predict ---------------------------------------------------------------------------------------------

EVALUATE = {
    "shape of x": ({"x": X[:, :3], "y": Y}, ["(None, 4)", "(20, 3)"]),
    "label too large": ({"x": X, "y": with_(3, 7)}, ["[0, 3)", "3 at index 7"]),
    "empty": ({"x": X[:0], "y": Y[:0]}, ["at least one sample"]),
    "lengths": ({"x": X, "y": Y[:4]}, ["(20, 4)", "(4,)"]),
    "dry": ({"x": iter(())}, ["at least one batch"]),
    "no targets": ({"x": X}, ["targets", "None"]),
    "verbose": ({"x": X, "y": Y, "verbose": "loud"}, ["verbose", "'loud'"]),
}


@pytest.mark.parametrize("name", EVALUATE)
def test_evaluate(name):
    arguments, words = EVALUATE[name]
    model = classifier()
    wanted = model.evaluate(X, Y, verbose=0)
    with pytest.raises(ValueError) as problem:
        model.evaluate(**{"verbose": 0, **arguments})
    assert_clear(problem, ValueError, *words)
    assert model.evaluate(X, Y, verbose=0) == wanted


@pytest.mark.parametrize(
    ("x", "words"),
    [(X[:, :3], ["(None, 4)"]), (X[:0], ["at least one sample"]), (iter(()), ["at least one batch"]), (None, ["x"])],
    ids=["shape", "empty", "dry", "nothing"],
)
def test_predict(x, words):
    model = classifier()
    wanted = model.predict(X, verbose=0)
    with pytest.raises(ValueError) as problem:
        model.predict(x, verbose=0)
    assert_clear(problem, ValueError, *words)
    np.testing.assert_array_equal(model.predict(X, verbose=0), wanted)


def test_unknown_arguments_of_evaluate():
    with pytest.raises(TypeError) as problem:
        classifier().evaluate(X, Y, verboze=0)
    assert_clear(problem, TypeError, "verboze")


# --- labels that must be let through ----------------------------------------------------------------------------------


def test_labels_without_weight_may_be_anything():
    model = classifier()
    labels, weights = with_(-1, 3), np.ones(20)
    weights[3] = 0
    found = model.evaluate(X, labels, sample_weight=weights, verbose=0)
    assert np.isfinite(found[0])
    with pytest.raises(ValueError, match="-1 at index 3"):
        model.evaluate(X, labels, sample_weight=np.ones(20), verbose=0)


def test_labels_behind_a_mask_may_be_anything():
    words = np.array([[1, 2, 0], [3, 0, 0]])
    model = keras.Sequential([
        keras.Input((3,)), keras.layers.Embedding(5, 4, mask_zero=True), keras.layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert np.isfinite(model.evaluate(words, np.array([[0, 1, -1], [1, -1, -1]]), verbose=0))


def test_ignored_class():
    model = classifier()
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=255)
    model.compile("sgd", loss)
    assert np.isfinite(model.evaluate(X, with_(255, 3), verbose=0))
    with pytest.raises(ValueError, match="254 at index 3"):
        model.evaluate(X, with_(254, 3), verbose=0)


def test_own_losses_may_give_labels_a_meaning():
    model = regressor()
    model.compile("sgd", lambda y, y_pred: keras.ops.mean(keras.ops.where(keras.ops.isnan(y), 0.0, y - y_pred)))
    assert np.isfinite(model.evaluate(X, with_(np.nan, 4, NUMBERS), verbose=0))


def test_labels_of_a_model_that_has_never_been_called():
    model = keras.Sequential([keras.layers.Dense(6, "relu"), keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"\[0, 3\)"):
        model.evaluate(X, Y + 1, verbose=0)
    assert np.isfinite(model.evaluate(X, Y, verbose=0))


# --- compile ----------------------------------------------------------------------------------------------------------

COMPILE = {
    "optimizer": ({"optimizer": "adma", "loss": "mse"}, ValueError, ["'adma'", "'adam'"]),
    "loss": ({"loss": "mea_squared_error"}, ValueError, ["'mea_squared_error'", "'mean_squared_error'"]),
    "metric": ({"loss": "mse", "metrics": ["acuracy_"]}, ValueError, ["'acuracy_'"]),
    "metric in a dict": ({"loss": "mse", "metrics": {"dense": ["mea"]}}, ValueError, ["'mea'"]),
    "optimizer of no kind": ({"optimizer": 3, "loss": "mse"}, (ValueError, TypeError), ["3"]),
    "loss of no kind": ({"loss": 3}, (ValueError, TypeError), ["3"]),
    "steps": ({"loss": "mse", "steps_per_execution": 0}, ValueError, ["steps_per_execution", "0"]),
    "jit": ({"loss": "mse", "jit_compile": "yes"}, ValueError, ["jit_compile", "'yes'"]),
}


@pytest.mark.parametrize("name", COMPILE)
def test_compile(name):
    arguments, kind, words = COMPILE[name]
    model = regressor()
    optimizer = model.optimizer
    with pytest.raises(Exception) as problem:
        model.compile(**arguments)
    assert_clear(problem, kind, *words)
    assert model.optimizer is optimizer and np.isfinite(model.evaluate(X, NUMBERS, verbose=0))


def test_unknown_activation():
    with pytest.raises(ValueError) as problem:
        keras.layers.Dense(3, activation="rleu")
    assert_clear(problem, ValueError, "'rleu'", "'relu'")


@pytest.mark.parametrize("call", ["evaluate", "train_on_batch", "test_on_batch", "fit"])
def test_uncompiled(call):
    if call in ("train_on_batch", "fit") and "gradients" not in backend.features:
        pytest.skip("the backend has no gradients, so no fit")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError) as problem:
        getattr(model, call)(X, NUMBERS)
    assert_clear(problem, ValueError, call, "model.compile(")
    assert model.predict(X, verbose=0).shape == (20, 1)


@pytest.mark.parametrize("use", ["save_weights", "count_params", "summary of weights"])
def test_unbuilt(use, tmp_path):
    model = keras.Sequential([keras.layers.Dense(1)])
    if use == "summary of weights":
        assert model.get_weights() == []
        return
    with pytest.raises(ValueError) as problem:
        model.save_weights(tmp_path / "a.weights.h5") if use == "save_weights" else model.count_params()
    assert_clear(problem, ValueError, "built")
    model.build((None, 4))
    assert model.count_params() == 5


# --- steps of the user's own ------------------------------------------------------------------------------------------


def with_step(result):
    class Own(keras.Model):
        broken = True

        def train_step(self, data):
            logs = super().train_step(data)
            return result(logs) if self.broken else logs

    inputs = keras.Input((4,))
    model = Own(inputs, keras.layers.Dense(1)(inputs))
    model.compile(keras.optimizers.Adam(0.05), "mse")
    return model


@needs_gradients
@pytest.mark.parametrize(
    "result", [lambda logs: None, lambda logs: logs["loss"], lambda logs: (logs,)], ids=["nothing", "loss", "tuple"]
)
def test_train_step_that_gives_no_dict(result):
    model = with_step(result)
    before = state(model)
    with pytest.raises(TypeError) as problem:
        model.fit(X, NUMBERS, verbose=0)
    assert_clear(problem, TypeError, "dict", "Own.train_step", "Return for example")
    model.broken = False
    if backend.compile_default:
        assert_as_before(model, before, X, NUMBERS)
    else:  # the step ran as plain Python: what it did before it returned stays done, as in any program
        assert np.isfinite(model.fit(X, NUMBERS, verbose=0).history["loss"][0])


@needs_gradients
def test_state_step_that_forgets_the_state():
    class Own(keras.Model):
        def train_step(self, state, data):
            return {"loss": keras.ops.sum(state[0][0])}

    inputs = keras.Input((4,))
    model = Own(inputs, keras.layers.Dense(1)(inputs))
    model.compile("adam", "mse")
    before = model.get_weights()
    with pytest.raises(TypeError) as problem:
        model.fit(X, NUMBERS, verbose=0)
    assert_clear(problem, TypeError, "logs and the new state", "Own.train_step(state, data)")
    for mine, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@needs_gradients
def test_a_generator_that_runs_dry_within_epochs_warns_and_ends():
    model = classifier()
    data = iter([(X[:5], Y[:5])] * 3)
    with pytest.warns(UserWarning, match="ran out of data"):
        history = model.fit(data, steps_per_epoch=5, epochs=1, verbose=0)
    assert history.epoch == [0]
    with pytest.raises(ValueError) as problem:
        model.fit(data, verbose=0)
    assert_clear(problem, ValueError, "at least one batch")
    with pytest.warns(UserWarning, match="the run ends here") as caught:
        history = model.fit(iter([(X[:5], Y[:5])] * 4), steps_per_epoch=2, epochs=5, verbose=0)
    assert history.epoch == [0, 1] and len(history.history["loss"]) == 2
    assert [one.filename for one in caught] == [__file__]  # warnings point at the program's line
    assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"][0])


@needs_gradients
def test_a_layer_that_returns_nothing():
    class Nothing(keras.layers.Layer):
        def call(self, inputs):
            pass

    model = keras.Sequential([keras.layers.Dense(2), Nothing()])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError) as problem:
        model.fit(X, NUMBERS, verbose=0)
    assert_clear(problem, ValueError, "return", "None")


@pytest.mark.skipif("gradients" in backend.features, reason="about backends without gradients")
def test_fit_without_gradients():
    model = regressor()
    with pytest.raises(NotImplementedError) as problem:
        model.fit(X, NUMBERS)
    assert_clear(problem, NotImplementedError, backend.name, "HORNBEAM_BACKEND")
