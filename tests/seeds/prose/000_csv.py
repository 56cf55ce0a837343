"""A file of comma-separated values, read by `tf.data`: numbers are normalised, categories numbered, in the model."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.default_rng(0)
age, kind = rng.normal(40, 10, 64), rng.choice(["a", "b", "c"], 64)
lines = [f"{x:.3f},{k},{int(x > 40)}" for x, k in zip(age, kind, strict=True)]
Path("people.csv").write_text("\n".join(["age,kind,label", *lines]))
dataset = tf.data.experimental.make_csv_dataset(
    "people.csv", batch_size=16, label_name="label", num_epochs=1, shuffle_seed=0
)

normalization, lookup = layers.Normalization(axis=None), layers.StringLookup(output_mode="one_hot")
normalization.adapt(dataset.map(lambda columns, label: columns["age"]))
lookup.adapt(dataset.map(lambda columns, label: columns["kind"]))
inputs = {"age": keras.Input((), name="age"), "kind": keras.Input((), name="kind", dtype="string")}
features = layers.Concatenate()([layers.Reshape((1,))(normalization(inputs["age"])), lookup(inputs["kind"])])
model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(features))
model.compile(keras.optimizers.Adam(0.2), "binary_crossentropy", metrics=["accuracy"])
model.fit(dataset, epochs=8, verbose=0)
assert model.evaluate(dataset, verbose=0)[1] > 0.9
chance = model.predict({"age": np.array([20.0, 60.0]), "kind": np.array(["a", "new"])}, verbose=0)
assert chance[0] < 0.5 < chance[1]
