"""Fourier transforms, of whole axes and of sequences cut from signals; complex numbers are pairs of real tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from hornbeam.ops.define import Tensor, TensorLike, as_float, as_floats, as_tensor, op
from hornbeam.symbolic import KerasTensor

xp = backend.xp

_HALF = ("float16", "bfloat16")


def _work_dtype(dtype: str) -> str:
    # transforms know single and double precision
    return "float64" if dtype == "float64" else "float32"


def _single(x: Any) -> Any:
    x = as_float(x)
    return backend.cast(x, "float32") if backend.dtype(x) in _HALF else x


def _complex(x: Any, rank: int, where: str) -> Any:
    if not isinstance(x, (list, tuple)) or len(x) != 2:
        raise ArgumentTypeError("a pair of tensors, the real and the imaginary part", f"{type(x).__name__}", where)
    real, imaginary = (_single(one) for one in as_floats(*x))
    if tuple(real.shape) != tuple(imaginary.shape) or len(real.shape) < rank:
        raise ArgumentError(
            f"real and imaginary parts of one shape, of rank {rank} or more",
            f"{tuple(real.shape)} and {tuple(imaginary.shape)}", where,
        )
    return backend.complex(real, imaginary)


def _pair(value: Any) -> tuple[Any, Any]:
    return xp.real(value), xp.imag(value)


def _pair_rule(rank: int, where: str) -> Any:
    def rule(x: Any) -> tuple[KerasTensor, KerasTensor]:
        if not isinstance(x, (list, tuple)) or len(x) != 2:
            raise ArgumentTypeError("a pair of tensors, the real and the imaginary part", f"{type(x).__name__}", where)
        shape = x[0].shape
        if len(shape) < rank or len(shape) != len(x[1].shape):
            raise ArgumentError(f"parts of one shape, of rank {rank} or more", f"{shape} and {x[1].shape}", where)
        dtype = _work_dtype(x[0].dtype)
        return KerasTensor(shape, dtype), KerasTensor(shape, dtype)

    return rule


# --- whole axes --------------------------------------------------------------------------------------------------


@op("keras.src.ops.math.FFT", lists=["x"], spec=_pair_rule(1, "fft"))
def fft(x: tuple[TensorLike, TensorLike]) -> tuple[Tensor, Tensor]:
    """Discrete Fourier transform along the last axis.

    Args:
        x: Real and imaginary part, `[..., n]` each.

    Returns:
        Real and imaginary part of the transform.

    Raises:
        ValueError: If the parts differ in shape.

    >>> import hornbeam as keras
    >>> real, imaginary = keras.ops.fft((keras.ops.ones(4), keras.ops.zeros(4)))
    >>> keras.ops.convert_to_numpy(real).tolist()
    [4.0, 0.0, 0.0, 0.0]
    """
    return _pair(xp.fft.fft(_complex(x, 1, "fft")))


@op("keras.src.ops.math.FFT2", lists=["x"], spec=_pair_rule(2, "fft2"))
def fft2(x: tuple[TensorLike, TensorLike]) -> tuple[Tensor, Tensor]:
    """Discrete Fourier transform along the last two axes.

    Args:
        x: Real and imaginary part, `[..., m, n]` each.

    Returns:
        Real and imaginary part of the transform.
    """
    return _pair(xp.fft.fft2(_complex(x, 2, "fft2")))


@op("keras.src.ops.math.IFFT2", lists=["x"], spec=_pair_rule(2, "ifft2"))
def ifft2(x: tuple[TensorLike, TensorLike]) -> tuple[Tensor, Tensor]:
    """The inverse of `fft2`.

    Args:
        x: Real and imaginary part, `[..., m, n]` each.

    Returns:
        Real and imaginary part.
    """
    return _pair(xp.fft.ifft2(_complex(x, 2, "ifft2")))


def _check_length(length: Any, name: str, where: str) -> None:
    if length is not None and (isinstance(length, bool) or not hasattr(length, "__index__") or length < 1):
        raise ArgumentError(f"`{name}` to be a positive integer or None", repr(length), where)


def _rfft_rule(x: Any, fft_length: int | None = None) -> tuple[KerasTensor, KerasTensor]:
    _check_length(fft_length, "fft_length", "rfft")
    size = x.shape[-1] if fft_length is None else fft_length
    shape = (*x.shape[:-1], None if size is None else size // 2 + 1)
    return KerasTensor(shape, _work_dtype(x.dtype)), KerasTensor(shape, _work_dtype(x.dtype))


@op("keras.src.ops.math.RFFT", spec=_rfft_rule)
def rfft(x: TensorLike, fft_length: int | None = None) -> tuple[Tensor, Tensor]:
    """Discrete Fourier transform of real numbers along the last axis, without its redundant half.

    Args:
        x: `[..., n]`, real.
        fft_length: The axis is cut or filled with zeros to this length; None means n.

    Returns:
        Real and imaginary part, `[..., fft_length // 2 + 1]` each.

    >>> import hornbeam as keras
    >>> real, imaginary = keras.ops.rfft([1.0, 2.0, 3.0, 4.0])
    >>> keras.ops.convert_to_numpy(real).tolist(), keras.ops.convert_to_numpy(imaginary).tolist()
    ([10.0, -2.0, -2.0], [0.0, 2.0, 0.0])
    """
    _check_length(fft_length, "fft_length", "rfft")
    return _pair(xp.fft.rfft(_single(x), n=fft_length))


def _irfft_rule(x: Any, fft_length: int | None = None) -> KerasTensor:
    first = _pair_rule(1, "irfft")(x)[0]
    _check_length(fft_length, "fft_length", "irfft")
    size = first.shape[-1]
    length = fft_length if fft_length is not None else (None if size is None else 2 * (size - 1))
    return KerasTensor((*first.shape[:-1], length), first.dtype)


@op("keras.src.ops.math.IRFFT", lists=["x"], spec=_irfft_rule)
def irfft(x: tuple[TensorLike, TensorLike], fft_length: int | None = None) -> Tensor:
    """The inverse of `rfft`.

    Args:
        x: Real and imaginary part, `[..., n]` each.
        fft_length: The length of the result; None means `2 * (n - 1)`.

    Returns:
        A real tensor `[..., fft_length]`.
    """
    _check_length(fft_length, "fft_length", "irfft")
    return xp.fft.irfft(_complex(x, 1, "irfft"), n=fft_length)


# --- sequences cut from a signal ---------------------------------------------------------------------------------


def _check_sequences(sequence_length: Any, sequence_stride: Any, where: str) -> None:
    for name, value in (("sequence_length", sequence_length), ("sequence_stride", sequence_stride)):
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
            raise ArgumentError(f"`{name}` to be a positive integer", repr(value), where)


def _count(size: int | None, length: int, stride: int) -> int | None:
    return None if size is None else max((size - length) // stride + 1, 0)


def _sequences_rule(x: Any, sequence_length: int, sequence_stride: int) -> KerasTensor:
    _check_sequences(sequence_length, sequence_stride, "extract_sequences")
    if not x.shape:
        raise ArgumentError("`x` of rank 1 or more", "shape=()", "extract_sequences")
    count = _count(x.shape[-1], sequence_length, sequence_stride)
    return KerasTensor((*x.shape[:-1], count, sequence_length), x.dtype)


def _sequences(x: Any, length: int, stride: int) -> Any:
    count = _count(x.shape[-1], length, stride) or 0
    index = np.arange(count, dtype="int32")[:, None] * stride + np.arange(length, dtype="int32")
    return xp.take(x, backend.asarray(index), axis=-1)


@op("keras.src.ops.math.ExtractSequences", tensors=["x"], spec=_sequences_rule)
def extract_sequences(x: TensorLike, sequence_length: int, sequence_stride: int) -> Tensor:
    """All sequences of one length along the last axis, from its start on at equal distances.

    Args:
        x: `[..., n]`.
        sequence_length: The length of a sequence.
        sequence_stride: The distance from one start to the next.

    Returns:
        `[..., sequences, sequence_length]`; what does not fill a sequence is left out.

    Raises:
        ValueError: If a length is not a positive integer.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.extract_sequences([1, 2, 3, 4, 5, 6], 3, 2)).tolist()
    [[1, 2, 3], [3, 4, 5]]
    """
    _check_sequences(sequence_length, sequence_stride, "extract_sequences")
    x = as_tensor(x)
    if not x.shape:
        raise ArgumentError("`x` of rank 1 or more", "shape=()", "extract_sequences")
    return _sequences(x, sequence_length, sequence_stride)


def _check_transform(length: Any, stride: Any, fft_length: Any, window: Any, where: str) -> None:
    _check_sequences(length, stride, where)
    if isinstance(fft_length, bool) or not hasattr(fft_length, "__index__") or fft_length < length:
        got = f"fft_length={fft_length!r}, sequence_length={length}"
        raise ArgumentError("`fft_length` to be an integer not below `sequence_length`", got, where)
    if isinstance(window, str) and window not in ("hann", "hamming"):
        raise UnknownNameError("window", window, ("hann", "hamming"), where)


def _window(window: Any, length: int, fft_length: int, dtype: str, where: str) -> Any:
    """The window, filled with zeros on both sides to `fft_length`."""
    if window is None:
        return backend.asarray(np.ones(fft_length), dtype)
    if isinstance(window, str):
        # the periodic form, whose shifted copies add up to a constant
        first = 0.5 if window == "hann" else 0.54
        values = first - (1 - first) * np.cos(2 * math.pi * np.arange(length) / length)
        values = backend.asarray(values if length > 1 else np.ones(1), dtype)
    else:
        values = backend.cast(as_tensor(window), dtype)
        if tuple(values.shape) != (length,):
            raise ArgumentError(f"a `window` of shape ({length},)", f"shape={tuple(values.shape)}", where)
    before = (fft_length - length) // 2
    return xp.pad(values, [(before, fft_length - length - before)])


def _stft_rule(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann", center: bool = True
) -> tuple[KerasTensor, KerasTensor]:
    _check_transform(sequence_length, sequence_stride, fft_length, window, "stft")
    size = x.shape[-1]
    if size is not None and center:
        size += 2 * (fft_length // 2)
    shape = (*x.shape[:-1], _count(size, fft_length, sequence_stride), fft_length // 2 + 1)
    return KerasTensor(shape, _work_dtype(x.dtype)), KerasTensor(shape, _work_dtype(x.dtype))


@op("keras.src.ops.math.STFT", tensors=["x"], spec=_stft_rule)
def stft(
    x: TensorLike,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> tuple[Tensor, Tensor]:
    """Short-time Fourier transform: `rfft` of windowed sequences of a signal.

    Args:
        x: Signals `[..., n]`.
        sequence_length: The length of a sequence, which is that of the window.
        sequence_stride: The distance from one start to the next.
        fft_length: The length of a transform, not below `sequence_length`.
        window: "hann", "hamming", a tensor `[sequence_length]`, or None for ones.
        center: Whether the t-th sequence is centred at `t * sequence_stride`; the signal is then mirrored at its ends.

    Returns:
        Real and imaginary part, `[..., sequences, fft_length // 2 + 1]` each.

    Raises:
        ValueError: If a length is not a positive integer, or the window does not fit.

    >>> import hornbeam as keras
    >>> real, imaginary = keras.ops.stft(keras.ops.ones(64), 16, 8, 16)
    >>> real.shape
    (9, 9)
    """
    _check_transform(sequence_length, sequence_stride, fft_length, window, "stft")
    x = _single(x)
    if center:
        side = fft_length // 2
        if x.shape[-1] <= side:
            raise ArgumentError(
                f"a signal longer than {side}, half of `fft_length`", f"length {x.shape[-1]}", "stft",
                "Pass center=False, a smaller fft_length or a longer signal.",
            )
        x = xp.pad(x, [(0, 0)] * (len(x.shape) - 1) + [(side, side)], mode="reflect")
    weights = _window(window, sequence_length, fft_length, backend.dtype(x), "stft")
    return _pair(xp.fft.rfft(_sequences(x, fft_length, sequence_stride) * weights))


def _overlapped(x: Any, stride: int) -> Any:
    """The sum of the rows of `x`, each `stride` further to the right than the one before."""
    count, length = x.shape[-2:]
    lead = [(0, 0)] * (len(x.shape) - 2)
    blocks = -(-length // stride)
    x = xp.pad(x, [*lead, (0, 0), (0, blocks * stride - length)])
    x = xp.reshape(x, (*x.shape[:-1], blocks, stride))
    total: Any = None
    for block in range(blocks):
        part = xp.pad(x[..., block, :], [*lead, (block, blocks - 1 - block), (0, 0)])
        total = part if total is None else total + part
    total = xp.reshape(total, (*total.shape[:-2], total.shape[-2] * stride))
    return total[..., : (count - 1) * stride + length]


def _istft_rule(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> KerasTensor:
    first = _pair_rule(2, "istft")(x)[0]
    _check_transform(sequence_length, sequence_stride, fft_length, window, "istft")
    count = first.shape[-2]
    size = None if count is None else _restored_length(count, sequence_stride, fft_length, length, center)
    return KerasTensor((*first.shape[:-2], size), first.dtype)


def _restored_length(count: int, stride: int, fft_length: int, length: int | None, center: bool) -> int:
    whole = (count - 1) * stride + fft_length
    start = fft_length // 2 if center else 0
    if length is not None:
        return min(length, whole - start)
    return whole - 2 * start


@op("keras.src.ops.math.ISTFT", tensors=["x"], lists=["x"], spec=_istft_rule)
def istft(
    x: tuple[TensorLike, TensorLike],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Tensor:
    """The inverse of `stft`: overlapping sequences added, divided by the squared windows they carry.

    Args:
        x: Real and imaginary part, `[..., sequences, fft_length // 2 + 1]` each.
        sequence_length: As for `stft`.
        sequence_stride: As for `stft`.
        fft_length: As for `stft`.
        length: The length of the result; None means all that the sequences cover.
        window: As for `stft`.
        center: As for `stft`.

    Returns:
        Signals `[..., n]`.

    Raises:
        ValueError: If a length is not a positive integer, or the window does not fit.
    """
    _check_transform(sequence_length, sequence_stride, fft_length, window, "istft")
    rows = xp.fft.irfft(_complex(x, 2, "istft"), n=fft_length)
    weights = _window(window, sequence_length, fft_length, backend.dtype(rows), "istft")
    signal = _overlapped(rows * weights, sequence_stride)
    energy = _overlapped(xp.broadcast_to(xp.square(weights), rows.shape[-2:]), sequence_stride)
    covered = energy > 1e-12
    signal = xp.where(covered, signal / xp.where(covered, energy, 1), signal)
    start = fft_length // 2 if center else 0
    size = _restored_length(rows.shape[-2], sequence_stride, fft_length, length, center)
    return signal[..., start : start + size]


# --- complex numbers ---------------------------------------------------------------------------------------------


def _as_complex_rule(x: Any) -> KerasTensor:
    _check_two(x.shape)
    return KerasTensor(x.shape[:-1], "complex128" if x.dtype == "float64" else "complex64")


def _check_two(shape: Any) -> None:
    if not shape or shape[-1] not in (2, None):
        got = f"shape={tuple(shape)}"
        raise ArgumentError("a last axis of size 2, real and imaginary part", got, "view_as_complex")


@op("keras.src.ops.math.ViewAsComplex", spec=_as_complex_rule)
def view_as_complex(x: TensorLike) -> Tensor:
    """Complex numbers from a tensor whose last axis holds real and imaginary part.

    Args:
        x: `[..., 2]`, real.

    Returns:
        A complex tensor `[...]`.

    Raises:
        ValueError: If the last axis has another size.

    >>> import hornbeam as keras
    >>> complex(keras.ops.view_as_complex([1.0, 2.0]))
    (1+2j)
    """
    x = _single(x)
    _check_two(x.shape)
    return backend.complex(x[..., 0], x[..., 1])


def _as_real_rule(x: Any) -> KerasTensor:
    return KerasTensor((*x.shape, 2), "float64" if x.dtype in ("complex128", "float64") else "float32")


@op("keras.src.ops.math.ViewAsReal", spec=_as_real_rule)
def view_as_real(x: TensorLike) -> Tensor:
    """Complex numbers as a tensor whose last axis holds real and imaginary part.

    Args:
        x: A complex tensor `[...]`.

    Returns:
        A real tensor `[..., 2]`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.view_as_real(keras.ops.array([1 + 2j]))).tolist()
    [[1.0, 2.0]]
    """
    x = as_tensor(x)
    x = x if backend.dtype(x).startswith("complex") else _single(x)
    return xp.stack([xp.real(x), xp.imag(x)], axis=-1)
