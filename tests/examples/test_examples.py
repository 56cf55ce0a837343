"""The programs in examples/ run and learn."""

import importlib.util
from pathlib import Path

import pytest

from hornbeam.backend import active as backend

FOLDER = Path(__file__).parents[2] / "examples"
pytestmark = pytest.mark.skipif("gradients" not in backend.features, reason="the backend has no gradients, so no fit")


def load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_gan_draws_points_near_the_circle(capsys):
    gan = load("gan")
    untrained, trained = gan.main(100), gan.main(3000)
    assert trained < 0.2 < untrained
    text = capsys.readouterr().out
    assert "d_loss" in text and "g_loss" in text and "mean distance from the circle" in text


def test_two_optimizers_learn_the_digits(capsys):
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    assert load("two_optimizers").main(5) > 0.85
    assert "accuracy:" in capsys.readouterr().out


def test_every_example_is_tested():
    assert {one.stem for one in FOLDER.glob("*.py")} == {"gan", "two_optimizers"}
