"""Ops on images: colours, edges, patches, filters; with what `resampling.py` holds, the face of `keras.ops.image`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam._config import standardize_data_format
from hornbeam.backend import active as backend
from hornbeam.dtypes import FLOATS
from hornbeam.errors import ArgumentError, ArgumentTypeError
from hornbeam.ops import names, windows
from hornbeam.ops.define import Tensor, TensorLike, as_floats, as_tensor, float_dtype, op
from hornbeam.ops.resampling import (
    affine_transform as affine_transform,
    as_working,
    back_to,
    channels_back,
    channels_last,
    check_image,
    check_sampling_names,
    image_axes,
    map_coordinates as map_coordinates,
    perspective_transform as perspective_transform,
    resize as resize,
    scale_and_translate as scale_and_translate,
    warped,
    with_sizes,
)
from hornbeam.random import uniform
from hornbeam.symbolic import KerasTensor

xp = backend.xp

__all__ = [*names.homes(names.IMAGE)]  # pyright: ignore[reportUnsupportedDunderAll]


# --- colours -----------------------------------------------------------------------------------------------------


def _gray_rule(images: Any, data_format: str | None = None) -> KerasTensor:
    check_image(images.shape, "rgb_to_grayscale")
    return KerasTensor(with_sizes(images.shape, standardize_data_format(data_format), channels=1), images.dtype)


def _check_channels(shape: Any, layout: str, allowed: tuple[int, ...], where: str) -> None:
    check_image(shape, where)
    count = shape[image_axes(len(shape), layout)[2]]
    if count is not None and count not in allowed:
        wanted = " or ".join(map(str, allowed))
        raise ArgumentError(f"images with {wanted} channels ({layout})", f"shape={tuple(shape)}", where)


@op("keras.src.ops.image.RGBToGrayscale", spec=_gray_rule)
def rgb_to_grayscale(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Colours as brightness, `0.2989 red + 0.587 green + 0.114 blue` (ITU-R BT.601).

    Args:
        images: Images with three channels; those with one stay as they are.
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        Images with one channel, of the same dtype; integers are cut, not rounded.

    Raises:
        ValueError: If the number of channels is another.

    >>> import hornbeam as keras
    >>> keras.ops.image.rgb_to_grayscale(keras.ops.ones((2, 2, 3))).shape
    (2, 2, 1)
    """
    images = as_tensor(images)
    layout = standardize_data_format(data_format)
    _check_channels(images.shape, layout, (1, 3), "rgb_to_grayscale")
    axis = image_axes(len(images.shape), layout)[2]
    if images.shape[axis] == 1:
        return images
    x = as_working(images)
    weights = backend.asarray([0.2989, 0.5870, 0.1140], backend.dtype(x))
    gray = xp.sum(channels_last(x, layout) * weights, axis=-1, keepdims=True)
    return backend.cast(channels_back(gray, layout), backend.dtype(images))


def _colour_rule(images: Any, data_format: str | None = None) -> KerasTensor:
    _check_channels(images.shape, standardize_data_format(data_format), (3,), "colour conversion")
    return KerasTensor(images.shape, images.dtype)


def _colours(images: Any, data_format: str | None, where: str) -> tuple[Any, Any, Any, int]:
    if backend.dtype(images) not in FLOATS:
        raise ArgumentTypeError(
            "images of a float dtype with values in [0, 1]", f"dtype={backend.dtype(images)}", where,
            "Divide by 255 first.",
        )
    layout = standardize_data_format(data_format)
    _check_channels(images.shape, layout, (3,), where)
    axis = image_axes(len(images.shape), layout)[2]
    before = (slice(None),) * axis
    return images[(*before, 0)], images[(*before, 1)], images[(*before, 2)], axis


