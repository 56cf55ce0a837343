"""Which steps XLA compiles on TensorFlow, and when; and what happens where it cannot."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import transforms
from hornbeam.backend import active

if active.name != "tensorflow":
    pytest.skip("needs the tensorflow backend", allow_module_level=True)

import tensorflow as tf

from hornbeam.backend.tensorflow import programs

layers = keras.layers
X = np.random.RandomState(0).randn(26, 3).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.3).astype("float32")


class Raw(keras.layers.Layer):
    """A layer of a function of TensorFlow."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def call(self, x):
        return self.function(x)

    def compute_output_shape(self, input_shape):
        return input_shape


def doubled_by_python(x):
    return tf.stop_gradient(tf.ensure_shape(tf.numpy_function(lambda one: one * 2, [x], tf.float32), x.shape)) + x


def model_with(*inside, **compile_arguments):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="tanh"), *inside, layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse", **compile_arguments)
    return model


def forms(model):
    """Of each program of the training steps, whether it is compiled."""
    return [
        one._program._compiles
        for (phase, _), execution in model._untracked_executions.items() if phase == "train"
        for one in execution._programs.values()
    ]  # fmt: skip


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(programs, "STEPS_WITH_LOOPS", 3)
    monkeypatch.setattr(programs, "STEPS", 5)


# --- what is decided -----------------------------------------------------------------------------------------------

WIDE = tf.ones((64, 2048))
TABLE = tf.Variable(tf.ones((600_000, 2)))


def loss_of_rows():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.gather(TABLE, [1, 2]))
    return tf.convert_to_tensor(tape.gradient(loss, TABLE))


DECISIONS = {
    "dense": (lambda: tf.nn.relu(tf.ones((2, 3)) @ tf.ones((3, 4)) + 1.0), programs.STEPS),
    "normalisation": (lambda: tf.nn.softmax(WIDE - tf.reduce_mean(WIDE, 1)[:, None]), programs.STEPS),
    "recurrent": (
        lambda: keras.ops.scan(lambda carry, x: (carry + x, carry * x), tf.zeros(2), tf.ones((5, 2)))[1],
        programs.STEPS_WITH_LOOPS,
    ),
    "large product": (lambda: WIDE @ tf.ones((2048, 4096)), np.inf),
    "large product, turned": (lambda: tf.matmul(tf.ones((2048, 64)), tf.ones((2048, 4096)), transpose_a=True), np.inf),
    "large einsum": (lambda: tf.einsum("ij,jk->ik", WIDE, tf.ones((2048, 4096))), np.inf),
    "einsum": (lambda: tf.einsum("bij,bjk->bik", tf.ones((64, 8, 8)), tf.ones((64, 8, 8))), programs.STEPS),
    "large table": (loss_of_rows, np.inf),
    "convolution": (lambda: tf.nn.conv2d(tf.ones((1, 4, 4, 1)), tf.ones((2, 2, 1, 1)), 1, "SAME"), np.inf),
    "pooling": (lambda: tf.nn.max_pool2d(tf.ones((1, 4, 4, 1)), 2, 2, "SAME"), np.inf),
    "a check": (lambda: tf.debugging.check_numerics(tf.ones(3) * 2.0, "bad"), np.inf),
    "Python": (lambda: tf.numpy_function(lambda: np.float32(1.0), [], tf.float32), np.inf),
    "unique": (lambda: tf.unique([1, 1, 2])[0], np.inf),
    "text": (lambda: tf.strings.length("abc"), np.inf),
}  # fmt: skip


@pytest.mark.parametrize("row", DECISIONS)
def test_decision(row):
    function, expected = DECISIONS[row]
    graph = tf.function(function, autograph=False).get_concrete_function()
    assert programs.steps_before_compiling(graph) == expected


# --- when ----------------------------------------------------------------------------------------------------------


def test_short_training_is_not_compiled():
    model = model_with()
    model.fit(X, Y, batch_size=4, epochs=3, verbose=0)
    assert forms(model) and not any(forms(model))


@pytest.mark.parametrize("each_batch", [False, True], ids=["fused", "batches"])
def test_long_training_is_compiled_and_gives_the_same(soon, each_batch):
    callbacks = [keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)] if each_batch else []
    results = {}
    for choice in ("auto", False) if each_batch else ("auto", False, True):
        model = model_with(layers.BatchNormalization(), jit_compile=choice)
        model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
        # the last batch of two rows has come twice: too seldom for a program of its own
        assert sorted(forms(model)) == {"auto": [False, True], False: [False] * 2, True: [True] * 2}[choice]
        assert int(model.optimizer.iterations) == 14
        results[choice] = np.concatenate([np.ravel(one.numpy()) for one in model.weights])
    for found in results.values():
        np.testing.assert_allclose(found, results[False], rtol=1e-4, atol=1e-6)


