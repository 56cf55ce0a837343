"""The groups of weight files are those that keras writes: the same structures, built there and here."""

import weakref

import h5py
import pytest

from hornbeam import saving
from hornbeam.saving import layout
from tests import keras_oracle

# What stands in the attributes of `h`; D(n) makes a layer of class Dense, R() one of class ReLU without variables.
CASES = {
    "attributes in order of names": "h.zeta = D(1); h.alpha = D(2); h.Big = D(3)",
    "private attributes last": "h._p = D(1); h.z = D(2); h._q = h.z; s = D(3); h._s = s; h.t = s; h.U = s",
    "digits as text": "h.y9 = D(1); h.y10 = h.y9; h.y2 = D(2)",
    "list": "h.a = [D(1), D(2), R(), D(3)]",
    "nested lists": "h.a = [D(1), [D(2), [D(3)]], (D(4), D(5))]",
    "dict by order, not by key": "h.a = {'b': D(1), 'a': D(2), 3: D(3)}",
    "nested dict": "h.a = {'x': {'y': [D(1)]}, 'z': D(2)}",
    "tuple": "h.a = (D(1), R(), D(2))",
    "empty containers count": "h.a = [[1, 2], [D(1)], [], [D(2)], {'q': 1}, {'q': D(3)}]",
    "other things in a list": "h.a = [1, D(1), None, 'text', D(2)]; h.b = []; h.c = [1, 2]",
    "one object in several places": "s = D(1); h.zz = [s]; h.aa = {'k': s}; h.bb = s; h.ab = [D(2), s, D(3)]",
    "in a list twice": "s = D(1); h.a = [s, D(2), s, D(3)]",
    "without variables": "h.act = R()",
    "names of classes": "h.a = [named(n) for n in ('HTTPServer2DThing', 'X__Y', 'LSTM2', 'ReLU6x', 'A', '_P')]",
    "inner holders": "h.b = holder(); h.b.x = D(1); h.a = [holder(), holder()]; h.a[1].y = D(2)",
    "layers as a plain attribute": "h.layers = [D(1)]; h._layers2 = [D(2)]; h.m = D(3)",
}
MODELS = {
    "before and after `layers`": "m.z = D(1); m.a = D(2); m.b = [D(3), D(4)]",
    "private attributes of models": "m._aa = D(1); m.Upper = D(2); m._zz = [D(3)]; m.ab = D(4)",
    "members met before count": "m.d = D(1); m.zl = [D(2), D(3)]; m.ml = [D(4)]; m.b = {'k': D(5)}",
    "a shared layer of a model": "s = D(1); m.zz = [s]; m.aa = {'k': s}; m.bb = s; m._hid = D(2)",
}
PROPERTY = "aprop"

KERAS_PROGRAM = """
cases, models = given
layers = keras.layers
class Holder(layers.Layer):
    def build(self, s):
        for one in self._flatten_layers(include_self=False):
            if not one.built: one.build((None, 2))
    def call(self, x): return x
class WithProperty(Holder):
    @property
    def aprop(self): return self._hidden
    @property
    def broken(self): raise ValueError
class Thing(keras.Model):
    def build(self, s):
        for one in self._flatten_layers(include_self=False):
            if not one.built: one.build((None, 2))
    def call(self, x): return x
D, R, holder = layers.Dense, layers.ReLU, Holder
named = lambda name: type(name, (layers.Dense,), {})(1)
for number, source in enumerate(cases):
    h = WithProperty() if source.startswith("PROPERTY") else Holder()
    exec(source.removeprefix("PROPERTY"), {**globals(), "h": h})
    m = keras.Sequential([keras.Input((2,)), h]); m.save_weights(f"{folder}/case{number}.weights.h5")
for number, source in enumerate(models):
    m = Thing(); exec(source, {**globals(), "m": m}); m.build((None, 2))
    m.save_weights(f"{folder}/model{number}.weights.h5")
"""


def groups_of(path, below):
    """Each `vars` group below a path with the shapes in it."""
    found = {}

    def look(name, item):
        if isinstance(item, h5py.Group) and name.split("/")[-1] == "vars" and name.startswith(below):
            found[name.removeprefix(below)] = [item[key].shape for key in sorted(item)]

    with h5py.File(path) as file:
        file.visititems(look)
    return found


ALL_CASES = {**CASES, "a property first met": "PROPERTYh._hidden = D(1); h.c = D(2)"}


@pytest.fixture(scope="module")
def written_by_keras():
    return keras_oracle.ask(KERAS_PROGRAM, [list(ALL_CASES.values()), list(MODELS.values())])


