"""`RandomSharpness`, `RandomGaussianBlur`, `RandomErasing`: images sharpened, blurred, or covered in places."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import integers, where
from hornbeam.layers.preprocessing.images.colours import ColourLayer, sometimes
from hornbeam.layers.preprocessing.images.image_layer import each, factor_range, value_span
from hornbeam.layers.preprocessing.images.moving import numbers
from hornbeam.ops import windows
from hornbeam.ops.resampling import as_working, channels_back, channels_last
from hornbeam.random import normal

xp = backend.xp


@wire("keras.layers.RandomSharpness")
class RandomSharpness(ColourLayer):
    """Makes images sharper or smoother by their difference from smoothed ones, while training.

    Args:
        factor: Between 0 and 1: two numbers between which it is drawn, or one `f` for those from 0 to `f`. 0 is the
            smoothed image, 0.5 the image as it came, 1 twice as different from the smoothed one.
        value_range: The least and greatest value of images, within which results are kept.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        seed: An integer, or None for a random one.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For a factor or range out of bounds.

    >>> import hornbeam as keras
    >>> keras.layers.RandomSharpness(0.4)(keras.ops.ones((2, 4, 4, 3))).shape
    (2, 4, 4, 3)
    """

    bounds = (0.0, 1.0)

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, data_format=data_format, seed=seed, **kwargs)

    def _draw(self, images: Any, seed: Any) -> Any:
        return {"factor": numbers(*self.factor, (self._count(images),), seed)}

    def _images(self, images: Any, transformation: Any) -> Any:
        x = channels_last(as_working(images), self.data_format)
        padded = xp.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
        smooth: Any = 0.0
        for position, piece in windows.taps(padded, (3, 3), (1, 1), (1, 1), list(x.shape[1:3])):
            smooth = smooth + piece * (5.0 / 13 if position == (1, 1) else 1.0 / 13)
        changed = smooth + 2.0 * each(transformation["factor"]) * (x - smooth)
        return channels_back(self._clipped(changed), self.data_format)


@wire("keras.layers.RandomGaussianBlur")
class RandomGaussianBlur(ColourLayer):
    """Blurs some images by a Gaussian of random width, while training.

    Args:
        factor: The probability for an image, between 0 and 1: two numbers between which it is drawn for each image,
            or one `f` for those from 0 to `f`.
        kernel_size: Height and width of the kernel, one integer or two.
        sigma: The standard deviation in pixels: two numbers between which it is drawn for each axis, or one `s` for
            those from 0 to `s`.
        value_range: The least and greatest value of images, within which results are kept.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        seed: An integer, or None for a random one.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For arguments out of bounds.

    >>> import hornbeam as keras
    >>> keras.layers.RandomGaussianBlur(kernel_size=3, sigma=(0.5, 1.0))(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    bounds = (0.0, 1.0)
    settings = ("factor", "kernel_size", "sigma", "value_range", "seed")

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, data_format=data_format, seed=seed, **kwargs)
        self.value_range = value_span(value_range, self, as_list=False)
        self.kernel_size = integers(kernel_size, 2, "kernel_size", self)
        self.sigma = factor_range(sigma, self, (0.0, float("inf")), "sigma")

    def _draw(self, images: Any, seed: Any) -> Any:
        should = sometimes(self.factor, self._count(images), seed)
        return {"should_apply_blur": should, "blur_factor": numbers(*self.sigma, (2,), seed)}

    def _images(self, images: Any, transformation: Any) -> Any:
        x = channels_last(as_working(images), self.data_format)
        blurred = x
        for axis, size in ((1, self.kernel_size[0]), (2, self.kernel_size[1])):
            sigma = xp.maximum(transformation["blur_factor"][axis - 1], 1e-3)
            places = backend.asarray(range(size), "float32") - (size - 1) / 2
            weights = xp.exp(-0.5 * xp.square(places / sigma))
            weights = weights / xp.sum(weights)
            kernel = (size, 1) if axis == 1 else (1, size)
            padded = windows.padded(blurred, [((one - 1) // 2, one - 1 - (one - 1) // 2) for one in kernel])
            total: Any = 0.0
            for position, piece in windows.taps(padded, kernel, (1, 1), (1, 1), list(x.shape[1:3])):
                total = total + piece * weights[position[axis - 1]]
            blurred = total
        blurred = channels_back(self._clipped(blurred), self.data_format)
        return xp.where(each(transformation["should_apply_blur"]), blurred, images)


@wire("keras.layers.RandomErasing")
class RandomErasing(ColourLayer):
    """Covers a random rectangle of some images, while training; Z. Zhong et al., "Random erasing", 2020.

    Args:
        factor: The probability for an image, between 0 and 1: two numbers between which it is drawn for each image,
            or one `f` for those from 0 to `f`.
        scale: The share of the area that is covered: two numbers between which it is drawn, for height and width.
        fill_value: What covers it; None for noise.
        value_range: The least and greatest value of images.
        seed: An integer, or None for a random one.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For arguments out of bounds.

    >>> import hornbeam as keras
    >>> keras.layers.RandomErasing((1.0, 1.0), fill_value=0.0)(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    bounds = (0.0, 1.0)
    settings = ("factor", "scale", "fill_value", "value_range", "seed")

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, seed=seed, data_format=data_format, **kwargs)
        self.value_range = value_span(value_range, self, as_list=False)
        self.scale = factor_range(scale, self, (0.0, 1.0), "scale")
        if fill_value is not None and (isinstance(fill_value, bool) or not isinstance(fill_value, (int, float))):
            raise ArgumentError("a number or None for fill_value", repr(fill_value), where(self))
        self.fill_value = fill_value

    def _draw(self, images: Any, seed: Any) -> Any:
        count = self._count(images)
        shape = tuple(images.shape) if len(images.shape) == 4 else (1, *images.shape)
        inside: Any = None
        for axis, size in zip(self._axes(images if len(shape) == len(images.shape) else images[None])[:2],
                              self._sizes(shape), strict=True):
            span = backend.cast(xp.round(xp.sqrt(numbers(*self.scale, (count,), seed)) * size), "int32")
            # anywhere where it fits
            start = numbers(0.0, 1.0, (count,), seed) * backend.cast(size - span + 1, "float32")
            start = backend.cast(xp.floor(start), "int32")
            place = xp.reshape(backend.asarray(range(size), "int32"), [size if i == axis else 1 for i in range(4)])
            here = (place >= each(start)) & (place < each(start + span))
            inside = here if inside is None else inside & here
        low, high = self.value_range
        if self.fill_value is None:
            fill = xp.clip(normal(tuple(images.shape), dtype="float32", seed=seed) * (high - low), low, high)
        else:
            fill = xp.full(tuple(images.shape), self.fill_value, dtype=backend.native_dtype("float32"))
        return {
            "apply_erasing": sometimes(self.factor, count, seed),
            "batch_masks": xp.broadcast_to(inside, shape),
            "fill_value": fill,
        }

    def _images(self, images: Any, transformation: Any) -> Any:
        covered = transformation["batch_masks"] & each(transformation["apply_erasing"])
        fill = transformation["fill_value"]
        return xp.where(covered, fill if len(fill.shape) == 4 else fill[None], as_working(images))

