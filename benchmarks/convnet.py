"""The guide's convnet, batch 128, float32, `fit`: one training step, against Keras on three backends and torch.

Data are random images of MNIST's shape, in memory. Each contestant trains one epoch to warm up and then measured
epochs of the same `fit`; Keras runs with its defaults for `fit` (jit on JAX and TensorFlow), torch with channels_last.
"""

from __future__ import annotations

import itertools
import os
import time

import harness
import numpy as np

STEPS, BATCH, EPOCHS = int(os.environ.get("STEPS", "24")), 128, 3  # a GPU wants more steps


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    count = STEPS * BATCH
    return rng.random((count, 28, 28, 1), dtype=np.float32), rng.integers(0, 10, count)


def fit(keras, **compile_arguments) -> list[float]:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(128, kernel_size=(3, 3), activation="relu"),
            layers.Conv2D(128, kernel_size=(3, 3), activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(),
        optimizer=keras.optimizers.Adam(learning_rate=1e-3),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
        **compile_arguments,
    )
    x, y = data()
    clock: list[float] = []
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: clock.append(time.perf_counter()))
    model.fit(x, y, batch_size=BATCH, epochs=EPOCHS + 1, verbose=0, callbacks=[watch])
    return [(b - a) / STEPS for a, b in itertools.pairwise(clock)]


def hornbeam() -> list[float]:
    import hornbeam as keras

    return fit(keras)


def hornbeam_compiled() -> list[float]:
    import hornbeam as keras

    return fit(keras, jit_compile=True)


def keras() -> list[float]:
    import keras

    return fit(keras)


def torch_native(compiled: bool = False) -> list[float]:
    import torch
    from torch import nn

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = nn.Sequential(
        nn.Conv2d(1, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3), nn.ReLU(), nn.Conv2d(128, 128, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(128, 10),
    ).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_fn = nn.CrossEntropyLoss()
    forward = torch.compile(model) if compiled else model
    x, y = data()
    images = torch.from_numpy(x).to(device).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    labels = torch.from_numpy(y).to(device)
    times = []
    for epoch in range(EPOCHS + 1):
        order = torch.randperm(len(images), device=device)
        correct = 0
        start = time.perf_counter()
        for step in range(STEPS):
            rows = order[step * BATCH : (step + 1) * BATCH]
            batch, targets = images[rows], labels[rows]
            logits = forward(batch)
            loss = loss_fn(logits, targets)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            correct += (logits.argmax(1) == targets).sum()
        float(correct)  # as logs of an epoch are read
        if epoch:
            times.append((time.perf_counter() - start) / STEPS)
    return times


def torch_compiled() -> list[float]:
    return torch_native(compiled=True)


if __name__ == "__main__":
    harness.main(
        "One step of fit, the guide's convnet, batch 128, float32",
        {
            "hornbeam[jax]": hornbeam,
            "hornbeam[tensorflow]": hornbeam,
            "hornbeam[torch]": hornbeam,
            "hornbeam[torch] compiled": hornbeam_compiled,
            "keras[jax]": keras,
            "keras[tensorflow]": keras,
            "keras[torch]": keras,
            "torch channels_last": torch_native,
            "torch channels_last compiled": torch_compiled,
        },
        peers={
            "hornbeam[jax]": "keras[jax],keras[tensorflow],keras[torch]",
            "hornbeam[jax] vs torch": "torch channels_last",
            "hornbeam[tensorflow]": "keras[tensorflow]",
            "hornbeam[torch]": "torch channels_last",
            "hornbeam[torch] vs keras": "keras[torch]",
            "hornbeam[torch] compiled": "torch channels_last compiled",
        },
        goals={
            "hornbeam[jax]": 1.0, "hornbeam[tensorflow]": 1.0, "hornbeam[torch]": 1.15,
            "hornbeam[torch] vs keras": 0.6, "hornbeam[torch] compiled": 1.05,
        },
    )
