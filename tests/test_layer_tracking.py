"""`Layer`: what belongs to it, its dtypes, its configs."""

from __future__ import annotations

import gc
import json
import weakref
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from tests.layer_base_cases import Block, L, Scale, ones

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
    outer = keras.Sequential([layer])
    assert outer._flatten_layers(recursive=False) == [outer, layer]
    assert outer._flatten_layers(include_self=False, recursive=False) == [layer]
    assert len(outer._flatten_layers(include_self=False)) == 9
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
