"""`RandomBrightness`, `RandomContrast`, `RandomSaturation`, `RandomHue` and other random changes of colours."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentTypeError
from hornbeam.layers.core.checks import rate, where
from hornbeam.layers.preprocessing.images.image_layer import (
    RandomImageLayer,
    as_config,
    each,
    factor_range,
    value_span,
)
from hornbeam.layers.preprocessing.images.moving import numbers, signs
from hornbeam.ops.resampling import as_working
from hornbeam.random import randint, uniform

xp = backend.xp


class ColourLayer(RandomImageLayer):
    """Base of the layers that change colours by a random factor, within a range of values."""

    bounds = (-1.0, 1.0)
    settings = ("factor", "value_range", "seed")

    def __init__(self, factor: Any, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor_range(factor, self, self.bounds, symmetric=self.bounds[0] < 0)
        self.value_range = value_span(value_range, self)

    def _clipped(self, images: Any) -> Any:
        return xp.clip(images, *self.value_range)

    def _as_units(self, images: Any) -> Any:
        """Values from 0 to 1."""
        low, high = self.value_range
        return (as_working(images) - low) / (high - low)

    def _from_units(self, images: Any) -> Any:
        low, high = self.value_range
        return xp.clip(images, 0.0, 1.0) * (high - low) + low


def gray(images: Any, data_format: str) -> Any:
    """The brightness of images, in as many channels as they have."""
    return xp.broadcast_to(ops.image.rgb_to_grayscale(images, data_format=data_format), images.shape)


@wire("keras.layers.RandomBrightness")
class RandomBrightness(ColourLayer):
    """Makes images brighter or darker by adding a random number to all values of an image, while training.

    Args:
        factor: Parts of the range of values, between -1 and 1: two numbers between which they are drawn, or one `f` for
            those from `-f` to `f`.
        value_range: The least and greatest value of images, within which results are kept.
        seed: An integer, or None for a random one.
        **kwargs: `data_format`, `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape; floats in the compute dtype of the layer, integers as integers.

    Raises:
        ValueError: For a factor or range out of bounds.

    >>> import hornbeam as keras
    >>> brighter = keras.layers.RandomBrightness((0.2, 0.2), value_range=(0, 1))
    >>> round(float(brighter(keras.ops.full((1, 2, 2, 3), 0.5))[0, 0, 0, 0]), 3)
    0.7
    """

    keeps_integers = True

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(factor, value_range, seed=seed, **kwargs)

    def _draw(self, images: Any, seed: Any) -> Any:
        span = self.value_range[1] - self.value_range[0]
        return {"rgb_delta": numbers(*self.factor, self._per_image(images), seed) * span}

    def _images(self, images: Any, transformation: Any) -> Any:
        return self._clipped(as_working(images) + each(transformation["rgb_delta"]))


@wire("keras.layers.RandomContrast")
class RandomContrast(ColourLayer):
    """Makes differences from the mean of each channel larger or smaller by a random factor, while training.

    Args:
        factor: Between 0 and 1: two numbers, `low` and `high`, for factors from `1 - low` to `1 + high`; or one for
            `low = 0` and this as `high`.
        value_range: The least and greatest value of images, within which results are kept.
        seed: An integer, or None for a random one.
        **kwargs: `data_format`, `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For a factor or range out of bounds.

    >>> import hornbeam as keras
    >>> keras.layers.RandomContrast(0.3)(keras.ops.ones((2, 4, 4, 3))).shape
    (2, 4, 4, 3)
    """

    bounds = (0.0, 1.0)

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(factor, value_range, seed=seed, **kwargs)
        self.value_range = value_span(value_range, self, as_list=False)

    def _draw(self, images: Any, seed: Any) -> Any:
        low, high = self.factor
        return {"contrast_factor": numbers(1.0 - low, 1.0 + high, self._per_image(images), seed)}

    def _images(self, images: Any, transformation: Any) -> Any:
        mean = xp.mean(images, axis=self._axes(images)[:2], keepdims=True)
        return self._clipped((images - mean) * each(transformation["contrast_factor"]) + mean)


@wire("keras.layers.RandomSaturation")
class RandomSaturation(ColourLayer):
    """Makes colours of images stronger or weaker, while training.

    Args:
        factor: Between 0 and 1: two numbers between which it is drawn, or one `f` for those from `-f` to `f`. 0 leaves
            no colour, 0.5 changes nothing, 1 makes colours as strong as can be.
        value_range: The least and greatest value of images.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        seed: An integer, or None for a random one.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For a factor or range out of bounds.

    >>> import hornbeam as keras
    >>> colourless = keras.layers.RandomSaturation((0.0, 0.0), value_range=(0, 1))
    >>> keras.ops.convert_to_numpy(colourless(keras.ops.array([[[[1.0, 0.5, 0.0]]]])))[0, 0, 0].tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, data_format=data_format, seed=seed, **kwargs)

    def _draw(self, images: Any, seed: Any) -> Any:
        part = numbers(*self.factor, (self._count(images),), seed)
        return {"factor": part / (1.0 - xp.minimum(part, 1.0 - 1e-6))}

    def _images(self, images: Any, transformation: Any) -> Any:
        colours = ops.image.rgb_to_hsv(self._as_units(images), data_format=self.data_format)
        channels = self._axes(images)[2]
        hue, saturation, value = xp.split(colours, 3, axis=channels)
        saturation = xp.clip(saturation * each(transformation["factor"]), 0.0, 1.0)
        colours = xp.concatenate([hue, saturation, value], axis=channels)
        return self._from_units(ops.image.hsv_to_rgb(colours, data_format=self.data_format))


