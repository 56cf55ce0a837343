"""Images at other sizes and places: resized, moved, sampled at coordinates, affine and perspective maps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from hornbeam._config import standardize_data_format
from hornbeam.backend import active as backend
from hornbeam.dtypes import FLOATS
from hornbeam.errors import ArgumentError, UnknownNameError
from hornbeam.ops.define import Tensor, TensorLike, as_float, as_tensor, normalized_axis, op
from hornbeam.symbolic import KerasTensor

xp = backend.xp

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


# --- layouts and dtypes ------------------------------------------------------------------------------------------


def check_image(shape: Sequence[int | None], where: str) -> None:
    """Raises ValueError unless `shape` is that of an image or of a batch of them."""
    if len(shape) not in (3, 4):
        raise ArgumentError(
            "an image of rank 3 or a batch of them of rank 4", f"shape={tuple(shape)}", where,
            "Add the missing axis, for example with `expand_dims`.",
        )


def image_axes(rank: int, data_format: str) -> tuple[int, int, int]:
    """The axes of height, width and channels."""
    return (rank - 3, rank - 2, rank - 1) if data_format == "channels_last" else (rank - 2, rank - 1, rank - 3)


def with_sizes(shape: Sequence[int | None], data_format: str, **sizes: int | None) -> list[int | None]:
    """An image shape with another `height`, `width` or number of `channels`."""
    result = list(shape)
    for name, axis in zip(("height", "width", "channels"), image_axes(len(shape), data_format), strict=True):
        result[axis] = sizes.get(name, result[axis])
    return result


def as_working(x: Any) -> Any:
    """A float tensor of at least single precision."""
    x = as_float(x)
    return backend.cast(x, "float32") if backend.dtype(x) in ("float16", "bfloat16") else x


def back_to(x: Any, dtype: str) -> Any:
    """A float tensor in the dtype that came: for integers rounded and kept within what they can hold."""
    if backend.dtype(x) == dtype:
        return x
    if dtype in FLOATS:
        return backend.cast(x, dtype)
    if dtype == "bool":
        return x >= 0.5
    bits = int(dtype.lstrip("uint"))
    low, high = (0, 2**bits - 1) if dtype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return backend.cast(xp.clip(xp.round(x), low, high), dtype)


def channels_last(x: Any, data_format: str) -> Any:
    """Images with their channels moved last, if they are not."""
    return x if data_format == "channels_last" else xp.moveaxis(x, -3, -1)


def channels_back(x: Any, data_format: str) -> Any:
    """The inverse of `channels_last`."""
    return x if data_format == "channels_last" else xp.moveaxis(x, -1, -3)


# --- resampling along axes ---------------------------------------------------------------------------------------


def _triangle(x: Any) -> Any:
    return xp.maximum(1 - x, xp.zeros_like(x))


def _cubic(x: Any) -> Any:
    # R. Keys, "Cubic convolution interpolation" (1981), with a = -1/2
    near = ((1.5 * x - 2.5) * x) * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return xp.where(x < 1, near, xp.where(x < 2, far, 0))


def _lanczos(radius: int) -> Callable[[Any], Any]:
    def kernel(x: Any) -> Any:
        # compiled programs may find a little more than 0 for 0, whose square is 0 again
        centre = xp.abs(x) < 1e-4
        safe = xp.where(centre, 1, x) * math.pi
        inner = radius * xp.sin(safe) * xp.sin(safe / radius) / (safe * safe)
        return xp.where(x > radius, 0, xp.where(centre, 1, inner))

    return kernel


_KERNELS: dict[str, Callable[[Any], Any]] = {
    "linear": _triangle, "bilinear": _triangle, "triangle": _triangle, "cubic": _cubic, "bicubic": _cubic,
    "lanczos3": _lanczos(3), "lanczos5": _lanczos(5),
}


def _weights(size: int, wanted: int, scale: Any, translation: Any, method: str, antialias: bool, dtype: str) -> Any:
    """A matrix `[size, wanted]`: how much each old pixel counts for each new one."""
    old = backend.cast(xp.arange(size), dtype)[:, None]
    new = backend.cast(xp.arange(wanted), dtype)
    place = (new + 0.5 - translation) / scale - 0.5
    # shrinking with antialiasing widens the kernel, so that every old pixel counts
    spread = xp.maximum(1 / scale, xp.ones_like(1 / scale)) if antialias else 1.0
    weights = _KERNELS[method](xp.abs(place - old) / spread)
    total = xp.sum(weights, axis=0, keepdims=True)
    near_zero = xp.abs(total) <= 1000 * float(xp.finfo(weights.dtype).eps)
    weights = xp.where(near_zero, 0, weights / xp.where(near_zero, 1, total))
    inside = (place >= -0.5) & (place <= size - 0.5)
    return xp.where(inside, weights, 0)


def _along(x: Any, axis: int, matrix: Any) -> Any:
    return xp.moveaxis(xp.matmul(xp.moveaxis(x, axis, -1), matrix), -1, axis)


def _pair(size: Any, where: str) -> tuple[int, int]:
    fits = isinstance(size, Sequence) and len(size) == 2 and all(hasattr(one, "__index__") for one in size)
    if not fits or min(size) < 1:
        raise ArgumentError("`size` to be height and width, two positive integers", f"size={size!r}", where)
    return int(size[0]), int(size[1])


_INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


def _check_resize(shape: Any, size: Any, interpolation: Any, crop: bool, pad: bool, fill_mode: Any) -> tuple[int, int]:
    size = _pair(size, "resize")
    if interpolation not in _INTERPOLATIONS:
        raise UnknownNameError("interpolation", interpolation, _INTERPOLATIONS, "resize")
    if fill_mode != "constant":
        raise UnknownNameError("fill mode", fill_mode, ("constant",), "resize")
    if crop and pad:
        raise ArgumentError("`crop_to_aspect_ratio` or `pad_to_aspect_ratio`", "both", "resize")
    check_image(shape, "resize")
    return size


def _resize_rule(
    images: Any,
    size: Any,
    interpolation: str = "bilinear",
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    data_format: str | None = None,
    **_: Any,
) -> KerasTensor:
    height, width = _check_resize(
        images.shape, size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode
    )
    layout = standardize_data_format(data_format)
    return KerasTensor(with_sizes(images.shape, layout, height=height, width=width), images.dtype)


@op("keras.src.ops.image.Resize", tensors=["images"], spec=_resize_rule)
def resize(
    images: TensorLike,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images at another size.

    Args:
        images: An image `[height, width, channels]` or a batch of them; or with channels first.
        size: The new height and width.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        antialias: Whether shrinking counts all pixels, instead of those next to the sampling points.
        crop_to_aspect_ratio: Whether to cut the edges of images first that would otherwise be distorted.
        pad_to_aspect_ratio: Whether to add edges instead.
        fill_mode: "constant": what is added has one value.
        fill_value: That value.
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        Images of the dtype that came; integers are rounded.

    Raises:
        ValueError: If the rank, the size or a name is wrong.

    >>> import hornbeam as keras
    >>> keras.ops.image.resize(keras.ops.ones((1, 8, 6, 3)), (4, 4)).shape
    (1, 4, 4, 3)
    """
    images = as_tensor(images)
    size = _check_resize(images.shape, size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode)
    dtype = backend.dtype(images)
    rows, columns, _ = image_axes(len(images.shape), standardize_data_format(data_format))
    height, width = images.shape[rows], images.shape[columns]
    if crop_to_aspect_ratio:
        kept = {rows: min(height, int(width * size[0] / size[1]))}
        kept[columns] = min(width, int(height * size[1] / size[0]))
        cuts = [slice(None)] * len(images.shape)
        for axis, count in kept.items():
            start = (images.shape[axis] - count) // 2
            cuts[axis] = slice(start, start + count)
        images = images[tuple(cuts)]
    elif pad_to_aspect_ratio:
        wanted = {rows: max(height, int(width * size[0] / size[1]))}
        wanted[columns] = max(width, int(height * size[1] / size[0]))
        amounts = [(0, 0)] * len(images.shape)
        for axis, count in wanted.items():
            before = (count - images.shape[axis]) // 2
            amounts[axis] = (before, count - images.shape[axis] - before)
        fill = fill_value if dtype in FLOATS else int(fill_value)
        images = xp.pad(images, amounts, constant_values=fill)
    for axis, wanted_size in ((rows, size[0]), (columns, size[1])):
        if interpolation == "nearest":
            old = images.shape[axis]
            index = [min((2 * i + 1) * old // (2 * wanted_size), old - 1) for i in range(wanted_size)]
            images = xp.take(images, backend.asarray(index, "int32"), axis=axis)
        elif images.shape[axis] != wanted_size:
            images = as_working(images)
            scale = backend.asarray(wanted_size / images.shape[axis], backend.dtype(images))
            matrix = _weights(
                images.shape[axis], wanted_size, scale, 0.0, interpolation, antialias, backend.dtype(images)
            )
            images = _along(images, axis, matrix)
    return back_to(images, dtype)


def _check_move(shape: Any, output_shape: Any, spatial_dims: Any, method: Any) -> tuple[int, ...]:
    if method not in _KERNELS:
        raise UnknownNameError("method", method, _KERNELS, "scale_and_translate")
    axes = tuple(normalized_axis(one, len(shape), "scale_and_translate") for one in spatial_dims)
    if len(output_shape) != len(shape):
        raise ArgumentError(
            f"an `output_shape` of {len(shape)} sizes", f"output_shape={tuple(output_shape)}", "scale_and_translate"
        )
    for axis, (old, new) in enumerate(zip(shape, output_shape, strict=True)):
        if axis not in axes and None not in (old, new) and old != new:
            raise ArgumentError(
                "an `output_shape` that differs in `spatial_dims` only",
                f"{tuple(shape)} to {tuple(output_shape)} with spatial_dims={tuple(spatial_dims)}",
                "scale_and_translate",
            )
    return axes


def _move_rule(
    images: Any, output_shape: Any, scale: Any, translation: Any, spatial_dims: Any, method: Any, *_: Any, **__: Any
) -> KerasTensor:
    _check_move(images.shape, output_shape, spatial_dims, method)
    return KerasTensor(output_shape, images.dtype if images.dtype in FLOATS else as_float_name(images.dtype))


def as_float_name(dtype: str) -> str:
    """The dtype that `as_float` gives."""
    return backend.dtype(as_float(backend.asarray(0, dtype)))


@op(
    "keras.src.ops.image.ScaleAndTranslate",
    tensors=["images", "output_shape", "scale", "translation"],
    lists=["output_shape"],
    spec=_move_rule,
)
def scale_and_translate(
    images: TensorLike,
    output_shape: Any,
    scale: TensorLike,
    translation: TensorLike,
    spatial_dims: Any,
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Images scaled and moved along some axes: pixel centres x go to `x * scale + translation`.

    Args:
        images: Any tensor; integers become floats.
        output_shape: The shape of the result, which differs from that of `images` in `spatial_dims` only.
        scale: One factor per axis of `spatial_dims`.
        translation: One distance per axis, in pixels of the result.
        spatial_dims: The axes.
        method: "linear", "cubic", "lanczos3" or "lanczos5".
        antialias: Whether shrinking counts all pixels.

    Returns:
        A float tensor of shape `output_shape`; 0 where nothing was moved to.

    Raises:
        ValueError: If shape, axes or method do not fit.
    """
    images = as_float(images)
    dtype = backend.dtype(images)
    sizes = [int(one) for one in output_shape]
    axes = _check_move(images.shape, sizes, spatial_dims, method)
    images = as_working(images)
    work = backend.dtype(images)
    scale, translation = (backend.cast(as_tensor(one), work) for one in (scale, translation))
    for index, axis in enumerate(axes):
        matrix = _weights(images.shape[axis], sizes[axis], scale[index], translation[index], method, antialias, work)
        images = _along(images, axis, matrix)
    return back_to(images, dtype)


# --- sampling at coordinates -------------------------------------------------------------------------------------


def _folded(index: Any, size: int, fill_mode: str) -> Any:
    """Where an index beyond the edges looks instead."""
    if fill_mode == "wrap":
        return index % size
    if fill_mode == "mirror":
        period = max(2 * (size - 1), 1)
        index = xp.abs(index) % period
        return xp.where(index < size, index, period - index)
    if fill_mode == "reflect":
        index = index % (2 * size)
        return xp.where(index < size, index, 2 * size - 1 - index)
    return xp.clip(index, 0, size - 1)


def _rounded_back(x: Any, dtype: str) -> Any:
    # halves go away from 0, as in sampling
    return back_to(x if dtype in FLOATS else xp.trunc(x + xp.where(x < 0, -0.5, 0.5)), dtype)


def _check_sampling(inputs: Any, coordinates: Any, order: Any, fill_mode: Any) -> None:
    if order not in (0, 1):
        raise ArgumentError("`order` 0 (nearest) or 1 (linear)", f"order={order!r}", "map_coordinates")
    if fill_mode not in FILL_MODES:
        raise UnknownNameError("fill mode", fill_mode, FILL_MODES, "map_coordinates")
    if len(coordinates) < 2 or (coordinates[0] is not None and coordinates[0] != len(inputs)):
        raise ArgumentError(
            f"`coordinates` of shape [{len(inputs)}, ...], one row per axis of `inputs`",
            f"shape={tuple(coordinates)}", "map_coordinates",
        )


def _map_rule(inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", **_: Any) -> KerasTensor:
    inputs, coordinates = (one if hasattr(one, "shape") else backend.asarray(one) for one in (inputs, coordinates))
    _check_sampling(inputs.shape, coordinates.shape, order, fill_mode)
    dtype = inputs.dtype if isinstance(inputs, KerasTensor) else backend.dtype(inputs)
    return KerasTensor(coordinates.shape[1:], dtype)


@op("keras.src.ops.image.MapCoordinates", tensors=["inputs", "coordinates"], spec=_map_rule)
def map_coordinates(
    inputs: TensorLike, coordinates: TensorLike, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Tensor:
    """A tensor read at fractional indices.

    Args:
        inputs: A tensor of rank n.
        coordinates: `[n, ...]`: the indices along each axis.
        order: 0 takes the nearest element, 1 interpolates linearly.
        fill_mode: What lies beyond the edges: "constant", "nearest" (the edge), "wrap" (the other side), "mirror"
            (reflected, the edge once) or "reflect" (reflected, the edge twice).
        fill_value: The constant.

    Returns:
        A tensor `[...]` of the dtype of `inputs`; integers are rounded.

    Raises:
        ValueError: If a shape or a name is wrong.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.image.map_coordinates([0.0, 10.0], [[0.5, 1.0]], order=1)).tolist()
    [5.0, 10.0]
    """
    inputs = as_tensor(inputs)
    dtype = backend.dtype(inputs)
    coordinates = as_working(coordinates)
    _check_sampling(inputs.shape, coordinates.shape, order, fill_mode)
    rows = [coordinates[i] for i in range(len(inputs.shape))]
    return _rounded_back(sampled(as_working(inputs), rows, order, fill_mode, fill_value), dtype)


_ORDERS = {"nearest": 0, "bilinear": 1}


def check_sampling_names(interpolation: Any, fill_mode: Any, where: str) -> None:
    """Raises ValueError for an unknown interpolation or fill mode."""
    if interpolation not in _ORDERS:
        raise UnknownNameError("interpolation", interpolation, _ORDERS, where)
    if fill_mode not in FILL_MODES:
        raise UnknownNameError("fill mode", fill_mode, FILL_MODES, where)


def _choices(coordinate: Any, order: int) -> list[tuple[Any, Any]]:
    """The indices around a fractional one, each with its weight (None for 1)."""
    if order == 0:
        # halves go away from 0
        return [(backend.cast(xp.trunc(coordinate + xp.where(coordinate < 0, -0.5, 0.5)), "int32"), None)]
    below = xp.floor(coordinate)
    index, part = backend.cast(below, "int32"), coordinate - below
    return [(index, 1 - part), (index + 1, part)]


def sampled(
    x: Any, coordinates: Sequence[Any], order: int, fill_mode: str, fill_value: Any, batch: Any = None
) -> Any:
    """`x` at fractional indices, one tensor of them per axis; further axes of `x` come along.

    Args:
        x: A float tensor.
        coordinates: The indices, for the leading axes, or for those after the batch.
        order: 0 or 1.
        fill_mode: What lies beyond the edges.
        fill_value: The constant.
        batch: Whole indices of an axis before the others, or None.

    Returns:
        A tensor of the coordinates' shape and the further axes.
    """
    first = 0 if batch is None else 1
    tail = (None,) * (len(x.shape) - first - len(coordinates))
    total = None
    for corner in itertools.product(*(_choices(one, order) for one in coordinates)):
        places = [_folded(index, x.shape[i], fill_mode) for i, (index, _) in enumerate(corner, first)]
        value = backend.picked(x, tuple(places) if batch is None else (batch, *places))
        if fill_mode == "constant":
            inside: Any = None
            for i, (index, _) in enumerate(corner, first):
                here = (index >= 0) & (index < x.shape[i])
                inside = here if inside is None else inside & here
            value = xp.where(inside[(..., *tail)], value, fill_value)
        for _, weight in corner:
            if weight is not None:
                value = value * weight[(..., *tail)]
        total = value if total is None else total + value
    return total


def warped(images: Any, y: Any, x: Any, interpolation: str, fill_mode: str, fill_value: Any) -> Any:
    """Images `[batch, height, width, channels]` read at `y` and `x`, each `[batch, height, width]`."""
    batch = xp.broadcast_to(xp.reshape(xp.arange(images.shape[0]), (-1, 1, 1)), x.shape)
    result = sampled(as_working(images), [y, x], _ORDERS[interpolation], fill_mode, fill_value, batch)
    return _rounded_back(result, backend.dtype(images))


def _grid(images: Any) -> tuple[Any, Any]:
    height, width = images.shape[1:3]
    y = backend.cast(xp.arange(height), "float32")[:, None]
    x = backend.cast(xp.arange(width), "float32")[None, :]
    return y, x


def _like_image(where: str) -> Callable[..., KerasTensor]:
    def rule(
        images: Any, *_: Any, interpolation: str = "bilinear", fill_mode: str = "constant", **__: Any
    ) -> KerasTensor:
        check_image(images.shape, where)
        check_sampling_names(interpolation, fill_mode, where)
        return KerasTensor(images.shape, images.dtype)

    return rule


@op("keras.src.ops.image.AffineTransform", tensors=["images", "transform"], spec=_like_image("affine_transform"))
def affine_transform(
    images: TensorLike,
    transform: TensorLike,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images mapped affinely: the pixel at (x, y) of the result is read at `(a0 x + a1 y + a2, b0 x + b1 y + b2)`.

    Args:
        images: An image `[height, width, channels]` or a batch of them; or with channels first.
        transform: `[8]` or `[batch, 8]`: a0, a1, a2, b0, b1, b2 and two numbers that are not used.
        interpolation: "bilinear" or "nearest".
        fill_mode: What lies beyond the edges, as for `map_coordinates`.
        fill_value: The constant.
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        Images of the same shape and dtype.

    Raises:
        ValueError: If a shape or a name is wrong.
    """
    images, transform = as_tensor(images), as_working(transform)
    check_image(images.shape, "affine_transform")
    check_sampling_names(interpolation, fill_mode, "affine_transform")
    if len(transform.shape) not in (1, 2) or transform.shape[-1] != 8:
        raise ArgumentError(
            "`transform` of shape [8] or [batch, 8]", f"shape={tuple(transform.shape)}", "affine_transform"
        )
    layout = standardize_data_format(data_format)
    batch = channels_last(images if len(images.shape) == 4 else images[None], layout)
    a = xp.reshape(transform, (-1, 8, 1, 1))
    y, x = _grid(batch)
    shape = batch.shape[:3]
    at_x = xp.broadcast_to(a[:, 0] * x + a[:, 1] * y + a[:, 2], shape)
    at_y = xp.broadcast_to(a[:, 3] * x + a[:, 4] * y + a[:, 5], shape)
    result = channels_back(warped(batch, at_y, at_x, interpolation, fill_mode, fill_value), layout)
    return result if len(images.shape) == 4 else result[0]


@op(
    "keras.src.ops.image.PerspectiveTransform",
    tensors=["images", "start_points", "end_points"],
    spec=_like_image("perspective_transform"),
)
def perspective_transform(
    images: TensorLike,
    start_points: TensorLike,
    end_points: TensorLike,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images seen from elsewhere: what lies at four start points comes to lie at four end points.

    Args:
        images: An image `[height, width, channels]` or a batch of them; or with channels first.
        start_points: `[4, 2]` or `[batch, 4, 2]`: x and y of four points.
        end_points: Where they go, likewise.
        interpolation: "bilinear" or "nearest".
        fill_value: What lies beyond the edges.
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        Images of the same shape and dtype.

    Raises:
        ValueError: If a shape or a name is wrong.
    """
    images, start, end = as_tensor(images), as_working(start_points), as_working(end_points)
    check_image(images.shape, "perspective_transform")
    check_sampling_names(interpolation, "constant", "perspective_transform")
    if any(len(one.shape) not in (2, 3) or tuple(one.shape[-2:]) != (4, 2) for one in (start, end)):
        raise ArgumentError(
            "points of shape [4, 2] or [batch, 4, 2]", f"{tuple(start.shape)} and {tuple(end.shape)}",
            "perspective_transform",
        )
    layout = standardize_data_format(data_format)
    batch = channels_last(images if len(images.shape) == 4 else images[None], layout)
    a = homography(xp.reshape(end, (-1, 4, 2)), xp.reshape(start, (-1, 4, 2)))[:, :, None, None]
    y, x = _grid(batch)
    depth = a[:, 6] * x + a[:, 7] * y + 1
    shape = batch.shape[:3]
    at_x = xp.broadcast_to((a[:, 0] * x + a[:, 1] * y + a[:, 2]) / depth, shape)
    at_y = xp.broadcast_to((a[:, 3] * x + a[:, 4] * y + a[:, 5]) / depth, shape)
    result = channels_back(warped(batch, at_y, at_x, interpolation, "constant", fill_value), layout)
    return result if len(images.shape) == 4 else result[0]


def homography(source: Any, target: Any) -> Any:
    """The eight numbers of the projective map that takes four points to four others."""
    x, y = source[..., 0], source[..., 1]
    u, v = target[..., 0], target[..., 1]
    zero, one = xp.zeros_like(x), xp.ones_like(x)
    upper = xp.stack([x, y, one, zero, zero, zero, -x * u, -y * u], axis=-1)
    lower = xp.stack([zero, zero, zero, x, y, one, -x * v, -y * v], axis=-1)
    matrix = xp.concatenate([upper, lower], axis=-2)
    return xp.linalg.solve(matrix, xp.concatenate([u, v], axis=-1)[..., None])[..., 0]
