"""Two optimizers in one model, by paths of variables: a slow one for the pretrained body, a fast one for the head.

Run: python examples/two_optimizers.py [--epochs 10]. The data are the digits that come with scikit-learn.
"""

from __future__ import annotations

import argparse
import re

import numpy as np

import hornbeam as keras
from hornbeam import layers


class FineTuned(keras.Model):
    """A body and a head."""

    def __init__(self, classes: int) -> None:
        super().__init__(name="fine_tuned")
        self.body = keras.Sequential([layers.Dense(64, "relu"), layers.Dense(64, "relu")], name="body")
        self.head = layers.Dense(classes, name="head")

    def compile(self, optimizers: dict[str, keras.optimizers.Optimizer], **kwargs) -> None:
        """`optimizers` has an optimizer for each expression; it trains the variables in whose path that is found."""
        super().compile(optimizer=None, **kwargs)
        self.optimizers = optimizers

    def call(self, inputs):
        return self.head(self.body(inputs))

    def groups(self) -> dict[str, list[keras.Variable]]:
        """The trainable variables by the expression that is found in their path."""
        found = {
            pattern: [one for one in self.trainable_variables if re.search(pattern, one.path)]
            for pattern in self.optimizers
        }
        if sum(map(len, found.values())) != len(self.trainable_variables):
            paths = [one.path for one in self.trainable_variables]
            raise ValueError(f"expected each of {paths} in one group, got {list(self.optimizers)}")
        return found

    def train_step(self, data):
        x, y = data
        groups = self.groups()

        def loss_fn():
            y_pred = self(x, training=True)
            return self.compute_loss(x, y, y_pred), y_pred

        (loss, y_pred), gradients = keras.value_and_grad(loss_fn, groups, has_aux=True)
        for pattern, optimizer in self.optimizers.items():
            optimizer.apply(gradients[pattern], groups[pattern])
        return self.compute_metrics(x, y, y_pred) | {"loss": loss}


def make() -> tuple[FineTuned, np.ndarray, np.ndarray]:
    """The model, compiled and built, and the digits with their labels."""
    from sklearn.datasets import load_digits

    keras.utils.set_random_seed(0)
    digits = load_digits()
    model = FineTuned(10)
    model.compile(
        {"^fine_tuned/body/": keras.optimizers.SGD(0.01, momentum=0.9), "/head/": keras.optimizers.Adam(0.01)},
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"],
    )
    x = (digits.data / 16).astype("float32")
    model(x[:1])
    return model, x, digits.target


def first_gradients() -> list:
    """The gradients of the first loss by the body, then by the head, for tests."""
    model, x, y = make()
    gradients = keras.grad(lambda: model.compute_loss(x[:32], y[:32], model(x[:32])), model.groups())
    return [one for group in gradients.values() for one in group]


def main(epochs: int = 10) -> float:
    """Trains for a number of epochs; gives the accuracy on the last quarter of the digits."""
    model, x, y = make()
    split = len(x) * 3 // 4
    model.fit(x[:split], y[:split], epochs=epochs, verbose=2)
    accuracy = float(np.mean(model.predict(x[split:], verbose=0).argmax(axis=1) == y[split:]))
    print(f"accuracy: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    main(parser.parse_args().epochs)
