"""Classification where one class is rare, as in the detection of fraud: class weights, and a threshold to choose.

Run: python examples/imbalanced_classification.py FILE [--epochs 20]. FILE is a CSV table without names: numbers, and in
the last column '1' for the rare class and '-1' for the other, such as mammography.csv, which stands in here for a table
of card payments. Accuracy says little about such data, so precision and recall are shown for several thresholds.

On mammography.csv (2.3 % rare), 20 epochs, 2,276 new rows of which 52 are rare (JAX):

    threshold  precision  recall
         0.50       0.29    0.94
         0.90       0.64    0.73
         0.95       0.70    0.58
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

import hornbeam as keras
from hornbeam import layers

THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9, 0.95)


def load(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """The numbers, and 1 for the rare class."""
    with Path(path).open(newline="") as file:
        rows = [row for row in csv.reader(file, quotechar="'") if row]
    table = np.array(rows, "float32")
    return table[:, :-1], (table[:, -1] > 0).astype("float32")


def make(numbers: np.ndarray) -> keras.Model:
    """Numbers of mean 0 and variance 1, and two hidden layers."""
    normalize = layers.Normalization()
    normalize.adapt(numbers)
    inputs = keras.Input((numbers.shape[1],))
    x = normalize(inputs)
    for seed in (1, 2):
        x = layers.Dense(64, activation="relu")(x)
        x = layers.Dropout(0.2, seed=seed)(x)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


def main(path: str | Path, epochs: int = 20) -> float:
    """Trains on four rows of five; gives the area under the curve of precision over recall on the others."""
    keras.utils.set_random_seed(0)
    numbers, labels = load(path)
    held_out = np.random.default_rng(0).random(len(labels)) < 0.2
    train, train_labels = numbers[~held_out], labels[~held_out]
    rare = float(train_labels.sum())
    print(f"{rare:.0f} of {len(train_labels)} rows are of the rare class ({rare / len(train_labels):.1%})")
    model = make(train)
    model.compile(
        keras.optimizers.Adam(2e-3), "binary_crossentropy", metrics=[keras.metrics.AUC(curve="PR", name="pr_auc")]
    )
    # both classes weigh the same in sum
    weights = {0: len(train_labels) / (2 * (len(train_labels) - rare)), 1: len(train_labels) / (2 * rare)}
    model.fit(train, train_labels, batch_size=256, epochs=epochs, class_weight=weights, verbose=2)
    test, truth = numbers[held_out], labels[held_out]
    area = float(model.evaluate(test, truth, verbose=0)[1])
    chances = model.predict(test, verbose=0)
    print(f"{truth.sum():.0f} rare ones among {len(truth)} rows that are new to the model")
    print("threshold  precision  recall")
    for threshold in THRESHOLDS:
        precision, recall = keras.metrics.Precision(threshold), keras.metrics.Recall(threshold)
        for one in (precision, recall):
            one.update_state(truth[:, None], chances)
        print(f"{threshold:9.2f}  {float(precision.result()):9.2f}  {float(recall.result()):6.2f}")
    print(f"area under precision over recall: {area:.3f} (by chance: {truth.mean():.3f})")
    return area


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    main(options.file, options.epochs)
