"""`AutoContrast`, `Equalization`, `ContrastLimitedAdaptiveHistogramEqualization`: values spread over their range."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import integers, positive_integer, where
from hornbeam.layers.preprocessing.images.image_layer import ImageLayer, value_span
from hornbeam.ops.resampling import as_working, channels_back, channels_last

xp = backend.xp


def histograms(levels: Any, bins: int) -> Any:
    """How often each of `bins` whole numbers comes in each row of a matrix: `[rows, bins]` in single precision."""
    rows = levels.shape[0]
    place = levels + backend.asarray(range(rows), "int32")[:, None] * bins
    counts = backend.written(
        xp.zeros((rows * bins,), dtype=backend.native_dtype("float32")), (xp.reshape(place, (-1,)),),
        xp.ones((rows * levels.shape[1],), dtype=backend.native_dtype("float32")), "add",
    )
    return xp.reshape(counts, (rows, bins))


@wire("keras.layers.AutoContrast")
class AutoContrast(ImageLayer):
    """Stretches the values of each channel of an image over the whole range of values.

    Args:
        value_range: The least and greatest value there may be.
        **kwargs: `data_format`, `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer. A channel of one value stays as it is.

    Raises:
        ValueError: For a bad range.

    >>> import hornbeam as keras
    >>> stretched = keras.layers.AutoContrast()(keras.ops.array([[[[10.0]], [[20.0]], [[30.0]]]]))
    >>> keras.ops.convert_to_numpy(stretched)[0, :, 0, 0].tolist()
    [0.0, 127.5, 255.0]
    """

    acts_always = True
    settings = ("value_range",)

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = value_span(value_range, self)

    def _images(self, images: Any, transformation: Any) -> Any:
        low, high = self.value_range
        images = as_working(images)
        axes = self._axes(images)[:2]
        darkest = xp.min(images, axis=axes, keepdims=True)
        spread = xp.max(images, axis=axes, keepdims=True) - darkest
        stretched = (images - darkest) * ((high - low) / xp.where(spread > 0, spread, 1)) + low
        return xp.where(spread > 0, xp.clip(stretched, low, high), images)


@wire("keras.layers.Equalization")
class Equalization(ImageLayer):
    """Makes all values of each channel of an image about equally frequent, while training.

    Args:
        value_range: The least and greatest value of images.
        bins: How many values are told apart.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For a bad range or number.

    >>> import hornbeam as keras
    >>> keras.layers.Equalization()(keras.ops.ones((2, 4, 4, 3))).shape
    (2, 4, 4, 3)
    """

    settings = ("bins", "value_range")

    def __init__(
        self, value_range: Any = (0, 255), bins: int = 256, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_span(value_range, self)
        self.bins = positive_integer(bins, "bins", self)

    def _draw(self, images: Any, seed: Any) -> Any:
        return None

    def _applies(self, transformation: Any, training: bool) -> bool:
        return bool(training)

    def _images(self, images: Any, transformation: Any) -> Any:
        low, high = self.value_range
        x = channels_last(as_working(images), self.data_format)
        count, height, width, channels = x.shape
        rows = xp.reshape(xp.moveaxis(x, -1, 1), (count * channels, height * width))
        levels = xp.clip((rows - low) * (255 / (high - low)), 0.0, 255.0)
        spots = backend.cast(xp.clip(xp.floor(levels * (self.bins / 256)), 0, self.bins - 1), "int32")
        sums = xp.cumsum(histograms(spots, self.bins), axis=-1)
        first = xp.min(xp.where(sums > 0, sums, float(height * width)), axis=-1, keepdims=True)
        rest = height * width - first
        table = xp.round((sums - first) * 255.0 / xp.where(rest > 0, rest, 1))
        equal = xp.take_along_axis(xp.clip(table, 0.0, 255.0), spots, axis=-1)
        equal = xp.where(rest > 0, equal, levels) * ((high - low) / 255) + low
        return channels_back(xp.moveaxis(xp.reshape(equal, (count, channels, height, width)), 1, -1), self.data_format)


@wire("keras.layers.ContrastLimitedAdaptiveHistogramEqualization")
class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Equalizes values in each tile of an image, no steeper than a limit, and blends between the tiles.

    K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 1994.

    Args:
        value_range: The least and greatest value of images.
        clip_limit: How many times more often than on average a value may count; 0 is without limit.
        tile_grid_size: The number of tiles downwards and across.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape; floats in the compute dtype of the layer, integers as integers.

    Raises:
        ValueError: For a bad range, limit or number of tiles.

    >>> import hornbeam as keras
    >>> keras.layers.ContrastLimitedAdaptiveHistogramEqualization()(keras.ops.ones((2, 16, 16, 3))).shape
    (2, 16, 16, 3)
    """

    acts_always = True
    keeps_integers = True
    settings = ("value_range", "clip_limit", "tile_grid_size")

    def __init__(
        self,
        value_range: Any = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Any = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_span(value_range, self, as_list=False)
        if isinstance(clip_limit, bool) or not isinstance(clip_limit, (int, float)) or clip_limit < 0:
            raise ArgumentError("a clip_limit of at least 0", repr(clip_limit), where(self))
        self.clip_limit = clip_limit
        self.tile_grid_size = integers(tile_grid_size, 2, "tile_grid_size", self)

    def _images(self, images: Any, transformation: Any) -> Any:
        low, high = self.value_range
        x = channels_last(as_working(images), self.data_format)
        count, height, width, channels = x.shape
        rows = xp.reshape(xp.moveaxis(x, -1, 1), (count * channels, height, width))
        levels = backend.cast(xp.clip((rows - low) * (255 / (high - low)), 0.0, 255.0), "int32")
        tables = self._tables(levels)
        equal = self._blended(levels, tables) * ((high - low) / 255) + low
        return channels_back(xp.moveaxis(xp.reshape(equal, (count, channels, height, width)), 1, -1), self.data_format)

    def _tile(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of a tile."""
        down, across = self.tile_grid_size
        return -(-height // down), -(-width // across)

    def _tables(self, levels: Any) -> Any:
        """What each of 256 levels becomes in each tile: `[images, down, across, 256]`."""
        count, height, width = levels.shape
        down, across = self.tile_grid_size
        tall, wide = self._tile(height, width)
        # tiles that reach beyond the edge see the image mirrored there
        padded = xp.pad(levels, [(0, 0), (0, down * tall - height), (0, across * wide - width)], mode="symmetric")
        tiles = xp.moveaxis(xp.reshape(padded, (count, down, tall, across, wide)), 2, 3)
        counts = histograms(xp.reshape(tiles, (count * down * across, tall * wide)), 256)
        if self.clip_limit > 0:
            limit = self.clip_limit * tall * wide / 256
            excess = xp.sum(xp.maximum(counts - limit, 0), axis=-1, keepdims=True)
            counts = xp.minimum(counts, limit) + excess / 256
        sums = xp.cumsum(counts, axis=-1)
        first = sums[:, :1]
        table = (sums - first) * (255 / xp.maximum(tall * wide - first, 1e-6))
        return xp.reshape(xp.clip(table, 0.0, 255.0), (count, down, across, 256))

    def _blended(self, levels: Any, tables: Any) -> Any:
        """Between the middles of tiles the tables of the nearest are interpolated."""
        count, height, width = levels.shape
        down, across = self.tile_grid_size
        tall, wide = self._tile(height, width)
        image = xp.reshape(backend.asarray(range(count), "int32"), (-1, 1, 1))
        axes = []
        for size, tile, number in ((height, tall, down), (width, wide, across)):
            place = backend.asarray(range(size), "float32") / tile - 0.5
            below = xp.floor(place)
            part = place - below
            first = backend.cast(xp.clip(below, 0, number - 1), "int32")
            second = backend.cast(xp.clip(below + 1, 0, number - 1), "int32")
            axes.append(((first, 1 - part), (second, part)))
        total: Any = 0.0
        for row, row_weight in axes[0]:
            for column, column_weight in axes[1]:
                value = backend.picked(tables, (image, row[None, :, None], column[None, None, :], levels))
                total = total + value * row_weight[None, :, None] * column_weight[None, None, :]
        return total
