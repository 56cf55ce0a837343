"""An MLP 784-64-64-10, batch 32, default arguments of `fit`: one step, against Keras and hand-written loops.

Keras on JAX runs with steps_per_execution=32, its best documented setting; the scan is an epoch of Adam steps
over data on the device, compiled as one program, which is the most JAX can do. On torch and TensorFlow Keras runs
with its defaults; the torch loop is what one writes by hand, eager.
"""

from __future__ import annotations

import itertools
import time

import harness
import numpy as np

SAMPLES, BATCH, EPOCHS = 32 * 1000, 32, 5


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((SAMPLES, 784), dtype=np.float32), rng.integers(0, 10, SAMPLES)


def fit(keras, **compile_arguments) -> list[float]:
    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"], **compile_arguments)
    x, y = data()
    clock: list[float] = []
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: clock.append(time.perf_counter()))
    model.fit(x, y, epochs=EPOCHS + 1, verbose=0, callbacks=[watch])
    return [(b - a) / (SAMPLES // BATCH) for a, b in itertools.pairwise(clock)]


def hornbeam() -> list[float]:
    import hornbeam as keras

    return fit(keras)


def keras() -> list[float]:
    import keras

    return fit(keras)


def keras_fused() -> list[float]:
    import keras

    return fit(keras, steps_per_execution=32)


def scan() -> list[float]:
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    sizes = [784, 64, 64, 10]
    params = [
        (jnp.asarray(rng.normal(0, (2 / a) ** 0.5, (a, b)), jnp.float32), jnp.zeros(b))
        for a, b in itertools.pairwise(sizes)
    ]

    def loss_fn(params, x, y):
        for index, (w, b) in enumerate(params):
            x = x @ w + b
            if index < 2:
                x = jax.nn.relu(x)
        logp = jax.nn.log_softmax(x)
        return -jnp.mean(logp[jnp.arange(len(y)), y]), jnp.mean(jnp.argmax(x, -1) == y)

    def step(carry, rows):
        params, m, v, t, x, y = carry
        (loss, accuracy), grads = jax.value_and_grad(loss_fn, has_aux=True)(params, x[rows], y[rows])
        t = t + 1
        m = jax.tree.map(lambda a, g: 0.9 * a + 0.1 * g, m, grads)
        v = jax.tree.map(lambda a, g: 0.999 * a + 0.001 * g * g, v, grads)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        params = jax.tree.map(lambda p, a, b: p - rate * a / (jnp.sqrt(b) + 1e-7), params, m, v)
        return (params, m, v, t, x, y), (loss, accuracy)

    @jax.jit
    def epoch(params, m, v, t, x, y, order):
        (params, m, v, t, _, _), logs = jax.lax.scan(step, (params, m, v, t, x, y), order)
        return params, m, v, t, jax.tree.map(jnp.mean, logs)

    x, y = (jnp.asarray(one) for one in data())
    zeros = jax.tree.map(jnp.zeros_like, params)
    state = (params, zeros, zeros, jnp.zeros(()))
    times = []
    for number in range(EPOCHS + 1):
        start = time.perf_counter()
        order = jnp.asarray(rng.permutation(SAMPLES).reshape(-1, BATCH))
        *state, logs = epoch(*state, x, y, order)
        jax.block_until_ready(logs)
        if number:
            times.append((time.perf_counter() - start) / (SAMPLES // BATCH))
    return times


def torch_loop() -> list[float]:
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_fn = nn.CrossEntropyLoss()
    x, y = (torch.from_numpy(one) for one in data())
    times = []
    for number in range(EPOCHS + 1):
        order = torch.randperm(SAMPLES)
        total, correct = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        start = time.perf_counter()
        for step in range(SAMPLES // BATCH):
            rows = order[step * BATCH : (step + 1) * BATCH]
            targets = y[rows]
            logits = model(x[rows])
            loss = loss_fn(logits, targets)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.detach()
            correct += (logits.argmax(1) == targets).sum()
        float(total), float(correct)  # as logs of an epoch are read
        if number:
            times.append((time.perf_counter() - start) / (SAMPLES // BATCH))
    return times


if __name__ == "__main__":
    harness.main(
        "One step of fit, MLP 784-64-64-10, batch 32",
        {
            "hornbeam[jax]": hornbeam,
            "hornbeam[tensorflow]": hornbeam,
            "hornbeam[torch]": hornbeam,
            "keras[jax] fused 32": keras_fused,
            "keras[tensorflow]": keras,
            "keras[torch]": keras,
            "hand-written lax.scan": scan,
            "hand-written torch loop": torch_loop,
        },
        peers={
            "hornbeam[jax]": "keras[jax] fused 32",
            "hornbeam[jax] vs scan": "hand-written lax.scan",
            "hornbeam[tensorflow]": "keras[tensorflow]",
            "hornbeam[torch]": "hand-written torch loop",
            "hornbeam[torch] vs keras": "keras[torch]",
        },
        goals={
            "hornbeam[jax]": 0.6, "hornbeam[jax] vs scan": 1.15, "hornbeam[tensorflow]": 1.0,
            "hornbeam[torch]": 1.15, "hornbeam[torch] vs keras": 0.6,
        },
        unit="us",
    )
