"""The salt of hashing layers: the key that turns a plain hash into a keyed one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.errors import ArgumentError
from hornbeam.layers.preprocessing.fingerprint import fingerprints, keyed_hashes


def checked_salt(salt: Any, where: str) -> list[int] | None:
    """A salt as a list of two ints, or None.

    Raises:
        ValueError: For anything but one int or two.
    """
    if salt is None:
        return None
    parts = list(salt) if isinstance(salt, (list, tuple)) else [salt, salt]
    if len(parts) != 2 or not all(isinstance(one, (int, np.integer)) and not isinstance(one, bool) for one in parts):
        raise ArgumentError("salt to be an int or two of them", repr(salt), where)
    if not all(-(2**63) <= one < 2**64 for one in parts):
        raise ArgumentError("salt to be ints of 64 bits", repr(salt), where)
    return [int(one) for one in parts]


def hashes(strings: Sequence[bytes], salt: Sequence[int] | None) -> np.ndarray:
    """64-bit hashes of strings: FarmHash without a salt, SipHash under it."""
    return fingerprints(strings) if salt is None else keyed_hashes(strings, (salt[0], salt[1]))
