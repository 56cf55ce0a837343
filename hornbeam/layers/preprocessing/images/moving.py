"""`RandomFlip`, `RandomRotation`, `RandomTranslation`, `RandomZoom`, `RandomShear`: images moved affinely."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import ops
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, UnknownNameError
from hornbeam.layers.core.checks import where
from hornbeam.layers.preprocessing.images.image_layer import RandomImageLayer, as_config, each, factor_range
from hornbeam.ops import bounding_boxes
from hornbeam.random import uniform

xp = backend.xp

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("nearest", "bilinear")


class MovingLayer(RandomImageLayer):
    """Base of the layers that move pixels about, with their boxes and masks."""

    changes_boxes = changes_masks = True

    def __init__(
        self, fill_mode: str = "reflect", interpolation: str = "bilinear", fill_value: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if fill_mode not in FILL_MODES:
            raise UnknownNameError("fill mode", fill_mode, FILL_MODES, where(self))
        if interpolation not in INTERPOLATIONS:
            raise UnknownNameError("interpolation", interpolation, INTERPOLATIONS, where(self))
        self.fill_mode = fill_mode
        self.interpolation = interpolation
        self.fill_value = fill_value

    def _mapped(self, images: Any, matrix: Any, interpolation: str) -> Any:
        """Images read where the rows a0, a1, a2, b0, b1, b2 of numbers for each image say."""
        count = images.shape[0]
        rows = [xp.broadcast_to(xp.reshape(backend.cast(one, "float32"), (-1,)), (count,)) for one in matrix]
        zero = xp.zeros_like(rows[0])
        return ops.image.affine_transform(
            images, xp.stack([*rows, zero, zero], axis=-1), interpolation=interpolation, fill_mode=self.fill_mode,
            fill_value=self.fill_value, data_format=self.data_format,
        )

    def _matrix(self, images: Any, transformation: Any) -> Any:
        """The six numbers for each image that `_mapped` takes."""
        raise NotImplementedError

    def _images(self, images: Any, transformation: Any) -> Any:
        return self._mapped(images, self._matrix(images, transformation), self.interpolation)

    def _masks(self, masks: Any, transformation: Any) -> Any:
        return self._mapped(masks, self._matrix(masks, transformation), "nearest")


def numbers(low: float, high: float, shape: tuple[int, ...], seed: Any) -> Any:
    """Single precision numbers that are equally likely from `low` to `high`."""
    return uniform(shape, low, high, dtype="float32", seed=seed)


def signs(shape: tuple[int, ...], seed: Any) -> Any:
    """1 or -1, equally likely."""
    positive = uniform(shape, dtype="float32", seed=seed) < 0.5
    return backend.cast(positive, "float32") * 2.0 - 1.0


HORIZONTAL, VERTICAL, BOTH = "horizontal", "vertical", "horizontal_and_vertical"


@wire("keras.layers.RandomFlip")
class RandomFlip(RandomImageLayer):
    """Mirrors half of the images, while training.

    Args:
        mode: "horizontal" exchanges left and right, "vertical" top and bottom; "horizontal_and_vertical" both.
        seed: An integer, or None for a random one.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For an unknown mode.

    >>> import hornbeam as keras
    >>> flip = keras.layers.RandomFlip("horizontal", seed=1)
    >>> flip(keras.ops.ones((2, 4, 4, 3))).shape
    (2, 4, 4, 3)
    """

    changes_boxes = changes_masks = True
    settings = ("seed", "mode")

    def __init__(
        self, mode: str = BOTH, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        if mode not in (HORIZONTAL, VERTICAL, BOTH):
            raise UnknownNameError("mode", mode, (HORIZONTAL, VERTICAL, BOTH), where(self))
        self.mode = mode

    def _draw(self, images: Any, seed: Any) -> Any:
        flips = uniform(self._per_image(images), dtype="float32", seed=seed) <= 0.5
        return {"flips": flips, "input_shape": tuple(images.shape)}

    def _images(self, images: Any, transformation: Any) -> Any:
        rows, columns, _ = self._axes(images)
        mirrored = images
        if self.mode != VERTICAL:
            mirrored = xp.flip(mirrored, axis=columns)
        if self.mode != HORIZONTAL:
            mirrored = xp.flip(mirrored, axis=rows)
        return xp.where(each(transformation["flips"]), mirrored, images)

    def _masks(self, masks: Any, transformation: Any) -> Any:
        return self._images(masks, transformation)

    def _boxes(self, boxes: Any, transformation: Any) -> Any:
        size = self._sizes(transformation["input_shape"])
        height, width = size

        def change(corners: Any) -> Any:
            left, top, right, bottom = (corners[..., i] for i in range(4))
            if self.mode != VERTICAL:
                left, right = width - right, width - left
            if self.mode != HORIZONTAL:
                top, bottom = height - bottom, height - top
            mirrored = xp.stack([left, top, right, bottom], axis=-1)
            return xp.where(each(transformation["flips"], 3), mirrored, corners)

        return self._in_corners(boxes, size, change)


@wire("keras.layers.RandomRotation")
class RandomRotation(MovingLayer):
    """Turns images about their middle by random angles, while training.

    Args:
        factor: Parts of a full turn, between -1 and 1: two numbers between which they are drawn, or one `f` for those
            from `-f` to `f`. Positive ones turn counterclockwise.
        fill_mode: What lies beyond the edges: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest"; masks always take the nearest.
        seed: An integer, or None for a random one.
        fill_value: What lies beyond the edges for "constant".
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For a factor out of bounds or an unknown name.

    >>> import hornbeam as keras
    >>> turn = keras.layers.RandomRotation((0.25, 0.25))  # always by 90 degrees
    >>> keras.ops.convert_to_numpy(turn(keras.ops.array([[[[1.0], [2.0]], [[3.0], [4.0]]]])))[0, :, :, 0].tolist()
    [[2.0, 4.0], [1.0, 3.0]]
    """

    settings = ("factor", "fill_mode", "fill_value", "interpolation", "seed")

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fill_mode=fill_mode, interpolation=interpolation, fill_value=fill_value, seed=seed, data_format=data_format,
            **kwargs,
        )
        self.factor = factor_range(factor, self, symmetric=True)

    def _draw(self, images: Any, seed: Any) -> Any:
        height, width = self._sizes(images.shape)
        angle = numbers(360.0 * self.factor[0], 360.0 * self.factor[1], (self._count(images),), seed)
        turn = angle * (math.pi / 180)
        cos, sin = xp.cos(turn), xp.sin(turn)
        x = ((width - 1) - (cos * (width - 1) - sin * (height - 1))) / 2
        y = ((height - 1) - (sin * (width - 1) + cos * (height - 1))) / 2
        zero = xp.zeros_like(cos)
        matrix = xp.stack([cos, -sin, x, sin, cos, y, zero, zero], axis=-1)
        return {
            "angle": angle,
            "rotation_matrix": matrix if len(images.shape) == 4 else matrix[0],
            "image_height": height,
            "image_width": width,
            "batch_size": self._count(images),
        }

    def _matrix(self, images: Any, transformation: Any) -> Any:
        matrix = xp.reshape(transformation["rotation_matrix"], (-1, 8))
        return [matrix[:, i] for i in range(6)]

    def _boxes(self, boxes: Any, transformation: Any) -> Any:
        size = transformation["image_height"], transformation["image_width"]
        return self._in_corners(
            boxes, size,
            lambda corners: bounding_boxes.affine_transform(corners, transformation["angle"], 0, 0, 1, 0, 0, *size),
        )


@wire("keras.layers.RandomTranslation")
class RandomTranslation(MovingLayer):
    """Moves images up or down and left or right, while training.

    Args:
        height_factor: Parts of the height, between -1 and 1: two numbers between which they are drawn, or one `f` for
            those from `-f` to `f`. Positive ones move down.
        width_factor: Parts of the width, likewise. Positive ones move to the right.
        fill_mode: What lies beyond the edges: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest"; masks always take the nearest.
        seed: An integer, or None for a random one.
        fill_value: What lies beyond the edges for "constant".
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For a factor out of bounds or an unknown name.

    >>> import hornbeam as keras
    >>> keras.layers.RandomTranslation(0.1, (-0.2, 0.3))(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    settings = ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value")

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fill_mode=fill_mode, interpolation=interpolation, fill_value=fill_value, seed=seed, data_format=data_format,
            **kwargs,
        )
        self.height_factor, self.width_factor = (as_config(one) for one in (height_factor, width_factor))
        self.height_lower, self.height_upper = factor_range(height_factor, self, name="height_factor", symmetric=True)
        self.width_lower, self.width_upper = factor_range(width_factor, self, name="width_factor", symmetric=True)

    def _draw(self, images: Any, seed: Any) -> Any:
        height, width = self._sizes(images.shape)
        shape = (self._count(images), 1)
        down = numbers(self.height_lower, self.height_upper, shape, seed) * height
        right = numbers(self.width_lower, self.width_upper, shape, seed) * width
        return {"translations": xp.concatenate([right, down], axis=1), "input_shape": tuple(images.shape)}

    def _matrix(self, images: Any, transformation: Any) -> Any:
        moves = transformation["translations"]
        one, zero = xp.ones_like(moves[:, 0]), xp.zeros_like(moves[:, 0])
        return [one, zero, -moves[:, 0], zero, one, -moves[:, 1]]

    def _boxes(self, boxes: Any, transformation: Any) -> Any:
        moves = transformation["translations"]
        size = self._sizes(transformation["input_shape"])
        return self._in_corners(boxes, size, lambda corners: corners + xp.concatenate([moves, moves], -1)[:, None, :])


