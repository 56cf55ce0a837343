"""Which backend a process gets, by its environment and by what is installed."""

import importlib.util

import pytest

from hornbeam import _config
from hornbeam.errors import UnknownNameError


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    monkeypatch.delenv("HORNBEAM_BACKEND", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [({"jax", "torch", "numpy"}, "jax"), ({"torch", "numpy"}, "numpy"), ({"numpy"}, "numpy")],
)
def test_the_first_that_is_installed_and_written(monkeypatch, installed, chosen):
    monkeypatch.setattr(_config, "available", lambda: ("jax", "numpy"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in installed else None)
    assert _config.choose_backend() == chosen


def test_what_is_asked_for_is_not_replaced(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert _config.choose_backend() == "torch"
    monkeypatch.setenv("HORNBEAM_BACKEND", "numpy")
    assert _config.choose_backend() == "numpy"


def test_unknown_names(monkeypatch):
    monkeypatch.setenv("HORNBEAM_BACKEND", "jacks")
    with pytest.raises(UnknownNameError, match="jax"):
        _config.choose_backend()


def test_those_there_are():
    assert {"jax", "numpy"} <= set(_config.available()) <= set(_config.BACKENDS)
