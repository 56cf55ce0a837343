"""A model inside a model: which metrics are the outer one's, as in Keras, and that the inner one's leave them alone."""

import numpy as np
import pytest

import hornbeam as keras
from tests import keras_oracle
from tests.needs import needs_gradients

# Fills `found` with the names of each outer model's metrics.
PROGRAM = """
L, found = keras.layers, {}
class Layer(L.Layer):
    def __init__(self, inside, name):
        super().__init__()
        self.inside, self.track = inside, keras.metrics.Mean(name=name)
    def call(self, x):
        return self.inside(x)
class Model(keras.Model):
    def __init__(self, inside, name):
        super().__init__()
        self.inside, self.track = inside, keras.metrics.Mean(name=name)
    def call(self, x):
        return self.inside(x)
class Chooses(Model):
    @property
    def metrics(self):
        return [self.track]
def names(model):
    return list(dict.fromkeys(one.name for one in model.metrics))
def compiled(model):
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
    return model
def in_graph(*inside):
    return keras.Sequential([L.Input((4,)), *inside])

found["compiled in compiled"] = names(compiled(in_graph(compiled(in_graph(L.Dense(2))))))
found["in not compiled"] = names(in_graph(compiled(in_graph(L.Dense(2)))))
found["before the outer one"] = names(compiled(Model(compiled(Model(L.Dense(2), "inner")), "outer")))
found["layers in models"] = names(compiled(Model(Layer(Layer(L.Dense(2), "deep"), "layer"), "outer")))
found["model in a layer"] = names(compiled(Model(Layer(Model(L.Dense(2), "inner"), "layer"), "outer")))
found["layer in an inner model"] = names(compiled(in_graph(Layer(L.Dense(4), "a"), Model(Layer(L.Dense(2), "b"), "c"))))
found["chosen"] = names(Chooses(L.Dense(2), "chosen"))
found["chosen inside"] = names(Model(Chooses(L.Dense(2), "chosen"), "outer"))
outputs = keras.Model(x := keras.Input((4,)), {"p": compiled(in_graph(L.Dense(2)))(x), "q": L.Dense(1)(x)})
outputs.compile("sgd", {"p": "mse", "q": "mse"}, metrics={"p": "mae"})
outputs.evaluate(np.ones((2, 4)), {"p": np.ones((2, 2)), "q": np.ones((2, 1))}, verbose=0)
found["several outputs"] = names(outputs)
"""


def test_metrics_are_those_of_keras() -> None:
    ours = {"keras": keras, "np": np}
    exec(PROGRAM, ours)
    assert ours["found"] == keras_oracle.tell(PROGRAM + "print(json.dumps(found))")


@needs_gradients
@pytest.mark.parametrize(("through", "trained"), [("graph", False), ("graph", True), ("a layer", True)])
def test_training_sees_the_outer_model_s_results_alone(through, trained) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(48, 4)).astype("float32")
    y = (x.sum(1) > 0).astype("int32")

    class Holder(keras.layers.Layer):
        def __init__(self, inside):
            super().__init__()
            self.inside = inside

        def call(self, inputs):
            return self.inside(inputs)

    def history(compiled: bool) -> dict[str, list[float]]:
        keras.utils.set_random_seed(0)
        layers = [keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(2, "softmax")]
        inner = keras.Sequential(layers)
        given = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
        start = inner.get_weights()
        if compiled:
            inner.compile("sgd", **given)
            if trained:
                inner.fit(x, y, verbose=0)
                inner.set_weights(start)
                kept = inner.get_metrics_result()
        outer = keras.Sequential([keras.Input((4,)), inner if through == "graph" else Holder(inner)])
        outer.compile("sgd", **given)
        found = outer.fit(x, y, epochs=2, shuffle=False, verbose=0, validation_data=(x, y)).history
        if compiled and trained:  # and what the inner model has counted stays its own
            assert {name: float(value) for name, value in inner.get_metrics_result().items()} == pytest.approx(
                {name: float(value) for name, value in kept.items()}
            )
        return found

    plain, nested = history(False), history(True)
    assert set(plain) == set(nested) == {"accuracy", "loss", "val_accuracy", "val_loss"}
    for name, values in plain.items():
        np.testing.assert_allclose(nested[name], values, rtol=1e-5, err_msg=name)
    assert min(plain["loss"]) > 0.1