@wire("keras.layers.RandomZoom")
class RandomZoom(MovingLayer):
    """Zooms out of or into the middle of images, while training.

    Args:
        height_factor: How much more, or less if negative, of the height is seen, between -1 and 1: two numbers between
            which they are drawn, or one `f` for those from `-f` to `f`. (0.2, 0.3) zooms out by 20 to 30 %.
        width_factor: Likewise for the width; None takes what was drawn for the height, which distorts nothing.
        fill_mode: What lies beyond the edges: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest"; masks always take the nearest.
        seed: An integer, or None for a random one.
        fill_value: What lies beyond the edges for "constant".
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For a factor out of bounds or an unknown name.

    >>> import hornbeam as keras
    >>> keras.layers.RandomZoom((-0.2, 0.3))(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    settings = ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value")

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fill_mode=fill_mode, interpolation=interpolation, fill_value=fill_value, seed=seed, data_format=data_format,
            **kwargs,
        )
        self.height_factor, self.width_factor = (as_config(one) for one in (height_factor, width_factor))
        self._heights = factor_range(height_factor, self, name="height_factor", symmetric=True)
        self._widths = None
        if width_factor is not None:
            self._widths = factor_range(width_factor, self, name="width_factor", symmetric=True)
        if -1 in (self._heights[0], *(self._widths or ())):
            raise ArgumentError("factors above -1, at which nothing is seen", f"{height_factor}", where(self))

    def _draw(self, images: Any, seed: Any) -> Any:
        shape = (self._count(images), 1)
        tall = 1.0 + numbers(*self._heights, shape, seed)
        wide = tall if self._widths is None else 1.0 + numbers(*self._widths, shape, seed)
        return {"height_zoom": tall, "width_zoom": wide, "input_shape": tuple(images.shape)}

    def _matrix(self, images: Any, transformation: Any) -> Any:
        height, width = self._sizes(images.shape)
        tall, wide = (xp.reshape(transformation[name], (-1,)) for name in ("height_zoom", "width_zoom"))
        zero = xp.zeros_like(tall)
        return [wide, zero, (width - 1) / 2 * (1 - wide), zero, tall, (height - 1) / 2 * (1 - tall)]

    def _boxes(self, boxes: Any, transformation: Any) -> Any:
        size = self._sizes(transformation["input_shape"])
        tall, wide = (each(transformation[name], 2) for name in ("height_zoom", "width_zoom"))
        scale = xp.concatenate([wide, tall, wide, tall], axis=-1)[:, None, :]
        middle = backend.asarray([(size[1] - 1) / 2, (size[0] - 1) / 2] * 2, "float32")
        return self._in_corners(boxes, size, lambda corners: (corners - middle) / scale + middle)


@wire("keras.layers.RandomShear")
class RandomShear(MovingLayer):
    """Shears images: rows or columns are moved the more, the farther they are from the edge, while training.

    Args:
        x_factor: How far rows move for each row, between 0 and 1: two numbers between which it is drawn, or one `f`
            for those from `-f` to `f`.
        y_factor: How far columns move, likewise.
        interpolation: "bilinear" or "nearest"; masks always take the nearest.
        fill_mode: What lies beyond the edges: "reflect", "wrap", "constant" or "nearest".
        fill_value: What lies beyond the edges for "constant".
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        seed: An integer, or None for a random one.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer. For half of them both directions are turned round.

    Raises:
        ValueError: For a factor out of bounds or an unknown name.

    >>> import hornbeam as keras
    >>> keras.layers.RandomShear(0.2, 0.1)(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    settings = ("x_factor", "y_factor", "fill_mode", "interpolation", "seed", "fill_value")

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fill_mode=fill_mode, interpolation=interpolation, fill_value=fill_value, seed=seed, data_format=data_format,
            **kwargs,
        )
        self.x_factor = self._range(x_factor, "x_factor")
        self.y_factor = self._range(y_factor, "y_factor")

    def _range(self, value: Any, name: str) -> tuple[float, float]:
        if isinstance(value, (tuple, list)) and len(value) == 2 and value[0] == -value[1]:
            value = value[1]  # what a config of one number says
        low, high = factor_range(value, self, (0.0, 1.0), name)
        return (low, high) if isinstance(value, (tuple, list)) else (-high, high)

    def _draw(self, images: Any, seed: Any) -> Any:
        shape = (self._count(images), 1)
        both = [numbers(*one, shape, seed) for one in (self.x_factor, self.y_factor)]
        return {
            "shear_factor": xp.concatenate(both, axis=1) * signs(shape, seed),
            "input_shape": tuple(images.shape),
        }

    def _matrix(self, images: Any, transformation: Any) -> Any:
        x, y = (transformation["shear_factor"][:, i] for i in range(2))
        one, zero = xp.ones_like(x), xp.zeros_like(x)
        return [one, x, zero, y, one, zero]

    def _boxes(self, boxes: Any, transformation: Any) -> Any:
        x, y = (each(transformation["shear_factor"][:, i], 3) for i in range(2))

        def change(corners: Any) -> Any:
            left, top, right, bottom = (corners[..., i : i + 1] for i in range(4))
            across = xp.concatenate([left, right, left, right], axis=-1)
            down = xp.concatenate([top, top, bottom, bottom], axis=-1)
            # where pixels of the result are read is the inverse of where they go
            new_x, new_y = (across - x * down) / (1 - x * y), (down - y * across) / (1 - x * y)
            return xp.stack(
                [xp.min(new_x, -1), xp.min(new_y, -1), xp.max(new_x, -1), xp.max(new_y, -1)], axis=-1
            )

        return self._in_corners(boxes, self._sizes(transformation["input_shape"]), change)
