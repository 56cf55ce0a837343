"""The programs in examples/ run and learn."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from tests.examples.programs import FOLDER, PROGRAMS, load
from tests.examples.record_gradients import FILE

pytestmark = pytest.mark.skipif("gradients" not in backend.features, reason="the backend has no gradients, so no fit")


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


@pytest.fixture(scope="module")
def recorded():
    with np.load(FILE) as file:
        return dict(file)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_learns(name, capsys):
    argument, least, most = PROGRAMS[name]
    needs_digits(name)
    program = load(name)
    untrained = program.main(1)
    assert least <= program.main(argument) <= most
    assert not least <= untrained <= most
    assert capsys.readouterr().out


@pytest.mark.parametrize("name", PROGRAMS)
def test_first_gradients_agree_across_backends(name, recorded):
    needs_digits(name)
    keras.config.set_reproducible_random(True)
    try:
        found = load(name).first_gradients()
    finally:
        keras.config.set_reproducible_random(None)
    assert len(found) == sum(key.startswith(f"{name}/") for key in recorded) > 0
    for number, one in enumerate(found):
        expected = recorded[f"{name}/{number}"]
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(one), expected, rtol=1e-5, atol=1e-5 * max(1.0, np.abs(expected).max())
        )


def needs_digits(name):
    if "sklearn" in (FOLDER / f"{name}.py").read_text():
        pytest.importorskip("sklearn", reason="the digits come with scikit-learn")


def test_every_example_is_tested():
    assert {one.stem for one in FOLDER.glob("*.py")} == {
        "gan", "image_classification", "two_optimizers", *PROGRAMS,
    }
