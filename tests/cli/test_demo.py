"""The demo: from the data to the pictures, on few digits, and the pictures by themselves."""

import numpy as np
import pytest

from hornbeam.cli import demo, demo_figures
from hornbeam.cli.main import main
from tests.needs import needs, needs_gradients

pytestmark = needs("matplotlib", "sklearn", reason="the demo draws with the one, the other brings its digits")



def is_picture(path) -> bool:
    from PIL import Image

    with Image.open(path) as image:
        pixels = np.asarray(image.convert("L"))
    return min(pixels.shape) > 400 and pixels.std() > 5


@needs_gradients
def test_the_demo_from_end_to_end(tmp_path, capsys):
    assert main(["demo", "--epochs", "3", "--output", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    for part in ("Total params", "Epoch 3/3", "val_loss", "exactly the same", "accuracy 9", "seconds in all"):
        assert part in out
    assert "\x1b" not in out and "\b" not in out  # what is no terminal gets plain lines
    names = {one.name for one in (tmp_path / "out").iterdir()}
    assert names == {"best_model.keras", "training_curves.png", "confusion_matrix.png", "sample_predictions.png"}
    assert all(is_picture(one) for one in (tmp_path / "out").glob("*.png"))


@pytest.mark.backend_free
def test_the_small_digits_are_split_once_and_for_all():
    digits = demo._small_digits()
    assert digits.x_train.shape == (1348, 8, 8, 1) and digits.x_test.shape == (449, 8, 8, 1)
    assert digits.x_train.min() == 0 and digits.x_train.max() == 1 and digits.x_train.dtype == "float32"
    assert set(digits.y_test) == set(range(10))
    again = demo._small_digits()
    assert np.array_equal(digits.x_test, again.x_test) and np.array_equal(digits.y_train, again.y_train)


HISTORY = {"acc": [0.5, 0.9], "loss": [2.0, 1.0], "val_acc": [0.6, 0.8], "val_loss": [1.5, 1.2]}


@pytest.mark.backend_free
@pytest.mark.parametrize("mistakes", [0, 1, 40])
@pytest.mark.parametrize("count", [5, 200])
def test_pictures_of_any_outcome(tmp_path, mistakes, count):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 10, count).astype("uint8")
    probabilities = np.full((count, 10), 0.01, "float32")
    guesses = labels.astype(int)
    guesses[:mistakes] = (guesses[:mistakes] + 1) % 10
    probabilities[np.arange(count), guesses] = 0.91
    paths = list(demo_figures.draw_all(HISTORY, generator.random((count, 8, 8, 1)), labels, probabilities, tmp_path))
    assert len(paths) == 3 and all(is_picture(one) for one in paths)


@pytest.mark.backend_free
def test_one_epoch_can_be_drawn():
    demo_figures.training_curves({name: values[:1] for name, values in HISTORY.items()})


def test_a_missing_library_is_told_before_training(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo_figures.importlib.util, "find_spec", lambda name: None)
    assert main(["demo", "--output", str(tmp_path)]) == 2
    assert "hornbeam[demo]" in capsys.readouterr().err
