"""Files and calls that both PyPI's keras and hornbeam are asked about; the answers of the former are in oracle.npz."""

import itertools
import wave

import numpy as np

IMAGE = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
SIZES = ((4, 3), (9, 14), (6, 8), (2, 15))
FITS = ({}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True})
INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")
# Keras raises for these beside crop_to_aspect_ratio
RESIZES = {
    f"{interpolation}/{size[0]}x{size[1]}/{next(iter(fit), 'stretch')}": {
        "interpolation": interpolation, "image_size": size, **fit,
    }
    for interpolation, size, fit in itertools.product(INTERPOLATIONS, SIZES, FITS)
    if not (interpolation in ("gaussian", "mitchellcubic") and "crop_to_aspect_ratio" in fit)
}  # fmt: skip

LISTINGS = {
    "in order": {"shuffle": False},
    "labels in a list": {"shuffle": False, "labels": list(range(10, 17)), "label_mode": "int"},
    "no labels": {"shuffle": False, "labels": None},
    "label_mode None": {"shuffle": False, "label_mode": None},
    "categorical": {"shuffle": False, "label_mode": "categorical"},
    "binary": {"shuffle": False, "label_mode": "binary", "class_names": ["pear", "apple"]},
    "some classes": {"shuffle": False, "class_names": ["quince", "apple"]},
    "training": {"shuffle": False, "validation_split": 0.3, "subset": "training"},
    "validation": {"shuffle": False, "validation_split": 0.3, "subset": "validation"},
    "shuffled": {"seed": 7},
    "shuffled, training": {"seed": 7, "validation_split": 0.3, "subset": "training"},
    "shuffled, validation": {"seed": 7, "validation_split": 0.3, "subset": "validation"},
}
FILES = (
    "apple/2.png", "apple/10.png", "apple/deep/1.PNG", "pear/a.png", "pear/b.png", "quince/a.png", "quince/z/a.png",
)  # fmt: skip

SERIES = {
    "plain": {"sequence_length": 3},
    "strides": {"sequence_length": 3, "sequence_stride": 2, "sampling_rate": 2, "targets": 10},
    "range": {"sequence_length": 2, "start_index": 2, "end_index": 7, "targets": 10},
    "few targets": {"sequence_length": 2, "targets": 5},
    "few targets, strides": {"sequence_length": 2, "sequence_stride": 3, "targets": 5},
    "batches": {"sequence_length": 4, "batch_size": 3, "targets": 10},
    "single": {"sequence_length": 4, "batch_size": None, "targets": 10},
    "a window": {"sequence_length": 10},
}
SPLITS = {
    f"{count}/{sizes}": {"count": count, **sizes}
    for count in (9, 11)
    for sizes in (
        {"left_size": 0.5}, {"right_size": 0.55}, {"left_size": 0.3}, {"left_size": 4}, {"right_size": 2},
        {"left_size": 0.3, "right_size": 0.3}, {"left_size": 2, "right_size": 0.4},
    )
}  # fmt: skip
SMART = {
    f"{shape}/{size}/{interpolation}": (shape, size, interpolation)
    for shape in ((4, 6, 3), (6, 4, 1), (2, 4, 6, 3))
    for size in ((2, 2), (3, 3), (8, 4))
    for interpolation in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
}


def make_images(folder):
    from PIL import Image

    for number, name in enumerate(FILES):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((2, 2, 3), number * 20, np.uint8)).save(path, format="png")
    (folder / "apple" / "notes.txt").write_text("no image")


def make_sounds(folder):
    for name, count, channels in (("a/0", 5, 2), ("a/1", 3, 2), ("b/0", 4, 2)):
        path = folder / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setparams((channels, 2, 8000, 0, "NONE", ""))
            file.writeframes((np.arange(count * channels) * 3000 - 5000).astype("<i2").tobytes())


def batches(dataset):
    """The batches of a dataset of any package, as lists of arrays."""
    return [[np.asarray(part) for part in (one if isinstance(one, tuple) else (one,))] for one in dataset]


def answers(keras):
    """What `keras` says to all cases, as arrays by name."""
    import pathlib
    import tempfile

    utils = keras.utils
    out = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        from PIL import Image

        (folder / "one").mkdir()
        Image.fromarray(IMAGE).save(folder / "one" / "x.png")
        for key, options in RESIZES.items():
            data = utils.image_dataset_from_directory(str(folder / "one"), labels=None, verbose=False, **options)
            out[f"resize/{key}"] = batches(data)[0][0][0]
        make_images(folder / "many")
        for key, options in LISTINGS.items():
            data = utils.image_dataset_from_directory(str(folder / "many"), image_size=(2, 2), verbose=False, **options)
            files = [pathlib.Path(path).relative_to(folder / "many").as_posix() for path in data.file_paths]
            out[f"listing/{key}/files"] = np.array(files)
            out[f"listing/{key}/classes"] = np.array(data.class_names or [])
            if not options.get("seed"):
                [found] = batches(data)
                out[f"listing/{key}/images"] = found[0][:, 0, 0, 0]
                out[f"listing/{key}/labels"] = found[1] if len(found) > 1 else np.zeros(0)
        make_sounds(folder / "sounds")
        for key, options in {"plain": {}, "length": {"output_sequence_length": 4}}.items():
            data = utils.audio_dataset_from_directory(str(folder / "sounds"), shuffle=False, verbose=False, **options)
            out[f"sounds/{key}"] = batches(data)[0][0]
        for key, options in SERIES.items():
            options = dict(options)
            targets = options.pop("targets", None)
            targets = None if targets is None else np.arange(targets) * 10
            data = utils.timeseries_dataset_from_array(np.arange(10), targets, **options)
            for number, batch in enumerate(batches(data)):
                for part, array in enumerate(batch):
                    out[f"series/{key}/{number}/{part}"] = array
        for key, options in SPLITS.items():
            options = dict(options)
            for side, data in zip(("left", "right"), utils.split_dataset(np.arange(options.pop("count")), **options)):
                out[f"split/{key}/{side}"] = np.array([int(x) for x in data])
        for key, (shape, size, interpolation) in SMART.items():
            x = np.random.default_rng(1).integers(0, 255, shape).astype("float32")
            out[f"smart/{key}"] = np.asarray(keras.preprocessing.image.smart_resize(x, size, interpolation))
        x = np.random.default_rng(2).uniform(-3, 300, (4, 6, 4))
        for channels in (1, 3, 4):
            for scale in (True, False):
                picture = utils.array_to_img(np.clip(x[..., :channels], 0, 255), scale=scale)
                out[f"picture/{channels}/{scale}"] = np.asarray(picture)
                out[f"array/{channels}/{scale}"] = utils.img_to_array(picture)
        for mode in ("rgb", "rgba", "grayscale"):
            for interpolation in ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"):
                for keep in (False, True):
                    loaded = utils.load_img(folder / "one" / "x.png", mode, (3, 5), interpolation, keep)
                    out[f"load/{mode}/{interpolation}/{keep}"] = np.asarray(loaded)
    return out
