"""`Layer`: variables, building, setting weights, names, and what is said when something is wrong."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.errors import ArgumentError, ArgumentTypeError, HornbeamError, UnknownNameError, ValueStateError
from tests.keras_oracle import run as run_keras
from tests.layer_base_cases import Block, L, Scale, numpy, ones

# --- add_weight --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "shape", "dtype", "trainable"),
    [
        ({}, (), "float32", True),
        ({"shape": 3}, (3,), "float32", True),
        ({"shape": [2, 3]}, (2, 3), "float32", True),
        ({"shape": (2,), "dtype": "int32", "trainable": False}, (2,), "int32", False),
        ({"shape": (2,), "dtype": "float16"}, (2,), "float16", True),
        ({"shape": (0, 2)}, (0, 2), "float32", True),
        ({"shape": (2,), "initializer": "ones", "dtype": "bool", "trainable": False}, (2,), "bool", False),
    ],
)
def test_add_weight(arguments: dict[str, Any], shape: tuple, dtype: str, trainable: bool) -> None:
    layer = L.Layer(name="mine")
    variable = layer.add_weight(name="w", **arguments)
    assert (variable.shape, variable.dtype, variable.trainable, variable.path) == (shape, dtype, trainable, "mine/w")
    assert layer.weights == [variable] == layer.variables
    assert layer.trainable_weights == ([variable] if trainable else [])
    assert layer.non_trainable_weights == ([] if trainable else [variable])


@pytest.mark.parametrize(
    ("initializer", "expected"),
    [
        ("ones", [1.0, 1.0]),
        (keras.initializers.Constant(2.0), [2.0, 2.0]),
        (lambda shape, dtype: keras.ops.full(shape, 3.0, dtype), [3.0, 3.0]),
        (np.array([4.0, 5.0], "float32"), [4.0, 5.0]),
        ({"class_name": "Constant", "config": {"value": 6.0}}, [6.0, 6.0]),
    ],
)
def test_initializers_of_weights(initializer: Any, expected: list[float]) -> None:
    assert numpy(L.Layer().add_weight(shape=(2,), initializer=initializer)).tolist() == expected


def test_default_initializers() -> None:
    layer = L.Layer()
    assert np.any(layer.add_weight(shape=(3, 3)).numpy())
    assert not np.any(layer.add_weight(shape=(3, 3), dtype="int32").numpy())


def test_regularizer_and_constraint_of_a_weight() -> None:
    layer = L.Layer()
    variable = layer.add_weight(shape=(2,), initializer="ones", regularizer="l2", constraint="non_neg")
    assert isinstance(variable.regularizer, keras.regularizers.L2)
    assert isinstance(variable.constraint, keras.constraints.NonNeg)
    assert float(layer.losses[0]) == pytest.approx(0.02)
    layer.trainable = False
    assert layer.losses == []


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"shape": (None, 2)}, ValueError, r"\(None, 2\)"),
        ({"shape": (-1,)}, ValueError, "negative"),
        ({"shape": ("a",)}, TypeError, "'a'"),
        ({"shape": (2,), "initializer": "onez"}, ValueError, "Did you mean 'one' or 'ones'"),
        ({"shape": (2,), "regularizer": "l3"}, ValueError, "'l3'"),
        ({"shape": (2,), "constraint": "nonneg"}, ValueError, "'nonneg'"),
        ({"shape": (2,), "dtype": "flaot32"}, ValueError, "flaot32"),
        ({"shape": (2,), "name": "a/b"}, ValueError, "'a/b'"),
        ({"shape": (2,), "trainable": 1}, TypeError, "trainable"),
        ({"shape": (2,), "aggregation": "most"}, ValueError, "'most'"),
        ({"shape": (2,), "initializer": lambda shape, dtype: keras.ops.ones((3,))}, ValueError, r"shape=\(3,\)"),
    ],
)
def test_bad_weights(arguments: dict[str, Any], error: type, says: str) -> None:
    layer = L.Layer()
    with pytest.raises(error, match=says) as caught:
        layer.add_weight(**arguments)
    assert isinstance(caught.value, HornbeamError)
    assert layer.weights == []
    layer.add_weight(shape=(1,))


# --- building ----------------------------------------------------------------------------------------------------


def test_built_by_shape_and_by_call_are_equal() -> None:
    by_shape, by_call = Block(name="block"), Block(name="block")
    by_shape.build((None, 4))
    by_call(ones(2, 4))
    assert by_shape.built and by_call.built and by_shape.first.built
    assert [(one.name, one.shape) for one in by_shape.weights] == [(one.name, one.shape) for one in by_call.weights]
    assert by_shape.get_build_config() == {"input_shape": (None, 4)}
    assert by_call.get_build_config() == {"input_shape": (2, 4)}


def test_build_happens_once() -> None:
    calls = []

    class Counting(Scale):
        def build(self, input_shape: Any) -> None:
            calls.append(input_shape)
            super().build(input_shape)

    layer = Counting()
    layer(ones(2, 3))
    layer(ones(5, 3))
    assert calls == [(2, 3)] and len(layer.weights) == 1
    layer.build((2, 3))  # the same again changes nothing
    with pytest.raises(ValueError, match="second"):
        layer.build((2, 4))
    assert len(layer.weights) == 1 and layer.weights[0].shape == (3,)


def test_layers_are_built_from_the_names_of_the_shapes() -> None:
    class Two(L.Layer):
        def build(self, query_shape: Any, value_shape: Any) -> None:
            self.shapes = (query_shape, value_shape)
            self.w = self.add_weight(shape=(query_shape[-1], value_shape[-1]))

        def call(self, query: Any, value: Any = None) -> Any:
            return keras.ops.matmul(query, self.w)

    layer = Two()
    layer(ones(2, 3), value=ones(2, 4))
    assert layer.w.shape == (3, 4)
    record = json.loads(json.dumps(layer.get_build_config()))
    again = Two()
    again.build_from_config(record)
    assert again.w.shape == (3, 4)


def test_structures_of_shapes() -> None:
    class Structured(L.Layer):
        def build(self, input_shape: Any) -> None:
            self.seen = input_shape

        def call(self, inputs: Any) -> Any:
            return inputs["a"]

    layer = Structured()
    layer({"a": ones(2, 3), "b": [ones(2, 4), ones(2, 5)]})
    assert layer.seen == {"a": (2, 3), "b": [(2, 4), (2, 5)]}


def test_a_failed_build_leaves_nothing() -> None:
    class Failing(L.Layer):
        fail = True

        def __init__(self) -> None:
            super().__init__()
            self.inner = L.Dense(2)

        def build(self, input_shape: Any) -> None:
            self.inner.build(input_shape)
            self.w = self.add_weight(shape=(2,), name="w")
            if self.fail:
                raise RuntimeError("no")
            self.v = self.add_weight(shape=(2,), name="v")

        def call(self, x: Any) -> Any:
            return self.inner(x) + self.w + self.v

    layer = Failing()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no"):
            layer(ones(2, 3))
        assert not layer.built
        assert all(one.name != "w" for one in layer.weights)
    layer.fail = False
    assert layer(ones(2, 3)).shape == (2, 2)
    assert [one.name for one in layer.weights] == ["w", "v", "kernel", "bias"]


def test_layers_without_build_build_their_layers_by_shape() -> None:
    class Chain(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.parts = [L.Dense(3), L.Dense(2)]

        def call(self, x: Any) -> Any:
            for part in self.parts:
                x = part(x)
            return x

    layer = Chain()
    layer.build((None, 4))
    assert [one.shape for one in layer.weights] == [(4, 3), (3,), (3, 2), (2,)]
    assert layer.compute_output_shape((5, 4)) == (5, 2)


def test_forgotten_super_init() -> None:
    class Forgetful(L.Layer):
        def __init__(self) -> None:
            self.units = 3

        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(ValueError, match=r"Forgetful: expected super\(\)\.__init__\(\)"):
        Forgetful()(ones(1, 2))

    class Weighted(L.Layer):
        def __init__(self) -> None:
            self.w = self.add_weight(shape=(1,))

    with pytest.raises(ValueError, match=r"super\(\)\.__init__\(\)"):
        Weighted()

    class Attributes(L.Layer):
        def __init__(self) -> None:
            self.inner = L.Dense(1)
            super().__init__()

        def call(self, x: Any) -> Any:
            return self.inner(x)

    assert Attributes()(ones(1, 2)).shape == (1, 1)


def test_a_layer_that_returns_nothing() -> None:
    class Nothing(L.Layer):
        def call(self, x: Any) -> Any:
            x + 1

    with pytest.raises(ValueError, match="`return`"):
        Nothing()(ones(1, 2))
    with pytest.raises(ValueError, match="`return`"):
        Nothing()(keras.Input((2,)))


def test_a_layer_without_call() -> None:
    with pytest.raises(NotImplementedError, match="`call`"):
        L.Layer()(ones(1, 2))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: L.Dense(3, unit=4), "Did you mean 'units'"),
        (lambda: L.Dense(3, activatoin="relu"), "Did you mean 'activation'"),
        (lambda: L.Dense(3, nam="x"), "Did you mean 'name'"),
        (lambda: L.Dropout(0.1, sead=3), "Did you mean 'seed'"),
        (lambda: Block(3, trainble=False), "Did you mean 'trainable'"),
    ],
)
def test_unknown_arguments(make: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        make()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"name": "a/b"}, ValueError),
        ({"name": 3}, ValueError),
        ({"trainable": "yes"}, TypeError),
        ({"dtype": "float33"}, ValueError),
        ({"activity_regularizer": "l7"}, ValueError),
    ],
)
def test_bad_arguments_of_every_layer(arguments: dict[str, Any], error: type) -> None:
    with pytest.raises(error) as caught:
        L.Layer(**arguments)
    assert isinstance(caught.value, HornbeamError)


# --- weights -----------------------------------------------------------------------------------------------------


def test_weights_are_set_all_or_none() -> None:
    layer = Block()
    layer(ones(1, 4))
    before = layer.get_weights()
    good = [np.array(one + 1) for one in before]
    with pytest.raises(ValueError, match=r"5 arrays.*got 4"):
        layer.set_weights(good[:-1])
    with pytest.raises(ValueError, match=r"expected shape=\(2,\).*got shape=\(3,\)"):
        layer.set_weights([*good[:-1], np.zeros(3)])
    with pytest.raises((ValueError, TypeError)):
        layer.set_weights([*good[:-1], np.array(["a", "b"])])
    for one, other in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    layer.set_weights(good)
    for one, other in zip(good, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    # what was handed out is a copy
    good[0][...] = 99
    assert not np.any(layer.get_weights()[0] == 99)


def test_count_params() -> None:
    layer = Block()
    with pytest.raises(ValueError, match="built"):
        layer.count_params()
    layer(ones(1, 4))
    assert layer.count_params() == 4 * 3 + 3 + 3 * 2 + 2 + 1


# --- names -------------------------------------------------------------------------------------------------------


def test_names_count_up() -> None:
    class FancyThing2D(L.Layer):
        pass

    first, second = FancyThing2D(), FancyThing2D()
    assert first.name == "fancy_thing2d" and second.name == "fancy_thing2d_1"
    with pytest.raises(AttributeError):
        first.path = "x"


PATHS = """
L = keras.layers
class Inner(L.Layer):
    def __init__(self, **k):
        super().__init__(**k)
        self.d = L.Dense(2, name="d")
        self.w = self.add_weight(shape=(2,), name="in_init")
    def build(self, s):
        self.v = self.add_weight(shape=(2,), name="in_build")
        self.d.build(s)
    def call(self, x):
        return self.d(x)
