"""Single images: from and to files, from and to arrays, and at another size with their aspect ratio kept."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import _config
from hornbeam._config import standardize_data_format
from hornbeam.data.decoding import CHANNELS, pillow, what_is_wrong
from hornbeam.data.loaders import check_size
from hornbeam.data.resizing import check_interpolation, place_into
from hornbeam.errors import ArgumentError, ArgumentTypeError, FileFormatError, UnknownNameError, describe, warn
from hornbeam.training.sources.convert import to_numpy

_MODES = {"grayscale": ("L", "I;16", "I"), "rgb": ("RGB",), "rgba": ("RGBA",)}
_FILTERS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


class MissingImageError(FileFormatError, FileNotFoundError):
    """There is no such file."""


def load_img(
    path: str | os.PathLike | io.BytesIO,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """An image file as a Pillow image.

    Args:
        path: A file, or an `io.BytesIO` with its content.
        color_mode: "grayscale" (which keeps 16 and 32 bit), "rgb" or "rgba".
        target_size: `(height, width)` to resize to; None for its own.
        interpolation: One of Pillow's: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: Whether to cut the sides off before resizing, rather than to distort.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        OSError: If there is no such file, or it is no image.
        ValueError: If an argument is wrong.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "grey.png"
    >>> save_img(path, np.zeros((4, 6, 1)))
    >>> load_img(path, color_mode="grayscale", target_size=(2, 2)).size
    (2, 2)
    """
    where = "load_img"
    if color_mode not in _MODES:
        raise UnknownNameError("color mode", color_mode, _MODES, where)
    if not isinstance(interpolation, str) or interpolation not in _FILTERS:
        raise UnknownNameError("interpolation", interpolation, _FILTERS, where)
    size = None if target_size is None else check_size(target_size, f"{where}: target_size")
    image_module = pillow()
    image = _open(path, image_module)
    if image.mode not in _MODES[color_mode]:
        image = image.convert(_MODES[color_mode][0])
    if size is None:
        return image
    height, width = size
    if image.size == (width, height):
        return image
    resample = getattr(image_module.Resampling, interpolation.upper())
    if not keep_aspect_ratio:
        return image.resize((width, height), resample)
    kept_width = min(image.width, image.height * width // height)
    kept_height = min(image.height, image.width * height // width)
    left, top = (image.width - kept_width) // 2, (image.height - kept_height) // 2
    return image.resize((width, height), resample, box=[left, top, left + kept_width, top + kept_height])


def _open(path: Any, image_module: Any) -> Any:
    if not isinstance(path, (str, bytes, os.PathLike, io.BytesIO)):
        raise ArgumentTypeError("a path or an io.BytesIO", describe(path), "load_img")
    name = "an io.BytesIO" if isinstance(path, io.BytesIO) else os.fsdecode(path)
    try:
        content = path if isinstance(path, io.BytesIO) else io.BytesIO(Path(os.fsdecode(path)).read_bytes())
        image = image_module.open(content)
        image.load()
    except FileNotFoundError:
        raise MissingImageError("an image file", "no such file", f"load_img: {name}") from None
    except Exception as problem:
        raise FileFormatError("an image", what_is_wrong(problem), f"load_img: {name}") from problem
    return image


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """A Pillow image as an array with an axis of channels.

    Args:
        img: The image; an array of rank 2 or 3 does, too.
        data_format: "channels_last" or "channels_first"; None for the setting in `keras.config`.
        dtype: Of the result; None for the default float type.

    Returns:
        `[height, width, channels]` or `[channels, height, width]`.

    Raises:
        ValueError: If the layout is unknown or the array has another rank.

    >>> img_to_array(array_to_img(np.zeros((2, 3, 3)))).shape
    (2, 3, 3)
    """
    layout = standardize_data_format(data_format)
    array = np.asarray(img).astype(_config.floatx() if dtype is None else dtype)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise ArgumentError("an image of rank 2 or 3", f"shape={array.shape}", "img_to_array")
    return array.transpose(2, 0, 1) if layout == "channels_first" else array


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array as a Pillow image.

    Args:
        x: One image of 1, 3 or 4 channels.
        data_format: "channels_last" or "channels_first"; None for the setting in `keras.config`.
        scale: Whether values are stretched so that the least is 0 and the greatest 255. Without it, they are
            cut to integers.
        dtype: In which to calculate; None for the default float type.

    Returns:
        A `PIL.Image.Image` of mode "L" ("I" for grey values over 255), "RGB" or "RGBA".

    Raises:
        ValueError: If the shape is none of an image, or a value is NaN or infinite.

    >>> array_to_img(np.ones((2, 3, 1)), scale=False).size
    (3, 2)
    """
    layout = standardize_data_format(data_format)
    array = np.array(to_numpy(x, "array_to_img"), dtype=_config.floatx() if dtype is None else dtype)
    if array.ndim != 3:
        raise ArgumentError("one image of rank 3", f"shape={array.shape}", "array_to_img")
    if layout == "channels_first":
        array = array.transpose(1, 2, 0)
    if array.shape[2] not in CHANNELS.values():
        raise ArgumentError("1, 3 or 4 channels", f"shape={array.shape} in {layout}", "array_to_img")
    if not np.isfinite(array).all():
        raise ArgumentError("finite numbers", "NaN or infinity", "array_to_img")
    if scale:
        array = array - array.min()
        greatest = array.max()
        if greatest:
            array = array / greatest
        array = array * 255
    if array.shape[2] == 1:
        grey = array[:, :, 0]
        return pillow().fromarray(grey.astype("int32" if grey.max() > 255 else "uint8"))
    with np.errstate(invalid="ignore"):
        return pillow().fromarray(array.astype("int64").astype("uint8"))  # whole numbers wrap on every machine alike