@op("keras.src.ops.image.RGBToHSV", spec=_colour_rule)
def rgb_to_hsv(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Red, green and blue as hue, saturation and value.

    Args:
        images: Float images with values in [0, 1].
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        Images of the same shape and dtype; hues are in [0, 1).

    Raises:
        ValueError: If there are not three channels.
        TypeError: If the dtype is no float type.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.image.rgb_to_hsv(keras.ops.array([[[0.0, 0.5, 0.0]]])))[0, 0, 1:].tolist()
    [1.0, 0.5]
    """
    red, green, blue, axis = _colours(as_tensor(images), data_format, "rgb_to_hsv")
    value = xp.maximum(xp.maximum(red, green), blue)
    spread = value - xp.minimum(xp.minimum(red, green), blue)
    gray = spread == 0
    divisor = xp.where(gray, 1, spread)
    hue = xp.where(
        red == value,
        (green - blue) / divisor,
        xp.where(green == value, (blue - red) / divisor + 2, (red - green) / divisor + 4),
    )
    hue = xp.where(gray, 0, hue / 6)
    hue = xp.where(hue < 0, hue + 1, hue)
    saturation = xp.where(value > 0, spread / xp.where(value > 0, value, 1), 0)
    result = xp.stack([hue, saturation, value], axis=axis)
    return result if result.dtype == red.dtype else backend.cast(result, backend.dtype(red))


@op("keras.src.ops.image.HSVToRGB", spec=_colour_rule)
def hsv_to_rgb(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Hue, saturation and value as red, green and blue: the inverse of `rgb_to_hsv`.

    Args:
        images: Float images with values in [0, 1].
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        Images of the same shape and dtype.

    Raises:
        ValueError: If there are not three channels.
        TypeError: If the dtype is no float type.
    """
    hue, saturation, value, axis = _colours(as_tensor(images), data_format, "hsv_to_rgb")
    chroma = saturation * value
    floor = value - chroma
    # each colour is a trapezoid over the circle of hues
    angle = (hue % 1) * 6
    red = xp.clip(xp.abs(angle - 3) - 1, 0, 1)
    green = xp.clip(2 - xp.abs(angle - 2), 0, 1)
    blue = xp.clip(2 - xp.abs(angle - 4), 0, 1)
    result = xp.stack([one * chroma + floor for one in (red, green, blue)], axis=axis)
    return result if result.dtype == value.dtype else backend.cast(result, backend.dtype(value))


# --- edges added and cut -----------------------------------------------------------------------------------------


def _borders(
    size: int | None, first: int | None, last: int | None, target: int | None, names: tuple[str, str, str], grow: int,
    where: str,
) -> tuple[int | None, int | None, int | None]:
    """What to add (grow 1) or cut (grow -1) on both sides, and the new size; exactly two of three are given."""
    given = [one for one in (first, last, target) if one is not None]
    got = ", ".join(f"{name}={one}" for name, one in zip(names, (first, last, target), strict=True))
    if len(given) != 2:
        raise ArgumentError(f"exactly two of {', '.join(names)}", got, where)
    if target is None:
        new = None if size is None else size + grow * (first + last)  # type: ignore[operator]
    elif size is None:
        return first, last, target
    else:
        new = target
        change = grow * (target - size)
        first, last = (change - last, last) if first is None else (first, change - first)  # type: ignore[operator]
    if min(first, last) < 0 or (new is not None and new < 1):  # type: ignore[type-var]
        raise ArgumentError(
            f"{names[0]} and {names[1]} of 0 or more, and something left",
            f"{got} for size {size}, which makes {names[0]}={first}, {names[1]}={last}", where,
        )
    return first, last, new


def _all_borders(
    shape: Any, top: Any, left: Any, bottom: Any, right: Any, height: Any, width: Any, data_format: Any, grow: int,
    where: str,
) -> tuple[tuple, tuple, tuple[int, int]]:
    check_image(shape, where)
    word = where.partition("_")[0]
    word = "padding" if word == "pad" else "cropping"
    rows, columns, _ = image_axes(len(shape), standardize_data_format(data_format))
    names = (f"top_{word}", f"bottom_{word}", "target_height"), (f"left_{word}", f"right_{word}", "target_width")
    return (
        _borders(shape[rows], top, bottom, height, names[0], grow, where),
        _borders(shape[columns], left, right, width, names[1], grow, where),
        (rows, columns),
    )


