"""`GaussianNoise`, `GaussianDropout`, `AlphaDropout`: noise while training; `ActivityRegularization`: a loss."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import ops, random, regularizers
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import rate as checked_rate
from hornbeam.layers.layer import Layer


class Noisy(Layer):
    """A layer that changes its inputs at random while training, and not otherwise."""

    def __init__(self, seed: int | None, amount: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.supports_masking = True
        self._amount = amount
        if amount > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def _changed(self, inputs: Any) -> Any:
        raise NotImplementedError

    def call(self, inputs: Any, training: bool = False) -> Any:
        """`inputs`, changed if `training`."""
        return self._changed(inputs) if training and self._amount > 0 else inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape

    def _normal(self, inputs: Any, mean: float, deviation: float) -> Any:
        return random.normal(
            inputs.shape, mean=mean, stddev=deviation, dtype=self.compute_dtype, seed=self.seed_generator
        )


@wire("keras.layers.GaussianNoise")
class GaussianNoise(Noisy):
    """Adds normally distributed noise while training.

    Args:
        stddev: The standard deviation of the noise.
        seed: An integer, or None for a random one.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.layers.GaussianNoise(0.1)(keras.ops.ones((2,)))).tolist()
    [1.0, 1.0]
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        if isinstance(stddev, bool) or not isinstance(stddev, (int, float)) or stddev < 0:
            raise ArgumentError("a stddev of at least 0", repr(stddev), "GaussianNoise")
        super().__init__(seed, stddev, **kwargs)
        self.stddev = stddev

    def _changed(self, inputs: Any) -> Any:
        return ops.add(inputs, self._normal(inputs, 0.0, self.stddev))


@wire("keras.layers.GaussianDropout")
class GaussianDropout(Noisy):
    """Multiplies by normally distributed noise of mean 1 while training; N. Srivastava et al., 2014.

    Args:
        rate: The noise has the variance `rate / (1 - rate)` of dropout at this rate; at least 0 and below 1.
        seed: An integer, or None for a random one.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.layers.GaussianDropout(0.1)(keras.ops.ones((2,)))).tolist()
    [1.0, 1.0]
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, rate if isinstance(rate, (int, float)) else 0, **kwargs)
        self.rate = checked_rate(rate, self)

    def _changed(self, inputs: Any) -> Any:
        # at rate 1 nothing would be left but noise without bounds
        deviation = math.sqrt(self.rate / max(1 - self.rate, 1e-7))
        return ops.multiply(inputs, self._normal(inputs, 1.0, deviation))


@wire("keras.layers.AlphaDropout")
class AlphaDropout(Noisy):
    """Dropout that keeps mean and variance of what SELU gives; G. Klambauer et al., 2017.

    Args:
        rate: The part that is dropped, between 0 and 1: set to the value that SELU goes to far below 0.
        noise_shape: The shape of the random choice; axes of size 1 are dropped together. None in it is the input's
            size.
        seed: An integer, or None for a random one.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.layers.AlphaDropout(0.1)(keras.ops.ones((2,)))).tolist()
    [1.0, 1.0]
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, rate if isinstance(rate, (int, float)) else 0, **kwargs)
        self.rate = checked_rate(rate, self)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)

    def _changed(self, inputs: Any) -> Any:
        if self.rate == 1:
            return ops.zeros_like(inputs)
        shape = inputs.shape if self.noise_shape is None else tuple(
            size if given is None else given for given, size in zip(self.noise_shape, inputs.shape, strict=True)
        )
        lowest = -1.6732632423543772 * 1.0507009873554805  # -alpha * scale of SELU
        kept = ops.greater_equal(
            random.uniform(shape, dtype="float32", seed=self.seed_generator), self.rate
        )
        a = ((1 - self.rate) * (1 + self.rate * lowest**2)) ** -0.5
        b = -a * lowest * self.rate
        dropped = ops.full((), lowest, dtype=backend.dtype(inputs))
        return ops.add(ops.multiply(ops.where(kept, inputs, dropped), a), b)


@wire("keras.layers.ActivityRegularization")
class ActivityRegularization(Layer):
    """Gives its inputs through and adds a loss for their size.

    Args:
        l1: Factor of the sum of absolute values, for each sample.
        l2: Factor of the sum of squares, for each sample.

    >>> import hornbeam as keras
    >>> layer = keras.layers.ActivityRegularization(l2=0.5)
    >>> layer(keras.ops.ones((2, 4))).shape, float(layer.losses[0])
    ((2, 4), 2.0)
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        for name, value in (("l1", l1), ("l2", l2)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
                raise ArgumentError(f"a number of at least 0 for {name}", repr(value), "ActivityRegularization")
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.supports_masking = True
        self.l1 = l1
        self.l2 = l2

    def call(self, inputs: Any) -> Any:
        """`inputs`."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return config