@wire("keras.layers.RandomHue")
class RandomHue(ColourLayer):
    """Turns the hues of images round the circle of colours by a random angle, while training.

    Args:
        factor: Parts of half a turn, between 0 and 1: two numbers between which it is drawn, or one `f` for those from
            0 to `f`. The direction is random.
        value_range: The least and greatest value of images.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        seed: An integer, or None for a random one.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For a factor or range out of bounds.

    >>> import hornbeam as keras
    >>> keras.layers.RandomHue(0.2, value_range=(0, 1))(keras.ops.ones((2, 4, 4, 3))).shape
    (2, 4, 4, 3)
    """

    bounds = (0.0, 1.0)

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, data_format=data_format, seed=seed, **kwargs)
        self.value_range = value_span(value_range, self, as_list=False)

    def _draw(self, images: Any, seed: Any) -> Any:
        shape = (self._count(images),)
        return {"factor": numbers(*self.factor, shape, seed) * signs(shape, seed) * 0.5}

    def _images(self, images: Any, transformation: Any) -> Any:
        colours = ops.image.rgb_to_hsv(self._as_units(images), data_format=self.data_format)
        channels = self._axes(images)[2]
        hue, saturation, value = xp.split(colours, 3, axis=channels)
        hue = hue + each(transformation["factor"])
        hue = xp.where(hue > 1.0, hue - 1.0, xp.where(hue < 0.0, hue + 1.0, hue))
        colours = xp.concatenate([hue, saturation, value], axis=channels)
        return self._from_units(ops.image.hsv_to_rgb(colours, data_format=self.data_format))


