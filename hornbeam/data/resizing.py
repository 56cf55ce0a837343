"""Images at other sizes on the host, as Keras's loaders make them: sampled at the centres of pixels, not smoothed.

An axis is resized by a matrix with few entries in each row, cut into blocks of rows that need few columns. With
OpenCV installed its bilinear resizing is used, which gives the same pixels (to 1e-3 of 255) in a fraction of the time.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.errors import UnknownNameError

_BLOCK = 8  # rows of a block; measured
_PIECE = 1 << 18  # multiplications, up to which OpenBLAS stays in one thread

_scratch = threading.local()


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - np.abs(x))


def _cubic(b: float, c: float) -> Callable[[np.ndarray], np.ndarray]:
    """The cubic kernels of Mitchell and Netravali, "Reconstruction filters in computer graphics", 1988."""

    def kernel(x: np.ndarray) -> np.ndarray:
        x = np.abs(x)
        near = (12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + (6 - 2 * b)
        far = (-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + (8 * b + 24 * c)
        return np.where(x < 1, near, np.where(x < 2, far, 0)) / 6

    return kernel


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.where(np.abs(x) < radius, np.sinc(x) * np.sinc(x / radius), 0)


def _gaussian(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < 1.5, np.exp(-2 * x * x), 0)  # a deviation of half a pixel


_KERNELS = {
    "bilinear": _triangle,
    "bicubic": _cubic(0, 0.5),
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
    "gaussian": _gaussian,
    "mitchellcubic": _cubic(1 / 3, 1 / 3),
}
INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")


def check_interpolation(name: str, where: str, known: tuple[str, ...] = INTERPOLATIONS) -> str:
    """`name` in lower case, if it is known."""
    if not isinstance(name, str) or name.lower() not in known:
        raise UnknownNameError("interpolation", name, known, where)
    return name.lower()


def weights(size: int, wanted: int, interpolation: str) -> np.ndarray:
    """How much each old pixel of an axis counts for each new one: float64 `[wanted, size]`, rows sum to 1."""
    scale = size / wanted
    places = (np.arange(wanted) + 0.5) * scale
    if interpolation == "area":
        edges = np.arange(wanted + 1) * scale
        pixels = np.arange(size)
        overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
        matrix = np.maximum(overlap, 0)
    elif interpolation == "bilinear":
        # what is beyond the edge counts as the edge
        matrix = np.zeros((wanted, size))
        low = np.floor(places - 0.5)
        part = places - 0.5 - low
        rows = np.arange(wanted)
        np.add.at(matrix, (rows, np.clip(low, 0, size - 1).astype(int)), 1 - part)
        np.add.at(matrix, (rows, np.clip(low + 1, 0, size - 1).astype(int)), part)
        return matrix
    else:
        if interpolation == "bicubic":  # Keras takes the kernel from a table with 1024 steps between pixels
            places = np.floor(places - 0.5) + np.rint((places - 0.5) % 1 * 1024) / 1024 + 0.5
        # In single precision, since it decides which pixels lie just inside a kernel that ends abruptly.
        single = (np.arange(wanted, dtype=np.float32) + np.float32(0.5)) * np.float32(scale)
        places = places if interpolation == "bicubic" else single
        matrix = _KERNELS[interpolation](np.arange(size, dtype=places.dtype) + 0.5 - places[:, None]).astype(float)
    return matrix / matrix.sum(axis=1, keepdims=True)


def _nearest(size: int, wanted: int) -> np.ndarray:
    """The number of the old pixel that each new one shows."""
    return np.minimum(((np.arange(wanted) + 0.5) * (size / wanted)).astype(int), size - 1)


@functools.lru_cache(128)
def _blocks(size: int, wanted: int, interpolation: str, channels: int) -> list[tuple[slice, slice, np.ndarray]]:
    """Blocks of `weights`: which new pixels, from which old ones, by which matrix. `channels` 0 is for rows."""
    matrix = weights(size, wanted, interpolation).astype(np.float32)
    width = channels or 1
    blocks = []
    for start in range(0, wanted, _BLOCK):
        part = matrix[start : start + _BLOCK]
        used = np.flatnonzero(part.any(axis=0))
        low, high = int(used[0]), int(used[-1]) + 1
        part = part[:, low:high]
        if channels:
            part = np.kron(part.T, np.eye(channels, dtype=np.float32))
        new = slice(start * width, min(start + _BLOCK, wanted) * width)
        blocks.append((new, slice(low * width, high * width), np.ascontiguousarray(part)))
    return blocks


def _buffer(name: str, shape: tuple[int, int]) -> np.ndarray:
    """Memory that each thread uses again and again: fresh memory costs more than the arithmetic in it."""
    count = shape[0] * shape[1]
    buffer = getattr(_scratch, name, None)
    if buffer is None or buffer.size < count:
        buffer = np.empty(count, np.float32)
        setattr(_scratch, name, buffer)
    return buffer[:count].reshape(shape)


def _product(left: np.ndarray, right: np.ndarray, out: np.ndarray) -> None:
    """A product of matrices in pieces that are too small for BLAS to start threads, of which there are enough."""
    rows, inner = left.shape
    columns = right.shape[1]
    if rows <= columns:
        step = max(1, _PIECE // (rows * inner))
        for first in range(0, columns, step):
            np.matmul(left, right[:, first : first + step], out=out[:, first : first + step])
    else:
        step = max(1, _PIECE // (columns * inner))
        for first in range(0, rows, step):
            np.matmul(left[first : first + step], right, out=out[first : first + step])


def resize_into(image: np.ndarray, out: np.ndarray, interpolation: str) -> None:
    """Writes an image at the size of `out` into it.

    Args:
        image: `[height, width, channels]`, numbers of any dtype.
        out: float32 `[height, width, channels]`, contiguous; for "nearest" of any dtype.
        interpolation: One of `INTERPOLATIONS`.
    """
    height, width, channels = image.shape
    new_height, new_width, _ = out.shape
    if (height, width) == (new_height, new_width) and interpolation not in ("gaussian", "mitchellcubic"):
        out[...] = image
        return
    if interpolation == "nearest":
        rows, columns = (_nearest(*one) for one in ((height, new_height), (width, new_width)))
        out[...] = image[rows[:, None], columns]
        return
    whole = _buffer("whole", (height, width * channels))
    whole[...] = image.reshape(height, width * channels)
    cv2 = opencv()
    if cv2 is not None and interpolation == "bilinear" and channels <= 4:
        source = whole.reshape(height, width, channels)
        made = cv2.resize(source, (new_width, new_height), dst=out, interpolation=cv2.INTER_LINEAR)
        if made is not out:  # one channel comes back without its axis
            out[...] = made.reshape(out.shape)
        return
    tall = _buffer("tall", (new_height, width * channels))
    for new, old, matrix in _blocks(height, new_height, interpolation, 0):
        _product(matrix, whole[old], tall[new])
    flat = out.reshape(new_height, new_width * channels)
    for new, old, matrix in _blocks(width, new_width, interpolation, channels):
        _product(tall[:, old], matrix, flat[:, new])


def place_into(image: np.ndarray, out: np.ndarray, interpolation: str, crop: bool = False, pad: bool = False) -> None:
    """As `resize_into`, with the aspect ratio kept: by cutting the image's sides off, or by black beside it.

    Args:
        image: `[height, width, channels]`.
        out: float32 `[height, width, channels]`, contiguous.
        interpolation: One of `INTERPOLATIONS`.
        crop: Whether to take the largest part from the middle that has the aspect ratio of `out`.
        pad: Whether to set the whole image into the middle of black.
    """
    height, width = image.shape[:2]
    new_height, new_width = out.shape[:2]
    if crop:
        kept_height = max(1, min(height, int(width * new_height / new_width)))
        kept_width = max(1, min(width, int(height * new_width / new_height)))
        top, left = (height - kept_height) // 2, (width - kept_width) // 2
        image = np.ascontiguousarray(image[top : top + kept_height, left : left + kept_width])
    elif pad:
        ratio = max(height / new_height, width / new_width)
        tall, wide = height / ratio, width / ratio
        inner = np.empty((max(1, int(tall)), max(1, int(wide)), image.shape[2]), out.dtype)
        resize_into(image, inner, interpolation)
        top, left = max(0, int((new_height - tall) / 2)), max(0, int((new_width - wide) / 2))
        out[...] = 0
        out[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
        return
    resize_into(image, out, interpolation)


@functools.cache
def opencv() -> Any:
    """The module cv2, or None where OpenCV is not installed.

    Where nobody else in this process has loaded it, its own threads are switched off (`cv2.setNumThreads(1)`): our
    threads take whole images, and its waiting ones would cost them a tenth of their time.
    """
    others_use_it = "cv2" in sys.modules
    try:
        import cv2
    except ImportError:
        return None
    if not others_use_it:
        cv2.setNumThreads(1)
    return cv2
