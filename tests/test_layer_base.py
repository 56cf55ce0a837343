"""`Layer`: variables, building, calls, tracking, losses, configs, and what is said when something is wrong."""

from __future__ import annotations

import gc
import json
import weakref
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, HornbeamError, UnknownNameError, ValueStateError
from tests.keras_oracle import run as run_keras

L = keras.layers
needs_gradients = pytest.mark.skipif("gradients" not in backend.features, reason="this backend has no gradients")
needs_compile = pytest.mark.skipif("compile" not in backend.features, reason="this backend does not compile")


def ones(*shape: int) -> Any:
    return np.ones(shape, "float32")


def numpy(value: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(value))


class Scale(L.Layer):
    """One weight as wide as the input."""

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")

    def call(self, x: Any) -> Any:
        return x * self.factor


class Block(L.Layer):
    """Two layers and a weight, made in `__init__` and `build`."""

    def __init__(self, units: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.first = L.Dense(units)
        self.second = L.Dense(2)

    def build(self, input_shape: Any) -> None:
        self.first.build(input_shape)
        self.second.build((*input_shape[:-1], self.units))
        self.gain = self.add_weight(shape=(), initializer="ones", name="gain")

    def call(self, x: Any) -> Any:
        return self.second(self.first(x)) * self.gain


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


# --- calls -------------------------------------------------------------------------------------------------------


class Spy(L.Layer):
    """Remembers what it was called with."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x: Any, training: Any = None, mask: Any = None, factor: float = 1.0) -> Any:
        self.seen = {"training": training, "mask": mask, "factor": factor}
        return x * factor


def test_training_is_that_of_the_call_or_of_the_enclosing_one() -> None:
    class Outer(L.Layer):
        def __init__(self, **given: Any) -> None:
            super().__init__()
            self.spy = Spy()
            self.given = given

        def call(self, x: Any, training: Any = None) -> Any:
            return self.spy(x, **self.given)

    class Silent(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.spy = Spy()

        def call(self, x: Any) -> Any:
            return self.spy(x)

    for given, inner, expected in (
        (None, {}, None),
        (True, {}, True),
        (False, {}, False),
        (True, {"training": False}, False),
    ):
        layer = Outer(**inner)
        layer(ones(1, 2), training=given)
        assert layer.spy.seen["training"] is expected
    layer = Outer()
    layer(ones(1, 2), True)
    assert layer.spy.seen["training"] is True
    # a layer that takes no `training` hands it on all the same
    silent = Silent()
    silent(ones(1, 2), training=True)
    assert silent.spy.seen["training"] is True
    silent(ones(1, 2))
    assert silent.spy.seen["training"] is None


def test_own_default_of_training() -> None:
    class Default(L.Layer):
        def call(self, x: Any, training: bool = True) -> Any:
            self.seen = training
            return x

    layer = Default()
    layer(ones(1, 2))
    assert layer.seen is True
    layer(ones(1, 2), training=False)
    assert layer.seen is False


def test_own_keyword_arguments() -> None:
    spy = Spy()
    assert numpy(spy(ones(1, 2), factor=3.0)).tolist() == [[3.0, 3.0]]
    assert spy.seen["factor"] == 3.0
    x = keras.Input((2,))
    model = keras.Model(x, spy(x, factor=4.0))
    assert numpy(model(ones(1, 2))).tolist() == [[4.0, 4.0]]
    with pytest.raises(TypeError, match="unexpected keyword argument 'fcator'"):
        spy(ones(1, 2), fcator=3.0)


def test_any_keyword() -> None:
    class Open(L.Layer):
        def call(self, x: Any, **rest: Any) -> Any:
            self.rest = rest
            return x

    layer = Open()
    layer(ones(1, 2), a=1, training=True)
    assert layer.rest == {"a": 1, "training": True}


def test_masks_are_filled_in_and_given_ones_come_first() -> None:
    spy = Spy()
    masked = L.Masking()(np.array([[[1.0], [0.0]]], "float32"))
    spy(masked)
    assert numpy(spy.seen["mask"]).tolist() == [[True, False]]
    spy(masked, mask=keras.ops.convert_to_tensor([[False, False]]))
    assert numpy(spy.seen["mask"]).tolist() == [[False, False]]


def test_masks_of_two_tensors() -> None:
    class Attend(L.Layer):
        def call(self, query: Any, value: Any, query_mask: Any = None, value_mask: Any = None) -> Any:
            self.seen = [None if one is None else numpy(one).tolist() for one in (query_mask, value_mask)]
            return query

    layer = Attend()
    masked = L.Masking()(np.array([[[1.0], [0.0]]], "float32"))
    with pytest.warns(UserWarning, match="supports_masking"):
        layer(masked, value=ones(1, 2, 1))
    assert layer.seen == [[[True, False]], None]
    layer(ones(1, 2, 1), masked)
    assert layer.seen == [None, [[True, False]]]


def test_a_mask_that_gets_lost_is_reported_once() -> None:
    layer = Scale()
    masked = L.Masking()(ones(1, 2, 3))
    with pytest.warns(UserWarning, match="supports_masking"):
        layer(masked)
    layer(masked)


def test_arrays_lists_and_structures_of_inputs() -> None:
    class Sum(L.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs["a"] + inputs["b"][0]

    assert numpy(Sum()({"a": ones(1, 2), "b": [ones(1, 2), ones(3, 2)]})).tolist() == [[2.0, 2.0]]
    assert keras.backend.standardize_dtype(L.Dense(2)(np.ones((2, 3), "float64")).dtype) == "float32"
    assert L.Dense(2)(keras.Variable(ones(2, 3))).shape == (2, 2)


def test_errors_name_the_layer_and_what_came() -> None:
    layer = L.Dense(3, name="last")
    layer(ones(2, 4))
    with pytest.raises(ValueError, match=r"Dense 'last'.*size 4 in axis -1.*shape=\(2, 5\)"):
        layer(ones(2, 5))
    with pytest.raises(ValueError, match=r"at least 2 axes.*shape=\(4,\)"):
        layer(ones(4))
    assert layer(ones(2, 4)).shape == (2, 3)

    class Broken(L.Layer):
        def call(self, x: Any) -> Any:
            raise ZeroDivisionError("inside")

    with pytest.raises(ZeroDivisionError) as caught:
        Broken(name="broken")(ones(2, 3))
    assert any("'broken'" in one and "shape=(2, 3)" in one for one in caught.value.__notes__)
    # nothing of the failed call is left in the context
    spy = Spy()
    spy(ones(1, 2))
    assert spy.seen["training"] is None


# --- tracking ----------------------------------------------------------------------------------------------------


class Nest(L.Layer):
    """Things in every kind of container."""

    def __init__(self) -> None:
        super().__init__()
        self.attribute = Scale()
        self.listed = [Scale(), {"deep": [Scale()]}]
        self.mapped = {"a": Scale(), "b": (Scale(), Scale())}
        self.pair = (Scale(), Scale())
        self.variable = keras.Variable(ones(2), name="direct")
        self.frozen = keras.Variable(ones(2), trainable=False, name="frozen")
        self.variables_in_list = [keras.Variable(ones(1), name="listed")]
        self.metric = keras.metrics.Mean()
        self.seed = keras.random.SeedGenerator(1)
        self.number, self.text, self.nothing = 3, "x", None

    def call(self, x: Any) -> Any:
        for one in self._flatten_layers(include_self=False):
            x = one(x)
        return x


def test_things_in_containers_are_found() -> None:
    layer = Nest()
    layer(ones(1, 2))
    assert len(layer._flatten_layers(include_self=False)) == 8
    assert len(layer.weights) == 8 + 3
    assert len(layer.trainable_weights) == 8 + 2
    assert [one.name for one in layer.non_trainable_weights] == ["frozen"]
    assert any(one is layer.seed.state for one in layer.variables)
    assert all(one is not layer.seed.state for one in layer.weights)
    assert layer.metrics == [layer.metric]
    assert layer.metrics_variables == layer.metric.variables
    assert all(one is not other for one in layer.metric.variables for other in layer.weights)


def test_what_is_appended_later_belongs_too() -> None:
    layer = Nest()
    layer.listed.append(Scale(name="late"))
    layer.mapped["c"] = Scale(name="later")
    layer.listed[1]["deep"].append(Scale(name="latest"))
    layer(ones(1, 2))
    assert {"late", "later", "latest"} <= {part for one in layer.weights for part in one.path.split("/")}
    assert len(layer.weights) == 8 + 3 + 3
    layer.listed.pop(0)
    assert len(layer.weights) == 8 + 3 + 3 - 1


def test_reassigned_and_deleted_attributes() -> None:
    layer = Block()
    layer(ones(1, 4))
    assert len(layer.weights) == 5
    layer.second = L.Dense(7)
    layer.second.build((None, 3))
    assert layer.weights[-2].shape == (3, 7)
    del layer.second
    assert len(layer.weights) == 3
    layer.first = None
    assert [one.name for one in layer.weights] == ["gain"]


def test_each_thing_is_found_once() -> None:
    class Twice(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.a = Scale()
            self.b = self.a
            self.all = [self.a, self.a]

        def call(self, x: Any) -> Any:
            return self.a(self.b(x))

    layer = Twice()
    layer(ones(1, 2))
    assert len(layer.weights) == 1 and layer.count_params() == 2


def test_trainable_switches_everything_inside() -> None:
    layer = Nest()
    layer(ones(1, 2))
    layer.trainable = False
    assert layer.trainable_weights == [] and len(layer.non_trainable_weights) == 11
    assert not layer.attribute.trainable and not layer.mapped["b"][1].trainable
    layer.trainable = True
    assert len(layer.trainable_weights) == 10
    layer.attribute.trainable = False
    assert len(layer.trainable_weights) == 9
    with pytest.raises(TypeError, match="True or False"):
        layer.trainable = "no"


def test_layers_can_be_collected() -> None:
    layer = Block()
    layer(ones(1, 4))
    seen = weakref.ref(layer)
    del layer
    gc.collect()
    assert seen() is None


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


# --- losses ------------------------------------------------------------------------------------------------------


class Lossy(L.Layer):
    """Adds the sum of its input as a loss."""

    def call(self, x: Any) -> Any:
        self.add_loss(keras.ops.sum(x))
        return x


class Losses(L.Layer):
    """Layers with losses of all kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.lossy = Lossy()
        self.dense = L.Dense(
            1,
            kernel_initializer="ones",
            kernel_regularizer=keras.regularizers.L1(0.5),
            activity_regularizer=keras.regularizers.L1(0.25),
        )

    def call(self, x: Any) -> Any:
        self.add_loss([keras.ops.sum(x) * 10, None])
        return self.dense(self.lossy(x))


def test_losses_are_those_of_the_last_call() -> None:
    layer = Losses()
    for size in (2, 3, 3):
        layer(ones(size, 2))
        assert sorted(float(one) for one in layer.losses) == sorted(
            [size * 20, size * 2, 0.5, 1.0]
        )  # activity is taken per sample
    layer.lossy(ones(1, 1))
    assert [float(one) for one in layer.lossy.losses] == [1.0]


def test_losses_of_a_failed_call_do_not_stay() -> None:
    class Fails(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.lossy, self.fail = Lossy(), True

        def call(self, x: Any) -> Any:
            x = self.lossy(x)
            if self.fail:
                raise RuntimeError("no")
            return x

    layer = Fails()
    with pytest.raises(RuntimeError):
        layer(ones(1, 1))
    layer.fail = False
    layer(ones(1, 1))
    assert [float(one) for one in layer.losses] == [1.0]


def test_a_layer_used_twice_adds_twice() -> None:
    class Twice(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.lossy = Lossy()

        def call(self, x: Any) -> Any:
            return self.lossy(self.lossy(x) * 2)

    layer = Twice()
    layer(ones(1, 1))
    assert [float(one) for one in layer.losses] == [1.0, 2.0]


@needs_compile
def test_losses_inside_a_compiled_function() -> None:
    layer = Losses()
    layer(ones(1, 2))

    @keras.jit
    def total(x: Any) -> Any:
        layer(x)
        layer(x)  # counts alone
        return sum(layer.losses)

    for size in (2, 4):
        assert float(total(ones(size, 2))) == size * 20 + size * 2 + 0.5 + 1.0
    # outside, the losses of the last call outside are left
    assert float(sum(layer.losses)) == 20 + 2 + 0.5 + 1


@needs_gradients
def test_losses_have_gradients() -> None:
    layer = Losses()
    layer(ones(1, 2))

    def loss() -> Any:
        layer(ones(3, 2))
        return sum(layer.losses)

    value, gradients = keras.value_and_grad(loss, layer.trainable_variables)
    assert float(value) == 60 + 6 + 0.5 + 1
    assert numpy(gradients[0]).tolist() == [[0.5 + 0.25], [0.5 + 0.25]]


def test_symbolic_calls_add_no_losses() -> None:
    layer = Losses()
    model = keras.Model(x := keras.Input((2,)), layer(x))
    assert len(model.losses) == 1  # that of the kernel
    model(ones(2, 2))
    assert len(model.losses) == 4


def test_a_function_is_no_loss() -> None:
    with pytest.raises(TypeError, match="scalar tensor"):
        L.Layer().add_loss(lambda: 1.0)


# --- pure calls --------------------------------------------------------------------------------------------------


def test_stateless_call() -> None:
    layer = L.BatchNormalization(momentum=0.5)
    layer.build((None, 2))
    trainable = [one.value * 0 + 2 for one in layer.trainable_variables]
    frozen = [one.value for one in layer.non_trainable_variables]
    x = np.array([[0.0, 0.0], [2.0, 4.0]], "float32")
    outputs, state = layer.stateless_call(trainable, frozen, x, training=True)
    np.testing.assert_allclose(numpy(outputs), [[0, 0], [4, 4]], atol=1e-2)
    assert numpy(state[0]).tolist() == [0.5, 1.0] and numpy(state[1]).tolist() == [1.0, 2.5]
    assert layer.moving_mean.numpy().tolist() == [0.0, 0.0]
    outputs, _, losses = L.Dense(1, kernel_regularizer="l2", name="d")(x) is not None and _lossy_dense().stateless_call(
        [np.full((2, 1), 3.0, "float32"), np.zeros(1, "float32")], [], x, return_losses=True
    )
    assert float(losses[0]) == pytest.approx(0.18)
    for bad in (trainable[:1], [*trainable, trainable[0]]):
        with pytest.raises(ValueError, match="2 trainable values"):
            layer.stateless_call(bad, frozen, x)
    with pytest.raises(ValueError, match="2 non-trainable values"):
        layer.stateless_call(trainable, [], x)
    with pytest.raises(ValueError, match="built"):
        L.Dense(1).stateless_call([], [], x)


def _lossy_dense() -> Any:
    layer = L.Dense(1, kernel_regularizer="l2")
    layer.build((None, 2))
    return layer


# --- dtypes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "compute", "variable"),
    [
        (None, "float32", "float32"),
        ("float16", "float16", "float16"),
        ("bfloat16", "bfloat16", "bfloat16"),
        ("mixed_float16", "float16", "float32"),
        ("mixed_bfloat16", "bfloat16", "float32"),
        (keras.dtype_policies.DTypePolicy("mixed_float16"), "float16", "float32"),
    ],
)
def test_dtype_policies(policy: Any, compute: str, variable: str) -> None:
    class Looks(L.Layer):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight(shape=(2,), initializer="ones", name="w")
            self.plain = self.add_weight(shape=(2,), initializer="ones", autocast=False, name="plain")

        def call(self, x: Any) -> Any:
            self.seen = [keras.backend.standardize_dtype(one.dtype) for one in (x, self.w.value, self.plain.value)]
            return x * self.w

    layer = Looks(dtype=policy)
    outputs = layer(ones(1, 2))
    assert (layer.compute_dtype, layer.variable_dtype, layer.dtype) == (compute, variable, variable)
    assert layer.seen == [compute, compute, variable]
    assert keras.backend.standardize_dtype(outputs.dtype) == compute
    assert layer.w.dtype == variable
    assert layer(np.ones((1, 2), "int32")) is not None and layer.seen[0] == "int32"


def test_autocast_can_be_switched_off() -> None:
    class Looks(L.Layer):
        def call(self, x: Any) -> Any:
            self.seen = keras.backend.standardize_dtype(x.dtype)
            return x

    layer = Looks(dtype="mixed_bfloat16", autocast=False)
    layer(ones(1, 2))
    assert layer.seen == "float32"


def test_the_global_policy_is_taken() -> None:
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        assert L.Dense(1).compute_dtype == "bfloat16"
    finally:
        keras.config.set_dtype_policy(before)
    assert L.Dense(1).compute_dtype == "float32"


# --- configs -----------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable("test_layer_base")
class Derived(L.Layer):
    """A layer whose config nobody wrote."""

    def __init__(
        self, units: int, rate: float = 0.5, *, inner: Any = None, activation: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.ratio = rate  # under another name
        self.inner = inner
        self.activation = keras.activations.get(activation)

    def call(self, x: Any) -> Any:
        return x


@keras.saving.register_keras_serializable("test_layer_base")
def swoosh(x: Any) -> Any:
    return keras.ops.log(1 + keras.ops.exp(x))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Derived(3, name="d"), {"units": 3, "rate": 0.5, "inner": None, "activation": "linear"}),
        (lambda: Derived(3, 0.25, name="d"), {"units": 3, "rate": 0.25}),
        (lambda: Derived(units=3, rate=0.1, name="d", trainable=False), {"rate": 0.1, "trainable": False}),
        (lambda: Derived(np.int64(3), (1, 2), name="d", dtype="float16"), {"units": 3}),
        (lambda: Derived(3, activation="relu", name="d"), {"activation": "relu"}),
        (lambda: Derived(3, activation=swoosh, name="d"), {}),
        (lambda: Derived(3, inner=L.Dense(2, name="i"), name="d"), {}),
        (lambda: Derived(3, inner=[L.Dense(2), {"a": L.ReLU()}], name="d"), {}),
        (lambda: Derived(3, inner=keras.initializers.Constant(2.0), name="d"), {}),
    ],
)
def test_config_follows_from_the_arguments(make: Any, expected: dict[str, Any]) -> None:
    layer = make()
    config = layer.get_config()
    text = json.dumps(config)
    for name, value in expected.items():
        assert config[name] == value
    again = Derived.from_config(json.loads(text))
    assert json.dumps(again.get_config()) == text
    ratio = list(layer.ratio) if isinstance(layer.ratio, tuple) else layer.ratio
    assert (again.units, again.ratio, again.trainable, again.dtype) == (
        layer.units,
        ratio,
        layer.trainable,
        layer.dtype,
    )
    assert type(again.inner) is type(layer.inner) and again.activation is layer.activation