@wire("keras.layers.RandomColorDegeneration")
class RandomColorDegeneration(ColourLayer):
    """Mixes images with their brightness, which takes colour out of them, while training.

    Args:
        factor: How much of the brightness is mixed in, between 0 and 1: two numbers between which it is drawn, or one
            `f` for those from `-f` to `f`; negative ones make colours stronger.
        value_range: The least and greatest value of images, within which results are kept.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        seed: An integer, or None for a random one.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For a factor or range out of bounds.

    >>> import hornbeam as keras
    >>> keras.layers.RandomColorDegeneration(0.4)(keras.ops.ones((2, 4, 4, 3))).shape
    (2, 4, 4, 3)
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, data_format=data_format, seed=seed, **kwargs)

    def _draw(self, images: Any, seed: Any) -> Any:
        return {"factor": numbers(*self.factor, (self._count(images), 1, 1, 1), seed)}

    def _images(self, images: Any, transformation: Any) -> Any:
        images = as_working(images)
        return self._clipped(images + each(transformation["factor"]) * (gray(images, self.data_format) - images))


@wire("keras.layers.RandomGrayscale")
class RandomGrayscale(RandomImageLayer):
    """Takes all colour out of some images, while training.

    Args:
        factor: The probability for an image.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        seed: An integer, or None for a random one.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape, three channels; floats in the compute dtype of the layer, integers as integers.

    Raises:
        ValueError: For a factor that is no probability.

    >>> import hornbeam as keras
    >>> keras.layers.RandomGrayscale(1.0)(keras.ops.ones((2, 4, 4, 3))).shape
    (2, 4, 4, 3)
    """

    keeps_integers = True
    settings = ("factor", "seed")

    def __init__(
        self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.factor = rate(factor, self, "factor")

    def _draw(self, images: Any, seed: Any) -> Any:
        return uniform((self._count(images), 1, 1, 1), dtype="float32", seed=seed) < self.factor

    def _images(self, images: Any, transformation: Any) -> Any:
        return xp.where(each(transformation), gray(images, self.data_format), images)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer; `seed` is said only where it is given, as Keras's files lack it."""
        config = super().get_config()
        if self.seed is None:
            del config["seed"]
        return config


@wire("keras.layers.RandomInvert")
class RandomInvert(ColourLayer):
    """Turns some images into their negatives, while training.

    Args:
        factor: The probability for an image, between 0 and 1: two numbers between which it is drawn for each image,
            or one `f` for those from 0 to `f`.
        value_range: The least and greatest value of images.
        seed: An integer, or None for a random one.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For a factor or range out of bounds.

    >>> import hornbeam as keras
    >>> negative = keras.layers.RandomInvert((1.0, 1.0), value_range=(0, 1))
    >>> float(negative(keras.ops.ones((1, 2, 2, 3)))[0, 0, 0, 0])
    0.0
    """

    bounds = (0.0, 1.0)

    def __init__(
        self, factor: Any = 1.0, value_range: Any = (0, 255), seed: int | None = None, data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, data_format=data_format, seed=seed, **kwargs)
        self.value_range = value_span(value_range, self, as_list=False)

    def _draw(self, images: Any, seed: Any) -> Any:
        return {"apply_inversion": sometimes(self.factor, self._count(images), seed)}

    def _images(self, images: Any, transformation: Any) -> Any:
        low, high = self.value_range
        return xp.where(each(transformation["apply_inversion"]), low + (high - images), images)


def sometimes(factor: tuple[float, float], count: int, seed: Any) -> Any:
    """Whether each of `count` images is meant, with a probability that is itself drawn between two."""
    probability = numbers(*factor, (count,), seed)
    return uniform((count,), dtype="float32", seed=seed) < probability


@wire("keras.layers.RandomPosterization")
class RandomPosterization(ColourLayer):
    """Leaves few bits of the values of images, so that few colours are left, while training.

    Args:
        factor: How many bits are left, between 1 and 8: two numbers from the first of which to below the second it is
            drawn, or one `f` for those from 1 to below `f`.
        value_range: The least and greatest value of images.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        seed: An integer, or None for a random one.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For a factor or range out of bounds.

    >>> import hornbeam as keras
    >>> coarse = keras.layers.RandomPosterization((2, 2))
    >>> float(coarse(keras.ops.full((1, 2, 2, 3), 200.0))[0, 0, 0, 0])
    192.0
    """

    bounds = (1, 8)

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, data_format=data_format, seed=seed, **kwargs)
        if any(int(one) != one for one in self.factor):
            raise ArgumentTypeError("whole numbers of bits for factor", repr(factor), where(self))

    def _draw(self, images: Any, seed: Any) -> Any:
        low, high = (int(one) for one in self.factor)
        bits = randint((self._count(images),), low, max(high, low + 1), dtype="int32", seed=seed)
        return {"shift_factor": backend.cast(8 - bits, "uint8")}

    def _images(self, images: Any, transformation: Any) -> Any:
        low, high = self.value_range
        step = xp.exp2(backend.cast(each(transformation["shift_factor"]), "float32"))
        levels = xp.clip((as_working(images) - low) * (255 / (high - low)), 0.0, 255.0)
        levels = xp.floor(xp.floor(levels) / step) * step
        return levels * ((high - low) / 255) + low


