"""Small objects with the protocol that saving sees."""

from types import SimpleNamespace

import numpy as np
import pytest

from hornbeam import saving
from hornbeam.variable import Variable


class Fake:
    """An object with variables, parts in its attributes, and a config."""

    tracked_kind = "layer"

    def __init__(self, name="fake", shapes=(), **attributes):
        self.name = name
        self.built = True
        self.shapes = [tuple(one) for one in shapes]
        self._own = [Variable(np.full(shape, 0.5, "float32"), name=f"v{i}") for i, shape in enumerate(self.shapes)]
        for key, value in attributes.items():
            setattr(self, key, value)

    def _children(self):
        hidden = ("name", "built", "shapes", "_own")
        return [(key, value) for key, value in vars(self).items() if key not in hidden]

    def get_config(self):
        return {"name": self.name, "shapes": self.shapes}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def save_own_variables(self, store):
        for index, one in enumerate(self._own):
            store[str(index)] = one

    def load_own_variables(self, store):
        saving.weights.load_variables(store, self._own, self.name)

    def values(self):
        return [one.numpy() for one in self._own]


class Dense(Fake):
    def __init__(self, units=1, name="dense"):
        self.units = units
        super().__init__(name, [(2, units), (units,)])

    def _children(self):
        return []

    def get_config(self):
        return {"units": self.units, "name": self.name}


class FakeModel(Fake):
    tracked_kind = "layer"

    @property
    def layers(self):
        found = {}

        def walk(value):
            if isinstance(value, (list, tuple)):
                for one in value:
                    walk(one)
            elif isinstance(value, dict):
                for one in value.values():
                    walk(one)
            elif getattr(value, "tracked_kind", "") == "layer":
                found[id(value)] = value

        for _, value in self._children():
            walk(value)
        return list(found.values())


@pytest.fixture
def fakes():
    """The classes `Fake`, `Dense` and `FakeModel`."""
    return SimpleNamespace(Fake=Fake, Dense=Dense, FakeModel=FakeModel)