class Lazy(L.Layer):
    def __init__(self, **k):
        super().__init__(**k)
        self.inner = Inner(name="inner")
        self.bn = L.BatchNormalization(name="bn")
        self.drop = L.Dropout(0.5, name="drop")
    def call(self, x):
        return self.drop(self.bn(self.inner(x)))
class Model(keras.Model):
    def __init__(self, **k):
        super().__init__(**k)
        self.lazy = Lazy(name="lazy")
        self.seq = keras.Sequential([L.Dense(3, name="s1"), L.Dense(2, name="s2")], name="seq")
        self.more = [L.Dense(1, name="more")]
    def call(self, x):
        return self.more[0](self.seq(self.lazy(x)))
x = np.ones((1, 2), "float32")
def paths(model):
    return [one.path for one in model.weights]
found = {}
m = Model(name="m"); m(x); found["subclass"] = paths(m)
m = keras.Sequential([L.Dense(2, name="a"), Lazy(name="lazy")], name="s"); m(x); found["sequential"] = paths(m)
m = keras.Sequential([keras.Input((2,)), L.Dense(2, name="a"), Lazy(name="lazy")], name="s")
found["with input"] = paths(m)
i = keras.Input((2,)); o = Lazy(name="lazy")(L.Dense(2, name="a")(i)); m = keras.Model(i, o, name="f")
found["functional"] = paths(m)
i = keras.Input((2,)); o = keras.Sequential([keras.Input((2,)), L.Dense(2, name="a")], name="in")(i)
m = keras.Model(i, keras.Sequential([L.Dense(2, name="b")], name="un")(o), name="f"); found["nested"] = paths(m)
l = Inner(name="inner"); l.build((1, 2)); found["by shape"] = paths(l)
l = Lazy(name="lazy"); l(x); found["by call"] = paths(l)
with keras.name_scope("outer"):
    l = L.Dense(1, name="scoped"); l.build((1, 2))
found["scope"] = paths(l)
"""


def test_paths_are_those_of_keras() -> None:
    program = PATHS + "\nfor k, v in found.items(): out[k] = np.array(v)\n"
    scope: dict[str, Any] = {"keras": keras, "np": np}
    exec(PATHS, scope)
    wanted = {name: list(value) for name, value in run_keras(program).items()}
    assert scope["found"] == wanted


def test_errors_are_of_the_house() -> None:
    for error in (ArgumentError, UnknownNameError, ValueStateError):
        assert issubclass(error, ValueError)
    assert issubclass(ArgumentTypeError, TypeError)
