"""Two optimizers in one model: a slow one for the pretrained part, a fast one for the new head.

Run: python examples/two_optimizers.py. The data are the digits that come with scikit-learn.
"""

from __future__ import annotations

import sys

import numpy as np

import hornbeam as keras
from hornbeam import layers


class FineTuned(keras.Model):
    """A body and a head, each with an optimizer of its own."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = keras.Sequential([layers.Dense(64, "relu"), layers.Dense(64, "relu")], name="body")
        self.head = layers.Dense(classes, name="head")

    def compile(self, body_optimizer, head_optimizer, **kwargs) -> None:
        super().compile(optimizer=None, **kwargs)
        self.body_optimizer = body_optimizer
        self.head_optimizer = head_optimizer

    def call(self, inputs):
        return self.head(self.body(inputs))

    def train_step(self, data):
        x, y = data
        body, head = self.body.trainable_variables, self.head.trainable_variables

        def loss_fn():
            y_pred = self(x, training=True)
            return self.compute_loss(x, y, y_pred), y_pred

        (loss, y_pred), gradients = keras.value_and_grad(loss_fn, {"body": body, "head": head}, has_aux=True)
        self.body_optimizer.apply(gradients["body"], body)
        self.head_optimizer.apply(gradients["head"], head)
        return self.compute_metrics(x, y, y_pred) | {"loss": loss}


def main(epochs: int = 10) -> float:
    """Trains for a number of epochs; gives the accuracy on the last quarter of the digits."""
    from sklearn.datasets import load_digits

    keras.utils.set_random_seed(0)
    digits = load_digits()
    x, y = (digits.data / 16).astype("float32"), digits.target
    split = len(x) * 3 // 4
    model = FineTuned(10)
    model.compile(
        keras.optimizers.SGD(0.01, momentum=0.9), keras.optimizers.Adam(0.01),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"],
    )
    model.fit(x[:split], y[:split], epochs=epochs, verbose=2)
    accuracy = float(np.mean(model.predict(x[split:], verbose=0).argmax(axis=1) == y[split:]))
    print(f"accuracy: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
