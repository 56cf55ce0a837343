"""Random bits on torch: with NumPy on the CPU, with integer kernels elsewhere and in programs."""

from __future__ import annotations

import functools
import math
import threading
from typing import Any

import numpy as np
import torch

from hornbeam.backend import threefry
from hornbeam.backend.torch import program


def next_key(key: torch.Tensor) -> torch.Tensor:
    """The key after this one; torch has no sums of unsigned integers, and signed ones have the same bits."""
    if _on_host(key):
        following = key.detach().clone()
        following.numpy()[1:] += _ONE
        return following
    signed = key.view(torch.int32)
    return torch.stack([signed[0], signed[1] + 1]).view(torch.uint32)


_ONE = np.uint32(1)


def random_bits(key: Any, shape: tuple[int, ...]) -> torch.Tensor:
    """uint32 bits under a key, on the device of the key."""
    if _on_host(key):
        return torch.from_numpy(threefry.bits(key.detach().numpy(), shape))
    return _words(key, shape).to(torch.uint32)


def random_mask(key: Any, shape: tuple[int, ...], threshold: int) -> torch.Tensor:
    """Where the bits, as integers, are at least `threshold`."""
    if _on_host(key):
        return _at_least(threefry.bits(key.detach().numpy(), shape), threshold)
    # signed integers are in the order of unsigned ones once the highest bit is turned round
    flipped = _words(key, shape) ^ -(2**31)
    return flipped >= threshold - 2**31


def fast_bits(key: Any, shape: tuple[int, ...]) -> torch.Tensor:
    """uint32 bits under a key: on the CPU of another generator, which takes a tenth of the time of Threefry.

    SFC64 of C. Doty-Humphrey's PractRand, as NumPy has it; torch's own is four times slower. Elsewhere, and in
    programs, Threefry is one kernel and writing its result takes most of the time.
    """
    return torch.from_numpy(_sfc(key, shape)) if _on_host(key) else random_bits(key, shape)


def fast_mask(key: Any, shape: tuple[int, ...], threshold: int) -> torch.Tensor:
    """Where the bits of `fast_bits`, as integers, are at least `threshold`."""
    if _on_host(key):
        return _at_least(_sfc(key, shape), threshold)
    return random_mask(key, shape, threshold)


class _Generator(threading.local):
    """A generator of each thread, which is set to the start of a key's numbers: making a new one takes longer."""

    def __init__(self) -> None:
        self.source = np.random.SFC64(0)
        self.start = self.source.state
        self.words = self.start["state"]["state"] = np.zeros(4, np.uint64)


_generator = _Generator()
# How many numbers go unused until the words of a seed have all mixed, as the author of SFC64 has it.
_MIXED = 18


def _sfc(key: torch.Tensor, shape: tuple[int, ...]) -> np.ndarray:
    count = math.prod(shape)
    own = _generator
    own.words[:2], own.words[2:] = key.detach().numpy(), (0, 1)  # the last one counts
    own.source.state = own.start
    words = own.source.random_raw(_MIXED + (count + 1) // 2)[_MIXED:]
    return words.view(np.uint32)[:count].reshape(shape)


def _at_least(words: np.ndarray, threshold: int) -> torch.Tensor:
    return torch.from_numpy(np.asarray(words >= np.uint32(threshold)))  # an array also where there are no axes


def _on_host(key: torch.Tensor) -> bool:
    return key.device.type == "cpu" and not program.is_traced(key)


# One kernel instead of a hundred: a program that only sends kernels off waits for each of them on the host.
_KERNEL = """
template <typename T> T threefry(T counter, T first_key, T second_key) {
    const unsigned rotations[2][4] = {ROTATIONS};
    const unsigned schedule[3] = {
        (unsigned)first_key, (unsigned)second_key, (unsigned)first_key ^ (unsigned)second_key ^ 0x1BD11BDAu};
    unsigned first = schedule[0], second = (unsigned)counter + schedule[1];
    for (unsigned block = 0; block < 5; ++block) {
        for (unsigned turn = 0; turn < 4; ++turn) {
            const unsigned rotation = rotations[block % 2][turn];
            first += second;
            second = ((second << rotation) | (second >> (32u - rotation))) ^ first;
        }
        first += schedule[(block + 1) % 3];
        second += schedule[(block + 2) % 3] + block + 1;
    }
    return (T)(first ^ second);
}
""".replace("{ROTATIONS}", str(threefry.ROTATIONS).replace("(", "{").replace(")", "}"))


@functools.cache
def _kernel() -> Any:
    return torch.cuda.jiterator._create_jit_fn(_KERNEL)


def _words(key: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """The bits as int32: torch has no kernels for sums and shifts of unsigned integers."""
    count = math.prod(shape)
    halves = key.view(torch.int32) if key.dtype == torch.uint32 else key.to(torch.int32)
    first_key, second_key = halves[0], halves[1]
    if key.is_cuda and 0 < count < 2**31 and not program.is_traced(key):
        counter = torch.arange(count, dtype=torch.int32, device=key.device)
        return _kernel()(counter, first_key, second_key).reshape(shape)
    schedule = (first_key, second_key, first_key ^ second_key ^ 0x1BD11BDA)
    if count < 2**31:
        second = torch.arange(count, dtype=torch.int32, device=key.device) + second_key
        first = torch.zeros_like(second) + first_key
    else:
        counter = torch.arange(count, dtype=torch.int64, device=key.device)
        second = counter.to(torch.int32) + second_key
        first = (counter >> 32).to(torch.int32) + first_key
    for block in range(5):
        for rotation in threefry.ROTATIONS[block % 2]:
            first = first + second
            rest = (second >> (32 - rotation)) & ((1 << rotation) - 1)
            second = ((second << rotation) | rest) ^ first
        first = first + schedule[(block + 1) % 3]
        second = second + schedule[(block + 2) % 3] + (block + 1)
    return (first ^ second).reshape(shape)
