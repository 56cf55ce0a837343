"""Objects to configs and back; the forms are those of keras, asked in a process of its own."""

import json

import numpy as np
import pytest

from hornbeam import saving
from hornbeam._wire import wire
from hornbeam.backend import active
from hornbeam.saving import config
from hornbeam.saving.config import deserialize_keras_object, serialize_keras_object
from hornbeam.saving.lookup import make_registry_functions
from hornbeam.symbolic import KerasTensor
from tests import keras_oracle


class Plain:
    def __init__(self, a=1, b=None):
        self.a, self.b = a, b

    def get_config(self):
        return {"a": self.a, "b": self.b}

    @classmethod
    def from_config(cls, given):
        return cls(given["a"], deserialize_keras_object(given["b"]))

    def __eq__(self, other):
        return type(self) is type(other) and (self.a, self.b) == (other.a, other.b)

    __hash__ = None


@saving.register_keras_serializable("tests")
class Registered(Plain):
    pass


@saving.register_keras_serializable("tests", "renamed")
def a_function(x):
    return x + 1


def not_registered(x):
    return x


# Values that keras and we write alike; the source runs in both, with `tensor`, `symbolic`, `Registered`, `np`.
ALIKE = [
    "None", "3", "1.5", "True", "'text'", "[1, [2, None]]", "{'a': {'b': [1]}}", "2 ** 70", "(1, (2, None))",
    "b'abc'", "'häß'.encode()", "slice(1, None, 2)", "slice(None)", "...", "[slice(0, 3), ...]",
    "np.float32(1.5)", "np.int64(3)", "np.bool_(True)", "np.float64(2.5)", "np.array(3.0)",
    "np.array([[1.0, 2.0]], 'float32')", "np.array([1, 2])", "np.array([True])", "np.zeros((0, 2))",
    "tensor([1.0, 2.0])", "symbolic((None, 2))", "{'x': symbolic((3,), 'int32')}",
    "Registered(3)", "[Registered(1), {'k': Registered(2, (1, 2))}]", "a_function", "[a_function]", "not_registered",
]

KERAS_PROGRAM = """
class Plain:
    def __init__(self, a=1, b=None): self.a, self.b = a, b
    def get_config(self): return {"a": self.a, "b": self.b}
@keras.saving.register_keras_serializable("tests")
class Registered(Plain): pass
@keras.saving.register_keras_serializable("tests", "renamed")
def a_function(x): return x
def not_registered(x): return x
tensor = lambda value: keras.ops.convert_to_tensor(value)
symbolic = lambda shape, dtype="float32": keras.KerasTensor(shape, dtype)
print(json.dumps([keras.saving.serialize_keras_object(eval(one)) for one in given]))
"""


@pytest.fixture(scope="module")
def of_keras():
    return dict(zip(ALIKE, keras_oracle.tell(KERAS_PROGRAM, ALIKE, backend="jax"), strict=True))


def evaluated(source):
    return eval(source, {
        "np": np, "Registered": Registered, "a_function": a_function, "not_registered": not_registered,
        "tensor": lambda value: active.asarray(np.array(value, "float32")),
        "symbolic": lambda shape, dtype="float32": KerasTensor(shape, dtype),
    })


@pytest.mark.parametrize("source", ALIKE)
def test_written_as_keras_does(source, of_keras):
    ours = json.loads(json.dumps(serialize_keras_object(evaluated(source))))
    theirs = of_keras[source]
    if "tensor" in source and active.name == "numpy":  # arrays are the tensors of that backend
        theirs["class_name"] = "__numpy__"
    if isinstance(ours, (dict, list)) and "Registered" in source:  # the module is that of the test
        ours, theirs = (json.loads(json.dumps(one).replace(f'"{__name__}"', "null")) for one in (ours, theirs))
    assert ours == theirs


ROUND = [
    "None", "3", "1.5", "'text'", "[1, [2, None]]", "{'a': {'b': [1]}}", "b'abc'", "slice(1, None, 2)", "...",
    "Registered(3)", "[Registered(1), {'k': Registered(2, [1, 2])}]", "Registered(1, Registered(2))", "a_function",
    "Registered", "[None, True]",
]


@pytest.mark.parametrize("source", ROUND)
def test_round_trip_through_text(source):
    value = evaluated(source)
    text = config.to_text(serialize_keras_object(value))
    assert deserialize_keras_object(config.from_text(text, "test")) == value


