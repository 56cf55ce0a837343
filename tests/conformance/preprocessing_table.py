"""The table of layers that prepare numbers and images, in the form of layers_table.py; oracle_preprocessing.npz has
what Keras gives for it."""

from __future__ import annotations

import numpy as np

from tests.conformance.layers_table import STEPS, VECTOR, Floats, Integers, Row

NUMBERS = [
    Row("Normalization", lambda keras: keras.layers.Normalization(), VECTOR, 3, 0, open_axes=False),
    Row("Normalization/one axis", lambda keras: keras.layers.Normalization(axis=1), Floats((3, 5, 2)), 3, 0,
        open_axes=False),
    Row("Normalization/two axes", lambda keras: keras.layers.Normalization(axis=(1, -1)), STEPS, 3, 0,
        open_axes=False),
    Row("Normalization/everything together", lambda keras: keras.layers.Normalization(axis=None), VECTOR, 3, 0),
    Row(
        "Normalization/given",
        lambda keras: keras.layers.Normalization(mean=[0.5, 1.0, 2.0, -1.0], variance=[1.0, 4.0, 0.5, 2.0]),
        VECTOR,
    ),
    Row("Normalization/given for all", lambda keras: keras.layers.Normalization(None, 0.5, 4.0), STEPS),
    Row("Normalization/integers", lambda keras: keras.layers.Normalization(None, 0.5, 4.0), Integers((3, 4))),
    Row(
        "Normalization/invert",
        lambda keras: keras.layers.Normalization(mean=np.arange(4.0), variance=np.arange(4.0), invert=True),
        VECTOR,
    ),
]


def _bins(what: str, data: Floats | Integers, **kwargs: object) -> Row:
    return Row(
        f"Discretization/{what}", lambda keras: keras.layers.Discretization([-1.0, 0.0, 0.5], **kwargs), data,
        gradients=False, open_axes=False,
    )


NUMBERS += [
    _bins("int", VECTOR),
    _bins("int, integers", Integers((3, 2), 3)),
    _bins("one_hot", VECTOR, output_mode="one_hot"),
    _bins("one_hot, last axis of one", Floats((3, 1)), output_mode="one_hot"),
    _bins("one_hot, one axis", Floats((4,)), output_mode="one_hot"),
    _bins("multi_hot", VECTOR, output_mode="multi_hot"),
    _bins("multi_hot, three axes", STEPS, output_mode="multi_hot"),
    _bins("count", VECTOR, output_mode="count"),
    _bins("count, half", VECTOR, output_mode="count", dtype="float16"),
]

SOUND = Floats((2, 40, 3))


def _spectrogram(what: str, *args: object, data: Floats = SOUND, weights: int = 2, **kwargs: object) -> Row:
    return Row(
        f"STFTSpectrogram/{what}", lambda keras: keras.layers.STFTSpectrogram(*args, **kwargs), data, weights,
        open_axes=False, mixed=what != "angle",
    )


SPECTROGRAMS = [
    _spectrogram("log", frame_length=8),
    _spectrogram("magnitude", "magnitude", 8, 4, 16),
    _spectrogram("psd", "psd", 7, window="hamming", periodic=True, padding="same"),
    _spectrogram("psd, odd", "psd", 7, fft_length=9, window="blackman"),
    _spectrogram("real", "real", 8, weights=1, window=None, expand_dims=True),
    _spectrogram("imag", "imag", 8, weights=1, scaling="spectrum"),
    _spectrogram("angle", "angle", 8, scaling=None),
    _spectrogram("stft", "stft", 8, expand_dims=True),
    _spectrogram("first", "stft", 8, data=Floats((2, 3, 40)), data_format="channels_first"),
    _spectrogram(
        "first, expanded", "magnitude", 8, data=Floats((2, 3, 40)), data_format="channels_first", expand_dims=True
    ),
    Row("MelSpectrogram", lambda keras: keras.layers.MelSpectrogram(64, 16, num_mel_bins=6), Floats((2, 160)),
        open_axes=False),
    Row(
        "MelSpectrogram/plain",
        lambda keras: keras.layers.MelSpectrogram(
            64, 20, 48, "hamming", 8000, 5, 100.0, 3000.0, power_to_db=False, mag_exp=1.0
        ),
        Floats((2, 3, 160)), open_axes=False,
    ),
    Row(
        "MelSpectrogram/decibels",
        lambda keras: keras.layers.MelSpectrogram(
            64, 20, window=None, num_mel_bins=5, top_db=20.0, min_power=1e-3, ref_power=2.0
        ),
        Floats((2, 160)), open_axes=False,
    ),
]

ROWS = [*NUMBERS, *SPECTROGRAMS]
