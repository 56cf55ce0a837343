"""`adapt` of Normalization and Discretization: every kind of data gives the same state, and bad data change nothing.

What Keras learns from the same data was recorded by record_adapt.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from hornbeam.layers.preprocessing.adapting import batches
from hornbeam.scope import Trace
from tests.layers.preprocessing.adapt_cases import DISCRETIZATION, NORMALIZATION

RECORDED = json.loads(Path(__file__).with_name("adapted.json").read_text())
DATA = np.random.RandomState(3).normal(2.0, 3.0, (50, 3)).astype("float32")


class Batches(keras.utils.PyDataset):
    """Ten rows at a time."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> np.ndarray:
        return DATA[10 * index : 10 * index + 10]


class ByNumber:
    """Like a loader that can only be asked for a batch by its number."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> np.ndarray:
        if index >= 5:
            raise AssertionError("beyond the end")
        return DATA[10 * index : 10 * index + 10]


class LikeTensorFlow:
    """What a `tf.data.Dataset` looks like from here."""

    def as_numpy_iterator(self) -> Any:
        return iter(Batches())


def _torch() -> Any:
    torch = pytest.importorskip("torch", reason="a loader of torch is one kind of data")
    return torch.utils.data.DataLoader(torch.from_numpy(DATA), batch_size=10)


def _frame() -> Any:
    return pytest.importorskip("pandas", reason="a frame is one kind of data").DataFrame(DATA)


def _file(folder: Path) -> Any:
    h5py = pytest.importorskip("h5py")
    file = h5py.File(folder / "data.h5", "w")
    return file.create_dataset("x", data=DATA)


KINDS = {
    "array": lambda _: DATA,
    "float64": lambda _: DATA.astype("float64"),
    "tensor": lambda _: backend.asarray(DATA),
    "list": lambda _: DATA.tolist(),
    "frame": lambda _: _frame(),
    "file": _file,
    "generator": lambda _: (DATA[i : i + 7] for i in range(0, 50, 7)),
    "list of batches": lambda _: iter([DATA[:20], DATA[20:]]),
    "PyDataset": lambda _: Batches(),
    "by number": lambda _: ByNumber(),
    "tf.data": lambda _: LikeTensorFlow(),
    "DataLoader": lambda _: _torch(),
    "samples": lambda _: iter(DATA),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_data(kind: str, tmp_path: Path) -> None:
    layer = keras.layers.Normalization()
    layer.adapt(KINDS[kind](tmp_path))
    np.testing.assert_allclose(backend.to_numpy(layer.adapt_mean.value), DATA.mean(0), rtol=1e-5)
    np.testing.assert_allclose(backend.to_numpy(layer.adapt_variance.value), DATA.var(0), rtol=1e-5)


@pytest.mark.parametrize("name", NORMALIZATION)
def test_normalization_learns_what_keras_learns(name: str) -> None:
    case = NORMALIZATION[name]
    layer = keras.layers.Normalization(axis=case["axis"])
    for data in case["data"]:
        layer.adapt(data)
    wanted = RECORDED["normalization"][name]
    for ours, theirs in ((layer.mean, wanted["mean"]), (layer.variance, wanted["variance"])):
        assert list(ours.shape) == list(np.shape(theirs))
        np.testing.assert_allclose(backend.to_numpy(ours), theirs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        backend.to_numpy(layer(case["data"][-1])), wanted["outputs"], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("name", DISCRETIZATION)
def test_discretization_learns_what_keras_learns(name: str) -> None:
    case = DISCRETIZATION[name]
    layer = keras.layers.Discretization(num_bins=case["num_bins"], epsilon=case["epsilon"])
    layer.adapt(iter(case["data"]) if len(case["data"]) > 1 else case["data"][0])
    np.testing.assert_allclose(layer.bin_boundaries, RECORDED["discretization"][name], rtol=1e-5, atol=1e-6)
    again = keras.layers.Discretization.from_config(layer.get_config())
    assert again.bin_boundaries == layer.bin_boundaries


def test_adapt_starts_anew_and_batches_by_hand_do_not() -> None:
    layer = keras.layers.Normalization()
    layer.adapt(DATA * 7)
    layer.adapt(DATA)
    np.testing.assert_allclose(backend.to_numpy(layer.adapt_mean.value), DATA.mean(0), rtol=1e-5)
    by_hand = keras.layers.Discretization(num_bins=3)
    by_hand.update_state(np.arange(10.0))
    by_hand.update_state(np.arange(10.0))
    by_hand.finalize_state()
    np.testing.assert_allclose(by_hand.bin_boundaries, [8 / 3, 6.0], rtol=1e-5)


@pytest.mark.parametrize("in_graph", [False, True])
def test_the_state_is_saved(in_graph: bool, tmp_path: Path) -> None:
    normalization = keras.layers.Normalization()
    bins = keras.layers.Discretization(num_bins=4, output_mode="one_hot")
    bins.adapt(DATA)
    if not in_graph:
        normalization.adapt(DATA)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, [normalization(inputs), bins(inputs)])
    if in_graph:  # a model follows statistics that come after it was made
        normalization.adapt(DATA)
    wanted = [backend.to_numpy(one) for one in model(DATA)]
    assert abs(wanted[0].mean()) < 1e-5
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for one, other in zip(loaded(DATA), wanted, strict=True):
        np.testing.assert_allclose(backend.to_numpy(one), other, rtol=1e-5, atol=1e-6)


def test_steps_and_batch_sizes() -> None:
    assert [len(one) for one in batches(DATA, batch_size=20)] == [20, 20, 10]
    assert [len(one) for one in batches((DATA for _ in iter(int, 1)), steps=3)] == [50, 50, 50]
    layer = keras.layers.Discretization(num_bins=2)
    layer.adapt((np.full(4, i) for i in iter(range(100))), steps=2)
    assert layer.bin_boundaries == [0.0]
    for bad in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="steps to be a positive integer"):
            next(batches(DATA, steps=bad))


def _raising() -> Any:
    yield DATA[:10]
    raise OSError("the disk is gone")


BAD = {
    "nothing": (list, ValueError, "at least one row"),
    "no batches": (lambda: iter(()), ValueError, "at least one row"),
    "NaN": (lambda: np.where(DATA > 5, np.nan, DATA), ValueError, "NaN or infinities"),
    "infinity": (lambda: np.where(DATA > 5, np.inf, DATA), ValueError, "NaN or infinities"),
    "pairs": (lambda: iter([(DATA, DATA[:, 0])]), TypeError, "lambda x, y: x"),
    "dicts": (lambda: iter([{"x": DATA}]), TypeError, "lambda x, y: x"),
    "text": (lambda: np.array([["a", "b", "c"]]), TypeError, "numbers"),
    "other width": (lambda: DATA[:, :2], ValueError, "sizes \\(3,\\)"),
    "a number": (lambda: 3, ValueError, "axis"),
    "no data": (lambda: object(), TypeError, "array, a dataset or another iterable"),
    "ragged": (lambda: [[1.0], [1.0, 2.0]], ValueError, "lists of one length"),
    "a source that fails": (_raising, OSError, "disk is gone"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data_change_nothing(name: str) -> None:
    make, error, text = BAD[name]
    layer = keras.layers.Normalization()
    layer.adapt(DATA)
    before, outputs = layer.get_weights(), backend.to_numpy(layer(DATA))
    with pytest.raises(error, match=text):
        layer.adapt(make())
    for one, other in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(backend.to_numpy(layer(DATA)), outputs)
    unbuilt = keras.layers.Normalization()
    if name not in ("other width",):
        with pytest.raises(error):
            unbuilt.adapt(make())
        assert not unbuilt.built and unbuilt.weights == []


def test_nan_in_discretization() -> None:
    layer = keras.layers.Discretization(num_bins=2)
    layer.adapt(np.array([1.0, np.nan, 2.0, np.nan, 3.0, 4.0]))
    assert layer.bin_boundaries == [2.0]  # learnt from the numbers alone
    assert backend.to_numpy(layer(np.array([np.nan, 1.0]))).tolist() == [1, 0]
    with pytest.raises(ValueError, match="was never adapted"):
        keras.layers.Discretization(num_bins=2)(DATA)


REFUSED = {
    "neither": (lambda: keras.layers.Discretization(), "neither"),
    "both": (lambda: keras.layers.Discretization([1.0], 2), "both"),
    "num_bins": (lambda: keras.layers.Discretization(num_bins=-1), "num_bins"),
    "epsilon": (lambda: keras.layers.Discretization(num_bins=2, epsilon=0), "epsilon"),
    "order": (lambda: keras.layers.Discretization([2.0, 1.0]), "increasing"),
    "mode": (lambda: keras.layers.Discretization([2.0], output_mode="one-hot"), "one_hot"),
    "sparse": (lambda: keras.layers.Discretization([2.0], sparse=True), "sparse"),
    "adapt with boundaries": (lambda: keras.layers.Discretization([2.0]).adapt(DATA), "bin_boundaries given"),
    "mean alone": (lambda: keras.layers.Normalization(mean=1.0), "both `mean` and `variance`"),
    "shapes": (lambda: keras.layers.Normalization(mean=[1.0, 2.0], variance=1.0), "one shape"),
    "negative": (lambda: keras.layers.Normalization(mean=1.0, variance=-1.0), "at least 0"),
    "axis": (lambda: keras.layers.Normalization(axis=2)(DATA), "axes of an input of 2 axes"),
    "axis type": (lambda: keras.layers.Normalization(axis="1"), "integer"),
    "open axis": (lambda: keras.layers.Normalization()(keras.Input((None,))), "known sizes"),
    "mean of another shape": (lambda: keras.layers.Normalization(mean=[1.0, 2.0], variance=[1.0, 2.0])(DATA), "fit"),
    "adapt with mean": (lambda: keras.layers.Normalization(mean=1.0, variance=1.0).adapt(DATA), "given as arguments"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_arguments(name: str) -> None:
    make, text = REFUSED[name]
    with pytest.raises((ValueError, TypeError), match=text):
        make()


def test_no_adapt_where_a_function_is_followed() -> None:
    layer = keras.layers.Normalization()
    with Trace(), pytest.raises(ValueError, match="inside one"):
        layer.adapt(DATA)