@pytest.mark.parametrize("dtype", ["float32", "float16", "int32", "bool", "bfloat16"])
def test_arrays_and_tensors_keep_their_dtype(dtype):
    tensor = active.asarray(np.array([0.0, 1.0]), dtype)
    again = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(tensor))))
    assert active.is_array(again)
    assert active.dtype(again) == dtype
    assert np.array_equal(np.asarray(active.to_numpy(again), "float32"), [0, 1])


def test_tuples_stay_tuples_in_python_and_become_lists_in_files():
    value = {"a": (1, (2, 3))}
    assert serialize_keras_object(value) == value
    assert deserialize_keras_object(serialize_keras_object(value)) == value
    assert deserialize_keras_object({"class_name": "__tuple__", "items": [1, {"class_name": "__tuple__", "items": []}]})


@pytest.mark.parametrize(
    "value",
    [{1}, 1j, object(), b"\xff", np.array(["a"]), range(3), np.array([object()])],
    ids=lambda v: type(v).__name__,
)
def test_what_cannot_be_saved_says_so(value):
    with pytest.raises(TypeError, match="expected"):
        serialize_keras_object({"deep": [value]})


def test_an_object_whose_config_holds_an_unsaveable_value_is_named():
    with pytest.raises(TypeError) as caught:
        serialize_keras_object(Registered(a={1}))
    assert "Registered" in "".join(caught.value.__notes__)


def test_custom_objects_by_argument_scope_and_registration():
    value = serialize_keras_object(Plain(5))
    with pytest.raises(TypeError, match=r"custom_objects=\{'Plain'"):
        deserialize_keras_object(value)
    assert deserialize_keras_object(value, {"Plain": Plain}) == Plain(5)
    with saving.CustomObjectScope({"Plain": Plain}):
        assert deserialize_keras_object(value) == Plain(5)
        assert saving.get_registered_object("Plain") is Plain
    assert saving.get_registered_object("Plain") is None
    assert deserialize_keras_object(serialize_keras_object(Registered(5))) == Registered(5)
    assert saving.custom_object_scope is saving.CustomObjectScope


def test_an_unknown_class_lists_near_names():
    value = serialize_keras_object(Registered(5))
    value.update(class_name="Registred", registered_name="tests>Registred")
    with pytest.raises(TypeError, match="register_keras_serializable"):
        deserialize_keras_object(value)


@pytest.mark.parametrize("name, expected", [("tests>Registered", "Registered"), ("tests>renamed", "a_function")])
def test_registered_names(name, expected):
    found = saving.get_registered_object(name)
    assert found.__name__ == expected
    assert saving.get_registered_name(found) == name
    assert name in saving.get_custom_objects()
    assert saving.get_registered_name(dict) == "dict"


def test_registration_refuses_classes_without_config():
    with pytest.raises(ValueError, match="get_config"):
        saving.register_keras_serializable()(type("Bare", (), {}))
    with pytest.raises(TypeError):
        saving.register_keras_serializable()(3)


def test_a_name_registered_again_means_the_new_class():
    first, second = (type("Again", (Plain,), {}) for _ in range(2))
    saving.register_keras_serializable("tests")(first)
    saving.register_keras_serializable("tests")(second)
    assert saving.get_registered_object("tests>Again") is second
    assert saving.get_registered_name(first) == "Again"


def test_shared_objects_are_one_again():
    inner = Registered(1)
    with config.ObjectSharingScope():
        value = serialize_keras_object([inner, {"again": inner}, Registered(1)])
    a, b, c = deserialize_keras_object(config.from_text(config.to_text(value), "test"))
    assert a == c and a is not c
    with config.loading():
        a, b, c = config.deserialize_value(config.from_text(config.to_text(value), "test"))
    assert a is b["again"]
    assert a is not c
    plain = serialize_keras_object([inner, inner])
    assert "shared_object_id" not in plain[0]


def test_an_address_that_comes_again_does_not_make_two_objects_one():
    # keras numbers by address; two objects that lived one after the other may have one
    value = [{**serialize_keras_object(Registered(n)), "shared_object_id": 7} for n in (1, 2, 1)]
    assert deserialize_keras_object(value) == [Registered(1), Registered(2), Registered(1)]


