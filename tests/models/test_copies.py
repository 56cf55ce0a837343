"""Models, optimizers and variables that are pickled or copied: the copy is whole and shares nothing with them."""

import copy
import pickle

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from tests.needs import needs_gradients

L = keras.layers
X, Y = np.random.default_rng(0).random((8, 4), dtype=np.float32), np.ones((8, 2), np.float32)
HOW = {"pickle": lambda one: pickle.loads(pickle.dumps(one)), "copy": copy.deepcopy}


class Own(keras.Model):
    """A class that is registered nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [L.Dense(3, activation="relu"), keras.Sequential([L.Dropout(0.5, seed=3), L.Dense(2)])]

    def call(self, x):
        for one in self.blocks:
            x = one(x)
        return x


def functional():
    inputs = keras.Input((4,))
    x = L.BatchNormalization()(L.Dense(5, activation="relu")(inputs))
    return keras.Model(inputs, L.Dense(2)(L.Dropout(0.5, seed=1)(x) + keras.ops.mean(x)))


def half():
    return keras.Sequential([keras.Input((4,)), L.Dense(3, dtype="bfloat16"), L.Dense(2)])


def built(model):
    model(X)
    return model


MODELS = {"functional": functional, "own class": lambda: built(Own()), "half precision": half}


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("make", MODELS)
def test_a_copy_gives_the_same_and_is_another(make, how):
    model = MODELS[make]()
    again = HOW[how](model)
    assert type(again) is type(model) and again.name == model.name
    assert [one.path for one in again.weights] == [one.path for one in model.weights]
    np.testing.assert_array_equal(numpy(again(X)), numpy(model(X)))
    before = numpy(model(X))
    for one in again.weights:
        one.assign(one.numpy() + 1)
    np.testing.assert_array_equal(numpy(model(X)), before)
    assert not np.array_equal(numpy(again(X)), before)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("make", MODELS)
@needs_gradients
def test_a_copy_of_a_trained_model_trains_on_as_the_original_would(make, how):
    model = MODELS[make]()
    optimizer = keras.optimizers.AdamW(0.1, weight_decay=0.5, clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_list=model.trainable_variables[:1])
    model.compile(optimizer, "mse", metrics=["mae"])
    model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    again = HOW[how](model)
    weights = model.get_weights()
    history = again.fit(X, Y, epochs=2, verbose=0, shuffle=False).history
    assert int(model.optimizer.iterations) == 2 and int(again.optimizer.iterations) == 4
    for one, other in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert model.fit(X, Y, epochs=2, verbose=0, shuffle=False).history == history
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("how", HOW)
@needs_gradients
def test_a_copy_of_several_optimizers_knows_which_has_which_variable(how):
    def made():
        model = keras.Sequential([keras.Input((4,)), L.Dense(3, name="first"), L.Dense(2, name="second")])
        chosen = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.5), {".*/second/.*": keras.optimizers.SGD(0.0)})
        model.compile(keras.optimizers.MultiOptimizer(chosen), "mse")
        model.fit(X, Y, verbose=0)
        return model

    again = HOW[how](made())
    before = again.get_weights()
    again.fit(X, Y, verbose=0)
    same = [np.array_equal(one, other) for one, other in zip(again.get_weights(), before, strict=True)]
    assert same == [False, False, True, True]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.Variable([1.5, 2.5], dtype="bfloat16", trainable=False, name="v"),
        lambda: keras.Variable([1, 2], dtype="uint32", name="v"),
        lambda: keras.Variable(True, name="v"),
    ],
)
def test_variables(make, how):
    variable = make()
    again = HOW[how](variable)
    assert (again.dtype, again.shape, again.trainable, again.path) == (
        variable.dtype, variable.shape, variable.trainable, variable.path,
    )  # fmt: skip
    again.assign(again.numpy() * 0)
    assert numpy(variable).any() and not numpy(again).any()


@pytest.mark.parametrize("how", HOW)
def test_generators_of_random_numbers_go_on_alike(how):
    generator = keras.random.SeedGenerator(3)
    keras.random.uniform((2,), seed=generator)
    again = HOW[how](generator)
    wanted = numpy(keras.random.uniform((3,), seed=generator))
    np.testing.assert_array_equal(numpy(keras.random.uniform((3,), seed=again)), wanted)


@pytest.mark.skipif(backend.name != "torch", reason="about the keys of torch")
def test_two_models_made_alike_have_the_same_keys():
    for make in (functional, lambda: built(Own()), lambda: keras.Sequential([keras.Input((4,)), L.Dense(2, name="a")])):
        first, second = make(), make()
        second.load_state_dict(first.state_dict())
        first.eval()
        second.eval()
        np.testing.assert_array_equal(numpy(second(X)), numpy(first(X)))
    assert list(first.state_dict()) == ["a.kernel", "a.bias"]
    assert list(functional().state_dict())[:2] == ["dense.kernel", "dense.bias"]
