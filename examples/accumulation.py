"""Gradient accumulation by hand: four small batches make one step of the optimizer.

Run: python examples/accumulation.py [--epochs 12]. The digits come with scikit-learn. (Every optimizer does this by
itself with `gradient_accumulation_steps`; by hand, each part of it can be changed.)
"""

from __future__ import annotations

import argparse

import numpy as np

import hornbeam as keras
from hornbeam import layers, ops


class Accumulating(keras.Model):
    """Splits each batch into parts and adds up their gradients, so that only a part is in memory at a time."""

    def __init__(self, parts: int = 4) -> None:
        super().__init__()
        self.parts = parts
        self.network = keras.Sequential([keras.Input((64,)), layers.Dense(64, "relu"), layers.Dense(10)])

    def call(self, images):
        return self.network(images)

    def gradients_of(self, images, labels):
        """The mean of the losses and of the gradients of the parts."""
        weights = self.trainable_variables
        losses, sums = [], [ops.zeros_like(one) for one in weights]
        inner = keras.remat(lambda part: self(part, training=True))
        for x, y in zip(ops.split(images, self.parts), ops.split(labels, self.parts), strict=True):
            loss, found = keras.value_and_grad(lambda x=x, y=y: self.compute_loss(x, y, inner(x)), weights)
            losses.append(loss)
            sums = [total + new for total, new in zip(sums, found, strict=True)]
        return ops.mean(ops.stack(losses)), [total / self.parts for total in sums]

    def train_step(self, data):
        loss, gradients = self.gradients_of(*data)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


def make() -> tuple[Accumulating, np.ndarray, np.ndarray]:
    """The model, compiled, and the digits."""
    from sklearn.datasets import load_digits

    keras.utils.set_random_seed(0)
    model = Accumulating()
    model.compile(keras.optimizers.Adam(5e-3), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    digits = load_digits()
    return model, (digits.data / 16).astype("float32"), digits.target.astype("int32")


def first_gradients() -> list:
    """The gradients of the first step, for tests."""
    model, x, y = make()
    return model.gradients_of(ops.convert_to_tensor(x[:32]), ops.convert_to_tensor(y[:32]))[1]


def main(epochs: int = 12) -> float:
    """Trains; gives the accuracy on digits that it has not seen."""
    model, x, y = make()
    model.fit(x[:1280], y[:1280], batch_size=128, epochs=epochs, verbose=2)
    accuracy = float(np.mean(model.predict(x[1280:], verbose=0).argmax(axis=1) == y[1280:]))
    print(f"accuracy: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=12)
    main(parser.parse_args().epochs)
