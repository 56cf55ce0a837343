"""Layers around functions of JAX and modules of flax: values, training, state, files, bad input."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import layers, ops, saving
from hornbeam.backend import active as backend

if "jax_functions" not in backend.features:
    pytest.skip("functions of JAX run on the JAX backend alone; that others refuse is in test_errors.py",
                allow_module_level=True)  # fmt: skip

jax = pytest.importorskip("jax", reason="the backend needs it")
nn = pytest.importorskip("flax.linen", reason="flax is optional")
X = np.random.default_rng(0).normal(size=(32, 5)).astype("float32")
Y = X[:, :3] * 2 - 1


@saving.register_keras_serializable("foreign")
def linear(params, inputs):
    return inputs @ params["kernel"] + params["bias"]


@saving.register_keras_serializable("foreign")
def first_linear(rng, inputs):
    return {"kernel": jax.random.normal(rng, (inputs.shape[-1], 3)), "bias": np.zeros(3, "float32")}


@saving.register_keras_serializable("foreign")
def counting(params, state, rng, inputs, training):
    assert (rng is not None) == training
    noise = jax.random.normal(rng, inputs.shape) if training else 0.0
    return (inputs + noise) @ params["kernel"], {"calls": state["calls"] + 1 if training else state["calls"]}


@saving.register_keras_serializable("foreign")
def first_counting(rng, inputs, training):
    assert training
    return {"kernel": np.ones((inputs.shape[-1], 3), "float32")}, {"calls": np.zeros((), "int32")}


@saving.register_keras_serializable("foreign")
class Network(nn.Module):
    width: int = 8

    @nn.compact
    def __call__(self, x, training=False):
        x = nn.Dense(self.width)(x)
        x = nn.BatchNorm(use_running_average=not training, momentum=0.5)(x)
        x = nn.Dropout(0.3, deterministic=not training)(nn.relu(x))
        return nn.Dense(3)(x)

    def twice(self, x):
        return 2 * x

    def get_config(self):
        return {"width": self.width}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def model_of(layer):
    model = keras.Sequential([keras.Input((5,)), layer])
    model.compile(keras.optimizers.Adam(0.05), "mse")
    return model


MAKERS = {
    "stateless": lambda: layers.JaxLayer(linear, first_linear, seed=1),
    "stateful": lambda: layers.JaxLayer(counting, first_counting, seed=1),
    "flax": lambda: layers.FlaxLayer(Network(), seed=1),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_training_and_files(kind, tmp_path):
    model = model_of(MAKERS[kind]())
    before, state = [one.numpy() for one in model.trainable_weights], [one.numpy() for one in model.weights]
    history = model.fit(X, Y, batch_size=8, epochs=15, verbose=0).history["loss"]
    assert history[-1] < 0.7 * history[0]
    assert all(np.abs(one.numpy() - old).max() > 0 for one, old in zip(model.trainable_weights, before, strict=True))
    assert all(np.abs(one.numpy() - old).max() > 0 for one, old in zip(model.weights, state, strict=True))
    if kind == "stateful":
        assert int(model.layers[0].state["calls"]) == 15 * 4
    expected = model.predict(X, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(X, verbose=0), expected, rtol=1e-6)
    assert [one.trainable for one in loaded.weights] == [one.trainable for one in model.weights]
    loaded.layers[0].seed_generator.state.assign(model.layers[0].seed_generator.state)  # which Keras's files leave out
    for one in (model, loaded):
        one.fit(X, Y, batch_size=32, shuffle=False, verbose=0)  # the same keys come next
    np.testing.assert_allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_seed_gives_the_same_first_values(kind):
    first, second = model_of(MAKERS[kind]()), model_of(MAKERS[kind]())
    for one, other in zip(first.weights, second.weights, strict=True):
        assert np.array_equal(one.numpy(), other.numpy())


def test_values_are_those_of_the_module():
    module = Network()
    variables = module.init(jax.random.key(0), X)
    layer = layers.FlaxLayer(module, variables=variables)
    assert layer.built
    np.testing.assert_allclose(layer(X), module.apply(variables, X), rtol=1e-5, atol=1e-6)
    assert len(layer.trainable_weights) == 6 and len(layer.non_trainable_weights) == 2
    doubled = layers.FlaxLayer(module, method="twice")(X)
    np.testing.assert_allclose(doubled, 2 * X)
    shifted = layers.FlaxLayer(module, method=lambda module, inputs: module.twice(inputs) + 1)(X)
    np.testing.assert_allclose(shifted, 2 * X + 1)


def test_structures_dtypes_and_given_parameters():
    def looked_up(params, inputs):
        rows, scale = inputs
        return params["table"][rows] * scale[:, None] * params["factor"]

    table = np.arange(8.0, dtype="float32").reshape(4, 2)
    layer = layers.JaxLayer(looked_up, params={"table": table, "factor": 3})
    assert [one.trainable for one in layer.weights] == [True, False]  # the factor is an integer
    found = layer([np.array([1, 3]), np.array([1.0, 2.0], "float32")])
    np.testing.assert_allclose(found, [[6.0, 9.0], [36.0, 42.0]])
    embedding = layers.FlaxLayer(nn.Embed(10, 4))
    inputs = keras.Input((7,), dtype="int32")
    assert embedding(inputs).shape == (None, 7, 4)
    mixed = layers.JaxLayer(linear, first_linear, dtype="mixed_bfloat16")
    assert backend.dtype(mixed(X)) == "bfloat16" and mixed.weights[0].dtype == "float32"
    assert layers.JaxLayer(lambda inputs: ops.sum(inputs))(X).shape == ()


WRONG = [
    (lambda: layers.JaxLayer(linear), ValueError, "init_fn, params or state"),
    (lambda: layers.JaxLayer(3, first_linear), TypeError, "a function"),
    (lambda: layers.JaxLayer(lambda params, x: x, first_linear), ValueError, "arguments out of params"),
    (lambda: layers.JaxLayer(lambda params: params, first_linear), ValueError, "takes `inputs`"),
    (lambda: layers.JaxLayer(linear, first_linear, state={}), ValueError, "takes state"),
    (lambda: layers.JaxLayer(linear, first_linear, native_serialization_platforms=["gpu"]), ValueError, "cuda"),
    (lambda: layers.JaxLayer(counting, first_linear)(X), ValueError, r"\(params, state\) from init_fn"),
    (lambda: layers.FlaxLayer(3), TypeError, "flax.linen.Module"),
    (lambda: layers.FlaxLayer(Network), TypeError, "flax.linen.Module"),
    (lambda: layers.FlaxLayer(Network(), method="thrice"), ValueError, "thrice"),
    (lambda: layers.FlaxLayer(Network(), variables=[1]), TypeError, "collections by name"),
    (lambda: layers.FlaxLayer(nn.Dense(2)).get_config(), TypeError, "get_config"),
]


@pytest.mark.parametrize(("call", "error", "text"), WRONG)
def test_bad_input(call, error, text):
    with pytest.raises(error, match=text):
        call()
