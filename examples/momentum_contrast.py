"""Contrastive learning: two views of a digit find each other among many; the encoder of one view is a slow average.

Run: python examples/momentum_contrast.py [--epochs 30]. The digits come with scikit-learn.
K. He et al., "Momentum contrast for unsupervised visual representation learning", 2020.
"""

from __future__ import annotations

import argparse

import numpy as np

import hornbeam as keras
from hornbeam import layers, ops


def encoder() -> keras.Sequential:
    """Images of 64 pixels to codes of 16 numbers."""
    return keras.Sequential([keras.Input((64,)), layers.Dense(64, "relu"), layers.Dense(16)])


class Contrast(keras.Model):
    """An encoder that learns, and one that follows it slowly."""

    def __init__(self, momentum: float = 0.98, temperature: float = 0.2) -> None:
        super().__init__()
        self.momentum, self.temperature = momentum, temperature
        self.online, self.slow = encoder(), encoder()
        self.slow.set_weights(self.online.get_weights())
        self.slow.trainable = False
        self.seed_generator = keras.random.SeedGenerator(4)

    def call(self, images):
        return ops.normalize(self.online(images))

    def view(self, images):
        """The images with some pixels left out and noise added."""
        kept = keras.random.uniform(ops.shape(images), seed=self.seed_generator) > 0.2
        noise = keras.random.normal(ops.shape(images), stddev=0.1, seed=self.seed_generator)
        return ops.where(kept, images, 0.0) + noise

    def loss_of(self, one, other):
        """The cross-entropy of finding, for each code, the one of the same image."""
        keys = ops.stop_gradient(ops.normalize(self.slow(other)))
        logits = ops.matmul(self(one), ops.transpose(keys)) / self.temperature
        same = ops.arange(ops.shape(one)[0])
        return ops.mean(ops.sparse_categorical_crossentropy(same, logits, from_logits=True))

    def train_step(self, images):
        one, other = self.view(images), self.view(images)
        loss, gradients = keras.value_and_grad(lambda: self.loss_of(one, other), self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        for fast, slow in zip(self.online.variables, self.slow.variables, strict=True):
            slow.assign(self.momentum * slow + (1 - self.momentum) * fast)
        return {"loss": loss}


def make() -> tuple[Contrast, np.ndarray, np.ndarray]:
    """The model, compiled, and the digits."""
    from sklearn.datasets import load_digits

    keras.utils.set_random_seed(0)
    model = Contrast()
    model.compile(keras.optimizers.Adam(3e-3))
    digits = load_digits()
    return model, (digits.data / 16).astype("float32"), digits.target


def first_gradients() -> list:
    """The gradients of the first loss, for tests."""
    model, images, _ = make()
    one, other = model.view(ops.convert_to_tensor(images[:32])), model.view(ops.convert_to_tensor(images[:32]))
    return keras.grad(lambda: model.loss_of(one, other), model.trainable_variables)


def main(epochs: int = 30) -> float:
    """Trains without labels; gives how often the nearest other digit is the same one."""
    model, images, labels = make()
    model.fit(images, batch_size=128, epochs=epochs, verbose=2)
    codes = model.predict(images, verbose=0)
    likeness = codes @ codes.T
    np.fill_diagonal(likeness, -1)
    agreement = float(np.mean(labels[likeness.argmax(axis=1)] == labels))
    print(f"the nearest neighbour is the same digit: {agreement:.3f}")
    return agreement


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=30)
    main(parser.parse_args().epochs)
