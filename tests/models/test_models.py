"""Models: Sequential, Functional and subclassed, held against Keras: outputs, order of weights, json and summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import tree
from hornbeam.errors import HornbeamError
from tests import keras_oracle
from tests.models.test_summary import MODELS as SUMMARIES, OPTIONS

L = keras.layers
ROOT = Path(__file__).resolve().parents[2]


def ones(*shape: int) -> Any:
    return np.ones(shape, "float32")


def numpy(value: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(value))


# --- the same programs on Keras and on us -------------------------------------------------------------------------

# Each makes the model `m` and its input `x`.
PROGRAMS = {
    "sequential": """
m = keras.Sequential([L.Input((4,)), L.Dense(3, activation="relu"), L.Dropout(0.5), L.BatchNormalization(), L.Dense(2)])
x = data(3, 4)
""",
    "sequential, built by data": """
m = keras.Sequential([L.Dense(3), L.Dense(2)], name="late")
x = data(3, 4)
m(x)
""",
    "sequential, old input_dim": """
m = keras.Sequential([L.Dense(3, input_shape=(4,)), L.Dense(2)])
x = data(3, 4)
""",
    "sequential in sequential": """
m = keras.Sequential([keras.Sequential([L.Dense(3), L.ReLU()]), L.Dense(2)])
x = data(3, 4)
m(x)
""",
    "two inputs, two outputs": """
a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
h = L.Concatenate()([L.Dense(5)(a), L.Dense(2)(b)])
m = keras.Model([a, b], [L.Dense(1, name="p")(h), L.Dense(2, name="q")(h)])
x = [data(2, 4), data(2, 3)]
""",
    "dicts": """
a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
m = keras.Model({"b": b, "a": a}, {"sum": a + b, "dense": L.Dense(2)(a)})
x = {"a": data(2, 4), "b": 2 * data(2, 4)}
""",
    "nested structure": """
a, b, c = keras.Input((4,)), keras.Input((4,)), keras.Input((4,))
m = keras.Model({"one": [a, b], "two": c}, [L.Dense(2)(a), {"r": (b * c, L.Dense(1)(c))}])
x = {"one": [data(2, 4), 2 * data(2, 4)], "two": 3 * data(2, 4)}
""",
    "shared layer": """
d = L.Dense(4, name="shared")
a = keras.Input((4,))
m = keras.Model(a, d(d(L.Dense(4)(d(a)))))
x = data(2, 4)
""",
    "shared layer, two inputs": """
d = L.Dense(3)
a, b = keras.Input((4,)), keras.Input((4,))
m = keras.Model([a, b], L.Subtract()([d(b), d(a)]))
x = [data(2, 4), 2 * data(2, 4)]
""",
    "nested models": """
i = keras.Input((4,))
inner = keras.Model(i, L.Dense(3, name="one")(i) + 1.0, name="inner")
a = keras.Input((4,))
m = keras.Model(a, L.Dense(2, name="two")(inner(L.Dense(4, name="zero")(a @ np.ones((4, 4), "float32")))))
x = data(2, 4)
""",
    "nested model, twice": """
i = keras.Input((4,))
inner = keras.Sequential([L.Input((4,)), L.Dense(4), L.ReLU()], name="inner")
m = keras.Model(i, inner(inner(i)))
x = data(2, 4)
""",
    "nested model with several inputs": """
i, j = keras.Input((4,), name="i"), keras.Input((2,), name="j")
inner = keras.Model({"i": i, "j": j}, [L.Dense(2)(i) + j, j * 2], name="inner")
a, b = keras.Input((4,)), keras.Input((2,))
p, q = inner({"i": a, "j": b})
m = keras.Model([a, b], p * q)
x = [data(2, 4), data(2, 2)]
""",
    "raw ops": """
a = keras.Input((4, 3))
h = keras.ops.transpose(a, (0, 2, 1))
h = keras.ops.concatenate([h, keras.ops.exp(h) / 2.0, -h], axis=-1)
h = keras.ops.reshape(h, (-1, 36))
m = keras.Model(a, keras.ops.softmax(L.Dense(5)(h) ** 2 - 1.0, axis=-1)[:, 1:3])
x = data(2, 4, 3)
""",
    "ops with several outputs": """
