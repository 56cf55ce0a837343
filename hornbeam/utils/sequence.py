"""Sequences of unequal length to one array, padded and cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hornbeam.errors import ArgumentError, UnknownNameError, describe

_SIDES = ("pre", "post")


def pad_sequences(
    sequences: Sequence[Iterable[Any]],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Puts sequences of unequal length into one array.

    Args:
        sequences: A list of sequences; items may be numbers or arrays of one shape.
        maxlen: The length of the result; that of the longest sequence if None.
        dtype: The dtype of the result; `object` for strings of unequal length.
        padding: Where short sequences are filled up: "pre" or "post".
        truncating: Where long sequences lose items: "pre" or "post".
        value: What fills up.

    Returns:
        An array of shape `(len(sequences), maxlen, ...)`.

    Raises:
        ValueError: If an item is no sequence, items differ in shape, or `value` does not fit `dtype`.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2, padding="post")
    array([[1, 0],
           [2, 3],
           [5, 6]], dtype=int32)
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in _SIDES:
            raise UnknownNameError(f"side for {name}", side, _SIDES, "pad_sequences")
    if not hasattr(sequences, "__len__"):
        raise ArgumentError("a list of sequences", describe(sequences), "pad_sequences")
    for position, one in enumerate(sequences):
        if not hasattr(one, "__len__"):
            raise ArgumentError("a sequence for each row", f"{describe(one)} at {position}", "pad_sequences")
    if maxlen is None:
        if not len(sequences):
            raise ArgumentError("at least one sequence", "none", "pad_sequences", "Or give maxlen.")
        maxlen = max(len(one) for one in sequences)
    if isinstance(value, str) and np.dtype(dtype).kind not in "OUS":
        raise ArgumentError(
            "a value that fits the dtype",
            f"value={value!r} for dtype={dtype}",
            "pad_sequences",
            "Use dtype=object for strings.",
        )

    item_shape = next((np.asarray(one).shape[1:] for one in sequences if len(one)), ())
    result = np.full((len(sequences), maxlen, *item_shape), value, dtype=dtype)
    for position, one in enumerate(sequences):
        if not len(one) or not maxlen:
            continue
        kept = np.asarray(one[-maxlen:] if truncating == "pre" else one[:maxlen], dtype=dtype)
        if kept.shape[1:] != item_shape:
            raise ArgumentError(
                f"items of shape {item_shape} as in the first sequence",
                f"shape {kept.shape[1:]} at {position}",
                "pad_sequences",
            )
        where = slice(None, len(kept)) if padding == "post" else slice(maxlen - len(kept), None)
        result[position, where] = kept
    return result