def _border_rule(where: str, word: str, grow: int) -> Any:
    def rule(images: Any, **config: Any) -> KerasTensor:
        given = [config.get(f"{side}_{word}") for side in ("top", "left", "bottom", "right")]
        vertical, horizontal, (rows, columns) = _all_borders(
            images.shape, *given, height=config.get("target_height"), width=config.get("target_width"),
            data_format=config.get("data_format"), grow=grow, where=where,
        )
        shape = list(images.shape)
        shape[rows], shape[columns] = vertical[2], horizontal[2]
        return KerasTensor(shape, images.dtype)

    return rule


@op("keras.src.ops.image.PadImages", spec=_border_rule("pad_images", "padding", 1))
def pad_images(
    images: TensorLike,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images with zeros around them; per direction, two of both sides and the new size are given.

    Args:
        images: An image `[height, width, channels]` or a batch of them; or with channels first.
        top_padding: Rows to add above.
        left_padding: Columns to add on the left.
        bottom_padding: Rows to add below.
        right_padding: Columns to add on the right.
        target_height: The new height.
        target_width: The new width.
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        Larger images of the same dtype.

    Raises:
        ValueError: If not exactly two are given, or they do not fit.

    >>> import hornbeam as keras
    >>> keras.ops.image.pad_images(keras.ops.ones((4, 4, 3)), 1, 1, target_height=6, target_width=8).shape
    (6, 8, 3)
    """
    images = as_tensor(images)
    vertical, horizontal, (rows, columns) = _all_borders(
        images.shape, top_padding, left_padding, bottom_padding, right_padding, target_height, target_width,
        data_format, 1, "pad_images",
    )
    amounts = [(0, 0)] * len(images.shape)
    amounts[rows], amounts[columns] = vertical[:2], horizontal[:2]
    return xp.pad(images, amounts)


@op("keras.src.ops.image.CropImages", spec=_border_rule("crop_images", "cropping", -1))
def crop_images(
    images: TensorLike,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images without some of their edges; per direction, two of both sides and the new size are given.

    Args:
        images: An image `[height, width, channels]` or a batch of them; or with channels first.
        top_cropping: Rows to cut above.
        left_cropping: Columns to cut on the left.
        bottom_cropping: Rows to cut below.
        right_cropping: Columns to cut on the right.
        target_height: The new height.
        target_width: The new width.
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        Smaller images of the same dtype.

    Raises:
        ValueError: If not exactly two are given, or they do not fit.

    >>> import hornbeam as keras
    >>> keras.ops.image.crop_images(keras.ops.ones((6, 6, 3)), 1, 1, target_height=4, target_width=2).shape
    (4, 2, 3)
    """
    images = as_tensor(images)
    vertical, horizontal, (rows, columns) = _all_borders(
        images.shape, top_cropping, left_cropping, bottom_cropping, right_cropping, target_height, target_width,
        data_format, -1, "crop_images",
    )
    cuts = [slice(None)] * len(images.shape)
    cuts[rows] = slice(vertical[0], vertical[0] + vertical[2])
    cuts[columns] = slice(horizontal[0], horizontal[0] + horizontal[2])
    return images[tuple(cuts)]


# --- patches -----------------------------------------------------------------------------------------------------


def _patch_settings(shape: Any, size: Any, strides: Any, dilation: Any, padding: Any, data_format: Any) -> tuple:
    rank = len(size)
    where = "extract_patches" if rank == 2 else "extract_patches_3d"
    if len(shape) not in (rank + 1, rank + 2):
        what = "images of rank 3 or 4" if rank == 2 else "volumes of rank 4 or 5"
        raise ArgumentError(what, f"shape={tuple(shape)}", where)
    layout = standardize_data_format(data_format)
    whole = tuple(shape) if len(shape) == rank + 2 else (1, *shape)
    size = windows.numbers(size, rank, "size", where)
    strides = size if strides is None else windows.numbers(strides, rank, "strides", where)
    dilation = windows.numbers(dilation, rank, "dilation_rate", where)
    padding = windows.standardize_padding(padding, where)
    counts = [
        windows.output_size(*one, padding, where)
        for one in zip(windows.spatial(whole, layout), size, strides, dilation, strict=True)
    ]
    channels = windows.channels_of(whole, layout)
    depth = None if channels is None else channels * math.prod(size)
    result = windows.assembled(whole[0], counts, depth, layout)
    return size, strides, dilation, padding, layout, counts, result if len(shape) == rank + 2 else result[1:]


def _patch_rule(
    x: Any, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid", data_format: Any = None
) -> KerasTensor:
    return KerasTensor(_patch_settings(x.shape, size, strides, dilation_rate, padding, data_format)[-1], x.dtype)


@op("keras.src.ops.image.ExtractPatches", tensors=["x"], spec=_patch_rule)
def patches(
    x: TensorLike,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """What `extract_patches` and `extract_patches_3d` record; see there."""
    x = as_tensor(x)
    size, strides, dilation, padding, layout, counts, shape = _patch_settings(
        x.shape, size, strides, dilation_rate, padding, data_format
    )
    rank = len(size)
    batch = x if len(x.shape) == rank + 2 else x[None]
    batch = windows.to_channels_last(batch, layout)
    if padding == "same":
        sizes = batch.shape[1:-1]
        amounts = [windows.same_padding(*one) for one in zip(sizes, size, strides, dilation, strict=True)]
        batch = windows.padded(batch, amounts)
    pieces = [piece for _, piece in windows.taps(batch, size, strides, dilation, counts)]
    return xp.reshape(windows.from_channels_last(xp.concatenate(pieces, axis=-1), layout), shape)


def _recorded_patches(x: Any, rank: int, size: Any, strides: Any, dilation: Any, padding: str, layout: Any) -> Tensor:
    where = "extract_patches" if rank == 2 else "extract_patches_3d"
    size = windows.numbers(size, rank, "size", where)
    return patches(
        x, size, strides=size if strides is None else strides, dilation_rate=dilation, padding=padding,
        data_format=standardize_data_format(layout),
    )


def extract_patches(
    images: TensorLike,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Windows of images, each flattened into channels.

    Args:
        images: An image `[height, width, channels]` or a batch of them; or with channels first.
        size: Size of a window, one int or two.
        strides: Steps between windows; None means `size`.
        dilation_rate: Steps between the positions of a window.
        padding: "valid" or "same".
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        `[batch, rows, columns, window * channels]`, channels being the fastest; or with channels first.

    Raises:
        ValueError: If the rank is wrong or no window fits.

    >>> import hornbeam as keras
    >>> keras.ops.image.extract_patches(keras.ops.ones((1, 4, 6, 3)), 2).shape
    (1, 2, 3, 12)
    """
    return _recorded_patches(images, 2, size, strides, dilation_rate, padding, data_format)


def extract_patches_3d(
    volumes: TensorLike,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Windows of volumes, each flattened into channels.

    Args:
        volumes: A volume `[depth, height, width, channels]` or a batch of them; or with channels first.
        size: Size of a window, one int or three.
        strides: Steps between windows; None means `size`.
        dilation_rate: Steps between the positions of a window.
        padding: "valid" or "same".
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        `[batch, *windows, window * channels]`, channels being the fastest; or with channels first.

    Raises:
        ValueError: If the rank is wrong or no window fits.
    """
    return _recorded_patches(volumes, 3, size, strides, dilation_rate, padding, data_format)


# --- filters -----------------------------------------------------------------------------------------------------


def _filtered(x: Any, weights: np.ndarray, same: bool = True) -> Any:
    """Images, channels last, correlated with a small matrix."""
    kernel = weights.shape
    if same:
        x = windows.padded(x, [((size - 1) // 2, size - 1 - (size - 1) // 2) for size in kernel])
    counts = [size - reach + 1 for size, reach in zip(x.shape[1:-1], kernel, strict=True)]
    total = xp.zeros((x.shape[0], *counts, x.shape[-1]), x.dtype)
    for position, piece in windows.taps(x, kernel, (1, 1), (1, 1), counts):
        if weights[position]:
            total = total + piece * float(weights[position])
    return total


def _bell(size: int, sigma: float) -> np.ndarray:
    places = np.arange(size) - (size - 1) / 2
    values = np.exp(-0.5 * (places / sigma) ** 2)
    return values / values.sum()


def _batched(images: Any, layout: str, where: str) -> Any:
    check_image(images.shape, where)
    return channels_last(images if len(images.shape) == 4 else images[None], layout)


def _blur_settings(kernel_size: Any, sigma: Any) -> tuple[tuple[int, ...], tuple[float, ...]]:
    kernel_size = windows.numbers(kernel_size, 2, "kernel_size", "gaussian_blur")
    sigma = (sigma, sigma) if isinstance(sigma, (int, float)) else tuple(float(one) for one in sigma)
    if len(sigma) != 2 or min(sigma) <= 0:
        raise ArgumentError("`sigma` to be one or two positive numbers", f"sigma={sigma!r}", "gaussian_blur")
    return kernel_size, sigma


def _blur_rule(images: Any, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), **_: Any) -> KerasTensor:
    check_image(images.shape, "gaussian_blur")
    _blur_settings(kernel_size, sigma)
    return KerasTensor(images.shape, images.dtype)


@op("keras.src.ops.image.GaussianBlur", spec=_blur_rule)
def gaussian_blur(
    images: TensorLike, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Tensor:
    """Images blurred by a normal distribution; beyond the edges lies 0.

    Args:
        images: An image `[height, width, channels]` or a batch of them; or with channels first.
        kernel_size: Height and width of the kernel.
        sigma: Standard deviations in pixels, vertically and horizontally.
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        Images of the same shape and dtype.

    Raises:
        ValueError: If a size or deviation is not positive.
    """
    images = as_tensor(images)
    layout = standardize_data_format(data_format)
    batch = _batched(images, layout, "gaussian_blur")
    kernel_size, sigma = _blur_settings(kernel_size, sigma)
    x = as_working(batch)
    x = _filtered(x, _bell(kernel_size[0], sigma[0])[:, None])
    x = channels_back(_filtered(x, _bell(kernel_size[1], sigma[1])[None, :]), layout)
    return back_to(x if len(images.shape) == 4 else x[0], backend.dtype(images))


def _elastic_rule(images: Any, interpolation: str = "bilinear", fill_mode: str = "reflect", **_: Any) -> KerasTensor:
    check_image(images.shape, "elastic_transform")
    check_sampling_names(interpolation, fill_mode, "elastic_transform")
    return KerasTensor(images.shape, images.dtype)


@op("keras.src.ops.image.ElasticTransform", spec=_elastic_rule)
def elastic_transform(
    images: TensorLike,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Images whose pixels are displaced at random, neighbours alike.

    Args:
        images: An image `[height, width, channels]` or a batch of them; or with channels first.
        alpha: The size of the displacements before smoothing, in pixels.
        sigma: How far displacements are smoothed, in pixels.
        interpolation: "bilinear" or "nearest".
        fill_mode: What lies beyond the edges, as for `map_coordinates`.
        fill_value: The constant.
        seed: An int, a `SeedGenerator`, or None for a new displacement at each call.
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        Images of the same shape and dtype.

    Raises:
        ValueError: If a shape or a name is wrong.
    """
    images = as_tensor(images)
    check_sampling_names(interpolation, fill_mode, "elastic_transform")
    layout = standardize_data_format(data_format)
    batch = _batched(images, layout, "elastic_transform")
    count, height, width = batch.shape[:3]
    noise = uniform((count, height, width, 2), minval=-1.0, maxval=1.0, dtype="float32", seed=seed)
    reach = 2 * max(int(3 * sigma), 1) + 1
    bell = _bell(reach, max(sigma, 1e-3))
    shifts = alpha * _filtered(_filtered(noise, bell[:, None]), bell[None, :])
    y = backend.cast(xp.arange(height), "float32")[:, None] + shifts[..., 0]
    x = backend.cast(xp.arange(width), "float32")[None, :] + shifts[..., 1]
    result = channels_back(warped(batch, y, x, interpolation, fill_mode, fill_value), layout)
    return result if len(images.shape) == 4 else result[0]


def _sobel_rule(images: Any, data_format: str | None = None) -> KerasTensor:
    standardize_data_format(data_format)
    check_image(images.shape, "sobel_edges")
    return KerasTensor((*images.shape, 2), float_dtype(images))


@op("keras.src.ops.image.SobelEdges", spec=_sobel_rule)
def sobel_edges(images: TensorLike, data_format: str | None = None) -> Tensor:
    """How brightness changes downwards and to the right, by Sobel's filters; beyond the edges lies 0.

    Args:
        images: An image `[height, width, channels]` or a batch of them; or with channels first.
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        A float tensor of the images' shape and a last axis of size 2: the changes downwards and to the right.
    """
    images = as_tensor(images)
    layout = standardize_data_format(data_format)
    x = as_working(_batched(images, layout, "sobel_edges"))
    down = np.array([[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]])
    both = [channels_back(_filtered(x, one), layout) for one in (down, down.T)]
    edges = xp.stack([one if len(images.shape) == 4 else one[0] for one in both], axis=-1)
    dtype = float_dtype(images)
    return edges if backend.dtype(edges) == dtype else backend.cast(edges, dtype)


# --- likeness ----------------------------------------------------------------------------------------------------


def _ssim_rule(image1: Any, image2: Any, filter_size: int = 11, **_: Any) -> KerasTensor:
    image1, image2 = (one if hasattr(one, "shape") else backend.asarray(one) for one in (image1, image2))
    _check_likeness(image1.shape, image2.shape, filter_size)
    return KerasTensor(image1.shape[:-3], float_dtype(image1, image2))


def _check_likeness(first: Any, second: Any, filter_size: Any) -> None:
    check_image(first, "ssim")
    if len(first) != len(second) or any(None not in (a, b) and a != b for a, b in zip(first, second, strict=True)):
        raise ArgumentError("two images of the same shape", f"{tuple(first)} and {tuple(second)}", "ssim")
    windows.numbers(filter_size, 1, "filter_size", "ssim")


@op("keras.src.ops.image.SSIM", tensors=["image1", "image2"], spec=_ssim_rule)
def ssim(
    image1: TensorLike,
    image2: TensorLike,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """Structural similarity of images, 1 where they are equal; https://doi.org/10.1109/TIP.2003.819861.

    Args:
        image1: An image `[height, width, channels]` or a batch of them; or with channels first.
        image2: Another of the same shape.
        max_val: The largest value there may be, such as 255.
        filter_size: Height and width of the Gaussian window.
        filter_sigma: Its standard deviation, in pixels.
        k1: Steadies the comparison of brightness.
        k2: Steadies the comparison of contrast.
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        A float scalar for each pair.

    Raises:
        ValueError: If the shapes differ or an image is smaller than the window.

    >>> import hornbeam as keras
    >>> x = keras.ops.ones((16, 16, 1))
    >>> float(keras.ops.image.ssim(x, x))
    1.0
    """
    first, second = as_floats(image1, image2)
    _check_likeness(first.shape, second.shape, filter_size)
    dtype = backend.dtype(first)
    layout = standardize_data_format(data_format)
    x, y = (as_working(_batched(one, layout, "ssim")) for one in (first, second))
    if min(x.shape[1:3]) < filter_size:
        raise ArgumentError(
            f"images of at least {filter_size} by {filter_size} pixels", f"shape={tuple(first.shape)}", "ssim",
            "Pass a smaller filter_size.",
        )
    bell = _bell(filter_size, filter_sigma)

    def smoothed(image: Any) -> Any:
        return _filtered(_filtered(image, bell[:, None], same=False), bell[None, :], same=False)

    mean_x, mean_y = smoothed(x), smoothed(y)
    variances = smoothed(x * x) + smoothed(y * y) - mean_x * mean_x - mean_y * mean_y
    covariance = smoothed(x * y) - mean_x * mean_y
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    brightness = (2 * mean_x * mean_y + c1) / (mean_x * mean_x + mean_y * mean_y + c1)
    result = xp.mean(brightness * (2 * covariance + c2) / (variances + c2), axis=(1, 2, 3))
    result = result if len(first.shape) == 4 else result[0]
    return result if backend.dtype(result) == dtype else backend.cast(result, dtype)
