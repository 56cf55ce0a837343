"""format="tf": a `tf.data.Dataset` with the same elements, its specs, names and paths."""

import numpy as np
import pytest

import hornbeam
from hornbeam.backend import active as backend
from hornbeam.data import Dataset, table_dataset
from hornbeam.utils import (
    audio_dataset_from_directory,
    image_dataset_from_directory,
    split_dataset,
    text_dataset_from_directory,
    timeseries_dataset_from_array,
)
from tests.data import cases

# TensorFlow takes long to load: it is tried with itself as the backend, and with one other.
pytestmark = pytest.mark.skipif(backend.name not in ("tensorflow", "numpy"), reason="tried with two backends")


@pytest.fixture(autouse=True, scope="module")
def tensorflow():
    """Loaded by the process that runs this file, not by all that collect it."""
    global tf
    tf = pytest.importorskip("tensorflow", reason="format='tf'")


@pytest.fixture
def folder(tmp_path):
    pytest.importorskip("PIL", reason="the data extra")
    cases.make_images(tmp_path / "images")
    return tmp_path / "images"


def alike(ours, theirs):
    """Whether two datasets have the same elements."""
    ours, theirs = list(ours), list(theirs)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs):
        for left, right in zip(hornbeam.tree.flatten(one), hornbeam.tree.flatten(other), strict=True):
            right = right.numpy()
            left = np.asarray(left)
            if left.dtype.kind in "OU":
                left = np.char.encode(left.astype(str), "utf-8").astype(object)
            assert np.array_equal(left, right)


def test_images(folder):
    options = {"image_size": (2, 2), "batch_size": 3, "verbose": False, "seed": 4}
    data = image_dataset_from_directory(folder, format="tf", **options)
    assert isinstance(data, tf.data.Dataset) and data.class_names == ["apple", "pear", "quince"]
    assert len(data.file_paths) == 7 and int(data.cardinality()) == len(data) == 3
    images, labels = data.element_spec
    assert images == tf.TensorSpec((None, 2, 2, 3), tf.float32) and labels == tf.TensorSpec((None,), tf.int32)
    ours = image_dataset_from_directory(folder, **options)
    alike(ours, data)
    alike(ours, data)  # the second pass has an order of its own
    alike(image_dataset_from_directory(folder, labels=None, **options), image_dataset_from_directory(
        folder, labels=None, format="tf", **options))  # fmt: skip
    names = {"label_mode": "categorical", "batch_size": None, "data_format": "channels_first"}
    [image, label] = image_dataset_from_directory(folder, format="tf", **{**options, **names}).element_spec
    assert image.shape == (3, 2, 2) and label == tf.TensorSpec((3,), tf.float32)


@pytest.mark.filterwarnings("ignore:1 of 7 image files")  # the warning comes out of TensorFlow's thread
def test_damaged_images(folder):
    (folder / "pear" / "b.png").write_bytes(b"no image")
    options = {"image_size": (2, 2), "batch_size": 3, "verbose": False, "shuffle": False, "format": "tf"}
    data = image_dataset_from_directory(folder, on_error="skip", **options)
    assert int(data.cardinality()) == tf.data.UNKNOWN_CARDINALITY
    assert [int(x.shape[0]) for x, _ in data] == [3, 2, 1]
    with pytest.raises(tf.errors.OpError, match=r"b\.png: expected an image"):
        list(image_dataset_from_directory(folder, **options))


def test_texts(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.txt").write_text(f"{name} é", encoding="utf-8")
    options = {"shuffle": False, "verbose": False}
    data = text_dataset_from_directory(tmp_path, format="tf", **options)
    assert data.element_spec[0] == tf.TensorSpec((None,), tf.string)
    alike(text_dataset_from_directory(tmp_path, **options), data)
    assert next(iter(data))[0].numpy().tolist() == ["a é".encode(), "b é".encode()]


SOUNDS = [{}, {"output_sequence_length": 4}, {"ragged": True}, {"batch_size": None}]


@pytest.mark.parametrize("options", SOUNDS, ids=str)
def test_sounds(tmp_path, options):
    cases.make_sounds(tmp_path)
    options = {"batch_size": 2, "shuffle": False, "verbose": False, **options}
    data = audio_dataset_from_directory(tmp_path, format="tf", **options)
    sounds, _ = data.element_spec
    if "ragged" in options:
        assert isinstance(sounds, tf.RaggedTensorSpec)
        first, second = list(data)
        assert first[0].bounding_shape().numpy().tolist() == [2, 5, 2] and second[0][0].shape == (4, 2)
        [(expected, _), _] = audio_dataset_from_directory(tmp_path, **options)
        assert np.array_equal(first[0][1].numpy(), expected[1])
        return
    if options["batch_size"]:
        assert sounds.shape.as_list() == [None, options.get("output_sequence_length"), None]
    alike(audio_dataset_from_directory(tmp_path, **options), data)


def test_windows_tables_and_splits(tmp_path):
    rows = np.arange(20.0).reshape(10, 2)
    data = timeseries_dataset_from_array(rows, np.arange(10), 3, batch_size=4, format="tf")
    assert data.element_spec[0] == tf.TensorSpec((None, 3, 2), tf.float64)
    alike(timeseries_dataset_from_array(rows, np.arange(10), 3, batch_size=4), data)
    left, right = split_dataset(rows, 0.7, preferred_backend="tensorflow")
    assert len(left) == 7 and [one.numpy()[0] for one in right] == [14, 16, 18]
    pytest.importorskip("pyarrow", reason="the data extra")
    (tmp_path / "x.csv").write_text("a,b,c\n1,x,yes\n2,é,no\n")
    options = {"label": "c", "verbose": False, "shuffle": False}
    data = table_dataset(tmp_path / "x.csv", format="tf", **options)
    assert data.element_spec[0] == {"a": tf.TensorSpec((None,), tf.int64), "b": tf.TensorSpec((None,), tf.string)}
    assert data.class_names == ["no", "yes"] and data.column_dtypes == {"a": "int64", "b": "string"}
    alike(table_dataset(tmp_path / "x.csv", **options), data)


def test_specs_are_loose_where_sizes_differ(tmp_path):
    cases.make_sounds(tmp_path)
    data = audio_dataset_from_directory(tmp_path, verbose=False)
    assert data.element_spec[0].shape == (None, None, None) and data.element_spec[1].shape == (None,)
    assert Dataset.from_arrays(["a", "b"]).batch(2, drop_remainder=True).element_spec == ((2,), "string")
