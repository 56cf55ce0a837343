"""What the overview names: layers, models, `fit`, `predict` and `evaluate`, callbacks of one's own, fused steps."""

from pathlib import Path

import numpy as np
import tensorflow as tf

layers = tf.keras.layers


class Scale(tf.keras.layers.Layer):
    """A state and a transformation."""

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(), initializer="ones")

    def call(self, inputs):
        return inputs * self.factor


class Notes(tf.keras.callbacks.Callback):
    """Counts epochs."""

    epochs = 0

    def on_epoch_end(self, epoch, logs=None):
        self.epochs += 1
        assert {"loss", "val_loss", "mae", "val_mae"} <= set(logs)


class Nested(tf.keras.Model):
    """A model by subclassing, with layers in layers."""

    def __init__(self):
        super().__init__()
        self.scale = Scale()
        self.head = tf.keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(1)])

    def call(self, inputs):
        return self.head(self.scale(inputs))


x = np.random.default_rng(0).normal(size=(96, 3)).astype("float32")
y = x.sum(1, keepdims=True)
inputs = tf.keras.Input((3,))
graph = tf.keras.Model(inputs, layers.Dense(1)(layers.Dense(4, activation="relu")(Scale()(inputs))))
stack = tf.keras.Sequential([Scale(), layers.Dense(4, activation="relu"), layers.Dense(1)])
for number, model in enumerate((graph, stack, Nested())):
    notes = Notes()
    model.compile("adam", "mse", metrics=["mae"], steps_per_execution=3)
    callbacks = [
        notes,
        tf.keras.callbacks.EarlyStopping(patience=5),
        tf.keras.callbacks.ModelCheckpoint(f"{number}.weights.h5", save_weights_only=True),
        tf.keras.callbacks.TensorBoard(f"logs/{number}"),
    ]
    model.fit(x, y, validation_split=0.25, epochs=2, batch_size=8, callbacks=callbacks, verbose=0)
    assert notes.epochs == 2 and list(Path(f"logs/{number}/train").iterdir())
    assert len(model.evaluate(x, y, verbose=0)) == 2 and model.predict(x, verbose=0).shape == (96, 1)
    kept = model.predict(x, verbose=0)
    model.load_weights(f"{number}.weights.h5")
    np.testing.assert_allclose(model.predict(x, verbose=0), kept, rtol=1e-5)
    assert len(model.weights) == 5