a = keras.Input((6,))
p, q = keras.ops.split(a, 2, axis=1)
best, places = keras.ops.top_k(a, 2)
m = keras.Model(a, [p * q, best, places])
x = data(2, 6)
""",
    "open axes": """
a = keras.Input((None, None, 3))
h = L.Conv2D(4, 3, padding="same")(a)
h = L.MaxPooling2D(2)(h)
m = keras.Model(a, L.Dense(2)(L.GlobalAveragePooling2D()(h)))
x = data(2, 6, 8, 3)
""",
    "branches": """
a = keras.Input((4,))
left = L.Dense(4, name="left2")(L.Dense(4, name="left1")(a))
right = L.Dense(4, name="right1")(a)
deep = L.Dense(4, name="deep3")(L.Dense(4, name="deep2")(L.Dense(4, name="deep1")(right)))
m = keras.Model(a, L.Dense(2, name="head")(L.Add()([right, deep, left])))
x = data(2, 4)
""",
    "branches of several outputs": """
a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
one = L.Dense(3, name="one")(b)
two = L.Dense(3, name="two")(L.Dense(4, name="two0")(a))
three = L.Dense(3, name="three")(L.Concatenate()([two, one]))
m = keras.Model([a, b], [three, one, two])
x = [data(2, 4), data(2, 4)]
""",
    "unused input": """
a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
m = keras.Model([a, b], L.Dense(3)(b))
x = [data(2, 4), 2 * data(2, 4)]
""",
    "sub-graph": """
a = keras.Input((4,), name="a")
h = L.Dense(3, name="one")(a)
k = L.Dense(3, name="two")(h)
whole = keras.Model(a, L.Dense(2, name="three")(k))
m = keras.Model(h, whole.get_layer("three").output)
x = data(2, 3)
""",
    "features": """
whole = keras.Sequential([L.Input((4,)), L.Dense(3, name="one"), L.Dense(2, name="two"), L.Dense(1, name="three")])
m = keras.Model(whole.inputs, [one.output for one in whole.layers])
x = data(2, 4)
""",
    "call arguments": """
a = keras.Input((4,))
h = L.Dropout(0.5)(a, training=False)
m = keras.Model(a, L.BatchNormalization()(h, training=False))
x = data(2, 4)
""",
    "attention-like, positional tensors": """
class Mix(L.Layer):
    def call(self, a, b, scale=1.0):
        return a * scale + b
a, b = keras.Input((4,)), keras.Input((4,))
m = keras.Model([a, b], Mix(name="mix")(a, b, scale=2.0))
x = [data(2, 4), data(2, 4)]
""",
    "integers and casts": """
a = keras.Input((3,), dtype="int32")
m = keras.Model(a, L.Embedding(5, 2)(a) * keras.ops.cast(keras.ops.expand_dims(a, -1), "float32"))
x = np.array([[0, 1, 4], [2, 2, 3]], "int32")
""",
    "input is output": """
a, b = keras.Input((3,)), keras.Input((3,))
m = keras.Model([a, b], [b, a, a + b])
x = [data(2, 3), 2 * data(2, 3)]
""",
    "frozen": """
m = keras.Sequential([L.Input((4,)), L.Dense(3, trainable=False), L.Dense(2)])
x = data(2, 4)
""",
}
NO_JSON = {"attention-like, positional tensors"}  # a class that is not registered

PRELUDE = """
def data(*shape):
    return (np.sin(np.arange(np.prod(shape), dtype="float32")) + 0.1).reshape(shape).astype("float32")
def values(shapes):
    sizes = [int(np.prod(one)) for one in shapes]
    found = [np.cos(np.arange(one, dtype="float32") + i) * 0.5 + 0.6 for i, one in enumerate(sizes)]
    return [one.reshape(shape) for one, shape in zip(found, shapes)]
