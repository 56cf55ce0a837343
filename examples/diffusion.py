"""A small diffusion model: a network learns to find the noise in noisy points; taking it away draws new ones.

Run: python examples/diffusion.py [--epochs 100]. It learns to draw points on two moons.
J. Ho et al., "Denoising diffusion probabilistic models", 2020.
"""

from __future__ import annotations

import argparse

import numpy as np

import hornbeam as keras
from hornbeam import layers, ops


class Diffusion(keras.Model):
    """Predicts the noise in a point, given how noisy it is."""

    def __init__(self, steps: int = 40) -> None:
        super().__init__()
        self.steps = steps
        self.beta = np.linspace(1e-3, 0.2, steps).astype("float32")
        self.kept = np.cumprod(1 - self.beta).astype("float32")
        self.network = keras.Sequential(
            [keras.Input((8,)), *[layers.Dense(96, "silu") for _ in range(3)], layers.Dense(2)]
        )
        self.seed_generator = keras.random.SeedGenerator(5)

    def call(self, points, step):
        phase = ops.expand_dims(ops.cast(step, "float32") / self.steps, -1) * ops.convert_to_tensor([[1.0, 2.0, 4.0]])
        return self.network(ops.concatenate([points, ops.sin(phase), ops.cos(phase)], axis=-1))

    def loss_of(self, points, step, noise):
        """The squared error of the noise that the network finds."""
        kept = ops.expand_dims(ops.take(ops.convert_to_tensor(self.kept), step), -1)
        return ops.mean(ops.square(self(ops.sqrt(kept) * points + ops.sqrt(1 - kept) * noise, step) - noise))

    def train_step(self, points):
        count = ops.shape(points)[0]
        step = keras.random.randint((count,), 0, self.steps, seed=self.seed_generator)
        noise = keras.random.normal((count, 2), seed=self.seed_generator)
        loss, gradients = keras.value_and_grad(lambda: self.loss_of(points, step, noise), self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}

    def draw(self, count: int) -> np.ndarray:
        """New points, from noise alone."""
        points = keras.random.normal((count, 2), seed=self.seed_generator)
        for number in reversed(range(self.steps)):
            found = self(points, ops.full((count,), number, dtype="int32"))
            beta, kept = float(self.beta[number]), float(self.kept[number])
            points = (points - beta / (1 - kept) ** 0.5 * found) / (1 - beta) ** 0.5
            if number:
                points = points + beta**0.5 * keras.random.normal((count, 2), seed=self.seed_generator)
        return ops.convert_to_numpy(points)


def moons(count: int) -> np.ndarray:
    """Points on two half circles that reach into each other."""
    rng = np.random.default_rng(0)
    angle, upper = rng.uniform(0, np.pi, count), rng.uniform(size=count) < 0.5
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle)) - 0.5
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle)) - 0.25
    return np.stack([x, y], axis=1).astype("float32")


def make() -> tuple[Diffusion, np.ndarray]:
    """The model, compiled, and the points."""
    keras.utils.set_random_seed(0)
    model = Diffusion()
    model.compile(keras.optimizers.Adam(2e-3))
    return model, moons(6400)


def first_gradients() -> list:
    """The gradients of the first loss, for tests."""
    model, points = make()
    step = ops.arange(32) % model.steps
    noise = keras.random.normal((32, 2), seed=6)
    return keras.grad(lambda: model.loss_of(ops.convert_to_tensor(points[:32]), step, noise), model.trainable_variables)


def main(epochs: int = 100) -> float:
    """Trains; gives the mean distance of drawn points from the moons."""
    model, points = make()
    model.fit(points, batch_size=128, epochs=epochs, verbose=2)
    drawn = model.draw(500)
    distance = float(np.linalg.norm(drawn[:, None] - points[None, ::4], axis=-1).min(axis=1).mean())
    print(f"mean distance from the moons: {distance:.3f}")
    return distance


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=100)
    main(parser.parse_args().epochs)
