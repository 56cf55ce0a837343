"""Image files to arrays of bytes; the same pixels whether OpenCV is installed or not."""

from __future__ import annotations

import functools
import io
import os
from typing import Any

import numpy as np

from hornbeam.data.resizing import opencv
from hornbeam.errors import FileFormatError, MissingDependencyError

CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}


@functools.cache
def pillow() -> Any:
    """The module PIL.Image.

    Raises:
        ImportError: If Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependencyError("pillow", "reading and writing images", "data") from None
    return Image


def read_bytes(path: str) -> bytes:
    """The content of a file, with as few calls as there can be: small images are many."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(handle).st_size
        content = os.read(handle, size + 1)
        while len(content) < size:
            more = os.read(handle, size - len(content) + 1)
            if not more:
                break
            content += more
        return content
    finally:
        os.close(handle)


def decode(content: bytes, color_mode: str, path: str) -> np.ndarray:
    """The pixels of an image.

    Args:
        content: The file, in any format that Pillow knows; of an animation the first picture counts.
        color_mode: "grayscale", "rgb" or "rgba".
        path: For errors.

    Returns:
        uint8 `[height, width, 1, 3 or 4]`. 16 bit are cut to their upper 8.

    Raises:
        OSError: If it is no image, or a damaged one; the text names the file.
    """
    cv2 = opencv() if color_mode == "rgb" else None
    if cv2 is not None and _is_plain_jpeg(content):
        flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
        if image is not None:
            return image
    try:
        # No `warnings.catch_warnings` here: it changes the whole process, and this runs in threads.
        with pillow().open(io.BytesIO(content)) as image:
            if image.mode == "P" and "transparency" in image.info:
                image = image.convert("RGBA")  # else Pillow warns
            if image.mode.startswith("I"):
                image.load()
                grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
                image = pillow().fromarray(grey)
            pixels = np.asarray(image.convert(_MODES[color_mode]))
    except Exception as problem:
        raise FileFormatError(
            "an image", what_is_wrong(problem), path,
            "Replace or delete the file, or leave such files out with on_error='skip'.",
        ) from problem  # fmt: skip
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def what_is_wrong(problem: Exception) -> str:
    """What Pillow found wrong with a file, in words that speak of the file alone."""
    if type(problem).__name__ == "UnidentifiedImageError":  # its text names a buffer of ours
        return "content of no known image format"
    return f"{type(problem).__name__}: {problem}"


def _is_plain_jpeg(content: bytes) -> bool:
    """Whether this is a whole JPEG in grey or colour; OpenCV makes something of cut ones and of CMYK as it likes."""
    if content[:2] != b"\xff\xd8" or b"\xff\xd9" not in content[-64:]:
        return False
    place = 2
    while place + 9 < len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker == 0xFF:  # filling
            place += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # the frame, which says how many channels
            return content[place + 9] in (1, 3)
        place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return False