def leaves(tree):
    if isinstance(tree, dict):
        return [one for key in sorted(tree) for one in leaves(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [one for part in tree for one in leaves(part)]
    return [keras.ops.convert_to_numpy(tree)]
def look(m, x):
    m.set_weights(values([one.shape for one in m.weights]))
    outputs = m(x)
    facts = {
        "type": type(m).__name__,
        "outputs": [one.tolist() for one in leaves(outputs)],
        "weights": [[one.path, list(one.shape)] for one in m.weights],
        "trainable": [one.path for one in m.trainable_weights],
        "layers": [one.name for one in m.layers],
        "names": [one.name for one in m.operations] if type(m).__name__ == "Functional" else None,
        "count": m.count_params(),
        "input_shape": repr(m.input_shape) if m.inputs else None,
        "output_shape": repr(m.output_shape) if m.inputs else None,
        "output_names": getattr(m, "output_names", None) if type(m).__name__ == "Functional" else None,
    }
    return facts
"""
THEIRS = """
L = keras.layers
exec(given["prelude"])
found = {"programs": {}, "read": {}, "json": {}}
for name, source in given["programs"].items():
    keras.utils.clear_session()
    scope = {**globals(), "keras": keras, "L": L, "np": np}
    exec(source, scope)
    found["programs"][name] = look(scope["m"], scope["x"])
    if name not in given["no_json"]:
        found["json"][name] = scope["m"].to_json()
for name, text in given["ours"].items():
    scope = {**globals()}
    exec(given["programs"][name], scope)
    try:
        found["read"][name] = look(keras.models.model_from_json(text), scope["x"])["outputs"]
    except Exception as problem:
        found["read"][name] = repr(problem)
print(json.dumps(found))
"""


def build(name: str) -> tuple[Any, Any, Any]:
    keras.utils.clear_session()
    scope: dict[str, Any] = {"keras": keras, "L": L, "np": np}
    exec(PRELUDE + PROGRAMS[name], scope)
    return scope["m"], scope["x"], scope["look"]


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    """What Keras makes of the programs, and of the json that we write for them."""
    ours = {name: build(name)[0].to_json() for name in PROGRAMS if name not in NO_JSON}
    given = {"prelude": PRELUDE, "programs": PROGRAMS, "no_json": [*NO_JSON], "ours": ours}
    return keras_oracle.tell(THEIRS, given)


def same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Equal facts, the outputs to rounding."""
    close(ours.pop("outputs"), theirs.pop("outputs"))
    if ours["type"] == "Sequential":  # Keras keeps the size of the batch with which it was built; here it stays open
        for facts in (ours, theirs):
            for key in ("input_shape", "output_shape"):
                facts[key] = facts[key].split(",", 1)[1]
    assert ours == theirs


def close(ours: Any, theirs: Any) -> None:
    assert not isinstance(theirs, str), theirs
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(np.array(one), np.array(other), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_give_what_keras_gives(theirs: Any, name: str) -> None:
    model, x, look = build(name)
    same(look(model, x), dict(theirs["programs"][name]))


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in NO_JSON])
def test_json_is_that_of_keras(theirs: Any, name: str) -> None:
    model, x, look = build(name)
    ours, wanted = json.loads(model.to_json()), json.loads(theirs["json"][name])
    assert set(ours) >= {"module", "class_name", "config", "registered_name"}
    assert [one["config"]["name"] for one in ours["config"]["layers"]] == [
        one["config"]["name"] for one in wanted["config"]["layers"]
    ]
    assert structure(ours) == structure(wanted)
    # read by us, ours and theirs
    values = look(model, x)["outputs"]
    for text in (model.to_json(), theirs["json"][name]):
        again = keras.models.model_from_json(text)
        close(look(again, x)["outputs"], values)
    # and ours by Keras
    close(theirs["read"][name], values)


def structure(value: Any) -> Any:
    """The classes and the graph of a json: how layers and ops are joined, with what arguments."""
    if isinstance(value, dict) and "class_name" in value and isinstance(value.get("config"), dict):
        config = value["config"]
        inbound = json.loads(json.dumps(value.get("inbound_nodes")).replace("__numpy__", "__tensor__"))
        for node in inbound or ():
            if not any(tree.flatten(node["kwargs"].get("mask"))):  # Keras writes that nested models got none
                node["kwargs"].pop("mask", None)
        found = {"class": value["class_name"], "module": value.get("module"), "inbound": inbound}
        for key in ("layers", "input_layers", "output_layers"):
            found[key] = structure(config.get(key))
        found["keys"] = sorted(set(config) - {"layers"})
        return found
    if isinstance(value, list):
        return [structure(one) for one in value]
    return value


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in NO_JSON])
def test_clones(name: str) -> None:
    model, x, look = build(name)
    values = look(model, x)["outputs"]
    clone = keras.models.clone_model(model)
    if not clone.built:
        clone(x)
    assert type(clone) is type(model)
    assert [one.shape for one in clone.weights] == [one.shape for one in model.weights]
    assert not {id(one) for one in clone.weights} & {id(one) for one in model.weights}
    close(look(clone, x)["outputs"], values)