def test_nested_layers_in_a_config() -> None:
    layer = Derived(3, inner=[L.Dense(2, activation="relu"), {"a": L.ReLU()}])
    again = keras.layers.deserialize(json.loads(json.dumps(keras.layers.serialize(layer))))
    assert isinstance(again, Derived) and again.inner[0].units == 2 and isinstance(again.inner[1]["a"], L.ReLU)
    assert again.inner[0].activation is keras.activations.relu


def test_config_written_by_hand_as_for_keras() -> None:
    class Written(L.Layer):
        def __init__(self, units: int, inner: Any = None, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units_doubled = units * 2
            self.inner = inner or L.Dense(1)

        def get_config(self) -> dict[str, Any]:
            config = super().get_config()
            config.update({"units": self.units_doubled // 2, "inner": keras.saving.serialize_keras_object(self.inner)})
            return config

        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Any:
            config["inner"] = keras.saving.deserialize_keras_object(config["inner"])
            return cls(**config)

    again = Written.from_config(json.loads(json.dumps(Written(4, name="w", inner=L.Dense(5)).get_config())))
    assert again.units_doubled == 8 and again.name == "w" and again.inner.units == 5


def test_config_of_a_subclass_that_passes_arguments_on() -> None:
    class Wide(L.Dense):
        def __init__(self, width: int, **kwargs: Any) -> None:
            super().__init__(units=width * 10, **kwargs)
            self.width = width

    config = Wide(2, activation="relu", name="w").get_config()
    assert config["width"] == 2 and config["activation"] == "relu" and "units" not in config
    assert Wide.from_config(config).units == 20


def test_config_that_does_not_fit() -> None:
    with pytest.raises(TypeError, match="unitz"):
        L.Dense.from_config({"unitz": 3})


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