def test_the_form_changes_at_the_same_step_whatever_a_dispatch_is(soon, monkeypatch):
    ranges = []
    part = transforms.CompiledLoop._part

    def noted(self, start, stop, args):
        ranges.append((self._program._compiles, stop - start))
        return part(self, start, stop, args)

    monkeypatch.setattr(transforms.CompiledLoop, "_part", noted)
    for size in (2, 13):
        ranges.clear()
        model = model_with()
        model.compile("sgd", "mse", steps_per_execution=size)
        model.fit(X, Y, batch_size=2, epochs=1, verbose=0)
        assert sum(count for compiled, count in ranges if not compiled) == 5
        assert sum(count for _, count in ranges) == 13


def test_a_shape_that_comes_seldom_is_not_compiled(soon):
    model = model_with()
    for rows in (*range(1, 9), *[4] * 5):
        model.train_on_batch(X[:rows], Y[:rows])
    assert forms(model).count(True) == 1


def test_a_function_under_jit_is_compiled_where_it_is_used_often(soon):
    count = keras.Variable(0.0)

    @keras.jit
    def step(x):
        count.assign_add(1.0)
        return keras.ops.sum(x) + count

    assert [float(step(tf.ones(2))) for _ in range(8)] == [3.0 + one for one in range(8)]
    ((compiled,),) = [step._compiled.values()]
    assert compiled._program._compiles


# --- where XLA cannot ----------------------------------------------------------------------------------------------


def test_auto_leaves_what_xla_cannot_as_it_is(soon):
    model = model_with(Raw(doubled_by_python))
    model.fit(X, Y, batch_size=4, epochs=3, verbose=0)
    assert not any(forms(model))
    assert int(model.optimizer.iterations) == 21


def test_auto_falls_back_once_and_no_step_is_lost(soon, monkeypatch):
    # as if the table of operations were wrong
    monkeypatch.setattr(programs, "_SUITS", programs._SUITS | {"PyFunc"})
    attempts = []
    compiled = programs._Graph.compiled
    monkeypatch.setattr(programs._Graph, "compiled", lambda self, given: attempts.append(1) or compiled(self, given))
    found = {}
    for choice in ("auto", False):
        model = model_with(Raw(doubled_by_python), jit_compile=choice)
        model.fit(X[:24], Y[:24], batch_size=4, epochs=3, shuffle=False, verbose=0)
        found[choice] = [one.numpy() for one in [*model.weights, *model.optimizer.variables]]
    assert len(attempts) == 1
    for one, other in zip(found["auto"], found[False], strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_error_of_the_step_itself_comes_out(soon):
    def failing(x):
        with tf.control_dependencies([tf.debugging.assert_less(x, 1e9, message="too large")]):
            return x * 1.0

    model = keras.Sequential([keras.Input((3,)), Raw(failing), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=4, epochs=3, verbose=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="too large"):
        model.fit(X * 1e12, Y, batch_size=4, verbose=0)


@pytest.mark.parametrize("way", ["fit", "train_on_batch", "predict"])
def test_xla_by_wish_where_it_cannot(way):
    model = model_with(Raw(doubled_by_python, name="odd one"), jit_compile=True)
    before = [one.numpy() for one in [*model.weights, *model.optimizer.variables]]
    runs = {
        "fit": lambda: model.fit(X, Y, batch_size=4, verbose=0),
        "train_on_batch": lambda: model.train_on_batch(X, Y),
        "predict": lambda: model.predict(X, verbose=0),
    }
    with pytest.raises(NotImplementedError, match=r"PyFunc.*odd_one.*jit_compile=False"):
        runs[way]()
    for one, old in zip([*model.weights, *model.optimizer.variables], before, strict=False):
        np.testing.assert_array_equal(one.numpy(), old)
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(X, Y, batch_size=4, verbose=0)


def test_xla_by_wish_warns_at_many_shapes(monkeypatch):
    monkeypatch.setattr(programs, "_MANY_SHAPES", 3)
    twice = programs.Program(lambda x: x * 2.0, True)
    for rows in (1, 2):
        twice(tf.ones(rows))
    with pytest.warns(UserWarning, match="3th shape"):
        twice(tf.ones(3))
