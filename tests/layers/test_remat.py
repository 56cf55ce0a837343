"""`RematScope`: which layers compute again, and that gradients, states, seeds and losses stay what they are."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import layers, ops
from hornbeam.backend import active as backend
from tests.needs import needs_gradients

pytestmark = needs_gradients
X = np.random.default_rng(0).normal(size=(4, 8)).astype("float32")


@pytest.fixture
def spied(monkeypatch):
    """How often something is computed again."""
    calls, plain = [], type(backend).remat
    monkeypatch.setattr(type(backend), "remat", lambda self, function: calls.append(1) or plain(self, function))
    return calls


def dense(name="a", activation="relu"):
    return layers.Dense(5, activation=activation, name=name)


# the settings of a scope, a layer, and how often its call computes something again
TABLE = [
    ({}, dense, 1),
    ({"mode": "full"}, lambda: layers.Activation("relu", name="a"), 1),
    ({"mode": None}, dense, 0),
    ({"mode": "larger_than", "output_size_threshold": 19}, dense, 1),
    ({"mode": "larger_than", "output_size_threshold": 20}, dense, 0),
    ({"mode": "activations"}, dense, 1),
    ({"mode": "activations"}, lambda: layers.Flatten(name="a"), 0),
    ({"mode": "list_of_layers", "layer_names": ["a"]}, dense, 1),
    ({"mode": "list_of_layers", "layer_names": ["b"]}, dense, 0),
]


@pytest.mark.parametrize(("settings", "make", "count"), TABLE)
def test_modes(spied, settings, make, count):
    with keras.RematScope(**settings):
        layer = make()
    layer.build(X.shape)
    found = layer(X)  # outside of the scope: what counts is where it was made
    assert len(spied) == count
    with keras.RematScope(None):
        plain = make()
    plain.build(X.shape)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(ops.convert_to_numpy(found), ops.convert_to_numpy(plain(X)), rtol=1e-6)
    assert layer.get_config() == plain.get_config()


class Block(layers.Layer):
    """Everything that a call may do beside giving outputs: statistics, random numbers, losses, layers inside."""

    def __init__(self):
        super().__init__()
        self.first, self.normal = layers.Dense(6, activation="tanh"), layers.BatchNormalization()
        self.dropout, self.last = layers.Dropout(0.5, seed=3), layers.Dense(2)

    def call(self, x, training=False):
        hidden = self.dropout(self.normal(self.first(x), training=training), training=training)
        self.add_loss(0.1 * ops.sum(ops.square(hidden)))
        return self.last(hidden)


def test_gradients_states_and_losses_are_the_same(spied):
    keras.utils.set_random_seed(1)
    with keras.RematScope():
        again = Block()
    plain = Block()
    for one in (again, plain):
        one(X)
    plain.set_weights(again.get_weights())
    results = []
    for one in (again, plain):
        spied.clear()

        def loss(one=one):
            outputs = one(X, training=True)
            return ops.sum(ops.square(outputs)) + sum(one.losses)

        value, gradients = keras.value_and_grad(loss, one.trainable_variables)
        results.append([ops.convert_to_numpy(part) for part in (value, *gradients)])
        results[-1] += [part.numpy() for part in one.non_trainable_variables]
        results[-1].append(ops.convert_to_numpy(one.losses[0]))
        assert len(spied) == (one is again)  # layers inside do not compute again on top of it
    for ours, expected in zip(*results, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


def test_fit():
    losses = []
    for mode in ("full", "activations", None):
        keras.utils.set_random_seed(2)
        with keras.RematScope(mode=mode):
            model = keras.Sequential([keras.Input((8,)), dense(), layers.Dense(1)])
        model.compile("sgd", "mse")
        losses.append(model.fit(X, X[:, :1], epochs=2, verbose=0).history["loss"])
    np.testing.assert_allclose(losses[0], losses[2], rtol=1e-5)
    np.testing.assert_allclose(losses[1], losses[2], rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "error"),
    [({"mode": "ful"}, ValueError), ({"output_size_threshold": -1}, ValueError),
     ({"output_size_threshold": "a"}, TypeError), ({"mode": "list_of_layers", "layer_names": "a"}, TypeError)],
)  # fmt: skip
def test_bad_input(settings, error):
    with pytest.raises(error, match="RematScope"):
        keras.RematScope(**settings)
