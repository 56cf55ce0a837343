"""Images and texts in folders by class become data sets, by the names under which the guide for engineers has them."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.default_rng(0)
for number, name in enumerate(("class_a", "class_b")):
    folder = Path("main_directory") / name
    folder.mkdir(parents=True)
    texts = Path("texts") / name
    texts.mkdir(parents=True)
    for count in range(12):
        pixels = rng.integers(0, 100, (20, 20, 3)) + 120 * number
        keras.utils.save_img(folder / f"{count}.jpg", pixels, scale=False)
        (texts / f"{count}.txt").write_text("good film" if number else "bad film")

for place in (tf.keras.preprocessing, tf.keras.utils):
    dataset = place.image_dataset_from_directory("main_directory", batch_size=8, image_size=(16, 16), seed=1)
    assert dataset.class_names == ["class_a", "class_b"]
    for data, labels in dataset:
        assert data.shape == (8, 16, 16, 3) and labels.shape == (8,)
    turned = place.image_dataset_from_directory(
        "main_directory", class_names=["class_b", "class_a"], batch_size=24, image_size=(16, 16), shuffle=False
    )
    ((data, labels),) = list(turned)
    by_label = np.asarray(data, "float32").mean((1, 2, 3)) > 110
    assert (by_label == (np.asarray(labels) == 0)).all()
    documents = place.text_dataset_from_directory("texts", batch_size=6, seed=1)
    assert documents.class_names == ["class_a", "class_b"] and len(list(documents)) == 4

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        layers.Rescaling(1 / 255),
        layers.Conv2D(4, 3, activation="relu"),
        layers.GlobalMaxPooling2D(),
        layers.Dense(2),
    ]
)
model.compile(
    keras.optimizers.Adam(0.05), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
)
model.fit(dataset, epochs=8, verbose=0)
assert model.evaluate(dataset, verbose=0)[1] > 0.9

vectorizer = layers.TextVectorization(output_mode="multi_hot")
vectorizer.adapt(documents.map(lambda text, label: text))
model = keras.Sequential([keras.Input((), dtype="string"), vectorizer, layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(0.2), "binary_crossentropy", metrics=["accuracy"])
model.fit(documents, epochs=8, verbose=0)
assert model.evaluate(documents, verbose=0)[1] > 0.9