@pytest.mark.parametrize("name", PROGRAMS)
def test_symbolic_shapes_hold(name: str) -> None:
    model, x, _ = build(name)
    outputs = tree.flatten(model(x))
    for symbol, real in zip(model.outputs, outputs, strict=True):
        assert len(symbol.shape) == len(real.shape)
        assert all(a in (None, b) for a, b in zip(symbol.shape, real.shape, strict=True))
    shapes = tree.map_structure(lambda one: tuple(one.shape), x)
    found = tree.flatten(
        tree.map_shape_structure(lambda one: keras.KerasTensor(one), model.compute_output_shape(shapes))
    )
    assert [one.shape for one in found] == [tuple(one.shape) for one in outputs]


# --- summaries of our own models ------------------------------------------------------------------------------------

SUMMARY = """
L = keras.layers
found = {}
for name, source in given["models"].items():
    keras.utils.clear_session()
    scope = {"keras": keras, "L": L, "np": np}
    exec(source, scope)
    found[name] = []
    for options in given["options"]:
        text = []
        scope["m"].summary(print_fn=text.append, **options)
        found[name].append(text)
print(json.dumps(found))
"""
# those that need layers which do not exist yet
OURS = {name: source for name, source in SUMMARIES.items() if "LSTM" not in source}


@pytest.fixture(scope="module")
def summaries() -> Any:
    """The tables of the same models, by Keras."""
    return keras_oracle.tell(SUMMARY, {"models": OURS, "options": OPTIONS})


@pytest.mark.parametrize("name", OURS)
def test_summary_is_that_of_keras(summaries: Any, name: str) -> None:
    keras.utils.clear_session()
    scope: dict[str, Any] = {"keras": keras, "L": L, "np": np}
    exec(OURS[name], scope)
    for options, wanted in zip(OPTIONS, summaries[name], strict=True):
        text: list[str] = []
        scope["m"].summary(print_fn=text.append, **options)
        if name == "subclassed, built":  # Keras keeps the size of the batch with which a Sequential was built
            text = [one.replace("(None, 3)", "(2, 3)   ") for one in text]
        assert text == wanted, options


# --- Sequential -------------------------------------------------------------------------------------------------------


def test_sequential_grows_and_shrinks() -> None:
    model = keras.Sequential()
    assert model.layers == [] and not model.built
    model.add(keras.Input((4,)))
    model.add(L.Dense(3))
    assert model.built and model.output_shape == (None, 3)
    model.add(L.Dense(2, name="last"))
    assert model.output_shape == (None, 2) and len(model.weights) == 4
    assert model(ones(1, 4)).shape == (1, 2)
    assert model.pop().name == "last"
    assert model.output_shape == (None, 3) and model(ones(1, 4)).shape == (1, 3)
    model.add(L.Dense(7))
    assert model(ones(1, 4)).shape == (1, 7)
    for _ in range(2):
        model.pop()
    assert not model.layers
    with pytest.raises(ValueError, match="none"):
        model.pop()


def test_deferred_build() -> None:
    model = keras.Sequential([L.Dense(3), L.Dense(2)])
    assert not model.built and model.inputs is None and model.weights == []
    for wanted in ("input_shape", "output_shape", "output"):
        with pytest.raises(AttributeError):
            getattr(model, wanted)
    with pytest.raises(ValueError, match="built"):
        model.count_params()
    model.build((None, 4))
    assert model.built and model.input_shape == (None, 4) and model.count_params() == 23
    other = keras.Sequential([L.Dense(3), L.Dense(2)])
    assert other(ones(5, 4)).shape == (5, 2)
    assert other.input_shape == (None, 4)
    assert other(ones(2, 4)).shape == (2, 2)


