"""How fast are the JAX backend's convolution and pooling? One training step of the guide's convnet, by hand.

Four programs do the same step (batch 128, float32, Adam, sparse cross-entropy): the backend's forms, several
steps in one `lax.scan` or one step per dispatch; the plain lax forms; and native torch, eager, channels_last.
They take turns, so that a busy moment of the machine meets all of them.
Run it: PYTHONPATH=. python benchmarks/convolution_kernels.py [rounds]
"""

import functools
import os
import statistics
import sys
import time

os.environ.setdefault("HORNBEAM_BACKEND", "jax")

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import lax

from hornbeam.backend.jax import convolution, pooling

BATCH, STEPS = 128, 4
SHAPES = {
    "conv1": (3, 3, 1, 64),
    "conv2": (3, 3, 64, 64),
    "conv3": (3, 3, 64, 128),
    "conv4": (3, 3, 128, 128),
    "dense": (128, 10),
}


def plain_conv(x, kernel):
    return lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def plain_pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


OURS = (convolution.conv, lambda x: pooling.max_pool(x, 2), convolution.add_bias)
PLAIN = (plain_conv, plain_pool, lambda x, bias: x + bias)


def loss(weights, x, y, key, forms):
    conv, pool, add_bias = forms
    for name in ("conv1", "conv2", "pool", "conv3", "conv4"):
        if name == "pool":
            x = pool(x)
        else:
            x = jax.nn.relu(add_bias(conv(x, weights[name][0]), weights[name][1]))
    x = x.mean((1, 2))
    x = jnp.where(jax.random.bernoulli(key, 0.5, x.shape), 2 * x, 0)
    logits = x @ weights["dense"][0] + weights["dense"][1]
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()


def step(state, batch, forms):
    weights, mean, square, count, key = state
    key, dropout = jax.random.split(key)
    value, gradients = jax.value_and_grad(loss)(weights, *batch, dropout, forms)
    count = count + 1
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradients)
    square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, square, gradients)
    rate = 1e-3 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, mean, square)
    return (weights, mean, square, count, key), value


def jax_program(forms, x, y, scan):
    """A function that runs `STEPS` steps, and how long it took to compile."""
    generator = np.random.default_rng(0)
    weights = {
        name: (
            jnp.asarray(generator.standard_normal(shape, "float32") * (2 / np.prod(shape[:-1])) ** 0.5),
            jnp.zeros(shape[-1]),
        )
        for name, shape in SHAPES.items()
    }
    zeros = functools.partial(jax.tree.map, jnp.zeros_like)
    state = (weights, zeros(weights), zeros(weights), jnp.float32(0), jax.random.key(0))
    one = functools.partial(step, forms=forms)

    def many(state, batches):
        return lax.scan(one, state, batches)

    batch = (jnp.asarray(x), jnp.asarray(y))
    batches = jax.tree.map(lambda a: jnp.stack([a] * STEPS), batch)
    options = convolution.compiler_options() if forms is OURS else {}
    start = time.perf_counter()
    if scan:
        compiled = jax.jit(many, compiler_options=options).lower(state, batches).compile()
    else:
        compiled = jax.jit(one, compiler_options=options).lower(state, batch).compile()
    seconds = time.perf_counter() - start

    def run():
        nonlocal state
        for _ in range(1 if scan else STEPS):
            state, _ = compiled(state, batches if scan else batch)
        jax.block_until_ready(state[0])

    return run, seconds


def torch_program(x, y):
    torch.set_num_threads(os.cpu_count() or 1)
    nn = torch.nn
    relu = nn.ReLU
    model = nn.Sequential(
        *(nn.Conv2d(1, 64, 3), relu(), nn.Conv2d(64, 64, 3), relu(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 128, 3), relu(), nn.Conv2d(128, 128, 3), relu()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(128, 10)),
    ).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    inputs = torch.from_numpy(x).permute(0, 3, 1, 2).to(memory_format=torch.channels_last)
    labels = torch.from_numpy(y)

    def run():
        for _ in range(STEPS):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()

    return run, 0.0


def main(rounds=8):
    generator = np.random.default_rng(1)
    x, y = generator.standard_normal((BATCH, 28, 28, 1), "float32"), generator.integers(0, 10, BATCH)
    programs = {
        "hornbeam forms, lax.scan": jax_program(OURS, x, y, scan=True),
        "hornbeam forms, by step": jax_program(OURS, x, y, scan=False),
        "plain lax, by step": jax_program(PLAIN, x, y, scan=False),
        "torch channels_last": torch_program(x, y),
    }
    times = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, (run, _) in programs.items():
            start = time.perf_counter()
            run()
            if turn:  # the first turn warms up
                times[name].append((time.perf_counter() - start) / STEPS * 1e6)
    peer, best = (function(times["torch channels_last"]) for function in (statistics.median, min))
    titles = ("median", "peer", "ratio", "fastest", "ratio", "compile s")
    print(f"{'us a step':26s}", "{:>9s} {:>9s} {:>6s} {:>9s} {:>6s} {:>9s}".format(*titles))
    for name, (_, compile_seconds) in programs.items():
        median, fastest = statistics.median(times[name]), min(times[name])
        print(
            f"{name:26s} {median:9.0f} {peer:9.0f} {median / peer:6.2f} {fastest:9.0f} {fastest / best:6.2f} "
            f"{compile_seconds:9.1f}"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
