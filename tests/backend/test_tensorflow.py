"""What TensorFlow's users do with our layers and variables in TensorFlow's own terms."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active

if active.name != "tensorflow":
    pytest.skip("needs the tensorflow backend", allow_module_level=True)

import tensorflow as tf

layers = keras.layers
X = np.random.RandomState(0).randn(8, 3).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.3).astype("float32")


def small(*more):
    return keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="tanh"), *more, layers.Dense(1)])


# --- raw functions -------------------------------------------------------------------------------------------------


def test_functions_of_tensorflow_take_variables():
    v = keras.Variable([1.0, 2.0])
    assert tf.add(v, tf.ones(2)).numpy().tolist() == [2.0, 3.0]
    assert tf.convert_to_tensor(v).numpy().tolist() == [1.0, 2.0]
    assert tf.nn.relu(v).numpy().tolist() == [1.0, 2.0]
    assert (tf.constant([1.0, 1.0]) + v).numpy().tolist() == [2.0, 3.0]
    assert (v * tf.constant([2.0, 2.0])).numpy().tolist() == [2.0, 4.0]
    assert tf.matmul(tf.ones((1, 2)), v[:, None]).numpy().tolist() == [[3.0]]
    assert tf.reduce_sum(tf.concat([v, v], 0)).numpy() == 6.0


def test_assignment_in_a_tf_function_happens_at_each_call():
    v = keras.Variable(1.0)

    @tf.function
    def step(x):
        v.assign_add(x)
        v.assign(v * 2.0)
        return v.value + 1.0

    assert float(step(tf.constant(1.0))) == 5.0
    assert float(step(tf.constant(1.0))) == 11.0
    assert float(v) == 10.0


def test_a_tf_function_around_a_model_follows_its_weights():
    model = small(layers.BatchNormalization())
    call = tf.function(lambda x: model(x, training=False))
    np.testing.assert_allclose(call(X), model(X, training=False), atol=1e-6)
    model.layers[-1].kernel.assign(np.zeros((4, 1)))
    np.testing.assert_allclose(call(X), np.zeros((8, 1)), atol=1e-6)


def test_gradient_tape_sees_weights():
    model = small()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(X) - Y) ** 2)
    theirs = tape.gradient(loss, model.trainable_variables)
    ours = keras.grad(lambda: keras.ops.mean((model(X) - Y) ** 2), model.trainable_variables)
    for a, b in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_layers_in_a_pipeline():
    rescale = layers.Rescaling(2.0)
    flip = layers.RandomFlip("horizontal", seed=1)
    vectorize = layers.TextVectorization(vocabulary=["red", "blue"], output_sequence_length=2)
    numbers = tf.data.Dataset.from_tensor_slices(X).batch(4).map(rescale)
    np.testing.assert_allclose(np.concatenate(list(numbers.as_numpy_iterator())), X * 2)
    images = np.arange(24, dtype="float32").reshape(2, 2, 2, 3)
    pictures = tf.data.Dataset.from_tensor_slices(images).batch(2).map(lambda x: flip(x, training=True))
    found = next(iter(pictures)).numpy()
    assert all(np.array_equal(a, b) or np.array_equal(a, b[:, ::-1]) for a, b in zip(found, images, strict=True))
    text = tf.data.Dataset.from_tensor_slices(["red blue", "blue green"]).batch(2).map(vectorize)
    assert next(iter(text)).numpy().tolist() == [[2, 3], [3, 1]]


# --- modules and variables of TensorFlow inside --------------------------------------------------------------------


class Scale(tf.Module):
    def __init__(self):
        super().__init__(name="scale")
        self.factor = tf.Variable([1.0, 1.0, 1.0], name="factor")
        self.fixed = tf.Variable(2.0, trainable=False, name="fixed")

    def __call__(self, x):
        return x * self.factor * self.fixed


class Mixed(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = Scale()
        self.shift = tf.Variable([0.5, 0.5, 0.5], name="shift")
        self.dense = layers.Dense(1)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, x):
        return self.dense(tf.nn.tanh(self.scale(x) + self.shift))


@pytest.mark.parametrize("eagerly", [False, True])
def test_variables_of_tensorflow_are_trained(eagerly):
    model = Mixed()
    model(X)
    assert [tuple(one.shape) for one in model.trainable_variables] == [(3,), (3,), (3, 1), (1,)]
    assert len(model.weights) == 5
    factor, shift = model.scale.factor.numpy(), model.shift.numpy()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(X) - Y) ** 2)
    theirs = tape.gradient(loss, [model.scale.factor, model.shift])
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=eagerly)
    model.fit(X, Y, batch_size=8, epochs=1, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.scale.factor.numpy(), factor - 0.1 * theirs[0], atol=1e-6)
    np.testing.assert_allclose(model.shift.numpy(), shift - 0.1 * theirs[1], atol=1e-6)
    assert model.scale.fixed.numpy() == 2.0


def test_variables_of_tensorflow_are_saved(tmp_path):
    model = Mixed()
    model(X)
    model.shift.assign([1.0, 2.0, 3.0])
    model.scale.factor.assign([4.0, 5.0, 6.0])
    model.save_weights(tmp_path / "m.weights.h5")
    other = Mixed()
    other(X)
    other.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(other(X), model(X), atol=1e-6)
    assert other.shift.numpy().tolist() == [1.0, 2.0, 3.0]
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", custom_objects={"Mixed": Mixed})
    np.testing.assert_allclose(again(X), model(X), atol=1e-6)


def test_our_layers_in_a_tf_module():
    class Net(tf.Module):
        def __init__(self):
            super().__init__()
            self.inner = [layers.Dense(2), layers.Dense(1)]

        def __call__(self, x):
            for one in self.inner:
                x = one(x)
            return x

    net = Net()
    net(X)
    assert sorted(tuple(one.shape) for one in net.trainable_variables) == [(1,), (2,), (2, 1), (3, 2)]


# --- files of TensorFlow -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    model = small(layers.BatchNormalization(), layers.Dropout(0.5))
    model.layers[1].moving_mean.assign([0.1, 0.2, 0.3, 0.4])
    folder = str(tmp_path_factory.mktemp("saved"))
    tf.saved_model.save(model, folder)
    return model, folder, model.predict(X, verbose=0)


def test_saved_model_gives_the_same(saved):
    _, folder, expected = saved
    loaded = tf.saved_model.load(folder)
    np.testing.assert_allclose(loaded(X), expected, atol=1e-6)
    (found,) = loaded.signatures["serving_default"](tf.constant(X)).values()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_saved_model_with_a_function_of_ones_own(tmp_path):
    first, second = keras.Input((3,)), keras.Input((2,))
    model = keras.Model([first, second], layers.Add()([layers.Dense(2)(first), second]))
    specs = [tf.TensorSpec((None, 3), name="a"), tf.TensorSpec((None, 2), name="b")]
    serve = tf.function(lambda a, b: {"sum": model([a, b])}, input_signature=specs)
    tf.saved_model.save(model, str(tmp_path), signatures={"serve": serve})
    other = np.ones((8, 2), "float32")
    found = tf.saved_model.load(str(tmp_path)).signatures["serve"](a=tf.constant(X), b=tf.constant(other))
    np.testing.assert_allclose(found["sum"], model([X, other]), atol=1e-6)
    layer = layers.TFSMLayer(str(tmp_path), call_endpoint="serve")
    with pytest.raises(ValueError, match="dict"):
        layer([X, other])
    np.testing.assert_allclose(layer({"a": X, "b": other})["sum"], model([X, other]), atol=1e-6)


@pytest.mark.parametrize("endpoint", ["__call__", "serving_default"])
def test_tfsm_layer(saved, endpoint):
    _, folder, expected = saved
    layer = layers.TFSMLayer(folder, call_endpoint=endpoint)
    found = layer(X)
    found = found if endpoint == "__call__" else next(iter(found.values()))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert sorted(tuple(one.shape) for one in layer.trainable_weights) == [(1,), (3, 4), (4,), (4,), (4,), (4, 1)]
    assert len(layer.non_trainable_weights) == 2
    layer.trainable = False
    assert not layer.trainable_weights


def test_tfsm_layer_in_a_model_is_trained_and_saved(saved, tmp_path):
    _, folder, _ = saved
    model = keras.Sequential([keras.Input((3,)), layers.TFSMLayer(folder, "__call__"), layers.Dense(1)])
    assert model.output_shape == (None, 1)
    before = [one.numpy() for one in model.trainable_weights]
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert all(np.abs(a - b.numpy()).max() > 0 for a, b in zip(before[-2:], model.trainable_weights[-2:], strict=True))
    assert np.abs(before[0] - model.trainable_weights[0].numpy()).max() > 0
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="safe_mode"):
        keras.models.load_model(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", safe_mode=False)
    np.testing.assert_allclose(again(X), model(X), atol=1e-6)


def test_tfsm_layer_with_another_function_for_training(tmp_path):
    class Two(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(3.0)

        @tf.function(input_signature=[tf.TensorSpec((None, 3))])
        def serve(self, x):
            return x * self.w

        @tf.function(input_signature=[tf.TensorSpec((None, 3))])
        def learn(self, x):
            return x * self.w + 1.0

    tf.saved_model.save(Two(), str(tmp_path))
    layer = layers.TFSMLayer(str(tmp_path), call_training_endpoint="learn")
    np.testing.assert_allclose(layer(X), X * 3, atol=1e-6)
    np.testing.assert_allclose(layer(X, training=True), X * 3 + 1, atol=1e-6)
    assert len(layer.trainable_weights) == 1
    config = layer.get_config()
    assert (config["filepath"], config["call_training_endpoint"]) == (str(tmp_path), "learn")
    with pytest.raises(ValueError, match="serve"):
        layers.TFSMLayer(str(tmp_path), call_endpoint="serv")
    with pytest.raises(ValueError, match="SavedModel"):
        layers.TFSMLayer(str(tmp_path / "none"))


def test_checkpoints(tmp_path):
    def make():
        model = small()
        model.compile(keras.optimizers.Adam(0.1), "mse")
        return model

    model = make()
    model.fit(X, Y, verbose=0)
    kept = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
    path = kept.save(str(tmp_path / "kept"))
    expected = model.predict(X, verbose=0)
    other = make()
    other.optimizer.build(other.trainable_variables)
    tf.train.Checkpoint(model=other, optimizer=other.optimizer).restore(path).assert_consumed()
    np.testing.assert_allclose(other.predict(X, verbose=0), expected, atol=1e-6)
    assert int(other.optimizer.iterations) == 1
    np.testing.assert_allclose(other.optimizer.variables[2].numpy(), model.optimizer.variables[2].numpy())


# --- XLA and graphs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", [True, False, "auto"])
def test_training_is_the_same_with_and_without_xla(choice):
    keras.utils.set_random_seed(0)
    model = small(layers.Dropout(0.3))
    model.compile(keras.optimizers.Adam(0.1), "mse", metrics=["mae"], jit_compile=choice)
    history = model.fit(X, Y, batch_size=4, epochs=2, verbose=0).history
    keras.utils.set_random_seed(0)
    plain = small(layers.Dropout(0.3))
    plain.compile(keras.optimizers.Adam(0.1), "mse", metrics=["mae"], run_eagerly=True)
    expected = plain.fit(X, Y, batch_size=4, epochs=2, verbose=0).history
    for name in expected:
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-4)


# --- older spellings -----------------------------------------------------------------------------------------------


class Older(keras.Model):
    """As programs for tf.keras were written."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1, kernel_regularizer="l2")

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        trainable_vars = self.trainable_variables
        gradients = tape.gradient(loss, trainable_vars)
        self.optimizer.apply_gradients(zip(gradients, trainable_vars))
        self.compiled_metrics.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


@pytest.mark.parametrize("eagerly", [False, True])
def test_older_train_step(eagerly):
    keras.utils.set_random_seed(2)
    model = Older()
    model.compile(optimizer="adam", loss="mse", metrics=["mae"], run_eagerly=eagerly)
    history = model.fit(X, Y, epochs=2, verbose=0).history
    keras.utils.set_random_seed(2)
    plain = keras.Sequential([layers.Dense(1, kernel_regularizer="l2")])
    plain.compile(optimizer="adam", loss="mse", metrics=["mae"])
    expected = plain.fit(X, Y, epochs=2, verbose=0).history
    assert {"loss", "mae"} <= set(history)
    np.testing.assert_allclose(history["mae"], expected["mae"], rtol=1e-5)


def test_older_methods():
    metric = keras.metrics.Mean()
    metric.update_state([2.0])
    metric.reset_states()
    assert float(metric.result()) == 0.0
    v = keras.Variable(3.0)
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.minimize(lambda: v * v, [v])
    np.testing.assert_allclose(float(v), 2.4, rtol=1e-6)
    with tf.GradientTape() as tape:
        loss = v * v
    optimizer.minimize(loss, [v], tape=tape)
    np.testing.assert_allclose(float(v), 1.92, rtol=1e-6)
