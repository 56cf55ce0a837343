"""`Resizing`, `CenterCrop`, `RandomCrop`: images of another size, with their boxes and masks."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, UnknownNameError
from hornbeam.layers.core.checks import positive_integer, where
from hornbeam.layers.preprocessing.images.image_layer import ImageLayer
from hornbeam.ops import bounding_boxes
from hornbeam.ops.resampling import with_sizes
from hornbeam.random import SeedGenerator, randint
from hornbeam.random.seed_generator import draw_number

xp = backend.xp


class SizingLayer(ImageLayer):
    """Base of the layers that give images a height and width."""

    acts_always = True
    changes_boxes = changes_masks = True

    def __init__(self, height: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height = positive_integer(height, "height", self)
        self.width = positive_integer(width, "width", self)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the images that come out."""
        return tuple(with_sizes(input_shape, self.data_format, height=self.height, width=self.width))

    def _resized(self, images: Any, interpolation: str, **settings: Any) -> Any:
        return ops.image.resize(
            images, (self.height, self.width), interpolation=interpolation, data_format=self.data_format, **settings
        )

    def _resized_boxes(self, boxes: Any, size: tuple[int, int], choose: Any) -> Any:
        """Boxes of images that were resized, after cutting (`min`) or padding (`max`) or neither (None)."""
        tall, wide = height, width = size
        if choose is not None:
            tall = choose(height, int(width * self.height / self.width))
            wide = choose(width, int(height * self.width / self.height))
        # whole pixels, rounded as for the images
        top, left = (int(one / 2) for one in (height - tall, width - wide))
        start = backend.asarray([left, top] * 2, "float32")
        scale = backend.asarray([self.width / wide, self.height / tall] * 2, "float32")
        return self._in_corners(boxes, size, lambda corners: (corners - start) * scale, (self.height, self.width))


INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


@wire("keras.layers.Resizing")
class Resizing(SizingLayer):
    """Images at another height and width.

    Args:
        height: The height wanted, in pixels.
        width: The width wanted.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5"; masks always take the nearest.
        crop_to_aspect_ratio: Whether to cut off what would not fit, so that nothing is distorted.
        pad_to_aspect_ratio: Whether to add edges instead.
        fill_mode: "constant": what is added has one value.
        fill_value: That value.
        antialias: Whether shrinking counts all pixels, instead of those next to the sampling points.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images `[..., height, width, channels]`. Integers stay integers and are rounded.

    Raises:
        ValueError: For bad sizes or unknown names.

    >>> import hornbeam as keras
    >>> keras.layers.Resizing(4, 6)(keras.ops.ones((2, 10, 10, 3))).shape
    (2, 4, 6, 3)
    """

    keeps_integers = True
    settings = (
        "height", "width", "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_mode", "fill_value",
        "antialias",
    )  # fmt: skip

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(height, width, data_format=data_format, **kwargs)
        if interpolation not in INTERPOLATIONS:
            raise UnknownNameError("interpolation", interpolation, INTERPOLATIONS, where(self))
        if fill_mode != "constant":
            raise UnknownNameError("fill mode", fill_mode, ("constant",), where(self))
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ArgumentError("`crop_to_aspect_ratio` or `pad_to_aspect_ratio`", "both", where(self))
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = bool(crop_to_aspect_ratio)
        self.pad_to_aspect_ratio = bool(pad_to_aspect_ratio)
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.antialias = bool(antialias)

    def _draw(self, images: Any, seed: Any) -> Any:
        return self._sizes(images.shape)

    def _in_shape(self, images: Any, interpolation: str) -> Any:
        return self._resized(
            images, interpolation, antialias=self.antialias, crop_to_aspect_ratio=self.crop_to_aspect_ratio,
            pad_to_aspect_ratio=self.pad_to_aspect_ratio, fill_mode=self.fill_mode, fill_value=self.fill_value,
        )

    def _images(self, images: Any, transformation: Any) -> Any:
        return self._in_shape(images, self.interpolation)

    def _masks(self, masks: Any, transformation: Any) -> Any:
        return self._in_shape(masks, "nearest")

    def _boxes(self, boxes: Any, transformation: Any) -> Any:
        choose = min if self.crop_to_aspect_ratio else max if self.pad_to_aspect_ratio else None
        return self._resized_boxes(boxes, transformation, choose)


