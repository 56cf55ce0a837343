"""`Initializer`, the base of all of them, and `RandomInitializer`, the base of those that draw numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam import dtypes
from hornbeam._arguments import KeepsArguments
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, StateError, UnsupportedError, describe
from hornbeam.random.seed_generator import SeedGenerator, checked_seed, draw_number
from hornbeam.saving import deserialize_keras_object, serialize_keras_object
from hornbeam.variable import standardize_shape


@wire("keras.initializers.Initializer", "keras.Initializer")
class Initializer:
    """Makes the first values of weights.

    A subclass writes `__call__(shape, dtype=None, **kwargs)` and `get_config`.

    >>> class Halves(Initializer):
    ...     def __call__(self, shape, dtype=None, **kwargs):
    ...         return np.full(shape, 0.5, dtype)
    >>> Halves()((2,), "float32").tolist()
    [0.5, 0.5]
    """

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """A tensor of first values.

        Args:
            shape: The shape.
            dtype: A dtype; None is the default float type.
            **kwargs: What particular initializers understand besides.
        """
        raise UnsupportedError("an initializer with a __call__ method", "none", type(self).__name__)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """An initializer made from what `get_config` gave."""
        return cls(**config)

    def clone(self) -> Any:
        """An initializer with the same configuration."""
        return type(self).from_config(self.get_config())

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({inside})"


class RandomInitializer(KeepsArguments, Initializer):
    """An initializer that draws its values.

    The values come from NumPy's Philox generator on the host, so that they are equal on all backends and need no
    compilation (J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).

    Args:
        seed: An integer or None: then each call of one initializer gives the same values. Or a `SeedGenerator`,
            with which each call gives new ones.

    Raises:
        ValueError: For another kind of seed.
    """

    def __init__(self, seed: int | SeedGenerator | dict[str, Any] | None = None) -> None:
        if isinstance(seed, dict):
            seed = deserialize_keras_object(seed)
        if not (seed is None or isinstance(seed, SeedGenerator)):
            seed = checked_seed(seed, type(self).__name__)
        self._init_seed = seed
        self.seed: int | SeedGenerator = draw_number() if seed is None else seed

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        shape = known_shape(shape, type(self).__name__)
        dtype = dtypes.standardize_dtype(dtype)
        if not dtypes.is_float(dtype):
            raise ArgumentError("a float dtype", f"dtype={dtype}", type(self).__name__)
        return backend.asarray(self.draw(self._generator(), shape, dtype), dtype)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """The values, as an array on the host."""
        raise UnsupportedError("a random initializer with a draw method", "none", type(self).__name__)

    def _generator(self) -> np.random.Generator:
        if isinstance(self.seed, SeedGenerator):
            key = self.seed.next()
            if backend.is_traced(key):
                raise StateError(
                    "a seed whose value is known", "the state of a SeedGenerator inside a compiled function",
                    type(self).__name__, "Build the layer before the function is compiled, or use an integer seed.",
                )
            seed, count = (int(one) for one in backend.to_numpy(key))
        else:
            seed, count = self.seed, 0
        return np.random.Generator(np.random.Philox(key=seed + (count << 32)))

    def get_config(self) -> dict[str, Any]:
        seed = self._init_seed  # not the one that was drawn where none was given
        written = {"seed": serialize_keras_object(seed) if isinstance(seed, SeedGenerator) else seed}
        return {**written, **super().get_config(), **written}  # it stands first in files


def known_shape(shape: Any, where: str) -> tuple[int, ...]:
    """`shape` as a tuple of sizes.

    Raises:
        ValueError: If a size is open.
    """
    result = standardize_shape(shape)
    if None in result:
        raise ArgumentError("a shape of known sizes", f"shape={result}", where)
    return result


def checked_number(value: Any, name: str, where: str) -> Any:
    """`value` if it is a finite number.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is infinite or NaN.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise ArgumentTypeError(f"a number as {name}", describe(value), where)
    if not math.isfinite(value):
        raise ArgumentError(f"a finite {name}", repr(value), where)
    return value if isinstance(value, (int, float)) else value.item()


def work_dtype(dtype: str) -> type:
    """The NumPy type in which values of `dtype` are drawn."""
    return np.float64 if dtype == "float64" else np.float32
