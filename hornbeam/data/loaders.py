"""Folders of images, texts and sounds as datasets of batches: Keras's functions, without TensorFlow."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam._config import standardize_data_format
from hornbeam.data.audio import WavReader, pad_sounds
from hornbeam.data.dataset import Dataset, workers_of
from hornbeam.data.decoding import CHANNELS, decode, pillow, read_bytes
from hornbeam.data.directory import Listing, list_directory
from hornbeam.data.files import Files, ImageFiles, check_on_error
from hornbeam.data.formats import check_format, in_format
from hornbeam.data.resizing import check_interpolation, place_into
from hornbeam.errors import ArgumentError, ArgumentTypeError, FileFormatError, UnknownNameError

IMAGE_FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory: str | os.PathLike,
    labels: str | Sequence[Any] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "hornbeam",
    verbose: bool = True,
    on_error: str = "raise",
    workers: int = -1,
) -> Any:
    """Images in folders, one folder for each class, as a dataset of batches.

    Files end in bmp, gif, jpeg, jpg or png; what they are is seen from their content. Pixels are those of Keras:
    decoded whole, resized without smoothing, float32 from 0 to 255 (uint8 with interpolation="nearest").

    Args:
        directory: The folder.
        labels: "inferred": the folders are the classes. A list with an integer for each file, in alphabetic order
            of their paths. None: no labels, and all files below the folder.
        label_mode: "int" gives int32 `[batch]`, "categorical" float32 `[batch, classes]`, "binary" float32
            `[batch, 1]` for exactly two classes, None gives images alone.
        class_names: The classes in the order of their numbers, or some of them; None for alphabetic order.
        color_mode: "rgb", "rgba" or "grayscale": 3, 4 or 1 channels.
        batch_size: Images in a batch; None for single ones.
        image_size: `(height, width)`, or one number for both.
        shuffle: Whether files come in random order, and training batches in a new one for each pass.
        seed: Fixes the orders and the split. The split for a seed is that of Keras.
        validation_split: The share of files held back for validation.
        subset: "training", "validation", or "both" for a list of the two datasets.
        interpolation: "bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian" or
            "mitchellcubic".
        follow_links: Whether folders behind links are visited.
        crop_to_aspect_ratio: Cuts sides off instead of distorting.
        pad_to_aspect_ratio: Puts black beside the image instead of distorting.
        data_format: "channels_last", "channels_first", or None for the setting in `keras.config`.
        format: "hornbeam" for a `hornbeam.data.Dataset`, "grain", "tf" or "torch" for a dataset of these packages.
        verbose: Whether to print how many files there are.
        on_error: "raise" an error that names a damaged file, or "skip" it: its batch is smaller, the end of a pass
            warns, and `skipped_files` of the dataset has the reasons.
        workers: How many threads decode; -1 for one for each core.

    Returns:
        A dataset of `images` or `(images, labels)`, with `class_names` and `file_paths`.

    Raises:
        OSError: If the folder is not there, or when a file is damaged.
        ValueError: If an argument is wrong or there are no images.

    >>> import pathlib, tempfile
    >>> from hornbeam.utils import save_img
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("cats", "dogs"):
    ...     (folder / name).mkdir()
    ...     save_img(folder / name / "1.png", np.zeros((5, 4, 3)))
    >>> data = image_dataset_from_directory(folder, image_size=(8, 8))
    Found 2 files belonging to 2 classes.
    >>> images, labels = next(iter(data))
    >>> images.shape, data.class_names
    ((2, 8, 8, 3), ['cats', 'dogs'])
    """
    where = "image_dataset_from_directory"
    format = check_format(format, where)
    if color_mode not in CHANNELS:
        raise UnknownNameError("color mode", color_mode, CHANNELS, where)
    interpolation = check_interpolation(interpolation, where)
    height, width = check_size(image_size, f"{where}: image_size")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError("only one of crop_to_aspect_ratio and pad_to_aspect_ratio", "both", where)
    skip = check_on_error(on_error, where)
    layout = standardize_data_format(data_format)
    pillow()  # a missing package shows here, not in a worker
    place = functools.partial(
        _place_image, color_mode=color_mode, interpolation=interpolation,
        crop=bool(crop_to_aspect_ratio), pad=bool(pad_to_aspect_ratio),
    )  # fmt: skip

    def files(listing: Listing) -> Files:
        return ImageFiles(
            place, (height, width, CHANNELS[color_mode]), "uint8" if interpolation == "nearest" else "float32",
            layout == "channels_first", paths=listing.paths, labels=listing.labels, skip=skip,
            workers=workers_of(workers, where),
        )  # fmt: skip

    listings, seed = list_directory(
        directory, labels=labels, label_mode=label_mode, class_names=class_names, formats=IMAGE_FORMATS, kind="image",
        shuffle=shuffle, seed=seed, validation_split=validation_split, subset=subset, follow_links=follow_links,
        verbose=verbose, where=where,
    )  # fmt: skip
    return _datasets(listings, files, seed, batch_size, format, where)


def _place_image(path: str, out: np.ndarray, color_mode: str, interpolation: str, crop: bool, pad: bool) -> None:
    place_into(decode(read_bytes(path), color_mode, path), out, interpolation, crop, pad)


def text_dataset_from_directory(
    directory: str | os.PathLike,
    labels: str | Sequence[Any] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "hornbeam",
    verbose: bool = True,
    on_error: str = "raise",
    encoding: str = "utf-8",
    workers: int = -1,
) -> Any:
    """Text files (.txt) in folders, one folder for each class, as a dataset of batches.

    Args:
        directory: The folder.
        labels: As in `image_dataset_from_directory`.
        label_mode: As in `image_dataset_from_directory`.
        class_names: As in `image_dataset_from_directory`.
        batch_size: Texts in a batch; None for single ones.
        max_length: Characters that are kept of each text; None for all.
        shuffle: As in `image_dataset_from_directory`.
        seed: As in `image_dataset_from_directory`.
        validation_split: As in `image_dataset_from_directory`.
        subset: As in `image_dataset_from_directory`.
        follow_links: Whether folders behind links are visited.
        format: "hornbeam", "grain", "tf" or "torch".
        verbose: Whether to print how many files there are.
        on_error: "raise" an error that names a file that is not in this encoding, or "skip" it.
        encoding: How the files are encoded, such as "latin-1".
        workers: How many threads read; -1 for one for each core.

    Returns:
        A dataset of `texts` or `(texts, labels)`, texts being `str` in an array of dtype object, with
        `class_names` and `file_paths`.

    Raises:
        OSError: If the folder is not there, or when a file cannot be read.
        ValueError: If an argument is wrong or there are no texts.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("bad", "good"):
    ...     (folder / name).mkdir()
    ...     _ = (folder / name / "1.txt").write_text(f"How {name}!")
    >>> list(text_dataset_from_directory(folder, shuffle=False, verbose=False))
    [(array(['How bad!', 'How good!'], dtype=object), array([0, 1], dtype=int32))]
    """
    where = "text_dataset_from_directory"
    format = check_format(format, where)
    if max_length is not None:
        _check_count(max_length, "max_length", where)
    try:
        "".encode(encoding)
    except LookupError:
        raise ArgumentError("an encoding that Python knows", repr(encoding), where) from None
    skip = check_on_error(on_error, where)
    read = functools.partial(_read_text, encoding=encoding, max_length=max_length)
    listings, seed = list_directory(
        directory, labels=labels, label_mode=label_mode, class_names=class_names, formats=(".txt",), kind="text",
        shuffle=shuffle, seed=seed, validation_split=validation_split, subset=subset, follow_links=follow_links,
        verbose=verbose, where=where,
    )  # fmt: skip

    def files(listing: Listing) -> Files:
        return Files(listing.paths, listing.labels, read, "text", skip, workers_of(workers, where))

    return _datasets(listings, files, seed, batch_size, format, where)


def _read_text(path: str, encoding: str, max_length: int | None) -> str:
    try:
        return read_bytes(path).decode(encoding)[:max_length]
    except UnicodeDecodeError as problem:
        raise FileFormatError(
            f"text in {encoding}", f"byte 0x{problem.object[problem.start]:02x} at place {problem.start}", path,
            "Give the encoding that the files have, such as encoding='latin-1', or on_error='skip'.",
        ) from problem  # fmt: skip


def audio_dataset_from_directory(
    directory: str | os.PathLike,
    labels: str | Sequence[Any] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
    format: str = "hornbeam",
    on_error: str = "raise",
    workers: int = -1,
) -> Any:
    """WAV files in folders, one folder for each class, as a dataset of batches.

    Sounds are float32 `[length, channels]` from -1 to 1. Integers of 8, 16, 24 and 32 bit and floats are read.

    Args:
        directory: The folder.
        labels: As in `image_dataset_from_directory`.
        label_mode: As in `image_dataset_from_directory`.
        class_names: As in `image_dataset_from_directory`.
        batch_size: Sounds in a batch; None for single ones.
        sampling_rate: Samples per second that all sounds are brought to; None for what each file has.
        output_sequence_length: Samples that each sound is cut or padded to, with zeros at the end; None for the
            longest in each batch.
        ragged: Whether sounds keep their lengths: a batch is then an array of dtype object that holds arrays.
        shuffle: As in `image_dataset_from_directory`.
        seed: As in `image_dataset_from_directory`.
        validation_split: As in `image_dataset_from_directory`.
        subset: As in `image_dataset_from_directory`.
        follow_links: Whether folders behind links are visited.
        verbose: Whether to print how many files there are.
        format: "hornbeam", "grain", "tf" or "torch".
        on_error: "raise" an error that names a damaged file, or "skip" it.
        workers: How many threads read; -1 for one for each core.

    Returns:
        A dataset of `sounds` or `(sounds, labels)`, with `class_names` and `file_paths`. Sounds of fewer channels
        than others in their batch get silent ones.

    Raises:
        OSError: If the folder is not there, or when a file is damaged.
        ValueError: If an argument is wrong or there are no sounds.

    >>> import pathlib, tempfile, wave
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> (folder / "beep").mkdir()
    >>> with wave.open(str(folder / "beep" / "1.wav"), "wb") as file:
    ...     file.setparams((1, 2, 8000, 0, "NONE", ""))
    ...     file.writeframes(np.array([0, 16384, -16384], "<i2").tobytes())
    >>> sounds, labels = next(iter(audio_dataset_from_directory(folder, verbose=False)))
    >>> sounds[0].tolist()
    [[0.0], [0.5], [-0.5]]
    """
    where = "audio_dataset_from_directory"
    format = check_format(format, where)
    for value, name in ((sampling_rate, "sampling_rate"), (output_sequence_length, "output_sequence_length")):
        if value is not None:
            _check_count(value, name, where)
    if ragged and output_sequence_length is not None:
        raise ArgumentError("ragged or output_sequence_length", "both", where)
    skip = check_on_error(on_error, where)
    read = WavReader(sampling_rate, output_sequence_length)
    listings, seed = list_directory(
        directory, labels=labels, label_mode=label_mode, class_names=class_names, formats=(".wav",), kind="sound",
        shuffle=shuffle, seed=seed, validation_split=validation_split, subset=subset, follow_links=follow_links,
        verbose=verbose, where=where,
    )  # fmt: skip
    collate = _ragged if ragged else pad_sounds

    def files(listing: Listing) -> Files:
        return Files(
            listing.paths, listing.labels, read, "sound", skip, workers_of(workers, where), collate,
            varying=(0, 1) if output_sequence_length is None else (1,), ragged=ragged,
        )  # fmt: skip

    return _datasets(listings, files, seed, batch_size, format, where)


def _ragged(sounds: Sequence[np.ndarray]) -> np.ndarray:
    batch = np.empty(len(sounds), dtype=object)
    for place, sound in enumerate(sounds):
        batch[place] = sound
    return batch


def _datasets(
    listings: list[Listing], files: Any, seed: int, batch_size: int | None, format: str, where: str
) -> Any:
    if batch_size is not None:
        _check_count(batch_size, "batch_size", where)
    made = []
    for listing in listings:
        node = files(listing)
        about = {
            "class_names": listing.class_names, "file_paths": listing.paths, "skipped_files": node.skipped,
        }  # fmt: skip
        single = Dataset(node, about)
        made.append(in_format(single, seed if listing.shuffled else None, batch_size, format, node.workers, about))
    return made[0] if len(made) == 1 else made


def check_size(size: Any, where: str) -> tuple[int, int]:
    """`(height, width)` of an image size given as a pair or one number."""
    pair = (size, size) if hasattr(size, "__index__") else tuple(size) if isinstance(size, (list, tuple)) else ()
    if len(pair) != 2 or any(isinstance(one, bool) or not hasattr(one, "__index__") for one in pair):
        raise ArgumentTypeError("(height, width)", repr(size), where)
    if min(pair) < 1:
        raise ArgumentError("a height and a width of at least 1", repr(size), where)
    return int(pair[0]), int(pair[1])


def _check_count(value: Any, name: str, where: str) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ArgumentTypeError("a positive int", f"{name}={value!r}", where)
    if value < 1:
        raise ArgumentError("a positive int", f"{name}={value!r}", where)