def test_failed_deferred_build_can_be_mended() -> None:
    model = keras.Sequential([L.Dense(3), L.Reshape((7,))])
    with pytest.raises(ValueError, match="target_shape"):
        model(ones(2, 4))
    assert not model.built
    model.pop()
    assert model(ones(2, 4)).shape == (2, 3)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: keras.Sequential([L.Dense]), TypeError, "instance"),
        (lambda: keras.Sequential([lambda x: x]), TypeError, "Lambda"),
        (lambda: keras.Sequential([3]), TypeError, "a layer"),
        (lambda: keras.Sequential([L.Dense(1, name="a"), L.Dense(1, name="a")]), ValueError, "second 'a'"),
        (lambda: keras.Sequential([L.Dense(1), keras.Input((3,))]), ValueError, "first layer only"),
        (
            lambda: keras.Sequential([keras.Input((2, 3)), L.Dense(1), L.Conv2D(3, 3)]),
            ValueError,
            r"shape=\(None, 2, 1\)",
        ),
        (lambda: keras.Sequential().build((None, 3)), ValueError, "at least one layer"),
        (lambda: keras.Sequential([L.Dense(1)]).build(), ValueError, "one shape"),
        (lambda: keras.Model(ones(1, 2), ones(1, 2)), (TypeError, ValueError), "symbolic"),
        (lambda: keras.Model(inputs=keras.Input((2,)), outputs=keras.Input((3,))), ValueError, "input"),
        (lambda: keras.Model(keras.Input((2,)), L.Dense(1)(keras.Input((2,)))), ValueError, "input"),
    ],
)
def test_models_that_cannot_be(make: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        make()
    assert isinstance(caught.value, HornbeamError)


def test_a_layer_that_does_not_fit_is_not_added() -> None:
    model = keras.Sequential([keras.Input((4,)), L.Dense(3)])
    with pytest.raises(ValueError):
        model.add(L.Conv2D(3, 3))
    assert len(model.layers) == 1 and model(ones(1, 4)).shape == (1, 3)


# --- Functional -------------------------------------------------------------------------------------------------------


def two_inputs() -> Any:
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    return keras.Model([a, b], L.Concatenate()([a, b]), name="joins")


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        (lambda: [ones(1, 4)], r"2 input\(s\).*got 1.*\['a', 'b'\]"),
        (lambda: [ones(1, 4), ones(1, 4)], r"input 'b' of model 'joins'.*shape=\(None, 3\).*shape=\(1, 4\)"),
        (lambda: {"a": ones(1, 4)}, r"keys \['a', 'b'\].*\['a'\]"),
        (lambda: [ones(1, 4), None], r"input 'b'.*None"),
        (lambda: [ones(1, 4), ones(1, 2, 3)], r"shape=\(1, 2, 3\)"),
    ],
)
def test_inputs_that_do_not_fit(inputs: Any, says: str) -> None:
    model = two_inputs()
    with pytest.raises(ValueError, match=says):
        model(inputs())
    assert model([ones(1, 4), ones(1, 3)]).shape == (1, 7)


def test_inputs_by_name_and_by_place() -> None:
    model = two_inputs()
    by_place = numpy(model([ones(1, 4), 2 * ones(1, 3)]))
    assert np.array_equal(by_place, numpy(model({"b": 2 * ones(1, 3), "a": ones(1, 4)})))
    assert np.array_equal(by_place, numpy(model((ones(1, 4), 2 * ones(1, 3)))))


def test_inputs_are_cast_and_fitted() -> None:
    a = keras.Input((1,))
    model = keras.Model(a, a * 2.0)
    assert model(np.ones((3,), "float32")).shape == (3, 1)
    assert keras.backend.standardize_dtype(model(np.ones((3, 1), "int64")).dtype) == "float32"


def test_optional_inputs() -> None:
    class Maybe(L.Layer):
        def call(self, x: Any, y: Any = None) -> Any:
            return x if y is None else x + y

    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b", optional=True)
    model = keras.Model({"a": a, "b": b}, Maybe()(a, b))
    assert numpy(model({"a": ones(1, 2), "b": None})).tolist() == [[1, 1]]
    assert numpy(model({"a": ones(1, 2), "b": ones(1, 2)})).tolist() == [[2, 2]]


