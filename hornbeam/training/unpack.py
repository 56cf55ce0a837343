"""Packs x, y and sample_weight into the one tuple that steps pass around, and unpacks it; knows no kind of data."""

from __future__ import annotations

from typing import Any

from hornbeam.errors import ArgumentError, describe


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Splits what a `train_step(self, data)` gets into inputs, targets and weights.

    Args:
        data: ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)`` as a tuple or list; anything else is x alone.

    Returns:
        A tuple ``(x, y, sample_weight)``, with None for each part that is not there.

    Raises:
        ValueError: If `data` is a tuple or list of no part or of more than three.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ArgumentError(
            "data of the form x, (x,), (x, y) or (x, y, sample_weight)",
            f"{len(data)} parts: {describe(data)}",
            "unpack_x_y_sample_weight",
            "Several inputs or outputs go into a list or dict of their own, such as ([x1, x2], y).",
        )
    return tuple([*data, None, None][:3])


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Puts inputs, targets and weights into the form that a `train_step(self, data)` gets.

    Args:
        x: Inputs, any nesting of arrays.
        y: Targets, or None.
        sample_weight: Weights, or None.

    Returns:
        ``(x, y)``, ``(x, y, sample_weight)``, or x alone: as it is, in a tuple of one if it is a list or tuple.
        Weights without targets give ``(x, None, sample_weight)``: nothing is dropped.

    >>> pack_x_y_sample_weight(1), pack_x_y_sample_weight([1]), pack_x_y_sample_weight(1, 2)
    (1, ([1],), (1, 2))
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (tuple, list)) else x
