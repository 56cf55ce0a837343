"""TextVectorization on real texts: learning a vocabulary, and texts to padded numbers, against Keras on TensorFlow.

The texts are the sentences of SST-2, ten times over (7 MB, 69,190 texts of 19 words), and the movie reviews (8 MB,
2,000 texts of 650 words). Keras gets batches of two sizes, and the faster of them counts.
"""

from __future__ import annotations

import os
import tarfile
import time
from pathlib import Path
from typing import Any

import harness
import numpy as np

DATA = Path(os.environ.get("HORNBEAM_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"


def sentences() -> np.ndarray:
    lines = (DATA / "sst2/train.tsv").read_text().splitlines()
    return np.array([line.partition("\t")[0] for line in lines] * 10, dtype=object)


def reviews() -> np.ndarray:
    with tarfile.open(DATA / "review_polarity.tar.gz") as archive:
        found = [archive.extractfile(one).read().decode("latin-1") for one in archive if one.name.endswith(".txt")]
    return np.array([one for one in found if len(one) > 200], dtype=object)


def vectorizer(keras: Any) -> Any:
    return keras.layers.TextVectorization(max_tokens=20000)


def adapt(keras: Any, texts: np.ndarray) -> list[float]:
    times = []
    for _ in range(3):
        layer = vectorizer(keras)
        start = time.perf_counter()
        layer.adapt(texts)
        times.append(time.perf_counter() - start)
    return times[1:]


def transform(keras: Any, texts: np.ndarray, size: int) -> list[float]:
    layer = vectorizer(keras)
    layer.adapt(texts[:1000])
    times = []
    for _ in range(4):
        start = time.perf_counter()
        for first in range(0, len(texts), size):
            np.asarray(layer(texts[first : first + size]))
        times.append(time.perf_counter() - start)
    return times[1:]


def contestants() -> dict[str, Any]:
    def ours() -> Any:
        import hornbeam as keras

        return keras

    def theirs() -> Any:
        import keras

        return keras

    sources = {"sst2 x10": (sentences, 1024, 4096), "reviews": (reviews, 128, 2000)}
    result: dict[str, Any] = {}
    for name, (texts, size, keras_size) in sources.items():
        result[f"adapt {name}: hornbeam"] = lambda texts=texts: adapt(ours(), texts())
        result[f"adapt {name}: keras[tensorflow]"] = lambda texts=texts: adapt(theirs(), texts())
        result[f"transform {name}: hornbeam"] = lambda texts=texts, size=size: transform(ours(), texts(), size)
        for peer, batch in (("keras[tensorflow]", size), ("keras[tensorflow] large", keras_size)):
            result[f"transform {name}: {peer}"] = lambda texts=texts, size=batch: transform(theirs(), texts(), size)
    return result


if __name__ == "__main__":
    found = contestants()
    peers = {
        name: ",".join(
            other for other in found if other.startswith(name.partition(":")[0] + ":") and "hornbeam" not in other
        )
        for name in found
        if name.endswith("hornbeam")
    }
    harness.main(
        "TextVectorization: adapt and transform (whole corpus)",
        found,
        peers=peers,
        goals=dict.fromkeys(peers, 0.5),
        rounds=2,
    )
