"""Loaders of folders: their own arguments, damaged files, formats, and what is refused; no TensorFlow is loaded."""

import io
import itertools
import json
import os
import subprocess
import sys
import time
import wave

import numpy as np
import pytest

import hornbeam
from hornbeam.data import decoding, files, resizing
from hornbeam.data.audio import read_wav, resample
from hornbeam.data.dataset import Dataset
from hornbeam.data.decoding import decode
from hornbeam.utils import (
    array_to_img,
    audio_dataset_from_directory,
    image_dataset_from_directory,
    img_to_array,
    load_img,
    save_img,
    split_dataset,
    text_dataset_from_directory,
    timeseries_dataset_from_array,
)
from tests.data import cases

Image = pytest.importorskip("PIL.Image", reason="the data extra")


@pytest.fixture
def folder(tmp_path):
    """Seven images in three classes, each of one brightness."""
    cases.make_images(tmp_path / "images")
    return tmp_path / "images"


def images(folder, **options):
    return image_dataset_from_directory(folder, **{"image_size": (2, 2), "verbose": False, "shuffle": False, **options})


def jpeg(size=(40, 30), mode="RGB", **options):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1] // 10, size[0] // 10, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize(size).convert(mode).save(buffer, "jpeg", **options)
    return buffer.getvalue()


# ---- images --------------------------------------------------------------------------------------------------------


def test_batches_labels_and_names(folder, capsys):
    data = image_dataset_from_directory(folder, image_size=2, batch_size=4, shuffle=False)
    assert capsys.readouterr().out == "Found 7 files belonging to 3 classes.\n"
    assert len(data) == 2 and data.class_names == ["apple", "pear", "quince"] and len(data.file_paths) == 7
    (first, labels), (second, _) = data
    assert first.shape == (4, 2, 2, 3) and first.dtype == "float32" and labels.dtype == "int32"
    assert [*first[:, 0, 0, 0], *second[:, 0, 0, 0]] == [20, 0, 40, 60, 80, 100, 120]
    assert data.map(lambda x, y: x).class_names == data.class_names
    assert not hasattr(Dataset.range(2), "class_names")


def test_orders_are_new_for_each_pass_and_the_same_with_any_number_of_workers(folder):
    def orders(workers):
        data = images(folder, shuffle=True, seed=5, workers=workers, batch_size=3)
        return [[y.tolist() for _, y in data] for _ in range(3)]

    assert orders(0) == orders(1) == orders(3)
    assert orders(2)[0] != orders(2)[1]


def test_a_place_is_found_again(folder):
    whole = [y.tolist() for _, y in images(folder, shuffle=True, seed=5, batch_size=2)]
    first = images(folder, shuffle=True, seed=5, batch_size=2)
    iterator = iter(first)
    begun = [next(iterator)[1].tolist()]
    second = images(folder, shuffle=True, seed=5, batch_size=2)
    second.restore(json.loads(json.dumps(first.state())))
    assert begun + [y.tolist() for _, y in second] == whole


@pytest.mark.parametrize(
    ("options", "shape", "labels"),
    [
        ({"batch_size": None}, (2, 2, 3), ()),
        ({"data_format": "channels_first"}, (7, 3, 2, 2), (7,)),
        ({"color_mode": "grayscale"}, (7, 2, 2, 1), (7,)),
        ({"color_mode": "rgba", "label_mode": "categorical"}, (7, 2, 2, 4), (7, 3)),
    ],
)
def test_shapes(folder, options, shape, labels):
    x, y = next(iter(images(folder, **options)))
    assert (x.shape, np.shape(y)) == (shape, labels)


def test_both_subsets(folder, capsys):
    training, validation = images(folder, validation_split=0.3, subset="both", shuffle=True, seed=1, verbose=True)
    assert "Using 5 files for training." in capsys.readouterr().out
    assert len(set(training.file_paths) | set(validation.file_paths)) == 7
    for _ in range(2):
        [(_, labels)] = validation
        places = [path.replace("\\", "/") for path in validation.file_paths]
        assert [f"/{validation.class_names[y]}/" in path for y, path in zip(labels, places)] == [True, True]