class CroppingLayer(SizingLayer):
    """Base of the layers that cut a part out of images."""

    def _fits(self, shape: Any) -> bool:
        height, width = self._sizes(shape)
        return height >= self.height and width >= self.width

    def _part(self, images: Any, top: Any, left: Any) -> Any:
        """What lies at a place, given as numbers or scalar tensors."""
        rows, columns, _ = self._axes(images)
        for axis, start, size in ((rows, top, self.height), (columns, left, self.width)):
            if isinstance(start, int):
                index = [slice(None)] * len(images.shape)
                index[axis] = slice(start, start + size)
                images = images[tuple(index)]
            else:
                images = xp.take(images, start + backend.asarray(range(size), "int32"), axis=axis)
        return images

    def _boxes_of_part(self, boxes: Any, size: tuple[int, int], top: Any, left: Any) -> Any:
        return self._in_corners(
            boxes, size,
            lambda corners: bounding_boxes.crop(corners, top, left, self.height, self.width), (self.height, self.width),
        )


@wire("keras.layers.CenterCrop")
class CenterCrop(CroppingLayer):
    """The middle of images; images that are smaller are enlarged to fill it, and cut at two sides.

    Args:
        height: The height of the part, in pixels.
        width: Its width.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images `[..., height, width, channels]` in the compute dtype of the layer.

    Raises:
        ValueError: For bad sizes.

    >>> import hornbeam as keras
    >>> keras.layers.CenterCrop(4, 6)(keras.ops.ones((2, 10, 10, 3))).shape
    (2, 4, 6, 3)
    """

    settings = ("height", "width")

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(height, width, data_format=data_format, **kwargs)

    def _draw(self, images: Any, seed: Any) -> Any:
        return {"input_shape": tuple(images.shape)}

    def _start(self, shape: Any) -> tuple[int, int]:
        height, width = self._sizes(shape)
        return int((height - self.height) / 2), int((width - self.width) / 2)

    def _cut(self, images: Any, interpolation: str) -> Any:
        if self._fits(images.shape):
            return self._part(images, *self._start(images.shape))
        return self._resized(images, interpolation, crop_to_aspect_ratio=True)

    def _images(self, images: Any, transformation: Any) -> Any:
        return self._cut(images, "bilinear")

    def _masks(self, masks: Any, transformation: Any) -> Any:
        return self._cut(masks, "nearest")

    def _boxes(self, boxes: Any, transformation: Any) -> Any:
        shape = transformation["input_shape"]
        if self._fits(shape):
            return self._boxes_of_part(boxes, self._sizes(shape), *self._start(shape))
        return self._resized_boxes(boxes, self._sizes(shape), min)


class Place(list):
    """Where a part begins, `[top, left]`, and how large the image around it is."""

    def __init__(self, start: list[Any], size: tuple[int, int]) -> None:
        super().__init__(start)
        self.size = size


@wire("keras.layers.RandomCrop")
class RandomCrop(CroppingLayer):
    """A part of images from anywhere, the same for all images of a batch; the middle if nothing is trained.

    Images that are smaller than the part are resized to fill it.

    Args:
        height: The height of the part, in pixels.
        width: Its width.
        seed: An integer, or None for a random one.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        name: The name of the layer.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images `[..., height, width, channels]` in the compute dtype of the layer.

    Raises:
        ValueError: For bad sizes.

    >>> import hornbeam as keras
    >>> keras.layers.RandomCrop(4, 6)(keras.ops.ones((2, 10, 10, 3))).shape
    (2, 4, 6, 3)
    """

    settings = ("height", "width", "seed")

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(height, width, data_format=data_format, name=name, **kwargs)
        self.seed = draw_number() if seed is None else seed  # Keras's files hold the number
        self.generator = SeedGenerator(self.seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Where the part begins: `[top, left]`."""
        images = data["images"] if isinstance(data, dict) else data
        height, width = self._sizes(images.shape)
        if not self._fits(images.shape):
            return Place([0, 0], (height, width))
        if not training:
            return Place([(height - self.height) // 2, (width - self.width) // 2], (height, width))
        seed = self.generator if seed is None else seed
        start = [
            randint((), 0, whole - part + 1, dtype="int32", seed=seed)
            for whole, part in ((height, self.height), (width, self.width))
        ]
        return Place(start, (height, width))

    def _cut(self, images: Any, transformation: Any, interpolation: str) -> Any:
        if self._fits(images.shape):
            return self._part(images, *transformation)
        return self._resized(images, interpolation)

    def _images(self, images: Any, transformation: Any) -> Any:
        return self._cut(images, transformation, "bilinear")

    def _masks(self, masks: Any, transformation: Any) -> Any:
        return self._cut(masks, transformation, "nearest")

    def _boxes(self, boxes: Any, transformation: Any) -> Any:
        height, width = getattr(transformation, "size", (None, None))
        if height is None or (height >= self.height and width >= self.width):
            return self._boxes_of_part(boxes, (height, width), *transformation)
        return self._resized_boxes(boxes, (height, width), None)
