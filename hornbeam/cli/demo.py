"""`hornbeam demo`: a convolutional network on handwritten digits, from the data to pictures of what it learned."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

import hornbeam as keras
from hornbeam.cli import demo_figures
from hornbeam.errors import MissingDependencyError

SEED = 1337


class Digits(NamedTuple):
    """Images of shape `(count, height, width, 1)` from 0 to 1, and their digits; the test part is never trained on."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def main(options: argparse.Namespace) -> int:
    """Runs the demo; returns the exit status: 0 if the model that was reloaded predicts as the one that was saved."""
    start = time.perf_counter()
    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    demo_figures.require()
    keras.utils.set_random_seed(SEED)

    digits = _small_digits() if options.dataset == "digits" else _mnist()
    _say("Data")
    print(f"{len(digits.x_train):,} handwritten digits to learn from, {len(digits.x_test):,} to be tested on,")
    print(f"each {digits.x_train.shape[1]} x {digits.x_train.shape[2]} pixels.")

    _say("Model")
    model = _small_model(digits) if options.dataset == "digits" else _guide_model(digits)
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(),
        optimizer=keras.optimizers.Adam(learning_rate=1e-3),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
    )
    model.summary()

    _say(f"Training on {keras.config.backend()}")
    best = output / "best_model.keras"
    history = model.fit(
        digits.x_train,
        digits.y_train,
        batch_size=32 if options.dataset == "digits" else 128,
        epochs=options.epochs or 20,
        validation_split=0.15,
        callbacks=[
            keras.callbacks.ModelCheckpoint(best, monitor="val_loss", save_best_only=True),
            # The guide's program stops after two epochs without progress; few digits need more patience.
            keras.callbacks.EarlyStopping(
                monitor="val_loss", patience=5 if options.dataset == "digits" else 2, restore_best_weights=True
            ),
        ],
    )

    _say("Saved and reloaded")
    predictions = model.predict(digits.x_test)
    reloaded = keras.saving.load_model(best)
    equal = bool(np.array_equal(predictions, reloaded.predict(digits.x_test, verbose=0)))
    print(
        f"{best} ({best.stat().st_size / 1024:,.0f} KB) predicts {'exactly the same' if equal else 'SOMETHING ELSE'}."
    )

    _say("Test")
    loss, accuracy = reloaded.evaluate(digits.x_test, digits.y_test, verbose=0)
    wrong = int(np.sum(predictions.argmax(-1) != digits.y_test))
    print(f"accuracy {accuracy:.2%} (loss {loss:.4f}): {wrong} of {len(digits.y_test):,} digits read wrongly.")

    _say("Pictures")
    for path in demo_figures.draw_all(history.history, digits.x_test, digits.y_test, predictions, output):
        print(path)
    print(f"\n{time.perf_counter() - start:.0f} seconds in all. The program is short, read it: hornbeam/cli/demo.py")
    return 0 if equal else 1


def _say(title: str) -> None:
    print(f"\n== {title}", flush=True)


def _small_digits() -> Digits:
    """The 1,797 digits that come with scikit-learn (Alpaydin, Kaynak, UCI 1998), a quarter of them for the test."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingDependencyError("scikit-learn", "hornbeam demo", "demo") from None
    bunch = load_digits()
    images, labels = (bunch.images / 16).astype("float32")[..., None], bunch.target.astype("uint8")
    order = np.random.default_rng(SEED).permutation(len(images))
    images, labels = images[order], labels[order]
    count = len(images) // 4
    return Digits(images[count:], labels[count:], images[:count], labels[:count])


def _mnist() -> Digits:
    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    x_train, x_test = (np.expand_dims(x.astype("float32") / 255, -1) for x in (x_train, x_test))
    return Digits(x_train, y_train, x_test, y_test)


def _small_model(digits: Digits) -> keras.Sequential:
    return keras.Sequential(
        [
            keras.layers.Input(shape=digits.x_train.shape[1:]),
            keras.layers.Conv2D(32, kernel_size=3, padding="same", activation="relu"),
            keras.layers.Conv2D(32, kernel_size=3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(pool_size=2),
            keras.layers.Conv2D(64, kernel_size=3, padding="same", activation="relu"),
            keras.layers.Dropout(0.25),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def _guide_model(digits: Digits) -> keras.Sequential:
    """The model of the Keras guide "Getting started with Keras"."""
    return keras.Sequential(
        [
            keras.layers.Input(shape=digits.x_train.shape[1:]),
            keras.layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            keras.layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            keras.layers.MaxPooling2D(pool_size=(2, 2)),
            keras.layers.Conv2D(128, kernel_size=(3, 3), activation="relu"),
            keras.layers.Conv2D(128, kernel_size=(3, 3), activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
