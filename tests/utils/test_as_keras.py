"""`Config`, the older form of objects, name scopes and trees: each line gives what it gives on Keras."""

import warnings
from contextlib import ExitStack

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import legacy, tree
from hornbeam.errors import ArgumentError, UnknownAttributeError
from tests import keras_oracle

# Names that the lines below use; the text runs on both sides.
NAMES = """
from contextlib import ExitStack
C, ns, T = keras.utils.Config, keras.name_scope, keras.tree
S, D = keras.legacy.saving.serialize_keras_object, keras.legacy.saving.deserialize_keras_object
A, B = object(), object()
def nest(*scopes):
    with ExitStack() as stack:
        for one in scopes:
            stack.enter_context(one)
        return keras.Variable(1.0, name="v").path
def twice(scope):
    return nest(scope, scope), nest(scope)
def after(change, *names, **values):
    config = C(**values)
    for name in names:
        getattr(config, name)()
    exec(change)
    return config
@keras.saving.register_keras_serializable("p")
class R:
    def __init__(self, a=1): self.a = a
    def get_config(self): return {"a": self.a}
@keras.saving.register_keras_serializable("p")
def rf(x): return x
class Plain:
    pass
class Outer:
    def __init__(self, inner=None, f=None): self.inner, self.f = inner, f
    def get_config(self): return {"inner": self.inner, "f": self.f}
layers, known = vars(keras.layers), {"R": R, "rf": rf, "Plain": Plain}
"""
CONFIGS = [
    "C()", "C(a=1, b='x')", "str(C(a=1))", "C(a=1).a", "C(a=1)['a']", "C(a=1).z", "C(a=1)['z']", "C({'a': 1})",
    "after('config.d = 3')", "after('config[1] = 2')", "'a' in C(a=1)", "len(C(a=1, b=2))", "list(C(a=1, b=2))",
    "C(a=C(b=1))", "C(a=C(b=1)).as_dict()", "C(a=[C(b=1)])", "C(a=1).to_json()", "C(a=C()).to_json()",
    "after('del config.a', a=1)", "after('del config[\"a\"]', a=1, b=2)", "after('config.update(a=5)', a=1)",
    "after('config.update({\"a\": 6}, b=7)', a=1)", "after('config.update(3)')", "after('config.update([(\"b\", 2)])')",
    *(f"after({change!r}, 'freeze', a=1)" for change in (
        "config.a = 9", "config['a'] = 3", "config.new = 1", "config.update(a=1)", "config.pop('a')", "del config['a']",
    )),
    "after('config.a = 9', 'freeze', 'unfreeze', a=1)", "after('', 'freeze').frozen", "C().frozen", "C(a=1) == C(a=1)",
    "list(C(a=1).items())", "list(C(a=1).keys())", "list(C(a=1).values())", "C(a=1).pop('a')", "C().pop('z')",
    "C().pop('z', 1)", "C(a=1).get('a')", "C().get('z')", "C().get('z', 3)", "{**C(a=1)}", "bool(C())", "C(_a=1)",
    "C(as_dict=3)", "C(frozen=1)", "after('config.frozen = True')", "after('config._x = 3')", "hasattr(C(), 'shape')",
    "T.flatten(C(a=1))[0]", "__import__('copy').deepcopy(C(a=1))",
    "__import__('pickle').loads(__import__('pickle').dumps(C(a=1)))",
]  # fmt: skip
OBJECTS = [
    "S(None)", "S(keras.regularizers.L2(0.5))", "S(keras.losses.MeanSquaredError())", "S(keras.activations.relu)",
    "S(lambda x: x)", "S(3)", "S('a')", "S({'a': 1})", "S(R(3))", "S(rf)", "S(Plain())", "S(Outer(R(2), rf))",
    "S(Outer([R(2)], 'text'))['config']['f']", "S(keras.initializers.Zeros())", "S(keras.losses.mean_squared_error)",
    "D(None)", "D({'class_name': 'p>R', 'config': {'a': 4}}).a",
    "D({'class_name': 'Dense', 'config': {'units': 2}}, layers).units",
    "D({'class_name': 'Dense', 'config': {'units': 2}})",
    "D({'class_name': 'Nope', 'config': {}}, layers, None, 'layer')",
    "D({'config': {}})", "D({'class_name': 'Dense'}, layers)", "D(3)", "D('R', custom_objects=known).a", "D(rf) is rf",
    "D(R)",
    "D(R(1))", "D({'class_name': 'R', 'config': {'a': 4}}, custom_objects=known).a",
    "type(D({'class_name': 'Plain', 'config': {}}, custom_objects=known)).__name__",
    "D({'class_name': 'Plain', 'config': {'a': 4}}, custom_objects=known)", "D('rf', custom_objects=known) is rf",
    "D({'class_name': 'rf', 'config': {}}, custom_objects=known)",
    "D(S(keras.Sequential([keras.layers.Dense(1, name='e')])), {'Sequential': keras.Sequential}).layers[0].name",
    "type(D(S(keras.layers.Dense(1, kernel_regularizer='l2')), layers).kernel_regularizer).__name__",
    "S is keras.utils.legacy.serialize_keras_object", "D is keras.utils.legacy.deserialize_keras_object",
]  # fmt: skip
SCOPES = [
    "nest(ns('a'))", "nest(ns('a'), ns('b'))", "nest(ns('a'), ns('a'))", "nest(ns(''))",
    "nest(ns('a'), ns(''), ns('b'))",
    "twice(ns('a'))", "nest(ns('a', caller=A), ns('a', caller=A))", "nest(ns('a', caller=A), ns('a', caller=B))",
    "nest(ns('a', caller=A), ns('b', caller=A))", "nest(ns('a', caller=A), ns('b'), ns('a', caller=A))",
    "nest(ns('a', caller=A), ns('a', caller=A, deduplicate=False))",
    "nest(ns('a', caller=A, deduplicate=False), ns('a', caller=A))", "nest(ns('a'), ns('b', override_parent='x/y'))",
    "nest(ns('a'), ns('b', override_parent='x/y'), ns('c'))", "nest(ns('a'), ns('b', override_parent=''))",
    "ns(3)", "ns('a/b')", "ns('a', foo=1)", "ns('a').name", "isinstance(ns('a'), ns)",
]  # fmt: skip
TREES = [
    "T.map_structure(lambda x: x is None, [1, None])",
    "T.map_structure(lambda x: (x, 1), [1, None], none_is_leaf=False)",
    "T.map_structure(lambda x, y: (x, y), [1, None], [1, 2], none_is_leaf=False)",
    "T.map_structure(lambda x, y: (x, y), [1, None], [1, None], none_is_leaf=False)",
    "T.map_structure(lambda x, y: (x, y), [None, 1], [1, 1])", "T.map_structure(lambda: 1)", "T.map_structure(3, [1])",
    "T.map_structure(lambda x: x, None, none_is_leaf=False)", "T.map_structure(lambda x: x, [], foo=1)",
    "T.map_structure(lambda x, y: x + y, [1], (1,))", "T.map_structure(lambda x, y: x + y, {'a': 1}, {'b': 1})",
    *(f"T.assert_same_structure({a}, {b})" for a, b in (
        ("[1]", "(1,)"), ("[1]", "[2]"), ("{'a': 1}", "{'a': 2}"), ("[1]", "[1, 2]"), ("[None]", "[1]"), ("1", "[1]"),
        ("{'a': [1]}", "{'a': (1,)}"),
    )),
]  # fmt: skip
LINES = [*CONFIGS, *OBJECTS, *SCOPES, *TREES]
PROGRAM = NAMES + """
found = {}
for line in given:
    try:
        found[line] = repr(eval(line))
    except Exception as problem:
        found[line] = next(one.__name__ for one in type(problem).__mro__ if one.__module__ == "builtins")
"""