@wire("keras.layers.Solarization")
class Solarization(RandomImageLayer):
    """Adds a random number to values, then turns those above a random threshold into their negatives.

    Args:
        addition_factor: What is added as a part of the range of values, between 0 and 1: two numbers between which it
            is drawn, or one `f` for those from 0 to `f`.
        threshold_factor: The threshold, likewise.
        value_range: The least and greatest value of images.
        seed: An integer, or None for a random one.
        **kwargs: `data_format`, `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer, changed while training.

    Raises:
        ValueError: For a factor or range out of bounds.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Solarization(threshold_factor=(0.5, 0.5))
    >>> keras.ops.convert_to_numpy(layer(keras.ops.array([[[[100.0, 200.0, 255.0]]]])))[0, 0, 0].tolist()
    [100.0, 55.0, 0.0]
    """

    settings = ("value_range", "addition_factor", "threshold_factor", "seed")

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.addition_factor = factor_range(addition_factor, self, (0.0, 1.0), "addition_factor")
        self.threshold_factor = factor_range(threshold_factor, self, (0.0, 1.0), "threshold_factor")
        self.value_range = value_span(value_range, self)

    def _draw(self, images: Any, seed: Any) -> Any:
        shape = self._per_image(images)
        return {
            name: 255.0 * numbers(*factor, shape, seed)
            for name, factor in (("additions", self.addition_factor), ("thresholds", self.threshold_factor))
        }

    def _images(self, images: Any, transformation: Any) -> Any:
        low, high = self.value_range
        levels = (as_working(images) - low) * (255 / (high - low))
        levels = xp.clip(levels + each(transformation["additions"]), 0.0, 255.0)
        levels = xp.where(levels < each(transformation["thresholds"]), levels, 255.0 - levels)
        return levels * ((high - low) / 255) + low


@wire("keras.layers.RandomColorJitter")
class RandomColorJitter(RandomImageLayer):
    """Changes brightness, contrast, saturation and hue of images at random, in this order, while training.

    Args:
        value_range: The least and greatest value of images.
        brightness_factor: See `RandomBrightness`; None leaves it.
        contrast_factor: See `RandomContrast`.
        saturation_factor: See `RandomSaturation`.
        hue_factor: See `RandomHue`.
        seed: An integer, or None for a random one.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For a factor or range out of bounds.

    >>> import hornbeam as keras
    >>> jitter = keras.layers.RandomColorJitter(brightness_factor=0.2, hue_factor=0.1)
    >>> jitter(keras.ops.ones((2, 4, 4, 3))).shape
    (2, 4, 4, 3)
    """

    settings = ("value_range", "brightness_factor", "contrast_factor", "saturation_factor", "hue_factor", "seed")

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = value_span(value_range, self, as_list=False)
        self.brightness_factor, self.contrast_factor = as_config(brightness_factor), as_config(contrast_factor)
        self.saturation_factor, self.hue_factor = as_config(saturation_factor), as_config(hue_factor)
        common = {"value_range": value_range, "data_format": self.data_format, "dtype": self.dtype_policy}
        for name, kind in self._kinds.items():
            factor = getattr(self, f"{name}_factor")
            if factor is not None:
                setattr(self, f"random_{name}", kind(factor, **common))

    _kinds = {
        "brightness": RandomBrightness, "contrast": RandomContrast, "saturation": RandomSaturation, "hue": RandomHue,
    }  # fmt: skip

    def _changes(self) -> list[ColourLayer]:
        """The layers that change something, in order."""
        found = [getattr(self, f"random_{name}", None) for name in self._kinds]
        return [one for one in found if one is not None]

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """What the layers inside draw, one after the other; None if not `training`."""
        seed = self.generator if seed is None else seed
        if not training:
            return None
        return [one.get_random_transformation(data, training=training, seed=seed) for one in self._changes()]

    def _images(self, images: Any, transformation: Any) -> Any:
        for layer, drawn in zip(self._changes(), transformation, strict=True):
            images = layer._images(images, drawn)
        return images

