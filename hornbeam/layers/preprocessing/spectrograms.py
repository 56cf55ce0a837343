"""`STFTSpectrogram`, `MelSpectrogram`: sound as what frequencies it has over time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam import _config, initializers, ops
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, MissingDependencyError, UnknownNameError
from hornbeam.layers.core.checks import padding_name, positive_integer, where
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer
from hornbeam.ops.resampling import as_working

xp = backend.xp

MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
_COSINES = {
    "boxcar": (1.0,), "hann": (0.5, 0.5), "hamming": (0.54, 0.46), "blackman": (0.42, 0.5, 0.08),
}  # fmt: skip


def window_weights(window: Any, length: int, periodic: bool, layer: Any) -> np.ndarray:
    """The weights of a window: by name, given as numbers, or ones for None."""
    if window is None:
        return np.ones(length)
    if not isinstance(window, str):
        weights = np.asarray(window, float)
        if weights.shape != (length,):
            raise ArgumentError(f"a window of {length} numbers", f"shape={weights.shape}", where(layer))
        return weights
    if window in _COSINES:
        angle = 2 * math.pi * np.arange(length) / max(length if periodic else length - 1, 1)
        terms = [(-1) ** order * factor * np.cos(order * angle) for order, factor in enumerate(_COSINES[window])]
        return np.sum(terms, axis=0)
    try:
        from scipy.signal import get_window
    except ImportError:
        raise MissingDependencyError("scipy", f"the window {window!r} of {where(layer)}") from None
    try:
        return get_window(window, length, fftbins=periodic)
    except ValueError:
        raise UnknownNameError("window", window, [*_COSINES, "bartlett", "nuttall", "parzen"], where(layer)) from None


@wire("keras.layers.STFTSpectrogram")
class STFTSpectrogram(Layer):
    """The short-time Fourier transform of signals, by convolutions whose kernels are waves under a window.

    Args:
        mode: "log" or "magnitude" or "psd" (its square), "real", "imag", "angle" in radians, or "stft": real and
            imaginary parts one after the other.
        frame_length: How many samples are looked at together.
        frame_step: The distance from one frame to the next; half of `frame_length` if None.
        fft_length: The length of the transform, at least `frame_length`; the next power of two if None.
        window: The name of a window such as "hann", `frame_length` numbers, or None for none.
        periodic: Whether the window is one period of a periodic one, in place of a symmetric one.
        scaling: "density" divides by the root of the window's energy, "spectrum" by its sum; None does not.
        padding: "valid", or "same" to see as many frames as there are steps.
        expand_dims: Whether frequencies get an axis of their own, beside that of channels.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: Arguments of `Layer`.

    Returns:
        From signals `[batch, time, channels]`: `[batch, frames, channels * frequencies]`, or with `expand_dims`
        `[batch, frames, frequencies, channels]`; and from `[batch, channels, time]`
        `[batch, channels * frequencies, frames]` or `[batch, channels, frames, frequencies]`. There are
        `fft_length // 2 + 1` frequencies, twice as many numbers for "stft".

    Raises:
        ValueError: For unknown names or lengths that do not fit.

    >>> import hornbeam as keras
    >>> keras.layers.STFTSpectrogram("magnitude", frame_length=16)(keras.ops.ones((2, 64, 1))).shape
    (2, 7, 9)
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if mode not in MODES:
            raise UnknownNameError("mode", mode, MODES, where(self))
        if scaling not in (None, "density", "spectrum"):
            raise UnknownNameError("scaling", scaling, ("density", "spectrum"), where(self))
        self.mode = mode
        self.frame_length = positive_integer(frame_length, "frame_length", self)
        self.frame_step, self.fft_length = frame_step, fft_length
        self._step = max(self.frame_length // 2, 1) if frame_step is None else frame_step
        self._points = 1 << (self.frame_length - 1).bit_length() if fft_length is None else fft_length
        if not 1 <= positive_integer(self._step, "frame_step", self) <= self.frame_length:
            raise ArgumentError(f"a frame_step of at most {self.frame_length}", repr(frame_step), where(self))
        if positive_integer(self._points, "fft_length", self) < self.frame_length:
            raise ArgumentError(f"an fft_length of at least {self.frame_length}", repr(fft_length), where(self))
        self.window = window
        self.periodic = bool(periodic)
        self.scaling = scaling
        self.padding = padding_name(padding, self)
        self.expand_dims = bool(expand_dims)
        self.data_format = _config.standardize_data_format(data_format)
        self._weights = window_weights(window, self.frame_length, self.periodic, self)
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the kernels, which are trained unless the layer is frozen."""
        weights = self._weights
        if self.window is not None and self.scaling is not None:
            energy = np.sqrt(np.sum(weights**2)) if self.scaling == "density" else np.sum(weights)
            weights = weights / energy
        frequencies = self._points // 2 + 1
        turns = np.arange(self.frame_length)[:, None] * np.arange(frequencies) / self._points
        shape = (self.frame_length, 1, frequencies)
        for name, wave, unused in (("real", np.cos, "imag"), ("imag", lambda angle: -np.sin(angle), "real")):
            if self.mode != unused:
                kernel = (weights[:, None] * wave(2 * math.pi * turns)).reshape(shape).astype("float32")
                made = self.add_weight(shape, initializers.Constant(kernel), name=f"{name}_kernel")
                setattr(self, f"{name}_kernel", made)

    def _transformed(self, signals: Any, kernel: Any) -> Any:
        return ops.conv(signals, kernel.value, self._step, self.padding, data_format="channels_last")

    def call(self, inputs: Any) -> Any:
        """The spectrogram of signals `[batch, time, channels]`, or with channels first."""
        signals = inputs if self.data_format == "channels_first" else xp.moveaxis(inputs, 2, 1)
        batch, channels, time = signals.shape
        signals = xp.reshape(signals, (batch * channels, time, 1))
        real = self._transformed(signals, self.real_kernel) if self.mode != "imag" else None
        imag = self._transformed(signals, self.imag_kernel) if self.mode != "real" else None
        found = self._combined(real, imag)
        _, frames, frequencies = found.shape
        found = xp.reshape(found, (batch, channels, frames, frequencies))
        if self.data_format == "channels_first":
            if self.expand_dims:
                return found
            return xp.reshape(xp.moveaxis(found, 3, 2), (batch, channels * frequencies, frames))
        if self.expand_dims:
            return xp.moveaxis(found, 1, 3)
        return xp.reshape(xp.moveaxis(found, 1, 2), (batch, frames, channels * frequencies))

    def _combined(self, real: Any, imag: Any) -> Any:
        if self.mode == "real":
            return real
        if self.mode == "imag":
            return imag
        if self.mode == "angle":
            return xp.arctan2(imag, real)
        if self.mode == "stft":
            return xp.concatenate([real, imag], axis=-1)
        power = real * real + imag * imag
        if self.mode == "psd":
            # each frequency also stands for its negative one, except for the first and the last
            count = power.shape[-1]
            times = [1 if place in (0, count - 1) else 2 for place in range(count)]
            return power * backend.asarray(times, backend.dtype(power))
        if self.mode == "log":
            half, least = (backend.scalar(one, backend.dtype(power)) for one in (0.5, _config.epsilon()))
            return half * xp.log(xp.maximum(power, least))
        safe = xp.where(power > 0, power, 1)  # the root has no gradient at 0
        return xp.where(power > 0, xp.sqrt(safe), 0 * power)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the spectrogram."""
        first = self.data_format == "channels_first"
        batch = input_shape[0]
        time, channels = (input_shape[2], input_shape[1]) if first else (input_shape[1], input_shape[2])
        frequencies = self._points // 2 + 1
        if self.mode == "stft":
            frequencies *= 2
        frames = None
        if time is not None:
            frames = -(-time // self._step) if self.padding == "same" else (time - self.frame_length) // self._step + 1
        if self.expand_dims:
            return (batch, channels, frames, frequencies) if first else (batch, frames, frequencies, channels)
        both = None if channels is None else channels * frequencies
        return (batch, both, frames) if first else (batch, frames, both)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer, in the order of Keras's files."""
        config = super().get_config()
        config["expand_dims"] = config.pop("expand_dims")
        return config


@wire("keras.layers.MelSpectrogram")
class MelSpectrogram(Layer):
    """How loud a signal is in bands that the ear finds equally wide, over time.

    Args:
        fft_length: The length of a transform, in samples.
        sequence_stride: The distance from one frame to the next.
        sequence_length: The length of a frame; `fft_length` if None.
        window: "hann", "hamming", `sequence_length` numbers, or None for none.
        sampling_rate: Samples per second.
        num_mel_bins: The number of bands.
        min_freq: The lowest frequency, in Hertz.
        max_freq: The highest; half the sampling rate if None.
        power_to_db: Whether results are in decibels.
        top_db: Results lie at most this far below the greatest one, in decibels.
        mag_exp: The power that magnitudes are raised to: 1 for magnitudes, 2 for energies.
        min_power: What is less counts as this much, in decibels.
        ref_power: What counts as 0 decibels.
        **kwargs: Arguments of `Layer`.

    Returns:
        From signals `[..., time]`: `[..., num_mel_bins, frames]`.

    Raises:
        ValueError: For lengths or frequencies that do not fit.

    >>> import hornbeam as keras
    >>> layer = keras.layers.MelSpectrogram(fft_length=64, sequence_stride=16, num_mel_bins=8)
    >>> layer(keras.ops.ones((2, 160))).shape
    (2, 8, 11)
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.fft_length = positive_integer(fft_length, "fft_length", self)
        self.sequence_stride = positive_integer(sequence_stride, "sequence_stride", self)
        self.sequence_length = sequence_length or fft_length
        if self.sequence_length > self.fft_length:
            raise ArgumentError(f"a sequence_length of at most {fft_length}", repr(sequence_length), where(self))
        if window not in ("hann", "hamming", None):
            raise UnknownNameError("window", window, ("hann", "hamming"), where(self))
        self.window = window
        self.sampling_rate = sampling_rate
        self.num_mel_bins = positive_integer(num_mel_bins, "num_mel_bins", self)
        self.min_freq = min_freq
        self.max_freq = max_freq or int(sampling_rate / 2)
        if not 0 <= self.min_freq < self.max_freq <= sampling_rate / 2:
            raise ArgumentError(
                f"frequencies in order, up to half the sampling_rate of {sampling_rate}",
                f"min_freq={min_freq}, max_freq={max_freq}", where(self),
            )
        self.power_to_db = bool(power_to_db)
        for name, value in (("top_db", top_db), ("min_power", min_power), ("ref_power", ref_power)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
                raise ArgumentError(f"a number above 0 for {name}", repr(value), where(self))
        self.top_db, self.min_power, self.ref_power = top_db, min_power, ref_power
        self.mag_exp = mag_exp

    def call(self, inputs: Any) -> Any:
        """The spectrogram of signals `[..., time]`."""
        signals = as_working(inputs)
        real, imag = ops.stft(
            signals, self.sequence_length, self.sequence_stride, self.fft_length, window=self.window, center=True
        )
        energy = real * real + imag * imag
        safe = xp.where(energy > 0, energy, 1)  # a root has no gradient at 0
        strength = energy if self.mag_exp == 2 else xp.where(energy > 0, safe ** (self.mag_exp / 2), 0 * energy)
        bands = self.linear_to_mel_weight_matrix(
            self.num_mel_bins, self.fft_length // 2 + 1, self.sampling_rate, self.min_freq, self.max_freq
        )
        mel = xp.moveaxis(xp.matmul(strength, backend.cast(bands, backend.dtype(strength))), -1, -2)
        if self.power_to_db:
            scale = 10 / math.log(10)
            mel = scale * xp.log(xp.maximum(mel, self.min_power))
            mel = mel - scale * math.log(max(self.min_power, self.ref_power))
            if 0 not in mel.shape:
                mel = xp.maximum(mel, xp.max(mel) - self.top_db)
        return backend.cast(mel, self.compute_dtype)

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: int = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: str = "float32",
    ) -> Any:
        """A matrix that sums the frequencies of a spectrogram into bands: triangles on the mel scale.

        Args:
            num_mel_bins: The number of bands.
            num_spectrogram_bins: The number of frequencies, from 0 to half the sampling rate.
            sampling_rate: Samples per second.
            lower_edge_hertz: Where the lowest band begins.
            upper_edge_hertz: Where the highest band ends.
            dtype: The dtype of the matrix.

        Returns:
            A tensor `[num_spectrogram_bins, num_mel_bins]`.
        """

        def mel(hertz: Any) -> Any:
            return 1127.0 * np.log1p(hertz / 700.0)

        places = mel(np.linspace(0.0, sampling_rate / 2, num_spectrogram_bins)[1:])[:, None]
        edges = np.linspace(mel(lower_edge_hertz), mel(upper_edge_hertz), num_mel_bins + 2)
        left, middle, right = edges[:-2], edges[1:-1], edges[2:]
        weights = np.maximum(0.0, np.minimum((places - left) / (middle - left), (right - places) / (right - middle)))
        return backend.asarray(np.pad(weights, [(1, 0), (0, 0)]).astype("float32"), dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the spectrogram."""
        time = input_shape[-1]
        frames = None
        if time is not None:
            frames = (time + 2 * (self.fft_length // 2) - self.fft_length) // self.sequence_stride + 1
        return (*input_shape[:-1], self.num_mel_bins, frames)
