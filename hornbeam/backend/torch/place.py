"""Where new tensors lie: the default device of the process, the device scopes of a thread, and names of both."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from hornbeam.errors import ArgumentError


def _best() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


class _Scopes(threading.local):
    chosen: torch.device | None = None


_DEFAULT = _best()
_scopes = _Scopes()


def here() -> torch.device:
    """The device on which tensors are made: that of the innermost scope, else the best one there is."""
    return _scopes.chosen or _DEFAULT


def names(kind: str | None = None) -> list[str]:
    """The devices as hornbeam calls them, such as ["cuda:0", "cpu:0"]."""
    found = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        found.append("mps:0")
    found.append("cpu:0")
    return found if kind is None else [one for one in found if one.startswith(_kind(kind))]


def _kind(name: str) -> str:
    return name.lower().replace("gpu", "cuda")


def native(name: str) -> torch.device:
    """The device called `name`, such as "gpu:1", "cpu" or "meta".

    Raises:
        ValueError: If there is none of that name.
    """
    kind, _, index = _kind(str(name)).partition(":")
    if kind == "meta":
        return torch.device("meta")
    if f"{kind}:{index or 0}" not in names():
        raise ArgumentError(f"one of the devices {names()}", repr(name), "device")
    return torch.device(kind) if kind == "cpu" else torch.device(kind, int(index or 0))


@contextmanager
def on(device: torch.device) -> Iterator[None]:
    """Inside, new tensors lie on a device."""
    before, _scopes.chosen = _scopes.chosen, device
    try:
        yield
    finally:
        _scopes.chosen = before
