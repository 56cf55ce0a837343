"""A year of monthly passengers forecast from the two years before, held against the naive forecast: last year again.

Run: python examples/time_series.py FILE [--epochs 150]. FILE is a table with a column `Passengers`, a month in each
row, such as the airline passengers of 1949 to 1960 (Box and Jenkins, "Time series analysis", 1976). The first nine
years train; the error is that of all forecasts of a year that lie in the last three.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import hornbeam as keras
from hornbeam import layers, ops
from hornbeam.data import table_dataset

PAST, AHEAD = 24, 12  # months that a forecast sees, and makes
HELD_BACK = 36  # months at the end


def load(path: str | Path) -> np.ndarray:
    """The logarithms of the numbers of passengers: growth and seasons are factors, so they add up there."""
    data = table_dataset(path, label="Passengers", label_mode=None, shuffle=False, verbose=False)
    return np.log(np.concatenate([passengers for _, passengers in data])).astype("float32")


def windows(series: np.ndarray, batch_size: int, shuffle: bool = False):
    """Two years, and the year behind them."""
    years_ahead = np.lib.stride_tricks.sliding_window_view(series, AHEAD)[PAST:]
    return keras.utils.timeseries_dataset_from_array(
        series[:-AHEAD, None], years_ahead, sequence_length=PAST, batch_size=batch_size, shuffle=shuffle, seed=0
    )


def make() -> keras.Model:
    """What the year ahead adds to the last one, from the course of two years around their level."""
    past = keras.Input((PAST, 1))
    last_year = past[:, -AHEAD:, 0]
    level = ops.mean(last_year, axis=1, keepdims=True)
    course = layers.Dense(32, "tanh")(past[:, :, 0] - level)
    model = keras.Model(past, last_year + layers.Dense(AHEAD)(course))
    model.compile(keras.optimizers.Adam(5e-3), "mse")
    return model


def error_of(forecast: np.ndarray, truth: np.ndarray) -> float:
    """The mean error as a share of the passengers."""
    return float(np.mean(np.abs(np.exp(forecast - truth) - 1)))


def main(path: str | Path, epochs: int = 150) -> tuple[float, float]:
    """Trains; gives the error of the model and that of the naive forecast."""
    keras.utils.set_random_seed(0)
    series = load(path)
    model = make()
    model.fit(windows(series[:-HELD_BACK], 16, shuffle=True), epochs=epochs, verbose=0)
    [(past, truth)] = windows(series[-HELD_BACK - PAST :], 1000)
    error = error_of(model.predict(past, verbose=0), truth)
    naive = error_of(past[:, -AHEAD:, 0], truth)
    print(f"{len(truth)} forecasts of a year: mean error {error:.1%}, of last year again {naive:.1%}")
    return error, naive


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--epochs", type=int, default=150)
    arguments = parser.parse_args()
    main(arguments.file, arguments.epochs)
