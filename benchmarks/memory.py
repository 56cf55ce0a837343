"""Whether `fit` holds growing memory: resident size over 10,000 steps, fused and batch by batch."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import numpy as np

import hornbeam as keras


def resident() -> float:
    """Megabytes of memory the process holds now (Linux), else its peak so far."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def main(steps: int = 10_000) -> None:
    """Prints the resident size after each tenth of the steps."""
    rng = np.random.default_rng(0)
    x, y = rng.random((3200, 64), dtype=np.float32), rng.integers(0, 10, 3200)

    def batches():
        while True:
            rows = rng.integers(0, 3200, 32)
            yield x[rows], y[rows]

    for name, arguments in (
        ("arrays, fused steps", {"x": x, "y": y}),
        ("generator, batch by batch", {"x": batches(), "steps_per_epoch": 100}),
    ):
        model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10)])
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        model.fit(**arguments, epochs=2, verbose=0)
        sizes = [resident()]
        for _ in range(10):
            model.fit(**arguments, epochs=steps // 1000, verbose=0)
            sizes.append(resident())
        print(f"{name:28s} {steps} steps: {sizes[0]:.1f} MB -> {sizes[-1]:.1f} MB", [round(one, 1) for one in sizes])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
