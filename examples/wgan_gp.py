"""A WGAN with gradient penalty: the loss of the critic holds a gradient, so its own gradient is of second order.

Run: python examples/wgan_gp.py [--epochs 12]. It learns to draw points on a circle.
I. Gulrajani et al., "Improved training of Wasserstein GANs", 2017.
"""

from __future__ import annotations

import argparse

import numpy as np

import hornbeam as keras
from hornbeam import layers, ops

POINTS, BATCH = 6400, 256


class WGAN(keras.Model):
    """A generator and a critic whose slope is held near 1."""

    def __init__(self, latent_size: int = 4, penalty: float = 0.3, critic_steps: int = 4) -> None:
        super().__init__()
        self.latent_size, self.penalty, self.critic_steps = latent_size, penalty, critic_steps
        self.generator = keras.Sequential(
            [keras.Input((latent_size,)), layers.Dense(32, "tanh"), layers.Dense(32, "tanh"), layers.Dense(2)]
        )
        self.critic = keras.Sequential(
            [keras.Input((2,)), layers.Dense(32, "gelu"), layers.Dense(32, "gelu"), layers.Dense(1)]
        )
        self.seed_generator = keras.random.SeedGenerator(1)

    def compile(self, critic_optimizer, generator_optimizer) -> None:
        super().compile(optimizer=None)
        self.critic_optimizer, self.generator_optimizer = critic_optimizer, generator_optimizer

    def call(self, latent):
        return self.generator(latent)

    def critic_loss(self, real, fake, mix):
        """The distance that the critic sees, and what its slope between real and false points deviates from 1."""
        between = mix * real + (1 - mix) * fake
        slopes = keras.grad(lambda points: ops.sum(self.critic(points)))(between)
        lengths = ops.sqrt(ops.sum(ops.square(slopes), axis=1) + 1e-12)
        distance = ops.mean(self.critic(fake)) - ops.mean(self.critic(real))
        return distance + self.penalty * ops.mean(ops.square(lengths - 1))

    def train_step(self, real):
        count = ops.shape(real)[0]
        for _ in range(self.critic_steps):
            fake = ops.stop_gradient(self.generator(self.latent(count)))
            mix = keras.random.uniform((count, 1), seed=self.seed_generator)
            weights = self.critic.trainable_variables
            c_loss, gradients = keras.value_and_grad(lambda f=fake, m=mix: self.critic_loss(real, f, m), weights)
            self.critic_optimizer.apply(gradients, weights)
        latent = self.latent(count)
        weights = self.generator.trainable_variables
        g_loss, gradients = keras.value_and_grad(lambda: -ops.mean(self.critic(self.generator(latent))), weights)
        self.generator_optimizer.apply(gradients, weights)
        return {"critic_loss": c_loss, "generator_loss": g_loss}

    def latent(self, count):
        """Normal numbers from which points are made."""
        return keras.random.normal((count, self.latent_size), seed=self.seed_generator)


def make(epochs: int = 12) -> tuple[WGAN, np.ndarray]:
    """The model, compiled for a number of epochs, at whose end it no longer moves; and points on the unit circle."""
    keras.utils.set_random_seed(0)
    model, steps = WGAN(), epochs * POINTS // BATCH
    decay = keras.optimizers.schedules.CosineDecay
    model.compile(
        keras.optimizers.Adam(decay(1e-2, steps * model.critic_steps), beta_1=0.5),
        keras.optimizers.Adam(decay(5e-3, steps), beta_1=0.5),
    )
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, POINTS)
    return model, np.stack([np.cos(angle), np.sin(angle)], axis=1).astype("float32")


def first_gradients() -> list:
    """The gradients of the first loss of the critic, for tests."""
    model, points = make()
    real, fake = ops.convert_to_tensor(points[:16]), ops.convert_to_tensor(points[16:32] * 0.5)
    mix = ops.reshape(ops.arange(16, dtype="float32"), (16, 1)) / 16
    return keras.grad(lambda: model.critic_loss(real, fake, mix), model.critic.trainable_variables)


def main(epochs: int = 12) -> float:
    """Trains; gives the mean distance of generated points from the circle."""
    model, points = make(epochs)
    model.fit(points, batch_size=BATCH, epochs=epochs, verbose=2)
    latent = np.random.default_rng(1).normal(size=(1000, model.latent_size)).astype("float32")
    distance = float(np.abs(np.linalg.norm(model.predict(latent, verbose=0), axis=1) - 1).mean())
    print(f"mean distance from the circle: {distance:.3f}")
    return distance


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=12)
    main(parser.parse_args().epochs)
