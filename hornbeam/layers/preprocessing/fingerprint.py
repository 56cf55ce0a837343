"""64-bit hashes of many byte strings at once, in NumPy: FarmHash's Fingerprint64, SipHash-2-4, and a way to join two.

They are the hash functions that TensorFlow's string buckets stand on, so that a table of embeddings trained there finds
the same rows here. Strings of one length are hashed together as the columns of a matrix.

FarmHash: https://github.com/google/farmhash; SipHash: Aumasson and Bernstein, https://eprint.iacr.org/2012/351.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

_K0 = np.uint64(0xC3A5C85C97CB3127)
_K1 = np.uint64(0xB492B66FBE98F273)
_K2 = np.uint64(0x9AE16A3B2F90404F)
_JOIN = np.uint64(0xC6A4A7935BD1E995)

_Words = np.ndarray  # uint64, one for each string


def fingerprints(strings: Sequence[bytes]) -> np.ndarray:
    """FarmHash's Fingerprint64 of each string, uint64."""
    return _by_length(strings, _farm)


def keyed_hashes(strings: Sequence[bytes], key: tuple[int, int]) -> np.ndarray:
    """SipHash-2-4 of each string under a key of two 64-bit numbers, uint64."""
    return _by_length(strings, lambda block: _sip(block, key))


def joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """One fingerprint for each pair of fingerprints; the order matters."""
    with np.errstate(over="ignore"):
        result = (first ^ _JOIN) ^ (_shift_mix(second * _JOIN) * _JOIN)
        result = result * _JOIN
        return _shift_mix(_shift_mix(result) * _JOIN)