def test_get_layer() -> None:
    model = keras.Sequential([keras.Input((4,)), L.Dense(3, name="first"), L.Dense(2, name="second")])
    assert model.get_layer("second") is model.layers[1] is model.get_layer(index=1) is model.get_layer(index=-1)
    with pytest.raises(ValueError, match="Did you mean 'first'"):
        model.get_layer("fist")
    for wrong in ({"index": 5}, {}, {"name": "first", "index": 0}):
        with pytest.raises(ValueError):
            model.get_layer(**wrong)


def test_equal_names_are_refused() -> None:
    a = keras.Input((2,))
    with pytest.raises(ValueError, match=r"several named \['same'\]"):
        keras.Model(a, L.Dense(1, name="same")(L.Dense(1, name="same")(a)))


def test_deep_graphs() -> None:
    a = x = keras.Input((2,))
    for _ in range(1000):
        x = L.ReLU()(x) + 1.0
    model = keras.Model(a, x)
    assert len(model.layers) == 1001
    assert numpy(model(ones(1, 2)))[0, 0] == 1001
    again = keras.models.model_from_json(model.to_json())
    assert len(again.operations) == 2001
    assert len(keras.models.clone_model(model).operations) == 2001
    deep = keras.Sequential([keras.Input((2,)), *(L.ReLU() for _ in range(1000))])
    assert deep(ones(1, 2)).shape == (1, 2) and deep.output_shape == (None, 2)


def test_a_model_of_intermediate_tensors_shares_the_layers() -> None:
    a = keras.Input((4,))
    h = L.Dense(3)(a)
    model = keras.Model(a, L.Dense(2)(h))
    first, second = keras.Model(a, h), keras.Model(h, model.output)
    x = np.random.RandomState(0).normal(size=(2, 4)).astype("float32")
    np.testing.assert_allclose(numpy(second(first(x))), numpy(model(x)), rtol=1e-6)
    assert second.weights == model.layers[2].weights


