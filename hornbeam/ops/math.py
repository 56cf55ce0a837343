"""The ops whose nodes are called `keras.src.ops.math` in files; each is written in the file of its theme."""

from hornbeam.ops.fourier import (
    extract_sequences,
    fft,
    fft2,
    ifft2,
    irfft,
    istft,
    rfft,
    stft,
    view_as_complex,
    view_as_real,
)
from hornbeam.ops.linalg import cdist, logdet
from hornbeam.ops.ranking import in_top_k, top_k
from hornbeam.ops.segments import segment_max, segment_min, segment_prod, segment_sum
from hornbeam.ops.special import erf, erfc, erfinv, logsumexp, rsqrt

__all__ = [
    "cdist",
    "erf",
    "erfc",
    "erfinv",
    "extract_sequences",
    "fft",
    "fft2",
    "ifft2",
    "in_top_k",
    "irfft",
    "istft",
    "logdet",
    "logsumexp",
    "rfft",
    "rsqrt",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "stft",
    "top_k",
    "view_as_complex",
    "view_as_real",
]
