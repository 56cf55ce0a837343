"""Folders of JPEGs to batches of 32 float images of 224x224: images per second against tf.data and torch's DataLoader.

Two folders: 5,000 images of 32x32 (CIFAR-10) and 500 generated ones of 500x375. tf.data is what Keras's own
`image_dataset_from_directory` makes; torch reads with Pillow in two worker processes that persist. Each contestant
makes one pass to warm up, then passes that count; all of them with what is their default for workers but torch.

CLOCK=cpu measures processor time of all threads and worker processes instead, over the number of cores: what it would
take where all cores are busy throughout. Other work on the machine changes that far less.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import harness
import numpy as np

DATA = Path(os.environ.get("HORNBEAM_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"
FOLDER = Path(tempfile.gettempdir()) / "hornbeam-benchmark-images"
SIZE, BATCH = (224, 224), 32
PASSES = {"cifar": 1, "photos": 3}


def folder(name: str) -> Path:
    """The folder of images, made when it is needed first."""
    place = FOLDER / name
    if place.exists():
        return place
    fresh = Path(tempfile.mkdtemp(dir=FOLDER.parent))
    if name == "cifar":
        with tarfile.open(DATA / "cifar10_subset.tar.gz") as archive:
            archive.extractall(fresh, filter="data")
        source = fresh / "cifar10_subset" / "train"
    else:
        source = fresh / "photos"
        make_photos(source)
    FOLDER.mkdir(exist_ok=True)
    source.rename(place)
    return place


def make_photos(target: Path) -> None:
    """Images with structures of many sizes, which compress about as photographs do (some 50 kB each)."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(500):
        pixels = np.zeros((375, 500, 3), np.float32)
        for grain, weight in ((4, 0.5), (20, 0.3), (100, 0.15), (375, 0.05)):
            noise = Image.fromarray(rng.integers(0, 256, (grain, grain * 4 // 3, 3), dtype=np.uint8))
            pixels += weight * np.asarray(noise.resize((500, 375), Image.Resampling.BICUBIC), np.float32)
        path = target / f"class{number % 5}" / f"{number:03d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(path, quality=90)


def clock() -> float:
    """Seconds of the wall clock, or of all cores together with CLOCK=cpu."""
    if os.environ.get("CLOCK") != "cpu":
        return time.perf_counter()
    import psutil

    me = psutil.Process()
    times = [one.cpu_times() for one in (me, *me.children(recursive=True))]
    return sum(one.user + one.system for one in times) / (os.cpu_count() or 1)


def timed(data: Iterable[Any], count: int, passes: int) -> list[float]:
    """Seconds for each image, in each pass after the first."""
    times = []
    for _ in range(passes + 1):
        start, seen = clock(), 0
        for images, _ in data:
            seen += images.shape[0]
            assert images.shape[1:3] == SIZE
        times.append((clock() - start) / seen)
        assert seen == count
    return times[1:]


def loader(keras: Any, name: str, **options: Any) -> list[float]:
    data = keras.utils.image_dataset_from_directory(
        folder(name), image_size=SIZE, batch_size=BATCH, seed=0, verbose=False, **options
    )
    return timed(data, len(data.file_paths), PASSES[name])


def hornbeam(name: str) -> list[float]:
    import hornbeam as keras

    return loader(keras, name)


def hornbeam_without_opencv(name: str) -> list[float]:
    import sys

    sys.modules["cv2"] = None  # type: ignore[assignment]
    return hornbeam(name)


def tf_data(name: str) -> list[float]:
    import keras

    return loader(keras, name)


def torch_pillow(name: str) -> list[float]:
    import torch
    from PIL import Image

    paths = sorted(folder(name).rglob("*.jpg"))
    classes = sorted({one.parent.name for one in paths})

    class Images(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(paths)

        def __getitem__(self, index: int) -> Any:
            with Image.open(paths[index]) as image:
                small = image.convert("RGB").resize(SIZE, Image.Resampling.BILINEAR)
            pixels = torch.from_numpy(np.asarray(small, np.float32))
            return pixels, classes.index(paths[index].parent.name)

    data = torch.utils.data.DataLoader(Images(), BATCH, shuffle=True, num_workers=2, persistent_workers=True)
    return timed(data, len(paths), PASSES[name])


def contestants() -> dict[str, Callable[[], list[float]]]:
    kinds = {
        "hornbeam": hornbeam, "hornbeam without OpenCV": hornbeam_without_opencv,
        "tf.data[tensorflow]": tf_data, "torch and Pillow": torch_pillow,
    }  # fmt: skip
    return {f"{name}: {kind}": lambda run=run, name=name: run(name) for name in PASSES for kind, run in kinds.items()}


if __name__ == "__main__":
    for name in PASSES:
        folder(name)
    peers = {
        f"{name}: hornbeam vs {peer}": f"{name}: {peer}"
        for name in PASSES
        for peer in ("tf.data[tensorflow]", "torch and Pillow")
    }
    harness.main(
        "JPEGs to 224x224, time for one image (its inverse is images per second)",
        contestants(),
        peers=peers,
        goals=dict.fromkeys(peers, 1 / 1.2),
        rounds=3,
    )
