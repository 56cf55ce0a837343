"""The programs in examples/ run and learn."""

import numpy as np
import pytest

import hornbeam as keras
from tests.examples.programs import FOLDER, PROGRAMS, load
from tests.examples.record_gradients import FILE
from tests.needs import needs_gradients

pytestmark = needs_gradients


@pytest.fixture(scope="module")
def recorded():
    with np.load(FILE) as file:
        return dict(file)


@pytest.mark.usefixtures("equal_random")
@pytest.mark.parametrize("name", PROGRAMS)
def test_program_learns(name, capsys):
    argument, least, most = PROGRAMS[name]
    needs_digits(name)
    program = load(name)
    untrained = program.main(1)
    assert least <= program.main(argument) <= most
    assert not least <= untrained <= most
    assert capsys.readouterr().out


@pytest.mark.usefixtures("equal_random")
@pytest.mark.parametrize("name", PROGRAMS)
def test_first_gradients_agree_across_backends(name, recorded):
    needs_digits(name)
    found = load(name).first_gradients()
    assert len(found) == sum(key.startswith(f"{name}/") for key in recorded) > 0
    for number, one in enumerate(found):
        expected = recorded[f"{name}/{number}"]
        # a gradient that is exactly zero may come out as the rounding of ones of order 1
        scale = max(np.abs(expected).max(), 1e-2)
        np.testing.assert_allclose(keras.ops.convert_to_numpy(one), expected, rtol=1e-5, atol=1e-5 * scale)


def needs_digits(name):
    if "sklearn" in (FOLDER / f"{name}.py").read_text():
        pytest.importorskip("sklearn", reason="the digits come with scikit-learn")


def test_every_example_is_tested():
    assert {one.stem for one in FOLDER.glob("*.py")} == {
        "image_classification", "text_classification", "structured_data", "imbalanced_classification",
        "character_language_model", "time_series", *PROGRAMS,
    }  # fmt: skip
