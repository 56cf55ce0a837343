"""Layers that move elements about and compute nothing: `Flatten`, `Reshape`, `Permute`, `RepeatVector`."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import _config, ops
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import positive_integer, where
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer


@wire("keras.layers.Flatten")
class Flatten(Layer):
    """All axes but the batch as one.

    Args:
        data_format: With "channels_first" the channels are moved last before; the default layout if None.

    >>> import hornbeam as keras
    >>> keras.layers.Flatten()(keras.ops.ones((2, 3, 4))).shape
    (2, 12)
    """

    _keeps_dtype = True

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = _config.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)
        self._channels_first = self.data_format == "channels_first"

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes nothing; files say the shape."""

    def call(self, inputs: Any) -> Any:
        """`inputs` (batch, ...) as (batch, size)."""
        rank = len(inputs.shape)
        if self._channels_first and rank > 2:
            inputs = ops.transpose(inputs, (0, *range(2, rank), 1))
        return ops.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Batch and the product of the other sizes."""
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))  # type: ignore[arg-type]


@wire("keras.layers.Reshape")
class Reshape(Layer):
    """Another shape for each sample.

    Args:
        target_shape: The shape without the batch axis; one size may be -1, which is then computed.

    >>> import hornbeam as keras
    >>> keras.layers.Reshape((2, -1))(keras.ops.ones((5, 6))).shape
    (5, 2, 3)
    """

    _keeps_dtype = True

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = (target_shape,) if isinstance(target_shape, int) else tuple(target_shape)
        if self.target_shape.count(-1) > 1 or any(one < -1 or one == 0 for one in self.target_shape):
            raise ArgumentError("positive sizes and at most one -1", f"target_shape={target_shape}", where(self))

    def call(self, inputs: Any) -> Any:
        """`inputs` (batch, ...) as (batch, *target_shape)."""
        return ops.reshape(inputs, self._fitted_shape(tuple(inputs.shape)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Batch and target shape, -1 worked out where the input is known."""
        return self._fitted_shape(input_shape)

    def _fitted_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        rest = input_shape[1:]
        known = math.prod(one for one in self.target_shape if one != -1)
        if None in rest:
            return (input_shape[0], *(None if one == -1 else one for one in self.target_shape))
        size = math.prod(rest)  # type: ignore[arg-type]
        fits = size % known == 0 if -1 in self.target_shape else size == known
        if not fits:
            raise ArgumentError(
                f"an input of a size that fits target_shape={self.target_shape}",
                f"shape={tuple(input_shape)}",
                where(self),
            )
        return (input_shape[0], *(size // known if one == -1 else one for one in self.target_shape))


@wire("keras.layers.Permute")
class Permute(Layer):
    """The axes of each sample in another order.

    Args:
        dims: For each axis of the output the number of the input's axis, from 1; the batch is axis 0.

    >>> import hornbeam as keras
    >>> keras.layers.Permute((2, 1))(keras.ops.ones((5, 3, 4))).shape
    (5, 4, 3)
    """

    _keeps_dtype = True

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(f"a permutation of 1 to {len(self.dims)}", f"dims={dims}", where(self))
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        """`inputs` with its axes permuted."""
        return ops.transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The sizes in their new order."""
        return (input_shape[0], *(input_shape[one] for one in self.dims))


@wire("keras.layers.RepeatVector")
class RepeatVector(Layer):
    """Each sample, a vector, `n` times in a row.

    Args:
        n: How many times.

    >>> import hornbeam as keras
    >>> keras.layers.RepeatVector(3)(keras.ops.ones((2, 4))).shape
    (2, 3, 4)
    """

    _keeps_dtype = True

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive_integer(n, "n", self)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """`inputs` (batch, size) as (batch, n, size)."""
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Batch, `n` and size."""
        return (input_shape[0], self.n, input_shape[1])
