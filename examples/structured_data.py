"""Structured data: a table of numbers and texts through a `FeatureSpace` that is the front part of the model.

Run: python examples/structured_data.py FILE [--epochs 8]. FILE is a CSV table with names in its first line, such as the
census incomes of adult.csv. The model takes columns as they stand in the table; means, boundaries and vocabularies are
learnt from the training rows and saved with it.

On adult.csv it gets 85.9 % of 6,510 new rows right after 8 epochs (JAX); always the same answer would get 75.9 %.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np

import hornbeam as keras
from hornbeam import layers

NUMBERS = {
    "age": "float_discretized", "fnlwgt": "float_normalized", "education_num": "float_discretized",
    "capital_gain": "float_discretized", "capital_loss": "float_discretized", "hours_per_week": "float_discretized",
}  # fmt: skip
TARGET, POSITIVE = "income", ">50K"


def load(path: str | Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The columns by name, and the labels."""
    with Path(path).open(newline="") as file:
        rows = [row for row in csv.reader(file, skipinitialspace=True) if row]
    table = {name: np.array(column) for name, column in zip(rows[0], zip(*rows[1:], strict=True), strict=True)}
    labels = np.char.startswith(table.pop(TARGET), POSITIVE).astype("float32")
    return {name: one.astype("float32") if name in NUMBERS else one for name, one in table.items()}, labels


def make(columns: dict[str, np.ndarray]) -> keras.Model:
    """All columns, two of them crossed, as one vector, and two layers on top."""
    space = keras.utils.FeatureSpace(
        {name: NUMBERS.get(name, "string_categorical") for name in columns},
        crosses=[("education", "occupation")], crossing_dim=64, num_discretization_bins=20,
    )  # fmt: skip
    space.adapt(columns)
    x = layers.Dense(32, activation="relu")(space.get_encoded_features())
    x = layers.Dropout(0.4, seed=1)(x)
    return keras.Model(space.get_inputs(), layers.Dense(1, activation="sigmoid")(x))


def main(path: str | Path, epochs: int = 8) -> float:
    """Trains on four rows of five; gives the accuracy on the others, by the model as it comes back from its file."""
    keras.utils.set_random_seed(0)
    columns, labels = load(path)
    held_out = np.random.default_rng(0).random(len(labels)) < 0.2
    train = {name: one[~held_out] for name, one in columns.items()}
    model = make(train)
    model.compile(keras.optimizers.Adam(2e-3), "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC()])
    model.fit(train, labels[~held_out], batch_size=256, epochs=epochs, verbose=2)
    with tempfile.TemporaryDirectory() as place:
        model.save(Path(place) / "model.keras")
        model = keras.models.load_model(Path(place) / "model.keras")
    test = {name: one[held_out] for name, one in columns.items()}
    results = model.evaluate(test, labels[held_out], batch_size=256, verbose=0)
    most = max(labels.mean(), 1 - labels.mean())
    print(f"accuracy on {held_out.sum()} rows: {results[1]:.3f}, AUC {results[2]:.3f}")
    print(f"always the same answer: {most:.3f}")
    return float(results[1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args()
    main(options.file, options.epochs)