def save_img(
    path: str | os.PathLike | io.BytesIO,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Writes an array as an image file.

    Args:
        path: The file, or an `io.BytesIO`.
        x: As in `array_to_img`.
        data_format: As in `array_to_img`.
        file_format: Such as "png"; None for what the file's ending says.
        scale: As in `array_to_img`.
        kwargs: What Pillow's `save` takes, such as `quality=95`.

    Raises:
        ValueError: If the shape is none of an image, or the format is unknown.

    >>> buffer = io.BytesIO()
    >>> save_img(buffer, np.zeros((2, 2, 3)), file_format="png")
    >>> buffer.getvalue()[1:4]
    b'PNG'
    """
    image = array_to_img(x, data_format=data_format, scale=scale)
    ending = str(file_format or (Path(os.fspath(path)).suffix[1:] if not isinstance(path, io.BytesIO) else "")).lower()
    if image.mode == "RGBA" and ending in ("jpg", "jpeg"):
        warn("JPEG has no transparency: the image is written as RGB.")
        image = image.convert("RGB")
    written = pillow().registered_extensions()
    known = {one[1:] for one, kind in written.items() if kind in pillow().SAVE}
    if ending not in known and ending.upper() not in pillow().SAVE:
        raise UnknownNameError("image format", ending, sorted(known), "save_img")
    image.save(path, format="jpeg" if str(file_format).lower() == "jpg" else file_format, **kwargs)


def smart_resize(
    x: Any, size: tuple[int, int], interpolation: str = "bilinear", data_format: str = "channels_last", **kwargs: Any
) -> np.ndarray:
    """Images resized without being distorted: the largest part from the middle that fits is taken.

    Args:
        x: `[height, width, channels]` or a batch of such; channels first with that layout.
        size: `(height, width)` of the result.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        data_format: "channels_last" or "channels_first".
        kwargs: `backend_module`, which Keras has and nothing here needs.

    Returns:
        float32, of the rank and layout that came.

    Raises:
        ValueError: If an argument is wrong.

    >>> smart_resize(np.ones((4, 8, 3)), (2, 2)).shape
    (2, 2, 3)
    """
    where = "smart_resize"
    if set(kwargs) - {"backend_module"}:
        raise ArgumentError("no other arguments", str(sorted(kwargs)), where)
    height, width = check_size(size, f"{where}: size")
    interpolation = check_interpolation(
        interpolation, where, ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
    )
    layout = standardize_data_format(data_format)
    array = to_numpy(x, where)
    if array.ndim not in (3, 4):
        raise ArgumentError("an image of rank 3 or a batch of rank 4", f"shape={array.shape}", where)
    images = array if array.ndim == 4 else array[None]
    images = images if layout == "channels_last" else images.transpose(0, 2, 3, 1)
    made = np.empty((len(images), height, width, images.shape[3]), np.float32)
    for image, out in zip(images, made, strict=True):
        place_into(np.ascontiguousarray(image), out, interpolation, crop=True)
    made = made if layout == "channels_last" else made.transpose(0, 3, 1, 2)
    return made if array.ndim == 4 else made[0]
