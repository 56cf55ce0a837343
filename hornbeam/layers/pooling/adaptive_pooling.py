"""`AdaptiveAveragePooling*D` and `AdaptiveMaxPooling*D`: pooling to a size that is given, whatever comes in."""

from __future__ import annotations

from typing import Any

from hornbeam import _config, ops
from hornbeam._wire import wire
from hornbeam.layers.core.checks import integers
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer

_DOC = """{what} over windows that cover {rank} spatial ax{es} evenly, as many as the output has pixels.

    Args:
        output_size: The spatial size of the outputs; one number for all axes.
        data_format: "channels_last" (batch, ..., channels) or "channels_first"; the default layout if None.

    >>> import hornbeam as keras
    >>> keras.layers.{name}(2)(keras.ops.ones({shape})).shape
    {result}
    """


class BaseAdaptivePooling(Layer):
    """Pooling to a given size; subclasses say over how many axes, and of what."""

    rank: int
    operation: Any

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_size = integers(output_size, self.rank, "output_size", self)
        self.data_format = _config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """The pooled inputs."""
        return type(self).operation(inputs, self.output_size, data_format=self.data_format)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output size, with batch and channels where they are in the input."""
        if self.data_format == "channels_last":
            return (input_shape[0], *self.output_size, input_shape[-1])
        return (*input_shape[:2], *self.output_size)


def _adaptive(name: str, rank: int, operation: Any, what: str) -> type[BaseAdaptivePooling]:
    text = _DOC.format(
        what=what, rank=rank, es="is" if rank == 1 else "es", name=name, shape=(2, *(5,) * rank, 3),
        result=(2, *(2,) * rank, 3),
    )
    members = {
        "rank": rank, "operation": staticmethod(operation), "_keeps_dtype": operation is ops.adaptive_max_pool,
        "__module__": __name__, "__doc__": text, "__init__": _initialize(),
    }
    return wire(f"keras.layers.{name}")(type(name, (BaseAdaptivePooling,), members))


def _initialize() -> Any:
    def __init__(self: Any, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:  # noqa: N807
        BaseAdaptivePooling.__init__(self, output_size, data_format, **kwargs)

    return __init__


AdaptiveAveragePooling1D = _adaptive("AdaptiveAveragePooling1D", 1, ops.adaptive_average_pool, "The mean")
AdaptiveAveragePooling2D = _adaptive("AdaptiveAveragePooling2D", 2, ops.adaptive_average_pool, "The mean")
AdaptiveAveragePooling3D = _adaptive("AdaptiveAveragePooling3D", 3, ops.adaptive_average_pool, "The mean")
AdaptiveMaxPooling1D = _adaptive("AdaptiveMaxPooling1D", 1, ops.adaptive_max_pool, "The maximum")
AdaptiveMaxPooling2D = _adaptive("AdaptiveMaxPooling2D", 2, ops.adaptive_max_pool, "The maximum")
AdaptiveMaxPooling3D = _adaptive("AdaptiveMaxPooling3D", 3, ops.adaptive_max_pool, "The maximum")
