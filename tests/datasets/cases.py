"""Files in the formats of the built-in data sets, small where Keras lets them be, and calls of `load_data` on them."""

import gzip
import io
import json
import pickle
import tarfile
from pathlib import Path

import numpy as np

ROWS = 4  # different images of a file of CIFAR; Keras counts on 10,000, so they repeat for it

CALLS = {
    "cifar10": [{}],
    "cifar100": [{}, {"label_mode": "coarse"}],
    "fashion_mnist": [{}],
    "imdb": [
        {}, {"num_words": 20}, {"num_words": 20, "skip_top": 6}, {"maxlen": 9}, {"seed": 3, "start_char": None},
        {"oov_char": None, "num_words": 25}, {"start_char": None, "index_from": None}, {"index_from": 0},
        {"num_words": 30, "maxlen": 7, "oov_char": None, "skip_top": 9},
    ],
    "reuters": [
        {}, {"num_words": 20}, {"test_split": 0.5, "seed": 7}, {"maxlen": 9, "skip_top": 5}, {"test_split": 0},
        {"start_char": None, "oov_char": None, "num_words": 22}, {"start_char": None, "index_from": None},
    ],
    "boston_housing": [{}, {"test_split": 0.3, "seed": 1}],
    "california_housing": [{}, {"version": "small", "test_split": 0.5}],
}  # fmt: skip


def texts(rng, count):
    """Lists of numbers, as an array of dtype object."""
    made = np.empty(count, object)
    for row in range(count):
        made[row] = rng.integers(1, 40, rng.integers(2, 14)).tolist()
    return made


class _Python2(pickle._Pickler):
    """Writes text as Python 2 did: byte strings by the instruction U or T."""

    dispatch = dict(pickle._Pickler.dispatch)

    def _bytes(self, value):
        text = value.encode() if isinstance(value, str) else value
        self.write(b"U" + bytes([len(text)]) if len(text) < 256 else b"T" + len(text).to_bytes(4, "little"))
        self.write(text)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = _bytes


def python2_pickle(value):
    """`value` as a pickle of protocol 2 that Python 2 could have written."""
    buffer = io.BytesIO()
    _Python2(buffer, 2).dump(value)
    return buffer.getvalue()


def cifar_file(rng, labels, repeat):
    images = np.tile(rng.integers(0, 256, (ROWS, 3072), dtype=np.uint8), (repeat, 1))
    named = {name: rng.integers(0, 20, ROWS).tolist() * repeat for name in labels}
    names = [f"image_{row}.png" for row in range(ROWS)] * repeat
    return python2_pickle({"batch_label": "training batch", **named, "data": images, "filenames": names})


def tar_of(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(b"\0\0\x08" + bytes([array.ndim]) + sizes + array.tobytes(), mtime=0)


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def files(repeat):
    """By name of the data set, its files by their names in the cache."""
    rng = np.random.default_rng(0)
    ten = {f"cifar-10-batches-py/data_batch_{number}": cifar_file(rng, ["labels"], repeat) for number in range(1, 6)}
    ten["cifar-10-batches-py/test_batch"] = cifar_file(rng, ["labels"], repeat)
    hundred = {
        f"cifar-100-python/{name}": cifar_file(rng, ["fine_labels", "coarse_labels"], repeat)
        for name in ("train", "test")
    }
    clothes = {}
    for name, count in (("train", 60000), ("t10k", 10000)):
        count = count if repeat > 1 else ROWS
        images = np.tile(rng.integers(0, 256, (ROWS, 28, 28), dtype=np.uint8), (count // ROWS, 1, 1))
        clothes[f"fashion-mnist/{name}-images-idx3-ubyte.gz"] = idx(images)
        labels = np.tile(rng.integers(0, 10, ROWS, dtype=np.uint8), count // ROWS)
        clothes[f"fashion-mnist/{name}-labels-idx1-ubyte.gz"] = idx(labels)
    words = json.dumps({"the": 1, "film": 2, "été": 3}).encode()
    return {
        "cifar10": {"cifar-10-batches-py-target_archive": tar_of(ten)},
        "cifar100": {"cifar-100-python-target_archive": tar_of(hundred)},
        "fashion_mnist": clothes,
        "imdb": {
            "imdb.npz": npz(
                x_train=texts(rng, 30), y_train=rng.integers(0, 2, 30),
                x_test=texts(rng, 20), y_test=rng.integers(0, 2, 20),
            ),
            "imdb_word_index.json": words,
        },
        "reuters": {
            "reuters.npz": npz(x=texts(rng, 25), y=rng.integers(0, 46, 25)), "reuters_word_index.json": words,
        },
        "boston_housing": {"boston_housing.npz": npz(x=rng.random((20, 13)), y=rng.random(20))},
        "california_housing": {"california_housing.npz": npz(x=rng.random((700, 8)), y=rng.random(700))},
    }  # fmt: skip


def write(folder: Path, repeat):
    """Writes all files into `folder`, which stands for `~/.keras/datasets`."""
    for found in files(repeat).values():
        for name, content in found.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def answers(datasets):
    """What `load_data` of each gives, as arrays by name: texts as one array with a -1 behind each."""
    out = {}
    for name, calls in CALLS.items():
        for number, options in enumerate(calls):
            found = getattr(datasets, name).load_data(**options)
            for part, array in zip(("x_train", "y_train", "x_test", "y_test"), (*found[0], *found[1]), strict=True):
                key = f"{name}/{number}/{part}"
                out[f"{key}/dtype"] = np.array([str(array.dtype), str(array.shape[1:])])
                if array.dtype == object:
                    array = np.array([number for text in array for number in [*text, -1]])
                elif name in ("cifar10", "cifar100", "fashion_mnist"):
                    # Whatever the number of repetitions is: the first rows of each fifth, and one file has a fifth.
                    step = len(array) // 5 if name == "cifar10" and part.endswith("train") else len(array)
                    array = np.concatenate([array[first : first + ROWS] for first in range(0, len(array), step)])
                out[key] = array
    for name in ("imdb", "reuters"):
        index = getattr(datasets, name).get_word_index()
        out[f"{name}/index"] = np.array([f"{word} {number}" for word, number in index.items()])
    out["reuters/names"] = np.array(datasets.reuters.get_label_names())
    return out
