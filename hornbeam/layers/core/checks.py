"""Checks of arguments that many layers share; each raises an error that names the layer and the argument."""

from __future__ import annotations

from typing import Any

from hornbeam.errors import ArgumentError, ArgumentTypeError, UnsupportedError


def where(layer: Any) -> str:
    """How an error names a layer."""
    return f"{type(layer).__name__} {layer.name!r}"


def positive_integer(value: Any, name: str, layer: Any) -> int:
    """`value` if it is an integer above 0."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 1:
        raise ArgumentError(f"a positive integer for {name}", repr(value), where(layer))
    return value.__index__()


def integers(value: Any, count: int, name: str, layer: Any, least: int = 1) -> tuple[int, ...]:
    """`value`, one integer or `count` of them, as a tuple of `count` integers of at least `least`."""
    parts = (value,) * count if hasattr(value, "__index__") else value
    try:
        parts = tuple(parts)
    except TypeError:
        raise ArgumentTypeError(f"an integer or {count} integers for {name}", repr(value), where(layer)) from None
    if len(parts) != count or any(isinstance(one, bool) or not hasattr(one, "__index__") for one in parts):
        raise ArgumentError(f"an integer or {count} integers for {name}", repr(value), where(layer))
    if any(one.__index__() < least for one in parts):
        raise ArgumentError(f"integers of at least {least} for {name}", repr(value), where(layer))
    return tuple(one.__index__() for one in parts)


def padding_name(value: Any, layer: Any, allowed: tuple[str, ...] = ("valid", "same")) -> str:
    """`value` in lower case if it is one of the allowed paddings."""
    if not isinstance(value, str) or value.lower() not in allowed:
        raise ArgumentError(f"a padding out of {list(allowed)}", repr(value), where(layer))
    return value.lower()


def known_size(size: int | None, what: str, shape: Any, layer: Any) -> int:
    """`size` if it is known."""
    if size is None:
        raise ArgumentError(f"a known number of {what}", f"shape={tuple(shape)}", where(layer))
    return size


def rate(value: Any, layer: Any, name: str = "rate") -> float:
    """`value` if it is a number in [0, 1]."""
    if isinstance(value, bool) or (not isinstance(value, (int, float)) and not hasattr(value, "__float__")):
        raise ArgumentTypeError(f"a number between 0 and 1 for {name}", repr(value), where(layer))
    if not 0 <= value <= 1:
        raise ArgumentError(f"a number between 0 and 1 for {name}", repr(value), where(layer))
    return float(value)


def no_quantization(value: Any, layer: Any, name: str = "quantization_config") -> None:
    """Refuses a quantization; files of Keras say None for unquantized layers."""
    if value is not None:
        raise UnsupportedError(f"{name}=None", repr(value), where(layer), "Quantized layers do not exist yet.")
