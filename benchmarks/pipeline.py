"""How long a device waits for batches where the pipeline is faster than the model: the aim is under 3 % of the time.

The model of the test is a step that takes 60 ms and no core, as on an accelerator, in `fit` on the loaders' datasets.
The wait is what lies between the end of a step and the beginning of the next, the loop of `fit` itself included.
"""

from __future__ import annotations

import time
from typing import Any

import harness
import images
import numpy as np

STEP, EPOCHS = 0.06, 3
TABLE = images.DATA / "adult.csv"


def waits(data: Any) -> list[float]:
    """Seconds between steps, in the epochs after the first."""
    import hornbeam as keras

    class Device(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.built = True
            self.gaps: list[float] = []
            self.ended: float | None = None

        def train_step(self, batch: Any) -> dict[str, float]:
            if self.ended is not None:
                self.gaps.append(time.perf_counter() - self.ended)
            time.sleep(STEP)
            self.ended = time.perf_counter()
            return {"loss": 0.0}

    class Start(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.model.ended = None  # an epoch ends with logs and callbacks, which are no wait for data
            if epoch == 1:
                self.model.gaps.clear()

    model = Device()
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    model.fit(data, epochs=EPOCHS, verbose=0, callbacks=[Start()])
    # The mean, not the median: a stall now and then counts.
    return [float(np.mean(model.gaps))]


def photos() -> list[float]:
    import hornbeam as keras

    return waits(
        keras.utils.image_dataset_from_directory(
            images.folder("photos"), image_size=images.SIZE, batch_size=16, seed=0, verbose=False
        )
    )


def small_pictures() -> list[float]:
    import hornbeam as keras

    data = keras.utils.image_dataset_from_directory(
        images.folder("cifar"), image_size=(32, 32), batch_size=128, seed=0, verbose=False
    )
    return waits(data)


def table() -> list[float]:
    from hornbeam.data import table_dataset

    return waits(table_dataset(TABLE, label="income", batch_size=512, seed=0, verbose=False))


def table_in_blocks() -> list[float]:
    from hornbeam.data import table_dataset, table_files

    table_files.BLOCK_BYTES = 200_000
    return waits(table_dataset(TABLE, label="income", batch_size=512, seed=0, verbose=False, memory=1_500_000))


def mapped() -> list[float]:
    from hornbeam.data import Dataset

    rng = np.random.default_rng(0)
    data = Dataset.from_arrays(rng.random((2000, 64, 64, 3), dtype=np.float32))
    return waits(data.map(lambda x: np.sort(x, axis=1), workers=2).shuffle(0).batch(32))


if __name__ == "__main__":
    contestants = {
        "photos": photos, "small pictures": small_pictures, "table": table, "table in blocks": table_in_blocks,
        "a map of arrays": mapped,
    }  # fmt: skip
    for name in images.PASSES:
        images.folder(name)
    harness.main(
        "The wait before a step, against the step's own 60 ms; 0.031 of it is 3 % of the time",
        {**contestants, "the step": lambda: [STEP]},
        peers=dict.fromkeys(contestants, "the step"),
        goals=dict.fromkeys(contestants, 0.03 / 0.97),
        rounds=2,
    )
