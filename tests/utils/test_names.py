"""Every name of the packages that load lazily leads to something."""

import importlib

import pytest

from hornbeam.errors import UnknownAttributeError

PACKAGES = ["hornbeam.utils", "hornbeam.datasets"]


@pytest.mark.parametrize("name", PACKAGES)
def test_every_name_loads(name):
    package = importlib.import_module(name)
    for one in package.__all__:
        assert getattr(package, one) is not None
        assert one in dir(package)


@pytest.mark.parametrize("name", PACKAGES)
def test_unknown_names(name):
    package = importlib.import_module(name)
    with pytest.raises(UnknownAttributeError, match=f"{name}: .*'nonsense'"):
        _ = package.nonsense
    with pytest.raises(AttributeError):
        _ = package.__wrapped__


def test_the_nearest_name_is_offered():
    package = importlib.import_module("hornbeam.utils")
    with pytest.raises(AttributeError, match="Did you mean 'to_categorical'"):
        _ = package.to_categoricl
