"""Random bits of Threefry-2x32 on torch: with NumPy on the CPU, with integer kernels elsewhere and in programs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from hornbeam.backend import threefry
from hornbeam.backend.torch import program


def random_bits(key: Any, shape: tuple[int, ...]) -> torch.Tensor:
    """uint32 bits under a key, on the device of the key."""
    if _on_host(key):
        return torch.from_numpy(threefry.bits(key.detach().numpy(), shape))
    return _words(key, shape).to(torch.uint32)


def random_mask(key: Any, shape: tuple[int, ...], threshold: int) -> torch.Tensor:
    """Where the bits, as integers, are at least `threshold`."""
    if _on_host(key):
        return torch.from_numpy(threefry.bits(key.detach().numpy(), shape) >= np.uint32(threshold))
    # signed integers are in the order of unsigned ones once the highest bit is turned round
    flipped = _words(key, shape) ^ -(2**31)
    return flipped >= threshold - 2**31


def _on_host(key: torch.Tensor) -> bool:
    return key.device.type == "cpu" and not program.is_traced(key)


def _words(key: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """The bits as int32: torch has no kernels for sums and shifts of unsigned integers."""
    count = math.prod(shape)
    halves = key.view(torch.int32) if key.dtype == torch.uint32 else key.to(torch.int32)
    first_key, second_key = halves[0], halves[1]
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
