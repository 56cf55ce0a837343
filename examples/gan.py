"""A GAN in one `train_step(self, data)`: two networks, two optimizers, any backend.

Run: python examples/gan.py [steps]. It learns to draw points on a circle.
"""

from __future__ import annotations

import sys

import numpy as np

import hornbeam as keras
from hornbeam import layers, ops


class GAN(keras.Model):
    """A generator and a discriminator that learn against each other (I. Goodfellow et al., 2014)."""

    def __init__(self, latent_size: int = 8) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.generator = keras.Sequential(
            [keras.Input((latent_size,)), layers.Dense(32, "relu"), layers.Dense(32, "relu"), layers.Dense(2)],
            name="generator",
        )
        self.discriminator = keras.Sequential(
            [keras.Input((2,)), layers.Dense(32), layers.LeakyReLU(0.2), layers.Dense(32), layers.LeakyReLU(0.2),
             layers.Dense(1)],
            name="discriminator",
        )
        self.seed_generator = keras.random.SeedGenerator(1)
        self.d_loss = keras.metrics.Mean(name="d_loss")
        self.g_loss = keras.metrics.Mean(name="g_loss")

    def compile(self, d_optimizer, g_optimizer) -> None:
        super().compile(optimizer=None)
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True)

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def call(self, latent):
        return self.generator(latent)

    def losses_of(self, real):
        """The losses of the two networks, for one batch of true points and as many that the generator makes."""
        count = ops.shape(real)[0]
        latent = keras.random.normal((count, self.latent_size), seed=self.seed_generator)

        def d_loss():
            logits = self.discriminator(ops.concatenate([real, self.generator(latent)]))
            labels = ops.concatenate([ops.ones((count, 1)), ops.zeros((count, 1))])
            return self.bce(labels, logits)

        def g_loss():
            return self.bce(ops.ones((count, 1)), self.discriminator(self.generator(latent)))

        return d_loss, g_loss

    def train_step(self, data):
        d_loss, g_loss = self.losses_of(data)
        loss, gradients = keras.value_and_grad(d_loss, self.discriminator.trainable_variables)
        self.d_optimizer.apply(gradients, self.discriminator.trainable_variables)
        self.d_loss.update_state(loss)
        loss, gradients = keras.value_and_grad(g_loss, self.generator.trainable_variables)
        self.g_optimizer.apply(gradients, self.generator.trainable_variables)
        self.g_loss.update_state(loss)
        return {metric.name: metric.result() for metric in self.metrics}


def circle(count: int, seed: int = 0) -> np.ndarray:
    """Points on the unit circle with a little noise."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, count)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1) + rng.normal(0, 0.02, (count, 2))
    return points.astype("float32")


def make() -> GAN:
    """The model, compiled."""
    keras.utils.set_random_seed(0)
    gan = GAN()
    gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3))
    return gan


def first_gradients() -> list:
    """The gradients of the first loss of the discriminator, then of the generator, for tests."""
    gan, real = make(), circle(16)
    d_loss, g_loss = gan.losses_of(real)
    return [
        *keras.grad(d_loss, gan.discriminator.trainable_variables),
        *keras.grad(g_loss, gan.generator.trainable_variables),
    ]


def main(steps: int = 3000) -> float:
    """Trains for a number of steps; gives the mean distance of generated points from the circle."""
    gan, points = make(), circle(6400)
    gan.fit(points, batch_size=64, epochs=max(1, steps // 100), verbose=2)
    latent = np.random.default_rng(1).normal(size=(1000, gan.latent_size)).astype("float32")
    radius = np.linalg.norm(gan.predict(latent, verbose=0), axis=1)
    distance = float(np.abs(radius - 1).mean())
    print(f"mean distance from the circle: {distance:.3f}")
    return distance


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
