"""Initializers whose values are known beforehand: constants, the identity, and the matrices of Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import dtypes
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, describe
from hornbeam.initializers.initializer import Initializer, checked_number, known_shape
from hornbeam.saving import deserialize_keras_object, serialize_keras_object


def _numeric(dtype: Any, where: str) -> str:
    name = dtypes.standardize_dtype(dtype)
    if name == "string":
        raise ArgumentError("a dtype of numbers", "dtype=string", where)
    return name


@wire("keras.initializers.Zeros")
class Zeros(Initializer):
    """All values are 0.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(Zeros()((2,), "float32")).tolist()
    [0.0, 0.0]
    """

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return backend.filled(known_shape(shape, "Zeros"), 0.0, _numeric(dtype, "Zeros"))


@wire("keras.initializers.Ones")
class Ones(Initializer):
    """All values are 1.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(Ones()((2,), "float32")).tolist()
    [1.0, 1.0]
    """

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return backend.filled(known_shape(shape, "Ones"), 1.0, _numeric(dtype, "Ones"))


@wire("keras.initializers.Constant")
class Constant(Initializer):
    """All values are one number, or those of an array that broadcasts to the shape.

    Args:
        value: A number, an array or nested lists.

    Raises:
        ValueError: When called with a shape that the value does not broadcast to.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(Constant(3.0)((2,), "float32")).tolist()
    [3.0, 3.0]
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = deserialize_keras_object(value) if isinstance(value, dict) else value
        try:
            array = np.asarray(backend.to_numpy(self.value) if backend.is_array(self.value) else self.value)
        except ValueError:
            array = np.asarray(None)
        if array.dtype.kind not in "biufcV":  # V: the types of ml_dtypes
            raise ArgumentTypeError("a number or an array of numbers", describe(value), "Constant")
        self._array = array

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        shape = known_shape(shape, "Constant")
        try:
            values = np.broadcast_to(self._array, shape)
        except ValueError:
            raise ArgumentError(
                f"a shape that a value of shape={self._array.shape} broadcasts to", f"shape={shape}", "Constant"
            ) from None
        return backend.asarray(np.array(values), _numeric(dtype, "Constant"))

    def get_config(self) -> dict[str, Any]:
        return {"value": serialize_keras_object(self.value)}


@wire("keras.initializers.Identity", "keras.initializers.IdentityInitializer")
class Identity(Initializer):
    """The identity matrix times a factor; what a non-square matrix has more is 0.

    Args:
        gain: The factor.

    Raises:
        ValueError: When called with a shape that is not of two axes.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(Identity(2.0)((2, 2), "float32")).tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = checked_number(gain, "gain", "Identity")

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        shape = known_shape(shape, "Identity")
        if len(shape) != 2:
            raise ArgumentError("a shape of two axes", f"shape={shape}", "Identity")
        return backend.asarray(np.eye(*shape) * self.gain, _numeric(dtype, "Identity"))

    def get_config(self) -> dict[str, Any]:
        # files carry the gain only where it is not the default
        return {} if self.gain == 1 else {"gain": self.gain}


# --- Fourier transforms ----------------------------------------------------------------------------------------


def _cosines(*factors: float) -> Callable[[int], np.ndarray]:
    def window(size: int) -> np.ndarray:
        if size == 1:
            return np.ones(1)
        turn = 2 * np.pi * np.arange(size) / (size - 1)
        return np.sum([(-1) ** k * factor * np.cos(k * turn) for k, factor in enumerate(factors)], axis=0)

    return window


def _tukey(size: int) -> np.ndarray:
    """A flat middle half between two quarters of a cosine (F. J. Harris, Proc. IEEE 66, 1978), alpha 1/2."""
    position = np.arange(size) / max(size - 1, 1)
    edge = np.minimum(np.minimum(position, 1 - position) / 0.25, 1.0)
    return 0.5 * (1 - np.cos(np.pi * edge)) if size > 1 else np.ones(size)


_WINDOWS: dict[str, Callable[[int], np.ndarray]] = {
    "hann": _cosines(0.5, 0.5),
    "hamming": _cosines(0.54, 0.46),
    "blackman": _cosines(0.42, 0.5, 0.08),
    "tukey": _tukey,
}


@wire("keras.initializers.STFT", "keras.initializers.STFTInitializer")
class STFT(Initializer):
    """The real or imaginary part of a windowed Fourier transform, as the kernel of a 1D convolution.

    Args:
        side: "real" or "imag".
        window: "hann", "hamming", "blackman", "tukey", an array as long as the kernel, or None for no window.
        scaling: "density" (power per frequency), "spectrum" (power) or None.
        periodic: Whether the window repeats with a period of its length, instead of being symmetric.

    Raises:
        ValueError: For unknown names, or when called with a shape that is no kernel of a 1D convolution.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(STFT("real", window=None, scaling=None)((4, 1, 3), "float32")[:, 0, 0]).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        if side not in ("real", "imag"):
            raise UnknownNameError("side", side, ("real", "imag"), "STFT")
        if isinstance(window, dict):
            window = deserialize_keras_object(window)
        if isinstance(window, str) and window not in _WINDOWS:
            raise UnknownNameError("window", window, _WINDOWS, "STFT")
        if scaling not in (None, "density", "spectrum"):
            raise UnknownNameError("scaling", scaling, ("density", "spectrum"), "STFT")
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, bool(periodic)

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        shape = known_shape(shape, "STFT")
        if len(shape) != 3:
            raise ArgumentError("the shape (length, channels, frequencies) of a kernel", f"shape={shape}", "STFT")
        length, channels, frequencies = shape
        # `frequencies` of them are the half of a transform of this length that a real signal has
        turn = 2 * np.pi * np.outer(np.arange(length), np.arange(frequencies)) / max(2 * (frequencies - 1), 1)
        values = (np.cos(turn) if self.side == "real" else -np.sin(turn)) * self._window(length)[:, None]
        repeated = np.broadcast_to(values[:, None, :], (length, channels, frequencies))
        return backend.asarray(np.array(repeated), _numeric(dtype, "STFT"))

    def _window(self, length: int) -> np.ndarray:
        if self.window is None:
            return np.ones(length)
        if isinstance(self.window, str):
            window = _WINDOWS[self.window](length + self.periodic)[:length]
        else:
            window = np.asarray(self.window, np.float64)
            if window.shape != (length,):
                raise ArgumentError(f"a window of shape={(length,)}", f"shape={window.shape}", "STFT")
        if self.scaling == "density":
            return window / np.sqrt(np.sum(window**2))
        return window / np.sum(window) if self.scaling == "spectrum" else window

    def get_config(self) -> dict[str, Any]:
        window = self.window if isinstance(self.window, str) else serialize_keras_object(self.window)
        return {"side": self.side, "window": window, "periodic": self.periodic, "scaling": self.scaling}