def test_mixed_sizes_and_kinds_become_one_shape(folder):
    kinds = [("L", (3, 9)), ("RGBA", (8, 2)), ("P", (5, 5)), ("LA", (1, 1)), ("1", (4, 4))]
    for number, (mode, size) in enumerate(kinds):
        Image.new(mode, size).save(folder / "pear" / f"n{number}.png")
    (folder / "pear" / "really_png.jpg").write_bytes((folder / "pear" / "a.png").read_bytes())
    assert next(iter(images(folder)))[0].shape == (13, 2, 2, 3)


def test_16_bit_keeps_its_upper_half(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(np.array([[0, 256, 65535]], np.uint16)).save(buffer, "png")
    assert decode(buffer.getvalue(), "grayscale", "x").ravel().tolist() == [0, 1, 255]


# ---- damaged files -------------------------------------------------------------------------------------------------


def damage(folder):
    good = (folder / "pear" / "a.png").read_bytes()
    (folder / "apple" / "10.png").write_bytes(b"")
    (folder / "pear" / "b.png").write_bytes(good[: len(good) // 2])
    (folder / "quince" / "cut.jpg").write_bytes(jpeg()[:-200])


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("batch_size", [3, None])
def test_a_damaged_image_is_named(folder, workers, batch_size):
    damage(folder)
    with pytest.raises(OSError, match=r"10\.png: expected an image"):
        list(images(folder, workers=workers, batch_size=batch_size))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("batch_size", [2, 3, None])
def test_damaged_images_are_skipped_and_told(folder, workers, batch_size):
    damage(folder)
    data = images(folder, workers=workers, batch_size=batch_size, on_error="skip")
    with pytest.warns(UserWarning, match=r"3 of 8 image files could not be read"):
        got = list(data)
    values = [x[0, 0, 0] for x, _ in got] if batch_size is None else [v for x, _ in got for v in x[:, 0, 0, 0]]
    assert values == [0, 40, 60, 100, 120]
    assert sorted(path[-7:] for path in data.skipped_files) == ["/10.png", "cut.jpg", "r/b.png"]
    labels = [int(y) for _, y in got] if batch_size is None else [int(v) for _, y in got for v in y]
    assert labels == [0, 0, 1, 2, 2]
    list(data)  # told once


@pytest.mark.parametrize(
    ("fault", "how"),
    [
        ("raises", {}),
        ("raises", {"workers": 2}),
        ("raises", {"workers": 2, "processes": True}),
        ("dies", {"workers": 2, "processes": True}),
    ],
    ids=str,
)
def test_a_failing_map_names_the_file(folder, how, fault):
    def fail(image, label):
        if label == 2:
            if fault == "dies":
                os._exit(3)
            raise KeyError("the original")
        return image, label

    begin = time.monotonic()
    with pytest.raises(KeyError if fault == "raises" else RuntimeError) as caught:
        list(images(folder, batch_size=None).map(fail, **how))
    assert time.monotonic() - begin < 5
    if fault == "raises":
        assert "the original" in str(caught.value)
    else:
        assert "exit code 3" in str(caught.value)
    assert any("quince" in note and ".png" in note for note in caught.value.__notes__)


def test_one_class_is_one_class(tmp_path):
    (tmp_path / "only").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "only" / "1.png")
    data = images(tmp_path)
    [(x, y)] = data
    assert data.class_names == ["only"] and y.tolist() == [0] and x.shape == (1, 2, 2, 3)
    [(_, y)] = images(tmp_path, label_mode="categorical")
    assert y.tolist() == [[1.0]]


REFUSED = {
    "no folder": (lambda f: images(f / "none"), FileNotFoundError, "no folder"),
    "an empty folder": (lambda f: [(f / "new").mkdir(), images(f / "new")], ValueError, "an empty folder"),
    "other endings": (lambda f: text_dataset_from_directory(f / "pear", labels=None), ValueError, r"others \(\.png\)"),
    "files beside the classes": (lambda f: images(f / "pear"), ValueError, "each class is a folder"),
    "binary with three": (lambda f: images(f, label_mode="binary"), ValueError, "exactly 2 classes"),
    "binary with one": (lambda f: images(f, label_mode="binary", class_names=["pear"]), ValueError, "exactly 2"),
    "unknown class": (lambda f: images(f, class_names=["pear", "plum"]), ValueError, "plum"),
    "class_names without labels": (lambda f: images(f, labels=None, class_names=["pear"]), ValueError, "labels=None"),
    "label count": (lambda f: images(f, labels=[1, 2]), ValueError, "one label for each of the 7"),
    "labels": (lambda f: images(f, labels="x"), ValueError, "inferred"),
    "label_mode": (lambda f: images(f, label_mode="ints"), ValueError, "Did you mean 'int'"),
    "color_mode": (lambda f: images(f, color_mode="grey"), ValueError, "grayscale"),
    "interpolation": (lambda f: images(f, interpolation="bilinar"), ValueError, "Did you mean 'bilinear'"),
    "format": (lambda f: images(f, format="pytorch"), ValueError, "Did you mean 'torch'"),
    "on_error": (lambda f: images(f, on_error="ignore"), ValueError, "skip"),
    "subset alone": (lambda f: images(f, subset="training"), ValueError, "together"),
    "split alone": (lambda f: images(f, validation_split=0.2), ValueError, "together"),
    "split range": (lambda f: images(f, validation_split=1.2, subset="both"), ValueError, "between 0 and 1"),
    "split leaves none": (lambda f: images(f, validation_split=0.01, subset="both"), ValueError, "leaves files"),
    "subset": (lambda f: images(f, validation_split=0.2, subset="train"), ValueError, "Did you mean 'training'"),
    "split without a seed": (
        lambda f: images(f, validation_split=0.2, subset="training", shuffle=True), ValueError, "overlap"),
    "seed": (lambda f: images(f, seed=-1), ValueError, "seed"),
    "crop and pad": (
        lambda f: images(f, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), ValueError, "only one"),
    "image_size": (lambda f: images(f, image_size=(2, 2, 2)), TypeError, "height, width"),
    "image_size of 0": (lambda f: images(f, image_size=(0, 2)), ValueError, "at least 1"),
    "batch_size": (lambda f: images(f, batch_size=0), ValueError, "positive"),
    "data_format": (lambda f: images(f, data_format="channels"), ValueError, "channels_first"),
    "max_length": (lambda f: text_dataset_from_directory(f, max_length=0), ValueError, "positive"),
    "encoding": (lambda f: text_dataset_from_directory(f, encoding="utf-9"), ValueError, "encoding"),
    "ragged and a length": (
        lambda f: audio_dataset_from_directory(f, ragged=True, output_sequence_length=3), ValueError, "both"),
    "no image": (lambda f: load_img(f / "apple" / "notes.txt"), OSError, r"notes\.txt"),
    "no file": (lambda f: load_img(f / "none.png"), FileNotFoundError, r"none\.png"),
    "an array for a path": (lambda f: load_img(3), TypeError, "a path"),
    "rank": (lambda f: img_to_array(np.zeros(3)), ValueError, "rank 2 or 3"),
    "rank of a picture": (lambda f: array_to_img(np.zeros((2, 2))), ValueError, "rank 3"),
    "channels of a picture": (lambda f: array_to_img(np.zeros((2, 2, 2))), ValueError, "1, 3 or 4"),
    "window": (lambda f: timeseries_dataset_from_array(np.arange(3), None, 4), ValueError, "from 1 to 3"),
    "window, rate": (lambda f: timeseries_dataset_from_array(np.arange(3), None, 3, 1, 2), ValueError, "5 rows"),
    "stride": (lambda f: timeseries_dataset_from_array(np.arange(3), None, 1, 0), ValueError, "sequence_stride"),
    "start": (
        lambda f: timeseries_dataset_from_array(np.arange(3), None, 1, start_index=-1), ValueError, "start_index"),
    "end": (lambda f: timeseries_dataset_from_array(np.arange(3), None, 1, end_index=4), ValueError, "end_index"),
    "split sizes": (lambda f: split_dataset(np.arange(4)), ValueError, "neither"),
    "split too large": (lambda f: split_dataset(np.arange(4), left_size=5), ValueError, "1 to 3"),
    "split to nothing": (lambda f: split_dataset(np.arange(4), left_size=0.01), ValueError, "at least one"),
    "split of more": (lambda f: split_dataset(np.arange(4), 0.9, 0.9), ValueError, "together"),
    "split of a dict": (lambda f: split_dataset({"a": np.arange(4)}, 2), TypeError, "a list or tuple"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, folder):
    make, error, text = REFUSED[name]
    with pytest.raises(error, match=text):
        make(folder)


# ---- pixels with and without OpenCV --------------------------------------------------------------------------------


@pytest.fixture(params=["with OpenCV", "without"])
def accelerated(request, monkeypatch):
    if request.param == "without":
        monkeypatch.setattr(decoding, "opencv", lambda: None)
        monkeypatch.setattr(resizing, "opencv", lambda: None)
    else:
        pytest.importorskip("cv2", reason="OpenCV, which makes loading faster")
    return request.param


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg_pixels_are_those_of_pillow(accelerated, mode):
    for options in ({}, {"quality": 40}, {"progressive": True}, {"subsampling": 0}):
        content = jpeg(mode=mode, **options)
        expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
        assert np.array_equal(decode(content, "rgb", "x.jpg"), expected)


@pytest.mark.parametrize("first", ["", "import cv2; before = cv2.getNumThreads()"])
def test_threads_of_opencv_are_left_alone_where_others_use_it(first):
    pytest.importorskip("cv2", reason="OpenCV, which makes loading faster")
    check = "from hornbeam.data.resizing import opencv\nassert opencv().getNumThreads() == before"
    program = f"{first or 'before = 1'}\n{check}"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_cut_jpegs_are_found(accelerated):
    for cut in (3, 30, 300):
        with pytest.raises(OSError, match=r"x\.jpg"):
            decode(jpeg()[:-cut], "rgb", "x.jpg")


def test_resizing_of_large_images(accelerated):
    image = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    for size in ((20, 30), (80, 100), (37, 10)):
        out = np.empty((*size, 3), np.float32)
        resizing.resize_into(image, out, "bilinear")
        rows, columns = (resizing.weights(old, new, "bilinear") for old, new in zip(image.shape, size))
        assert np.allclose(out, np.einsum("yh,xw,hwc->yxc", rows, columns, image), atol=2e-3)


def test_batches_that_are_held_are_never_written_again(folder):
    data = images(folder, batch_size=2, workers=2)
    held = list(itertools.chain(data, data, data))
    kept = [x.copy() for x, _ in held]
    part = held[0][0][:1]
    for x, _ in data:
        del x
    assert all(np.array_equal(x, y) for (x, _), y in zip(held, kept))
    del held
    list(data)
    assert np.array_equal(part, kept[0][:1]), "a view holds a batch as well"


def test_memory_is_used_again():
    memory = files.Memory(3)
    first = memory.empty((4, 4), np.dtype("float32"))
    place = first.ctypes.data
    second = memory.empty((4, 4), np.dtype("float32"))
    assert second.ctypes.data != place
    del first
    assert memory.empty((4, 4), np.dtype("float32")).ctypes.data == place
    assert memory.empty((4, 4), np.dtype("uint8")).dtype == "uint8"


# ---- texts ---------------------------------------------------------------------------------------------------------


def test_texts(tmp_path):
    for name, content in (("a/1", "één"), ("b/1", "two"), ("b/2", "")):
        (tmp_path / name[0]).mkdir(exist_ok=True)
        (tmp_path / f"{name}.txt").write_text(content, encoding="utf-8")
    [(x, y)] = text_dataset_from_directory(tmp_path, shuffle=False, verbose=False)
    assert x.tolist() == ["één", "two", ""] and x.dtype == object and y.tolist() == [0, 1, 1]
    [x] = text_dataset_from_directory(tmp_path, shuffle=False, verbose=False, max_length=2, label_mode=None)
    assert x.tolist() == ["éé", "tw", ""]


def test_texts_in_another_encoding(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.txt").write_bytes(b"caf\xe9")
    (tmp_path / "a" / "2.txt").write_bytes(b"tea")
    with pytest.raises(OSError, match=r"1\.txt: expected text in utf-8, got byte 0xe9 at place 3.*latin-1"):
        list(text_dataset_from_directory(tmp_path, verbose=False))
    [(x, _)] = text_dataset_from_directory(tmp_path, verbose=False, shuffle=False, encoding="latin-1")
    assert x.tolist() == ["café", "tea"]
    with pytest.warns(UserWarning, match="1 of 2 text files"):
        [(x, _)] = text_dataset_from_directory(tmp_path, verbose=False, on_error="skip")
    assert x.tolist() == ["tea"]


def test_the_movie_reviews(shared, tmp_path):
    hornbeam.utils.get_file(
        "reviews.tar.gz", (shared / "data" / "review_polarity.tar.gz").as_uri(), extract=True, cache_dir=tmp_path
    )
    [place] = tmp_path.glob("datasets/*_extracted")
    data = text_dataset_from_directory(place / "txt_sentoken", verbose=False, encoding="latin-1", batch_size=500)
    assert data.class_names == ["neg", "pos"] and sum(y.sum() for _, y in data) == 1000


# ---- sounds --------------------------------------------------------------------------------------------------------


def wav(samples, width, rate=8000, channels=1):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(samples)
    return buffer.getvalue()


def as_floats(content):
    return content.replace(b"\x01\x00\x01\x00", b"\x03\x00\x01\x00", 1)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (wav(bytes([0, 128, 192]), 1), [-1, 0, 0.5]),
        (wav(np.array([-32768, 16384], "<i2").tobytes(), 2), [-1, 0.5]),
        (wav(bytes([0, 0, 0x80, 0, 0, 0x40]), 3), [-1, 0.5]),
        (wav(np.array([-(2**31), 2**30], "<i4").tobytes(), 4), [-1, 0.5]),
        (as_floats(wav(np.array([0.25, -2], "<f4").tobytes(), 4)), [0.25, -2]),
    ],
    ids=["8 bit", "16 bit", "24 bit", "32 bit", "floats"],
)
def test_wav(content, expected):
    samples, rate = read_wav(content, "x.wav")
    assert samples.shape == (len(expected), 1) and rate == 8000 and samples.dtype == "float32"
    assert samples.ravel().tolist() == expected


@pytest.mark.parametrize(
    "content",
    [
        b"", b"RIFFxxxx", wav(b"\0\0", 2)[:20], wav(bytes(200), 2)[:-50],
        wav(b"\0\0", 2).replace(b"\x01\x00", b"\x11\x00", 1),
    ],
    ids=["empty", "short", "no samples", "cut", "another coding"],
)
def test_damaged_wav_files_are_named(content, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.wav").write_bytes(content)
    with pytest.raises(OSError, match=r"x\.wav: expected a WAV file"):
        list(audio_dataset_from_directory(tmp_path, verbose=False))


@pytest.mark.parametrize(("rate", "wanted"), [(8000, 16000), (16000, 8000), (44100, 16000), (8000, 8000)])
def test_resampled_tones_stay_tones(rate, wanted):
    for hertz in (200, 1000):
        tone = np.sin(2 * np.pi * hertz * np.arange(rate // 5) / rate).astype("float32")[:, None]
        made = resample(tone, rate, wanted)
        expected = np.sin(2 * np.pi * hertz * np.arange(len(made)) / wanted)
        assert made.shape == (wanted // 5, 1)
        inside = slice(len(made) // 10, -len(made) // 10)
        assert np.abs(made[inside, 0] - expected[inside]).max() < 5e-3
    above = np.sin(2 * np.pi * 0.45 * np.arange(4000)).astype("float32")[:, None]
    if wanted < rate:
        assert np.abs(resample(above, rate, wanted)[200:-200]).max() < 0.01, "what the new rate cannot carry"


def test_sounds_of_other_lengths(tmp_path, shared):
    cases.make_sounds(tmp_path)
    load = lambda **options: list(audio_dataset_from_directory(tmp_path, shuffle=False, verbose=False, **options))  # noqa: E731
    [(ragged, _)] = load(ragged=True)
    assert [one.shape for one in ragged] == [(5, 2), (3, 2), (4, 2)]
    assert load(sampling_rate=4000)[0][0].shape == (3, 3, 2)
    assert load(batch_size=None)[1][0].shape == (3, 2)
    with pytest.raises(OSError, match="another kind of file"):  # its ending says WAV, its content is MP3
        read_wav((shared / "data" / "voice_17s.wav").read_bytes(), "voice_17s.wav")


# ---- other packages' formats ---------------------------------------------------------------------------------------


def test_grain_datasets(folder):
    grain = pytest.importorskip("grain", reason="the data extra")
    data = images(folder, format="grain", batch_size=3, shuffle=True, seed=2, on_error="skip")
    assert isinstance(data, grain.IterDataset) and data.class_names == ["apple", "pear", "quince"]
    values = [v for x, _ in data for v in x[:, 0, 0, 0].tolist()]
    assert sorted(values) == [0, 20, 40, 60, 80, 100, 120] and len(data.file_paths) == 7
    iterator = iter(data)
    next(iterator)
    state = iterator.get_state()
    rest = [x[:, 0, 0, 0].tolist() for x, _ in iterator]
    iterator.set_state(state)
    assert [x[:, 0, 0, 0].tolist() for x, _ in iterator] == rest


def test_torch_datasets(folder):
    torch = pytest.importorskip("torch", reason="format='torch'")
    data = images(folder, format="torch", batch_size=3)
    loaded = list(torch.utils.data.DataLoader(data, batch_size=None))
    assert len(data) == len(loaded) == 3 and data.class_names == ["apple", "pear", "quince"]
    assert loaded[0][0].shape == (3, 2, 2, 3) and loaded[0][1].dtype == torch.int32
    left, right = split_dataset(np.arange(10), 0.7, preferred_backend="torch")
    assert [int(x) for x in right] == [7, 8, 9] and len(left) == 7


def test_datasets_are_split(folder):
    whole = Dataset.from_arrays((np.arange(10), np.arange(10) * 2))
    left, right = split_dataset(whole, left_size=6, shuffle=True, seed=1)
    values = [int(x) for x, _ in left], [int(x) for x, _ in right]
    assert sorted(values[0] + values[1]) == list(range(10)) and len(values[0]) == 6
    assert values[0] == [int(x) for x, _ in left], "the same in each pass"
    assert len(split_dataset(whole.filter(lambda x, y: x < 8), 0.5)[0]) == 4


def test_models_train_from_folders(folder):
    layers = hornbeam.layers
    model = hornbeam.Sequential(
        [hornbeam.Input((2, 2, 3)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(3)]
    )
    model.compile(loss=hornbeam.losses.SparseCategoricalCrossentropy(from_logits=True), optimizer="sgd")
    data = images(folder, shuffle=True, batch_size=3)
    if "gradients" in hornbeam.backend.active.features:
        model.fit(data, epochs=2, verbose=0)
    assert np.isfinite(model.evaluate(data, verbose=0))


def test_nothing_else_is_loaded(folder):
    program = f"""
import sys
sys.modules["tensorflow"] = None
from hornbeam.utils import image_dataset_from_directory
[(x, y)] = image_dataset_from_directory({str(folder)!r}, verbose=False, image_size=(2, 2))
loaded = [one for one in ("jax", "torch", "keras", "grain", "pandas", "pyarrow") if one in sys.modules]
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_pictures_to_files_and_back(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (5, 4, 3)).astype("float32")
    save_img(tmp_path / "x.png", x, scale=False)
    assert np.array_equal(img_to_array(load_img(tmp_path / "x.png")), x)
    first = x.transpose(2, 0, 1)
    save_img(tmp_path / "first.png", first, data_format="channels_first", scale=False)
    assert np.array_equal(img_to_array(load_img(tmp_path / "first.png"), data_format="channels_first"), first)
    with pytest.warns(UserWarning, match="transparency"):
        save_img(tmp_path / "x.jpg", np.zeros((2, 2, 4)))
    assert load_img(io.BytesIO((tmp_path / "x.jpg").read_bytes())).mode == "RGB"
    with pytest.raises(ValueError, match=r"image format.*'pgn'.*'png'"):
        save_img(tmp_path / "x.pgn", x)
    with pytest.raises(ValueError, match="finite"):
        save_img(tmp_path / "nan.png", np.full((2, 2, 3), np.nan))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["first.png", "x.jpg", "x.png"]


def test_links_in_a_circle_give_each_file_once(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name / "deep").mkdir(parents=True)
        save_img(tmp_path / name / "deep" / "x.png", np.zeros((2, 2, 3)))
    (tmp_path / "a/deep/round").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "a/other").symlink_to(tmp_path / "b/deep", target_is_directory=True)
    data = image_dataset_from_directory(tmp_path, follow_links=True, shuffle=False, verbose=False)
    found = [os.path.relpath(one, tmp_path) for one in data.file_paths]
    assert found == ["a/deep/x.png", "a/other/x.png", "b/deep/x.png"]
