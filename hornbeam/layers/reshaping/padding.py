"""`Cropping*D`, `ZeroPadding*D` and `UpSampling*D`: fewer, more and larger pixels along the spatial axes."""

from __future__ import annotations

from typing import Any

from hornbeam import _config, ops
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, UnknownNameError
from hornbeam.layers.core.checks import integers, where
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer

_ARGUMENTS = """

    Args:
        {argument}
        data_format: "channels_last" (batch, ..., channels) or "channels_first"; the default layout if None.

    >>> import hornbeam as keras
    >>> keras.layers.{example}
    {result}
    """


class Spatial(Layer):
    """A layer that changes the sizes of `rank` spatial axes; subclasses say how."""

    rank: int
    _keeps_dtype = True

    def __init__(self, data_format: str | None = "channels_last", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = _config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _first(self) -> int:
        return 1 if self.data_format == "channels_last" else 2

    def _size(self, axis: int, size: int) -> int:
        """The size of a spatial axis afterwards."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the outputs, in the layout of the inputs."""
        shape = list(input_shape)
        for axis in range(self.rank):
            size = shape[self._first + axis]
            shape[self._first + axis] = None if size is None else self._size(axis, size)
        return tuple(shape)


def _pairs(value: Any, rank: int, name: str, layer: Any) -> tuple[tuple[int, int], ...]:
    """One number, one for each axis, or a pair for each axis, as pairs; of one axis also the pair itself."""
    if hasattr(value, "__index__"):
        return (integers(value, 2, name, layer, least=0),) * rank  # type: ignore[return-value]
    if not isinstance(value, (list, tuple)) or (rank == 1 and len(value) not in (1, 2)) or (
        rank > 1 and len(value) != rank
    ):
        raise ArgumentError(
            f"a number, or {rank} numbers or pairs for {name}" if rank > 1 else f"a number or a pair for {name}",
            repr(value), where(layer),
        )
    if rank == 1:
        inner = value[0] if len(value) == 1 and isinstance(value[0], (list, tuple)) else value
        return (integers(inner, 2, name, layer, least=0),)  # type: ignore[return-value]
    return tuple(integers(one, 2, name, layer, least=0) for one in value)  # type: ignore[misc]


class BaseCropping(Spatial):
    """Takes pixels off both ends of the spatial axes."""

    def __init__(self, cropping: Any, data_format: str | None = "channels_last", **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self._pairs = _pairs(cropping, self.rank, "cropping", self)
        self.cropping = self._pairs[0] if self.rank == 1 else self._pairs

    def _size(self, axis: int, size: int) -> int:
        left = size - sum(self._pairs[axis])
        if left <= 0:
            raise ArgumentError(
                f"an input larger than what is cut off, cropping={self.cropping}", f"size {size}", where(self)
            )
        return left

    def call(self, inputs: Any) -> Any:
        """The inputs without their margins."""
        self.compute_output_shape(inputs.shape)
        margins = [slice(None)] * self._first + [
            slice(before, -after or None) for before, after in self._pairs
        ]
        return inputs[tuple(margins)]


class BaseZeroPadding(Spatial):
    """Puts zeros at both ends of the spatial axes."""

    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self._pairs = _pairs(padding, self.rank, "padding", self)
        self.padding = self._pairs[0] if self.rank == 1 else self._pairs

    def _size(self, axis: int, size: int) -> int:
        return size + sum(self._pairs[axis])

    def call(self, inputs: Any) -> Any:
        """The inputs with a margin of zeros."""
        margins = [(0, 0)] * len(inputs.shape)
        margins[self._first : self._first + self.rank] = self._pairs
        return ops.pad(inputs, margins)


class BaseUpSampling(Spatial):
    """Repeats each pixel along the spatial axes."""

    def __init__(self, size: Any, data_format: str | None = "channels_last", **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self._factors = integers(size, self.rank, "size", self)
        self.size = self._factors[0] if self.rank == 1 else self._factors

    def _size(self, axis: int, size: int) -> int:
        return size * self._factors[axis]

    def call(self, inputs: Any) -> Any:
        """The inputs with each pixel repeated."""
        for axis, factor in enumerate(self._factors):
            if factor > 1:
                inputs = ops.repeat(inputs, factor, axis=self._first + axis)
        return inputs


@wire("keras.layers.Cropping1D")
class Cropping1D(BaseCropping):
    """Takes steps off both ends of sequences (batch, steps, channels).

    Args:
        cropping: How many at the beginning and at the end; one number for both.

    >>> import hornbeam as keras
    >>> keras.layers.Cropping1D((1, 2))(keras.ops.ones((2, 8, 3))).shape
    (2, 5, 3)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, **kwargs)


@wire("keras.layers.Cropping2D")
class Cropping2D(BaseCropping):
    __doc__ = "Takes rows and columns off the margins of images." + _ARGUMENTS.format(
        argument="cropping: ((top, bottom), (left, right)), or (rows, columns), or one number for all.",
        example="Cropping2D(((1, 2), (0, 1)))(keras.ops.ones((2, 8, 8, 3))).shape", result="(2, 5, 7, 3)",
    )
    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


@wire("keras.layers.Cropping3D")
class Cropping3D(BaseCropping):
    __doc__ = "Takes layers of voxels off the margins of volumes." + _ARGUMENTS.format(
        argument="cropping: A pair for each axis, or a number for each, or one for all.",
        example="Cropping3D((1, 2, 0))(keras.ops.ones((2, 8, 8, 8, 3))).shape", result="(2, 6, 4, 8, 3)",
    )
    rank = 3

    def __init__(
        self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


@wire("keras.layers.ZeroPadding1D")
class ZeroPadding1D(BaseZeroPadding):
    __doc__ = "Puts steps of zeros at both ends of sequences." + _ARGUMENTS.format(
        argument="padding: How many at the beginning and at the end; one number for both.",
        example="ZeroPadding1D((1, 2))(keras.ops.ones((2, 5, 3))).shape", result="(2, 8, 3)",
    )
    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


@wire("keras.layers.ZeroPadding2D")
class ZeroPadding2D(BaseZeroPadding):
    __doc__ = "Puts a margin of zeros around images." + _ARGUMENTS.format(
        argument="padding: ((top, bottom), (left, right)), or (rows, columns), or one number for all.",
        example="ZeroPadding2D((1, 2))(keras.ops.ones((2, 4, 4, 3))).shape", result="(2, 6, 8, 3)",
    )
    rank = 2

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


@wire("keras.layers.ZeroPadding3D")
class ZeroPadding3D(BaseZeroPadding):
    __doc__ = "Puts a margin of zeros around volumes." + _ARGUMENTS.format(
        argument="padding: A pair for each axis, or a number for each, or one for all.",
        example="ZeroPadding3D(1)(keras.ops.ones((2, 4, 4, 4, 3))).shape", result="(2, 6, 6, 6, 3)",
    )
    rank = 3

    def __init__(
        self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)


@wire("keras.layers.UpSampling1D")
class UpSampling1D(BaseUpSampling):
    """Repeats each step of sequences (batch, steps, channels).

    Args:
        size: How many times.

    >>> import hornbeam as keras
    >>> keras.layers.UpSampling1D(3)(keras.ops.ones((2, 5, 3))).shape
    (2, 15, 3)
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(size, **kwargs)


INTERPOLATIONS = ("bicubic", "bilinear", "lanczos3", "lanczos5", "nearest")


@wire("keras.layers.UpSampling2D")
class UpSampling2D(BaseUpSampling):
    """Makes images larger.

    Args:
        size: How many times, for rows and columns; one number for both.
        data_format: "channels_last" (batch, height, width, channels) or "channels_first"; the default layout if None.
        interpolation: "nearest" repeats pixels; "bilinear", "bicubic", "lanczos3" and "lanczos5" go smoothly.

    >>> import hornbeam as keras
    >>> keras.layers.UpSampling2D((2, 3))(keras.ops.ones((2, 4, 4, 3))).shape
    (2, 8, 12, 3)
    """

    rank = 2

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        if not isinstance(interpolation, str) or interpolation.lower() not in INTERPOLATIONS:
            raise UnknownNameError("interpolation", str(interpolation), INTERPOLATIONS, where(self))
        self.interpolation = interpolation.lower()

    def call(self, inputs: Any) -> Any:
        """The larger images."""
        if self.interpolation == "nearest":
            return super().call(inputs)
        size = self.compute_output_shape(inputs.shape)[self._first : self._first + 2]
        return ops.image.resize(inputs, size, self.interpolation, data_format=self.data_format)


@wire("keras.layers.UpSampling3D")
class UpSampling3D(BaseUpSampling):
    __doc__ = "Repeats each voxel of volumes." + _ARGUMENTS.format(
        argument="size: How many times, for each axis; one number for all.",
        example="UpSampling3D((1, 2, 3))(keras.ops.ones((2, 4, 4, 4, 3))).shape", result="(2, 4, 8, 12, 3)",
    )
    rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(size, data_format, **kwargs)
