"""A trained model comes back with its optimizer as it was, here and in keras."""


import numpy as np
import pytest

from hornbeam import layers, models, ops, saving
from tests import keras_oracle
from tests.needs import needs_gradients

pytestmark = needs_gradients

OPTIMIZERS = ["adam", "rmsprop"]


def data():
    generator = np.random.default_rng(0)
    return generator.normal(size=(64, 4)).astype("float32"), generator.integers(0, 3, 64)


def trained(optimizer):
    model = models.Sequential([
        layers.Input((4,)), layers.Dense(5, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.1),
        layers.Dense(3, activation="softmax"),
    ])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*data(), epochs=2, batch_size=16, verbose=0)
    return model


KERAS_PROGRAM = """
result = {}
folder, names = given
for name in names:
    model = keras.saving.load_model(f"{folder}/{name}.keras")
    x = np.load(f"{folder}/x.npy")
    result[name] = {
        "state": [float(np.asarray(one, "float64").sum()) for one in model.optimizer.variables],
        "out": np.asarray(model(x, training=False)).tolist(),
        "iterations": int(model.optimizer.iterations), "loss": model.loss,
    }
    model.fit(x, np.zeros(len(x)), verbose=0)
print(json.dumps(result))
"""


def test_keras_goes_on_with_a_model_trained_here(tmp_path):
    x, _ = data()
    np.save(tmp_path / "x.npy", x)
    kept = {name: trained(name) for name in OPTIMIZERS}
    for name, model in kept.items():
        model.save(tmp_path / f"{name}.keras")
    result = keras_oracle.tell(KERAS_PROGRAM, [str(tmp_path), OPTIMIZERS], backend="jax", keep=False)
    for name, model in kept.items():
        theirs = result[name]
        assert theirs["iterations"] == 8
        assert np.allclose(theirs["out"], ops.convert_to_numpy(model(x, training=False)), atol=2e-5)
        state = [float(np.asarray(one.numpy(), "float64").sum()) for one in model.optimizer.variables]
        assert np.allclose(theirs["state"], state, rtol=1e-5, atol=1e-6), name


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_training_goes_on_where_it_was(optimizer, ending, tmp_path):
    model = trained(optimizer)
    model.save(tmp_path / f"m{ending}")
    again = saving.load_model(tmp_path / f"m{ending}")
    assert int(again.optimizer.iterations.numpy()) == 8
    for first, second in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        assert np.array_equal(first.numpy(), second.numpy()), first.path
    results = [one.evaluate(*data(), verbose=0, return_dict=True) for one in (model, again)]
    assert results[0] == pytest.approx(results[1], rel=1e-5)
    assert set(results[0]) == {"loss", "accuracy"}
    plain = saving.load_model(tmp_path / f"m{ending}", compile=False)
    assert not plain.compiled


def test_weights_of_a_trained_model_bring_the_optimizer_along(tmp_path):
    model = trained("adam")
    model.save_weights(tmp_path / "m.weights.h5")
    fresh = models.clone_model(model)
    fresh.compile("adam", "sparse_categorical_crossentropy")
    fresh.load_weights(tmp_path / "m.weights.h5")
    assert int(fresh.optimizer.iterations.numpy()) == 8
    for first, second in zip(model.optimizer.variables, fresh.optimizer.variables, strict=True):
        assert np.array_equal(first.numpy(), second.numpy())
