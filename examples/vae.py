"""A variational autoencoder of handwritten digits: the reparametrised sample and an added loss in one `train_step`.

Run: python examples/vae.py [--epochs 30]. The digits come with scikit-learn.
D. Kingma and M. Welling, "Auto-encoding variational Bayes", 2013.
"""

from __future__ import annotations

import argparse

import numpy as np

import hornbeam as keras
from hornbeam import layers, ops


class VAE(keras.Model):
    """Digits of 8x8 pixels through a few normal variables and back."""

    def __init__(self, latent_size: int = 8) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.encoder = keras.Sequential([keras.Input((64,)), layers.Dense(64, "relu"), layers.Dense(2 * latent_size)])
        self.decoder = keras.Sequential([keras.Input((latent_size,)), layers.Dense(64, "relu"), layers.Dense(64)])
        self.seed_generator = keras.random.SeedGenerator(2)

    def call(self, images):
        return ops.sigmoid(self.decoder(ops.split(self.encoder(images), 2, axis=-1)[0]))

    def losses_of(self, images, noise):
        """The error of the images that come back, and the information in the code; both in nats per image."""
        mean, log_variance = ops.split(self.encoder(images), 2, axis=-1)
        logits = self.decoder(mean + ops.exp(0.5 * log_variance) * noise)
        error = ops.sum(ops.binary_crossentropy(images, logits, from_logits=True), axis=-1)
        information = -0.5 * ops.sum(1 + log_variance - ops.square(mean) - ops.exp(log_variance), axis=-1)
        return ops.mean(error), ops.mean(information)

    def train_step(self, images):
        noise = keras.random.normal((ops.shape(images)[0], self.latent_size), seed=self.seed_generator)

        def loss_fn():
            error, information = self.losses_of(images, noise)
            return error + information, (error, information)

        (loss, (error, information)), gradients = keras.value_and_grad(
            loss_fn, self.trainable_variables, has_aux=True
        )
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss, "error": error, "information": information}


def make() -> tuple[VAE, np.ndarray]:
    """The model, compiled, and the digits."""
    from sklearn.datasets import load_digits

    keras.utils.set_random_seed(0)
    model = VAE()
    model.compile(keras.optimizers.Adam(3e-3))
    return model, (load_digits().data / 16).astype("float32")


def first_gradients() -> list:
    """The gradients of the first loss, for tests."""
    model, images = make()
    noise = keras.random.normal((32, model.latent_size), seed=3)
    batch = ops.convert_to_tensor(images[:32])
    return keras.grad(lambda: sum(model.losses_of(batch, noise)), model.trainable_variables)


def main(epochs: int = 30) -> float:
    """Trains; gives the mean absolute error of a pixel that comes back."""
    model, images = make()
    model.fit(images, batch_size=64, epochs=epochs, verbose=2)
    error = float(np.abs(model.predict(images, verbose=0) - images).mean())
    print(f"mean error of a pixel: {error:.3f}")
    return error


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=30)
    main(parser.parse_args().epochs)
