"""Batches made by a `keras.utils.Sequence`, and a model that has seen them in every phase."""

import numpy as np
import tensorflow as tf
from tensorflow import keras


class Squares(tf.keras.utils.Sequence):
    """Numbers and their squares."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        x = np.linspace(-1, 1, 16, dtype="float32")[:, None] + index / 100
        return x, x**2


keras.utils.set_random_seed(0)
model = keras.Sequential([keras.layers.Dense(16, activation="tanh"), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.05), "mse")
losses = model.fit(Squares(), epochs=20, verbose=0, validation_data=Squares()).history["loss"]
assert losses[-1] < 0.2 * losses[0]
assert model.evaluate(Squares(), verbose=0) < losses[0]
assert model.predict(Squares(), verbose=0).shape == (128, 1)