def test_clone_with_functions() -> None:
    model = keras.Sequential([keras.Input((4,)), L.Dense(3, name="a"), L.Dense(2, name="b")])

    def wider(layer: Any) -> Any:
        config = layer.get_config()
        config["units"] = 5 if layer.name == "a" else 2
        return type(layer).from_config(config)

    assert keras.models.clone_model(model, clone_function=wider).layers[0].units == 5
    start = keras.Input((4,))
    clone = keras.models.clone_model(keras.Model(model.inputs, model.outputs), input_tensors=start)
    assert clone.input is start or clone.inputs[0] is start
    calls = []

    def called(layer: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(layer.name)
        return layer(*args, **kwargs)

    keras.models.clone_model(keras.Model(model.inputs, model.outputs), call_function=called)
    assert calls == ["a", "b"]


# --- subclasses -------------------------------------------------------------------------------------------------------


class Two(keras.Model):
    """Layers in an attribute and in a list."""

    def __init__(self, units: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.first = L.Dense(units)
        self.rest = [L.Dropout(0.5), L.Dense(2)]

    def call(self, x: Any, training: bool = False) -> Any:
        x = self.first(x)
        for one in self.rest:
            x = one(x)
        return x


def test_subclass() -> None:
    model = Two(name="two")
    assert not model.built and model.inputs is None
    assert model(ones(2, 4)).shape == (2, 2)
    assert model.built and [type(one).__name__ for one in model.layers] == ["Dense", "Dropout", "Dense"]
    assert model.compute_output_shape((7, 4)) == (7, 2)
    assert model.get_config()["units"] == 3
    again = Two.from_config(json.loads(json.dumps(model.get_config())))
    again.build((None, 4))
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(numpy(again(ones(2, 4))), numpy(model(ones(2, 4))))
    other = keras.models.clone_model(model)
    assert isinstance(other, Two) and other is not model
    with pytest.raises(AttributeError):
        model.output_shape  # noqa: B018


class Sums(keras.Model):
    """Takes two tensors, or one, in one structure or by name; one of its layers has no `build` either."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = Two()
        self.other = keras.Sequential([L.Dense(3), L.Dense(2)])

    def call(self, x: Any, y: Any = None) -> Any:
        if isinstance(x, dict):
            x, y = x["a"], x["b"]
        return self.first(x) + (0 if y is None else self.other(y))


class Pair(Sums):
    def call(self, x: Any, y: Any) -> Any:
        return super().call(x, y)


class Words(keras.Model):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = L.Embedding(5, 2)

    def call(self, x: Any) -> Any:
        return self.words(x)


@pytest.mark.parametrize(
    ("cls", "arguments", "shapes"),
    [
        (Two, (ones(2, 4),), {"input_shape": [2, 4]}),
        (Sums, ({"a": ones(2, 4), "b": ones(2, 3)},), {"input_shape": {"a": [2, 4], "b": [2, 3]}}),
        (Pair, (ones(2, 4), ones(2, 3)), {"shapes_dict": {"x_shape": [2, 4], "y_shape": [2, 3]}}),
        (Words, (np.ones((2, 3), "int32"),), {"input_shape": [2, 3]}),
    ],
    ids=["one tensor", "a dict", "two tensors", "whole numbers"],
)
def test_a_subclass_that_was_only_called_is_saved_and_loaded(cls, arguments, shapes, tmp_path) -> None:
    model = cls()
    wanted = numpy(model(*arguments))
    assert json.loads(json.dumps(model.get_build_config())) == shapes
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", custom_objects={one.__name__: one for one in (cls, Two)})
    assert again.built and len(again.weights) == len(model.weights)
    np.testing.assert_array_equal(numpy(again(*arguments)), wanted)


def test_a_subclass_whose_call_cannot_be_followed_says_how_to_be_loaded(tmp_path) -> None:
    class Values(Two):
        ready = True

        def call(self, x: Any) -> Any:
            if not self.ready:
                raise RuntimeError("not without values")
            return super().call(x)

    model = Values()
    model(ones(2, 4))
    Values.ready = False
    model.save(tmp_path / "model.keras")
    with pytest.warns(UserWarning, match="build` of its own"), pytest.raises(ValueError, match="expected 0 variables"):
        keras.models.load_model(tmp_path / "model.keras", custom_objects={"Values": Values})


def test_subclass_made_from_a_graph() -> None:
    class Graph(keras.Model):
        def __init__(self, units: int, **kwargs: Any) -> None:
            start = keras.Input((4,))
            super().__init__(start, L.Dense(units)(start), **kwargs)
            self.units = units

        def twice(self, x: Any) -> Any:
            return self(x) * 2

    model = Graph(3, name="graph")
    assert model.built and model.output_shape == (None, 3) and model.twice(ones(1, 4)).shape == (1, 3)
    again = Graph.from_config(model.get_config())
    assert isinstance(again, Graph) and again.units == 3 and again.name == "graph"

    class Bare(keras.Model):
        pass

    start = keras.Input((4,))
    bare = Bare(start, L.Dense(2)(start))
    assert isinstance(bare, Bare) and bare(ones(1, 4)).shape == (1, 2)
    assert isinstance(Bare.from_config(bare.get_config()), Bare)


def test_subclass_inside_a_graph() -> None:
    start = keras.Input((4,))
    model = keras.Model(start, Two()(start))
    assert model.output_shape == (None, 2) and len(model.weights) == 4


def test_trainable_of_models() -> None:
    inner = keras.Sequential([keras.Input((4,)), L.Dense(3), L.BatchNormalization()])
    start = keras.Input((4,))
    model = keras.Model(start, L.Dense(1)(inner(start)))
    assert (len(model.trainable_weights), len(model.non_trainable_weights)) == (6, 2)
    inner.trainable = False
    assert (len(model.trainable_weights), len(model.non_trainable_weights)) == (2, 6)
    before = numpy(inner.layers[1].moving_mean)
    model(ones(2, 4), training=True)
    np.testing.assert_array_equal(before, numpy(inner.layers[1].moving_mean))
    model.trainable = True
    assert len(model.trainable_weights) == 6


def test_attributes_that_are_taken() -> None:
    model = Two()
    with pytest.raises((ValueError, AttributeError), match="layers"):
        model.layers = []


def test_paths_of_variables_name_each_model_once():
    def net():
        inner = keras.Sequential([keras.layers.Dense(3, name="first")], name="inner")
        return keras.Sequential([inner], name="net")

    built, called = net(), net()
    built.build((None, 4))
    called(np.ones((2, 4), "float32"))
    for model in (built, called):
        assert [one.path for one in model.weights] == ["net/inner/first/kernel", "net/inner/first/bias"]
