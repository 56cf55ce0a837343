"""Maximum and average over windows, in one, two and three spatial axes."""

from __future__ import annotations

from typing import Any

from hornbeam import _config, ops
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import integers, padding_name, where
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer


class BasePooling(Layer):
    """A reduction over windows of `rank` spatial axes by `operation`, one of the pooling ops."""

    rank: int
    operation: Any

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = integers(pool_size, self.rank, "pool_size", self)
        self.strides = self.pool_size if strides is None else integers(strides, self.rank, "strides", self)
        self.padding = padding_name(padding, self)
        self.data_format = _config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """The reduction over each window."""
        return type(self).operation(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the outputs, in the layout of the inputs."""
        last = self.data_format == "channels_last"
        spatial = input_shape[1:-1] if last else input_shape[2:]
        sizes = []
        for size, window, stride in zip(spatial, self.pool_size, self.strides, strict=True):
            if size is None:
                sizes.append(None)
                continue
            found = -(-size // stride) if self.padding == "same" else (size - window) // stride + 1
            if found < 1:
                raise ArgumentError(
                    f"inputs at least as large as the window {self.pool_size}", f"shape={tuple(input_shape)}",
                    where(self), "Use padding='same', a smaller pool_size or larger inputs.",
                )
            sizes.append(found)
        return (input_shape[0], *sizes, input_shape[-1]) if last else (*input_shape[:2], *sizes)


_ARGUMENTS = """

    Args:
        pool_size: The size of the window, one number for all axes or one for each.
        strides: The step of the window; `pool_size` if None.
        padding: "valid" for none, "same" so that the outputs have the size of the inputs over the strides.
        data_format: "channels_last" or "channels_first"; the default layout if None.

    >>> import hornbeam as keras
    >>> keras.layers.{name}(2)(keras.ops.ones({shape})).shape
    {result}
    """


def _pooling(name: str, short: str, rank: int, operation: Any, what: str) -> type[BasePooling]:
    """The pooling layer of one kind and rank, under its two names."""
    shape, result = (2, *(4,) * rank, 3), (2, *(2,) * rank, 3)
    default = 2 if rank == 1 else (2,) * rank

    def initialize(
        self: Any,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        BasePooling.__init__(self, pool_size, strides, padding, data_format, name=name, **kwargs)

    if operation is ops.max_pool:  # in Keras only the maximum has a default
        initialize.__defaults__ = (default, *(initialize.__defaults__ or ()))
    text = f"{what} over windows of {rank} spatial {'axis' if rank == 1 else 'axes'}."
    members = {
        "rank": rank,
        "operation": operation,
        "_keeps_dtype": operation is ops.max_pool,
        "__init__": initialize,
        "__module__": __name__,
        "__doc__": text + _ARGUMENTS.format(name=name, shape=shape, result=result),
    }
    cls = type(name, (BasePooling,), members)
    return wire(f"keras.layers.{name}", f"keras.layers.{short}")(cls)


MaxPooling1D = _pooling("MaxPooling1D", "MaxPool1D", 1, ops.max_pool, "The maximum")
MaxPooling2D = _pooling("MaxPooling2D", "MaxPool2D", 2, ops.max_pool, "The maximum")
MaxPooling3D = _pooling("MaxPooling3D", "MaxPool3D", 3, ops.max_pool, "The maximum")
AveragePooling1D = _pooling("AveragePooling1D", "AvgPool1D", 1, ops.average_pool, "The mean")
AveragePooling2D = _pooling("AveragePooling2D", "AvgPool2D", 2, ops.average_pool, "The mean")
AveragePooling3D = _pooling("AveragePooling3D", "AvgPool3D", 3, ops.average_pool, "The mean")

# Keras's second names
MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
