"""The built-in data sets give what PyPI's keras makes of the same files, and refuse what is no plain data."""

import contextlib
import hashlib
import os
import pickle
import re

import numpy as np
import pytest

import hornbeam
from hornbeam import datasets
from hornbeam.datasets import boston_housing, california_housing, cifar10, cifar100, fashion_mnist, imdb, reuters
from hornbeam.datasets.pickled import read_pickled
from tests.datasets import cases
from tests.datasets.record_oracle import ORACLE

HASHED = {
    "cifar10": (cifar10, "FILE_HASH", "cifar-10-batches-py-target_archive"),
    "cifar100": (cifar100, "FILE_HASH", "cifar-100-python-target_archive"),
    "imdb": (imdb, "FILE_HASH", "imdb.npz"),
    "imdb words": (imdb, "INDEX_HASH", "imdb_word_index.json"),
    "reuters": (reuters, "FILE_HASH", "reuters.npz"),
    "reuters words": (reuters, "INDEX_HASH", "reuters_word_index.json"),
    "boston": (boston_housing, "FILE_HASH", "boston_housing.npz"),
    "california": (california_housing, "FILE_HASH", "california_housing.npz"),
}


def digest(place):
    return hashlib.sha256(place.read_bytes()).hexdigest()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Made files in the cache, with their hashes in place of the real ones, and no network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    folder = tmp_path / "datasets"
    cases.write(folder, repeat=1)
    for module, name, file in HASHED.values():
        monkeypatch.setattr(module, name, digest(folder / file))
    monkeypatch.setattr(
        fashion_mnist,
        "FILE_HASHES",
        {name: digest(folder / "fashion-mnist" / name) for name in fashion_mnist.FILE_HASHES},
    )

    def refuse(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    return folder


def test_all_give_what_keras_gives(cache):
    found = cases.answers(datasets)
    with np.load(ORACLE) as expected:
        assert set(found) == set(expected), "run python -m tests.datasets.record_oracle"
        for name in expected:
            assert found[name].dtype == expected[name].dtype, name
            assert np.array_equal(found[name], expected[name]), name


def test_channels_first(cache):
    hornbeam.config.set_image_data_format("channels_first")
    try:
        assert cifar10.load_data()[0][0].shape == (20, 3, 32, 32)
    finally:
        hornbeam.config.set_image_data_format("channels_last")


def test_a_file_elsewhere(cache, tmp_path):
    (cache / "imdb.npz").rename(tmp_path / "mine.npz")
    assert len(imdb.load_data(path=str(tmp_path / "mine.npz"))[0][0]) == 30
    with pytest.raises(OSError, match="no such file"):
        imdb.load_data(path=str(tmp_path / "none.npz"))
    with pytest.raises(ValueError, match=r"reuters\.npz"):
        reuters.load_data(path=str(tmp_path / "mine.npz"))
    with pytest.warns(UserWarning, match="num_words"):
        assert max(max(one) for one in imdb.load_data(path=str(tmp_path / "mine.npz"), nb_words=9)[0][0]) < 9
    with pytest.raises(TypeError, match="words"):
        imdb.load_data(path=str(tmp_path / "mine.npz"), words=9)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: cifar100.load_data("finest"), ValueError, "fine"),
        (lambda: california_housing.load_data("tiny"), ValueError, "large"),
        (lambda: boston_housing.load_data(test_split=1.0), ValueError, "test_split"),
        (lambda: reuters.load_data(test_split="half"), TypeError, "test_split"),
        (lambda: imdb.load_data(maxlen=2), ValueError, "Increase maxlen"),
    ],
)
def test_wrong_arguments(cache, call, error, text):
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize("name", [*HASHED, "fashion"])
def test_other_content_is_fetched_anew_or_refused(cache, name):
    module, _, file = HASHED.get(name, (fashion_mnist, "", "fashion-mnist/t10k-labels-idx1-ubyte.gz"))
    content = (cache / file).read_bytes()
    (cache / file).write_bytes(content[:-30])
    with pytest.raises(OSError, match="no network"):
        module.get_word_index() if "words" in name else module.load_data()


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def damaged(name, content):
    files = {f"cifar-10-batches-py/{one}": content for one in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")}
    if name == "escape":
        files["../evil"] = b"x"
    return cases.tar_of(files)


IMAGES = np.zeros((2, 3072), np.uint8)
BAD_BATCHES = {
    "code": (pickle.dumps({b"data": IMAGES, b"labels": [Bomb(), 1]}, 2), ValueError, "plain values"),
    "no dict": (pickle.dumps([1], 2), OSError, "images and labels"),
    "other labels": (cases.python2_pickle({"data": IMAGES, "labels": [1]}), OSError, "images and labels"),
    "large labels": (cases.python2_pickle({"data": IMAGES, "labels": [1, 256]}), OSError, "images and labels"),
    "other images": (cases.python2_pickle({"data": IMAGES[:, 1:], "labels": [1, 2]}), OSError, "images and labels"),
    "cut": (cases.python2_pickle({"data": IMAGES, "labels": [1, 2]})[:-9], OSError, "whole pickle"),
    "empty": (b"", OSError, "whole pickle"),
    "escape": (b"", ValueError, "leaves the folder"),
}


@pytest.mark.parametrize("name", BAD_BATCHES)
def test_bad_batches_of_cifar(cache, monkeypatch, name):
    content, error, text = BAD_BATCHES[name]
    place = cache / "cifar-10-batches-py-target_archive"
    place.write_bytes(damaged(name, content))
    monkeypatch.setattr(cifar10, "FILE_HASH", digest(place))
    with pytest.raises(error, match=text):
        cifar10.load_data()
    assert not (cache.parent / "evil").exists() and not (cache / "evil").exists()


BAD_ARRAYS = {
    "code": (np.array([[1], Bomb()], object), ValueError, "plain values"),
    "texts of text": (np.array([["a"], ["b", "c"]], object), OSError, "word numbers"),
    "no lists": (np.array([1, "b"], object), OSError, "list of numbers"),
    "too few": (np.array([[1], [2, 3], [4]], object), OSError, "list of numbers"),
    "numbers": (np.arange(2), OSError, "list of numbers"),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_bad_arrays_of_texts(cache, monkeypatch, name):
    texts, error, text = BAD_ARRAYS[name]
    place = cache / "reuters.npz"
    place.write_bytes(cases.npz(x=texts, y=np.arange(2)))
    monkeypatch.setattr(reuters, "FILE_HASH", digest(place))
    with pytest.raises(error, match=text):
        reuters.load_data()


# ---- the reader of pickles -----------------------------------------------------------------------------------------


def lists(*rows):
    made = np.empty(len(rows), object)
    made[:] = rows
    return made


SHARED = [1, 2]
VALUES = [
    {}, [], (), None, True, False, 0, 255, 256, 65535, 65536, -1, -(2**31), 2**31, 2**62, -(2**62), "", "é", b"",
    b"\xff", "a" * 300, b"a" * 300, {"a": [1, (2, b"3")], 4: {"b": None}}, list(range(3000)), [SHARED, SHARED],
    {str(number): number for number in range(1500)}, (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [[[[]]]],
]  # fmt: skip
ARRAYS = [
    np.arange(6, dtype="uint8").reshape(2, 3), np.zeros((0, 4), "float32"), np.arange(4.0), np.arange(3, dtype=">i4"),
    np.asfortranarray(np.arange(6).reshape(2, 3)), np.array([True, False]), lists([1, 2], [3]), np.array(5),
]  # fmt: skip


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_plain_values_come_back(protocol):
    for value in VALUES:
        found = read_pickled(pickle.dumps(value, protocol), "x")
        assert found == value and type(found) is type(value)
    for array in ARRAYS:
        found = read_pickled(pickle.dumps({"a": array, "again": array}, protocol), "x")
        assert found["a"] is found["again"] and found["a"].dtype == array.dtype and found["a"].shape == array.shape
        assert found["a"].tolist() == array.tolist()


class Slots:
    pass


@pytest.mark.parametrize("protocol", [0, 2, 3, 4])
@pytest.mark.parametrize(
    "value",
    [
        Bomb(), os.system, Slots, Slots(), {1}, 1.5, np.float32(1), np.array(["a"]), np.array([1], "datetime64[s]"),
        np.zeros(2, [("a", "i4")]), range(3), np.array([Bomb()], object), bytearray(b"x"),
    ],
    ids=lambda value: re.sub(r" at 0x\w+", "", str(value)),  # the same in every process
)  # fmt: skip
def test_all_else_is_refused(protocol, value):
    with pytest.raises((ValueError, OSError)) as caught:
        read_pickled(pickle.dumps([value], protocol), "the file")
    assert "the file" in str(caught.value)


def test_cut_and_changed_pickles_raise_nothing_else():
    whole = cases.python2_pickle({"data": IMAGES[:, :40], "labels": [1, 700], "names": ["a", "b"]})
    rng = np.random.default_rng(0)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] = rng.integers(256)
        for content in (whole[:place], bytes(changed)):
            with contextlib.suppress(ValueError, OSError):
                read_pickled(content, "x")


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02cnumpy\nndarray\n.", b"\x80\x02(K\x01.", b"\x80\x02K\x01K\x02.", b"\x80\x02h\x00.",
        b"\x80\x02T\xff\xff\xff\x7fab.", b"\x80\x02cos\nsystem\n.", b"\x80\x02]]s.", b"\x80\x02]K\x01K\x02a.",
        b"\x80\x02cnumpy\ndtype\nX\x03\0\0\0V99K\0K\1\x87R.", b"\x80\x02}(]K\x01u.",
    ],
)  # fmt: skip
def test_hand_made_pickles(content):
    with pytest.raises((ValueError, OSError)):
        read_pickled(content, "x")
