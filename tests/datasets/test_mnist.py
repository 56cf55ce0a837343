"""MNIST from the cache: faithful copies are taken, all else is refused with advice."""

import io
import pickle
import shutil
import zipfile

import numpy as np
import pytest

from hornbeam.datasets import archive, mnist

pytestmark = pytest.mark.backend_free


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    return tmp_path / "datasets" / "mnist.npz"


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


def check(data):
    (x_train, y_train), (x_test, y_test) = data
    assert x_train.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28)
    assert y_train.shape == (60000,) and y_test.shape == (10000,)
    assert {one.dtype for one in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert y_test[:5].tolist() == [7, 2, 1, 0, 4]
    x_train[0] = 0  # the arrays are the caller's own


def test_the_file_in_the_cache(shared, place, no_network):
    shutil.copy(shared / "data" / "mnist.npz", place)
    check(mnist.load_data())
    check(mnist.load_data(path=str(shared / "data" / "mnist.npz")))


def test_any_faithful_copy_serves(shared, place, no_network):
    with np.load(shared / "data" / "mnist.npz") as source:
        arrays = {name: source[name] for name in mnist.SHAPES}
    arrays["x_test"] = np.asfortranarray(arrays["x_test"])
    np.savez(place.with_name("repacked.npz"), more=np.zeros(3), **arrays)
    check(mnist.load_data("repacked.npz"))


def test_no_cache_and_no_network_says_where_to_put_what(place, no_network):
    with pytest.raises(OSError) as caught:
        mnist.load_data()
    for part in ("MNIST", mnist.ORIGIN, f"put it at {place}"):
        assert part in str(caught.value)
    assert list(place.parent.iterdir()) == []


def small_table(monkeypatch, place, content: dict[str, np.ndarray] | None = None, **raw: bytes):
    """A data set of one small array `a`, and a file with the given entries."""
    expected = np.arange(6, dtype="uint8").reshape(2, 3)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, array in (content or {}).items():
            inner = io.BytesIO()
            np.save(inner, array, allow_pickle=True)
            file.writestr(f"{name}.npy", inner.getvalue())
        for name, blob in raw.items():
            file.writestr(f"{name}.npy", blob)
    place.write_bytes(buffer.getvalue())
    digest = archive.hashlib.sha256(expected.tobytes()).hexdigest()
    return lambda: archive.load_arrays("small", place.name, "http://127.0.0.1:9/", {"a": (2, 3)}, {"a": digest})


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def header(shape, kind="|u1") -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"shape": shape, "fortran_order": False, "descr": kind})
    return buffer.getvalue()


GOOD = np.arange(6, dtype="uint8").reshape(2, 3)


@pytest.mark.parametrize(
    ("content", "raw", "error", "text"),
    [
        ({"a": GOOD + 1}, {}, ValueError, "other values"),
        ({"b": GOOD}, {}, OSError, "a.npy"),
        ({"a": GOOD.astype("int64")}, {}, OSError, "dtype=int64"),
        ({"a": GOOD.T}, {}, OSError, "shape="),
        ({"a": np.array([Bomb()] * 6, object).reshape(2, 3)}, {}, OSError, "dtype=object"),
        ({}, {"a": pickle.dumps(Bomb())}, OSError, "whole .npz"),
        ({}, {"a": header((2, 3)) + b"123"}, OSError, "3 bytes where 6"),
        ({}, {"a": header((1 << 40, 1 << 20))}, OSError, "shape="),
        ({}, {"a": b""}, OSError, "whole .npz"),
    ],
)
def test_other_content_is_refused(place, monkeypatch, content, raw, error, text):
    with pytest.raises(error, match=text) as caught:
        small_table(monkeypatch, place, content, **raw)()
    assert str(place) in str(caught.value) and "Delete the file" in str(caught.value)


def test_the_small_table_itself_is_good(place, monkeypatch):
    assert small_table(monkeypatch, place, {"a": GOOD})()["a"].tolist() == GOOD.tolist()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut"])
def test_what_is_no_zip(place, content):
    place.write_bytes(content)
    with pytest.raises(OSError, match="Delete the file"):
        mnist.load_data()