@pytest.fixture
def names(fakes):
    class Holder(fakes.Fake):
        pass

    class WithProperty(Holder):
        @property
        def aprop(self):
            return self._hidden

        @property
        def broken(self):
            raise ValueError

    class ReLU(fakes.Fake):
        pass

    class Sequential(fakes.Fake):
        pass

    def named(name):
        return type(name, (fakes.Dense,), {})(1)

    return {
        "D": fakes.Dense, "R": ReLU, "holder": Holder, "named": named, "Sequential": Sequential,
        "WithProperty": WithProperty, "Thing": fakes.FakeModel,
    }


@pytest.mark.parametrize("case", ALL_CASES)
def test_groups_of_layers(case, written_by_keras, names, tmp_path):
    source = ALL_CASES[case]
    h = names["WithProperty"]() if source.startswith("PROPERTY") else names["holder"]()
    exec(source.removeprefix("PROPERTY"), {**names, "h": h})
    saving.save_weights(names["Sequential"](layers=[h]), tmp_path / "ours.weights.h5")
    number = list(ALL_CASES).index(case)
    below = "layers/with_property/" if source.startswith("PROPERTY") else "layers/holder/"
    expected = groups_of(written_by_keras / f"case{number}.weights.h5", below)
    assert groups_of(tmp_path / "ours.weights.h5", below) == expected
    assert len(expected) > 1


@pytest.mark.parametrize("case", MODELS)
def test_groups_of_models(case, written_by_keras, names, tmp_path):
    m = names["Thing"]()
    exec(MODELS[case], {**names, "m": m})
    saving.save_weights(m, tmp_path / "ours.weights.h5")
    expected = groups_of(written_by_keras / f"model{list(MODELS).index(case)}.weights.h5", "")
    assert groups_of(tmp_path / "ours.weights.h5", "") == expected
    assert len(expected) > 2


def test_an_object_that_holds_itself_is_written_once(fakes):
    one = fakes.Fake(child=fakes.Dense(1))
    one.circle = [one, {"again": one}]
    one.circle.append(one.circle)
    assert [part.path for part in layout.parts(one)] == ["", "child"]


def test_lists_that_are_made_anew_are_not_taken_for_each_other(fakes):
    """`layers` is a new list each time: the next may lie where a forgotten one lay, and is met for the first time."""

    class Listing(list):
        """A list that can be watched."""

    made = []

    class Holder(fakes.Fake):
        @property
        def parts(self):
            members = Listing([self._one])
            made.append(weakref.ref(members))
            return members

    outer = fakes.Fake(a=Holder(_one=fakes.Dense(1)), b=Holder(_one=fakes.Dense(2)))
    walk = layout.parts(outer)
    paths = [next(walk).path for _ in range(5)]
    assert paths == ["", "a", "a/parts/dense", "b", "b/parts/dense"]
    assert len(made) == 2 and all(one() is not None for one in made)


def test_metrics_and_seeds_are_passed_over(fakes):
    class Mean(fakes.Fake):
        tracked_kind = "metric"

    class Seed(fakes.Fake):
        tracked_kind = "seed"

    one = fakes.Fake(m=Mean(shapes=[()]), s=[Seed(shapes=[()]), fakes.Dense(1)], z={1, 2})
    assert [part.path for part in layout.parts(one)] == ["", "s/dense"]


# --- classes that were renamed (keras-team/keras#20322) -----------------------------------------------------------


def renamed_cases(fakes):
    class MyDense(fakes.Dense):
        pass

    class Other(fakes.Fake):
        def __init__(self, units, name):
            super().__init__(name, [(2, units), (units,)])

    dense = fakes.Dense
    return {
        "all became a subclass": ([dense(1, "a"), dense(2, "b")], [MyDense(1, "a"), MyDense(2, "b")]),
        "one became a subclass": ([dense(1, "a"), dense(2, "b"), dense(3, "c")],
                                  [MyDense(1, "x"), dense(2, "y"), dense(3, "z")]),
        "a subclass became its base": ([MyDense(1, "a"), dense(2, "b")], [dense(1, "a"), dense(2, "b")]),
        "another class of the same name as object": ([dense(1, "a"), dense(2, "b")], [Other(1, "a"), Other(2, "b")]),
    }


@pytest.mark.parametrize("case", range(4))
def test_weights_of_renamed_classes_are_found(case, fakes, tmp_path):
    old, new = list(renamed_cases(fakes).values())[case]
    for number, one in enumerate(old):
        for variable in one._own:
            variable.assign(variable.numpy() * 0 + number)
    saving.save_weights(fakes.Fake(layers=old), tmp_path / "old.weights.h5")
    saving.load_weights(fakes.Fake(layers=new), tmp_path / "old.weights.h5")
    assert [float(one.values()[0].max()) for one in new] == [float(number) for number in range(len(new))]
