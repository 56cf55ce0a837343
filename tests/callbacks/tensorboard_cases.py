"""Runs with the TensorBoard callback, for Keras and hornbeam alike, and a reader of what they wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np

CASES = {
    "plain": {},
    "each batch": {"update_freq": "batch", "write_steps_per_second": True},
    "weights": {"histogram_freq": 1, "write_images": True, "write_graph": False},
}


def train(keras, case: str, folder: str):
    """Two epochs of three batches with validation."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 7, (64, 4)), rng.integers(0, 2, 64)
    keras.utils.clear_session()
    model = keras.Sequential(
        [
            keras.layers.Embedding(7, 3, name="words"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="relu", name="first"),
            keras.layers.Dense(1, activation="sigmoid", name="second"),
        ],
        name="net",
    )
    model.build((None, 4))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    callback = keras.callbacks.TensorBoard(folder, **CASES[case])
    model.fit(x, y, batch_size=16, epochs=2, validation_split=0.25, verbose=0, callbacks=[callback])
    return model


def events(folder: str) -> list[list]:
    """Run, tag, plugin, step, and shape of each value in the event files of a folder."""
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto import event_pb2

    found = []
    for path in sorted(Path(folder).glob("*/events*")):
        for record in RawEventFileLoader(str(path)).Load():
            event = event_pb2.Event.FromString(record)
            for value in event.summary.value:
                shape = [one.size for one in value.tensor.tensor_shape.dim]
                found.append([path.parent.name, value.tag, value.metadata.plugin_data.plugin_name, event.step, shape])
    return found