def _by_length(strings: Sequence[bytes], hash_block: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The hashes of strings, those of one length at a time: `hash_block` takes them as a matrix of bytes."""
    result = np.empty(len(strings), np.uint64)
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    data = np.frombuffer(b"".join(strings), np.uint8)
    starts = np.cumsum(lengths) - lengths
    with np.errstate(over="ignore"):
        for length in np.unique(lengths):
            rows = np.flatnonzero(lengths == length)
            result[rows] = hash_block(data[starts[rows][:, None] + np.arange(length)])
    return result


# --- Fingerprint64 -----------------------------------------------------------------------------------------------


def _farm(block: np.ndarray) -> np.ndarray:
    length = block.shape[1]
    if length <= 16:
        return _farm_to_16(block, length)
    if length <= 32:
        return _farm_to_32(block, length)
    return _farm_to_64(block, length) if length <= 64 else _farm_long(block, length)


def _farm_to_16(block: np.ndarray, length: int) -> np.ndarray:
    if length >= 8:
        multiplier = _number(_K2, length * 2)
        a = _word(block, 0) + _K2
        b = _word(block, length - 8)
        c = _rotated(b, 37) * multiplier + a
        d = (_rotated(a, 25) + b) * multiplier
        return _mix(c, d, multiplier)
    if length >= 4:
        multiplier = _number(_K2, length * 2)
        a = _half_word(block, 0)
        return _mix(np.uint64(length) + (a << np.uint64(3)), _half_word(block, length - 4), multiplier)
    if length > 0:
        a, b, c = (block[:, place].astype(np.uint64) for place in (0, length >> 1, length - 1))
        y = a + (b << np.uint64(8))
        z = np.uint64(length) + (c << np.uint64(2))
        return _shift_mix(y * _K2 ^ z * _K0) * _K2
    return np.full(len(block), _K2, np.uint64)


def _farm_to_32(block: np.ndarray, length: int) -> np.ndarray:
    multiplier = _number(_K2, length * 2)
    a = _word(block, 0) * _K1
    b = _word(block, 8)
    c = _word(block, length - 8) * multiplier
    d = _word(block, length - 16) * _K2
    return _mix(_rotated(a + b, 43) + _rotated(c, 30) + d, a + _rotated(b + _K2, 18) + c, multiplier)


def _farm_to_64(block: np.ndarray, length: int) -> np.ndarray:
    multiplier = _number(_K2, length * 2)
    a = _word(block, 0) * _K2
    b = _word(block, 8)
    c = _word(block, length - 8) * multiplier
    d = _word(block, length - 16) * _K2
    y = _rotated(a + b, 43) + _rotated(c, 30) + d
    z = _mix(y, a + _rotated(b + _K2, 18) + c, multiplier)
    e = _word(block, 16) * multiplier
    f = _word(block, 24)
    g = (y + _word(block, length - 32)) * multiplier
    h = (z + _word(block, length - 24)) * multiplier
    return _mix(_rotated(e + f, 43) + _rotated(g, 30) + h, e + _rotated(f + a, 18) + g, multiplier)


def _farm_long(block: np.ndarray, length: int) -> np.ndarray:
    seed = np.uint64(81)
    zeros = np.zeros(len(block), np.uint64)
    y = zeros + (seed * _K1 + np.uint64(113))
    z = _shift_mix(y * _K2 + np.uint64(113)) * _K2
    x = zeros + seed * _K2 + _word(block, 0)
    v, w = (zeros, zeros), (zeros, zeros)

    def round_(at: int, x: _Words, y: _Words, z: _Words, v: tuple, w: tuple, k: _Words, scale: int) -> tuple:
        x = _rotated(x + y + v[0] + _word(block, at + 8), 37) * k
        y = _rotated(y + v[1] + _word(block, at + 48), 42) * k
        x = x ^ w[1] * np.uint64(scale)
        y = y + v[0] * np.uint64(scale) + _word(block, at + 40)
        z = _rotated(z + w[0], 33) * k
        v = _weak(block, at, v[1] * k, x + w[0])
        w = _weak(block, at + 32, z + w[1], y + _word(block, at + 16))
        return z, y, x, v, w  # x and z change places

    for at in range(0, (length - 1) // 64 * 64, 64):
        x, y, z, v, w = round_(at, x, y, z, v, w, _K1, 1)
    multiplier = _K1 + ((z & np.uint64(0xFF)) << np.uint64(1))
    w = (w[0] + np.uint64((length - 1) & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x, y, z, v, w = round_(length - 64, x, y, z, v, w, multiplier, 9)
    return _mix(
        _mix(v[0], w[0], multiplier) + _shift_mix(y) * _K0 + z, _mix(v[1], w[1], multiplier) + x, multiplier
    )


def _weak(block: np.ndarray, at: int, a: _Words, b: _Words) -> tuple[_Words, _Words]:
    """A weak hash of 32 bytes under two seeds."""
    a = a + _word(block, at)
    last = _word(block, at + 24)
    b = _rotated(b + a + last, 21)
    c = a
    a = a + _word(block, at + 8) + _word(block, at + 16)
    return a + last, b + _rotated(a, 44) + c


def _mix(u: _Words, v: _Words, multiplier: _Words) -> np.ndarray:
    a = (u ^ v) * multiplier
    a = a ^ (a >> np.uint64(47))
    b = (v ^ a) * multiplier
    return (b ^ (b >> np.uint64(47))) * multiplier


def _shift_mix(value: _Words) -> np.ndarray:
    return value ^ (value >> np.uint64(47))


def _rotated(value: _Words, bits: int) -> np.ndarray:
    return (value >> np.uint64(bits)) | (value << np.uint64(64 - bits))


def _word(block: np.ndarray, start: int) -> np.ndarray:
    """Eight bytes of each row as a little-endian number."""
    return np.ascontiguousarray(block[:, start : start + 8]).view("<u8")[:, 0].astype(np.uint64, copy=False)


def _half_word(block: np.ndarray, start: int) -> np.ndarray:
    return np.ascontiguousarray(block[:, start : start + 4]).view("<u4")[:, 0].astype(np.uint64)


def _number(base: np.uint64, more: int) -> np.ndarray:
    return np.uint64((int(base) + more) % 2**64)  # type: ignore[return-value]


# --- SipHash-2-4 -------------------------------------------------------------------------------------------------


def _sip(block: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    count, length = block.shape
    first, second = (np.uint64(part % 2**64) for part in key)
    state = [
        np.full(count, start ^ part, np.uint64)
        for start, part in (
            (np.uint64(0x736F6D6570736575), first),
            (np.uint64(0x646F72616E646F6D), second),
            (np.uint64(0x6C7967656E657261), first),
            (np.uint64(0x7465646279746573), second),
        )
    ]
    # whole words, then the rest of the bytes with the length in the last one
    padded = np.zeros((count, length // 8 * 8 + 8), np.uint8)
    padded[:, :length] = block
    padded[:, -1] = length % 256
    for start in range(0, padded.shape[1], 8):
        word = _word(padded, start)
        state[3] = state[3] ^ word
        _sip_rounds(state, 2)
        state[0] = state[0] ^ word
    state[2] = state[2] ^ np.uint64(0xFF)
    _sip_rounds(state, 4)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _sip_rounds(state: list[np.ndarray], count: int) -> None:
    a, b, c, d = state
    for _ in range(count):
        a, c = a + b, c + d
        b, d = _rotated(b, 64 - 13) ^ a, _rotated(d, 64 - 16) ^ c
        a = _rotated(a, 64 - 32)
        c, a = c + b, a + d
        b, d = _rotated(b, 64 - 17) ^ c, _rotated(d, 64 - 21) ^ a
        c = _rotated(c, 64 - 32)
    state[:] = a, b, c, d
