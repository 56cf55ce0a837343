"""The example of time series runs on the passengers, and forecasts better than last year does."""

from pathlib import Path

import numpy as np
import pytest

from tests.examples.programs import load
from tests.needs import needs_gradients

pytestmark = needs_gradients


def test_forecasts_beat_last_year(shared: Path, capsys: pytest.CaptureFixture) -> None:
    pytest.importorskip("pyarrow", reason="the table is read by pyarrow")
    error, naive = load("time_series").main(shared / "data" / "airline-passengers.csv", epochs=25)
    assert error < 0.8 * naive and 0.05 < naive < 0.15
    assert "25 forecasts of a year" in capsys.readouterr().out


def test_windows_are_two_years_and_the_one_behind_them() -> None:
    [(past, ahead)] = load("time_series").windows(np.arange(40, dtype="float32"), 10)
    assert past.shape == (5, 24, 1) and ahead.shape == (5, 12)
    assert past[2, :, 0].tolist() == list(range(2, 26)) and ahead[2].tolist() == list(range(26, 38))
