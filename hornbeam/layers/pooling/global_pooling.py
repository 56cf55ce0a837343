"""Maximum and average over all spatial axes."""

from __future__ import annotations

from typing import Any

from hornbeam import _config, ops
from hornbeam._wire import wire
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer


class BaseGlobalPooling(Layer):
    """A reduction over the spatial axes, of which there are `rank`."""

    rank: int

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = _config.standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _axes(self) -> tuple[int, ...]:
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Batch and channels, and 1 for each spatial axis if they are kept."""
        axes = self._axes
        if self.keepdims:
            return tuple(1 if axis in axes else size for axis, size in enumerate(input_shape))
        return tuple(size for axis, size in enumerate(input_shape) if axis not in axes)


class BaseGlobalMaxPooling(BaseGlobalPooling):
    """The maximum over the spatial axes."""

    _keeps_dtype = True

    def call(self, inputs: Any) -> Any:
        """The maximum of each channel."""
        return ops.max(inputs, axis=self._axes, keepdims=self.keepdims)


class BaseGlobalAveragePooling(BaseGlobalPooling):
    """The mean over the spatial axes."""

    def call(self, inputs: Any) -> Any:
        """The mean of each channel."""
        return ops.mean(inputs, axis=self._axes, keepdims=self.keepdims)


_ARGUMENTS = """

    Args:
        data_format: "channels_last" or "channels_first"; the default layout if None.
        keepdims: Whether the spatial axes stay, with size 1.

    >>> import hornbeam as keras
    >>> keras.layers.{name}()(keras.ops.ones({shape})).shape
    (2, 3)
    """


def _global_pooling(name: str, short: str, rank: int, base: type, what: str) -> type[BaseGlobalPooling]:
    """The global pooling layer of one kind and rank, under its two names."""
    text = f"{what} over {'the one spatial axis' if rank == 1 else f'all {rank} spatial axes'}."
    members = {
        "rank": rank,
        "__module__": __name__,
        "__doc__": text + _ARGUMENTS.format(name=name, shape=(2, *(4,) * rank, 3)),
    }
    cls = type(name, (base,), members)
    return wire(f"keras.layers.{name}", f"keras.layers.{short}")(cls)


@wire("keras.layers.GlobalAveragePooling1D", "keras.layers.GlobalAvgPool1D")
class GlobalAveragePooling1D(BaseGlobalAveragePooling):
    """The mean over the steps of sequences; steps that a mask leaves out do not count.

    Args:
        data_format: "channels_last" (batch, steps, channels) or "channels_first"; the default layout if None.
        keepdims: Whether the axis of the steps stays, with size 1.

    >>> import hornbeam as keras
    >>> keras.layers.GlobalAveragePooling1D()(keras.ops.ones((2, 4, 3))).shape
    (2, 3)
    """

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The mean of each channel over the steps that `mask` (batch, steps) keeps."""
        if mask is None:
            return super().call(inputs)
        axis = self._axes[0]
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), 2 if axis == 1 else 1)
        total = ops.sum(ops.multiply(inputs, weights), axis=axis, keepdims=self.keepdims)
        return ops.divide(total, ops.sum(weights, axis=axis, keepdims=self.keepdims))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """None: there are no steps any more."""
        return


GlobalMaxPooling1D = _global_pooling("GlobalMaxPooling1D", "GlobalMaxPool1D", 1, BaseGlobalMaxPooling, "The maximum")
GlobalMaxPooling2D = _global_pooling("GlobalMaxPooling2D", "GlobalMaxPool2D", 2, BaseGlobalMaxPooling, "The maximum")
GlobalMaxPooling3D = _global_pooling("GlobalMaxPooling3D", "GlobalMaxPool3D", 3, BaseGlobalMaxPooling, "The maximum")
GlobalAveragePooling2D = _global_pooling(
    "GlobalAveragePooling2D", "GlobalAvgPool2D", 2, BaseGlobalAveragePooling, "The mean"
)
GlobalAveragePooling3D = _global_pooling(
    "GlobalAveragePooling3D", "GlobalAvgPool3D", 3, BaseGlobalAveragePooling, "The mean"
)

# Keras's second names
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
)