@pytest.fixture(scope="module")
def both():
    ours = {"keras": keras, "np": np, "given": LINES}
    exec(PROGRAM, ours)
    return ours["found"], keras_oracle.tell(PROGRAM + "print(json.dumps(found))", LINES)


@pytest.mark.parametrize("line", LINES)
def test_as_keras(both, line):
    ours, theirs = both
    assert ours[line] == theirs[line]


def test_errors_say_what_to_do():
    config = keras.utils.Config(units=1)
    with pytest.raises(UnknownAttributeError, match="units"):
        config.unit  # noqa: B018
    config.freeze()
    with pytest.raises(ArgumentError, match="unfreeze"):
        config.units = 2
    assert config.as_dict() == {"units": 1}
    with pytest.raises(ArgumentError, match="Dense"):
        legacy.saving.deserialize_keras_object({"class_name": "Dens", "config": {}}, vars(keras.layers) | {"Dense": 1})


def test_a_scope_ends_as_it_began_after_an_error():
    with ExitStack() as stack:
        stack.enter_context(keras.name_scope("outer"))
        with pytest.raises(ZeroDivisionError), keras.name_scope("inner"):
            raise ZeroDivisionError
        assert keras.Variable(1.0, name="v").path == "outer/v"


def test_check_types_says_that_it_has_no_effect():
    with pytest.warns(DeprecationWarning, match="assert_same_paths"):
        tree.assert_same_structure([1], [2], check_types=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree.assert_same_structure([1], [2])
