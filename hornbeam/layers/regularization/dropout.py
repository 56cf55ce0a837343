"""`Dropout` and its relatives: noise during training, nothing at inference."""

from __future__ import annotations

from typing import Any

from hornbeam import _config, random
from hornbeam._wire import wire
from hornbeam.layers.core.checks import rate as checked_rate
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer


@wire("keras.layers.Dropout")
class Dropout(Layer):
    """Sets a random part of the inputs to zero while training and scales up the rest, so that the sum stays.

    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.

    Args:
        rate: The part that is set to zero, between 0 and 1.
        noise_shape: The shape of the random choice; axes of size 1 are dropped together. None in it is the
            input's size.
        seed: An integer, or None for a random one.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.layers.Dropout(0.5)(keras.ops.ones((2, 3)), training=False)).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    _keeps_dtype = True

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = checked_rate(rate, self)
        self.seed = seed
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.supports_masking = True
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def _noise_shape(self, inputs: Any) -> Any:
        return self.noise_shape

    def call(self, inputs: Any, training: bool = False) -> Any:
        """`inputs`, with dropout if `training`."""
        if not training or self.rate == 0:
            return inputs
        return random.dropout(inputs, self.rate, noise_shape=self._noise_shape(inputs), seed=self.seed_generator)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape


class BaseSpatialDropout(Dropout):
    """Dropout of whole channels; subclasses say over how many spatial axes."""

    rank: int

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = "channels_last"
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _noise_shape(self, inputs: Any) -> Any:
        shape = tuple(inputs.shape)
        if self.data_format == "channels_first":
            return (*shape[:2], *(1,) * self.rank)
        return (shape[0], *(1,) * self.rank, shape[-1])

    def get_config(self) -> dict[str, Any]:
        """The arguments; Keras takes no others for these layers, not even `trainable`."""
        config = super().get_config()
        return {**{key: config[key] for key in config if key != "trainable"}, "dtype": self.dtype_policy.name}


@wire("keras.layers.SpatialDropout1D")
class SpatialDropout1D(BaseSpatialDropout):
    """Dropout of whole channels of sequences (batch, steps, channels); J. Tompson et al., 2014.

    Args:
        rate: The part of the channels that is set to zero.
        seed: An integer, or None for a random one.
    """

    rank = 1


class _SpatialDropout(BaseSpatialDropout):
    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        known = _config.standardize_data_format(data_format)
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = known


@wire("keras.layers.SpatialDropout2D")
class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of images; J. Tompson et al., 2014.

    Args:
        rate: The part of the channels that is set to zero.
        data_format: "channels_last" or "channels_first"; the default layout if None.
        seed: An integer, or None for a random one.
    """

    rank = 2


@wire("keras.layers.SpatialDropout3D")
class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels of volumes; J. Tompson et al., 2014.

    Args:
        rate: The part of the channels that is set to zero.
        data_format: "channels_last" or "channels_first"; the default layout if None.
        seed: An integer, or None for a random one.
    """

    rank = 3
