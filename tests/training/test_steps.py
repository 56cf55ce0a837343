"""Steps that users override, single steps, added losses, masks, and what a compiled step may and may not change."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from tests.needs import needs_gradients
from tests.training import cases

X, Y = cases.data("plain")


def graph(cls=keras.Model, **arguments):
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(4, "tanh", kernel_initializer="ones")(inputs)
    model = cls(inputs, keras.layers.Dense(1, kernel_initializer="ones")(hidden))
    model.compile(**{"optimizer": keras.optimizers.SGD(0.1), "loss": "mse", "metrics": ["mae"], **arguments})
    return model


class Plain(keras.Model):
    """The guide's own train_step, in this library's form."""

    def train_step(self, data):
        x, y = data

        def loss_fn():
            y_pred = self(x, training=True)
            return self.compute_loss(x, y, y_pred), y_pred

        (loss, y_pred), gradients = keras.value_and_grad(loss_fn, self.trainable_variables, has_aux=True)
        self.optimizer.apply(gradients, self.trainable_variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


@needs_gradients
def test_train_step_as_in_the_guide():
    """Same numbers as the train_step it replaces; the metrics of compile come as results within a result."""
    x, y = X[:18], Y[:18]  # whole batches: the mean of the losses is not weighted by their sizes here
    found = graph(Plain).fit(x, y, batch_size=6, epochs=3, shuffle=False, verbose=0).history
    wanted = graph().fit(x, y, batch_size=6, epochs=3, shuffle=False, verbose=0).history
    assert sorted(found) == sorted(wanted) == ["loss", "mae"]
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-5)


class OwnMetrics(keras.Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.far = keras.metrics.Mean(name="far")

    @property
    def metrics(self):
        return [self.far]

    def test_step(self, data):
        x, y = data
        self.far.update_state(keras.ops.abs(y - self(x, training=False)))
        return {"far": self.far.result()}

    def predict_step(self, data):
        return 2.0 * self(data, training=False)


def test_own_metrics_and_steps_of_evaluation():
    model = graph(OwnMetrics)
    far = float(np.abs(Y - model.predict_on_batch(X) / 2).mean())
    assert model.evaluate(X, Y, batch_size=6, verbose=0) == pytest.approx(far, rel=1e-4)
    # the metrics in the property are those that start anew
    assert model.evaluate(X, Y, batch_size=6, verbose=0, return_dict=True) == {"far": pytest.approx(far, rel=1e-4)}
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * keras.ops.convert_to_numpy(model(X)), rtol=1e-5)


@needs_gradients
def test_own_metrics_in_fit():
    class Own(OwnMetrics):
        def train_step(self, data):
            x, y = data
            loss, gradients = keras.value_and_grad(
                lambda: keras.ops.mean(keras.ops.square(y - self(x, training=True))), self.trainable_variables
            )
            self.optimizer.apply(gradients, self.trainable_variables)
            self.far.update_state(loss)
            return {"far": self.far.result()}

    model = graph(Own, loss=None, metrics=None)
    history = model.fit(X, Y, epochs=6, verbose=0, validation_data=(X, Y)).history
    assert sorted(history) == ["far", "val_far"] and history["far"][-1] < history["far"][0]


@needs_gradients
def test_data_reach_a_step_as_they_came():
    seen = []

    class Sees(keras.Model):
        def train_step(self, data):
            seen.append(keras.tree.map_structure(lambda one: tuple(one.shape), data))
            return {"loss": keras.ops.sum(keras.tree.flatten(data)[0])}

    for arguments, wanted in (
        ({"x": X}, (6, 5)),
        ({"x": X, "y": Y}, ((6, 5), (6, 1))),
        ({"x": X, "y": Y, "sample_weight": np.ones(22)}, ((6, 5), (6, 1), (6,))),
        ({"x": {"a": X}, "y": Y}, ({"a": (6, 5)}, (6, 1))),
        ({"x": [X, X]}, ([(6, 5), (6, 5)],)),
    ):
        model = graph(Sees)
        seen.clear()
        model.fit(**arguments, batch_size=6, verbose=0)
        assert seen[0] == wanted


@needs_gradients
@pytest.mark.skipif(not backend.compile_default, reason="steps run eagerly here")
def test_python_in_a_step_runs_when_it_is_compiled_only():
    class Counts(keras.Model):
        count = 0

        def train_step(self, data):
            self.count += 1
            return super().train_step(data)

    model = graph(Counts)
    model.fit(X[:18], Y[:18], batch_size=6, epochs=4, verbose=0)
    assert model.count <= 3  # found its variables, and compiled
    model.fit(X[:18], Y[:18], batch_size=6, epochs=4, verbose=0)
    assert model.count <= 3
    model.run_eagerly = True
    model.count = 0
    model.fit(X[:18], Y[:18], batch_size=6, epochs=4, verbose=0)
    assert model.count == 12


# --- losses of layers -------------------------------------------------------------------------------------------------


class Adds(keras.layers.Layer):
    def call(self, inputs):
        self.add_loss(0.5 * keras.ops.mean(keras.ops.square(inputs)))
        return inputs


def test_added_losses_count_once():
    inputs = keras.Input((5,))
    model = keras.Model(inputs, Adds()(keras.layers.Dense(1, kernel_initializer="ones")(inputs)))
    model.compile("sgd", "mse", metrics=["mse"])
    loss, mse = model.evaluate(X, Y, batch_size=22, verbose=0)
    added = 0.5 * float(np.mean(np.square(X.sum(axis=1))))
    assert loss == pytest.approx(mse + added, rel=1e-5)
    model(X)
    assert [float(one) for one in model.losses] == [pytest.approx(added, rel=1e-5)]
    assert model.evaluate(X, Y, batch_size=22, verbose=0)[0] == pytest.approx(loss, rel=1e-6)


@needs_gradients
def test_a_loss_that_is_only_added():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, kernel_initializer="ones"), Adds()])
    model.compile(keras.optimizers.SGD(0.1))
    losses = model.fit(X, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and model.evaluate(X, verbose=0) < losses[-1] + 1e-3


def test_no_loss_at_all():
    model = graph(loss=None)
    with pytest.raises(ValueError, match="Give `loss=` to compile"):
        model.evaluate(X, Y, verbose=0)


def test_regularisation_counts_once():
    model = keras.Sequential([
        keras.Input((5,)),
        keras.layers.Dense(1, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.1)),
    ])  # fmt: skip
    model.compile("sgd", "mse", metrics=["mse"])
    for _ in range(2):
        loss, mse = model.evaluate(X, Y, verbose=0)
        assert loss == pytest.approx(mse + 0.5, rel=1e-5)
    assert len(model.losses) == 1


# --- single steps -----------------------------------------------------------------------------------------------------


@needs_gradients
def test_on_batch_and_fit_are_one_training():
    single, whole = graph(), graph()
    whole.fit(X, Y, batch_size=6, shuffle=False, verbose=0)
    for start in range(0, 22, 6):
        single.train_on_batch(X[start : start + 6], Y[start : start + 6])
    for mine, theirs in zip(single.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


@needs_gradients
@pytest.mark.parametrize(
    "arguments", [{"class_weight": {0: 3.0}}, {"class_weight": {0: 3.0, 1: 3.0}}, {"sample_weight": np.full(22, 3.0)}]
)
def test_weights_on_batch(arguments):
    def loss(**arguments):
        model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1, "sigmoid", kernel_initializer="ones")])
        model.compile("sgd", "binary_crossentropy")
        return model.train_on_batch(X, labels, **arguments)

    labels = (Y[:, 0] > 0).astype("int64")
    if arguments.get("class_weight") == {0: 3.0}:
        assert loss() < loss(**arguments) < 3 * loss()
    else:
        assert loss(**arguments) == pytest.approx(3 * loss(), rel=1e-5)


def test_test_on_batch_forms():
    model = graph()
    assert isinstance(model.test_on_batch(X, Y), list) and len(model.test_on_batch(X, Y)) == 2
    named = model.test_on_batch(X, Y, return_dict=True)
    assert list(named) == ["loss", "mae"] and list(named.values()) == model.test_on_batch(X, Y)
    assert isinstance(graph(metrics=None).test_on_batch(X, Y), float)


# --- what a step may change -------------------------------------------------------------------------------------------


@needs_gradients
def test_variables_of_layers_and_seeds_go_on_in_fit():
    class Counts(keras.layers.Layer):
        def build(self, input_shape):
            self.calls = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False)
            self.seed = keras.random.SeedGenerator(3)

        def call(self, inputs, training=False):
            if training:
                self.calls.assign_add(1)
                return inputs + 0.0 * keras.random.normal(keras.ops.shape(inputs), seed=self.seed)
            return inputs

    layer = Counts()
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1), layer])
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=6, epochs=2, verbose=0, validation_data=(X, Y))
    seed = layer.seed.state.numpy().tolist()
    assert int(layer.calls) == 8
    model.fit(X, Y, batch_size=6, verbose=0)
    assert int(layer.calls) == 12 and layer.seed.state.numpy().tolist() != seed


@needs_gradients
@pytest.mark.skipif(not backend.compile_default, reason="steps run eagerly here, and may make variables")
def test_a_variable_made_in_a_step_is_refused():
    """A step that makes variables each time cannot be compiled; the error says so and nothing is lost."""

    class Makes(keras.Model):
        def train_step(self, data):
            extra = keras.Variable(0.0)
            extra.assign_add(1.0)
            return super().train_step(data) | {"extra": extra.value}

    model = graph(Makes)
    before = model.get_weights()
    with pytest.raises(ValueError, match="Create all variables before the function is compiled"):
        model.fit(X, Y, verbose=0)
    for mine, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@needs_gradients
def test_without_trainable_variables_it_warns():
    model = graph()
    model.trainable = False
    with pytest.warns(UserWarning, match="no trainable variables"):
        model.fit(X, Y, verbose=0)


@needs_gradients
def test_a_step_that_needs_no_optimizer():
    class Averages(keras.Model):
        def __init__(self):
            super().__init__()
            self.mean = self.add_weight(shape=(5,), initializer="zeros", trainable=False)

        def train_step(self, data):
            self.mean.assign(0.5 * self.mean + 0.5 * keras.ops.mean(data, axis=0))
            return {"norm": keras.ops.norm(self.mean)}

    model = Averages()
    model.compile(optimizer=None)
    history = model.fit(np.ones((24, 5), "float32"), batch_size=6, epochs=4, verbose=0).history
    assert list(history) == ["norm"]
    np.testing.assert_allclose(model.mean.numpy(), 1 - 0.5**16, rtol=1e-5)


@pytest.mark.skipif(backend.name != "jax", reason="the form with a state is that of JAX")
def test_predict_step_with_a_state():
    class Own(keras.Model):
        def predict_step(self, state, data):
            trainable, non_trainable = state
            outputs, non_trainable = self.stateless_call(trainable, non_trainable, data, training=False)
            return outputs * 2, non_trainable

    model = graph(Own)
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * np.asarray(model(X)), rtol=1e-5)


@pytest.mark.skipif(backend.name != "jax", reason="the form with a state is that of JAX")
@pytest.mark.parametrize("way", [{}, {"steps_per_execution": 3}, {"run_eagerly": True}], ids=str)
def test_state_form_runs_every_way(way):
    import jax

    class Own(keras.Model):
        def train_step(self, state, data):
            trainable, non_trainable, optimizer, metrics = state
            x, y = data

            def loss_fn(trainable, non_trainable):
                y_pred, non_trainable = self.stateless_call(trainable, non_trainable, x, training=True)
                loss = jax.numpy.mean((y - y_pred) ** 2)
                return loss, non_trainable

            (loss, non_trainable), grads = jax.value_and_grad(loss_fn, has_aux=True)(trainable, non_trainable)
            trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
            return {"loss": loss}, (trainable, non_trainable, optimizer, metrics)

    model = graph(Own, metrics=None, **way)
    model.fit(X[:18], Y[:18], batch_size=6, shuffle=False, verbose=0)
    wanted = graph(metrics=None)
    wanted.fit(X[:18], Y[:18], batch_size=6, shuffle=False, verbose=0)
    for mine, theirs in zip(model.get_weights(), wanted.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


class Seen(keras.Model):
    """Counts how often its own metrics code saw no results."""

    empty = 0

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        results = super().compute_metrics(x, y, y_pred, sample_weight)
        Seen.empty += "mae" not in results
        return results


@needs_gradients
def test_results_are_there_where_somebody_looks():
    x, y = np.arange(64.0, dtype="float32").reshape(32, 2) / 64, np.ones((32, 1), "float32")
    seen = []
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(dict(logs)))
    histories = []
    for make, callbacks in ((Seen, []), (lambda: keras.Sequential([keras.layers.Dense(1)]), [watch]),
                            (lambda: keras.Sequential([keras.layers.Dense(1)]), [])):  # fmt: skip
        keras.utils.set_random_seed(3)
        model = make()
        model.compile("sgd", "mse", metrics=["mae"])
        histories.append(model.fit(x, y, batch_size=2, epochs=2, verbose=0, callbacks=callbacks).history)
    assert Seen.empty == 0
    assert len(seen) == 32 and all({"loss", "mae"} <= set(one) for one in seen)
    for name in ("loss", "mae"):
        np.testing.assert_allclose(histories[1][name], histories[2][name], rtol=1e-6)