def test_lambdas_run_only_if_asked_for():
    offset = 10
    value = config.from_text(config.to_text(serialize_keras_object(lambda x, y=2: x + y + offset)), "test")
    with pytest.raises(ValueError, match="safe_mode=False"):
        deserialize_keras_object(value)
    assert deserialize_keras_object(value, safe_mode=False)(1) == 13
    layer_form = config.lambda_config(lambda x: x * 2)
    assert set(layer_form["config"]) == {"code", "defaults", "closure"}
    assert deserialize_keras_object(layer_form, safe_mode=False)(4) == 8


def test_errors_inside_from_config_name_the_object():
    value = serialize_keras_object(Registered(1))
    value["config"] = {"name": "mine"}
    with pytest.raises(TypeError, match="loading Registered 'mine'"):
        deserialize_keras_object(value)
    del value["config"]
    assert deserialize_keras_object(value) == value  # a plain dict


# --- get, serialize, deserialize ----------------------------------------------------------------------------------


@wire("keras.testkind.BigThing")
class BigThing(Plain):
    pass


@wire("keras.testkind.NeedsArgument")
class NeedsArgument:
    def __init__(self, needed):
        self.needed = needed

    def get_config(self):
        return {"needed": self.needed}

    @classmethod
    def from_config(cls, given):
        return cls(**given)


@wire("keras.testkind.big_thing")
def big_thing(x):
    return x


@wire("keras.testkind.relu_like")
def relu_like(x):
    return x


CLASSES = make_registry_functions("test thing", "keras.testkind", aliases={"bt": BigThing, "BT": BigThing})
FUNCTIONS = make_registry_functions(
    "activity", "keras.testkind", instantiate=False, prefer="function", bare_names=True, none=relu_like
)
ANY_CASE = make_registry_functions("test thing", "keras.testkind", any_case=True)


@pytest.mark.parametrize(
    "identifier, expected",
    [
        ("BigThing", BigThing), ("big_thing", BigThing), ("bt", BigThing), ("BT", BigThing), (BigThing, BigThing),
        ({"class_name": "BigThing", "config": {"a": 1, "b": None}}, BigThing),
        ({"class_name": "big_thing", "config": {"a": 1, "b": None}}, BigThing),
        ({"module": "keras.testkind", "class_name": "BigThing", "config": {"a": 1, "b": None}}, BigThing),
    ],
)
def test_get_makes_objects(identifier, expected, monkeypatch):
    monkeypatch.setitem(saving.registration._PACKAGES, "keras.testkind", "hornbeam")
    assert type(CLASSES.get(identifier)) is expected
    if not isinstance(identifier, type):
        assert type(CLASSES.deserialize(identifier)) is expected


def test_get_of_the_rest():
    one = BigThing()
    assert CLASSES.get(one) is one
    assert CLASSES.get(None) is None
    assert CLASSES.deserialize(None) is None
    assert CLASSES.get(not_registered) is not_registered
    assert FUNCTIONS.get(None) is relu_like
    assert FUNCTIONS.get("big_thing") is big_thing
    assert FUNCTIONS.serialize(relu_like) == "relu_like"
    assert CLASSES.serialize(relu_like)["config"] == "relu_like"
    assert FUNCTIONS.serialize(a_function)["config"] == "tests>renamed"
    assert FUNCTIONS.deserialize("relu_like") is relu_like
    assert type(ANY_CASE.get("BIGTHING")) is BigThing
    with saving.CustomObjectScope({"mine": not_registered}):
        assert FUNCTIONS.get("mine") is not_registered
    assert FUNCTIONS.deserialize("mine", {"mine": not_registered}) is not_registered
    assert type(CLASSES.get("tests>Registered")) is Registered


@pytest.mark.parametrize("identifier", ["BigThng", "bigthing", "", "function", 3, [], {"a": 1}])
def test_get_of_what_is_not_known(identifier):
    with pytest.raises(ValueError) as caught:
        CLASSES.get(identifier)
    if identifier == "BigThng":
        assert "Did you mean 'BigThing'" in str(caught.value)


def test_get_of_a_class_that_needs_arguments_says_so():
    with pytest.raises(TypeError, match=r"NeedsArgument\(\.\.\.\)"):
        CLASSES.get("needs_argument")


def test_the_three_functions_are_documented():
    for one in CLASSES:
        assert one.__doc__ and "test thing" in one.__doc__
        assert one.__module__ == "hornbeam.testkind"
