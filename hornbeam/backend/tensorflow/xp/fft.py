"""`numpy.fft` over TensorFlow, along the last axes."""

from __future__ import annotations

from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.xp.common import Tensor

fft, ifft, fft2, ifft2 = tf.signal.fft, tf.signal.ifft, tf.signal.fft2d, tf.signal.ifft2d


def rfft(x: Tensor, n: int | None = None) -> Tensor:
    return tf.signal.rfft(x, None if n is None else [n])


def irfft(x: Tensor, n: int | None = None) -> Tensor:
    return tf.signal.irfft(x, None if n is None else [n])
