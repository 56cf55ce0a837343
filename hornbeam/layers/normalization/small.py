"""`RMSNormalization` and `UnitNormalization`: division by the size of a sample."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam._wire import wire
from hornbeam.layers.core.checks import known_size, where
from hornbeam.layers.layer import Layer
from hornbeam.ops.define import normalized_axis


def _as_list(axis: Any) -> list[int]:
    return list(axis) if isinstance(axis, (list, tuple)) else [axis]


@wire("keras.layers.RMSNormalization")
class RMSNormalization(Layer):
    """Divides by the root of the mean square over some axes, and multiplies by a trained `scale`.

    B. Zhang and R. Sennrich, "Root mean square layer normalization", 2019.

    Args:
        axis: The axis or axes.
        epsilon: What is added to the mean square.

    >>> import hornbeam as keras
    >>> keras.layers.RMSNormalization()(keras.ops.array([[3.0, -3.0]])).shape
    (1, 2)
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = _as_list(axis)
        self.epsilon = epsilon

    def _axes(self, rank: int) -> list[int]:
        return sorted(normalized_axis(one, rank, where(self)) for one in self.axis)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes `scale` of the sizes of the axes."""
        shape = tuple(
            known_size(input_shape[one], "features", input_shape, self) for one in self._axes(len(input_shape))
        )
        self.scale = self.add_weight(shape, "ones", name="scale")

    def call(self, x: Any) -> Any:
        """The normalised inputs."""
        axes = self._axes(len(x.shape))
        last = axes == list(range(len(x.shape) - len(axes), len(x.shape)))
        scale = self.scale if last else ops.reshape(
            self.scale, tuple(size if axis in axes else 1 for axis, size in enumerate(x.shape))
        )
        return ops.rms_normalization(x, scale=scale, axis=axes, epsilon=self.epsilon)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        self._axes(len(input_shape))
        return input_shape


@wire("keras.layers.UnitNormalization")
class UnitNormalization(Layer):
    """Divides by the Euclidean norm over some axes, so that it becomes 1.

    Args:
        axis: The axis or axes.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.layers.UnitNormalization()(keras.ops.array([[0.0, -3.0]]))).tolist()
    [[0.0, -1.0]]
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        for one in _as_list(self.axis):
            normalized_axis(one, len(input_shape), where(self))
        return input_shape
