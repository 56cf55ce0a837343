"""`RandomPerspective`, `RandomElasticTransform`: images seen from elsewhere, or as if on rubber."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.layers.core.checks import rate
from hornbeam.layers.preprocessing.images.colours import sometimes
from hornbeam.layers.preprocessing.images.image_layer import each, factor_range, value_span
from hornbeam.layers.preprocessing.images.moving import MovingLayer, numbers
from hornbeam.ops.resampling import as_working, channels_back, channels_last, homography, warped
from hornbeam.random import normal

xp = backend.xp


@wire("keras.layers.RandomPerspective")
class RandomPerspective(MovingLayer):
    """Moves the corners of some images at random, as if they were seen from elsewhere, while training.

    Args:
        factor: The probability for an image, between 0 and 1: two numbers between which it is drawn for each image,
            or one `f` for those from 0 to `f`.
        scale: How far corners may move, as a part of half their distance from the first one, between 0 and 1.
        interpolation: "bilinear" or "nearest"; masks always take the nearest.
        fill_value: What lies beyond the edges.
        seed: An integer, or None for a random one.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For arguments out of bounds.

    >>> import hornbeam as keras
    >>> keras.layers.RandomPerspective(scale=0.3)(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    settings = ("factor", "scale", "interpolation", "fill_value", "seed")

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fill_mode="constant", interpolation=interpolation, fill_value=fill_value, seed=seed,
            data_format=data_format, **kwargs,
        )
        self.factor = factor_range(factor, self, (0.0, 1.0))
        self.scale = rate(scale, self, "scale")

    def _draw(self, images: Any, seed: Any) -> Any:
        count = self._count(images)
        height, width = self._sizes(images.shape)
        corners = backend.asarray(
            [[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]], "float32"
        )
        start = xp.broadcast_to(corners[None], (count, 4, 2))
        moves = numbers(-self.scale, self.scale, (count, 4, 2), seed)
        return {
            "apply_perspective": sometimes(self.factor, count, seed),
            "start_points": start,
            "end_points": start + start * moves * 0.5,
            "input_shape": tuple(images.shape),
        }

    def _seen(self, images: Any, transformation: Any, interpolation: str) -> Any:
        moved = ops.image.perspective_transform(
            images, transformation["start_points"], transformation["end_points"], interpolation=interpolation,
            fill_value=self.fill_value, data_format=self.data_format,
        )
        return xp.where(each(transformation["apply_perspective"]), moved, images)

    def _images(self, images: Any, transformation: Any) -> Any:
        return self._seen(images, transformation, self.interpolation)

    def _masks(self, masks: Any, transformation: Any) -> Any:
        return self._seen(masks, transformation, "nearest")

    def _boxes(self, boxes: Any, transformation: Any) -> Any:
        a = homography(transformation["start_points"], transformation["end_points"])[:, None, None, :]

        def change(corners: Any) -> Any:
            left, top, right, bottom = (corners[..., i] for i in range(4))
            x = xp.stack([left, right, left, right], axis=-1)
            y = xp.stack([top, top, bottom, bottom], axis=-1)
            depth = a[..., 6] * x + a[..., 7] * y + 1
            new_x = (a[..., 0] * x + a[..., 1] * y + a[..., 2]) / depth
            new_y = (a[..., 3] * x + a[..., 4] * y + a[..., 5]) / depth
            moved = xp.stack([xp.min(new_x, -1), xp.min(new_y, -1), xp.max(new_x, -1), xp.max(new_y, -1)], axis=-1)
            return xp.where(each(transformation["apply_perspective"], 3), moved, corners)

        return self._in_corners(boxes, self._sizes(transformation["input_shape"]), change)


@wire("keras.layers.RandomElasticTransform")
class RandomElasticTransform(MovingLayer):
    """Moves pixels of some images along a smooth random field, as if on rubber, while training.

    P. Simard et al., "Best practices for convolutional neural networks applied to visual document analysis", 2003.

    Args:
        factor: The probability for an image, between 0 and 1: two numbers between which it is drawn for each image,
            or one `f` for those from 0 to `f`.
        scale: How strong the field is, between 0 and 1: two numbers between which it is drawn for each batch, or one
            `s` for those from 0 to `s`.
        interpolation: "bilinear" or "nearest"; masks always take the nearest.
        fill_mode: What lies beyond the edges: "reflect", "wrap", "constant" or "nearest".
        fill_value: What lies beyond the edges for "constant".
        value_range: The least and greatest value of images, within which results are kept.
        seed: An integer, or None for a random one.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: Arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer. Bounding boxes stay as they are.

    Raises:
        ValueError: For arguments out of bounds.

    >>> import hornbeam as keras
    >>> keras.layers.RandomElasticTransform(scale=0.3)(keras.ops.ones((2, 16, 16, 3))).shape
    (2, 16, 16, 3)
    """

    settings = ("factor", "scale", "interpolation", "fill_mode", "fill_value", "value_range", "seed")

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fill_mode=fill_mode, interpolation=interpolation, fill_value=fill_value, seed=seed,
            data_format=data_format, **kwargs,
        )
        self.factor = factor_range(factor, self, (0.0, 1.0))
        self.scale = factor_range(scale, self, (0.0, 1.0), "scale")
        self.value_range = value_span(value_range, self, as_list=False)

    def _draw(self, images: Any, seed: Any) -> Any:
        count = self._count(images)
        height, width = self._sizes(images.shape)
        strength = numbers(*self.scale, (), seed)
        field = normal((count, height, width, 2), dtype="float32", seed=seed)
        return {
            "apply_transform": sometimes(self.factor, count, seed),
            "distortion_factor": strength,
            "field": self._smoothed(field, strength),
        }

    @staticmethod
    def _smoothed(field: Any, strength: Any) -> Any:
        """Noise made smooth over a twentieth of the image at full strength; its height is in proportion to that."""
        for axis in (1, 2):
            size = field.shape[axis]
            sigma = xp.maximum(strength * (0.05 * size), 1e-3)
            place = backend.asarray(range(size), "float32")
            bell = xp.exp(-0.5 * xp.square((place[:, None] - place[None, :]) / sigma))
            bell = bell / xp.max(xp.sum(bell, axis=0))
            # the noise gets the standard deviation that it had, whatever the width of the bell
            bell = bell * xp.sqrt(sigma)
            field = xp.moveaxis(xp.matmul(xp.moveaxis(field, axis, -1), bell), -1, axis)
            field = field * xp.sqrt(0.1 * size * strength)
        return field

    def _rubbed(self, images: Any, transformation: Any, interpolation: str) -> Any:
        x = channels_last(images, self.data_format)
        field = transformation["field"]
        down = backend.asarray(range(x.shape[1]), "float32")[None, :, None] + field[..., 0]
        across = backend.asarray(range(x.shape[2]), "float32")[None, None, :] + field[..., 1]
        moved = channels_back(warped(x, down, across, interpolation, self.fill_mode, self.fill_value), self.data_format)
        return xp.where(each(transformation["apply_transform"]), moved, images)

    def _images(self, images: Any, transformation: Any) -> Any:
        moved = self._rubbed(as_working(images), transformation, self.interpolation)
        return xp.clip(moved, *self.value_range)

    def _masks(self, masks: Any, transformation: Any) -> Any:
        return self._rubbed(masks, transformation, "nearest")
