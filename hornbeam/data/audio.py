"""WAV files as arrays of samples, and samples at another rate; knows nothing of folders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.data.decoding import read_bytes
from hornbeam.errors import FileFormatError

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_WIDTHS = {_PCM: (1, 2, 3, 4), _FLOAT: (4, 8)}  # bytes
_ZEROS = 16  # crossings of zero that the sinc of `resample` has on each side


class WavReader:
    """Reads a WAV file as float32 `[length, channels]`.

    Args:
        rate: Samples per second to bring it to; None for its own.
        length: Samples to cut or pad it to; None for its own.
    """

    def __init__(self, rate: int | None, length: int | None) -> None:
        self._rate, self._length = rate, length

    def __call__(self, path: str) -> np.ndarray:
        samples, rate = read_wav(read_bytes(path), path)
        if self._rate is not None and rate != self._rate:
            samples = resample(samples, rate, self._rate)
        if self._length is None:
            return samples
        sound = np.zeros((self._length, samples.shape[1]), np.float32)
        sound[: len(samples)] = samples[: self._length]
        return sound


def read_wav(content: bytes, path: str) -> tuple[np.ndarray, int]:
    """The samples of a WAV file, float32 `[length, channels]` from -1 to 1, and how many there are in a second.

    Raises:
        OSError: If it is no WAV file, a cut one, or one of another coding than integers or floats.
    """

    def wrong(got: str) -> FileFormatError:
        return FileFormatError("a WAV file of integers or floats", got, path, "Replace it, or give on_error='skip'.")

    if len(content) < 12 or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise wrong("another kind of file")
    place, header = 12, b""
    while place + 8 <= len(content):
        name, size = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
        body = content[place + 8 : place + 8 + size]
        if name == b"fmt ":
            header = body
        elif name == b"data":
            if len(header) < 16:
                raise wrong("samples without a header before them")
            if len(body) < size and size < 0xFFFFFFFF - 64:  # programs that stream cannot know the size
                raise wrong(f"{len(body)} of {size} bytes of samples")
            return _samples(header, body, wrong)
        place += 8 + size + size % 2
    raise wrong("no samples")


def _samples(header: bytes, body: bytes, wrong: Any) -> tuple[np.ndarray, int]:
    coding, channels = (int.from_bytes(header[at : at + 2], "little") for at in (0, 2))
    rate, bits = int.from_bytes(header[4:8], "little"), int.from_bytes(header[14:16], "little")
    if coding == _EXTENSIBLE and len(header) >= 26:
        coding = int.from_bytes(header[24:26], "little")
    width = bits // 8
    if not channels or not rate or bits % 8 or width not in _WIDTHS.get(coding, ()):
        raise wrong(f"coding {coding} of {bits} bits, {channels} channels, {rate} samples per second")
    body = body[: len(body) // (width * channels) * width * channels]
    if coding == _FLOAT:
        samples = np.frombuffer(body, f"<f{width}").astype(np.float32)
    elif width == 1:
        samples = (np.frombuffer(body, np.uint8).astype(np.float32) - 128) / 128
    elif width == 3:
        wide = np.zeros((len(body) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(body, np.uint8).reshape(-1, 3)
        samples = (wide.view("<i4")[:, 0] / 2.0**31).astype(np.float32)
    else:
        samples = (np.frombuffer(body, f"<i{width}") / 2.0 ** (bits - 1)).astype(np.float32)
    return samples.reshape(-1, channels), rate


def resample(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Samples at another rate, free of what that rate cannot carry.

    Band-limited interpolation by a windowed sinc (J. O. Smith, "Digital audio resampling", 2002), with a Hann
    window over 16 crossings of zero on each side.

    Args:
        samples: float32 `[length, channels]`.
        rate: Samples per second that it has.
        wanted: Samples per second to bring it to.

    Returns:
        float32 `[ceil(length * wanted / rate), channels]`.
    """
    shared = math.gcd(rate, wanted)
    up, down = wanted // shared, rate // shared
    cutoff = min(1.0, wanted / rate)
    reach = math.ceil(_ZEROS / cutoff)
    length = -(-len(samples) * up // down)
    padded = np.concatenate([np.zeros((reach, samples.shape[1])), samples, np.zeros((reach + 1, samples.shape[1]))])
    out = np.zeros((length, samples.shape[1]))
    taps = np.arange(-reach + 1, reach + 1)
    for phase in range(min(up, length)):  # new samples of a phase lie alike between the old ones
        first = phase * down
        distance = taps - (first % up) / up
        kernel = cutoff * np.sinc(cutoff * distance) * np.cos(np.pi * np.clip(distance / (2 * reach), -0.5, 0.5)) ** 2
        bases = np.arange(phase, length, up) * down // up
        for tap, weight in zip(taps, kernel, strict=True):
            out[phase::up] += weight * padded[bases + tap + reach]
    return out.astype(np.float32)


def pad_sounds(sounds: Sequence[np.ndarray]) -> np.ndarray:
    """Sounds as one array, with zeros behind the shorter ones and in channels that some do not have."""
    batch = np.zeros((len(sounds), *(max(one.shape[axis] for one in sounds) for axis in (0, 1))), np.float32)
    for row, sound in zip(batch, sounds, strict=True):
        row[: sound.shape[0], : sound.shape[1]] = sound
    return batch
