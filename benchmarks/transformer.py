"""A 6-layer transformer encoder (d=256, 4 heads, T=128, batch 16), float32, `fit`: one training step on torch
and TensorFlow.

Against a hand-written torch loop, eager and compiled, and Keras on both backends. Data are random tokens in memory;
each contestant trains one epoch to warm up and then measured epochs.
"""

from __future__ import annotations

import itertools
import os
import time

import harness
import numpy as np

STEPS, BATCH, EPOCHS = int(os.environ.get("STEPS", "8")), 16, 2  # a GPU wants more steps
LENGTH, WIDTH, HEADS, LAYERS, WORDS, CLASSES = 128, 256, 4, 6, 1000, 10
DROPOUT = float(os.environ.get("DROPOUT", "0.1"))


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    count = STEPS * BATCH
    return rng.integers(0, WORDS, (count, LENGTH)).astype("int32"), rng.integers(0, CLASSES, count)


def fit(keras, **compile_arguments) -> list[float]:
    layers = keras.layers
    inputs = keras.Input((LENGTH,), dtype="int32")
    hidden = layers.Embedding(WORDS, WIDTH)(inputs)
    for _ in range(LAYERS):
        normal = layers.LayerNormalization()(hidden)
        attended = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, dropout=0.0)(normal, normal)
        hidden = layers.Add()([hidden, layers.Dropout(DROPOUT)(attended)])
        normal = layers.LayerNormalization()(hidden)
        inner = layers.Dense(4 * WIDTH, activation="gelu")(normal)
        hidden = layers.Add()([hidden, layers.Dropout(DROPOUT)(layers.Dense(WIDTH)(inner))])
    hidden = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(hidden))
    model = keras.Model(inputs, layers.Dense(CLASSES)(hidden))
    model.compile(
        optimizer=keras.optimizers.Adam(1e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
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
    from torch.nn import functional

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.LayerNorm(WIDTH, eps=1e-3), nn.LayerNorm(WIDTH, eps=1e-3)
            self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
            self.dropout = nn.Dropout(DROPOUT)

        def forward(self, x):
            batch = x.shape[0]
            parts = self.qkv(self.first(x)).view(batch, LENGTH, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
            seen = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2])
            x = x + self.dropout(self.out(seen.transpose(1, 2).reshape(batch, LENGTH, WIDTH)))
            return x + self.dropout(self.down(functional.gelu(self.up(self.second(x)), approximate="tanh")))

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(WORDS, WIDTH)
            self.blocks = nn.Sequential(*[Block() for _ in range(LAYERS)])
            self.norm, self.head = nn.LayerNorm(WIDTH, eps=1e-3), nn.Linear(WIDTH, CLASSES)

        def forward(self, x):
            return self.head(self.norm(self.blocks(self.words(x))).mean(1))

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = Model().to(device)
    forward = torch.compile(model) if compiled else model
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    tokens, labels = (torch.from_numpy(one).to(device) for one in data())
    times = []
    for epoch in range(EPOCHS + 1):
        order = torch.randperm(len(tokens), device=device)
        correct = 0
        start = time.perf_counter()
        for step in range(STEPS):
            rows = order[step * BATCH : (step + 1) * BATCH]
            logits, targets = forward(tokens[rows]), labels[rows]
            loss = functional.cross_entropy(logits, targets)
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
        f"One step of fit, a transformer of {LAYERS} layers, width {WIDTH}, length {LENGTH}, batch {BATCH}",
        {
            "hornbeam[torch]": hornbeam,
            "hornbeam[torch] compiled": hornbeam_compiled,
            "hornbeam[tensorflow]": hornbeam,
            "keras[torch]": keras,
            "keras[tensorflow]": keras,
            "torch": torch_native,
            "torch compiled": torch_compiled,
        },
        peers={
            "hornbeam[torch]": "torch",
            "hornbeam[torch] vs keras": "keras[torch]",
            "hornbeam[torch] compiled": "torch compiled",
            "hornbeam[tensorflow]": "keras[tensorflow]",
        },
        goals={
            "hornbeam[torch]": 1.15, "hornbeam[torch] vs keras": 0.6, "hornbeam[torch] compiled": 1.05,
            "hornbeam[tensorflow]": 1.0,
        },
    )
